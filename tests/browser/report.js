// Tells run.mjs what happens in the page, by POST as that works in all engines.
// A classic script, so that it is there before any module is loaded.

(() => {
  const params = new URLSearchParams(location.search);
  const run = params.get('run');
  // WebDriver has no console events; elsewhere the driver sees those, also of
  // workers, and they must not be shown twice.
  const sendConsole = params.has('console');
  // A suite may replace these.
  const { fetch, setTimeout } = globalThis;
  let sequence = 0;

  /**
   * Sends a message; resolves when the server has it.
   *
   * @param {string} type
   * @param {object} [detail]
   */
  const report = async (type, detail = {}) => {
    const body = JSON.stringify({ run, sequence: sequence++, type, ...detail });
    await fetch('/progress', { method: 'POST', body });
  };

  const inspect = (value) => {
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  };

  /** Text for an error, or for anything else that was thrown. */
  const describeError = (error) => {
    if (!(error instanceof Error)) return `thrown: ${inspect(error)}`;
    const stack = (error.stack ?? '')
      .split('\n')
      .filter((line) => line !== '' && !line.includes('/mocha/mocha.js'))
      .join('\n');
    // V8's stacks begin with the message, others do not have it.
    let text = stack.startsWith(`${error}`) ? stack : `${error}\n${stack}`;
    if ('actual' in error && 'expected' in error) {
      text += `\nactual:   ${inspect(error.actual).slice(0, 2000)}`;
      text += `\nexpected: ${inspect(error.expected).slice(0, 2000)}`;
    }
    for (const inner of error.errors ?? []) {
      text += `\ninner: ${describeError(inner)}`;
    }
    if (error.cause !== undefined) {
      text += `\ncause: ${describeError(error.cause)}`;
    }
    return text.trimEnd();
  };

  const print = (value) => {
    if (typeof value === 'string') return value;
    return value instanceof Error ? describeError(value) : inspect(value);
  };

  for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
    const original = console[level];
    console[level] = (...args) => {
      const text = args.map(print).join(' ');
      original.call(console, text);
      if (sendConsole) void report('console', { level, text });
    };
  }

  const onUncaught = (event, error) => {
    // Not at once: a test that expects the error prevents the default.
    setTimeout(() => {
      if (event.defaultPrevented || harness.failTest(error)) return;
      void report('error', { text: describeError(error) });
    });
  };
  addEventListener('error', (event) => {
    onUncaught(event, event.error ?? new Error(event.message));
  });
  addEventListener('unhandledrejection', (event) => {
    onUncaught(event, event.reason);
  });

  const harness = {
    params,
    report,
    describeError,
    /** Replaced by the adapter: fails the running test, if there is one. */
    failTest: () => false,
  };
  globalThis.harness = harness;
})();
