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
    /* A semaphore's: permits that are a job's own; looked at without the lock,
     * too. */
    _Atomic(struct cw__lease *) leases;
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

/* ---- held.c: what lost jobs hold */

void cw__gate_list(cw__gate *gate);
void cw__gate_unlist(cw__gate *gate);
/* Whose body holds what is locked by a running job (or NULL). */
cw_job *cw__holder_of(cw_job *job);
/* A body has ended in the middle of a step: poisons mutexes that it holds, and
 * gives back permits of its own. Before the job ends. */
void cw__held_lost(cw_job *job);

/* ---- lease.c: permits that are a job's own */

/* Notes that a permit which the running job has just got is its own. Returns a
 * number for it that is no other's; 0 without memory. */
uint32_t cw__gate_lend(cw__gate *gate, cw_job *job);
/* Gives such a permit back: that of this number or, if that is 0, one of the
 * job's. CW_OK; CW_ESTATE: there is none. */
int cw__gate_return(cw__gate *gate, const cw_job *holder, uint32_t number);
/* The semaphore is being freed. */
void cw__leases_free(cw__gate *gate);

/* As cw__gate_enter(), for a permit of the body's own, and what it does once it
 * goes on: 1 if an error was raised. `number`: as cw__gate_lend(). */
int cw__gate_enter_own(cw_frame *frame, cw__gate *gate, uint32_t *number);
int cw__entered_own(cw_frame *frame, cw__gate *gate, uint32_t *number);

#endif /* CW_GATE_H */
