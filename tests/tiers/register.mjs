// For `node --import`: runs test files in the tier that COWORKER_TIER names.

import { register } from 'node:module';

if (process.env.COWORKER_TIER) register('./hooks.mjs', import.meta.url);
