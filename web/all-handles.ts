/**
 * Every kind of handle, for workers, whose tasks may be handed any.
 *
 * @module
 */
import { registerBroadcasts } from './broadcast.js';
import { registerChannels } from './channel.js';
import { registerMutexes } from './mutex.js';
import { registerSemaphores } from './semaphore.js';

/** Lets arguments bring handles of all kinds. */
export function registerHandles(): void {
  registerBroadcasts();
  registerChannels();
  registerMutexes();
  registerSemaphores();
}
