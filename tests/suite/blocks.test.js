// Scopes inside of a body.

import { describe } from 'node:test';
import { everywhere } from './helpers/everywhere.js';

describe('blocks', () => everywhere('blocks'));
