// Fails if modules of a folder import each other in a circle. Imports of types
// only are not followed: they are gone when the code runs.
//
//   node tools/cycles.mjs [FOLDER]

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const folder = process.argv[2] ?? 'web';

/** The files of the same folder that a file loads when it runs. */
function importsOf(file) {
  const text = readFileSync(join(folder, file), 'utf8');
  const { statements } = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  return statements
    .filter(
      (node) =>
        (ts.isImportDeclaration(node) && !node.importClause?.isTypeOnly) ||
        (ts.isExportDeclaration(node) && !node.isTypeOnly),
    )
    .map((node) => node.moduleSpecifier?.text ?? '')
    .filter((name) => name.startsWith('./'))
    .map((name) => name.slice(2).replace(/js$/, 'ts'));
}

const files = readdirSync(folder).filter((name) => /(?<!\.d)\.ts$/.test(name));
const graph = new Map(files.map((file) => [file, importsOf(file)]));
const done = new Set();
const path = [];
let cycles = 0;

function visit(file) {
  const start = path.indexOf(file);
  if (start >= 0) {
    cycles++;
    console.error(`circular: ${[...path.slice(start), file].join(' -> ')}`);
    return;
  }
  if (done.has(file) || !graph.has(file)) return;
  path.push(file);
  graph.get(file).forEach(visit);
  path.pop();
  done.add(file);
}

files.forEach(visit);
process.exitCode = cycles ? 1 : 0;
