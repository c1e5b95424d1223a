/**
 * Listening to a job's progress. A page that does not do that does not load this.
 *
 * @module
 */
import { Channel } from './channel.js';
import type { Target } from './launch.js';
import type { Pointer } from './module.js';
import { checkScope } from './handle.js';
import type { BaseScope } from './scope.js';

/** What this module exports, for those who load it late. */
export interface ProgressModule {
  readonly openListener: (target: Target, at: Pointer) => Channel;
  readonly listen: <T>(
    target: Target,
    at: Pointer,
    scope: BaseScope | undefined,
  ) => AsyncIterator<T>;
}

/** A handle to a listener's channel, whose reference it takes over. */
export function openListener(target: Target, at: Pointer): Channel {
  return new Channel({ target, at });
}

const end: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** What a listener's channel brings; 0: nothing. */
export function listen<T>(
  target: Target,
  at: Pointer,
  scope: BaseScope | undefined,
): AsyncIterator<T> {
  if (at === 0) return { next: () => Promise.resolve(end), return: () => Promise.resolve(end) };
  const channel = openListener(target, at) as Channel<T>;
  const values = channel.values(scope && checkScope(scope));
  let isOver = false;
  return {
    async next() {
      if (isOver) return end;
      const result = await values.next();
      if (result.done) isOver = true;
      return result;
    },
    return() {
      isOver = true;
      channel.dispose();
      return Promise.resolve(end);
    },
  };
}
