// Browsers whose calls end: one that hangs is an error that names the call.

/** A browser has not answered in time; nothing more is to be expected of it. */
export class NoAnswer extends Error {
  name = 'NoAnswer';
}

/** At most so much of a call's arguments is told. */
const TOLD = 300;

function describe(name, args) {
  const told = args.map((arg) => String(arg).replace(/\s+/g, ' ')).join(', ');
  return `${name}(${told.length > TOLD ? `${told.slice(0, TOLD)}...` : told})`;
}

async function within(limit, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    const message = `the browser has not answered ${what} within ${limit / 1000} s`;
    timer = setTimeout(() => reject(new NoAnswer(message)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function limitCalls(target, limit, names, wrap = (value) => value) {
  return new Proxy(target, {
    get(_, key) {
      // Methods run on what they belong to, which has private fields.
      const value = target[key];
      if (typeof value !== 'function') return value;
      if (!names.includes(key)) return value.bind(target);
      return async (...args) =>
        wrap(await within(limit, describe(key, args), value.apply(target, args)));
    },
  });
}

const PAGE_CALLS = 'goto back follow evaluate click screenshot show crash freeze close'.split(' ');

/**
 * @param {import('./drivers.mjs').Browser} browser
 * @param {number} limit of each call, in milliseconds; its `close` has one anyway
 * @returns {import('./drivers.mjs').Browser}
 */
export function limitBrowser(browser, limit) {
  return limitCalls(browser, limit, ['newPage'], (page) => limitCalls(page, limit, PAGE_CALLS));
}
