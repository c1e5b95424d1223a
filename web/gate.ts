/**
 * The core's exports in a realm whose code may be killed at any moment.
 *
 * @module
 */
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
 * Makes each call of the module pass the kill gate: whoever kills this thread
 * waits until it is out of the core. One that was declared dead does not come
 * back from such a call. Whoever holds the module already is to pass it, too, so
 * the module itself is changed.
 */
export function gate(module: CoreModule): void {
  const exported = module as unknown as Record<string, unknown>;
  const enter = exported._cwb_enter as () => number;
  const leave = exported._cwb_leave as () => void;
  for (const [name, call] of Object.entries(exported)) {
    if (typeof call !== 'function' || !/^_cwb?_/.test(name) || ungated.has(name)) continue;
    exported[name] = (...args: never[]) => {
      const entered = enter();
      try {
        return (call as Export)(...args);
      } finally {
        if (entered !== 0) leave();
      }
    };
  }
}
