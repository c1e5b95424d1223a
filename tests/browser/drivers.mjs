// One small interface to the three browser engines, for the suites, the
// benchmarks and screenshots: puppeteer for Chromium (CDP) and Firefox
// (WebDriver BiDi), plain WebDriver for WebKitGTK's MiniBrowser.

import { EventEmitter } from 'node:events';
import puppeteer from 'puppeteer-core';
import { limitBrowser } from './limit.mjs';
import { findProgram, ownGroup, temporaryFolder } from './processes.mjs';
import { launchWebKit } from './webkit.mjs';

/**
 * @typedef {object} Page
 * @property {(url: string) => Promise<void>} goto resolves after `load`
 * @property {(script: Function | string, ...args: unknown[]) =>
 *   Promise<any>} evaluate runs a function (which may be async) with JSON
 *   arguments, or evaluates an expression, and gives the result as JSON
 * @property {(selector: string) => Promise<void>} click
 * @property {(selector: string) => Promise<void>} follow clicks what leads to another page;
 *   resolves after its `load`
 * @property {(path: string) => Promise<void>} screenshot writes a PNG file
 * @property {(event: 'console' | 'error' | 'crash',
 *   listener: (detail: any) => void) => void} on `console` gives
 *   `{ type, text }`, `error` an uncaught error of the page or its workers,
 *   `crash` nothing (only Chromium tells; elsewhere `evaluate` fails then);
 *   WebKit has none of these, pages must report to their server there
 * @property {() => Promise<void>} back to what it has shown before; may resolve before that
 *   is there
 * @property {() => Promise<void>} close
 * @property {() => Promise<void>} [show] in front of the others
 * @property {() => Promise<void>} [crash] ends the page's process; only Chromium
 * @property {(isFrozen: boolean) => Promise<void>} [freeze] as browsers freeze tabs
 *   in the background, or ends that; only Chromium
 *
 * @typedef {object} Browser
 * @property {string} engine
 * @property {string} version
 * @property {() => Promise<Page>} newPage
 * @property {() => Promise<void>} close ends its processes, also if they hang,
 *   and removes its profile
 */

/** Milliseconds after which a call hangs, as far as most users are concerned. */
const LIMIT = 120_000;

/** The engines that `launch` knows. */
export const engines = ['chromium', 'firefox', 'webkit'];

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

const FIREFOX_NAMES = ['firefox-esr', 'firefox'];

