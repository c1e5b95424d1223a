// What a page has to load, as tools/size.mjs says.

import { spawnSync } from 'node:child_process';
import { row } from './report.mjs';

function sizes() {
  // It fails when a limit is exceeded, which is only one of the rows here.
  const { stdout, stderr } = spawnSync(process.execPath, ['tools/size.mjs'], { encoding: 'utf8' });
  const lines = stdout.matchAll(/^\s*(.*?)\s+([\d.]+) kB(?:.*at most ([\d.]+) kB)?/gm);
  const rows = Array.from(lines, ([, what, size, limit]) =>
    row(`size: ${what}, gzip`, 'kB', Number(size), { atMost: limit && Number(limit) }),
  );
  if (rows.length === 0) throw new Error(`tools/size.mjs failed: ${stderr}`);
  return rows;
}

export const sizeGroups = () => ({ 'size: ': sizes });
