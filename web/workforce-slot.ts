/**
 * A thread of a context, from its start to its end, and how it is ended from
 * outside: where that harms nobody, and so that it is known to be over.
 *
 * @module
 */
import { Memory } from './memory.js';
import type { Pointer } from './module.js';
import type { Runtime } from './runtime.js';
import type { Thread } from './threads.js';

/** How often it is looked whether a thread can be ended without harm, and how long apart. */
const CALM_TRIES = 8;
const CALM_MS = 2;
/** How long an engine may take to say that a thread does not run any more. */
const PROOF_MS = 75;
/** After that a thread that passes its gate has done so; how often that is looked at. */
const DOOM_MS = 10;
const DOOM_TRIES = 4;
/** How long a thread may take to be over after it has said that it ends. */
const LEAVE_MS = 1000;

export class Slot {
  private readonly runtime: Runtime;
  readonly thread: Thread;
  /** Of the worker whose thread it is. */
  readonly index: number;
  /** It took the place of one that was lost. */
  readonly isOther: boolean;
  worker: Pointer = 0;
  ready = false;
  /** It ends by itself, or is over. */
  leaves = false;
  /** It has died inside of the core. */
  isBroken = false;
  /** What is to be freed after it. */
  locals: Pointer = 0;
  /** Nothing is to be expected of it any more. */
  isOver = false;
  /** Somebody waits for that. */
  private over: (() => void) | undefined;

  constructor(runtime: Runtime, thread: Thread, index: number, isOther: boolean) {
    this.runtime = runtime;
    this.thread = thread;
    this.index = index;
    this.isOther = isOther;
  }

  /** Whose thread is over is not to be woken or replaced. */
  forget(): void {
    const { runtime, worker } = this;
    runtime.wakers.delete(worker);
    runtime.replacers.delete(worker);
  }

  /** It has come to its end. */
  ended(): void {
    this.runtime.module._cwb_free(this.locals);
    this.isOver = true;
    this.over?.();
  }

  /** A thread that was declared dead is known not to run any more. */
  bury(life: Pointer): void {
    const { runtime, thread } = this;
    runtime.module._cwb_life_proved(life);
    runtime.deadThreads.push(thread);
  }

  /** Ends it. True if the core knows what it ran, and has ended that. */
  async end(): Promise<boolean> {
    const { runtime, thread, worker } = this;
    const { module } = runtime;
    const reason = Memory.encode('was killed, since its context was closed,');
    const declare = (isProved: number) => {
      if (worker === 0) return 0; // it has not begun
      runtime.writeBytes(reason);
      if (this.isBroken) return module._cwb_worker_broken(worker, reason.length);
      return module._cwb_worker_end(worker, isProved, reason.length);
    };
    this.forget();
    if (this.leaves) {
      await this.untilOver();
      return true;
    }
    let life = declare(0); // one that is broken has said so, and does nothing more
    if (life === 0 && !this.isBroken) await this.untilCalm();
    let timer: ReturnType<typeof setTimeout>;
    const isWanted = () => !this.leaves;
    const proved = thread.kill(isWanted).then((isProved) => {
      if (!isProved) return;
      life ||= declare(1);
      if (life !== 0) this.bury(life);
    });
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PROOF_MS)));
    await Promise.race([proved, late]);
    clearTimeout(timer!);
    // Some engines end a thread late or never, and never tell: then time has to do.
    for (let n = 0; life === 0 && worker !== 0 && !this.leaves && n < DOOM_TRIES; n++) {
      if (module._cwb_worker_doom(worker) !== 0) life = declare(1);
      else await new Promise((resolve) => setTimeout(resolve, DOOM_MS));
    }
    if (this.leaves) await this.untilOver();
    return life !== 0 || this.leaves;
  }

  /** Waits until it is out of the core, and cannot come in any more; not for ever. */
  private async untilCalm(): Promise<void> {
    const { module } = this.runtime;
    for (let n = 0; this.worker !== 0 && !this.leaves && n < CALM_TRIES; n++) {
      if (module._cwb_worker_is_calm(this.worker) !== 0) return;
      await new Promise((resolve) => setTimeout(resolve, CALM_MS));
    }
  }

  /** One that ends by itself is waited for, but not for ever. */
  private async untilOver(): Promise<void> {
    if (this.isOver) return;
    let timer: ReturnType<typeof setTimeout>;
    await new Promise<void>((resolve) => {
      this.over = resolve;
      timer = setTimeout(resolve, LEAVE_MS);
    });
    clearTimeout(timer!);
  }
}
