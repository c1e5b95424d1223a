// The library of workers in Node.

import * as coworker from '../../../dist/worker-core.node.js';
import { library } from './library.js';

Object.assign(library, coworker);
