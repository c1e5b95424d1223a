// What the pages and workers of a pool have done, kept outside of all of them: by the
// tests' server, which outlives every page and sees one thing after the other. A worker
// writes down a task before it begins it, and waits until that is done.

/** By the names of pools. */
const ledgers = new Map();

export class Ledger {
  /** What must not be. */
  faults = [];
  /** The page of each host, by its epoch. */
  reigns = new Map();
  /** The last epoch of each page. */
  #epochs = new Map();
  /** The epoch of the pool that each worker belongs to. */
  workers = new Map();
  /** Who has begun a job: the workers, in order. */
  runs = new Map();
  /** What has become of a job, as its page was told. */
  outcomes = new Map();
  /** Pages that have closed their contexts, and so have cancelled their jobs. */
  #closed = new Set();
  /** Results that were taken by the next host, which knew its own epoch already. */
  late = 0;
  /** The page that has become host last. */
  host;
  #reigned = [];

  constructor(pool) {
    ledgers.set(pool, this);
  }

  close(pool) {
    ledgers.delete(pool);
  }

  #fault(text) {
    this.faults.push(text);
  }

  take(record) {
    this[record.type](record);
  }

  /** A page says that it is host. */
  reign({ page, epoch }) {
    const other = this.reigns.get(epoch);
    if (other) this.#fault(`epoch ${epoch} has two hosts: ${other} and ${page}`);
    this.reigns.set(epoch, page);
    if (epoch <= (this.#epochs.get(page) ?? 0)) this.#fault(`${page} goes back to epoch ${epoch}`);
    this.#epochs.set(page, epoch);
    this.host = page;
    for (const heard of this.#reigned.splice(0)) heard();
  }

  /** Waits until some page says that it is host. */
  nextReign() {
    return new Promise((resolve) => this.#reigned.push(resolve));
  }

  /** A page closes its context. */
  closes({ page }) {
    this.#closed.add(page);
  }

  /** A worker is about to begin a job. */
  ran({ page, worker, job }) {
    if (!this.workers.has(worker)) {
      // It belongs to the pool that its page has by now.
      const epoch = this.#epochs.get(page);
      if (epoch === undefined) this.#fault(`${page} runs ${job}, but never was host`);
      this.workers.set(worker, { page, epoch });
    }
    const { epoch } = this.workers.get(worker);
    const before = this.runs.get(job) ?? [];
    const epochs = before.map((one) => this.workers.get(one).epoch);
    if (epochs.includes(epoch)) this.#fault(`${job} has begun twice in epoch ${epoch}`);
    if (before.length > 0 && !isAgain(job))
      this.#fault(`${job} has begun in epochs ${epochs} and ${epoch}`);
    this.runs.set(job, [...before, worker]);
  }

  /** A page was told what has become of a job. */
  settled({ job, epoch, isNext, value, error }) {
    const mayEnd = isCancelled(job) || this.#closed.has(pageOf(job));
    if (this.outcomes.has(job)) this.#fault(`${job} has settled twice`);
    this.outcomes.set(job, error ?? 'value');
    if (error === undefined) this.#check(job, epoch, isNext, value);
    else if (error === 'HostLostError' && isAgain(job)) this.#fault(`${job} was lost`);
    else if (error === 'CancellationError' && !mayEnd) this.#fault(`${job} was cancelled`);
    else if (!['HostLostError', 'CancellationError'].includes(error))
      this.#fault(`${job} ended with a ${error}`);
  }

  #check(job, epoch, isNext, value) {
    if (value.job !== job) this.#fault(`${job} has the value of ${value.job}`);
    if (!this.runs.get(job)?.includes(value.worker))
      this.#fault(`${job} has a value of ${value.worker}, which has not run it`);
    const of = this.workers.get(value.worker)?.epoch;
    // A page that becomes host still takes what the last one has sent.
    if (isNext && of < epoch) this.late++;
    else if (of !== epoch) this.#fault(`${job} of epoch ${of} was taken in epoch ${epoch}`);
  }

  /** How many jobs ended so. */
  count(outcome) {
    return [...this.outcomes.values()].filter((one) => one === outcome).length;
  }

  /** Begun by one pool of each epoch: the pages whose workers say so. */
  get pools() {
    const pools = new Map();
    for (const { page, epoch } of this.workers.values()) {
      if (!pools.has(epoch)) pools.set(epoch, new Set());
      pools.get(epoch).add(page);
    }
    return pools;
  }
}

const pageOf = (job) => job.slice(0, job.indexOf(':'));
const numberOf = (job) => Number(job.slice(job.indexOf(':') + 1));
/** Whether a job may begin again, and whether its page cancels it; see chaos-page.js. */
const isAgain = (job) => numberOf(job) % 2 === 0;
const isCancelled = (job) => numberOf(job) % 7 === 0;

/** Takes what they send: for the server. */
export async function ledgerRoute(req, res) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const { pool, records } = JSON.parse(Buffer.concat(chunks).toString());
  // A worker of a situation that is over may go on for a while.
  for (const record of records) ledgers.get(pool)?.take(record);
  res.writeHead(204).end();
}
