// The buttons that launch, delay, fail and cancel, and the pool's counters.

import { Actions, bad, strong } from './actions.js';
import { byId, count, duration, element } from './dom.js';
import { addLanes } from './lanes.js';
import { openPool } from './pool.js';

const WORKERS = 4;

export async function startControls() {
  const pool = await openPool(WORKERS, 'pool');
  const view = addLanes(byId('pool-lanes'), {
    window: 5000,
    windows: [10_000, 5000, 1000, 100],
  });
  view.show(pool);
  showCounters(pool);

  const actions = new Actions(byId('actions'));
  for (const members of [1, 1000, 100_000]) {
    const id = `launch-${members}`;
    actions.add(id, `Launch ${count(members)}`, hints[id], () => launchMany(pool, members));
  }
  actions.add('delay', 'Delay 1,000', hints.delay, () => delayMany(pool, 1000));
  actions.add('fail', 'Fail', hints.fail, () => fail(pool, 8));
  addTree(actions, pool);
  return pool;
}

/** A tree that runs until it is cancelled by the same button. */
function addTree(actions, pool) {
  let tree;
  const parts = actions.row('cancel', 'Grow a tree', hints.cancel, async () => {
    if (!tree) {
      tree = growTree(pool, 10, 2);
      parts.button.textContent = 'Cancel the tree';
      parts.output.replaceChildren('A tree of ', strong(`${tree.length} jobs`), ' runs.');
      return;
    }
    parts.button.disabled = true;
    const [root] = tree;
    const began = performance.now();
    await root.cancelAndJoin();
    const took = performance.now() - began;
    parts.output.replaceChildren(
      strong(`${howManyCancelled(tree)} of ${tree.length} jobs`),
      ' cancelled, their clean-up run, in ',
      strong(duration(took)),
      '.',
    );
    tree = undefined;
    parts.button.textContent = 'Grow a tree';
    parts.button.disabled = false;
  });
}

/** Launches a job with children that have children; gives all of them, the root first. */
function growTree(pool, width, depth, parent = null) {
  const job = pool.launch({ job: parent }, 'branch');
  const children = depth > 0 ? Array.from({ length: width }) : [];
  return [job, ...children.flatMap(() => growTree(pool, width, depth - 1, job))];
}

const howManyCancelled = (jobs) => jobs.filter(({ isCancelled }) => isCancelled).length;

const hints = {
  'launch-1': 'One coroutine, there and back.',
  'launch-1000': 'A thousand coroutines, launched by one.',
  'launch-100000': 'A hundred thousand coroutines, launched by one.',
  delay: 'A thousand coroutines that wait one second each.',
  fail: 'One of eight children fails: the others are cancelled.',
  cancel: 'A job with ten children, which have ten children each.',
};

async function launchMany(pool, members) {
  const began = performance.now();
  const arrived = await pool.async('launch_many', members);
  const took = performance.now() - began;
  const parts = [strong(count(arrived)), arrived === 1 ? ' ended in ' : ' ended in '];
  parts.push(strong(duration(took)));
  if (members > 1) parts.push(`, ${duration(took / members)} each`);
  return [...parts, '.'];
}

async function delayMany(pool, members) {
  const began = performance.now();
  const arrived = await pool.async('delay_many', members);
  return [
    strong(count(arrived)),
    ' delays of 1 s ended in ',
    strong(duration(performance.now() - began)),
    ', and held no worker.',
  ];
}

async function fail(pool, children) {
  const began = performance.now();
  const report = pool.async('branch');
  const chapters = Array.from({ length: children }, (_, i) =>
    pool.launch({ job: report }, 'writeChapter', i + 1, i + 1 === 5),
  );
  const error = await report.catch((reason) => reason);
  const took = performance.now() - began;
  return [
    bad(String(error)),
    ' in task ',
    strong(error.task ?? 'unknown'),
    ' on ',
    strong(error.worker ?? 'unknown'),
    '. ',
    strong(`${howManyCancelled(chapters) - 1} siblings`),
    ` cancelled; all over after ${duration(took)}.`,
  ];
}

/** Updates the counters ten times a second. */
function showCounters(pool) {
  const list = byId('counters');
  const cells = new Map();
  for (const name of Object.keys(pool.stats())) {
    const cell = element('div');
    const value = element('dd', '', '0');
    value.id = `stat-${name}`;
    cell.append(element('dt', '', name), value);
    list.append(cell);
    cells.set(name, value);
  }
  const update = () => {
    for (const [name, value] of Object.entries(pool.stats())) {
      const text = count(value);
      const cell = cells.get(name);
      if (cell.textContent !== text) cell.textContent = text;
    }
  };
  update();
  setInterval(update, 100);
}
