/**
 * Locks that all pages of an origin see, and that the browser gives back for a page
 * that is gone. Where there are none, as in Node before version 24.5, the locks are
 * those of this thread.
 *
 * @module
 */

/** A lock that is held. */
export interface Held {
  /** Gives it back; may be called again. */
  release(): void;
  /** Fulfilled if somebody has taken it away. */
  readonly stolen: Promise<void>;
}

/** A request that was granted, or waits. */
interface Request {
  readonly mode: LockMode;
  readonly grant: () => void;
  readonly steal: () => void;
}

interface Line {
  held: Request[];
  waiting: Request[];
}

/** What this module uses of the browser's LockManager. */
export type Locks = Pick<LockManager, 'request' | 'query'>;

/** Stands in for the browser's, on one thread. */
export class LocalLocks {
  private readonly lines = new Map<string, Line>();

  request<T>(
    name: string,
    options: LockOptions,
    run: (lock: Lock | null) => T | PromiseLike<T>,
  ): Promise<T> {
    const { mode = 'exclusive', steal = false, signal } = options;
    const line = this.lines.get(name) ?? { held: [], waiting: [] };
    this.lines.set(name, line);
    return new Promise<T>((resolve, reject) => {
      const over = () => {
        line.held = line.held.filter((one) => one !== request);
        this.serve(name, line);
      };
      const request: Request = {
        mode,
        grant: () => {
          void Promise.resolve({ name, mode }).then(run).then(resolve, reject).finally(over);
        },
        steal: () => reject(new DOMException('The lock was stolen', 'AbortError')),
      };
      if (steal) {
        for (const one of line.held) one.steal();
        line.held = [request];
        request.grant();
        return;
      }
      signal?.addEventListener('abort', () => {
        if (!line.waiting.includes(request)) return;
        line.waiting = line.waiting.filter((one) => one !== request);
        reject(signal.reason as Error);
        this.serve(name, line);
      });
      line.waiting.push(request);
      this.serve(name, line);
    });
  }

  /** Grants what can be granted, in order. */
  private serve(name: string, line: Line): void {
    for (;;) {
      const next = line.waiting[0];
      if (!next) break;
      const isFree = line.held.length === 0;
      const fits = next.mode === 'shared' && line.held.every(({ mode }) => mode === 'shared');
      if (!isFree && !fits) break;
      line.waiting.shift();
      line.held.push(next);
      next.grant();
    }
    if (line.held.length === 0 && line.waiting.length === 0) this.lines.delete(name);
  }

  query(): Promise<LockManagerSnapshot> {
    const held: LockInfo[] = [];
    for (const [name, line] of this.lines) {
      for (const { mode } of line.held) held.push({ name, mode, clientId: 'local' });
    }
    return Promise.resolve({ held, pending: [] });
  }
}

const KEY = Symbol.for('coworker.locks');

/** The browser's, or those of this thread. */
export function locks(): Locks {
  const own = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks;
  const scope = globalThis as { [KEY]?: LocalLocks };
  return own ?? ((scope[KEY] ??= new LocalLocks()) as unknown as Locks);
}

/**
 * Takes a lock, waiting for it.
 *
 * @throws the signal's reason (rejects) if that is aborted meanwhile
 */
export function hold(name: string, options: LockOptions = {}): Promise<Held> {
  return new Promise((resolve, reject) => {
    let release!: () => void;
    let isHeld = false;
    const until = new Promise<void>((done) => (release = done));
    const granted = () => {
      isHeld = true;
      resolve({ release, stolen });
      return until;
    };
    const stolen = new Promise<void>((take) => {
      locks()
        .request(name, options, granted)
        .catch((error: unknown) => {
          if (isHeld) take();
          else reject(error);
        });
    });
  });
}
