/// <reference lib="esnext.disposable" preserve="true" />
// Contexts are for `await using`, which no dated library of TypeScript has.
/**
 * What both entries export.
 *
 * @module
 */
export * from './common.js';
export { FixedWorkerContext } from './context.js';
export { newFixedWorkerContext } from './open-context.js';
export { Unconfined, newExecutorDispatcher } from './dispatchers.js';
export type { Executor } from './dispatchers.js';
export { CoroutineScope, GlobalScope, newScope } from './coroutine-scope.js';
export type { StartCause } from './errors.js';
export { Main, MainContext } from './main.js';
export { MainScope } from './main-scope.js';
export type { ModuleFactory } from './module.js';
export type { ContextOptions } from './options.js';
export { defaultContext, ioContext } from './shared-contexts.js';
export type { IOOptions } from './shared-contexts.js';
export { RebuiltEvent, WorkerEvent } from './losses.js';
export { UncaughtErrorEvent } from './uncaught.js';
export type { ContextEvents } from './losses.js';
export type { ContextStats } from './stats.js';
export type { TraceEvent, WorkerTrace } from './trace.js';
export { diagnose } from './find-tier.js';
export { setDefaultTier } from './tier.js';
export type { Tier, TierReason, TierReport } from './tier.js';
export { ContextView } from './view.js';
export { WorkerScope } from './worker-scope.js';
export type { WorkerLaunchOptions } from './worker-scope.js';
export type { AnyTasks, TaskArgs, TaskFunction, TaskName, TaskResult } from './types.js';
