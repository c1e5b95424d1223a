// The suite's worker in browsers. Import maps do not apply to workers.

import { serve } from '../../../dist/worker.js';
import './library-worker.js';
import * as tasks from './tasks.js';

serve(tasks);
