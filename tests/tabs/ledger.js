// Writes into the ledger of the tests' server; see ledger.mjs.

const url = new URL('/tests/tabs/ledger', location.href).href;
const bodyOf = (pool, records) => JSON.stringify({ pool, records });

/** Comes back when it is written. */
export function write(pool, ...records) {
  const request = new XMLHttpRequest();
  request.open('POST', url, false);
  request.send(bodyOf(pool, records));
}

/** Writes what comes together meanwhile; `isIdle` once all is there. */
export class Writer {
  isIdle = true;
  #pool;
  #waiting = [];

  constructor(pool) {
    this.#pool = pool;
  }

  add(record) {
    this.#waiting.push(record);
    if (!this.isIdle) return;
    this.isIdle = false;
    this.#send();
  }

  async #send() {
    while (this.#waiting.length > 0) {
      const body = bodyOf(this.#pool, this.#waiting.splice(0));
      await fetch(url, { method: 'POST', body });
    }
    this.isIdle = true;
  }
}