/** What a console message says, with objects as JSON. */
async function textOf(message) {
  const text = message.text();
  if (text.startsWith('Failed to load resource')) {
    return `${text} ${message.location()?.url ?? ''}`;
  }
  if (!/JSHandle@|\[object /.test(text)) return text;
  const print = (value) => {
    if (value instanceof Error) {
      // V8's stacks begin with the message, others do not have it.
      const { stack = '' } = value;
      return stack.startsWith(`${value}`) ? stack : `${value}\n${stack}`;
    }
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  try {
    const parts = message.args().map(async (arg) => {
      // Firefox tells of an error only that it is one.
      return (await arg.evaluate(print)) ?? String(arg);
    });
    return (await Promise.all(parts)).join(' ');
  } catch {
    return text; // Not JSON, or its page is gone.
  }
}

class PuppeteerPage {
  #page;
  #events = new EventEmitter();

  constructor(page) {
    this.#page = page;
    let last = Promise.resolve();
    page.on('console', (message) => {
      const text = textOf(message);
      last = last.then(async () => {
        const detail = { type: message.type(), text: await text };
        this.#events.emit('console', detail);
      });
    });
    page.on('pageerror', (error) => this.#emitError(error));
    page.on('error', () => this.#events.emit('crash'));
  }

  #emitError(error) {
    // Without this test an emitter throws errors that nobody listens to.
    if (this.#events.listenerCount('error')) this.#events.emit('error', error);
  }

  async goto(url) {
    await this.#page.goto(url, { waitUntil: 'load' });
  }

  /** Not with puppeteer's, which waits for a load: a page that was kept does not load. */
  async back() {
    await this.#page.evaluate('void setTimeout(() => history.back())');
  }

  show() {
    return this.#page.bringToFront();
  }

  evaluate(script, ...args) {
    return this.#page.evaluate(script, ...args);
  }

  click(selector) {
    return this.#page.click(selector);
  }

  async follow(selector) {
    const loaded = this.#page.waitForNavigation({ waitUntil: 'load' });
    await Promise.all([loaded, this.#page.click(selector)]);
  }

  async screenshot(path) {
    await this.#page.screenshot({ path });
  }

  on(event, listener) {
    this.#events.on(event, listener);
  }

  /** Ends the page's process; Chromium only. */
  async crash() {
    const session = await this.#page.createCDPSession();
    const crashed = new Promise((done) => this.#events.once('crash', done));
    session.send('Page.crash').catch(() => {});
    await crashed;
  }

  /** Freezes the page as browsers freeze tabs in the background; Chromium only. */
  async freeze(isFrozen) {
    const session = await this.#page.createCDPSession();
    await session.send('Page.setWebLifecycleState', { state: isFrozen ? 'frozen' : 'active' });
    await session.detach();
  }

  async close() {
    await this.#page.close();
  }
}

class PuppeteerBrowser {
  engine;
  version;
  #browser;
  #cleanUp;

  constructor(engine, version, browser, cleanUp) {
    this.engine = engine;
    this.version = version;
    this.#browser = browser;
    this.#cleanUp = cleanUp;
  }

  async newPage() {
    return new PuppeteerPage(await this.#browser.newPage());
  }

  async close() {
    const timeout = new Promise((done) => setTimeout(done, 5000).unref());
    await Promise.race([this.#browser.close().catch(() => {}), timeout]);
    await this.#cleanUp();
  }
}

async function launchPuppeteer(engine, names, variable, { size, ...options }) {
  const executablePath = findProgram(process.env[variable], ...names);
  if (!executablePath) throw new Error(`${engine} not found; see tools/setup-browsers.sh`);
  const home = temporaryFolder(engine);
  try {
    const browser = await puppeteer.launch({
      // Each worker loads dozens of modules, and nobody wants to hear of them.
      networkEnabled: false,
      ...options,
      browser: engine === 'firefox' ? 'firefox' : 'chrome',
      executablePath,
      headless: true,
      userDataDir: `${home.path}/profile`,
      defaultViewport: size,
      // The limit is another one, see there.
      protocolTimeout: 0,
      handleSIGHUP: false,
      handleSIGINT: false,
      handleSIGTERM: false,
      env: { ...process.env, HOME: home.path, TMPDIR: home.path },
    });
    const group = ownGroup(browser.process().pid);
    const version = (await browser.version()).replace(/^.*\//, '');
    return new PuppeteerBrowser(engine, version, browser, async () => {
      await group.end();
      home.remove();
    });
  } catch (error) {
    home.remove();
    throw error;
  }
}

function launchEngine(engine, { size, args, prefs, sharedMemory }) {
  switch (engine) {
    case 'chromium':
      return launchPuppeteer(engine, CHROMIUM_NAMES, 'CHROMIUM', {
        size,
        args: [...CHROMIUM_FLAGS, ...args],
        pipe: true,
      });
    case 'firefox':
      return launchPuppeteer(engine, FIREFOX_NAMES, 'FIREFOX', {
        size,
        extraPrefsFirefox: prefs,
      });
    case 'webkit':
      return launchWebKit({ size, sharedMemory });
    default:
      throw new Error(`unknown engine: ${engine}`);
  }
}

/**
 * Starts a browser with a fresh profile. Its processes and files are gone after
 * `close()`, or else when this process ends.
 *
 * @param {'chromium' | 'firefox' | 'webkit'} engine
 * @param {object} [options]
 * @param {{ width: number, height: number }} [options.size] of its pages
 * @param {string[]} [options.args] more flags, for Chromium only
 * @param {Record<string, unknown>} [options.prefs] for Firefox only
 * @param {boolean} [options.sharedMemory] for WebKit only: false leaves
 *   SharedArrayBuffer off, as WebKitGTK does, also in isolated pages
 * @param {number} [options.limit] milliseconds that each call may take, before it
 *   fails with a `NoAnswer`; infinite where what a page does is watched otherwise
 * @returns {Promise<Browser>}
 */
export async function launch(
  engine,
  {
    size = { width: 1280, height: 800 },
    args = [],
    prefs = {},
    sharedMemory = true,
    limit = LIMIT,
  } = {},
) {
  const browser = await launchEngine(engine, { size, args, prefs, sharedMemory });
  return limit === Infinity ? browser : limitBrowser(browser, limit);
}

/**
 * Waits until an expression is true in the page.
 *
 * @param {Page} page
 * @param {Function | string} condition
 * @param {{ timeout?: number }} [options] in milliseconds
 */
export async function waitFor(page, condition, { timeout = 30_000 } = {}) {
  const end = Date.now() + timeout;
  while (!(await page.evaluate(condition))) {
    if (Date.now() > end) {
      throw new Error(`still not true after ${timeout} ms: ${condition}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
