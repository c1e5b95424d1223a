// The tasks of the suite's workers: all of them, by their names.

export * from './block-tasks.js';
export * from './channel-tasks.js';
export * from './child-tasks.js';
export * from './kill-tasks.js';
export * from './progress-tasks.js';
export * from './scope-tasks.js';
export * from './sync-tasks.js';
export * from './uncaught-tasks.js';
export * from './value-tasks.js';
export * from './waiting-tasks.js';
export { exercise, play } from './scenarios.js';

export const notATask = 42;
