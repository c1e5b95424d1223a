/// <reference lib="esnext.disposable" preserve="true" />
// Contexts are for `await using`, which no dated library of TypeScript has.
/**
 * What both entries export.
 *
 * @module
 */
export { FixedWorkerContext, newFixedWorkerContext } from './context.js';
export {
  CancellationError,
  ContextClosedError,
  CoworkerError,
  IsolationError,
  NativeError,
  StartError,
  TimeoutCancellationError,
  WorkerCrashedError,
} from './errors.js';
export type { StartCause } from './errors.js';
export { Deferred, Job } from './job.js';
export { Main, MainContext } from './main.js';
export { MainScope } from './main-scope.js';
export type { ModuleFactory } from './module.js';
export type { ContextOptions, LaunchOptions } from './options.js';
export { transfer } from './parcels.js';
export { Scope } from './scope.js';
export type { ContextStats } from './stats.js';
export type { TraceEvent, WorkerTrace } from './trace.js';
export type { AnyTasks, TaskArgs, TaskFunction, TaskName, TaskResult } from './types.js';
