// The worker of the tests in Node.

import { serve } from 'coworker/worker';
import * as tasks from './tasks.js';

serve(tasks);
