/* inbox.h: a queue that many threads fill and one takes whole.
 *
 * SPDX-License-Identifier: MIT
 *
 * An intrusive chain: the first member of each item, a pointer, is its link.
 * Pushing is one compare-and-swap and never waits, so the page may do it. The
 * taker gets everything with one exchange, newest first, and turns it around.
 * Items are addresses, whose lowest bits a user may use as a mark: the link is
 * found at the address without them.
 */
#ifndef CW_INBOX_H
#define CW_INBOX_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct cw__inbox {
    _Atomic uintptr_t newest;
} cw__inbox;

enum {
    CW__INBOX_MARK = 3,
    CW__INBOX_JOB = 2 /* in a worker's inbox: a job, not the host's */
};

/* Items are of several types, whose first member is a pointer of their own
 * kind; memcpy reads it as an address without breaking the aliasing rules. */
static inline uintptr_t cw__inbox_next(uintptr_t item)
{
    uintptr_t next;
    memcpy(&next, (void *)(item & ~(uintptr_t)CW__INBOX_MARK), sizeof next);
    return next;
}

static inline void cw__inbox_set_next(uintptr_t item, uintptr_t next)
{
    memcpy((void *)(item & ~(uintptr_t)CW__INBOX_MARK), &next, sizeof next);
}

/* True if the inbox was empty before. */
static inline bool cw__inbox_push(cw__inbox *inbox, uintptr_t item)
{
    uintptr_t newest = cw_load_relaxed(&inbox->newest);
    do {
        cw__inbox_set_next(item, newest);
        /* seq_cst: release for the item, and the caller goes on to look
         * whether the taker sleeps */
    } while (!cw_cas_weak_seq_cst(&inbox->newest, &newest, item));
    return newest == 0;
}

static inline bool cw__inbox_empty(const cw__inbox *inbox)
{
    /* seq_cst: part of the last look before sleeping, see sleep.c */
    return cw_load_seq_cst(&inbox->newest) == 0;
}

/* Everything in it, oldest first; 0 if it is empty. */
static inline uintptr_t cw__inbox_take(cw__inbox *inbox)
{
    /* acquire: pairs with the pushes */
    uintptr_t item = cw_swap_acquire(&inbox->newest, 0), oldest = 0;
    while (item) {
        uintptr_t next = cw__inbox_next(item);
        cw__inbox_set_next(item, oldest);
        oldest = item;
        item = next;
    }
    return oldest;
}

#endif /* CW_INBOX_H */
