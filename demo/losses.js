// The buttons that loop, kill and crash, and what the context tells of it.

import { WorkerLostError } from '../dist/index.js';
import { Actions, bad, strong } from './actions.js';
import { byId, count, duration, newsIn } from './dom.js';
import { addLanes } from './lanes.js';
import { openPool } from './pool.js';
import { namesOf } from './pool-view.js';

const WORKERS = 3;
const GRACE = 200;
/** Milliseconds after which a loop on a certain worker is cancelled. */
const LOOP_LIMIT = 100;
/** Coroutines that wait meanwhile. */
const OTHERS = 1000;

export async function startLosses() {
  // Whoever clicks may lose as many as he likes.
  const crew = await openPool(WORKERS, 'crew', { losses: { count: 1000, period: 1000 } });
  const view = addLanes(byId('losses-lanes'), { window: 5000 });
  view.show(crew);
  showEvents(crew, view);

  const actions = new Actions(byId('losses-actions'));
  actions.add('crash', 'Crash', 'A division by zero in C, which traps.', () => crash(crew));
  if (crew.tier === 'inline') return; // nobody could end a loop on this page
  const loop = addLoop(actions, crew, exclusively);
  const kills = namesOf(crew).map((name, i) =>
    actions.add(
      `kill-${i + 1}`,
      `Kill ${name}`,
      `An endless loop on ${name} that is cancelled.`,
      () => exclusively(() => killWorker(crew, name)),
    ),
  );
  const buttons = [loop, ...kills].map(({ button }) => button);

  /** Two of them could take the workers that the other one waits for. */
  async function exclusively(run) {
    for (const button of buttons) button.disabled = true;
    try {
      return await run();
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}

/** A loop that never looks whether it is cancelled, until the same button cancels it. */
function addLoop(actions, crew, exclusively) {
  let loop;
  let others;
  const hint = 'A task in JavaScript that never ends, and never looks whether it is cancelled.';
  const parts = actions.row('loop', 'Loop for ever', hint, async () => {
    try {
      if (!loop) {
        loop = crew.async({ killable: { grace: GRACE } }, 'loopForEver');
        others = waitMeanwhile(crew);
        parts.button.textContent = 'Cancel the loop';
        parts.output.textContent = 'It keeps one worker busy. The others go on.';
        return;
      }
      parts.output.textContent = `Cancelled. It has ${GRACE} ms to end…`;
      const ended = exclusively(() => cancelled(loop, others));
      loop = undefined;
      parts.output.replaceChildren(...(await ended));
    } catch (error) {
      parts.output.replaceChildren(bad(String(error)));
    }
    parts.button.textContent = 'Loop for ever';
  });
  return parts;
}

/** What became of a job that does not end by itself, and of those that waited. */
async function cancelled(job, others) {
  const began = performance.now();
  job.cancel();
  const error = await job.catch((reason) => reason);
  const took = performance.now() - began;
  return [
    bad(String(error)),
    ', ',
    strong(duration(took)),
    ' after it was cancelled. ',
    ...(await others),
  ];
}

/** A task on each worker: the one that is on the right one loops, until its time is up. */
async function killWorker(crew, name) {
  const options = { timeout: LOOP_LIMIT, killable: { grace: LOOP_LIMIT } };
  let others;
  for (;;) {
    const jobs = namesOf(crew).map(() => crew.async(options, 'loopOn', name));
    others ??= waitMeanwhile(crew);
    const ends = await Promise.allSettled(jobs);
    const lost = ends.find(({ reason }) => reason instanceof WorkerLostError);
    if (lost?.reason.worker === name) return [bad(String(lost.reason)), '. ', ...(await others)];
  }
}

/** Coroutines in C that wait a second each; gives what to say of them. */
async function waitMeanwhile(crew) {
  const ended = await crew.async('delay_many', OTHERS).catch(() => 0);
  return ended > 0
    ? [strong(`${count(ended)} of ${count(OTHERS)} coroutines`), ' that waited have ended as ever.']
    : ['The coroutines that waited on that worker ended with it.'];
}

async function crash(crew) {
  const others = waitMeanwhile(crew);
  const { lost } = crew.stats();
  const error = await crew.async('divide', 0).catch((reason) => reason);
  const became = crew.stats().lost === lost ? 'goes on' : 'is replaced';
  return [
    bad(String(error)),
    ' on ',
    strong(error.worker ?? 'this page'),
    `, which ${became}. `,
    ...(await others),
  ];
}

/** The last events, and how the context is. */
function showEvents(crew, view) {
  const print = newsIn(byId('losses-output'));
  const state = byId('losses-state');
  const lostAt = new Map();
  crew.addEventListener('workerlost', ({ worker, index, reason }) => {
    lostAt.set(index, performance.now());
    view.lose(index);
    print(`${worker} ${reason}`, 'bad');
  });
  crew.addEventListener('workerreplaced', ({ worker, index }) => {
    print(`${worker} is there again, after ${duration(performance.now() - lostAt.get(index))}`);
  });
  const update = () => {
    const { workers, lost, undead } = crew.stats();
    const text = `${workers} of ${crew.workers} workers up · ${lost} lost · ${undead} undead`;
    if (state.textContent !== text) state.textContent = text;
  };
  update();
  setInterval(update, 100);
}
