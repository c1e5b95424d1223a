import { serve } from '../../dist/worker.node.js';
import * as tasks from './coworker.js';

serve(tasks);
