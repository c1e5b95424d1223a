// Runs every part of the tests, whatever becomes of the others, and adds up
// what they count:
//
//   node tools/test-all.mjs [PART...]
//
// PART is the beginning of a name in the table below, such as `node` or
// `browser firefox`. `make test` builds what they need before. Parts whose name
// begins with `stress` take long, and run only if they are asked for. What is
// native keeps all cores busy and runs alone; of the others, which wait much,
// several run side by side, and each prints what it has to say at its end.

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { engines } from '../tests/browser/drivers.mjs';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** A part that takes longer hangs; in minutes. */
const LIMIT = { usual: 30, stress: 240 };
/** So many parts run side by side. */
const LANES = 2;

/** Runs files with Node's test runner. */
const nodeTest = (...files) => ['node', '--test', '--test-reporter=spec', ...files];
const filesIn = (folder) =>
  readdirSync(ROOT + folder)
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => `${folder}/${name}`);
const browser = (engine, ...options) => [
  ...['node', 'tests/browser/run.mjs', '--engine', engine],
  ...options,
];
/** The suite in another tier; see tests/tiers/. */
const nodeTier = (tier) => [
  ...['env', `COWORKER_TIER=${tier}`, 'node', '--import', './tests/tiers/register.mjs'],
  ...['--test', '--test-reporter=spec', ...filesIn('tests/suite')],
];
/** In the other tiers, the whole suite but the races, which Node has. */
const FILES = filesIn('tests/suite')
  .map((file) => file.replace(/.*\/(.*)\.test\.js$/, '$1'))
  .filter((name) => name !== 'stress')
  .join(',');
const browserTier = (engine, tier) => browser(engine, '--tier', tier, '--suite', FILES);
const headers = (engine) => ['node', 'tests/headers/headers.test.mjs', '--engine', engine];
const tabs = (engine) => ['node', 'tests/tabs/tabs.test.mjs', '--engine', engine];
/** The races in C, by what they are about. They say themselves how long each takes. */
const RACES = readdirSync(`${ROOT}tests/c`)
  .map((file) => /^stress_(.*)_test\.c$/.exec(file)?.[1])
  .filter((name) => name !== undefined);
const stress = (flavour) =>
  RACES.map((name) => [
    `stress ${flavour} ${name}`,
    [
      ...['env', 'TSAN_OPTIONS=halt_on_error=1', 'ASAN_OPTIONS=detect_leaks=1'],
      `build/${flavour}/tests/stress_${name}_test`,
    ],
  ]);
const stressWasm = RACES.map((name) => [
  `stress wasm ${name}`,
  ['node', `build/wasm-node/tests/stress_${name}_test.cjs`],
]);
const demo = (engine) => ['node', 'tests/demo/demo.test.mjs', '--engine', engine];

/** Every part: its name and its command. */
const PARTS = [
  ['native plain', ['make', '-j2', 'run-native']],
  ['native asan', ['make', '-j2', 'run-asan']],
  ['native tsan', ['make', '-j2', 'run-tsan']],
  ['native roles', ['make', 'roles']],
  ['native model', ['make', '-j2', 'model']],
  ['node core', ['make', '-j2', 'run-wasm']],
  ['node unit', nodeTest(...filesIn('tests/unit'))],
  ['node suite', nodeTest(...filesIn('tests/suite'))],
  ['node isolated', nodeTier('isolated')],
  ['node inline', nodeTier('inline')],
  ['node tabs', nodeTest(...filesIn('tests/tabs'))],
  ['node package', nodeTest('tests/package/run.mjs')],
  ['node bundlers', nodeTest('tests/bundlers/run.mjs')],
  ['node examples', nodeTest('examples/examples.test.mjs')],
  ['node readme', nodeTest('tests/readme.test.mjs', 'tests/guide.test.mjs')],
  ['browser chromium', browser('chromium')],
  ['browser firefox', browser('firefox')],
  ['browser webkit', browser('webkit')],
  ...engines.flatMap((engine) => [
    [`browser ${engine} isolated`, browserTier(engine, 'isolated')],
    [`browser ${engine} inline`, browserTier(engine, 'inline')],
    [`headers ${engine}`, headers(engine)],
    [`tabs ${engine}`, tabs(engine)],
  ]),
  ['demo chromium', demo('chromium')],
  ['demo firefox', demo('firefox')],
  ['demo webkit', demo('webkit')],
  ...['native', 'asan', 'tsan'].flatMap(stress),
  ...stressWasm,
  ['stress suite', nodeTest('tests/suite/stress.test.js')],
];
const isStress = (name) => name.startsWith('stress');
const runsAlone = (name) => /^(?:native|stress|node core)/.test(name);

