import { serve } from '../../dist/worker.js';
import * as tasks from './coworker.js';

serve(tasks);
