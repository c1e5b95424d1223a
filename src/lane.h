/* lane.h: a lock that counts what went by: one end of a channel's buffer.
 *
 * SPDX-License-Identifier: MIT
 *
 * A buffer has two lanes: elements go in by one and come out by the other. Each
 * has a lock of its own, so that who sends and who receives, on two processors,
 * do not wait for each other.
 *
 * The lock and the count are one word, because a store that others have to see
 * is dear, above all on WebAssembly: unlocking tells how far the lane has come.
 *
 *      position        free
 *      position + 1    held; the word says where the lane was before, or, once
 *                      its holder has told, where it is
 *
 * Positions count in twos and wrap around; what is in the buffer is what is
 * between the two. Whoever holds one lane may look at the other one's position.
 * As he only needs it when what he knows of it does not do, he keeps what he
 * has seen: while the lanes are apart, neither touches the other's memory.
 */
#ifndef CW_LANE_H
#define CW_LANE_H

#include "lock.h"

typedef union cw__lane {
    struct {
        _Atomic uint32_t word;
        /* Under the lock: */
        uint32_t position;
        uint32_t seen;  /* the other lane's; it may have come further */
        char *at, *end; /* next slot or element; where its piece ends */
    };
    char line[CW_CACHE_LINE];
} cw__lane;

enum { CW__ONE_ELEMENT = 2 };

/* The rest of the next one, if the lane is held. */
void cw__lane_contended(cw__lane *lane);

static inline void cw__lane_lock(cw__lane *lane)
{
    uint32_t word = cw_load_relaxed(&lane->word) & ~1u;
    /* acquire: pairs with the release in cw__lane_unlock() */
    if (cw_unlikely(!cw_cas_weak_acquire(&lane->word, &word, word | 1)))
        cw__lane_contended(lane);
}

static inline void cw__lane_unlock(cw__lane *lane)
{
    /* release: the next holder sees what was written under the lock, and who
     * looks from the other lane sees the elements that were put, or that those
     * that were taken are not needed any more */
    cw_store_release(&lane->word, lane->position);
}

/* Tells how far it has come, still locked. */
static inline void cw__lane_tell(cw__lane *lane)
{
    /* release: as in cw__lane_unlock() */
    cw_store_release(&lane->word, lane->position | 1);
}

/* Brings what `lane`, which is locked, knows of the other one up to date. */
static inline void cw__lane_look(cw__lane *lane, const cw__lane *other)
{
    /* acquire: pairs with the release in cw__lane_unlock() */
    lane->seen = cw_load_acquire(&other->word) & ~1u;
}

#endif /* CW_LANE_H */
