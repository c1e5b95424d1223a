/**
 * The WebAssembly module as TypeScript sees it: the exports of wasm/bridge.c.
 *
 * @module
 */

import type { Memory } from './memory.js';

/** Addresses in the shared memory are plain numbers. */
export type Pointer = number;

/** What the module calls; see wasm/imports.c. */
export interface Host {
  run(
    job: Pointer,
    task: number,
    outcome: number,
    data: Pointer,
    length: number,
    context: Pointer,
  ): number;
  jobEnded(token: number, outcome: number, data: Pointer, length: number, worker: Pointer): void;
  settled(token: number, error: Pointer, data: Pointer, length: number): void;
  suspended(token: number, continuation: Pointer): void;
  handled(token: number, news: number, data: Pointer, element: Pointer): number;
  reported(error: Pointer): void;
  discarded(element: Pointer): void;
  errorFreed(slot: number): void;
  workerStart(worker: Pointer, name: Pointer): void;
  workerEnd(worker: Pointer): void;
  wake(worker: Pointer): void;
  gone(): never;
  workerLost(worker: Pointer, life: Pointer): void;
  endContext(context: Pointer): void;
  startAgain(argument: Pointer): number;
}

/** An instance of the core's module, or of a user's that links the core. */
export interface CoreModule {
  _cwb_abi(): number;
  _cwb_init(wakeByMessage: number): Pointer;
  _cwb_home_address(): Pointer;
  _cwb_enter(): number;
  _cwb_leave(): void;
  _cwb_worker_died(worker: Pointer, length: number): Pointer;
  _cwb_worker_is_calm(worker: Pointer): number;
  _cwb_worker_broken(worker: Pointer, length: number): Pointer;
  _cwb_job_lost(job: Pointer, error: Pointer): Pointer;
  _cwb_job_cut_off(job: Pointer, error: Pointer): void;
  _cwb_worker_doom(worker: Pointer): number;
  _cwb_worker_end(worker: Pointer, isProved: number, length: number): Pointer;
  _cwb_worker_replace(worker: Pointer): number;
  _cwb_life_proved(life: Pointer): void;
  _cwb_own_locals(): Pointer;
  _cwb_stack_save(): void;
  _cwb_stack_restore(): void;
  _cwb_trapped(error: Pointer): number;
  _cwb_running_name(): Pointer;
  _cwb_only_body(): Pointer;
  _cwb_abandon(body: Pointer, error: Pointer): void;
  _cwb_is_abandoned(job: Pointer): number;
  _cwb_error_is_crash(error: Pointer): number;
  _cwb_error_mark_crash(error: Pointer): void;
  _cwb_elements_grace(base: Pointer, ms: number): Pointer;
  _cwb_worker_scope(context: Pointer, index: number): Pointer;
  _cw_elements_context(elements: Pointer): Pointer;
  _cw_elements_job(elements: Pointer): Pointer;
  _cwb_scratch(bytes: number): Pointer;
  _cwb_run(budget: number): number;
  _cwb_sleep_ms(): number;
  _cwb_expect(): void;
  _cwb_expected(): void;
  _cwb_thread_end(): void;
  _cwb_context_open(workers: number, tracing: number): number;
  _cwb_context_lodge(places: number): number;
  _cwb_context_over(context: Pointer): number;
  _cwb_places(context: Pointer, places: number): void;
  _cwb_place_back(job: Pointer): void;
  _cwb_away_new(context: Pointer): Pointer;
  _cwb_away_send(away: Pointer, job: Pointer, token: number, tells: number): number;
  _cwb_away_token(job: Pointer): number;
  _cwb_away_leave(job: Pointer, has: number): number;
  _cwb_away_begun(job: Pointer): void;
  _cwb_away_waits(job: Pointer): void;
  _cwb_away_lost(away: Pointer, length: number): void;
  _cwb_away_host_lost(away: Pointer, length: number): void;
  _cwb_context_worker(context: Pointer, index: number): Pointer;
  _cwb_context_root(context: Pointer): Pointer;
  _cwb_context_close_within(context: Pointer, drain: number, grace: number): number;
  _cwb_context_cancel(context: Pointer, error: Pointer): void;
  _cwb_context_drain(context: Pointer): number;
  _cwb_context_end_remains(context: Pointer): number;
  _cwb_context_free(context: Pointer): void;
  _cwb_main_context(): Pointer;
  _cwb_name_main(): void;
  _cwb_task_number(context: Pointer, length: number): number;
  _cwb_task_name(context: Pointer, number: number): Pointer;
  _cwb_context_wake(context: Pointer): void;
  _cwb_launch(
    context: Pointer,
    parent: Pointer,
    task: number,
    flags: number,
    token: number,
    length: number,
    given: Pointer,
  ): Pointer;
  _cwb_launch_native(
    context: Pointer,
    parent: Pointer,
    type: Pointer,
    flags: number,
    token: number,
    length: number,
    given: Pointer,
  ): Pointer;
  _cwb_launch_held(job: Pointer): void;
  _cwb_progress_listen(job: Pointer, limit: number): Pointer;
  _cwb_progress_next(job: Pointer, before: Pointer): Pointer;
  _cwb_progress_send(channel: Pointer, head: number): number;
  _cw_channel_release(channel: Pointer): void;
  _cwb_reserve(context: Pointer, scope: Pointer, flags: number, given: Pointer): number;
  _cwb_give_place_back(context: Pointer): void;
  _cwb_context_limit_queue(context: Pointer, max: number, waits: number): number;
  _cwb_context_limit_losses(context: Pointer, count: number, period: number): number;
  _cwb_context_note_loss(context: Pointer): number;
  _cwb_context_inherit_leaks(context: Pointer, from: Pointer, over: number): void;
  _cwb_context_inherit_losses(context: Pointer, from: Pointer): void;
  _cwb_runs_on(scope: Pointer, context: Pointer): number;
  _cwb_test_scheduler(): Pointer;
  _cwb_test_default(): Pointer;
  _cwb_test_time(scheduler: Pointer): number;
  _cwb_test_drive(scheduler: Pointer): number;
  _cwb_test_drive_end(scheduler: Pointer): void;
  _cwb_test_close(scheduler: Pointer): void;
  _cwb_test_close_go_on(scheduler: Pointer): number;
  _cwb_test_advance(scheduler: Pointer, how: number, ms: number): Pointer;
  _cwb_test_advance_go_on(advance: Pointer): number;
  _cwb_test_begin(
    context: Pointer,
    task: number,
    token: number,
    flags: number,
    timeout: number,
    given: Pointer,
  ): Pointer;
  _cwb_test_body(test: Pointer): Pointer;
  _cwb_test_go_on(test: Pointer): number;
  _cwb_test_left_ms(scheduler: Pointer): number;
  _cwb_test_check_time(scheduler: Pointer): void;
  _cwb_test_given_up(test: Pointer): number;
  _cwb_test_outcome(test: Pointer): Pointer;
  _cw_test_context(scheduler: Pointer, which: number): Pointer;
  _cw_test_scheduler_free(scheduler: Pointer): number;
  _cw_test_set_main(context: Pointer): number;
  _cw_test_reset_main(): void;
  _cw_last_error(): number;
  _cwb_complete_away(job: Pointer, code: number, has: number): number;
  _cwb_complete(job: Pointer, code: number): void;
  _cwb_job_drop(job: Pointer): void;
  _cwb_job_state(job: Pointer): number;
  _cwb_on_completion(job: Pointer, flags: number, token: number): number;
  _cwb_handler_dispose(note: Pointer): number;
  _cwb_report(job: Pointer, error: Pointer): number;
  _cwb_deferred_new(parent: Pointer): Pointer;
  _cw_job_new(parent: Pointer): Pointer;
  _cw_supervisor_job_new(parent: Pointer): Pointer;
  _cw_job_complete(job: Pointer): number;
  _cw_job_complete_exceptionally(job: Pointer, error: Pointer): number;
  _cw_job_retain(job: Pointer): Pointer;
  _cw_job_start(job: Pointer): number;
  _cwb_job_parent(job: Pointer): Pointer;
  _cw_job_name(job: Pointer): Pointer;
  _cwb_job_token(job: Pointer): number;
  _cwb_job_outcome(job: Pointer): number;
  _cw_job_error(job: Pointer): Pointer;
  _cw_job_cancellation(job: Pointer): Pointer;
  _cw_cancel(job: Pointer, cause: Pointer): void;
  _cw_cancel_children(job: Pointer, cause: Pointer): number;
  _cwb_error_new(code: number, slot: number): Pointer;
  _cwb_error_slot(error: Pointer): number;
  _cwb_error_revive(error: Pointer): number;
  _cwb_error_payload(error: Pointer): Pointer;
  _cwb_error_payload_bytes(error: Pointer): number;
  _cwb_delay(scope: Pointer, token: number, ms: number): number;
  _cwb_yield(scope: Pointer, token: number): number;
  _cwb_await(scope: Pointer, token: number, job: Pointer, how: number): number;
  _cwb_await_all(scope: Pointer, token: number, count: number): number;
  _cwb_join_all(scope: Pointer, token: number, count: number): number;
  _cwb_suspend(scope: Pointer, token: number): number;
  _cwb_cancel_parts(scope: Pointer): void;
  _cwb_on_cancel(continuation: Pointer, token: number): number;
  _cwb_resume(continuation: Pointer, token: number): number;
  _cw_resume_error(continuation: Pointer, error: Pointer): number;
  _cw_continuation_release(continuation: Pointer): void;
  _cwb_object_keep(kind: number, object: Pointer): Pointer;
  _cwb_object_drop(kind: number, object: Pointer): void;
  _cwb_lock(scope: Pointer, token: number, mutex: Pointer, owner: number): number;
  _cwb_acquire(scope: Pointer, token: number, semaphore: Pointer): number;
  _cwb_owner_new(): number;
  _cwb_select_new(capacity: number, fair: number): Pointer;
  _cwb_select_drop(select: Pointer): void;
  _cwb_select_on_job(select: Pointer, job: Pointer, kind: number): void;
  _cwb_select_on_timeout(select: Pointer, ms: number): void;
  _cwb_select_on_lock(select: Pointer, mutex: Pointer, owner: number): void;
  _cwb_select_on_send(select: Pointer, channel: Pointer, head: number): number;
  _cwb_select_on_receive(select: Pointer, channel: Pointer, kind: number): void;
  _cwb_select_wait(scope: Pointer, token: number, select: Pointer): number;
  _cw_mutex_new(locked: number): Pointer;
  _cw_try_lock(mutex: Pointer, owner: number): number;
  _cw_unlock(mutex: Pointer, owner: number): number;
  _cw_mutex_is_locked(mutex: Pointer): number;
  _cw_mutex_is_held_by(mutex: Pointer, owner: number): number;
  _cw_mutex_is_poisoned(mutex: Pointer): number;
  _cw_mutex_recover(mutex: Pointer, owner: number): number;
  _cw_semaphore_new(permits: number, taken: number): Pointer;
  _cw_try_acquire(semaphore: Pointer): number;
  _cwb_acquire_own(scope: Pointer, token: number, semaphore: Pointer): number;
  _cwb_give_back_own(semaphore: Pointer, number: number): number;
  _cw_give_back(semaphore: Pointer): number;
  _cw_semaphore_available(semaphore: Pointer): number;
  _cwb_element_read(element: Pointer): void;
  _cwb_element_length(element: Pointer): number;
  _cwb_channel_new(capacity: number, overflow: number, hook: number): Pointer;
  _cwb_channel_share(channel: Pointer): void;
  _cwb_channel_is_shared(channel: Pointer): number;
  _cwb_send(scope: Pointer, token: number, channel: Pointer, head: number): number;
  _cwb_receive(scope: Pointer, token: number, channel: Pointer, how: number): number;
  _cwb_await_close(scope: Pointer, token: number, channel: Pointer): number;
  _cwb_iterator_new(channel: Pointer): Pointer;
  _cwb_iterator_drop(iterator: Pointer): void;
  _cwb_has_next(scope: Pointer, token: number, iterator: Pointer): number;
  _cwb_next(iterator: Pointer): number;
  _cwb_try_send(channel: Pointer, head: number): number;
  _cwb_try_receive(channel: Pointer): number;
  _cwb_channel_state(channel: Pointer): number;
  _cwb_channel_cause(channel: Pointer): Pointer;
  _cwb_channel_close(channel: Pointer, cause: Pointer): number;
  _cwb_channel_cancel(channel: Pointer, cause: Pointer): void;
  _cwb_channel_on_close(channel: Pointer, token: number): number;
  _cwb_produce_begin(channel: Pointer): number;
  _cwb_produce_end(channel: Pointer, job: Pointer): void;
  _cwb_broadcast_new(): Pointer;
  _cwb_broadcast_send(broadcast: Pointer, head: number): number;
  _cwb_broadcast_value(broadcast: Pointer): number;
  _cwb_broadcast_subscribe(broadcast: Pointer): Pointer;
  _cw_broadcast_close(broadcast: Pointer, cause: Pointer): number;
  _cw_broadcast_cancel(broadcast: Pointer, cause: Pointer): void;
  _cw_broadcast_is_closed(broadcast: Pointer): number;
  _cwb_scope_open(parent: Pointer, kind: number, ms: number, given: Pointer): Pointer;
  _cwb_goes_on(): void;
  _cwb_scope_refusal(above: Pointer): Pointer;
  _cwb_scope_end(scope: Pointer, code: number): number;
  _cwb_scope_error(scope: Pointer): Pointer;
  _cwb_scope_ran_out(scope: Pointer): number;
  _cwb_elements_handler(base: Pointer, token: number): Pointer;
  _cwb_elements_name(base: Pointer, length: number): Pointer;
  _cwb_elements_terms(
    base: Pointer,
    timeout: number,
    deadline: number,
    priority: number,
    whenFull: number,
  ): Pointer;
  _cwb_elements_value(base: Pointer, key: Pointer, length: number): Pointer;
  _cw_elements_with_job(base: Pointer, job: Pointer): Pointer;
  _cw_elements_release(elements: Pointer): void;
  _cwb_key(length: number): Pointer;
  _cwb_job_values(job: Pointer): number;
  _cwb_job_value(job: Pointer, key: Pointer): number;
  _cwb_stats(context: Pointer): void;
  _cwb_executor_new(token: number, length: number): Pointer;
  _cwb_execute(task: Pointer): void;
  _cwb_view_new(context: Pointer, limit: number, length: number): Pointer;
  _cw_unconfined_context(): Pointer;
  _cw_main_immediate_context(): Pointer;
  _cw_context_release(context: Pointer): void;
  _cwb_set_default(context: Pointer): void;
  _cwb_set_io(context: Pointer): void;
  _cwb_flags(): Pointer;
  _cwb_debug_set(options: number, timeline: number): void;
  _cwb_dump(job: Pointer): number;
  _cwb_alloc(bytes: number): Pointer;
  _cwb_free(memory: Pointer): void;
  _cw_context_close(context: Pointer): void;
  _cw_error_code(error: Pointer): number;
  _cw_error_message(error: Pointer): Pointer;
  _cw_error_cause(error: Pointer): Pointer;
  _cw_error_release(error: Pointer): void;
  _cw_error_retain(error: Pointer): Pointer;
  _cw_error_suppressed(error: Pointer, index: number): Pointer;
  _cw_status_name(code: number): Pointer;
  _cw_memory_used(): number;
  _cwb_wire_new(side: number, epoch: number, tasks: number): Pointer;
  _cwb_wire_free(wire: Pointer): void;
  _cwb_wire_set_tasks(wire: Pointer, tasks: number): void;
  _cwb_wire_room(wire: Pointer, bytes: number): Pointer;
  _cwb_wire_add(
    wire: Pointer,
    kind: number,
    flags: number,
    job: number,
    a: number,
    b: number,
    bytes: number,
  ): number;
  _cwb_wire_seal(wire: Pointer): number;
  _cwb_wire_clear(wire: Pointer): void;
  _cwb_wire_take_in(wire: Pointer, bytes: number): Pointer;
  _cwb_wire_open(wire: Pointer, bytes: number): number;
  _cwb_wire_next(wire: Pointer): number;
  _cwb_wire_answer(wire: Pointer): Pointer;
  _cwb_wire_why(fault: number): Pointer;
  /** A user's module has more, `_cw_export_NAME` and plain functions among it. */
  readonly [name: string]: unknown;
}

/** What a module's factory takes, of what we use. */
export interface ModuleOptions {
  coworker: Host;
  wasmMemory?: WebAssembly.Memory;
  wasmBinary?: ArrayBuffer | Uint8Array;
  printErr?: (line: string) => void;
  locateFile?: (file: string, directory: string) => string;
  instantiateWasm?: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => unknown;
}

/** An exported coroutine or function of C, as launching sees it. */
export interface NativeTask {
  /** Its descriptor. */
  readonly at: Pointer;
  /** The bytes of an argument; a TypeError or RangeError says what is wrong. */
  encode(args: readonly unknown[]): Uint8Array;
  /** The JavaScript form of a result. */
  decode(data: Pointer, length: number): unknown;
}

/** Finds out about one by its descriptor; native.ts has the only one. */
export type NativeTaskReader = (memory: Memory, at: Pointer, name: string) => NativeTask;

/** The default export of Emscripten's glue. */
export type ModuleFactory = (options: ModuleOptions) => Promise<unknown>;
