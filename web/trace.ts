/**
 * What workers did lately, read from shared memory. Loaded for contexts with the
 * `trace` option.
 *
 * @module
 */
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';

/** One event of a worker. */
export interface TraceEvent {
  /** Its number: grows by one, so that readers see what they have missed. */
  readonly number: number;
  /** When, in milliseconds since 1970, with fractions. */
  readonly time: number;
  readonly kind: 'begin' | 'end' | 'steal' | 'park' | 'unpark';
  /** begin: the coroutine's name; steal: the index of the robbed worker. */
  readonly what: string;
}

/** What one worker did lately, oldest first. */
export interface WorkerTrace {
  readonly worker: number;
  readonly events: TraceEvent[];
}

const kinds: Record<number, TraceEvent['kind']> = {
  [layout.TRACE_BEGIN]: 'begin',
  [layout.TRACE_END]: 'end',
  [layout.TRACE_STEAL]: 'steal',
  [layout.TRACE_PARK]: 'park',
  [layout.TRACE_UNPARK]: 'unpark',
};

const names = new WeakMap<object, Map<Pointer, string>>();

export type TraceReader = typeof readTrace;

/** Copies what the workers have written after the events of the numbers given. */
export function readTrace(
  realm: Realm,
  context: Pointer,
  workers: number,
  after: readonly number[],
): WorkerTrace[] {
  const result: WorkerTrace[] = [];
  for (let index = 0; index < workers; index++) {
    const worker = realm.module._cwb_context_worker(context, index);
    result.push({ worker: index, events: readEvents(realm, worker, after[index] ?? -1) });
  }
  return result;
}

function readEvents(realm: Realm, worker: Pointer, after: number): TraceEvent[] {
  const { memory } = realm;
  const at = memory.word(worker + layout.WORKER_TRACE_EVENTS);
  if (at === 0) return [];
  const nextIndex = (worker + layout.WORKER_TRACE_NEXT) >>> 2;
  const end = Atomics.load(memory.u32, nextIndex);
  const first = Math.max(0, end - layout.TRACE_EVENTS, after + 1);
  const events: TraceEvent[] = [];
  for (let number = first; number < end; number++) {
    const event = at + (number % layout.TRACE_EVENTS) * layout.TRACE_EVENT_SIZE;
    const kind = kinds[memory.word(event + 8)];
    if (!kind) continue;
    const what = memory.word(event + 12);
    events.push({
      number,
      time: memory.f64[event >>> 3]!,
      kind,
      what: kind === 'begin' ? coroutineName(realm, what) : String(what),
    });
  }
  // What was overwritten while we read is not to be trusted.
  const overwritten = Atomics.load(memory.u32, nextIndex) - layout.TRACE_EVENTS;
  return events.filter(({ number }) => number >= overwritten);
}

function coroutineName(realm: Realm, at: Pointer): string {
  let known = names.get(realm);
  if (!known) names.set(realm, (known = new Map<Pointer, string>()));
  let name = known.get(at);
  if (name === undefined) {
    name = realm.memory.text(realm.memory.word(at + layout.COROUTINE_NAME));
    known.set(at, name);
  }
  return name;
}
