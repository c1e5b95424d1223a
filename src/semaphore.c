/* semaphore.c: so many at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "error.h"
#include "gate.h"
#include "kill_gate.h"

cw_semaphore *cw_semaphore_new(int permits, int taken)
{
    CW__RUNTIME;
    if (permits < 1 || taken < 0 || taken > permits) {
        cw__set_last_error(CW_EINVAL);
        return NULL;
    }
    return (cw_semaphore *)(void *)cw__gate_new((uint32_t)permits,
                                                (uint32_t)taken, false);
}

cw_semaphore *cw_semaphore_retain(cw_semaphore *semaphore)
{
    if (semaphore)
        CW__CHECK_AS(SEMAPHORE, &semaphore->gate, "cw_semaphore_retain",
                     "semaphore");
    if (semaphore) cw__gate_retain(&semaphore->gate);
    return semaphore;
}

void cw_semaphore_release(cw_semaphore *semaphore)
{
    CW__RUNTIME;
    if (semaphore)
        CW__CHECK_AS(SEMAPHORE, &semaphore->gate, "cw_semaphore_release",
                     "semaphore");
    if (semaphore) cw__gate_release(&semaphore->gate);
}

int cw__acquire(cw_frame *frame, cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore, "CW_ACQUIRE",
                 "semaphore");
    return cw__gate_enter(frame, &semaphore->gate, NULL);
}

int cw_try_acquire(cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore, "cw_try_acquire",
                 "semaphore");
    return cw__gate_try_enter(&semaphore->gate, NULL);
}

int cw_give_back(cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore, "cw_give_back",
                 "semaphore");
    return cw__gate_leave(&semaphore->gate, NULL);
}

int cw_semaphore_available(cw_semaphore *semaphore)
{
    CW__RUNTIME;
    CW__CHECK_AS(SEMAPHORE, (cw__gate *)(void *)semaphore,
                 "cw_semaphore_available", "semaphore");
    cw__lock_acquire(&semaphore->gate.lock);
    int available = (int)semaphore->gate.free;
    cw__lock_release(&semaphore->gate.lock);
    return available;
}
