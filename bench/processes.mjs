// The processes that a browser consists of, and their threads (Linux only).

import { readdirSync, readFileSync } from 'node:fs';

/** The fields of a stat file of /proc: name, then all behind it. */
function stat(path) {
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${path}/stat`, 'utf8'));
  return { name, fields: rest.split(' ') };
}

const numbers = (path) => readdirSync(path).filter((entry) => /^\d+$/.test(entry));

/** All that this process has started, and what these have. */
export function descendants() {
  const parents = new Map();
  for (const pid of numbers('/proc')) {
    try {
      parents.set(Number(pid), Number(stat(pid).fields[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isMine = (pid) => pid === process.pid || (parents.has(pid) && isMine(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== process.pid && isMine(pid));
}

/** Threads of descendants whose name fits, with their processor time so far. */
export function threads(name) {
  const found = [];
  for (const pid of descendants()) {
    try {
      for (const id of numbers(`/proc/${pid}/task`)) {
        const { name: own, fields } = stat(`${pid}/task/${id}`);
        const ticks = Number(fields[11]) + Number(fields[12]);
        if (name.test(own)) found.push({ pid, id: Number(id), ticks });
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
