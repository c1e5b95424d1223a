// Runs suite files in one browser, and watches over it.

import { setTimeout as sleep } from 'node:timers/promises';

/** An end of a run that leaves the browser in no state to go on. */
class Stopped extends Error {
  /** @param {boolean} begun whether a test had begun */
  constructor(message, begun) {
    super(message);
    this.begun = begun;
  }
}

/** What pages are told of the environment. */
const SETTINGS = {
  rounds: 'COWORKER_STRESS_ROUNDS',
  seed: 'COWORKER_STRESS_SEED',
  kills: 'COWORKER_KILLS',
  'chaos-seed': 'COWORKER_SEED',
};

/** Takes the messages of one page in the order in which it sent them. */
class Inbox {
  #next = 0;
  #early = new Map();
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  add(message) {
    this.#early.set(message.sequence, message);
    while (this.#early.has(this.#next)) {
      const next = this.#early.get(this.#next);
      this.#early.delete(this.#next++);
      this.#handle(next);
    }
  }

  /** What came after a message that never did. */
  flush() {
    const left = [...this.#early.values()];
    this.#early.clear();
    for (const message of left.sort((a, b) => a.sequence - b.sequence)) {
      this.#handle(message);
    }
  }
}

/**
 * Counts and prints what happens in one engine.
 */
export class Session {
  passed = 0;
  failed = 0;
  skipped = 0;
  #browser;
  #options;
  #again = new Set();
  #inboxes = new Map();
  #print;

  /**
   * @param {import('./drivers.mjs').Browser} browser
   * @param {object} options
   * @param {string} options.url of the server
   * @param {number} options.timeout of a test, in milliseconds
   * @param {number} options.watchdog milliseconds without any progress after
   *   which a page is given up
   * @param {string} options.tier what contexts run in
   * @param {string} [options.grep] pattern for the names of the tests to run
   * @param {boolean} [options.verbose] prints the passing tests too
   */
  constructor(browser, options) {
    this.#browser = browser;
    this.#options = options;
    this.#print = printer(browser.engine);
  }

  /** Goes on in another browser, since one is in no state to. */
  use(browser) {
    this.#browser = browser;
  }

  /** Takes a message that a page sent to the server. */
  receive(message) {
    this.#inboxes.get(message.run)?.add(message);
  }

  /**
   * Runs the files one after the other, each in a page of its own as Node runs
   * each in a process. Ends early if a page hangs or crashes.
   *
   * @param {string[]} files paths on the server
   * @returns {Promise<string[]>} those that have not run, for another browser: a
   *   page that never came to its first test is none of the tests' faults, and is
   *   among them, once
   */
  async run(files) {
    for (const [index, file] of files.entries()) {
      try {
        await this.#runFile(file);
      } catch (error) {
        if (error instanceof Stopped && !error.begun && !this.#again.has(file)) {
          this.#again.add(file);
          this.#print(`${file} did not begin, and is tried once more:`, error.message);
          return files.slice(index);
        }
        this.failed++;
        this.#print(`FAIL ${file}`, error instanceof Stopped ? error.message : error.stack);
        return files.slice(index + 1);
      }
    }
    return [];
  }

  async #runFile(file) {
    const run = `${this.#browser.engine}:${file}`;
    let current;
    let begun = false;
    let lastProgress = Date.now();
    let finish;
    let stop;
    const finished = new Promise((resolve, reject) => {
      finish = resolve;
      stop = (why) => {
        const where = current ? `in test: ${current}` : 'outside of any test';
        reject(new Stopped(`${why}, ${where}`, begun));
      };
    });
    // It may be rejected while nothing waits for it yet.
    finished.catch(() => {});

    const texts = [];
    const inbox = new Inbox((message) => {
      lastProgress = Date.now();
      if (message.text) texts.push(message.text);
      begun = true;
      if (message.type === 'start') current = message.name;
      else if (message.type === 'end') finish();
      else this.#record(message, file, current);
      if (message.name === current && message.type !== 'start') {
        current = undefined;
      }
    });
    this.#inboxes.set(run, inbox);

    const errors = [];
    const watching = new AbortController();
    const { signal } = watching;
    const watchProgress = async () => {
      while (Date.now() - lastProgress < this.#options.watchdog) {
        await sleep(250, undefined, { signal });
      }
      inbox.flush();
      stop(`no progress for ${this.#options.watchdog / 1000} s`);
    };
    const watchPage = async (page) => {
      for (;;) {
        await sleep(5000, undefined, { signal });
        // Is answered late if the page is busy, but fails if it is gone.
        await page.evaluate('1').catch(() => stop('the page crashed'));
      }
    };
    const usePage = async () => {
      const page = await this.#browser.newPage();
      page.on('console', ({ type, text }) => {
        lastProgress = Date.now();
        this.#print(`console.${type}:`, text);
      });
      page.on('error', (error) => errors.push(error));
      page.on('crash', () => stop('the page crashed'));
      await page.goto(this.#pageUrl(run, file));
      watchPage(page).catch(() => {}); // Both watches end by being aborted.
      await finished;
      return page;
    };
    watchProgress().catch(() => {});
    try {
      const stopped = finished.then(() => new Promise(() => {}));
      const page = await Promise.race([usePage(), stopped]);
      await this.#closePage(page);
    } finally {
      watching.abort();
      // What the page itself has not told of, such as errors in workers.
      for (const { message, stack } of errors) {
        const core = message.replace(/^Uncaught (\(in promise\) )?/, '');
        if (texts.some((text) => text.includes(core))) continue;
        this.#print('uncaught:', stack);
      }
      this.#inboxes.delete(run);
    }
  }

  async #closePage(page) {
    const late = sleep(10_000, true, { ref: false });
    if (await Promise.race([page.close(), late])) {
      throw new Stopped('the page does not close, after all of its tests', true);
    }
  }

  #pageUrl(run, file) {
    const { url, timeout, grep, tier } = this.#options;
    const query = new URLSearchParams({ run, file, timeout: String(timeout) });
    if (grep) query.set('grep', grep);
    query.set('tier', tier);
    for (const [name, variable] of Object.entries(SETTINGS)) {
      const value = process.env[variable];
      if (value) query.set(name, value);
    }
    if (this.#browser.engine === 'webkit') query.set('console', '');
    return `${url}/tests/browser/runner.html?${query}`;
  }

  #record(message, file, current) {
    const { type, name, text, reason, level, milliseconds } = message;
    switch (type) {
      case 'pass':
        this.passed++;
        if (this.#options.verbose) this.#print(`pass ${name} (${milliseconds} ms)`);
        break;
      case 'fail':
        this.failed++;
        this.#print(`FAIL ${name}`, text);
        break;
      case 'skip':
        this.skipped++;
        this.#print(`SKIP ${name}: ${reason || 'no reason given'}`);
        break;
      case 'error':
        this.failed++;
        this.#print(`FAIL ${file}: uncaught error ${current ? `in ${current}` : ''}`, text);
        break;
      case 'console':
        this.#print(`console.${level}:`, text);
        break;
    }
  }
}

/** A function that prints lines with a prefix; details come indented. */
function printer(prefix) {
  return (heading, details = '') => {
    const [first, ...rest] = details.split('\n');
    const oneLine = rest.length === 0 && heading.endsWith(':');
    console.log(`${prefix} ${heading}${oneLine ? ` ${first}` : ''}`);
    if (details === '' || oneLine) return;
    for (const line of [first, ...rest]) console.log(`${prefix}     ${line}`);
  };
}
