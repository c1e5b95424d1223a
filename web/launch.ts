/**
 * Launching a task from any realm: finds out what the name stands for, encodes
 * the arguments, and hands the job to the core.
 *
 * @module
 */
import type { Channel } from './channel.js';
import { checkElements } from './elements.js';
import {
  ContextClosedError,
  CoworkerError,
  QueueFullError,
  describe,
  expected,
  TierError,
} from './errors.js';
import { Deferred, Job } from './job.js';
import type { JobInit, JobRealm } from './job-end.js';
import { cancelOn, givenOf, startFlags } from './launch-options.js';
import * as layout from './layout.gen.js';
import { Memory } from './memory.js';
import type { NativeTask, Pointer } from './module.js';
import { checkLaunch } from './options.js';
import type { LaunchOptions } from './options.js';
import { support } from './references.js';
import type { Sent } from './references.js';

/** What launching needs of its realm besides the core. */
export interface LaunchRealm extends JobRealm {
  /** Flags for a launch: whether it is to wake a worker now. */
  wakingFlags(target: Target): number;
  /** Stores a copy of the value for whoever asks for it; returns its name. */
  deposit(value: unknown, transfer: readonly Transferable[], name?: string): string;
}

/** The workers of a context that have cores of their own. */
export interface Away {
  /** They can be ended for jobs that are killable. */
  readonly kills: boolean;
  /** The error for arguments with handles in them. */
  handles(task: string): Error;
  /** Cancels what is below a job there. */
  cancelChildren(job: Pointer, cause: Pointer): void;
  /** Somebody listens to a job's progress. */
  listened(job: Pointer): void;
  /** What a job tells goes to a channel, until its end. */
  feeds(job: Job, channel: Channel): void;
}
/** The task that every worker has: `(task, channel, ...args)` of a stream. */
export const STREAM = 'coworker:stream';

/** Where tasks are launched to: one context, as one realm sees it. */
export class Target {
  readonly context: Pointer;
  readonly name: string;
  readonly realm: LaunchRealm;
  /** Its jobs run on the thread of this realm, or are sent away from there. */
  readonly isLodger: boolean;
  /** Then: where they are sent. */
  away: Away | undefined;
  /** Hears of failures that nobody answers for; there for contexts of workers. */
  uncaught: ((error: unknown, isCrash: boolean) => void) | undefined;
  /** True once the context takes no more work. */
  closed = false;
  /** Launches since a job of it was last heard to end. */
  launches = 0;
  /** When a worker was last woken, and whether one is to be woken soon. */
  wokenAt = 0;
  wakeOwed = false;
  /** The functions of the task module; unknown before a worker has told. */
  tasks: ReadonlySet<string> | undefined;
  /** Fast way from a name to its number or descriptor. */
  private readonly known = new Map<string, number | NativeTask>();

  constructor(realm: LaunchRealm, context: Pointer, name: string, isLodger = false) {
    this.isLodger = isLodger;
    this.realm = realm;
    this.context = context;
    this.name = name;
  }

  /** What a name stands for: a number is a function of the task module. */
  find(task: string): number | NativeTask {
    return this.known.get(task) ?? this.lookUp(task);
  }

  private lookUp(task: string): number | NativeTask {
    if (typeof task === 'function') {
      throw new TypeError(
        `coworker: ${describe(task)} was handed to context '${this.name}', but functions cannot ` +
          'be sent to a worker. Export it from the task module and pass its name as a string, or ' +
          'run it on this thread with Main.launch()',
      );
    }
    if (typeof task !== 'string') {
      throw new TypeError(expected('task', 'the name of a task', task));
    }
    const { module, memory, readNative } = this.realm;
    const isTask = task === STREAM || this.tasks?.has(task);
    const exported = this.away
      ? undefined // its workers know
      : (module[`_cw_export_${task}`] as (() => Pointer) | undefined);
    if (exported && !isTask) {
      const native = readNative!(memory, exported(), task);
      if (this.tasks) this.known.set(task, native);
      return native;
    }
    const isFunction =
      !this.away && typeof module[`_${task}`] === 'function' && !/^_?cwb?_/.test(task);
    if (this.tasks && !isTask && !isFunction) {
      throw this.unknown(task, this.tasks);
    }
    const bytes = Memory.encode(task);
    this.realm.writeBytes(bytes);
    const number = module._cwb_task_number(this.context, bytes.length);
    if (number < 0) throw new RangeError('coworker: out of shared memory');
    if (this.tasks) this.known.set(task, number);
    return number;
  }

