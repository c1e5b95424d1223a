/**
 * One pool of workers for all tabs: the entry for Node.
 *
 * @module
 */
import './index.node.js';

export { RoleEvent, SharedWorkerContext, newSharedWorkerContext } from './tabs-context.js';
export type { SharedContextOptions, SharedStats } from './tabs-context.js';
export type { Broker } from './tabs-meeting.js';
export type { Role } from './tabs-seat.js';
