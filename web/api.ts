/// <reference lib="esnext.disposable" preserve="true" />
// Contexts are for `await using`, which no dated library of TypeScript has.
/**
 * What both entries export.
 *
 * @module
 */
export { FixedWorkerContext, newFixedWorkerContext } from './context.js';
export {
  CompletableDeferred,
  CompletableJob,
  newCompletableDeferred,
  newJob,
  newSupervisorJob,
} from './completable.js';
export { CoroutineScope, GlobalScope, newScope } from './coroutine-scope.js';
export { ContextKey } from './elements.js';
export type { ContextValue, Elements, FailureHandler } from './elements.js';
export {
  CancellationError,
  ClosedReceiveError,
  ClosedSendError,
  CompletionHandlerError,
  ContextClosedError,
  CoworkerError,
  IllegalStateError,
  IsolationError,
  MutexOwnerError,
  NativeError,
  StartError,
  TimeoutCancellationError,
  UndeliveredElementError,
  WorkerCrashedError,
} from './errors.js';
export type { StartCause } from './errors.js';
export { Deferred, Job } from './job.js';
export type { CompletionFunction, CompletionHandle, CompletionOptions } from './job.js';
export { Main, MainContext } from './main.js';
export { MainScope } from './main-scope.js';
export type { ModuleFactory } from './module.js';
export type { ContextOptions, LaunchOptions, Start } from './options.js';
export { transfer } from './parcels.js';
export { Scope } from './task-scope.js';
export type { Resume, SuspendBlock } from './suspend.js';
export type { ContextStats } from './stats.js';
export type { TraceEvent, WorkerTrace } from './trace.js';
export type { AnyTasks, TaskArgs, TaskFunction, TaskName, TaskResult } from './types.js';
