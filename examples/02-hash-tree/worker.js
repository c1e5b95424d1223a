import { serve } from 'coworker/worker-core';
import factory from '../../build/examples/02-hash-tree/hash-tree.mjs';
import * as tasks from './tasks.js';

serve(tasks, factory);
