// Waiting: for whoever calls back, and for what the library has.

import { describe } from 'node:test';
import { everywhere } from './helpers/everywhere.js';

describe('suspendCancellable()', () => everywhere('suspending'));

describe('waiting', () => everywhere('waiting'));
