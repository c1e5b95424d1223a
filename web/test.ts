/**
 * Tests in virtual time: the entry for browsers.
 *
 * @module
 */
import './index.js';

export * from './test-api.js';
