// Which tabs there are, and what their jobs do: told by the tabs and their
// workers, and only for showing it. The library needs nothing of this.

const CHANNEL = 'coworker-demo-tabs';
/** Jobs that have ended and are still known, so that late news of them is. */
const ENDED = 300;

const lockOf = (number) => `coworker demo tab ${number}`;

/** The first number that no other tab has; it is kept as long as the page lives. */
async function takeNumber() {
  for (let number = 1; ; number++) {
    const isMine = await new Promise((resolve) => {
      void navigator.locks.request(lockOf(number), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock && new Promise(() => {});
      });
    });
    if (isMine) return number;
  }
}

/**
 * All tabs as this one knows them. The event `change` tells of news, and `news` what
 * they are: a message, or `gone` and the number of a tab.
 */
export class Company extends EventTarget {
  /** By number: { number, role, epoch, tier, done, again, lost, isFrozen }. */
  tabs = new Map();
  /** By tab and number: { tab, id, state, worker, times }, the oldest first. */
  jobs = new Map();
  /** Whether all tabs keep launching. */
  isBusy = false;
  channel = new BroadcastChannel(CHANNEL);
  /** Begins anywhere: a tab that is loaded anew often has its old number again. */
  ids = Math.floor(Math.random() * 2 ** 32);

  /** Comes as one more tab. */
  static async join() {
    const company = new Company();
    company.number = await takeNumber();
    company.me = company.tabOf(company.number);
    company.channel.onmessage = ({ data }) => company.hear(data);
    company.say({ type: 'hello', number: company.number });
    return company;
  }

  /** The tab that has the pool; an older host does not know yet that it has not. */
  get host() {
    const hosts = [...this.tabs.values()].filter(({ role }) => role === 'host');
    return hosts.sort((a, b) => b.epoch - a.epoch)[0];
  }

  /** Jobs of a tab in a state. */
  jobsOf(number, state) {
    return [...this.jobs.values()].filter((job) => job.tab === number && job.state === state);
  }

  /** Waits until something is so. */
  until(condition) {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.removeEventListener('change', look);
        resolve();
      };
      this.addEventListener('change', look);
      look();
    });
  }

  // ---- what this tab tells

  say(message) {
    this.channel.postMessage(message);
    this.hear(message);
  }

  /** Tells how this tab is, with what it has changed. */
  tell(changes = {}) {
    const jobs = this.jobsOf(this.number, 'waiting').map(({ id }) => id);
    const tab = { ...this.me, isFrozen: false, ...changes };
    this.say({ type: 'here', tab, jobs });
  }

  launched() {
    const id = ++this.ids;
    this.say({ type: 'launched', tab: this.number, ids: [id] });
    return id;
  }

  settled(id, state) {
    const { me } = this;
    const { times } = this.jobs.get(`${this.number} ${id}`);
    me[state]++;
    me.again += Math.max(0, times - 1);
    const { done, again, lost } = me;
    this.say({ type: 'settled', tab: this.number, id, state, done, again, lost });
  }

  // ---- what it hears

  tabOf(number) {
    if (!this.tabs.has(number)) {
      const tab = { role: '', epoch: 0, tier: '', done: 0, again: 0, lost: 0, isFrozen: false };
      this.tabs.set(number, { number, ...tab });
      if (number !== this.number) this.watch(number);
    }
    return this.tabs.get(number);
  }

  /** Gets the lock of a tab once that is gone. */
  watch(number) {
    void navigator.locks.request(lockOf(number), { mode: 'shared' }, () => this.gone(number));
  }

  gone(number) {
    this.tabs.delete(number);
    for (const [key, { tab }] of this.jobs) if (tab === number) this.jobs.delete(key);
    this.changed({ type: 'gone', number });
  }

  jobOf(tab, id) {
    const key = `${tab} ${id}`;
    if (!this.jobs.has(key)) {
      this.jobs.set(key, { key, tab, id, state: 'waiting', worker: 0, times: 0 });
    }
    return this.jobs.get(key);
  }

  hear(message) {
    const { type, tab, id, ids = [] } = message;
    if (type === 'hello') this.answer(message.number);
    else if (type === 'here') this.hearTab(message);
    else if (type === 'launched') for (const one of ids) this.jobOf(tab, one);
    else if (type === 'begun') this.hearBegun(this.jobOf(tab, id), message.worker);
    else if (type === 'settled') this.hearSettled(this.jobOf(tab, id), message);
    else if (type === 'busy') this.isBusy = message.isBusy;
    else if (type === 'freeze') this.tabOf(message.to).isFrozen = true;
    this.changed(message);
  }

  /** To a tab that is new. */
  answer(number) {
    if (number === this.number) return;
    this.tell();
    if (this.isBusy) this.say({ type: 'busy', isBusy: true });
  }

  hearTab({ tab, jobs }) {
    const before = this.host;
    Object.assign(this.tabOf(tab.number), tab);
    for (const id of jobs) this.jobOf(tab.number, id);
    if (this.host === before || !before) return;
    // What ran with the last host stands in line again.
    for (const job of this.jobs.values()) if (job.state === 'running') job.state = 'waiting';
  }

  hearBegun(job, worker) {
    job.times++;
    job.worker = worker;
    if (job.state === 'waiting') job.state = 'running';
  }

  hearSettled(job, { tab, state, done, again, lost }) {
    job.state = state;
    Object.assign(this.tabOf(tab), { done, again, lost });
    const ended = [...this.jobs.values()].filter((one) => /done|lost/.test(one.state));
    for (const { key } of ended.slice(0, -ENDED)) this.jobs.delete(key);
  }

  changed(news) {
    this.dispatchEvent(new CustomEvent('news', { detail: news }));
    this.dispatchEvent(new Event('change'));
  }
}
