// Makes of what Node loads as few files as its threads need, since it takes a
// worker half a millisecond to find and load one. For the Makefile, once all is
// compiled anew.
//
// Each of the package's entry points for Node is replaced by itself with all
// that only it imports; what several of them import is in files of its own, so
// that whoever imports two entry points has everything once. The glue stays as it
// is. Browsers get the files as they are compiled, which bundlers cut best.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const DIST = join(ROOT, 'dist');
const ENTRIES = ['index', 'tabs', 'test', 'worker', 'worker-core', 'worker-default'];

const fileOf = (entry) => join(DIST, `${entry}.node.js`);

/** Modules by the file that they go to. */
const parts = {
  /** What one of the main thread and workers needs at once, and the other ever. */
  shared: new Set(),
  /** What else the main thread needs at once, */
  main: new Set(),
  /** and what a worker. */
  thread: new Set(),
};

const plugin = {
  name: 'coworker',
  load: (id) => ({ code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') }),
  buildEnd() {
    const reach = (id, isLater, found = new Set()) => {
      if (found.has(id)) return found;
      found.add(id);
      const { importedIds = [], dynamicallyImportedIds = [] } = this.getModuleInfo(id) ?? {};
      for (const next of importedIds) reach(next, isLater, found);
      if (isLater) for (const next of dynamicallyImportedIds) reach(next, isLater, found);
      return found;
    };
    const [main, worker] = ['index', 'worker-core'].map((entry) => ({
      now: reach(fileOf(entry), false),
      ever: reach(fileOf(entry), true),
    }));
    for (const id of main.ever) {
      if (main.now.has(id) ? worker.ever.has(id) : worker.now.has(id)) parts.shared.add(id);
      else if (main.now.has(id)) parts.main.add(id);
    }
    for (const id of worker.now) if (!parts.shared.has(id)) parts.thread.add(id);
  },
};

const bundle = await rolldown({
  cwd: ROOT,
  platform: 'node',
  input: Object.fromEntries(ENTRIES.map((entry) => [`${entry}.node`, fileOf(entry)])),
  external: /\.mjs$/,
  plugins: [plugin],
});
await bundle.write({
  dir: DIST,
  entryFileNames: '[name].js',
  chunkFileNames: '[name].node.js',
  sourcemap: true,
  codeSplitting: {
    groups: Object.entries(parts).map(([name, ids]) => ({ name, test: (id) => ids.has(id) })),
  },
});
await bundle.close();
