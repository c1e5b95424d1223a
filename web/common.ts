/**
 * What pages and workers alike can import.
 *
 * @module
 */
export {
  CompletableDeferred,
  CompletableJob,
  newCompletableDeferred,
  newJob,
  newSupervisorJob,
} from './completable.js';
export { dumpCoroutines, setDebug } from './debug.js';
export type { DebugOptions } from './debug.js';
export { Dispatcher } from './dispatcher.js';
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
export { Deferred, Job } from './job.js';
export type { CompletionFunction, CompletionHandle, CompletionOptions } from './job.js';
export type { LaunchOptions, Start } from './options.js';
export { transfer } from './parcels.js';
export type { Resume, SuspendBlock } from './suspend.js';
export { Scope } from './task-scope.js';
