/* party.h: those who wait at a channel, a mutex or a semaphore.
 *
 * SPDX-License-Identifier: MIT
 *
 * A party is a waiter in the queue of one such object, under the object's lock:
 * the job's own `waiter` of a suspended body, or one clause of a body's select.
 * So a body that waits at one object allocates nothing.
 *
 * A party that is found in a queue need not be waiting any more: its scope may
 * be cancelled, or another clause of its select may have won. So whoever has
 * something for it takes it off the queue, *claims* it, and only then hands
 * over and *wakes* it, all with the lock held. Claiming is a look at whether
 * the body is cancelled, and for a select a compare-and-swap of its decision
 * word. One that refuses is forgotten: it takes care of itself.
 *
 * A woken party may be cancelled before it runs. It sees to what it was handed
 * then: an element goes to the hook for undelivered ones, a lock is released.
 *
 * `owner` of a waiting receiver is where the element goes. That of a waiting
 * sender is the element itself if it is no larger than a pointer, and else a
 * block of memory with it, the sender's. That of who waits for a mutex is the
 * owner-to-be.
 */
#ifndef CW_PARTY_H
#define CW_PARTY_H

#include "base.h"
#include "job.h"
#include "lock.h"

/* What has become of a party; in the waiter's `early`. */
enum cw__outcome {
    CW__WAITING,
    CW__HANDED, /* it has got, or given, what it waited for */
    CW__REFUSED /* the channel is closed, or cancelled */
};

/* A body that selects; see select.c. */
typedef struct cw__select cw__select;
typedef struct cw__clause_node {
    cw__waiter waiter;
    cw__select *select;
    uint32_t index; /* of the clause */
} cw__clause_node;

struct cw__select {
    cw_job *job;
    struct cw_clause *clauses; /* the body's */
    _Atomic uint32_t winner;   /* 0, then for good CW__NOBODY or index + 1 */
    uint32_t count;
    cw__clause_node nodes[];
};

#define CW__NOBODY UINT32_MAX /* the body was cancelled before anybody won */

/* Whose body waits. With the object's lock held. */
cw_job *cw__party_task(cw__waiter *party);
/* Who can be claimed can be woken. Both with the object's lock held. */
bool cw__party_claim(cw__waiter *party);
void cw__party_wake(cw__waiter *party, enum cw__outcome outcome,
                    cw__woken *woken);

/* ---- queues: rings, in order of arrival */

static inline void cw__queue_add(cw__waiter **queue, cw__waiter *party)
{
    party->early = CW__WAITING;
    cw__waiters_add(queue, party);
}

/* Takes the first party that can be claimed off the queue; NULL: none. */
cw__waiter *cw__queue_claim(cw__waiter **queue);
/* True if there is one; takes the others before it off. */
bool cw__queue_waits(cw__waiter **queue);

/* ---- elements */

/* Elements of a channel, and where they are put, are aligned as their type. */
static inline void cw__copy_element(void *to, const void *from, uint32_t size)
{
    switch (size) { /* a call would take longer */
    case 4:
        memcpy(to, from, 4);
        return;
    case 8:
        memcpy(to, from, 8);
        return;
    default:
        memcpy(to, from, size);
    }
}

/* Copies the element of one that is about to wait as a sender. False: it needs
 * memory, and there is none. Not under a lock, unless the element is small. */
bool cw__stash(cw__waiter *party, const void *element, uint32_t size);
/* Gives that memory back. */
void cw__stash_free(cw__waiter *party, uint32_t size);

static inline bool cw__stash_is_small(uint32_t size)
{
    return size <= sizeof(void *);
}
static inline void *cw__stashed(cw__waiter *party, uint32_t size)
{
    return cw__stash_is_small(size) ? party->owner.bytes : party->owner.pointer;
}

/* ---- a body that waits at one object */

/* Before it is queued: false if it must not suspend, since it is cancelled. */
bool cw__party_begin(cw_job *job);

/* Queues the body's own party; the caller returns CW__PENDING. */
static inline void cw__party_queue(cw_job *job, cw__waiter **queue,
                                   enum cw__armed armed)
{
    cw__queue_add(queue, &job->waiter);
    job->armed = (uint8_t)armed;
}

/* After it was resumed: true if somebody has woken it, and taken it off its
 * queue. Else it has to be taken off there. */
bool cw__party_was_woken(cw_job *job);

/* Raises cancellation in a body. */
void cw__party_raise_cancelled(cw_frame *frame);

#endif /* CW_PARTY_H */
