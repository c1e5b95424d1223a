// A worker that needs what is not there.

import './not-there.js';
