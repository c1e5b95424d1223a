import { serve } from 'coworker/worker-core';
import module from './module.mjs';

serve({ add: (_scope, a, b) => a + b }, module);
