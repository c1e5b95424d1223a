// The library of workers in browsers.

import * as coworker from '../../../dist/worker-core.js';
import { library } from './library.js';

Object.assign(library, coworker);
