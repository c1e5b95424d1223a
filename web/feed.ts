/**
 * The worker's side of a stream: gives what a task yields to its channel.
 *
 * @module
 */
import { describe } from './errors.js';
import type { Sink } from './outlet.js';
import type { Scope } from './task-scope.js';

/** A task that is fed by another one, whose values it sends. */
export async function feed(
  scope: Scope,
  run: (scope: Scope, ...args: unknown[]) => unknown,
  task: string,
  sink: Sink,
  args: readonly unknown[],
): Promise<void> {
  const values = (await run(scope, ...args)) as AsyncIterable<unknown> | null | undefined;
  const isIterable =
    typeof values === 'object' &&
    values !== null &&
    (Symbol.asyncIterator in values || Symbol.iterator in values);
  if (!isIterable) {
    throw new TypeError(
      `coworker: '${task}' was streamed, so it has to be an async generator (async function*), or ` +
        `to return something iterable; it gave ${describe(values)}`,
    );
  }
  // Whatever ends the loop early lets the generator clean up.
  for await (const value of values) await sink.send(value, scope);
}
