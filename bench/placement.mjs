// Where threads run. Whether two threads share a processor decides how long one
// takes to wake the other, many times more than what either does then; and a
// kernel that leaves them where it first put them makes that a matter of luck.
// So comparisons of wake-ups are made twice, with the luck taken out.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The processors that this process may use. */
function processors() {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(status)[1];
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

const taskset = (...args) => execFileSync('taskset', args, { stdio: 'ignore' });

/** The placements that this machine has; only Linux lets us choose. */
export function placements() {
  try {
    const all = processors();
    taskset('-cp', all.join(','), String(process.pid));
    return all.length > 1 ? ['one core', 'two cores'] : ['one core'];
  } catch {
    return ['any core'];
  }
}

/**
 * Puts the threads of a process on one processor, or those that `isWorker` picks
 * by their names (by default all but the first one) on another.
 */
export function place(placement, pid = process.pid, isWorker = (_name, id) => id !== pid) {
  if (placement === 'any core') return;
  const [first, second] = processors();
  for (const id of readdirSync(`/proc/${pid}/task`).map(Number)) {
    const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim();
    const worker = placement === 'two cores' && isWorker(name, id);
    taskset('-cp', String(worker ? second : first), String(id));
  }
}