  /** The error for a task that is not among the ones there are. */
  unknown(task: string, tasks: Iterable<string>): TypeError {
    const names = [...tasks].sort();
    return new TypeError(
      `coworker: context '${this.name}' has no task '${task}'. ` +
        (names.length
          ? `Its tasks are: ${names.join(', ')}`
          : 'It has no task module: pass the `worker` option, or export the C function with CW_EXPORT'),
    );
  }
}

const emptyOptions: LaunchOptions = {};

/** Launches `task` on a context, under a parent job or (0) its root: a Deferred if async. */
export function launch<T>(
  target: Target,
  parent: Pointer,
  how: number,
  options: LaunchOptions | undefined,
  task: string,
  args: readonly unknown[],
): Deferred<T> {
  const { realm } = target;
  // What a task launches beside itself is the core's to refuse, as on a worker.
  const isBeside = () => parent !== 0 && realm.module._cwb_runs_on(parent, target.context) !== 0;
  if (target.closed && !isBeside()) {
    throw new ContextClosedError(
      `coworker: context '${target.name}' is closed and takes no more work`,
    );
  }
  const { transfer, signal, start, name = task } = options ?? emptyOptions;
  let given: Pointer = 0;
  const found = target.find(task);
  if (options) {
    checkLaunch(options);
    checkElements(options);
    if (target.isLodger && options.killable && target.away?.kills !== true) {
      throw unable(target, 'options.killable');
    }
    if (options.context) {
      throw new TypeError(
        `coworker: '${task}' runs on the workers of '${target.name}'; \`options.context\` is for ` +
          'functions of this thread',
      );
    }
    if (start === 'undispatched') {
      throw new TypeError(
        `coworker: '${task}' runs on a worker, so it cannot start 'undispatched'; only functions ` +
          'of this thread can',
      );
    }
    given = givenOf(realm, options);
  }
  let flags = realm.wakingFlags(target) | how | startFlags(start);
  // It must not begin before it is cancelled, or listened to.
  const held = signal?.aborted === true || options?.onProgress !== undefined;
  if (held && start !== 'lazy') flags |= layout.LAUNCH_HELD;
  if (options?.idempotent) flags |= layout.LAUNCH_AGAIN;
  let at: Pointer;
  let job: Deferred<T>;
  try {
    if (typeof found !== 'number') {
      const bytes = found.encode(args);
      realm.writeBytes(bytes);
      job = newHandle<T>(how, { owner: target, name, native: found, parcel: undefined });
      const token = realm.takeToken(job);
      at = realm.module._cwb_launch_native(
        target.context,
        parent,
        found.at,
        flags,
        token,
        bytes.length,
        given,
      );
      if (at === 0) realm.dropToken(token);
    } else {
      let length = transfer?.length ? -1 : realm.encodeList(args);
      let parcel: string | undefined;
      if (length < 0) {
        // What is moved into the parcel must not be lost if there is no room.
        const reserved = realm.module._cwb_reserve(target.context, parent, flags, given);
        if (reserved < 0) throw queueFull(target, task);
        if (reserved > 0) flags |= layout.LAUNCH_RESERVED;
        let sent: Sent;
        try {
          sent = deposit(target, task, args, transfer ?? []);
        } catch (error) {
          if (reserved > 0) realm.module._cwb_give_place_back(target.context);
          throw error;
        }
        parcel = [sent].flat()[0] as string;
        length = realm.encodeOne(sent, 0, realm.references);
        flags |= layout.LAUNCH_MESSAGE;
      }
      if (realm.references.length > 0) {
        if (target.away) {
          if (parcel !== undefined) realm.discard(parcel);
          if (flags & layout.LAUNCH_RESERVED) realm.module._cwb_give_place_back(target.context);
          throw target.away.handles(task);
        }
        flags |= layout.LAUNCH_REFERS;
      }
      job = newHandle<T>(how, { owner: target, name, native: undefined, parcel });
      const token = realm.takeToken(job);
      at = realm.module._cwb_launch(target.context, parent, found, flags, token, length, given);
      if (at === 0) {
        realm.dropToken(token);
        if (parcel !== undefined) realm.discard(parcel);
      }
    }
  } finally {
    if (given !== 0) realm.module._cw_elements_release(given);
  }
  if (at === 0) {
    if (realm.module._cw_last_error() === layout.CW_EQUEUEFULL) throw queueFull(target, task);
    throw new CoworkerError(
      `coworker: no shared memory left to launch '${task}'; raise the \`memory\` option`,
      { code: 'CW_ENOMEM' },
    );
  }
  job.launched(at, start === 'lazy');
  if (signal) cancelOn(signal, job);
  if (options?.onProgress) job.onProgress(options.onProgress);
  if (flags & layout.LAUNCH_HELD) realm.module._cwb_launch_held(at);
  return job;
}

