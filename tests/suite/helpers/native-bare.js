// A worker of the suite's own module without any tasks, in browsers.

import factory from '../../../build/tests/native.mjs';
import solo from '../../../build/tests/native-solo.mjs';
import { serve } from '../../../dist/worker-core.js';

serve({}, factory, solo);
