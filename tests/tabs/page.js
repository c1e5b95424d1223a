// A page that takes part in a pool, as its address says; the tests look at `tabs`.

const options = Object.fromEntries(new URLSearchParams(location.search));
if (options.without) delete globalThis[options.without];
// One that never hands anything over.
if (options.silent)
  globalThis.SharedWorker = class {
    port = new MessageChannel().port1;
  };
const shown = [];
addEventListener('pageshow', ({ persisted }) => shown.push(persisted));

const { newSharedWorkerContext } = await import('../../dist/tabs.js');
const { stream } = await import('../../dist/index.js');

const worker = () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
const tabs = { events: [], news: [], jobs: new Map(), shown, stream };
new BroadcastChannel('tabs-test').onmessage = ({ data }) => tabs.news.push(data);

tabs.context = await newSharedWorkerContext(2, options.name ?? 'tabs', {
  worker,
  ...(options.broker && { broker: options.broker }),
  ...(options.patience && { patience: Number(options.patience) }),
  ...(options.tier && { tier: options.tier }),
  ...(options.preferIsolated && { preferIsolated: options.preferIsolated === 'true' }),
  ...(options.preferVisible && { preferVisible: Number(options.preferVisible) }),
});
tabs.context.addEventListener('rolechange', ({ role, epoch }) => tabs.events.push({ role, epoch }));

/** Launches and keeps the job under a number of the test's own. */
tabs.launch = (id, how, ...call) => {
  const job = tabs.context.async(how, ...call);
  const entry = { job, outcome: undefined, times: 0 };
  const settle = (outcome) => {
    entry.outcome = outcome;
    entry.times++;
  };
  job.then(
    (value) => settle({ value }),
    (error) => settle({ error: error.name, message: error.message }),
  );
  tabs.jobs.set(id, entry);
};
tabs.outcomes = () => [...tabs.jobs].map(([id, { outcome, times }]) => ({ id, times, ...outcome }));
tabs.isSettled = (...ids) => ids.every((id) => tabs.jobs.get(id)?.outcome);
globalThis.tabs = tabs;
