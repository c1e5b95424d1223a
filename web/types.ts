/**
 * The types by which a task module's functions become typed calls.
 *
 * @module
 */
import type { Scope } from './task-scope.js';

/** A function that a worker can run: its first parameter is its scope. */
// The parameters are contravariant: `never` is what every function accepts.
export type TaskFunction = (scope: Scope, ...args: never[]) => unknown;

/** What a task module exports; functions among it are its tasks. */
export type TaskModule = object;

/** The names of a module's tasks. */
export type TaskName<M> = {
  [K in keyof M]: M[K] extends (scope: never, ...args: never[]) => unknown ? K : never;
}[keyof M] &
  string;

/** What a task takes, after its scope. */
export type TaskArgs<F> = F extends (scope: never, ...args: infer A) => unknown ? A : never;

/** What a task gives. */
export type TaskResult<F> = F extends (scope: never, ...args: never[]) => infer R
  ? Awaited<R>
  : never;

/** A module about which nothing is known: every name, every argument. */
export type AnyTasks = Record<string, (scope: Scope, ...args: unknown[]) => unknown>;

/** The typed array classes whose instances can lie in shared memory. */
export type TypedArrayClass =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;
