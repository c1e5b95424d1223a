/* lock.h: a word-sized lock for sections of a few instructions.
 *
 * SPDX-License-Identifier: MIT
 *
 * Rules for every use: no user code, no allocation from the system, no other
 * lock and no system call inside. So a holder is gone again within tens of
 * nanoseconds and a waiter, the page included, does not need to sleep. If the
 * holder was preempted, waiters give their processor away, which is what lets
 * it go on when there are fewer processors than workers.
 */
#ifndef CW_LOCK_H
#define CW_LOCK_H

#include "atomic.h"
#include "base.h"
#include "platform.h"

typedef struct cw__lock {
    _Atomic uint32_t word; /* 0 free, 1 held */
} cw__lock;

/* How often a waiter looks before it gives its processor away: for about as
 * long as that takes by itself. On the web it means to sleep, for tens of
 * microseconds, and there is no instruction that slows the looking down. */
#ifdef CW_SPINS /* tests/model wants none */
enum { CW__SPINS = CW_SPINS };
#elif defined __wasm__
enum { CW__SPINS = 2000 };
#else
enum { CW__SPINS = 64 };
#endif

/* Between two looks. */
static inline void cw__relax(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

static inline void cw__spin(unsigned *spins)
{
    if (++*spins > CW__SPINS) {
        cw__thread_pause();
    } else {
        cw__relax();
    }
}

/* The rest of the next one, if the lock is held. */
void cw__lock_contended(cw__lock *lock);

static inline void cw__lock_acquire(cw__lock *lock)
{
    uint32_t expected = 0;
    /* acquire: pairs with the release in cw__lock_release() */
    if (cw_unlikely(!cw_cas_weak_acquire(&lock->word, &expected, 1)))
        cw__lock_contended(lock);
}

static inline void cw__lock_release(cw__lock *lock)
{
    /* release: what was written under the lock is seen by the next holder */
    cw_store_release(&lock->word, 0);
}

#endif /* CW_LOCK_H */
