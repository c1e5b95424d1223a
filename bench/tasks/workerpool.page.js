/* global workerpool */
// A classic worker, as the package's documentation has it for pages.
importScripts('/node_modules/workerpool/dist/workerpool.min.js');

workerpool.worker({ add: (a, b) => a + b });
