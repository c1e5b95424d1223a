/* gates.c: mutexes and semaphores for JavaScript.
 *
 * SPDX-License-Identifier: MIT
 *
 * What does not wait JavaScript calls in the core itself.
 */
#include "waits.h"

#include "gate.h"

typedef struct gate_arg {
    cwb_wait wait;
    cw__gate *gate; /* owned */
    const void *owner;
} gate_arg;

CW_COROUTINE(entering, gate_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW__SUSPEND(self,
                cw__gate_enter(&self->frame, self->arg.gate, self->arg.owner),
                cw__entered(&self->frame));
    CW_FINALLY(self);
    cw__gate_release(self->arg.gate);
    CW_END(self);
}
CWB_LEAF(entering, "enter", gate_arg, cw_none);

static int enter(cw_job *scope, uint32_t token, cw__gate *gate,
                 const void *owner)
{
    gate_arg arg = {{.token = token}, gate, owner};
    cw__gate_retain(gate);
    int status = cwb_leaf_begin(scope, &entering_leaf, &arg);
    if (status != CW_OK) cw__gate_release(gate);
    return status;
}

/* Waits for a mutex, see CW_LOCK; `owner` is a number of cwb_owner_new(). */
int cwb_lock(cw_job *scope, uint32_t token, cw_mutex *mutex, const void *owner)
{
    return enter(scope, token, &mutex->gate, owner);
}

/* Waits for a permit, see CW_ACQUIRE. */
int cwb_acquire(cw_job *scope, uint32_t token, cw_semaphore *semaphore)
{
    return enter(scope, token, &semaphore->gate, NULL);
}

typedef struct own_arg {
    cwb_wait wait;
    cw__gate *gate; /* owned */
} own_arg;

CW_COROUTINE(entering_own, own_arg, uint32_t, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW__SUSPEND(self,
                cw__gate_enter_own(&self->frame, self->arg.gate, &self->result),
                cw__entered_own(&self->frame, self->arg.gate, &self->result));
    CW_FINALLY(self);
    cw__gate_release(self->arg.gate);
    CW_END(self);
}
CWB_LEAF(entering_own, "enter", own_arg, uint32_t);

/* Waits for a permit of the job's own, see CW_ACQUIRE_OWN. Its result is a
 * number for cwb_give_back_own(). */
int cwb_acquire_own(cw_job *scope, uint32_t token, cw_semaphore *semaphore)
{
    own_arg arg = {{.token = token}, &semaphore->gate};
    cw__gate_retain(arg.gate);
    int status = cwb_leaf_begin(scope, &entering_own_leaf, &arg);
    if (status != CW_OK) cw__gate_release(arg.gate);
    return status;
}

/* CW_OK; CW_ESTATE: somebody has done that for the job, which was lost. */
int cwb_give_back_own(cw_semaphore *semaphore, uint32_t number)
{
    return cw__gate_return(&semaphore->gate, NULL, number);
}

/* A number for something that locks as an owner: no realm gets it twice. */
uint32_t cwb_owner_new(void)
{
    static _Atomic uint32_t last;
    /* relaxed: it only has to differ. 0 is nobody. */
    return cw_add_relaxed(&last, 1) + 1;
}
