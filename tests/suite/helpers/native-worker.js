// The worker of contexts that run the suite's own module, in browsers.

import factory from '../../../build/tests/native.mjs';
import solo from '../../../build/tests/native-solo.mjs';
import { serve } from '../../../dist/worker-core.js';
import './library-worker.js';
import * as tasks from './tasks.js';

serve(tasks, factory, solo);
