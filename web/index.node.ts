/**
 * Coroutines with structured concurrency on a fixed pool of workers: the entry
 * for Node.
 *
 * @module
 */
import { installNode } from './node.js';

export * from './api.js';

installNode();
