/* party.c: those who wait at a channel, a mutex or a semaphore.
 *
 * SPDX-License-Identifier: MIT
 */
#include "party.h"

#include "alloc.h"
#include "coroutine.h"
#include "frame.h"
#include "suspend.h"

/* The jobs of parties stay valid, and their scopes the same, while they are in
 * a queue: to go on, a body has to take the object's lock. */
cw_job *cw__party_task(cw__waiter *party)
{
    if (party->kind == CW__WAITER_CLAUSE)
        return cw_container_of(party, cw__clause_node, waiter)->select->job;
    return cw_container_of(party, cw_job, waiter);
}

bool cw__party_claim(cw__waiter *party)
{
    if (cw__job_cancelling(cw__party_task(party)->scope)) return false;
    if (party->kind == CW__WAITER_PARTY) return true;
    cw__clause_node *node = cw_container_of(party, cw__clause_node, waiter);
    uint32_t open = 0;
    /* acq_rel: one clause wins, and the body sees who */
    return cw_cas_acq_rel(&node->select->winner, &open, node->index + 1);
}

/* True if it still waits. */
static bool is_waiting(cw__waiter *party)
{
    if (cw__job_cancelling(cw__party_task(party)->scope)) return false;
    if (party->kind == CW__WAITER_PARTY) return true;
    cw__clause_node *node = cw_container_of(party, cw__clause_node, waiter);
    return cw_load_acquire(&node->select->winner) == 0;
}

void cw__party_wake(cw__waiter *party, enum cw__outcome outcome,
                    cw__woken *woken)
{
    party->early = (uint8_t)outcome;
    cw__note_task(woken, cw__party_task(party));
}

cw__waiter *cw__queue_claim(cw__waiter **queue)
{
    while (*queue) {
        cw__waiter *party = *queue;
        cw__waiters_remove(queue, party);
        if (cw__party_claim(party)) return party;
    }
    return NULL;
}

bool cw__queue_waits(cw__waiter **queue)
{
    while (*queue) {
        if (is_waiting(*queue)) return true;
        cw__waiters_remove(queue, *queue);
    }
    return false;
}

bool cw__stash(cw__waiter *party, const void *element, uint32_t size)
{
    if (cw__stash_is_small(size)) {
        memcpy(party->owner.bytes, element, size);
        return true;
    }
    party->owner.pointer = cw__alloc(size);
    if (!party->owner.pointer) return false;
    memcpy(party->owner.pointer, element, size);
    return true;
}

void cw__stash_free(cw__waiter *party, uint32_t size)
{
    if (cw__stash_is_small(size) || !party->owner.pointer) return;
    cw__free(party->owner.pointer, size);
    party->owner.pointer = NULL;
}

bool cw__party_begin(cw_job *job)
{
    if (cw__begin_wait(job, CW__WAIT_PROMPT)) return false;
    job->waiter.kind = CW__WAITER_PARTY;
    return true;
}

bool cw__party_was_woken(cw_job *job)
{
    job->armed = CW__UNARMED;
    /* acquire: pairs with cw__task_resume */
    return (cw_load_acquire(&job->park) & CW__RESUME) != 0;
}

void cw__party_raise_cancelled(cw_frame *frame)
{
    cw__set_error(frame, cw__job_cancellation(frame->job->scope));
}
