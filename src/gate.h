/* gate.h: what mutexes and semaphores have in common.
 *
 * SPDX-License-Identifier: MIT
 *
 * A gate lets a number of parties in at a time. Who leaves hands his place to
 * the first one that waits. All but the count of references is guarded by the
 * lock. Somebody waits only if no place is free.
 */
#ifndef CW_GATE_H
#define CW_GATE_H

#include "check.h"
#include "party.h"

typedef struct cw__gate {
    cw__lock lock;
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    uint32_t places, free;
    cw__waiter *waiting;
    _Atomic uint32_t refs;
    bool is_mutex;
    /* A mutex's: */
    bool poisoned;            /* its holder was lost; no place is free */
    const void *owner;        /* NULL: none */
    _Atomic(cw_job *) holder; /* whose body locked it, a reference; NULL: it was
                                 not a job; read without the lock, too */
    struct cw__gate *newer, *older; /* in the list of all, under its lock */
} cw__gate;

struct cw_mutex {
    cw__gate gate;
};

struct cw_semaphore {
    cw__gate gate;
};

/* NULL without memory. */
cw__gate *cw__gate_new(uint32_t places, uint32_t taken, bool is_mutex);
void cw__gate_retain(cw__gate *gate);
void cw__gate_release(cw__gate *gate);

/* Enters if there is a place: CW_OK, CW_EAGAIN, CW_ESTATE (it is there already,
 * as this owner), CW_EPOISONED. `job` is what runs, or NULL. With the lock
 * held. */
int cw__gate_try(cw__gate *gate, const void *owner, cw_job *job);
/* The same by the caller, taking the lock. */
int cw__gate_try_enter(cw__gate *gate, const void *owner);
/* What a body raises for the last two: owned. */
cw_error *cw__gate_error(int status);

/* Leaves: CW_OK, CW_ESTATE (nobody is in), CW_EOWNER, CW_EPOISONED. */
int cw__gate_leave(cw__gate *gate, const void *owner);

/* Makes a poisoned mutex the caller's: CW_OK, CW_ESTATE. */
int cw__gate_recover(cw__gate *gate, const void *owner);

/* A body that waits to enter: CW__PENDING or CW__DONE. */
int cw__gate_enter(cw_frame *frame, cw__gate *gate, const void *owner);

/* ---- poison.c: mutexes of lost jobs */

void cw__mutex_list(cw__gate *gate);
void cw__mutex_unlist(cw__gate *gate);
/* Whose body holds what is locked by a running job (or NULL). */
cw_job *cw__holder_of(cw_job *job);
/* A body has ended in the middle of a step: poisons what it holds. Before the
 * job ends. */
void cw__mutexes_lost(cw_job *job);

#endif /* CW_GATE_H */
