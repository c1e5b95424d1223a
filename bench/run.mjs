// Measures coworker against other packages and against the bare platform:
//
//   node bench/run.mjs [--only PATTERN] [--quick] [--no-browsers]
//
// PATTERN is a part of a row's name. Prints a table and writes
// build/bench.json. The exit code is 0 also when a goal is missed: what is
// measured on a busy machine is no test.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { browserGroups } from './browser.mjs';
import { coreGroups } from './core.mjs';
import { nodeGroups } from './node.mjs';
import { table } from './report.mjs';
import { sizeGroups } from './sizes.mjs';
import { tabsGroups } from './tabs.mjs';

const OUTPUT = 'build/bench.json';

const { values } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    browsers: { type: 'boolean', default: true },
  },
});
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const turns = values.quick ? { rounds: 5, time: 30 } : { rounds: 15, time: 60 };
const options = { quick: values.quick, turns };
const groups = {
  ...nodeGroups(options),
  ...(values.browsers ? { ...browserGroups(options), ...tabsGroups(options) } : {}),
  ...sizeGroups(options),
  ...coreGroups(options),
};

const rows = [];
for (const [name, measure] of Object.entries(groups)) {
  if (!name.toLowerCase().includes(values.only.toLowerCase())) continue;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name} ...`);
  try {
    rows.push(...(await measure()));
  } catch (error) {
    console.error(`\n${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
console.log(table(rows));
mkdirSync('build', { recursive: true });
writeFileSync(OUTPUT, `${JSON.stringify(rows, undefined, 2)}\n`);
