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
    const void *owner; /* a mutex's; NULL: none */
    _Atomic uint32_t refs;
    bool is_mutex;
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
 * as this owner). With the lock held. */
int cw__gate_try(cw__gate *gate, const void *owner);
/* The same, taking the lock. */
int cw__gate_try_enter(cw__gate *gate, const void *owner);
/* What a body raises for CW_ESTATE: owned. */
cw_error *cw__gate_reentered(void);

/* Leaves: CW_OK, CW_ESTATE (nobody is in), CW_EOWNER. */
int cw__gate_leave(cw__gate *gate, const void *owner);

/* A body that waits to enter: CW__PENDING or CW__DONE. */
int cw__gate_enter(cw_frame *frame, cw__gate *gate, const void *owner);

#endif /* CW_GATE_H */
