import { serve } from '../../dist/worker.js';
import * as tasks from './tabs.js';

serve(tasks);
