/**
 * Stands between Emscripten's pthreads and real workers.
 *
 * Emscripten's glue makes a Worker when a thread is created and keeps it for
 * another thread afterwards. Here a worker belongs to a context and its task
 * module, so the glue gets a {@link Thread} instead, which makes a real worker
 * each time that a thread starts on it and throws it away when it has ended.
 *
 * @module
 */
import { environment } from './environment.js';
import type { RawWorker, WorkerFault } from './environment.js';
import { open, seal } from './protocol.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** Who starts threads at the moment, and wants to hear of them. */
export interface Spawner {
  readonly make: (() => Worker) | undefined;
  /** A thread got its worker. */
  spawned(thread: Thread): void;
  message(thread: Thread, message: FromWorker): void;
  /** The function that makes workers has failed; there will be no thread. */
  notMade(error: unknown): void;
  /** The worker failed: it did not load, or died. */
  fault(thread: Thread, fault: WorkerFault): void;
  /** The thread is over and its worker gone. */
  ended(thread: Thread): void;
}

let spawner: Spawner | undefined;

/** Runs `start` with threads that it creates going to `by`. */
export function spawnWith<T>(by: Spawner, start: () => T): T {
  const scope = globalThis as { Worker?: unknown };
  const had = Object.hasOwn(scope, 'Worker');
  const original = scope.Worker;
  spawner = by;
  scope.Worker = Thread;
  try {
    return start();
  } finally {
    spawner = undefined;
    if (had) scope.Worker = original;
    else delete scope.Worker;
  }
}

/** What the glue takes for a Worker. */
export class Thread {
  /** Set by the glue. */
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onerror: ((event: unknown) => void) | undefined;
  /** Where its script is, as far as is known. */
  url: string | undefined;
  /** What it holds as long as it lives, once it has told. */
  lock: string | undefined;
  private loading: unknown;
  /** What began the thread. */
  private beginning: Record<string, unknown> = {};
  private worker: RawWorker | undefined;
  private by: Spawner | undefined = spawner;

  postMessage(message: Record<string, unknown>, transfer?: Transferable[]): void {
    if ('wasmModule' in message) {
      this.loading = message; // repeated for each worker
    } else if ('start_routine' in message) {
      try {
        this.start();
      } catch (error) {
        // Not through the C code that is waiting for us.
        if (!this.by) throw error;
        this.by.notMade(error);
      }
      this.beginning = message;
      this.worker?.postMessage(this.loading);
      this.worker?.postMessage(message, transfer);
    } else {
      this.worker?.postMessage(message, transfer);
    }
  }

  /** Sends one of our own messages. */
  send(message: ToWorker, transfer?: Transferable[]): void {
    this.worker?.postMessage(seal(message), transfer);
  }

  /** It has come to its end, so nobody has to prove that. */
  terminate(): void {
    const { worker } = this;
    this.worker = this.lock = undefined;
    void worker?.terminate();
  }

  /**
   * Ends the worker whatever it does. What it has sent up to now is heard before:
   * others may wait for that, and engines drop it.
   * @param isWanted - false: by what it has sent it ends by itself, and is let
   * @returns true once its thread is known not to run any more; false if nobody
   * can tell
   */
  async kill(isWanted = () => true): Promise<boolean> {
    const { worker } = this;
    await new Promise<void>((resolve) => environment().nextTurn(resolve));
    // If it has ended by itself meanwhile, another context may have it by now.
    return this.worker === worker && isWanted() && this.end();
  }

  private async end(): Promise<boolean> {
    const { worker, lock } = this;
    this.worker = this.lock = undefined;
    return worker ? worker.terminate(lock) : false;
  }

  /**
   * Starts a worker in the memory of one that is known to be dead.
   * @param argument - what the core has made for it
   * @returns false if it could not be made
   */
  restart(argument: number): boolean {
    if (!spawner) return false; // threads of a C program's own
    try {
      this.start();
    } catch {
      return false;
    }
    this.beginning = { ...this.beginning, arg: argument };
    this.worker?.postMessage(this.loading);
    this.worker?.postMessage(this.beginning);
    return true;
  }

  /** For Node's glue, which we tell everything by `onmessage`. */
  on(): void {}
  ref(): void {}
  unref(): void {}

  private start(): void {
    if (spawner) this.by = spawner;
    const by = this.by;
    const { worker, url } = environment().makeWorker(by?.make);
    this.worker = worker;
    this.url = url;
    worker.listen(
      (data) => {
        if (this.worker === worker) this.heard(data);
      },
      (fault) => {
        if (this.worker === worker) by?.fault(this, fault);
      },
    );
    by?.spawned(this);
  }

  private heard(data: unknown): void {
    const ours = open<FromWorker>(data);
    if (ours) {
      this.by?.message(this, ours);
      return;
    }
    this.onmessage?.({ data });
    // The glue's last message of a thread; it has freed what it kept for it.
    if (typeof data === 'object' && data !== null && 'thread' in data) {
      this.terminate();
      this.by?.ended(this);
    }
  }
}
