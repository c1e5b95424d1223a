// Contexts that all pages of an origin share.

import { FixedWorkerContext } from 'coworker';
import type { Deferred, Tier } from 'coworker';
import { RoleEvent, SharedWorkerContext, newSharedWorkerContext } from 'coworker/tabs';
import type { Broker, Role, SharedContextOptions, SharedStats } from 'coworker/tabs';
import { expectType } from './expect.js';
import * as tasks from './tasks.js';

const options: SharedContextOptions = { broker: 'broadcast', patience: 1000, handover: 0 };
const context = await newSharedWorkerContext<typeof tasks>(2, 'shared', options);
expectType<SharedWorkerContext<typeof tasks>>(context);

// It is used as a context of one page.
const fixed: FixedWorkerContext<typeof tasks> = context;
expectType<Deferred<number>>(fixed.async('add', 1, 2));
expectType<number>(await context.async({ idempotent: true }, 'add', 1, 2));
// @ts-expect-error: the wrong type of argument
context.async('add', 1, '2');
// @ts-expect-error: not a boolean
context.launch({ idempotent: 'yes' }, 'add', 1, 2);

expectType<Role>(context.role);
context.addEventListener('rolechange', (event) => {
  expectType<RoleEvent>(event);
  expectType<number>(event.epoch);
});
const stats: SharedStats = context.stats();
expectType<Tier | ''>(stats.hostTier);
expectType<number>(stats.launched + stats.epoch + stats.clients + stats.refused);

export const broker: Broker = 'auto';
// @ts-expect-error: no such broker
export const none: SharedContextOptions = { broker: 'worker' };
// @ts-expect-error: its options are no less strict than those of one page
void newSharedWorkerContext(2, 'shared', { patience: '5' });
// @ts-expect-error: read-only
context.role = 'host';
