// A small client for W3C WebDriver, which is how WebKit can be driven.

import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/**
 * Sends one command to a driver on this machine. Not with `fetch`, which gives
 * up on an answer after 300 s.
 *
 * @param {number} port
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>} the answer's value
 */
export function send(port, method, path, body) {
  return new Promise((done, fail) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(text),
      },
    };
    const req = request(options, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', fail);
      res.on('end', () => {
        try {
          const { value } = JSON.parse(Buffer.concat(chunks).toString());
          if (res.statusCode < 400) done(value);
          else fail(new Error(`${value.error}: ${value.message}`));
        } catch (error) {
          fail(new Error(`no WebDriver answer to ${path}`, { cause: error }));
        }
      });
    });
    req.on('error', fail);
    req.end(text);
  });
}

/** A window, with the interface described in drivers.mjs. */
class WebDriverPage {
  #browser;
  #handle;

  constructor(browser, handle) {
    this.#browser = browser;
    this.#handle = handle;
  }

  #command(method, path, body) {
    return this.#browser.command(this.#handle, method, path, body);
  }

  async goto(url) {
    await this.#command('POST', '/url', { url });
  }

  /** Not by a script, as the one that comes next may get lost with the page that goes. */
  async back() {
    await this.#command('POST', '/back', {});
  }

  async evaluate(script, ...args) {
    const expression = typeof script === 'function' ? `(${script}).apply(null, args)` : script;
    // Results go as text, since the driver changes the order of keys and has
    // no `undefined`; failures too, to keep the page's stack.
    const answer = await this.#command('POST', '/execute/async', {
      args: [args],
      script: `const [args, done] = arguments;
        (async () => (${expression}
        ))().then(
          (value) => done({ json: JSON.stringify(value) ?? null }),
          (error) => done({ error: String(error), stack: error?.stack }),
        );`,
    });
    if (!('error' in answer)) {
      return answer.json === null ? undefined : JSON.parse(answer.json);
    }
    const error = new Error(answer.error);
    error.stack = `${answer.error}\n${answer.stack ?? ''}`;
    throw error;
  }

  async #find(selector) {
    const query = { using: 'css selector', value: selector };
    const found = await this.#command('POST', '/element', query);
    return `/element/${found[ELEMENT]}`;
  }

  async click(selector) {
    await this.#command('POST', `${await this.#find(selector)}/click`, {});
  }

  /** The click's answer may come before the page has begun to go. */
  async follow(selector) {
    const page = await this.#find('html');
    await this.click(selector);
    const isThere = () =>
      this.#command('GET', `${page}/name`).then(
        () => true,
        () => false,
      );
    while (await isThere()) await new Promise((done) => setTimeout(done, 20));
    await this.#command('GET', '/url'); // which waits for the one that comes
  }

  async screenshot(path) {
    const data = await this.#command('GET', '/screenshot');
    await writeFile(path, Buffer.from(data, 'base64'));
  }

  /** WebDriver has no events; a page has to report to its server instead. */
  on() {}

  async close() {
    await this.#command('DELETE', '/window');
  }
}

/** A session, with the interface described in drivers.mjs. */
export class WebDriverBrowser {
  engine;
  version;
  #port;
  #session;
  #size;
  #cleanUp;
  #first;
  #current;
  #queue = Promise.resolve();

  /**
   * @param {object} options
   * @param {string} options.engine
   * @param {number} options.port of the driver
   * @param {any} options.session answer to the command that made the session
   * @param {{ width: number, height: number }} options.size of its pages
   * @param {() => Promise<void>} options.cleanUp ends the driver's processes
   */
  constructor({ engine, port, session, size, cleanUp }) {
    this.engine = engine;
    this.version = session.capabilities.browserVersion;
    this.#port = port;
    this.#session = `/session/${session.sessionId}`;
    this.#size = size;
    this.#cleanUp = cleanUp;
  }

  #send(method, path, body) {
    return send(this.#port, method, this.#session + path, body);
  }

  /**
   * Sends a command to one window. One after the other, as the window that
   * commands go to is a state of the session.
   */
  command(handle, method, path, body) {
    const result = this.#queue.then(async () => {
      if (handle && this.#current !== handle) {
        this.#current = undefined;
        await this.#send('POST', '/window', { handle });
        this.#current = handle;
      }
      return await this.#send(method, path, body);
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  async newPage() {
    // The first window stays open, since a session ends with its last one.
    if (!this.#first) {
      this.#first = await this.command(undefined, 'GET', '/window');
      await this.command(undefined, 'POST', '/timeouts', { script: 1e9 });
    }
    const { handle } = await this.command(this.#first, 'POST', '/window/new', {
      type: 'window',
    });
    const page = new WebDriverPage(this, handle);
    const [dx, dy] = await page.evaluate(() => [
      outerWidth - innerWidth,
      outerHeight - innerHeight,
    ]);
    await this.command(handle, 'POST', '/window/rect', {
      width: this.#size.width + dx,
      height: this.#size.height + dy,
    });
    return page;
  }

  async close() {
    // A page that is stuck would keep the session from ever being deleted.
    const timeout = new Promise((done) => setTimeout(done, 3000).unref());
    await Promise.race([this.#send('DELETE', '').catch(() => {}), timeout]);
    await this.#cleanUp();
  }
}
