import { serve } from 'coworker/worker-core';
import module from './native.mjs';
import soloModule from './native-solo.mjs';
import * as tasks from './tasks.js';

serve(tasks, module, soloModule);
