/**
 * When a worker with a core of its own tells the page what there is to tell: once
 * for all that comes of a message, as far as bodies that wait allow that, and at
 * once of a task that the page wants to know of.
 *
 * @module
 */
import type { Answers } from './isolated-answers.js';
import type { Errand } from './isolated-work.js';
import { inMicrotask } from './microtask.js';
import type { Pointer } from './module.js';
import * as protocol from './protocol.js';

/** Promises that a body may pass before it is said to wait. */
const HOPS = 4;

export class Teller {
  private readonly answers: Answers;
  /** Those that nothing had been told of when they came, and how many of them have not ended. */
  private readonly fresh: Errand[] = [];
  private unended = 0;
  /** How many of the tasks here are to be told of at once. */
  private telling = 0;
  private hopsLeft = 0;
  /** A message is being read, behind which comes what there is to tell. */
  isHearing = false;

  constructor(answers: Answers) {
    this.answers = answers;
  }

  // ---- what it knows of

  /** A task has come. `tells`: the page is told when it begins, before it does. */
  add(errand: Errand, tells: boolean): void {
    this.fresh.push(errand);
    this.unended++;
    if (!tells) return;
    errand.tells = true;
    this.telling++;
  }

  /** It is over, or is not going to be run. */
  delete(errand: Errand): void {
    if (errand.isFresh) this.unended--;
    errand.isFresh = false;
    if (errand.tells) this.telling--;
  }

  // ---- telling

  /** A body begins: whoever has to know that is told before it can keep the worker. */
  begins(job: Pointer): void {
    if (this.telling === 0) return;
    const errand = this.fresh.find(({ at }) => at === job);
    if (errand?.tells) this.begun(errand);
  }

  /** The same for one of which that is known. */
  begun({ id }: Errand): void {
    this.answers.add(id, protocol.ANSWER_BEGINS);
    this.answers.send();
  }

  /**
   * Tells what there is to tell, once bodies that were just resumed have had the
   * time to end: most of those that wait for nothing have.
   */
  soon(): void {
    if (this.telling > 0) this.answers.send(); // what goes on here may keep the worker
    if (this.isHearing || (this.unended === 0 && this.answers.isEmpty)) return;
    if (this.hopsLeft === 0) inMicrotask(this.nextHop);
    this.hopsLeft = HOPS;
  }

  /** The same, but at once if all that came has ended. */
  next(): void {
    if (this.unended === 0) this.tell();
    else this.soon();
  }

  private readonly nextHop = (): void => {
    if (--this.hopsLeft > 0) inMicrotask(this.nextHop);
    else this.tell();
  };

  private tell(): void {
    for (const errand of this.fresh) {
      if (errand.isFresh) this.answers.add(errand.id, protocol.ANSWER_WAITS);
      errand.isFresh = false;
    }
    while (this.fresh.length > 0) this.fresh.pop(); // faster than another list
    this.unended = 0;
    this.answers.send();
  }
}
