// A worker of the suite's own module without any tasks, in Node.

import factory from '../../../build/tests/native.node.mjs';
import solo from '../../../build/tests/native-solo.node.mjs';
import { serve } from '../../../dist/worker-core.node.js';

serve({}, factory, solo);
