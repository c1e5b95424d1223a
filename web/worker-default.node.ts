/**
 * The worker of contexts that have no task module: it runs C only.
 *
 * @module
 */
import { serve } from './worker.node.js';

serve({});
