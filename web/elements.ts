/**
 * What a job is launched with, besides its body: the elements of its context.
 *
 * @module
 */
import { Dispatcher } from './dispatcher.js';
import { describe, expected, noMemory } from './errors.js';
import { Job } from './job.js';
import type { JobRealm } from './job-end.js';
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';

/** Hears of failures that have no owner. */
export type FailureHandler = (error: unknown) => void;

/**
 * A key of one's own: a job finds its value, or that of the nearest job above,
 * on whichever worker it runs. Two keys with the same name are the same key.
 *
 * @example
 * const requestId = new ContextKey('request-id');
 * Main.launch({ values: [requestId.with(7)] }, async (scope) => {
 *   scope.get(requestId); // 7
 * });
 */
export class ContextKey<T> {
  readonly name: string;

  constructor(name: string) {
    if (typeof name !== 'string' || name === '' || name.includes('\0')) {
      throw new TypeError(expected('name', 'a string without zeros that is not empty', name));
    }
    this.name = name;
  }

  /** The key with a value, for the `values` of a launch: plain data, copied. */
  with(value: T): ContextValue {
    return { key: this, value };
  }
}

/** A key with its value. */
export interface ContextValue {
  readonly key: ContextKey<unknown>;
  readonly value: unknown;
}

/** What a job's context can be given. */
export interface Elements {
  /**
   * Where the job runs, for functions that run on this thread. @default where the
   * one that launches it does
   */
  readonly context?: Dispatcher;
  /** What the job is called in dumps, traces and errors. */
  readonly name?: string;
  /** Hears of the job's failure, if nobody else has to answer for it. */
  readonly handler?: FailureHandler;
  /**
   * The job's parent, in place of the one that launches it: that one neither
   * waits for the job nor cancels it. `null`: none at all.
   */
  readonly job?: Job | null;
  /** Values of one's own keys. */
  readonly values?: readonly ContextValue[];
}

/** Elements of both; those of `right` win. */
export function mergeElements<E extends Elements>(left: Elements, right: E): E {
  return { ...left, ...right, values: [...(left.values ?? []), ...(right.values ?? [])] };
}

/** Throws if something in it is not what it should be. */
export function checkElements({ name, handler, job, values, context }: Elements): void {
  if (context !== undefined && !(context instanceof Dispatcher)) {
    throw new TypeError(expected('options.context', 'a dispatcher', context));
  }
  if (name !== undefined && (typeof name !== 'string' || name.includes('\0'))) {
    throw new TypeError(expected('options.name', 'a string without zeros', name));
  }
  if (handler !== undefined && typeof handler !== 'function') {
    throw new TypeError(expected('options.handler', 'a function', handler));
  }
  if (job !== undefined && job !== null && !(job instanceof Job)) {
    throw new TypeError(expected('options.job', 'a Job or null', job));
  }
  if (values === undefined) return;
  if (!Array.isArray(values)) {
    throw new TypeError(expected('options.values', 'an array', values));
  }
  for (const value of values as readonly (ContextValue | null | undefined)[]) {
    if (value?.key instanceof ContextKey) continue;
    throw new TypeError(expected('options.values', 'made by ContextKey.with()', value));
  }
}

/** Calls a handler; what that throws is reported along with the failure. */
function handlerToken(realm: JobRealm, handler: FailureHandler): number {
  return realm.takeFunction((_news, error) => {
    const failure = realm.errors.read(error);
    try {
      handler(failure);
    } catch (thrown) {
      if (typeof thrown === 'object' && thrown !== null && thrown !== failure) {
        Object.assign(thrown, { suppressed: [failure] });
      }
      realm.report(thrown);
    }
  });
}

/**
 * The core's set for elements: owned, 0 if there are none.
 * @param parent - the parent job's address, if `elements.job` names one
 * @param grace - milliseconds between cancelling and killing, if it may be killed
 */
export function makeElements(
  realm: JobRealm,
  elements: Elements,
  parent: Pointer | undefined,
  grace?: number,
): Pointer {
  const { module } = realm;
  let set: Pointer = 0;
  const become = (next: Pointer) => {
    if (next === 0) {
      throw noMemory();
    }
    if (set !== 0) module._cw_elements_release(set);
    set = next;
  };
  try {
    if (parent !== undefined) become(module._cw_elements_with_job(0, parent));
    if (grace !== undefined) become(module._cwb_elements_grace(set, grace));
    if (elements.name !== undefined) {
      const bytes = Memory.encode(elements.name);
      realm.writeBytes(bytes);
      become(module._cwb_elements_name(set, bytes.length));
    }
    if (elements.handler) {
      const token = handlerToken(realm, elements.handler);
      become(module._cwb_elements_handler(set, token));
    }
    for (const { key, value } of elements.values ?? []) {
      const at = keyAddress(realm, key);
      const length = realm.encodeOne(value);
      if (length < 0) {
        throw new TypeError(
          `coworker: the value of key '${key.name}', ${describe(value)}, cannot be shared. Use plain data`,
        );
      }
      become(module._cwb_elements_value(set, at, length));
    }
  } catch (error) {
    if (set !== 0) module._cw_elements_release(set);
    throw error;
  }
  return set;
}

/** The core's key. */
function keyAddress(realm: Realm, key: ContextKey<unknown>): Pointer {
  const bytes = Memory.encode(key.name);
  realm.writeBytes(bytes);
  return realm.module._cwb_key(bytes.length);
}

/** The value that is in force for a job. */
export function readValue(realm: Realm, job: Pointer, key: ContextKey<unknown>): unknown {
  const length = realm.module._cwb_job_value(job, keyAddress(realm, key));
  return length < 0 ? undefined : realm.reader.readOne(realm.scratchAt, length);
}