/** What Node's runner and the model checker say of tests that are in order, and the runner's sums. */
const QUIET =
  /^\s*(?:[✔▶ℹ]|﹣.*# test name does not match|\w+: [\d,]+ interleavings(?:, [\w, ]+ steps)?, ok$|\w+ mutant ".*": caught|$)/u;

/** What the runners say of a test that failed, or of a program of them. */
const FAILED = /^\s*✖ (?!failing tests:)|^\w+(?: \w+)? FAIL |^FAILED |^--- /u;
/** So many of a part's failures are told again at the end. */
const RETOLD = 10;

/** Takes the counts out of one line; later lines overrule earlier ones. */
function count(line, counts) {
  const sums = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/.exec(line);
  if (sums) {
    counts.set('pass', Number(sums[1]));
    counts.set('fail', Number(sums[2]));
    counts.set('skipped', Number(sums[3] ?? 0));
  }
  const one = /^(?:ℹ|#) (pass|fail|cancelled|skipped) (\d+)$/.exec(line);
  if (one) counts.set(one[1], Number(one[2]));
}

/** Runs one part; hands on what went wrong in it and what it has to say. */
async function run(name, [command, ...args], print) {
  const started = performance.now();
  const counts = new Map();
  print(`== ${name}`);
  // A group of its own, so that nothing is left of a part that hangs.
  const child = spawn(command, args, {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Else the runner would take this for a test of its own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, MAKEFLAGS: undefined },
  });
  const failures = new Set();
  let late = false;
  const minutes = isStress(name) ? LIMIT.stress : LIMIT.usual;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-child.pid, 'SIGKILL');
  }, minutes * 60_000);
  const stop = (signal) => {
    process.kill(-child.pid, 'SIGTERM');
    process.exitCode = 1;
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      count(line, counts);
      if (FAILED.test(line)) failures.add(line.trim());
      if (isStress(name) || !QUIET.test(line)) print(line);
    });
  }
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve('not started'));
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearTimeout(timer);
  for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);

  const passed = counts.get('pass') ?? 0;
  const skipped = counts.get('skipped') ?? 0;
  let failed = (counts.get('fail') ?? 0) + (counts.get('cancelled') ?? 0);
  let note = '';
  if (late) note = `took longer than ${minutes} minutes`;
  else if (status !== 0 && failed === 0) note = `ended with ${status}`;
  else if (passed + failed === 0) note = 'ran no test';
  if (note && failed === 0) failed = 1;
  const seconds = (performance.now() - started) / 1000;
  return { name, passed, failed, skipped, seconds, note, failures: [...failures] };
}

const wanted = process.argv.slice(2);
const parts = PARTS.filter(([name]) =>
  wanted.length === 0 ? !isStress(name) : wanted.some((part) => name.startsWith(part)),
);
const results = [];
for (const [name, command] of parts.filter(([part]) => runsAlone(part))) {
  results.push(await run(name, command, console.log));
}
const others = parts.filter(([name]) => !runsAlone(name));
const places = new Map(others.map(([name], index) => [name, results.length + index]));
const lane = async () => {
  for (let next; (next = others.shift());) {
    const [name, command] = next;
    const lines = [];
    results[places.get(name)] = await run(name, command, (line) => lines.push(line));
    console.log(lines.join('\n'));
  }
};
await Promise.all(Array.from({ length: LANES }, lane));

console.log('\npart                       passed  failed  skipped  seconds');
for (const { name, passed, failed, skipped, seconds, note } of results) {
  const numbers = [passed, failed, skipped, seconds.toFixed(1)];
  const cells = numbers.map((number, index) => String(number).padStart([6, 8, 9, 9][index]));
  console.log(`${name.padEnd(27)}${cells.join('')}  ${note}`.trimEnd());
}
for (const { name, failures } of results) {
  for (const line of failures.slice(0, RETOLD)) console.log(`\nin ${name}: ${line}`);
}
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
process.exitCode = sum('failed') === 0 && results.length > 0 ? 0 : 1;
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
