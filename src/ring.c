/* ring.c: a worker's own run queue, from which others steal.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ring.h"

#include "job.h"

#define MASK (CW__RING_SIZE - 1)

static uint32_t real_of(uint64_t head) { return (uint32_t)head; }

static uint32_t steal_of(uint64_t head) { return (uint32_t)(head >> 32); }

static uint64_t pack(uint32_t steal, uint32_t real)
{
    return (uint64_t)steal << 32 | real;
}

bool cw__ring_push(cw__ring *ring, cw_job *job)
{
    /* acquire: slots given back by a thief's last step may be overwritten */
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    if (tail - steal_of(head) >= CW__RING_SIZE) return false;
    cw_store_relaxed(&ring->slots[tail & MASK], job);
    /* seq_cst, not just release: the caller goes on to look whether somebody
     * sleeps, and that look must not come before this store */
    cw_store_seq_cst(&ring->tail, tail + 1);
    return true;
}

uint32_t cw__ring_take(cw__ring *ring, uint32_t max, cw_job **first,
                       cw_job **last)
{
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    for (;;) {
        uint32_t real = real_of(head), count = tail - real;
        if (count == 0) return 0;
        if (count > max) count = max;
        /* While a thief copies, its mark has to stay where it is. */
        uint32_t steal = steal_of(head) == real ? real + count : steal_of(head);
        /* acq_rel: pairs with thieves' changes of the head */
        if (!cw_cas_weak_acq_rel(&ring->head, &head, pack(steal, real + count)))
            continue;
        cw_job *job = cw_load_relaxed(&ring->slots[real & MASK]);
        *first = job;
        for (uint32_t i = 1; i < count; i++) {
            job->next = cw_load_relaxed(&ring->slots[(real + i) & MASK]);
            job = job->next;
        }
        job->next = NULL;
        *last = job;
        return count;
    }
}

cw_job *cw__ring_pop(cw__ring *ring)
{
    uint64_t head = cw_load_acquire(&ring->head);
    uint32_t tail = cw_load_relaxed(&ring->tail); /* ours */
    for (;;) {
        uint32_t real = real_of(head);
        if (real == tail) return NULL;
        uint32_t steal = steal_of(head) == real ? real + 1 : steal_of(head);
        /* acq_rel: pairs with thieves' changes of the head */
        if (cw_cas_weak_acq_rel(&ring->head, &head, pack(steal, real + 1)))
            return cw_load_relaxed(&ring->slots[real & MASK]);
    }
}

cw_job *cw__ring_steal(cw__ring *from, cw__ring *to, uint32_t *moved)
{
    /* `to` is empty, but another thief may still copy what it once held: these
     * slots are not free. acquire: pairs with that thief's last step. */
    uint32_t end = cw_load_relaxed(&to->tail); /* ours */
    uint32_t room =
        CW__RING_SIZE - (end - steal_of(cw_load_acquire(&to->head)));
    uint64_t head = cw_load_acquire(&from->head);
    uint32_t real, count;
    for (;;) {
        /* acquire: pairs with the owner's store, entries below are visible */
        uint32_t tail = cw_load_acquire(&from->tail);
        real = real_of(head);
        if (steal_of(head) != real) return NULL; /* another thief is at it */
        uint32_t length = tail - real;
        count = length - length / 2;
        /* A length beyond the ring means that head was out of date. */
        if (length == 0 || length > CW__RING_SIZE) return NULL;
        if (count > CW__STEAL_MAX) count = CW__STEAL_MAX;
        if (count > room + 1) count = room + 1; /* one stays in hand */
        /* acq_rel: claims [real, real + count) against owner and thieves */
        if (cw_cas_weak_acq_rel(&from->head, &head, pack(real, real + count)))
            break;
    }
    for (uint32_t i = 0; i + 1 < count; i++)
        cw_store_relaxed(&to->slots[(end + i) & MASK],
                         cw_load_relaxed(&from->slots[(real + i) & MASK]));
    cw_job *job = cw_load_relaxed(&from->slots[(real + count - 1) & MASK]);
    if (count > 1) cw_store_seq_cst(&to->tail, end + count - 1);

    /* Done copying: let `steal` catch up with whatever `real` is by now. */
    head = cw_load_acquire(&from->head);
    /* acq_rel: the copies above come before the slots' reuse by the owner */
    while (!cw_cas_weak_acq_rel(&from->head, &head,
                                pack(real_of(head), real_of(head)))) {
    }
    *moved = count - 1;
    return job;
}

uint32_t cw__ring_length(const cw__ring *ring)
{
    /* seq_cst: part of the last look before sleeping, see worker.c */
    uint32_t real = real_of(cw_load_seq_cst(&ring->head));
    uint32_t tail = cw_load_seq_cst(&ring->tail);
    return tail - real;
}
