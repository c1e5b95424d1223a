/* mutex.c: one at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "gate.h"
#include "kill_gate.h"

cw_mutex *cw_mutex_new(bool locked)
{
    CW__RUNTIME;
    return (cw_mutex *)(void *)cw__gate_new(1, locked, true);
}

cw_mutex *cw_mutex_retain(cw_mutex *mutex)
{
    if (mutex) CW__CHECK_AS(MUTEX, &mutex->gate, "cw_mutex_retain", "mutex");
    if (mutex) cw__gate_retain(&mutex->gate);
    return mutex;
}

void cw_mutex_release(cw_mutex *mutex)
{
    CW__RUNTIME;
    if (mutex) CW__CHECK_AS(MUTEX, &mutex->gate, "cw_mutex_release", "mutex");
    if (mutex) cw__gate_release(&mutex->gate);
}

int cw__lock_mutex(cw_frame *frame, cw_mutex *mutex, const void *owner)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "CW_LOCK", "mutex");
    return cw__gate_enter(frame, &mutex->gate, owner);
}

int cw_try_lock(cw_mutex *mutex, const void *owner)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_try_lock", "mutex");
    return cw__gate_try_enter(&mutex->gate, owner);
}

int cw_unlock(cw_mutex *mutex, const void *owner)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_unlock", "mutex");
    return cw__gate_leave(&mutex->gate, owner);
}

bool cw_mutex_is_locked(cw_mutex *mutex)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_mutex_is_locked",
                 "mutex");
    cw__lock_acquire(&mutex->gate.lock);
    bool locked = mutex->gate.free == 0;
    cw__lock_release(&mutex->gate.lock);
    return locked;
}

bool cw_mutex_is_held_by(cw_mutex *mutex, const void *owner)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_mutex_is_held_by",
                 "mutex");
    cw__lock_acquire(&mutex->gate.lock);
    bool held = mutex->gate.free == 0 && !mutex->gate.poisoned &&
                mutex->gate.owner == owner;
    cw__lock_release(&mutex->gate.lock);
    return held;
}

bool cw_mutex_is_poisoned(cw_mutex *mutex)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_mutex_is_poisoned",
                 "mutex");
    cw__lock_acquire(&mutex->gate.lock);
    bool poisoned = mutex->gate.poisoned;
    cw__lock_release(&mutex->gate.lock);
    return poisoned;
}

int cw_mutex_recover(cw_mutex *mutex, const void *owner)
{
    CW__RUNTIME;
    CW__CHECK_AS(MUTEX, (cw__gate *)(void *)mutex, "cw_mutex_recover", "mutex");
    return cw__gate_recover(&mutex->gate, owner);
}
