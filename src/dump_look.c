/* dump_look.c: what one job does, or waits for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "dump.h"

#include "channel.h"
#include "context.h"
#include "coroutine.h"
#include "gate.h"
#include "suspend.h"
#include "watch.h"

static cw_dump_kind kind_of(const cw_job *job)
{
    bool supervisor = job->flags & CW__JOB_SUPERVISOR;
    if (job->flags & CW__JOB_BARE)
        return supervisor ? CW_DUMP_BARE_SUPERVISOR : CW_DUMP_BARE;
    if (job->flags & CW__JOB_LEAF) return CW_DUMP_WAIT;
    if (job->flags & (CW__JOB_SCOPE | CW__JOB_INSIDE))
        return supervisor ? CW_DUMP_SUPERVISOR : CW_DUMP_SCOPE;
    return job->flags & CW__JOB_ASYNC ? CW_DUMP_ASYNC : CW_DUMP_LAUNCH;
}

static cw_dump_state state_of(uint32_t state)
{
    if (state & CW__JOB_NEW) return CW_DUMP_NEW;
    if (state & CW__JOB_CANCELLING) return CW_DUMP_CANCELLING;
    return state & CW__JOB_BODY_DONE ? CW_DUMP_COMPLETING : CW_DUMP_ACTIVE;
}

/* ---- what a suspended body waits for; with the body borrowed */

static void look_at_channel(cw_dump_entry *entry, cw_channel *channel)
{
    entry->object = channel;
    cw__channel_lock(channel);
    entry->count = cw__buffer_count(&channel->buffer);
    entry->capacity = channel->capacity;
    entry->closed = channel->closed;
    cw__channel_unlock(channel);
}

static void look_at_gate(cw__dump *dump, cw__node *node, cw__gate *gate)
{
    cw__lock_acquire(&gate->lock);
    const char *owner = gate->owner;
    cw__lock_release(&gate->lock);
    node->entry.object = gate;
    node->entry.doing = gate->is_mutex ? CW_DUMP_LOCK : CW_DUMP_ACQUIRE;
    if (!owner) return;
    node->waits_for = cw__dump_find(dump, owner);
    if (node->waits_for == CW__NO_NODE) /* perhaps its frame */
        node->waits_for = cw__dump_find(dump, owner - sizeof(cw_job));
}

static bool is_alive(const cw__dump *dump, uint32_t node)
{
    return node != CW__NO_NODE && !cw_is_completed(dump->nodes[node].job);
}

/* The first of the jobs that has not ended stands for all. */
static void look_at_group(cw__dump *dump, cw__node *node,
                          const cw__group *group)
{
    node->entry.doing = CW_DUMP_JOIN_ALL;
    node->entry.count = (uint32_t)group->count;
    for (size_t i = 0; i < group->count; i++) {
        if (!group->waiters[i].armed) continue;
        uint32_t target = cw__dump_find(dump, group->waiters[i].target.job);
        if (!is_alive(dump, target)) continue;
        node->waits_for = target;
        return;
    }
}

