/**
 * The command line.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const usage = `Usage: node main.js [OPTION]... DIR
Prints the SHA-256 of every file below DIR, in the order of their names, as
sha256sum does. Symbolic links are not followed.

  -w, --workers N  hash on N workers (as many as this machine has processors: ${availableParallelism()})
  -q, --quiet      draw no progress bar
  -h, --help       print this and end

The exit status is 0 if all is well, 1 if a file or folder could not be read,
2 for a wrong command line, and 130 after Ctrl-C.
`;

/** What the user can put right; says how. */
export class UsageError extends Error {
  constructor(message, hint = "Try 'node main.js --help'.") {
    super(message);
    this.hint = hint;
  }
}

const MAX_WORKERS = 256;

/** @returns `{ help, quiet, workers, root }`; throws a UsageError */
export function parse(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        workers: { type: 'string', short: 'w' },
        quiet: { type: 'boolean', short: 'q', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error.message.split('. ')[0].replaceAll('\n', ' '));
  }
  const { values, positionals } = parsed;
  const { help, quiet } = values;
  if (help) return { help };
  const workers = Number(values.workers ?? availableParallelism());
  if (!/^\d+$/.test(values.workers ?? '1') || workers < 1 || workers > MAX_WORKERS) {
    throw new UsageError(
      `--workers takes a number from 1 to ${MAX_WORKERS}, not '${values.workers}'`,
    );
  }
  if (positionals.length === 0) throw new UsageError('DIR is missing');
  if (positionals.length > 1) throw new UsageError(`one DIR is enough, got ${positionals.length}`);
  if (positionals[0] === '') throw new UsageError('DIR is empty');
  return { help, quiet, workers, root: positionals[0] };
}
