/**
 * A realm that stands for itself: the main one of a page or process, or a
 * worker's with a core of its own. It keeps parcels, and runs tasks of contexts
 * that have no thread in its core.
 *
 * @module
 */
import type { LaunchRealm, Target } from './launch.js';
import * as layout from './layout.gen.js';
import type { Pointer } from './module.js';
import { Parcels, snapshot } from './parcels.js';
import { Realm } from './realm.js';

/** Runs the bodies of a context's tasks. */
export interface Bodies {
  /** As {@link Host.run}, which knows the context. */
  run(at: Pointer, task: number, outcome: number, data: Pointer, length: number): number;
}

export abstract class RootRealm extends Realm implements LaunchRealm {
  readonly parcels = new Parcels();
  /** By the core's context: those of contexts that live on this thread. */
  readonly bodies = new Map<Pointer, Bodies>();
  private parcelCount = 0;

  run(
    at: Pointer,
    task: number,
    outcome: number,
    data: Pointer,
    length: number,
    context: Pointer,
  ): number {
    if (outcome === layout.OUTCOME_LOCAL) return this.runLocal(at, task);
    return this.bodies.get(context)!.run(at, task, outcome, data, length);
  }

  abstract wakingFlags(target: Target): number;

  deposit(value: unknown, transfer: readonly Transferable[], name?: string): string {
    const copy = snapshot(value, transfer);
    const parcel = name ?? `main:${this.parcelCount++}`;
    this.parcels.deposit(parcel, copy.value, copy.transfer);
    return parcel;
  }

  claim(parcel: string, take: (value: unknown) => void): void {
    this.parcels.claim(parcel, take);
  }

  discard(parcel: string): void {
    this.parcels.drop(parcel);
  }

  workerStart(): void {}
  workerEnd(): void {}
  protected finished(): void {}
}
