#!/usr/bin/env node
/**
 * hash-tree: prints what sha256sum prints for all files below a folder, hashed
 * in C on a pool of workers.
 */
import { once } from 'node:events';
import { Main, newFixedWorkerContext } from 'coworker';
import { HashTree, memoryFor } from './hash-tree.js';
import { UsageError, parse, usage } from './options.js';
import { Progress } from './progress.js';

const { stdout, stderr } = process;
const complain = (text, encoding) => stderr.write(`hash-tree: ${text}\n`, encoding);
const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Why it stops before it is done, and the exit status that says so. */
class Stopped extends Error {
  constructor(name, status) {
    super(name);
    this.status = status;
  }
}

/** Calls `stop` on Ctrl-C and the like; the second one ends the process. */
function onInterrupt(stop, restore) {
  for (const [name, status] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
    process.once(name, () => {
      stop(new Stopped(name, status));
      process.once(name, () => {
        restore();
        process.exit(status);
      });
    });
  }
  // As `hash-tree | head` ends it; others die of this by a signal.
  stdout.on('error', (error) => stop(error.code === 'EPIPE' ? new Stopped('EPIPE', 141) : error));
}

async function load() {
  const url = new URL('../../build/examples/02-hash-tree/hash-tree.mjs', import.meta.url);
  try {
    return (await import(url)).default;
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError('its WebAssembly is not built', "Run 'make examples'.");
  }
}

async function run({ workers, quiet, root }) {
  const stopper = new AbortController();
  const context = await newFixedWorkerContext(workers, 'hash-tree', {
    module: await load(),
    memory: memoryFor(workers),
    worker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  });
  const tree = new HashTree(context, root);
  const progress = new Progress(stderr, () => tree);
  onInterrupt(
    (reason) => stopper.abort(reason),
    () => progress.stop(),
  );
  let status = 0;
  try {
    // A scope: all that is started in it has ended when this is over.
    await Main.async({ signal: stopper.signal }, async (scope) => {
      const survey = scope.launch(async (own) => {
        if (!stderr.isTTY || quiet) return;
        progress.start();
        await tree.survey(own);
      });
      for await (const { lines, problems } of tree.run(scope)) {
        if (problems.length > 0) {
          status = 1;
          progress.clear();
          problems.forEach((problem) => complain(problem, 'latin1'));
        }
        if (stdout.isTTY) progress.clear();
        if (!stdout.write(lines, 'latin1')) await once(stdout, 'drain', { signal: scope.signal });
      }
      survey.cancel(); // nobody looks any more
    });
  } catch (error) {
    const { aborted, reason } = stopper.signal;
    if (!aborted) throw error;
    if (!(reason instanceof Stopped)) throw reason;
    status = reason.status;
    if (reason.message !== 'EPIPE') {
      progress.stop();
      complain(`stopped after ${(tree.bytes / 1e6).toFixed(1)} MB in ${count(tree.files, 'file')}`);
    }
  } finally {
    progress.stop();
    await context.close();
  }
  return status;
}

async function main(args) {
  try {
    const options = parse(args);
    if (options.help) stdout.write(usage);
    else process.exitCode = await run(options);
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}\n${error.hint}`);
    else complain(error.stack ?? String(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

await main(process.argv.slice(2));
