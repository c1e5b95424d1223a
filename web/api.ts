/// <reference lib="esnext.disposable" preserve="true" />
// Contexts are for `await using`, which no dated library of TypeScript has.
/**
 * What both entries export.
 *
 * @module
 */
export * from './common.js';
export { FixedWorkerContext, newFixedWorkerContext } from './context.js';
export { CoroutineScope, GlobalScope, newScope } from './coroutine-scope.js';
export type { StartCause } from './errors.js';
export { Main, MainContext } from './main.js';
export { MainScope } from './main-scope.js';
export type { ModuleFactory } from './module.js';
export type { ContextOptions } from './options.js';
export type { ContextStats } from './stats.js';
export type { TraceEvent, WorkerTrace } from './trace.js';
export type { AnyTasks, TaskArgs, TaskFunction, TaskName, TaskResult } from './types.js';
