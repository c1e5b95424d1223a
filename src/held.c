/* held.c: what jobs hold that are lost with their worker.
 *
 * SPDX-License-Identifier: MIT
 *
 * What such a mutex guards may be half done, and nobody is left to unlock it.
 * So it is poisoned: nobody gets it until somebody says that he has seen to
 * that. A mutex notes which job holds it. Permits of a semaphore may be given
 * back by others than those who took them, so nobody knows whose they are;
 * unless they are a job's own: these are given back. To find what a lost job
 * holds, all mutexes and semaphores are in a list, which is touched only when
 * they are made and freed.
 */
#include "gate.h"

#include "context.h"

/* So many of them are looked at with the list's lock held. */
enum { SLICE = 64 };

static cw__lock list_lock;
static cw__gate *newest;

void cw__gate_list(cw__gate *gate)
{
    cw__lock_acquire(&list_lock);
    gate->older = newest;
    gate->newer = NULL;
    if (newest) newest->newer = gate;
    newest = gate;
    cw__lock_release(&list_lock);
}

void cw__gate_unlist(cw__gate *gate)
{
    cw__lock_acquire(&list_lock);
    if (gate->newer)
        gate->newer->older = gate->older;
    else
        newest = gate->older;
    if (gate->older) gate->older->newer = gate->newer;
    cw__lock_release(&list_lock);
}

cw_job *cw__holder_of(cw_job *job)
{
    cw_job *holder = job;
    /* A wait is over soon; it locks for the body that waits. */
    while (holder && cw_unlikely(holder->flags & CW__JOB_INSIDE))
        holder = holder->parent; /* is there as long as what it waits for */
    return holder;
}

/* Takes a reference to one that is in the list. False: it is being freed. */
static bool keep(cw__gate *gate)
{
    uint32_t refs = cw_load_relaxed(&gate->refs);
    do {
        if (refs == 0) return false;
        /* acq_rel: as for all counts of references */
    } while (!cw_cas_weak_acq_rel(&gate->refs, &refs, refs + 1));
    return true;
}

/* True if the job holds it, or may do so. */
static bool is_held(const cw__gate *gate, const cw_job *job)
{
    /* relaxed, both: what the job's worker has written is known to who lost it
     */
    if (!gate->is_mutex) return cw_load_relaxed(&gate->leases) != NULL;
    return cw_load_relaxed(&gate->holder) == job;
}

static void poison(cw__gate *gate, cw_job *job)
{
    cw__woken woken;
    cw__woken_init(&woken);
    cw__lock_acquire(&gate->lock);
    bool held = is_held(gate, job); /* others might have unlocked it */
    if (held) {
        cw_store_relaxed(&gate->holder, NULL);
        gate->owner = NULL;
        gate->poisoned = true;
        cw__waiter *next;
        while ((next = cw__queue_claim(&gate->waiting)) != NULL)
            cw__party_wake(next, CW__REFUSED, &woken);
    }
    cw__lock_release(&gate->lock);
    cw__dispatch_woken(cw__self, &woken);
    if (held) cw__job_drop(job);
}

static void take_from(cw__gate *gate, cw_job *job)
{
    if (gate->is_mutex) {
        poison(gate, job);
        return;
    }
    while (cw__gate_return(gate, job, 0) == CW_OK) {
    }
}

void cw__held_lost(cw_job *job)
{
    cw__gate *from = NULL;
    do {
        cw__lock_acquire(&list_lock);
        cw__gate *gate = from ? from->older : newest;
        for (unsigned n = 1; gate; n++, gate = gate->older)
            if ((n >= SLICE || is_held(gate, job)) && keep(gate)) break;
        cw__lock_release(&list_lock);
        if (from) cw__gate_release(from);
        if (gate && is_held(gate, job)) take_from(gate, job);
        from = gate;
    } while (from);
}
