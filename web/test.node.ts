/**
 * Tests in virtual time: the entry for Node.
 *
 * @module
 */
import './index.node.js';

export * from './test-api.js';
