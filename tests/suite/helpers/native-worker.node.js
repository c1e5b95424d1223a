// The worker of contexts that run the suite's own module, in Node.

import factory from '../../../build/tests/native.node.mjs';
import solo from '../../../build/tests/native-solo.node.mjs';
import { serve } from '../../../dist/worker-core.node.js';
import './library-worker.node.js';
import * as tasks from './tasks.js';

serve(tasks, factory, solo);