static void look_at_wait(cw__dump *dump, cw__node *node)
{
    const cw_job *job = node->job;
    cw_dump_entry *entry = &node->entry;
    const cw__waiter *waiter = &job->waiter;
    switch ((enum cw__armed)job->armed) {
    case CW__ARMED_JOB:
        entry->doing = CW_DUMP_JOIN;
        node->waits_for = cw__dump_find(dump, waiter->target.job);
        break;
    case CW__ARMED_TIMER:
        entry->doing = CW_DUMP_DELAY;
        break;
    case CW__ARMED_GROUP:
        look_at_group(dump, node, waiter->owner.pointer);
        break;
    case CW__ARMED_SEND:
        entry->doing = CW_DUMP_SEND;
        look_at_channel(entry, waiter->target.object);
        break;
    case CW__ARMED_RECEIVE:
        entry->doing = CW_DUMP_RECEIVE;
        look_at_channel(entry, waiter->target.object);
        break;
    case CW__ARMED_CLOSE:
        entry->doing = CW_DUMP_CLOSE;
        look_at_channel(entry, waiter->target.object);
        break;
    case CW__ARMED_ENTER:
        look_at_gate(dump, node, waiter->target.object);
        break;
    case CW__ARMED_SELECT:
        entry->doing = CW_DUMP_SELECT;
        entry->count = ((const cw__select *)waiter->owner.pointer)->count;
        break;
    case CW__ARMED_CALL:
        entry->doing = CW_DUMP_CALL;
        break;
    case CW__ARMED_MOVE:
    case CW__UNARMED: /* is about to go on */
        entry->doing = CW_DUMP_READY;
        break;
    }
    entry->at = job->top->type->name;
    /* CW_FINALLY and CW_END are no places to wait at. */
    int at = job->top->at;
    bool known = at > 0 && at < CW__AT_FINALLY;
    /* A wait of the host's tells its place in a file of the library's. */
    entry->line = known && !(job->flags & CW__JOB_LEAF) ? at : 0;
    node->context = job->context;
    cw__context_hold(node->context);
}

/* ---- from outside */

static void look_at_watch(cw__node *node)
{
    cw__watch *watch = cw__watch_of(node->job);
    cw_dump_entry *entry = &node->entry;
    /* What has not begun does not keep its context. */
    if (!node->context && entry->state != CW_DUMP_NEW) {
        cw__lock_acquire(&watch->lock);
        node->context = watch->context;
        if (node->context) cw__context_hold(node->context);
        cw__lock_release(&watch->lock);
    }
    uint32_t worker = cw_load_relaxed(&watch->worker);
    if (entry->doing == CW_DUMP_READY && worker) entry->doing = CW_DUMP_RUNNING;
    if (entry->doing == CW_DUMP_RUNNING) entry->worker = worker;
    /* acquire: pairs with the count of whoever runs it */
    node->turns = cw_load_acquire(&watch->turns);
    if (!node->context || entry->doing == CW_DUMP_CHILDREN ||
        entry->doing == CW_DUMP_IN_SCOPE)
        return;
    int64_t since = cw_load_relaxed(&watch->since_ns);
    int64_t ns = cw__context_now(node->context) - since;
    entry->for_ms = ns < 0 ? 0 : ns / CW__NS_PER_MS;
}

void cw__dump_look(cw__dump *dump, cw__node *node)
{
    cw_job *job = node->job;
    cw_dump_entry *entry = &node->entry;
    uint32_t state = cw_load_acquire(&job->state);
    node->over = state & CW__JOB_SEALED;
    if (node->over) return;
    entry->name = cw_job_name(job);
    entry->kind = kind_of(job);
    entry->state = state_of(state);
    entry->for_ms = -1;
    entry->at = "";
    if (state & CW__JOB_BODY_DONE) {
        entry->doing = CW_DUMP_CHILDREN;
        entry->count = node->count;
    } else if (job->flags & CW__JOB_SCOPE) {
        entry->doing = CW_DUMP_IN_SCOPE;
        node->body = cw__dump_find(dump, cw__job_task(job));
    } else if (job->flags & CW__JOB_BARE || state & CW__JOB_NEW) {
        entry->doing = CW_DUMP_NOTHING;
    } else if (job == cw_current_job()) {
        entry->doing = CW_DUMP_RUNNING;
    } else if (job->flags & CW__JOB_FOREIGN) {
        entry->doing = CW_DUMP_OUTSIDE;
    } else if (cw__task_borrow(job)) {
        look_at_wait(dump, node);
        cw__task_give_back(job);
    } else {
        entry->doing = CW_DUMP_READY;
    }
    if (cw__is_watched(job)) look_at_watch(node);
    entry->context = node->context ? node->context->name : "";
}
