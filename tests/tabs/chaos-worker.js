// Its worker: its address says whose it is.

import { serve } from '../../dist/worker.js';
import * as tasks from './chaos-tasks.js';

serve(tasks);
