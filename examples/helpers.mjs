/**
 * Running programs from tests.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a program to its end.
 * @param options - of spawn(); `started` is called with the process
 * @returns `{ stdout, stderr, status, signal, ms }`, the output as strings of bytes
 */
export function run(command, args, { started, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command, args, { cwd: root, ...options });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('latin1').on('data', (text) => (output[name] += text));
    }
    child.on('error', reject);
    child.on('close', (status, signal) =>
      resolve({ ...output, status, signal, ms: performance.now() - began }),
    );
    started?.(child);
  });
}
