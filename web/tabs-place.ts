/**
 * The host, as a page knows it: what it was sent, and how.
 *
 * @module
 */
import type { Carried } from './carried.js';
import { Place } from './isolated-member.js';
import type { Errand, Sender, Sending } from './isolated-member.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';
import type { Runtime } from './runtime.js';
import { Serials } from './slots.js';
import type { Mailbox } from './tabs-mailbox.js';
import type { Luggage, Welcome } from './tabs-messages.js';

/** So long ago the host was heard at most for jobs to count as begun when they are sent. */
const FRESH_MS = 10;

export class HostPlace extends Place {
  /** The next host is not to take one for another that the last one knew. */
  readonly errands = new Serials<Errand>();
  private readonly runtime: Runtime;
  private readonly unknown: (id: number, task: string) => void;
  mailbox: Mailbox | undefined;
  workers = 0;
  tier = '';
  private indexes = new Map<string, number>();
  /** The same by the numbers that this core has for them. */
  private readonly known: (number | undefined)[] = [];

  /** @param unknown - hears of tasks that the host has not */
  constructor(runtime: Runtime, at: Pointer, unknown: (id: number, task: string) => void) {
    super(0, at);
    this.runtime = runtime;
    this.unknown = unknown;
    this.window = 0;
  }

  welcome({ tasks, tier, quota }: Welcome, workers: number): void {
    this.indexes = new Map(tasks.map((name, index) => [name, index]));
    this.mailbox!.wire.setTasks(tasks.length);
    this.workers = workers;
    this.tier = tier;
    this.window = quota;
    this.ready = true;
  }

  /**
   * Of each job it has to be known when it begins. To be told of each takes as long as
   * all the rest: so as long as the host answers at once, and there is a worker for
   * each, they count as begun when they are sent.
   */
  override get tells(): boolean {
    const { mailbox } = this; // undefined: the host has just been lost
    if (!mailbox || this.told > 0 || this.busy > this.workers) return true;
    return performance.now() - mailbox.heardAt > FRESH_MS;
  }

  override launch(id: number, sending: Sending, sender: Sender): boolean {
    const { flags, isAgain, data, length, enclosed, inherited } = sending;
    const mailbox = this.mailbox!;
    let index = this.known[sending.task];
    if (index === undefined) {
      const task = sender.nameOf(sending.task);
      index = this.known[sending.task] = this.indexes.get(task);
      if (index === undefined) {
        queueMicrotask(() => this.unknown(id, task));
        return false;
      }
    }
    const isAtomic = (flags & protocol.WORK_ATOMIC) !== 0;
    // Of what may begin again it is only a time limit that wants to know.
    const isTold = isAgain ? this.errands.get(id)!.isTold : (flags & protocol.WORK_TELL) !== 0;
    const how = (isAgain ? layout.WIRE_IDEMPOTENT : 0) | (isTold ? 0 : layout.WIRE_AT_ONCE);
    const what = { job: id, a: index, flags: how };
    let moved: Transferable[] = [];
    if (enclosed || inherited || isAtomic || length > layout.WIRE_MOST_PAYLOAD) {
      // Memory is copied to another process in any case: so it is kept, too.
      moved = (enclosed?.transfer ?? []).filter((one) => !(one instanceof ArrayBuffer));
      const { u8 } = sender.memory.refresh();
      const bytes = enclosed ? undefined : u8.slice(data, data + length);
      const luggage: Luggage = { args: enclosed?.value, bytes, inherited, isAtomic };
      mailbox.addBeside(layout.WIRE_SUBMIT, what, luggage, moved);
    } else {
      mailbox.addFrom(layout.WIRE_SUBMIT, what, data, length);
    }
    if (flags & protocol.WORK_LISTEN) this.heard(id);
    return moved.length > 0;
  }

  /**
   * The host is about to begin it. It may have lost its place already without knowing that;
   * so what may begin once only counts as begun here before it begins there.
   */
  begins({ id, isAgain }: Errand): void {
    if (!isAgain) this.mailbox!.add(layout.WIRE_GO, { job: id });
  }

  override cancel(id: number, cause: Carried, children: boolean): void {
    const bytes = encoded(this.runtime, [children, cause]);
    this.mailbox!.add(layout.WIRE_CANCEL, { job: id, bytes });
  }

  /** Nothing here stops this core's clock from doing that. */
  override limit(): void {}

  override heard(id: number): void {
    this.mailbox!.add(layout.WIRE_PROGRESS_ON, { job: id });
  }

  override taken(id: number): void {
    this.mailbox!.add(layout.WIRE_CREDIT, { job: id, a: 1 });
  }
}

/** Plain data as bytes. */
export function encoded(runtime: Runtime, value: unknown): Uint8Array {
  const length = runtime.encodeOne(value);
  const { u8 } = runtime.memory.refresh();
  return u8.slice(runtime.scratchAt, runtime.scratchAt + length);
}
