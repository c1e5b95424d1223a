/**
 * Every error class of the package, one per cause.
 *
 * @module
 */

/** The base of all errors that come from this package. */
export class CoworkerError extends Error {
  override name = 'CoworkerError';
  /** The code that the C core uses for this cause, such as `CW_ECLOSED`. */
  readonly code: string;
  /** The task that failed, if the error came from one. */
  task?: string;
  /** The worker that the task ran on, if the error came from one. */
  worker?: string;
  /** Failures that were met while this one was dealt with. */
  suppressed?: unknown[];

  constructor(message: string, options: ErrorOptions & { code?: string } = {}) {
    super(message, options);
    this.code = options.code ?? 'CW_EFAILED';
  }
}

/** The job was cancelled. Its `cause` is what it was cancelled with. */
export class CancellationError extends CoworkerError {
  override name = 'CancellationError';
  constructor(message = 'the job was cancelled', options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ECANCELED' });
  }
}

/** The job was cancelled because its time is over: see {@link limit}. */
export class TimeoutCancellationError extends CancellationError {
  override name = 'TimeoutCancellationError';
  /** Which limit it was: a `timeout` (that of `withTimeout()`, too) or the `deadline`. */
  readonly limit: 'timeout' | 'deadline';
  constructor(message?: string, options: ErrorOptions & { limit?: 'timeout' | 'deadline' } = {}) {
    super(message, options);
    this.limit = options.limit ?? 'timeout';
  }
}

/** So many jobs wait in the context as its `maxQueue` allows. Nothing was launched. */
export class QueueFullError extends CoworkerError {
  override name = 'QueueFullError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_EQUEUEFULL' });
  }
}

/** The context is closed and takes no more work. */
export class ContextClosedError extends CoworkerError {
  override name = 'ContextClosedError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ECLOSED' });
  }
}

/** Something was used in a state that does not allow it, such as resumed twice. */
export class IllegalStateError extends CoworkerError {
  override name = 'IllegalStateError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ESTATE' });
  }
}

/** A channel is closed: nothing can be sent. */
export class ClosedSendError extends CoworkerError {
  override name = 'ClosedSendError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ESENDCLOSED' });
  }
}

/** A channel is closed, and nothing is left to receive. */
export class ClosedReceiveError extends CoworkerError {
  override name = 'ClosedReceiveError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ERECVCLOSED' });
  }
}

/** The hook for an element that was not delivered has failed: see its `cause`. */
export class UndeliveredElementError extends CoworkerError {
  override name = 'UndeliveredElementError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_EUNDELIVERED' });
  }
}

/** A mutex is locked by another owner. */
export class MutexOwnerError extends CoworkerError {
  override name = 'MutexOwnerError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_EOWNER' });
  }
}

/**
 * Who had a mutex locked was lost with its worker. What the mutex guards may be
 * half done: see {@link Mutex.recover}.
 */
export class MutexPoisonedError extends CoworkerError {
  override name = 'MutexPoisonedError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_EPOISONED' });
  }
}

/** A function that was to hear of a job's end has thrown: see its `cause`. */
export class CompletionHandlerError extends CoworkerError {
  override name = 'CompletionHandlerError';
}

/** Code of C or C++ ended a job with an error of its own. */
export class NativeError extends CoworkerError {
  override name = 'NativeError';
}

/** The page is not cross-origin isolated, so memory cannot be shared. */
export class IsolationError extends CoworkerError {
  override name = 'IsolationError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ENOTSUP' });
  }
}

/** The tier that a context runs in cannot do what was asked; docs/tiers.md lists it. */
export class TierError extends CoworkerError {
  override name = 'TierError';
  /** The tier: `shared`, `isolated` or `inline`. */
  readonly tier: string;
  constructor(message: string, options: ErrorOptions & { tier?: string } = {}) {
    super(message, { ...options, code: 'CW_ENOTSUP' });
    this.tier = options.tier ?? 'isolated'; // the only one whose errors travel
  }
}

/** Why something of the runtime did not start. */
export type StartCause =
  | 'not-found'
  | 'mime-type'
  | 'content-security-policy'
  | 'cross-origin'
  | 'embedder-policy'
  | 'script-error'
  | 'wasm-compile'
  | 'out-of-memory'
  | 'timeout'
  | 'unknown';

/** The runtime or one of its workers did not start; `reason` says why. */
export class StartError extends CoworkerError {
  override name = 'StartError';
  readonly reason: StartCause;
  constructor(reason: StartCause, message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ESTART' });
    this.reason = reason;
  }
}

/**
 * The worker was lost that ran the job: it was killed, or died. The message names
 * worker, task and cause. What the job had not begun, or what waited in C, is not
 * concerned: see docs/guarantees.md.
 */
export class WorkerLostError extends CancellationError {
  override name = 'WorkerLostError';
}

/**
 * The page that ran the job for this one was closed, has crashed, or did not answer
 * any more: of a context of {@link newSharedWorkerContext}. The job had begun there,
 * and was not launched as `idempotent`. See docs/tabs.md.
 */
export class HostLostError extends CancellationError {
  override name = 'HostLostError';
}

/**
 * A context has failed as a whole, with all jobs in it: it lost too many workers,
 * or one inside of the core, whose state nobody knows then.
 */
export class ContextLostError extends CoworkerError {
  override name = 'ContextLostError';
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, { ...options, code: 'CW_ELOST' });
  }
}

/** The runtime itself has stopped on this thread; nothing goes on here. */
export class WorkerCrashedError extends CoworkerError {
  override name = 'WorkerCrashedError';
}

/** The classes whose errors cross threads. */
export const errorClasses = {
  CoworkerError,
  CancellationError,
  TimeoutCancellationError,
  ContextClosedError,
  QueueFullError,
  IllegalStateError,
  ClosedSendError,
  ClosedReceiveError,
  UndeliveredElementError,
  MutexOwnerError,
  MutexPoisonedError,
  CompletionHandlerError,
  NativeError,
  TierError,
  WorkerCrashedError,
  WorkerLostError,
  HostLostError,
  ContextLostError,
} as const;

/** The core could not make what it was to make. */
export function noMemory(): CoworkerError {
  return new CoworkerError('coworker: no shared memory left', { code: 'CW_ENOMEM' });
}

/** The error in the form that all checks of arguments use. */
export function expected(argument: string, wanted: string, value: unknown): string {
  return `coworker: expected \`${argument}\` to be ${wanted}, got ${describe(value)}`;
}

/** Checks an argument that is to be called. */
export function checkFunction(argument: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(expected(argument, 'a function', value));
}

/** Checks a time, or how long something takes. */
export function checkMs(argument: string, value: unknown): void {
  if (typeof value === 'number' && !Number.isNaN(value)) return;
  throw new TypeError(expected(argument, 'a number of milliseconds', value));
}

/** A short text for any value, for error messages. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? value.slice(0, 60) + '…' : value}'`;
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`;
  if (typeof value === 'object' && value !== null) {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? `an object of ${name}` : 'an object';
  }
  return String(value);
}
