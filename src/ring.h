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

#ifndef CW_RING_SIZE /* tests/model wants a small one */
#    define CW_RING_SIZE 256
#endif
enum { CW__RING_SIZE = CW_RING_SIZE, CW__STEAL_MAX = 32 };

typedef struct cw__ring {
    _Atomic uint64_t head; /* steal << 32 | real */
    _Atomic uint32_t tail; /* written by the owner only */
    _Atomic(cw_job *) slots[CW__RING_SIZE];
} cw__ring;

enum { CW__RING_MASK = CW__RING_SIZE - 1 };

static inline uint32_t cw__ring_real(uint64_t head) { return (uint32_t)head; }

static inline uint32_t cw__ring_steal_mark(uint64_t head)
{
    return (uint32_t)(head >> 32);
}

static inline uint64_t cw__ring_head(uint32_t steal, uint32_t real)
{
    return (uint64_t)steal << 32 | real;
}

/* Owner only. False when the ring is full. */
static inline bool cw__ring_push(cw__ring *ring, cw_job *job)
{
    /* acquire: slots given back by a thief's last step may be overwritten */
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    if (tail - cw__ring_steal_mark(head) >= CW__RING_SIZE) return false;
    cw_store_relaxed(&ring->slots[tail & CW__RING_MASK], job);
    /* seq_cst, not just release: the caller goes on to look whether somebody
     * sleeps, and that look must not come before this store */
    cw_store_seq_cst(&ring->tail, tail + 1);
    return true;
}

/* Owner only. NULL when the ring is empty. */
static inline cw_job *cw__ring_pop(cw__ring *ring)
{
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    for (;;) {
        uint32_t real = cw__ring_real(head), steal = cw__ring_steal_mark(head);
        if (real == tail) return NULL;
        /* While a thief copies, its mark has to stay where it is. */
        if (steal == real) steal = real + 1;
        /* acq_rel: pairs with thieves' changes of the head */
        if (cw_cas_weak_acq_rel(&ring->head, &head,
                                cw__ring_head(steal, real + 1)))
            return cw_load_relaxed(&ring->slots[real & CW__RING_MASK]);
    }
}

/* The same two for the ring of a worker that has no others to steal from it:
 * the counters are its own, so nothing has to be ordered. */
static inline bool cw__ring_push_alone(cw__ring *ring, cw_job *job)
{
    uint32_t tail = cw_load_relaxed(&ring->tail);
    if (tail - cw__ring_real(cw_load_relaxed(&ring->head)) >= CW__RING_SIZE)
        return false;
    cw_store_relaxed(&ring->slots[tail & CW__RING_MASK], job);
    cw_store_relaxed(&ring->tail, tail + 1);
    return true;
}

static inline cw_job *cw__ring_pop_alone(cw__ring *ring)
{
    uint32_t real = cw__ring_real(cw_load_relaxed(&ring->head));
    if (real == cw_load_relaxed(&ring->tail)) return NULL;
    cw_store_relaxed(&ring->head, cw__ring_head(real + 1, real + 1));
    return cw_load_relaxed(&ring->slots[real & CW__RING_MASK]);
}

/* Owner only: what pop might return next. Only to be prefetched: it may be
 * gone, or NULL. */
static inline cw_job *cw__ring_peek(const cw__ring *ring)
{
    uint32_t real = cw__ring_real(cw_load_relaxed(&ring->head));
    return cw_load_relaxed(&ring->slots[real & CW__RING_MASK]);
}

/* Owner only: how many it has room for, at least. Not what its length leaves:
 * a thief may still copy what is no longer in it. */
static inline uint32_t cw__ring_room(const cw__ring *ring)
{
    /* acquire: as in cw__ring_push() */
    uint32_t steal = cw__ring_steal_mark(cw_load_acquire(&ring->head));
    return CW__RING_SIZE - (cw_load_relaxed(&ring->tail) - steal);
}

/* Owner only: puts `count` jobs there at once, for which there is room. */
void cw__ring_push_many(cw__ring *ring, cw_job *const *jobs, uint32_t count);
/* Owner only: takes up to `max` of the oldest jobs at once; returns how many.
 */
uint32_t cw__ring_take(cw__ring *ring, uint32_t max, cw_job **jobs);

/* Moves up to half (at most CW__STEAL_MAX) of `from` to `to`, which belongs to
 * the caller and must be empty. Returns one of them and counts in `*moved`
 * those that are now in `to`; NULL if there was nothing to take. */
cw_job *cw__ring_steal(cw__ring *from, cw__ring *to, uint32_t *moved);

/* A look from any thread; may be out of date at once. */
uint32_t cw__ring_length(const cw__ring *ring);

#endif /* CW_RING_H */
