/* ring.h: a worker's own run queue, from which others steal.
 *
 * SPDX-License-Identifier: MIT
 *
 * A fixed ring of jobs. Only the owner pushes; owner and thieves take from the
 * head, so order is first in, first out. The head is two counters in one word:
 *
 *   real   the next entry that anybody may take
 *   steal  the first entry that a thief is still copying (== real if none is)
 *
 * A thief first moves `real` past the half it wants (claiming it, and keeping
 * other thieves out while steal != real), copies the entries, then lets `steal`
 * catch up. The owner may not overwrite entries from `steal` on. Counters run
 * freely and wrap.
 *
 * Order: the owner's store of `tail` (release) pairs with the thieves' load of
 * it (acquire), which makes entries visible; every change of `head` is a
 * compare-and-swap (acq_rel), which makes the copied-out slots reusable.
 */
#ifndef CW_RING_H
#define CW_RING_H

#include "atomic.h"
#include "coworker.h"

enum { CW__RING_SIZE = 256, CW__STEAL_MAX = 32 };

typedef struct cw__ring {
    _Atomic uint64_t head; /* steal << 32 | real */
    _Atomic uint32_t tail; /* written by the owner only */
    _Atomic(cw_job *) slots[CW__RING_SIZE];
} cw__ring;

/* Owner only. False when the ring is full. */
bool cw__ring_push(cw__ring *ring, cw_job *job);
/* Owner only. NULL when the ring is empty. */
cw_job *cw__ring_pop(cw__ring *ring);
/* Owner only: takes up to `max` of the oldest jobs at once, linked through
 * their `next` fields; returns how many. */
uint32_t cw__ring_take(cw__ring *ring, uint32_t max, cw_job **first,
                       cw_job **last);

/* Moves up to half (at most CW__STEAL_MAX) of `from` to `to`, which belongs to
 * the caller and must be empty. Returns one of them and counts in `*moved`
 * those that are now in `to`; NULL if there was nothing to take. */
cw_job *cw__ring_steal(cw__ring *from, cw__ring *to, uint32_t *moved);

/* A look from any thread; may be out of date at once. */
uint32_t cw__ring_length(const cw__ring *ring);

#endif /* CW_RING_H */
