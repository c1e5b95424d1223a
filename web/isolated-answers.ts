/**
 * What a worker with a core of its own has to tell the page, until it is sent.
 *
 * @module
 */
import { Batch } from './batch.js';
import { handlesError } from './carried.js';
import { describe } from './errors.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { Transfer, snapshot } from './parcels.js';
import * as protocol from './protocol.js';
import type { Enclosed, FromIsolated } from './protocol.js';
import type { Realm } from './realm.js';

/** In Node the global is a getter, which takes as long as a look at the clock. */
const clock = performance;

export class Answers {
  private readonly realm: Realm;
  private readonly post: (message: FromIsolated | string, transfer?: Transferable[]) => void;
  private readonly batch = new Batch();
  private values: Enclosed[] = [];
  private told: unknown[] = [];
  private moved: Transferable[] = [];
  /** When the worker began with what it is at. */
  private began = 0;
  private sentAt = 0;

  constructor(realm: Realm, post: Answers['post']) {
    this.realm = realm;
    this.post = post;
  }

  get isEmpty(): boolean {
    return this.batch.isEmpty;
  }

  /** Milliseconds since something was sent. */
  get age(): number {
    return clock.now() - this.sentAt;
  }

  /** Work has come: what is told next took the time from now on. */
  begin(): void {
    this.began = clock.now();
  }

  /** Something about a task. */
  add(id: number, what: number): void {
    this.batch.add(id, what);
  }

  /** With bytes of the core's memory. */
  addBytes(id: number, what: number, at: Pointer, length: number): void {
    this.batch.add(id, what, this.realm.memory.refresh().i32, at >>> 2, length);
  }

  /** With a value that structured clone takes, in place or moved. */
  addValue(id: number, what: number, value: unknown, transfer: readonly Transferable[] = []): void {
    this.values.push({ id, value });
    this.moved.push(...transfer);
    this.batch.add(id, what);
  }

  /**
   * What a task tells while it runs: a copy.
   * @throws TypeError if it cannot be sent, TierError for handles
   */
  tell(id: number, value: unknown): void {
    const { realm } = this;
    const { references } = realm;
    const length = value instanceof Transfer ? -1 : realm.encodeOne(value, 0, references);
    if (references.length > 0) throw handlesError('what a task tells');
    if (length >= 0 && length <= layout.ELEMENT_MAX_BYTES) {
      this.addBytes(id, protocol.ANSWER_TELLS, realm.scratchAt, length);
    } else {
      this.enclose(value);
      this.batch.add(id, protocol.ANSWER_TELLS_ENCLOSED);
    }
  }

  private enclose(value: unknown): void {
    const [content, list] =
      value instanceof Transfer ? ([value.value, value.list] as const) : ([value, []] as const);
    try {
      const { value: copy, transfer } = snapshot(content, list);
      this.told.push(copy);
      this.moved.push(...transfer);
    } catch (error) {
      throw new TypeError(
        `coworker: ${describe(content)} cannot be sent to a worker. Send plain data, typed arrays, ` +
          `or whatever structured clone takes: ${String(error)}`,
        { cause: error },
      );
    }
  }

  /** Sends all of it, if there is anything. */
  send(): void {
    if (this.batch.isEmpty) return;
    const { values, told, moved } = this;
    this.sentAt = clock.now();
    const answers = this.batch.take((this.sentAt - this.began) * 1000, moved);
    if (typeof answers === 'string' && values.length === 0 && told.length === 0) {
      this.post(answers);
      return;
    }
    this.values = [];
    this.told = [];
    this.moved = [];
    const more = { ...(values.length > 0 && { values }), ...(told.length > 0 && { told }) };
    this.post({ type: 'answers', answers, ...more }, moved.length > 0 ? moved : undefined);
  }
}
