/**
 * Coroutines with structured concurrency on a fixed pool of Web Workers: the
 * entry for browsers.
 *
 * @module
 */
import { installBrowser } from './browser.js';

export * from './api.js';

installBrowser();
