/* timer.h: moments in time that somebody waits for.
 *
 * SPDX-License-Identifier: MIT
 *
 * One heap per context, in shared memory: whichever worker sleeps with the
 * earliest deadline ("the keeper", sleep.c) fires what is due, for all.
 */
#ifndef CW_TIMER_H
#define CW_TIMER_H

#include "job.h"
#include "lock.h"

#define CW__NEVER INT64_MAX

typedef struct cw__timer_entry {
    int64_t deadline_ns;
    uint32_t order; /* equal deadlines fire in order of registration */
    cw__waiter *waiter;
} cw__timer_entry;

enum {
    CW__TIMER_SEGMENT = 4096,  /* entries per segment ... */
    CW__TIMER_SEGMENTS = 1024, /* ... and how many of them: 4 million timers */
    CW__TIMERS_AT_ONCE = 64    /* cut short with the lock held */
};

typedef struct cw__timers {
    cw__lock lock; /* protects all but `next_ns`, which is only written in it */
    uint32_t count;
    uint32_t capacity;
    uint32_t order;    /* counts registrations ... */
    uint32_t *counter; /* ... or another one that heaps share to which only
                          one thread adds; else &order */
    cw__timer_entry **segments; /* in pieces, so that growing copies nothing */
    _Atomic int64_t next_ns;    /* earliest deadline, CW__NEVER if none */
} cw__timers;

void cw__timers_init(cw__timers *timers);
void cw__timers_free(cw__timers *timers);

/* A look without the lock: there is one that does not wait for ever. */
static inline bool cw__timers_any(const cw__timers *timers)
{
    return cw_load_relaxed(&timers->next_ns) != CW__NEVER;
}

/* Registers. 1: and it is the earliest now; 0: it is not; CW_ENOMEM. */
int cw__timer_add(cw__timers *timers, cw__waiter *waiter, int64_t deadline_ns);
/* Takes it off; afterwards it does not fire any more. */
void cw__timer_remove(cw__timers *timers, cw__waiter *waiter);

/* Which one comes first. False: none, or only such as wait for ever. */
bool cw__timers_first(cw__timers *timers, int64_t *deadline_ns,
                      uint32_t *order);

/* Takes up to `max` waiters that are due at `now_ns` off the heap and decides
 * for each, under the lock, whether it fires; at CW__NEVER, that is, when the
 * context is closed, they are marked as cut short. What to dispatch is noted in
 * `woken`; limits that ran out come linked in `limits`. Returns how many were
 * taken off. */
uint32_t cw__timers_due(cw__timers *timers, int64_t now_ns, uint32_t max,
                        cw__woken *woken, cw__limit **limits);
/* Cuts short what bodies of `home` wait for that wait for nothing but time, a
 * number of them, as if they were due. Returns how many; call again until there
 * are none. */
uint32_t cw__timers_cut(cw__timers *timers, const cw_context *home,
                        cw__woken *woken);

#endif /* CW_TIMER_H */
