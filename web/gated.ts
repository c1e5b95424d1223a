/**
 * The core's exports for a realm whose code may be killed at any moment.
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
 * The same module, each call of which passes the kill gate: whoever kills this
 * thread waits until it is out of the core. One that was declared dead does not
 * come back from such a call.
 */
export function gated(module: CoreModule): CoreModule {
  const guarded = Object.create(module) as Record<string, unknown>;
  const enter = () => module._cwb_enter();
  const leave = () => module._cwb_leave();
  for (const [name, call] of Object.entries(module)) {
    if (typeof call !== 'function' || !/^_cwb?_/.test(name) || ungated.has(name)) continue;
    guarded[name] = (...args: never[]) => {
      const entered = enter();
      try {
        return (call as Export)(...args);
      } finally {
        if (entered !== 0) leave();
      }
    };
  }
  return guarded as unknown as CoreModule;
}
