/**
 * Waiting for whoever calls back.
 *
 * @module
 */
import { CompletionHandlerError, IllegalStateError, checkFunction } from './errors.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { BaseScope } from './scope.js';

/** Resumes with a value; `undelivered` gets it back if it could not be delivered. */
export type Resume<T> = (value: T, undelivered?: (value: T) => void) => void;

/** What {@link BaseScope.suspendCancellable} calls. */
export type SuspendBlock<T> = (
  resume: Resume<T>,
  reject: (error: unknown) => void,
  onCancel: (handler: (error: unknown) => void) => void,
) => void;

/** A function of the user's has failed where its caller cannot be told. */
function report(scope: BaseScope, job: Pointer, thrown: unknown): void {
  const { realm } = scope.target;
  const error = new CompletionHandlerError(
    `coworker: a handler of '${scope.taskName}' has thrown: ${String(thrown)}`,
    { cause: thrown },
  );
  const taken = realm.errors.take(error);
  if (job === 0 || !realm.module._cwb_report(job, taken)) realm.report(error);
  realm.module._cw_error_release(taken);
}

export function suspendWith<T>(scope: BaseScope, block: SuspendBlock<T>): Promise<T> {
  const { realm } = scope.target;
  const { module } = realm;
  let at = module._cw_job_retain(scope.check()); // for reports
  let continuation: Pointer = 0;
  let resumed: { value: T; undelivered: ((value: T) => void) | undefined } | undefined;
  let rejected = false;
  let over = false; // the core has no more use for the continuation

  const giveBack = (value: T, undelivered: ((value: T) => void) | undefined) => {
    try {
      undelivered?.(value);
    } catch (thrown) {
      report(scope, at, thrown);
    }
  };
  const once = () => {
    if (!resumed && !rejected) return;
    throw new IllegalStateError(`coworker: a wait of '${scope.taskName}' was resumed before`);
  };

  const resume: Resume<T> = (value, undelivered) => {
    once();
    resumed = { value, undelivered };
    if (over) giveBack(value, undelivered);
    else module._cwb_resume(continuation, token);
    realm.schedulePump();
  };
  const reject = (thrown: unknown) => {
    once();
    rejected = true;
    if (over) return;
    const error = realm.errors.take(thrown);
    module._cw_resume_error(continuation, error);
    module._cw_error_release(error);
    realm.schedulePump();
  };
  const onCancel = (handler: (error: unknown) => void) => {
    checkFunction('handler', handler);
    const mark = realm.takeFunction((_news, error) => {
      try {
        handler(realm.errors.read(error));
      } catch (thrown) {
        report(scope, at, thrown);
      }
    });
    const status = over ? layout.CW_ESTATE : module._cwb_on_cancel(continuation, mark);
    if (status === 0) return;
    if (over) realm.dropToken(mark, false); // otherwise the core has given it back
    throw new IllegalStateError(
      `coworker: a wait of '${scope.taskName}' has a handler for its cancelling already, or is over`,
    );
  };

  let token = 0;
  const promise = scope.suspend<T>(
    (job, mine) => {
      token = mine;
      return module._cwb_suspend(job, mine);
    },
    () => resumed!.value,
    (made) => {
      continuation = made;
      try {
        block(resume, reject, onCancel);
      } catch (thrown) {
        if (!resumed && !rejected) reject(thrown);
        else report(scope, at, thrown);
      }
    },
    () => giveBack(resumed!.value, resumed!.undelivered),
  );
  // The core tells the outcome last of all, so nothing comes after this.
  const end = () => {
    over = true;
    module._cw_continuation_release(continuation);
    module._cwb_job_drop(at);
    at = 0;
  };
  promise.then(end, end);
  return promise;
}
