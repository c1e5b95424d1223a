// The workers of the demo's own WebAssembly module, which has coroutines in C
// besides the tasks in JavaScript. It comes with threads and without.
import soloFactory from '../build/demo/demo-solo.mjs';
import factory from '../build/demo/demo.mjs';
import { serve } from '../dist/worker-core.js';
import * as tasks from './tasks.js';

serve(tasks, factory, soloFactory);
