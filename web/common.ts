/**
 * What pages and workers alike can import.
 *
 * @module
 */
export { ConflatedBroadcastChannel } from './broadcast.js';
export type { BroadcastOptions } from './broadcast.js';
export { Channel } from './channel.js';
export type { ReceiveChannel, SendChannel } from './channel.js';
export type { ChannelOptions, Overflow } from './channel-options.js';
export { ChannelIterator } from './channel-receive.js';
export type { ChannelResult, ClosedResult, ReceiveResult } from './channel-receive.js';
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
  MutexPoisonedError,
  NativeError,
  QueueFullError,
  StartError,
  TierError,
  TimeoutCancellationError,
  UndeliveredElementError,
  WorkerCrashedError,
  WorkerLostError,
  HostLostError,
  ContextLostError,
} from './errors.js';
export { Deferred, Job } from './job.js';
export type { ProgressOptions } from './job.js';
export type { CompletionFunction, CompletionHandle, CompletionOptions } from './job-end.js';
export { Mutex } from './mutex.js';
export type { MutexOptions } from './mutex.js';
export type { LaunchOptions, Priority, Start, WhenFull } from './options.js';
export { transfer } from './parcels.js';
export { SelectClauses, select, selectUnbiased } from './select.js';
export type { Then } from './select.js';
export { Semaphore } from './semaphore.js';
export type { SemaphoreOptions } from './semaphore.js';
export type { Resume, SuspendBlock } from './suspend.js';
export { ProducerChannel, produce } from './produce.js';
export type { LocalLauncher, ProduceBlock, ProduceOptions } from './produce.js';
export { ResultStream, stream } from './stream.js';
export type { StreamOptions, StreamValue, Streamer } from './stream.js';
export { Scope } from './task-scope.js';
