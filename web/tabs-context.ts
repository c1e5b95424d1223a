/**
 * Contexts that all pages of an origin share.
 *
 * @module
 */
import { registerHandles } from './all-handles.js';
import { FixedWorkerContext } from './context.js';
import { expected } from './errors.js';
import { checkContext } from './options.js';
import type { CheckedOptions, ContextOptions } from './options.js';
import { bestRuntime } from './runtime.js';
import type { Runtime } from './runtime.js';
import type { ContextStats } from './stats.js';
import type { Broker } from './tabs-meeting.js';
import { Seat } from './tabs-seat.js';
import type { Role } from './tabs-seat.js';
import type { Tier } from './tier.js';
import type { AnyTasks } from './types.js';

/** How a shared context is opened. */
export interface SharedContextOptions extends ContextOptions {
  /**
   * How pages are introduced to each other: by a SharedWorker, which hands ports over,
   * or over a BroadcastChannel. `auto`: by the former, and where that is missing or
   * does nothing, by the latter.
   * @default 'auto'
   */
  readonly broker?: Broker;
  /**
   * How many milliseconds the host may take to answer a page that waits for it, from
   * 100 to 60000; then it is taken for frozen, and another page takes its place.
   * @default 5000
   */
  readonly patience?: number;
  /**
   * How many milliseconds jobs of other pages may take to end that have begun, when
   * the host closes its context, from 0 to 600000. @default 5000
   */
  readonly handover?: number;
  /**
   * Whether a host that cannot share memory with its workers hands over to a page that
   * can. @default true
   */
  readonly preferIsolated?: boolean;
  /**
   * After how many milliseconds in which the host was hidden it hands over to a page
   * that is visible, from 0 to 3600000; Infinity: it does not. Jobs that have begun, and were
   * not launched with `idempotent`, end before that, or else the host stays.
   * @default Infinity
   */
  readonly preferVisible?: number;
}

/** Counters of a shared context: those of {@link ContextStats} are of this page's jobs. */
export interface SharedStats extends ContextStats {
  /** The epoch of the host that this page knows: 0 before there is any. */
  readonly epoch: number;
  /** How many pages use the pool, this one among them; 0 where this page is not host. */
  readonly clients: number;
  /** Messages of other pages that this one has refused. */
  readonly refused: number;
  /** The tier of the pool; empty before there is one. */
  readonly hostTier: Tier | '';
}

/** This page has become host, or is it no longer. */
export class RoleEvent extends Event {
  readonly role: Role;
  /** The epoch of the host. */
  readonly epoch: number;

  /** @internal */
  constructor(role: Role, epoch: number) {
    super('rolechange');
    this.role = role;
    this.epoch = epoch;
  }
}

/** Runs tasks in a pool that pages share. Made by {@link newSharedWorkerContext}. */
export class SharedWorkerContext<M extends object = AnyTasks> extends FixedWorkerContext<M> {
  private readonly seat: Seat;

  /** @internal */
  constructor(
    runtime: Runtime,
    workers: number,
    name: string,
    checked: CheckedOptions,
    seat: Seat,
  ) {
    super(runtime, workers, name, checked, undefined, false, seat.crew);
    this.seat = seat;
  }

  /** Whether this page has the pool. The event `rolechange` tells when that changes. */
  get role(): Role {
    return this.seat.role;
  }

  override stats(): SharedStats {
    const { epoch, clients = 0, refused, crew } = this.seat;
    return { ...super.stats(), epoch, clients, refused, hostTier: crew.hostTier as Tier | '' };
  }
}

function checkOptions(options: SharedContextOptions): void {
  const { broker = 'auto', patience = 5000, handover = 5000, trace } = options;
  const { preferIsolated = true, preferVisible = Infinity } = options;
  if (broker !== 'auto' && broker !== 'sharedworker' && broker !== 'broadcast') {
    const wanted = "'auto', 'sharedworker' or 'broadcast'";
    throw new TypeError(expected('options.broker', wanted, broker));
  }
  if (trace) {
    throw new TypeError(
      'coworker: `options.trace` is for contexts of one page; leave it out, or use newFixedWorkerContext()',
    );
  }
  checkRange('options.patience', patience, 100, 60_000);
  checkRange('options.handover', handover, 0, 600_000);
  if (typeof preferIsolated !== 'boolean') {
    throw new TypeError(expected('options.preferIsolated', 'a boolean', preferIsolated));
  }
  if (preferVisible !== Infinity) checkRange('options.preferVisible', preferVisible, 0, 3_600_000);
}

function checkRange(argument: string, value: unknown, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value <= high) return;
  const message = expected(argument, `a number of milliseconds from ${low} to ${high}`, value);
  throw typeof value === 'number' ? new RangeError(message) : new TypeError(message);
}

/**
 * Opens a context that all pages of the origin share that ask for the same name: one
 * of them, the host, has the workers, and the others submit their jobs to it. When
 * the host goes, another page becomes host. Where jobs run, and what becomes of them
 * then, docs/tabs.md says; all else is as with {@link newFixedWorkerContext}.
 *
 * All pages give the same tasks; `workers` and the options of workers are those of
 * whichever page is host.
 *
 * @returns once jobs can be launched; `context.ready` is fulfilled once there is a host
 * @throws RangeError, TypeError (rejects) for a bad argument; StartError if the module
 * does not load. A page that cannot start the workers when it becomes host fails with
 * a StartError, and another one tries
 *
 * @example
 * const context = await newSharedWorkerContext(3, 'search', {
 *   worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
 * });
 * const hits = await context.async({ idempotent: true }, 'find', 'coroutine');
 */
export async function newSharedWorkerContext<M extends object = AnyTasks>(
  workers: number,
  name: string,
  options: SharedContextOptions = {},
): Promise<SharedWorkerContext<M>> {
  const checked = checkContext(workers, name, options);
  checkOptions(options);
  const { broker = 'auto', patience = 5000, handover = 5000 } = options;
  const { preferIsolated = true, preferVisible = Infinity } = options;
  registerHandles();
  const runtime = await bestRuntime(checked);
  const tell = () => context.dispatchEvent(new RoleEvent(seat.role, seat.epoch));
  const pool = { ...options };
  delete (pool as { maxQueue?: number }).maxQueue; // jobs wait on the page that launches them
  const how = { broker, patience, handover, preferIsolated, preferVisible };
  const seat = new Seat({ workers, name, context: pool, ...how }, tell);
  const context = new SharedWorkerContext<M>(runtime, workers, name, checked, seat);
  if (context.notOpened) throw await context.notOpened;
  return context;
}
