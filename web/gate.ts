/**
 * The core's exports in a worker's realm, whose code may be killed at any moment.
 *
 * @module
 */
import * as layout from './layout.gen.js';
import type { CoreModule } from './module.js';

type Export = (...args: never[]) => unknown;

/** These pass the gate by themselves, or are the gate. */
const ungated = new Set([
  '_cwb_run',
  '_cwb_enter',
  '_cwb_leave',
  '_cwb_trapped',
  '_cwb_running_name',
  '_cwb_thread_end',
  '_cwb_stack_save',
  '_cwb_stack_restore',
]);

/**
 * What calls of the core throw once the thread is over. Nobody is told: engines
 * may let a thread that was terminated go on with what is next in its queues.
 */
export const GONE = new Error('coworker: this worker was ended');

/**
 * Makes each call of the module pass the kill gate: whoever kills this thread
 * waits until it is out of the core. One that was declared dead does not come
 * back from such a call. Whoever holds the module already is to pass it, too, so
 * the module itself is changed.
 * @param gone - throws {@link GONE}
 */
export function gate(module: CoreModule, gone: () => never): void {
  const exported = module as unknown as Record<string, unknown>;
  const enter = exported._cwb_enter as () => number;
  const leave = exported._cwb_leave as () => void;
  for (const [name, call] of Object.entries(exported)) {
    if (typeof call !== 'function' || !/^_cwb?_/.test(name) || ungated.has(name)) continue;
    exported[name] = (...args: never[]) => {
      const found = enter();
      if (found === layout.GATE_GONE) gone();
      try {
        return (call as Export)(...args);
      } finally {
        if (found === layout.GATE_WAS_OPEN) leave();
      }
    };
  }
}
