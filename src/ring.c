/* ring.c: a worker's own run queue, from which others steal.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ring.h"

#include "job.h"

void cw__ring_push_many(cw__ring *ring, cw_job *const *jobs, uint32_t count)
{
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    for (uint32_t i = 0; i < count; i++)
        cw_store_relaxed(&ring->slots[(tail + i) & CW__RING_MASK], jobs[i]);
    cw_store_seq_cst(&ring->tail, tail + count); /* as in cw__ring_push() */
}

uint32_t cw__ring_take(cw__ring *ring, uint32_t max, cw_job **jobs)
{
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    for (;;) {
        uint32_t real = cw__ring_real(head), count = tail - real;
        if (count == 0) return 0;
        if (count > max) count = max;
        uint32_t steal = cw__ring_steal_mark(head);
        if (steal == real) steal = real + count; /* see cw__ring_pop() */
        /* acq_rel: pairs with thieves' changes of the head */
        if (!cw_cas_weak_acq_rel(&ring->head, &head,
                                 cw__ring_head(steal, real + count)))
            continue;
        for (uint32_t i = 0; i < count; i++)
            jobs[i] = cw_load_relaxed(&ring->slots[(real + i) & CW__RING_MASK]);
        return count;
    }
}

cw_job *cw__ring_steal(cw__ring *from, cw__ring *to, uint32_t *moved)
{
    /* `to` is empty, but another thief may still copy what it once held: these
     * slots are not free. acquire: pairs with that thief's last step. */
    uint32_t end = cw_load_relaxed(&to->tail); /* ours */
    uint32_t room = cw__ring_room(to);
    uint64_t head = cw_load_acquire(&from->head);
    uint32_t real, count;
    for (;;) {
        /* acquire: pairs with the owner's store, entries below are visible */
        uint32_t tail = cw_load_acquire(&from->tail);
        real = cw__ring_real(head);
        if (cw__ring_steal_mark(head) != real)
            return NULL; /* another thief is at it */
        uint32_t length = tail - real;
        count = length - length / 2;
        /* A length beyond the ring means that head was out of date. */
        if (length == 0 || length > CW__RING_SIZE) return NULL;
        if (count > CW__STEAL_MAX) count = CW__STEAL_MAX;
        if (count > room + 1) count = room + 1; /* one stays in hand */
        /* acq_rel: claims [real, real + count) against owner and thieves */
        if (cw_cas_weak_acq_rel(&from->head, &head,
                                cw__ring_head(real, real + count)))
            break;
    }
    for (uint32_t i = 0; i + 1 < count; i++)
        cw_store_relaxed(
            &to->slots[(end + i) & CW__RING_MASK],
            cw_load_relaxed(&from->slots[(real + i) & CW__RING_MASK]));
    cw_job *job =
        cw_load_relaxed(&from->slots[(real + count - 1) & CW__RING_MASK]);
    if (count > 1) cw_store_seq_cst(&to->tail, end + count - 1);

    /* Done copying: let `steal` catch up with whatever `real` is by now. */
    head = cw_load_acquire(&from->head);
    /* acq_rel: the copies above come before the slots' reuse by the owner */
    while (!cw_cas_weak_acq_rel(
        &from->head, &head,
        cw__ring_head(cw__ring_real(head), cw__ring_real(head)))) {
    }
    *moved = count - 1;
    return job;
}

uint32_t cw__ring_length(const cw__ring *ring)
{
    /* seq_cst: part of the last look before sleeping, see worker.c */
    uint32_t real = cw__ring_real(cw_load_seq_cst(&ring->head));
    uint32_t tail = cw_load_seq_cst(&ring->tail);
    return tail - real;
}
