/**
 * A context without workers: its tasks run on this thread, between other things.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import type { Crew, CrewHost } from './crew.js';
import { TierError } from './errors.js';
import type { Pointer } from './module.js';
import type { Bodies } from './root-realm.js';
import type { Runtime } from './runtime.js';
import { TaskRunner } from './task-runner.js';
import type { TaskModule } from './task-runner.js';

/** How long tasks may keep the page from everything else. */
const TURN_MS = 5;
/** Places for tasks: the thread is what they share. */
const ANY_NUMBER = 0x7fffffff;

export class InlineCrew implements Crew, Bodies {
  readonly tier = 'inline';
  readonly missing = 0;
  private readonly tasks: TaskModule;
  private host!: CrewHost;
  private runner!: TaskRunner;
  private begun = 0;
  /** How long tasks have kept the page since it had a turn for their sake. */
  private busyMs = 0;

  constructor(tasks: TaskModule) {
    registerHandles();
    this.tasks = tasks;
  }

  open(runtime: Runtime): number {
    return runtime.module._cwb_context_lodge(ANY_NUMBER);
  }

  begin(host: CrewHost): void {
    this.host = host;
    const { runtime, target, name, workers } = host;
    // Tasks are told apart as if there were workers.
    const workerName = () => (workers === 1 ? name : `${name}-${(this.begun++ % workers) + 1}`);
    this.runner = new TaskRunner(target, this.tasks, workerName, tellWhere);
    runtime.bodies.set(target.context, this);
    host.ready([...target.tasks!]);
  }

  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number {
    const { runtime } = this.host;
    const began = performance.now();
    const code = this.runner.run(at, task, outcome, data, length);
    this.busyMs += performance.now() - began;
    if (this.busyMs > TURN_MS) {
      this.busyMs = 0;
      runtime.endTurn();
    }
    return code;
  }

  count(): { workers: number; idle: number } {
    return { workers: 0, idle: 0 };
  }

  close(): void {
    this.host.runtime.afterTurn.add(this.look);
    this.host.runtime.schedulePump();
  }

  /** Ends once the core's context is empty. */
  private readonly look = (): void => {
    const { runtime, target } = this.host;
    if (runtime.module._cwb_context_over(target.context) === 0) return;
    this.stop();
    this.host.over();
  };

  /** What waits cannot be ended without its thread. */
  kill(): boolean {
    return false;
  }

  stop(): void {
    const { runtime, target } = this.host;
    runtime.afterTurn.delete(this.look);
    runtime.bodies.delete(target.context);
  }

  checkAllocate(): void {
    const { memory, maximumMemory } = this.host.options;
    if (memory === maximumMemory) return;
    throw new TierError(
      'coworker: context.allocate() gives arrays in a memory that may grow, which detaches them in ' +
        'the inline tier; leave `maximumMemory` out, and set `memory` to what is needed',
      { tier: this.tier },
    );
  }
}

/** Errors get no copy on their way, which would tell where they come from. */
function tellWhere(error: unknown, where: { task: string; worker: string }): void {
  if (error instanceof Error && Object.isExtensible(error) && !('task' in error)) {
    Object.assign(error, where);
  }
}
