// What the workers of a context did lately, in a form that is quick to draw:
// stretches of time by lane, made from the events of `context.trace()`.

/** Milliseconds that a timeline remembers. */
const MEMORY = 12_000;
/** Steps of one coroutine that are closer than this become one stretch. */
const NEAR = 0.02;
const MOST_STRETCHES = 30_000;

/** One worker's part. */
class Lane {
  /** Steps: { from, to, name, isDense }, oldest first. */
  steps = [];
  /** Sleep: { from, to }. */
  sleeps = [];
  /** Steals: { at, victim }. */
  steals = [];
  /** The step or sleep that has no end yet. */
  running;
  asleep;
  last = -1;
  lastTime = 0;
  lastName = '';
  isDense = false;

  /** @param {number} looked when the events were read before */
  add(event, looked) {
    const { number, time, kind, what } = event;
    if (this.last >= 0 && number > this.last + 1) this.bridge(time, looked);
    switch (kind) {
      case 'begin':
        this.lose(time); // which nobody has told yet
        this.running = { from: time, name: what };
        this.lastName = what;
        break;
      case 'end':
        this.lose(time);
        break;
      case 'park':
        this.asleep = time;
        break;
      case 'unpark':
        if (this.asleep !== undefined) this.sleeps.push({ from: this.asleep, to: time });
        this.asleep = undefined;
        break;
      case 'steal':
        this.steals.push({ at: time, victim: Number(what) });
        break;
    }
    this.last = number;
    this.lastTime = time;
  }

  /** Its thread has ended: so has the step that it was in. */
  lose(time) {
    if (this.running) this.addStep(this.running.from, time, this.running.name);
    this.running = undefined;
  }

  addStep(from, to, name, isDense = false) {
    const before = this.steps.at(-1);
    const isNear = before && from - before.to < NEAR;
    if (isNear && before.name === name && before.isDense === isDense) before.to = to;
    else this.steps.push({ from, to, name, isDense });
  }

  /** Some events were overwritten before anybody read them: that many steps. */
  bridge(time, looked) {
    const from = Math.min(time, Math.max(this.lastTime, looked));
    if (this.asleep !== undefined) this.sleeps.push({ from: this.asleep, to: from });
    this.addStep(from, time, this.lastName, true);
    this.isDense = true;
    this.running = undefined;
    this.asleep = undefined;
  }

  forget(time) {
    dropBefore(this.steps, (step) => step.to < time);
    dropBefore(this.sleeps, (sleep) => sleep.to < time);
    dropBefore(this.steals, (steal) => steal.at < time);
  }
}

/** Removes the first elements, in large portions since moving the rest costs. */
function dropBefore(list, isOld) {
  let count = Math.max(0, list.length - MOST_STRETCHES);
  while (count < list.length && isOld(list[count])) count++;
  if (count > 500 || count === list.length) list.splice(0, count);
}

export class Timeline {
  lanes = [];
  /** The coroutines seen so far, in the order of their first step. */
  names = new Set();
  /** When the last event was. */
  lastTime = 0;
  /** When the events were read last. */
  looked = 0;
  /** True once there were more steps than the trace holds. */
  hasDense = false;

  constructor(workers) {
    for (let i = 0; i < workers; i++) this.lanes.push(new Lane());
  }

  /** Takes up what is new. */
  update(context) {
    const after = this.lanes.map(({ last }) => last);
    const { looked } = this;
    this.looked = now();
    const old = this.looked - MEMORY;
    for (const { worker, events } of context.trace(after)) {
      const lane = this.lanes[worker];
      for (const event of events) {
        lane.add(event, looked);
        if (event.kind === 'begin') this.names.add(event.what);
      }
      this.lastTime = Math.max(this.lastTime, lane.lastTime);
      lane.forget(old);
      this.hasDense ||= lane.isDense;
    }
  }

  /** True if nothing moves in the last `ms` milliseconds but time itself. */
  isQuiet(ms) {
    return this.lastTime < now() - ms && !this.lanes.some(({ running }) => running);
  }
}

/** The time in the trace's own terms. */
export function now() {
  return performance.timeOrigin + performance.now();
}
