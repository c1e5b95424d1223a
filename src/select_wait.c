/* select_wait.c: where a select that has to wait is registered.
 *
 * SPDX-License-Identifier: MIT
 */
#include "select.h"

#include "alloc.h"
#include "context.h"

static cw__waiter **queue_of(const cw_clause *clause)
{
    if (clause->kind == CW__ON_LOCK)
        return &((cw__gate *)clause->object)->waiting;
    cw_channel *channel = clause->object;
    return clause->kind == CW__ON_SEND ? &channel->senders
                                       : &channel->receivers;
}

void cw__clause_lock(const cw_clause *clause)
{
    if (cw__clause_is_channel(clause)) {
        cw__channel_lock(clause->object);
    } else {
        cw__lock_acquire(&((cw__gate *)clause->object)->lock);
    }
}

void cw__clause_unlock(const cw_clause *clause)
{
    if (cw__clause_is_channel(clause)) {
        cw__channel_unlock(clause->object);
    } else {
        cw__lock_release(&((cw__gate *)clause->object)->lock);
    }
}

static size_t bytes_of(uint32_t count)
{
    return sizeof(cw__select) + count * sizeof(cw__clause_node);
}

void cw__select_free(cw__select *waiting, const cw_clause *clauses)
{
    for (uint32_t i = 0; i < waiting->count; i++)
        if (clauses[i].kind == CW__ON_SEND)
            cw__stash_free(&waiting->nodes[i].waiter,
                           cw__clause_element_size(&clauses[i]));
    cw__free(waiting, bytes_of(waiting->count));
}

cw__select *cw__select_new(cw__selecting *select)
{
    size_t bytes = bytes_of(select->count);
    cw__select *waiting = cw__alloc(bytes);
    if (!waiting) return NULL;
    memset(waiting, 0, bytes);
    waiting->job = select->frame->job;
    waiting->clauses = select->clauses;
    waiting->count = select->count;
    for (uint32_t i = 0; i < select->count; i++) {
        const cw_clause *clause = &select->clauses[i];
        cw__clause_node *node = &waiting->nodes[i];
        node->select = waiting;
        node->index = i;
        node->waiter.kind = CW__WAITER_CLAUSE;
        node->waiter.target.object = clause->object;
        if (clause->kind != CW__ON_SEND) {
            node->waiter.owner.pointer = clause->value;
        } else if (!cw__stash(&node->waiter, clause->value,
                              cw__clause_element_size(clause))) {
            cw__select_free(waiting, select->clauses);
            return NULL;
        }
    }
    return waiting;
}

bool cw__select_queue(cw__selecting *select, cw__select *waiting,
                      uint32_t *index)
{
    cw__segment *none;
    for (uint32_t i = 0; i < select->count; i++) {
        const cw_clause *clause = &select->clauses[i];
        if (clause->kind != CW__ON_SEND ||
            cw__channel_admits_sender(
                clause->object, cw__segment_for(select, clause->object, &none)))
            continue;
        *index = i;
        return false;
    }
    for (uint32_t i = 0; i < select->count; i++) {
        const cw_clause *clause = &select->clauses[i];
        if (cw__clause_is_channel(clause) || clause->kind == CW__ON_LOCK)
            cw__queue_add(queue_of(clause), &waiting->nodes[i].waiter);
    }
    return true;
}

void cw__select_withdraw(cw__select *waiting, cw_clause *clauses)
{
    const cw_context *context = waiting->job->context;
    for (uint32_t i = 0; i < waiting->count; i++) {
        cw__waiter *waiter = &waiting->nodes[i].waiter;
        cw_clause *clause = &clauses[i];
        if (cw__clause_is_channel(clause) || clause->kind == CW__ON_LOCK) {
            cw__clause_lock(clause);
            if (waiter->linked) cw__waiters_remove(queue_of(clause), waiter);
            cw__clause_unlock(clause);
        } else if (waiter->armed == CW__ARMED_JOB) {
            cw__job_unwait(waiter);
        } else if (waiter->armed == CW__ARMED_TIMER) {
            cw__timer_remove(&cw__timekeeper(context)->timers, waiter);
        }
    }
}

static bool is_decided(const cw__select *waiting)
{
    return cw_load_acquire(&waiting->winner) != 0;
}

/* Registers with a job or the clock. True if the clause has won by that. */
static bool watch(cw__select *waiting, cw_clause *clause, uint32_t index)
{
    cw__waiter *waiter = &waiting->nodes[index].waiter;
    if (cw__clause_is_job(clause)) {
        if (cw__job_wait(clause->object, waiter) == CW__PENDING) {
            waiter->armed = CW__ARMED_JOB;
            return false;
        }
        uint32_t open = 0;
        waiter->early = CW__HANDED;
        return cw_cas_acq_rel(&waiting->winner, &open, index + 1);
    }
    const cw_context *context = waiting->job->context;
    cw_context *keeper = cw__timekeeper(context);
    int added = keeper ? cw__timer_add(&keeper->timers, waiter,
                                       cw__context_deadline(keeper, clause->ms))
                       : cw_last_error();
    if (added < 0) {
        uint32_t open = 0;
        clause->status = added;
        return cw_cas_acq_rel(&waiting->winner, &open, index + 1);
    }
    waiter->armed = CW__ARMED_TIMER;
    cw__context_timer_added(cw__self, keeper, added == 1);
    /* seq_cst: a close that did not see the timer is seen here */
    if (cw_unlikely(cw_load_seq_cst(&context->home->closed)))
        cw__cancel_closed(waiting->job);
    return false;
}

bool cw__select_watch(cw__selecting *select, cw__select *waiting)
{
    for (uint32_t i = 0; i < select->count && !is_decided(waiting); i++) {
        uint32_t index = select->order[i];
        cw_clause *clause = &select->clauses[index];
        if (cw__clause_is_channel(clause) || clause->kind == CW__ON_LOCK)
            continue;
        if (watch(waiting, clause, index)) return true;
    }
    return false;
}
