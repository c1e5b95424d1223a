// One pool for all tabs: its buttons, and what becomes of it when its host goes.

import { newSharedWorkerContext } from '../dist/tabs.js';
import { Actions, bad, strong } from './actions.js';
import { byId, count, duration, newsIn } from './dom.js';
import { Board } from './tabs-board.js';
import { Company } from './tabs-company.js';

const WORKERS = 3;
/** Milliseconds until a host that does not answer is taken for frozen. */
const PATIENCE = Number(new URLSearchParams(location.search).get('patience')) || 2000;
/** Milliseconds that the host is kept busy. */
const FREEZE = 8000;
/** Jobs of each tab under way, when all keep launching. */
const AHEAD = 8;
const MANY = 30;

const again = { idempotent: true };
const once = {};

export async function startTabs() {
  if (!navigator.locks) {
    byId('tabs-state').textContent =
      'Not in this page: tabs need Web Locks, which there are on https:// and on localhost.';
    return;
  }
  const company = await Company.join();
  const context = await newSharedWorkerContext(WORKERS, 'demo-tabs', {
    worker: () => new Worker(new URL('./tabs-worker.js', import.meta.url), { type: 'module' }),
    tasks: () => import('./tabs-tasks.js'),
    patience: PATIENCE,
  });
  const tell = () => {
    const { tier } = document.body.dataset; // of the pool that it has as host
    company.tell({ role: context.role, epoch: context.stats().epoch, tier });
    showState(company, context);
  };
  context.addEventListener('rolechange', tell);
  await context.ready;
  tell();
  company.addEventListener('change', () => showState(company, context));
  new Board(byId('tabs-board'), company);
  company.addEventListener('news', ({ detail }) => obey(company, detail, tell));
  showNews(company);
  keepBusy(company, context);
  addActions(company, context);
}

function showState(company, context) {
  const { epoch } = context.stats();
  const role = context.role === 'host' ? 'has the pool' : 'is a client';
  const text = `This is tab ${company.number}, which ${role} · epoch ${epoch}`;
  const node = byId('tabs-state');
  if (node.textContent !== text) node.textContent = text;
  document.title = `Tab ${company.number}, ${context.role}: coworker`;
}

/** Does what some tab asks this one for. */
function obey(company, { type, to, by }, tell) {
  if (to !== company.number) return;
  if (type === 'kill') {
    // A tab that the user has opened may not be closed by anybody else.
    if (by !== to) window.close();
    if (!window.closed) location.reload();
  } else if (type === 'freeze') {
    setTimeout(() => {
      const end = performance.now() + FREEZE;
      while (performance.now() < end);
      tell();
    });
  }
}

// ---- jobs

/** Launches a job that all tabs see; fulfilled with its error, if it is lost. */
async function run(company, context, options) {
  const id = company.launched();
  try {
    await context.async(options, 'work', company.number, id);
    company.settled(id, 'done');
  } catch (error) {
    company.settled(id, 'lost');
    return error;
  }
}

async function runMany(company, context, options) {
  const began = performance.now();
  const before = company.me.again;
  const jobs = Array.from({ length: MANY }, () => run(company, context, options));
  const errors = (await Promise.all(jobs)).filter((error) => error !== undefined);
  const took = performance.now() - began;
  const parts = [strong(`${count(MANY - errors.length)} of ${count(MANY)}`), ' ended in '];
  parts.push(strong(duration(took)), '.');
  const twice = company.me.again - before;
  if (twice > 0) parts.push(' ', strong(count(twice)), ' had to begin again.');
  if (errors.length > 0) parts.push(' ', bad(String(errors[0])));
  return parts;
}

/** As long as all tabs are to be busy, each has some jobs under way. */
function keepBusy(company, context) {
  let underWay = 0;
  const fill = () => {
    while (company.isBusy && underWay < AHEAD) {
      underWay++;
      void run(company, context, again).then(() => {
        underWay--;
        fill();
      });
    }
  };
  company.addEventListener('news', ({ detail }) => {
    if (detail.type === 'busy') fill();
  });
  fill();
}

