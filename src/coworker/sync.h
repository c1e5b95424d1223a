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

/* A mutex whose holder, the job that locked it in its body, is lost with its
 * worker (see cw_elements_with_grace()) is *poisoned*: what it guards may be
 * half done. Then nobody gets it: who waits for it, and who comes later, is
 * told CW_EPOISONED, until cw_mutex_recover() makes it the caller's, who puts
 * things right and unlocks it. A mutex that was locked outside of any job is
 * never poisoned. Permits of a semaphore may be given back by anybody, so
 * nobody knows which ones a lost job had: they stay away until somebody gives
 * them back who does, such as who joins that job; unless they were its own, see
 * CW_ACQUIRE_OWN. */

/* `owner` is any address that stands for whoever locks, or NULL; who locks with
 * one has to unlock with the same. Not reentrant: locking once more with the
 * owner that holds it is CW_ESTATE; without an owner it waits for ever.
 *
 * CW_LOCK waits for the mutex; raises CW_ESTATE, CW_EPOISONED.
 * cw_try_lock: CW_OK, CW_EAGAIN (it is locked), CW_ESTATE, CW_EPOISONED.
 * cw_unlock: CW_OK, CW_ESTATE (it is not locked), CW_EOWNER (not by this one),
 * CW_EPOISONED (nobody holds it any more): then nothing has changed. */
#define CW_LOCK(self, mutex, owner)                                            \
    CW__SUSPEND(self, cw__lock_mutex(&(self)->frame, (mutex), (owner)),        \
                cw__entered(&(self)->frame))
int cw_try_lock(cw_mutex *mutex, const void *owner);
int cw_unlock(cw_mutex *mutex, const void *owner);
bool cw_mutex_is_locked(cw_mutex *mutex);
bool cw_mutex_is_held_by(cw_mutex *mutex, const void *owner);

/* Who holds it was lost; it counts as locked, by nobody. */
bool cw_mutex_is_poisoned(cw_mutex *mutex);
/* Locks a poisoned mutex, with `owner` or NULL, so that the caller can see to
 * what it guards and then call cw_unlock(). CW_OK for one caller; CW_ESTATE: it
 * is not poisoned, or not any more. Never waits. */
int cw_mutex_recover(cw_mutex *mutex, const void *owner);

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

/* CW_ACQUIRE_OWN waits for a permit that is the calling job's own, which alone
 * gives it back, by cw_give_back_own(). If the job is lost with its worker, the
 * permit is given back at once. Raises CW_ENOMEM; then it has none.
 * cw_give_back_own, from the job's body: CW_OK; CW_ESTATE: it has none. What it
 * has not given back when it ends stays away until the semaphore is freed. */
#define CW_ACQUIRE_OWN(self, semaphore)                                        \
    CW__SUSPEND(self, cw__acquire_own(&(self)->frame, (semaphore)),            \
                cw__acquired_own(&(self)->frame, (semaphore)))
int cw_give_back_own(cw_semaphore *semaphore);

/* ------------------------------------------------- used by the macros only */

int cw__lock_mutex(cw_frame *, cw_mutex *, const void *);
int cw__acquire(cw_frame *, cw_semaphore *);
int cw__entered(cw_frame *);
int cw__acquire_own(cw_frame *, cw_semaphore *);
int cw__acquired_own(cw_frame *, cw_semaphore *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_SYNC_H */
