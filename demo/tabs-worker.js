// What every worker of the pool that all tabs share runs.

import { serve } from '../dist/worker.js';
import * as tasks from './tabs-tasks.js';

serve(tasks);
