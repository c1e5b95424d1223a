// The buttons that loop, kill and crash, and what the context tells of it.

import { Actions, bad, strong } from './actions.js';
import { byId, count, duration, element } from './dom.js';
import { openPool } from './pool.js';
import { PoolView, namesOf } from './pool-view.js';

const WORKERS = 3;
const GRACE = 200;
/** Coroutines in C that wait meanwhile, a second each. */
const OTHERS = 1000;
const LINES = 8;

export async function startLosses() {
  // Whoever clicks may lose as many as he likes.
  const crew = await openPool(WORKERS, 'crew', { losses: { count: 1000, period: 1000 } });
  const view = new PoolView(byId('losses-lanes'), { window: 5000 });
  view.show(crew);
  showEvents(crew, view);

  const actions = new Actions(byId('losses-actions'));
  const names = namesOf(crew);
  const loop = addLoop(actions, crew, exclusively);
  actions.add('crash', 'Crash', 'A division by zero in C, which traps.', () => crash(crew));
  const kills = names.map((name, i) =>
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
  const parts = actions.row('loop', 'Loop for ever', hint, () => {
    if (!loop) {
      others = crew.async('delay_many', OTHERS);
      loop = crew.async({ killable: { grace: GRACE } }, 'loopForEver');
      parts.button.textContent = 'Cancel the loop';
      parts.output.textContent = 'It keeps one worker busy. The others go on.';
      return undefined;
    }
    parts.output.textContent = `Cancelled. It has ${GRACE} ms to end…`;
    return exclusively(async () => {
      parts.output.replaceChildren(...(await cancelled(loop, others)));
      loop = undefined;
      parts.button.textContent = 'Loop for ever';
    });
  });
  return parts;
}

/** What became of a job that does not end by itself, and of those that waited. */
async function cancelled(job, others) {
  const began = performance.now();
  job.cancel();
  const error = await job.catch((reason) => reason);
  const took = performance.now() - began;
  const ended = await others;
  return [
    bad(String(error)),
    ', ',
    strong(duration(took)),
    ' after it was cancelled. ',
    strong(`${count(ended)} of ${count(OTHERS)} coroutines`),
    ' that waited meanwhile have ended as ever.',
  ];
}

/** A task on each worker: the one that is on the right one loops. */
async function killWorker(crew, name) {
  const others = crew.async('delay_many', OTHERS);
  const meeting = crew.allocate(Int32Array, 1);
  const jobs = Array.from({ length: crew.workers }, () =>
    crew.async({ killable: { grace: 0 } }, 'meetAndLoop', meeting, crew.workers, name),
  );
  // Those that are elsewhere end.
  const left = new Set(jobs);
  await new Promise((done) => {
    for (const job of jobs) {
      job.invokeOnCompletion(() => {
        left.delete(job);
        if (left.size === 1) done();
      });
    }
  });
  const [found] = left;
  const result = await cancelled(found, others);
  crew.free(meeting);
  return result;
}

async function crash(crew) {
  const others = crew.async('delay_many', OTHERS);
  const { lost } = crew.stats();
  const error = await crew.async('divide', 0).catch((reason) => reason);
  const ended = await others;
  return [
    bad(String(error)),
    ' on ',
    strong(error.worker ?? 'unknown'),
    `. ${crew.stats().lost === lost ? 'The worker goes on' : 'The worker was replaced'}, and `,
    strong(`${count(ended)} of ${count(OTHERS)} coroutines`),
    ' have ended as ever.',
  ];
}

/** The last events, and how the context is. */
function showEvents(crew, view) {
  const list = byId('losses-output');
  const state = byId('losses-state');
  const opened = performance.now();
  const lostAt = new Map();
  const print = (text, className = '') => {
    const line = element('li', className);
    const at = ((performance.now() - opened) / 1000).toFixed(3);
    line.append(element('span', 'time', `${at} s`), ' ', text);
    list.append(line);
    while (list.children.length > LINES) list.firstChild.remove();
  };
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
