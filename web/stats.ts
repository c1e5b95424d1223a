/**
 * Counters, read from shared memory.
 *
 * @module
 */
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import type { Realm } from './realm.js';

/** Counters of a context since its start. */
export interface ContextStats {
  /** Jobs started. */
  readonly launched: number;
  /** Jobs ended, in whatever way. A job is counted just after those who wait for it have been told. */
  readonly completed: number;
  /** Of these: with an error of their own. */
  readonly failed: number;
  /** Of these: cancelled. */
  readonly cancelled: number;
  /** Times a worker ran a job. */
  readonly steps: number;
  /** Times a worker took work from another one. */
  readonly steals: number;
  /** Jobs that moved this way. */
  readonly stolen: number;
  /** Times a worker went to sleep. */
  readonly parks: number;
  /** Times somebody woke a sleeping worker. */
  readonly wakes: number;
  /** Delays that ran out. */
  readonly timers: number;
  /** Workers that are up. */
  readonly workers: number;
  /** Of these: asleep. */
  readonly idle: number;
  /** Workers that were lost, each time. */
  readonly lost: number;
  /**
   * Of their threads: not known to be gone. Their memory, mostly 256 kB each, is not
   * used again until they are.
   */
  readonly undead: number;
  /**
   * Bytes besides that are not used again: of jobs that a thread may have been in the
   * middle of when it died inside of the core, and of the generations of the context
   * that it died in.
   */
  readonly leaked: number;
}

/** Reads a context's counters. */
export function readStats(realm: Realm, context: Pointer): ContextStats {
  realm.module._cwb_stats(context);
  const { u64, u32 } = realm.memory.refresh();
  const base = realm.scratchAt;
  const long = (offset: number) => Number(u64[(base + offset) >>> 3]);
  const word = (offset: number) => u32[(base + offset) >>> 2]!;
  return {
    launched: long(layout.STATS_LAUNCHED),
    completed: long(layout.STATS_COMPLETED),
    failed: long(layout.STATS_FAILED),
    cancelled: long(layout.STATS_CANCELLED),
    steps: long(layout.STATS_STEPS),
    steals: long(layout.STATS_STEALS),
    stolen: long(layout.STATS_STOLEN),
    parks: long(layout.STATS_PARKS),
    wakes: long(layout.STATS_WAKES),
    timers: long(layout.STATS_TIMERS),
    workers: word(layout.STATS_WORKERS),
    idle: word(layout.STATS_IDLE),
    lost: word(layout.STATS_LOST),
    undead: word(layout.STATS_UNDEAD),
    leaked: long(layout.STATS_LEAKED),
  };
}
