/* coworker/sync.h: mutexes and semaphores.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_SYNC_H
#define COWORKER_SYNC_H

#include "body.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A mutex is held by one at a time, a semaphore gives out a number of permits.
 * Who has to wait is served in order of arrival: what is given back goes
 * straight to the first one that waits, who is dispatched while the caller goes
 * on. What is handed to a body that is cancelled before it goes on is given
 * back again, and the body raises CW_ECANCELED. Reference-counted; whoever uses
 * one holds a reference. */
typedef struct cw_mutex cw_mutex;
typedef struct cw_semaphore cw_semaphore;

/* An owned mutex, held by nobody, or already locked without an owner. NULL
 * without memory. */
cw_mutex *cw_mutex_new(bool locked);
cw_mutex *cw_mutex_retain(cw_mutex *mutex);
void cw_mutex_release(cw_mutex *mutex); /* the reference; NULL is allowed */

/* `owner` is any address that stands for whoever locks, or NULL; who locks with
 * one has to unlock with the same. Not reentrant: locking once more with the
 * owner that holds it is CW_ESTATE; without an owner it waits for ever.
 *
 * CW_LOCK waits for the mutex; raises CW_ESTATE.
 * cw_try_lock: CW_OK, CW_EAGAIN (it is locked), CW_ESTATE.
 * cw_unlock: CW_OK, CW_ESTATE (it is not locked), CW_EOWNER (not by this one):
 * then nothing has changed. */
#define CW_LOCK(self, mutex, owner)                                            \
    CW__SUSPEND(self, cw__lock_mutex(&(self)->frame, (mutex), (owner)),        \
                cw__entered(&(self)->frame))
int cw_try_lock(cw_mutex *mutex, const void *owner);
int cw_unlock(cw_mutex *mutex, const void *owner);
bool cw_mutex_is_locked(cw_mutex *mutex);
bool cw_mutex_is_held_by(cw_mutex *mutex, const void *owner);

/* An owned semaphore of `permits` permits, of which `taken` are given out.
 * NULL with cw_last_error() = CW_EINVAL (permits < 1, taken < 0 or > permits)
 * or CW_ENOMEM. */
cw_semaphore *cw_semaphore_new(int permits, int taken);
cw_semaphore *cw_semaphore_retain(cw_semaphore *semaphore);
void cw_semaphore_release(cw_semaphore *semaphore); /* NULL is allowed */

/* CW_ACQUIRE waits for a permit. cw_try_acquire: CW_OK or CW_EAGAIN.
 * cw_give_back: CW_OK, or CW_ESTATE if all permits are there already. */
#define CW_ACQUIRE(self, semaphore)                                            \
    CW__SUSPEND(self, cw__acquire(&(self)->frame, (semaphore)),                \
                cw__entered(&(self)->frame))
int cw_try_acquire(cw_semaphore *semaphore);
int cw_give_back(cw_semaphore *semaphore);
int cw_semaphore_available(cw_semaphore *semaphore);

/* ------------------------------------------------- used by the macros only */

int cw__lock_mutex(cw_frame *, cw_mutex *, const void *);
int cw__acquire(cw_frame *, cw_semaphore *);
int cw__entered(cw_frame *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_SYNC_H */
