// The workers of the demo's own WebAssembly module, which has coroutines in C
// besides the tasks in JavaScript.
import factory from '../build/demo/demo.mjs';
import { serve } from '../dist/worker-core.js';
import * as tasks from './tasks.js';

serve(tasks, factory);
