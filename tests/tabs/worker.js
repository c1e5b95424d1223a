// Its worker.

import { serve } from '../../dist/worker.js';
import * as tasks from './tasks.js';

serve(tasks);
