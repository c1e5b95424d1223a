/* lock.c: locks that somebody else holds.
 *
 * SPDX-License-Identifier: MIT
 *
 * That is rare, and apart from the rest of taking one, which is inlined in
 * many places.
 */
#include "lock.h"

#include "lane.h"

void cw__lock_contended(cw__lock *lock)
{
    for (unsigned spins = 0;;) {
        while (cw_load_relaxed(&lock->word)) /* leaves the line alone */
            cw__spin(&spins);
        uint32_t expected = 0;
        /* acquire: pairs with the release in cw__lock_release() */
        if (cw_cas_weak_acquire(&lock->word, &expected, 1)) return;
    }
}

void cw__lane_contended(cw__lane *lane)
{
    for (unsigned spins = 0;;) {
        while (cw_load_relaxed(&lane->word) & 1) /* leaves the line alone */
            cw__spin(&spins);
        uint32_t word = cw_load_relaxed(&lane->word) & ~1u;
        /* acquire: pairs with the release in cw__lane_unlock() */
        if (cw_cas_weak_acquire(&lane->word, &word, word | 1)) return;
    }
}
