// The suite's worker in Node.

import { serve } from '../../../dist/worker.node.js';
import './library-worker.node.js';
import * as tasks from './tasks.js';

serve(tasks);
