// What a page has to load.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { row } from './report.mjs';

const gzipped = (data) => gzipSync(data, { level: 9 }).length / 1000;

/** The page's and the worker's code as a bundler makes it, with the glue. */
async function bundled(entry) {
  const folder = mkdtempSync('build/size-');
  try {
    const { output } = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: folder,
        write: false,
        target: 'es2022',
        modulePreload: false,
        rollupOptions: { input: entry, preserveEntrySignatures: 'strict' },
      },
    });
    const chunks = output.filter(({ fileName }) => fileName.endsWith('.js'));
    return chunks
      .map(({ code, source }) => code ?? source)
      .reduce((sum, text) => sum + gzipped(text), 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function sizes() {
  return [
    row('size: WebAssembly, gzip', 'kB', gzipped(readFileSync('dist/coworker.wasm')), {
      atMost: 24,
    }),
    row('size: JavaScript of page and default worker, gzip', 'kB', await bundled('dist/index.js'), {
      atMost: 16,
    }),
  ];
}

export const sizeGroups = () => ({ 'size: ': sizes });