/**
 * A handle for what is launched so. Only that of `async` is a promise: an async
 * function that returns the handle of a launched job does not wait for it. So
 * to the callers of `launch` it is no more than a Job.
 *
 * Launches hand over objects of one shape, written out: made by spreading, they
 * cost more than all the rest of a launch.
 */
export function newHandle<T>(how: number, init: JobInit): Deferred<T> {
  const handle: unknown = how & layout.LAUNCH_ASYNC ? new Deferred<T>(init) : new Job(init);
  return handle as Deferred<T>;
}

/** Takes `(task, ...args)` or `(options, task, ...args)` apart. */
export function splitCall(call: unknown[]): [LaunchOptions | undefined, unknown, unknown[]] {
  const first = call[0];
  if (typeof first === 'object' && first !== null) {
    return [first, call[1], call.slice(2)];
  }
  return [undefined, first, call.slice(1)];
}

/** The error for what only threads can do. */
function unable(target: Target, what: string): TierError {
  const tier = target.away ? 'isolated' : 'inline';
  const where = target.away ? 'is shared by tabs' : "runs in tier 'inline'";
  const fix = target.away ? 'a context of this page alone' : "tier 'shared'";
  return new TierError(
    `coworker: context '${target.name}' ${where}, which has no \`${what}\`; leave it out, or use ${fix}`,
    { tier },
  );
}

/** Stores the arguments; names the one that cannot be cloned. */
function deposit(
  target: Target,
  task: string,
  args: readonly unknown[],
  transfer: readonly Transferable[],
): Sent {
  const { realm } = target;
  try {
    return support.handles?.deposit(realm, args, transfer) ?? realm.deposit(args, transfer);
  } catch (error) {
    const bad = transfer.length ? -1 : args.findIndex((arg) => !canClone(arg));
    throw new TypeError(
      bad < 0
        ? `coworker: the arguments of '${task}' cannot be sent to a worker: ${String(error)}`
        : `coworker: argument ${bad + 1} of '${task}', ${describe(args[bad])}, cannot be sent to a ` +
            `worker. Pass plain data, typed arrays, or whatever structured clone takes: ${String(error)}`,
      { cause: error },
    );
  }
}

function queueFull(target: Target, task: string): QueueFullError {
  return new QueueFullError(
    `coworker: '${task}' was not launched: so many jobs wait in context '${target.name}' as its ` +
      "`maxQueue` allows. Launch it later, or with { whenFull: 'wait' }",
  );
}

function canClone(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
