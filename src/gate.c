/* gate.c: what mutexes and semaphores have in common.
 *
 * SPDX-License-Identifier: MIT
 */
#include "gate.h"

#include "alloc.h"
#include "context.h"
#include "error.h"
#include "frame.h"
#include "kill_gate.h"

cw__gate *cw__gate_new(uint32_t places, uint32_t taken, bool is_mutex)
{
    cw__gate *gate = cw__alloc(sizeof *gate);
    if (!gate) {
        cw__set_last_error(CW_ENOMEM);
        return NULL;
    }
    *gate = (cw__gate){
        .places = places, .free = places - taken, .is_mutex = is_mutex};
    if (is_mutex)
        CW__MARK(gate, MUTEX);
    else
        CW__MARK(gate, SEMAPHORE);
    atomic_init(&gate->refs, 1);
    cw__gate_list(gate);
    return gate;
}

void cw__gate_retain(cw__gate *gate)
{
    cw_add_relaxed(&gate->refs, 1); /* the caller has one */
}

void cw__gate_release(cw__gate *gate)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&gate->refs, 1) != 1) return;
    cw__gate_unlist(gate);
    cw_job *holder = cw_load_relaxed(&gate->holder);
    if (holder) cw__job_drop(holder);
    cw__leases_free(gate);
    cw__free(gate, sizeof *gate);
}

/* Notes who holds a mutex, with the lock held. Returns who did: the caller has
 * to drop him after it. */
static cw_job *set_holder(cw__gate *gate, cw_job *job)
{
    cw_job *before = cw_load_relaxed(&gate->holder);
    if (job) cw_add_relaxed(&job->refs, 1); /* it runs, or waits here */
    cw_store_relaxed(&gate->holder, job);
    return before;
}

int cw__gate_try(cw__gate *gate, const void *owner, cw_job *job)
{
    if (gate->free) {
        gate->free--;
        gate->owner = owner;
        if (gate->is_mutex) (void)set_holder(gate, cw__holder_of(job));
        return CW_OK;
    }
    if (cw_unlikely(gate->poisoned)) return CW_EPOISONED;
    return owner && gate->owner == owner ? CW_ESTATE : CW_EAGAIN;
}

cw_error *cw__gate_error(int status)
{
    const char *why = status == CW_ESTATE
                          ? "the mutex is locked by the same owner already"
                          : NULL;
    return cw_error_new(status, why, NULL);
}

int cw__gate_try_enter(cw__gate *gate, const void *owner)
{
    cw_job *job = cw__self ? cw__self->current : NULL;
    cw__lock_acquire(&gate->lock);
    int status = cw__gate_try(gate, owner, job);
    cw__lock_release(&gate->lock);
    return status;
}

int cw__gate_leave(cw__gate *gate, const void *owner)
{
    int status = CW_OK;
    cw__woken woken;
    cw__woken_init(&woken);
    cw_job *before = NULL;
    cw__lock_acquire(&gate->lock);
    if (gate->free == gate->places) {
        status = CW_ESTATE;
    } else if (cw_unlikely(gate->poisoned)) {
        status = CW_EPOISONED;
    } else if (gate->owner != owner) {
        status = CW_EOWNER;
    } else {
        cw__waiter *next = NULL;
        if (gate->waiting) next = cw__queue_claim(&gate->waiting);
        if (gate->is_mutex)
            before = set_holder(gate, next ? cw__holder_of(cw__party_task(next))
                                           : NULL);
        if (next) {
            gate->owner = gate->is_mutex ? next->owner.pointer : NULL;
            cw__party_wake(next, CW__HANDED, &woken);
        } else {
            gate->owner = NULL;
            gate->free++;
        }
    }
    cw__lock_release(&gate->lock);
    if (woken.tasks) cw__dispatch_woken(cw__self, &woken);
    if (before) cw__job_drop(before);
    return status;
}

int cw__gate_recover(cw__gate *gate, const void *owner)
{
    cw_job *job = cw__self ? cw__self->current : NULL;
    cw__lock_acquire(&gate->lock);
    bool poisoned = gate->poisoned;
    if (poisoned) {
        gate->poisoned = false;
        gate->owner = owner;
        (void)set_holder(gate, cw__holder_of(job));
    }
    cw__lock_release(&gate->lock);
    return poisoned ? CW_OK : CW_ESTATE;
}

/* ---- bodies that wait */

int cw__gate_enter(cw_frame *frame, cw__gate *gate, const void *owner)
{
    cw_job *job = frame->job;
    bool cancelled = false;
    cw__lock_acquire(&gate->lock);
    int status = cw__gate_try(gate, owner, job);
    if (status == CW_EAGAIN) {
        cancelled = !cw__party_begin(job);
        if (!cancelled) {
            job->waiter.target.object = gate;
            job->waiter.owner.pointer = (void *)(uintptr_t)owner;
            cw__party_queue(job, &gate->waiting, CW__ARMED_ENTER);
        }
    }
    cw__lock_release(&gate->lock);
    if (status == CW_OK) return CW__DONE;
    if (cancelled) {
        cw__party_raise_cancelled(frame);
    } else if (status == CW_EAGAIN) {
        return CW__PENDING;
    } else {
        cw__set_error(frame, cw__gate_error(status));
    }
    return CW__DONE;
}

/* Takes a party off the queue, if it is in it. */
static enum cw__outcome withdraw(cw__gate *gate, cw__waiter *party)
{
    cw__lock_acquire(&gate->lock);
    if (party->linked) cw__waiters_remove(&gate->waiting, party);
    enum cw__outcome outcome = (enum cw__outcome)party->early;
    cw__lock_release(&gate->lock);
    return outcome;
}

int cw__entered(cw_frame *frame)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (cw_likely(job->armed == CW__UNARMED)) return cw__raised(frame);
    cw__gate *gate = job->waiter.target.object;
    enum cw__outcome outcome = cw__party_was_woken(job)
                                   ? (enum cw__outcome)job->waiter.early
                                   : withdraw(gate, &job->waiter);
    if (cw_unlikely(outcome == CW__REFUSED)) {
        cw__set_error(frame, cw__gate_error(CW_EPOISONED));
        return 1;
    }
    if (!cw__job_cancelling(job->scope)) return cw__raised(frame);
    if (outcome == CW__HANDED)
        (void)cw__gate_leave(gate, job->waiter.owner.pointer);
    cw__party_raise_cancelled(frame);
    return 1;
}
