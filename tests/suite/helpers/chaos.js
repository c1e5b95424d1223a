// One round of chaos: mixed load, jobs that are killed at random instants, and
// what must hold afterwards.

import { assert } from 'chai';
import {
  CancellationError,
  Channel,
  Main,
  Mutex,
  MutexPoisonedError,
  Semaphore,
  WorkerLostError,
} from 'coworker';
import { cells, endsLoopsInC, until } from './contexts.js';
import { balanced, pause } from './races.js';

/** In milliseconds: what has not come by then hangs. */
const HANGS = 40_000;
/** A job with its children has so many cells at most. */
const FAMILY = 4;
const MOST_JOBS = 64;

/** What may be killed; each but the last one has to be. */
const victims = [
  (round, options) => round.start(options, 'beginAndLoop', round.cells, round.token),
  (round, options) =>
    round.start(options, 'waitAndLoopLocked', round.mutex, round.cells, round.token),
  ({ context, cells, token }, options) =>
    Main.async(options, (scope) => scope.async(context, 'beginAndLoop', cells, token)),
  ...(endsLoopsInC
    ? [
        (round, options) => round.start(options, 'familyOfLoops', round.cells, round.token),
        (round, options) => round.start(options, 'loop_for_ever', round.address),
        (round, options) => round.start(options, 'allocate_for_ever', round.address),
        (round, options) => round.start(options, 'launch_for_ever', round.address),
      ]
    : []),
  (round, options) => round.start(options, 'beginAndWait', round.cells, round.token, 60_000),
];

const tokenItself = (token) => token;

/** What goes on meanwhile and ends by itself: what it gives, how many times its cells count. */
const bystanders = [
  {
    launch: (round) => round.start({}, 'beginAndAdd', round.cells, round.token, 41),
    gives: () => 42,
  },
  {
    launch: (round) => round.start({}, 'beginAndWait', round.cells, round.token, round.pick(4)),
    gives: tokenItself,
  },
  {
    launch: (round) => round.start({}, 'beginFamily', round.cells, round.token),
    gives: tokenItself,
    begins: FAMILY,
  },
  {
    launch: ({ context, cells, token }) =>
      Main.async((scope) =>
        scope.withTimeout(60_000, (inner) => inner.async(context, 'beginAndAdd', cells, token, 6)),
      ),
    gives: () => 7,
  },
  // A killed worker takes along nothing of these unless it runs them at that very moment.
  {
    launch: (round) => round.start({}, 'count_and_wait', round.address),
    gives: () => 7,
    isInC: true,
  },
  {
    launch: (round) => round.start({ priority: 'high' }, 'count_family', round.address),
    gives: () => 7,
    begins: FAMILY,
    isInC: true,
  },
];

/** What may wait for ever if others are killed. */
const dependents = [
  (round) => round.start({}, 'beginAndLock', round.mutex, round.cells, round.token),
  (round) => round.start({}, 'beginAndTakePermit', round.semaphore, round.cells, round.token),
  (round) => round.start({}, 'beginAndSend', round.channel, round.cells, round.token, 5),
  (round) => round.start({}, 'beginAndReceive', round.channel, round.cells, round.token, 5),
];

export class Round {
  mutex = new Mutex();
  semaphore = new Semaphore(1);
  channel = new Channel(2);
  jobs = [];

  constructor(context, pick, sum) {
    this.context = context;
    this.pick = pick;
    this.sum = sum;
    // Never freed: a thread that is not gone yet may still count in it.
    this.cells = cells(context, MOST_JOBS * FAMILY);
  }

  /** The first cell of the job that is being launched. */
  get token() {
    return this.jobs.length * FAMILY;
  }

  /** The same for C. */
  get address() {
    return this.cells.byteOffset + this.token * this.cells.BYTES_PER_ELEMENT;
  }

  start(options, ...call) {
    return this.context.async(options, ...call);
  }

  async run() {
    const { pick } = this;
    const doomed = [];
    for (let left = 8 + pick(24); left > 0; left--) {
      const kind = pick(8);
      if (kind === 0 && doomed.length < 4) doomed.push(this.launchVictim());
      else if (kind < 3) this.launchDependent();
      else this.launchBystander();
      if (pick(6) === 0) await pause(pick);
    }
    if (doomed.length === 0) doomed.push(this.launchVictim());
    await this.all(doomed.map((entry) => this.cancelAtSomeTime(entry)));
    await this.all(doomed.map((entry) => entry.settled));
    await this.all(this.of('bystander').map((entry) => entry.settled));
    for (const { job } of this.of('dependent')) job.cancel('the round is over');
    await this.all(this.jobs.map((entry) => entry.settled));
    await this.checkContext();
    for (const entry of this.jobs) this.check(entry);
    this.sum.jobs += this.jobs.length;
  }

