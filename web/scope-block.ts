/**
 * Scopes inside of a body: blocks that run in place, as jobs of their own.
 *
 * @module
 */
import { checkElements, makeElements } from './elements.js';
import type { Elements } from './elements.js';
import { checkMs, describe, noMemory } from './errors.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { parentOf } from './options.js';
import type { BaseScope } from './scope.js';

/** A body that runs in place, in a scope of its own. */
export type Block<S, R> = (scope: S) => R | PromiseLike<R>;

/** What a scope inside of a body is opened with, besides its block. */
interface Opening {
  /** Its time limit. */
  readonly ms?: number;
  /** Its elements: borrowed. */
  readonly given?: Pointer;
  /** It is not below the job: its value counts though that is cancelled. */
  readonly apart?: boolean;
  /** What comes of it if its own time ran out. */
  readonly late?: () => unknown;
}

/** Runs `block` in a scope of its own, of a kind, inside of `outer`. */
export function runInside<S extends BaseScope, R>(
  outer: S,
  kind: number,
  block: Block<S, R>,
  { ms = 0, given = 0, apart = false, late }: Opening = {},
): Promise<R> {
  if (typeof block !== 'function') throw notAFunction(block);
  const { realm } = outer.target;
  const { module } = realm;
  const at = module._cwb_scope_open(outer.check(), kind, ms, given);
  if (at === 0) throw noMemory();
  const scope = outer.inside(at);
  scope.outer = outer;
  outer.waits++;
  const close = () => {
    outer.waits--;
    module._cwb_job_drop(at);
  };
  const outcome = (value: R): R => {
    const ranOut = late !== undefined && module._cwb_scope_ran_out(at) !== 0;
    const error = module._cwb_scope_error(at);
    const thrown = error === 0 ? undefined : realm.errors.read(error);
    close();
    if (ranOut) return late() as R;
    if (error !== 0) throw thrown;
    return value;
  };
  const promise = new Promise<R>((resolve, reject) => {
    const settle = (get: () => R) => {
      try {
        resolve(get());
      } catch (error) {
        // What a body has left behind ends with it, and nobody may look.
        if (outer.at === 0) promise.catch(() => {});
        reject(error);
      }
    };
    const end = (code: number, value?: R) => {
      const state = module._cwb_scope_end(at, code | atOnce);
      if (state !== layout.SCOPE_OPEN) realm.goesOn();
      if (state === layout.SCOPE_OVER) {
        settle(() => outcome(value!));
        return;
      }
      if (state === layout.SCOPE_IN_TIME) {
        close();
        resolve(value!);
        return;
      }
      const how = apart ? layout.AWAIT_END_UNCHECKED : layout.AWAIT_END;
      outer
        .suspend((here, token) => module._cwb_await(here, token, at, how))
        .then(
          () => settle(() => outcome(value!)),
          (cancellation: unknown) =>
            settle(() => {
              // An error of the scope itself is read from there, with what else it tells.
              if (module._cwb_scope_error(at) !== 0) return outcome(value!);
              close();
              throw cancellation;
            }),
        );
    };
    const leave = (value: R) => {
      scope.end();
      end(layout.OUTCOME_VALUE, value);
    };
    const fail = (error: unknown) => end(scope.fail(error));
    let atOnce = layout.AT_ONCE;
    let result: R | PromiseLike<R>;
    try {
      result = block(scope);
    } catch (error) {
      fail(error);
      return;
    }
    if (typeof (result as PromiseLike<R> | null)?.then !== 'function') {
      leave(result as R);
      return;
    }
    (result as PromiseLike<R>).then(leave, fail);
    // Unless it was settled already, this comes before leave().
    if (kind === layout.SCOPE_LIMITED) queueMicrotask(() => (atOnce = 0));
  });
  return promise;
}

/** The same for `ms` milliseconds at most; `late` gives what comes of it then. */
export function runLimited<S extends BaseScope, R, N>(
  outer: S,
  ms: number,
  block: Block<S, R>,
  late: () => N,
): Promise<R | N> {
  checkMs('ms', ms);
  if (typeof block !== 'function') throw notAFunction(block);
  if (ms <= 0) return settled(late);
  return runInside<S, R | N>(outer, layout.SCOPE_LIMITED, block, { ms: Math.ceil(ms), late });
}

/**
 * Runs `block` with other elements.
 * @throws CancellationError (rejects) if the job is cancelled: then the block
 * does not begin
 */
export function runChanged<S extends BaseScope, R>(
  outer: S,
  elements: Elements,
  block: Block<S, R>,
): Promise<R> {
  checkElements(elements);
  const { realm } = outer.target;
  const { parent, release } = parentOf(realm, elements);
  const refusal = realm.module._cwb_scope_refusal(parent ?? outer.check());
  if (refusal !== 0) {
    release();
    return settled(() => {
      throw realm.errors.readOwned(refusal);
    });
  }
  let given: Pointer = 0;
  try {
    given = makeElements(realm, elements, parent);
    return runInside(outer, layout.SCOPE_CHANGED, block, { given, apart: parent !== undefined });
  } finally {
    release();
    if (given !== 0) realm.module._cw_elements_release(given);
  }
}

const notAFunction = (block: unknown) =>
  new TypeError(`coworker: a scope runs a function, got ${describe(block)}`);

function settled<R>(get: () => R): Promise<R> {
  return new Promise((resolve) => resolve(get()));
}