// ---- buttons

function addActions(company, context) {
  const actions = new Actions(byId('tabs-actions'));
  const open = actions.row('open-tab', 'Open a tab', hints.open, () => {
    const url = new URL(location.href);
    url.searchParams.set('only', 'tabs');
    url.hash = 'tabs';
    // Without an opener it may have a thread of its own.
    window.open(url, '_blank', 'noopener');
  });
  open.button.classList.add('primary');
  const busy = actions.row('busy', 'Keep all busy', hints.busy, () => {
    company.say({ type: 'busy', isBusy: !company.isBusy });
  });
  const showBusy = () => {
    const text = company.isBusy ? 'Let them end' : 'Keep all busy';
    if (busy.button.textContent !== text) busy.button.textContent = text;
  };
  company.addEventListener('change', showBusy);
  showBusy();
  actions.add('launch-again', `Launch ${MANY}`, hints.again, () =>
    runMany(company, context, again),
  );
  actions.add('launch-once', `Launch ${MANY} once`, hints.once, () =>
    runMany(company, context, once),
  );
  actions.add('kill-host', 'Kill the host', hints.kill, () => loseHost(company, context, 'kill'));
  actions.add('freeze-host', 'Freeze the host', hints.freeze, () =>
    loseHost(company, context, 'freeze'),
  );
}

const hints = {
  open: 'The same pool, and no worker more.',
  busy: 'Every tab keeps launching, and the host takes from all of them in turn.',
  again: 'Idempotent: what had begun when the host is lost begins again on the next one.',
  once: 'Not idempotent: what had begun then ends with a HostLostError.',
  kill: 'Its tab is closed, or else loaded anew.',
  freeze: `Its tab does not answer for ${FREEZE / 1000} s; the others have patience for ${PATIENCE / 1000} s.`,
};

/** Loses the host, and says how long a job takes that is launched at that moment. */
async function loseHost(company, context, how) {
  if (company.tabs.size === 1) return ['There is no other tab yet.'];
  const { host } = company;
  // This tab may not know the host yet that others have told of.
  const before = Math.max(context.stats().epoch, host.epoch);
  const hasNext = () => context.stats().epoch > before;
  const began = performance.now();
  const passed = () => performance.now() - began;
  let elected;
  const isElected = company
    .until(() => company.host?.epoch > before)
    .then(() => (elected = passed()));
  company.say({ type: how, to: host.number, by: company.number });
  do {
    // The last host may still have had the time for it.
    await run(company, context, { idempotent: true, priority: 'high' });
    const isBack = how === 'freeze' && !host.isFrozen;
    if (isBack && !hasNext()) {
      return ['Nobody has noticed: these tabs share one thread, and all stood still.'];
    }
  } while (!hasNext());
  const took = passed();
  await isElected;
  return [
    strong(`Tab ${company.host.number}`),
    ' is host, ',
    strong(duration(elected)),
    ' after that; the first job was done after ',
    strong(duration(took)),
    '.',
  ];
}

// ---- the list of what happened

function showNews(company) {
  const print = newsIn(byId('tabs-output'));
  let lostAt;
  let host;
  const showHost = () => {
    const next = company.host;
    if (!next || next.epoch === host?.epoch) return;
    const after = lostAt === undefined ? '' : `, ${duration(performance.now() - lostAt)} later`;
    print(`tab ${next.number} is host in epoch ${next.epoch}${after}`);
    lostAt = undefined;
    host = { ...next };
  };
  const lose = (number) => {
    if (number === host?.number) lostAt ??= performance.now();
  };
  company.addEventListener('news', ({ detail: { type, number, to, by } }) => {
    if (type === 'hello') print(`tab ${number} has come`);
    else if (type === 'gone') {
      print(`tab ${number} is gone`, 'bad');
      lose(number);
    } else if (type === 'kill' || type === 'freeze') {
      const what = type === 'kill' ? 'to go' : 'to do nothing else for a while';
      print(`tab ${by} asks tab ${to} ${what}`, 'bad');
      lose(to);
    } else if (type === 'here') showHost();
  });
  showHost();
}
