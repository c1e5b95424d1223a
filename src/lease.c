/* lease.c: permits of a semaphore that are a job's own.
 *
 * SPDX-License-Identifier: MIT
 *
 * In general nobody knows whose a permit is. One that a body takes as its own
 * is noted, so that it can be given back for a body that is lost.
 */
#include "alloc.h"
#include "error.h"
#include "frame.h"
#include "gate.h"
#include "kill_gate.h"

typedef struct cw__lease {
    struct cw__lease *next;
    cw_job *holder; /* a reference, or NULL */
    uint32_t number;
} cw__lease;

static void lease_free(cw__lease *lease)
{
    if (lease->holder) cw__job_drop(lease->holder);
    cw__free(lease, sizeof *lease);
}

uint32_t cw__gate_lend(cw__gate *gate, cw_job *job)
{
    static _Atomic uint32_t last;
    cw__lease *lease = cw__alloc(sizeof *lease);
    if (!lease) return 0;
    uint32_t number;
    do /* relaxed: it only has to differ */
        number = cw_add_relaxed(&last, 1) + 1;
    while (number == 0);
    cw_job *holder = cw__holder_of(job);
    if (holder) cw_add_relaxed(&holder->refs, 1); /* it runs */
    *lease = (cw__lease){NULL, holder, number};
    cw__lock_acquire(&gate->lock);
    lease->next = cw_load_relaxed(&gate->leases);
    /* relaxed: under the lock, or see cw__held_lost() */
    cw_store_relaxed(&gate->leases, lease);
    cw__lock_release(&gate->lock);
    return number;
}

/* Takes a lease off the list, with the lock held; NULL if there is none. */
static cw__lease *take(cw__gate *gate, const cw_job *holder, uint32_t number)
{
    cw__lease *before = NULL, *lease = cw_load_relaxed(&gate->leases);
    while (lease &&
           (number ? lease->number != number : lease->holder != holder)) {
        before = lease;
        lease = lease->next;
    }
    if (before && lease)
        before->next = lease->next;
    else if (lease)
        cw_store_relaxed(&gate->leases, lease->next);
    return lease;
}

int cw__gate_return(cw__gate *gate, const cw_job *holder, uint32_t number)
{
    cw__lock_acquire(&gate->lock);
    cw__lease *lease = take(gate, holder, number);
    cw__lock_release(&gate->lock);
    if (!lease) return CW_ESTATE;
    lease_free(lease);
    return cw__gate_leave(gate, NULL);
}

void cw__leases_free(cw__gate *gate)
{
    cw__lease *lease;
    while ((lease = cw_load_relaxed(&gate->leases)) != NULL) {
        cw_store_relaxed(&gate->leases, lease->next);
        lease_free(lease);
    }
}

/* ---- bodies */

/* The body has got a permit: makes it its own. 1 if that takes memory that is
 * not there; then it has none. */
static int own(cw_frame *frame, cw__gate *gate, uint32_t *number)
{
    *number = cw__gate_lend(gate, frame->job);
    if (*number) return 0;
    (void)cw__gate_leave(gate, NULL);
    cw__set_error(frame, cw_error_new(CW_ENOMEM, NULL, NULL));
    return 1;
}

int cw__gate_enter_own(cw_frame *frame, cw__gate *gate, uint32_t *number)
{
    int step = cw__gate_enter(frame, gate, NULL);
    /* What was not raised, and need not wait, has entered. */
    if (step == CW__DONE && !frame->error) (void)own(frame, gate, number);
    return step;
}

static int entered(cw_frame *frame, cw__gate *gate, uint32_t *number)
{
    bool waited = frame->job->armed != CW__UNARMED;
    if (cw__entered(frame)) return 1;
    return waited ? own(frame, gate, number) : 0;
}

int cw__entered_own(cw_frame *frame, cw__gate *gate, uint32_t *number)
{
    CW__RUNTIME; /* up to when it is noted nobody is killed */
    return entered(frame, gate, number);
}

int cw__acquire_own(cw_frame *frame, cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore, "CW_ACQUIRE_OWN",
                 "semaphore");
    uint32_t number;
    return cw__gate_enter_own(frame, &semaphore->gate, &number);
}

int cw__acquired_own(cw_frame *frame, cw_semaphore *semaphore)
{
    uint32_t number;
    return cw__entered_own(frame, &semaphore->gate, &number);
}

int cw_give_back_own(cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore, "cw_give_back_own",
                 "semaphore");
    cw_job *job = cw__self ? cw__self->current : NULL;
    if (!job) return CW_ESTATE;
    return cw__gate_return(&semaphore->gate, cw__holder_of(job), 0);
}