  // ---- launching

  /** Notes a job, and how often it settles. */
  note(kind, job, more = {}) {
    const entry = { kind, job, token: this.token, settlements: 0, completions: 0, ...more };
    const settle = (outcome) => {
      entry.settlements++;
      entry.outcome = outcome;
      entry.at = performance.now();
    };
    job.invokeOnCompletion(() => entry.completions++);
    entry.settled = Promise.all([
      job.then(
        (value) => settle({ value }),
        (error) => settle({ error }),
      ),
      job.join(),
    ]);
    this.jobs.push(entry);
    return entry;
  }

  launchVictim() {
    const grace = this.pick(6);
    const which = this.pick(victims.length);
    return this.note('victim', victims[which](this, { killable: { grace } }), { grace, which });
  }

  launchBystander() {
    const which = this.pick(bystanders.length);
    const { launch, ...more } = bystanders[which];
    return this.note('bystander', launch(this), { which, ...more });
  }

  launchDependent() {
    const which = this.pick(dependents.length);
    return this.note('dependent', dependents[which](this), { which });
  }

  /** Before it has begun, or while, or some time after. */
  async cancelAtSomeTime(entry) {
    const { pick } = this;
    const turns = pick(20);
    const waits = pick(3) > 0;
    if (waits) await this.begun(entry);
    for (let turn = 0; turn < turns; turn++) await pause(pick);
    entry.hadBegun = Atomics.load(this.cells, entry.token) > 0;
    entry.cancelled = performance.now();
    entry.job.cancel(`token ${entry.token}`);
  }

  /** It may have to wait until another one is killed. */
  begun(entry) {
    return until(() => entry.settlements > 0 || Atomics.load(this.cells, entry.token) > 0);
  }

  of(kind) {
    return this.jobs.filter((entry) => entry.kind === kind);
  }

  // ---- checking

  /** Waits for all of them, but not for ever. */
  async all(promises) {
    let timer;
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => {
        const open = this.jobs
          .filter(({ settlements }) => settlements === 0)
          .map((entry) => `${this.nameOf(entry)} begun ${this.begins(entry)} times`);
        const stats = JSON.stringify(this.context.stats());
        reject(new Error(`hangs: ${open.join(', ') || 'the context'}; ${stats}`));
      }, HANGS);
    });
    try {
      await Promise.race([Promise.all(promises), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  nameOf({ kind, which, token }) {
    return `${kind} ${which} of token ${token}`;
  }

  begins({ token, begins = FAMILY }) {
    let sum = 0;
    for (let i = 0; i < begins; i++) sum += Atomics.load(this.cells, token + i);
    return sum;
  }

  /** All workers are there again, and do new work. */
  async checkContext() {
    const { context } = this;
    await this.all([until(() => context.stats().workers === context.workers)]);
    const numbers = Array.from({ length: 3 * context.workers }, (_, i) => i);
    const sums = Promise.all(numbers.map((n) => context.async('add', n, n)));
    await this.all([sums, balanced(context)]);
    assert.deepEqual(
      await sums,
      numbers.map((n) => 2 * n),
    );
  }

  check(entry) {
    const { kind, job, settlements, completions, outcome } = entry;
    const name = this.nameOf(entry);
    assert.deepEqual([settlements, completions], [1, 1], `settlements of ${name}`);
    assert.isTrue(job.isCompleted, name);
    assert.equal(job.isCancelled, 'error' in outcome, name);
    for (let i = 0; i < FAMILY; i++) {
      const most = entry.isInC ? (entry.begins ?? 1) : 1;
      assert.isAtMost(Atomics.load(this.cells, entry.token + i), most, `beginnings of ${name}`);
    }
    const { error } = outcome;
    if (kind === 'victim') {
      // The mutex that it waits for may be that of another one.
      if (error?.name !== 'MutexPoisonedError') assert.instanceOf(error, CancellationError, name);
      const late = entry.at - entry.cancelled - entry.grace;
      // Else it ends as soon as a worker is there for it.
      if (entry.hadBegun) this.sum.latest = Math.max(this.sum.latest, late);
    } else if (kind === 'dependent') {
      const isPoisoned = error instanceof MutexPoisonedError;
      if (error && !isPoisoned) assert.instanceOf(error, CancellationError, name);
    } else if (error) {
      assert.instanceOf(error, WorkerLostError, name);
      // Only the step itself that was running; in JavaScript, before it could count.
      if (entry.isInC || this.begins(entry) === 0) this.sum.steps++;
    } else {
      assert.equal(outcome.value, entry.gives(entry.token), name);
      assert.equal(this.begins(entry), entry.begins ?? 1, `beginnings of ${name}`);
    }
  }
}
