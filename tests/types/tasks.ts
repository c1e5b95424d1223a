// A task module as users write it.

import type { Scope } from 'coworker/worker';

export function add(_scope: Scope, a: number, b: number): number {
  return a + b;
}

export async function greet(scope: Scope, name: string): Promise<string> {
  await scope.delay(1);
  return `${name}, I'm executing in ${scope.workerName}`;
}

export function repeat(_scope: Scope, text: string, count = 2): string[] {
  return new Array<string>(count).fill(text);
}

export function stop(scope: Scope): void {
  scope.ensureActive();
}

export async function* countTo(scope: Scope, most: number): AsyncGenerator<number> {
  for (let n = 1; n <= most; n++) {
    scope.progress({ part: n / most });
    yield n;
  }
  await scope.yield();
}

export const limit = 3;
