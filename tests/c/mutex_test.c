/* mutex_test.c: mutexes and semaphores.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

TEST(owners_are_checked)
{
    int me = 0, you = 0;
    cw_mutex *mutex = cw_mutex_new(false);
    ASSERT(!cw_mutex_is_locked(mutex));
    ASSERT(!cw_mutex_is_held_by(mutex, NULL));
    ASSERT_EQ(cw_unlock(mutex, &me), CW_ESTATE);
    ASSERT_EQ(cw_try_lock(mutex, &me), CW_OK);
    ASSERT(cw_mutex_is_held_by(mutex, &me));
    ASSERT(!cw_mutex_is_held_by(mutex, &you));
    ASSERT_EQ(cw_try_lock(mutex, &me), CW_ESTATE);
    ASSERT_EQ(cw_try_lock(mutex, &you), CW_EAGAIN);
    ASSERT_EQ(cw_unlock(mutex, &you), CW_EOWNER);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_EOWNER);
    ASSERT(cw_mutex_is_held_by(mutex, &me));
    ASSERT_EQ(cw_unlock(mutex, &me), CW_OK);
    ASSERT_EQ(cw_unlock(mutex, &me), CW_ESTATE);
    ASSERT(cw_mutex_retain(mutex) == mutex);
    cw_mutex_release(mutex);
    cw_mutex_release(mutex);
    cw_mutex_release(NULL);
    ASSERT(cw_mutex_retain(NULL) == NULL);
}

TEST(a_mutex_can_be_made_locked)
{
    cw_mutex *mutex = cw_mutex_new(true);
    ASSERT(cw_mutex_is_locked(mutex));
    ASSERT(cw_mutex_is_held_by(mutex, NULL));
    ASSERT_EQ(cw_try_lock(mutex, NULL), CW_EAGAIN);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_OK);
    cw_mutex_release(mutex);
}

TEST(semaphores_count)
{
    ASSERT(!cw_semaphore_new(0, 0));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_semaphore_new(2, 3));
    ASSERT(!cw_semaphore_new(2, -1));
    cw_semaphore *semaphore = cw_semaphore_new(3, 1);
    ASSERT_EQ(cw_semaphore_available(semaphore), 2);
    ASSERT_EQ(cw_try_acquire(semaphore), CW_OK);
    ASSERT_EQ(cw_try_acquire(semaphore), CW_OK);
    ASSERT_EQ(cw_try_acquire(semaphore), CW_EAGAIN);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(cw_give_back(semaphore), CW_OK);
    ASSERT_EQ(cw_give_back(semaphore), CW_ESTATE);
    ASSERT_EQ(cw_semaphore_available(semaphore), 3);
    ASSERT(cw_semaphore_retain(semaphore) == semaphore);
    cw_semaphore_release(semaphore);
    cw_semaphore_release(semaphore);
    cw_semaphore_release(NULL);
    ASSERT(cw_semaphore_retain(NULL) == NULL);
}

TEST(no_memory)
{
    fail_allocs_from(1);
    cw_mutex *mutex = cw_mutex_new(false);
    cw_semaphore *semaphore = cw_semaphore_new(1, 0);
    fail_alloc_at(0);
    ASSERT(!mutex);
    ASSERT(!semaphore);
    ASSERT_EQ(cw_last_error(), CW_ENOMEM);
}

SCENARIO(locking_twice_as_one_owner_fails, cw_mutex *mutex;)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(false);
    CW_LOCK(self, self->mutex, self);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE, CW_LOCK(self, self->mutex, self));
    ASSERT(cw_mutex_is_held_by(self->mutex, self));
    ASSERT_EQ(cw_unlock(self->mutex, self), CW_OK);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

struct locker {
    cw_mutex *mutex;
    int mark;
};

CW_COROUTINE(lock_in_turn, struct locker, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, self->arg.mutex, self);
    MARK(self->arg.mark);
    ASSERT(cw_mutex_is_held_by(self->arg.mutex, self));
    CW_YIELD(self);
    ASSERT_EQ(cw_unlock(self->arg.mutex, self), CW_OK);
    CW_END(self);
}

SCENARIO(waiters_are_served_in_order, cw_mutex *mutex; cw_job * jobs[5]; int i;)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(true);
    for (self->i = 0; self->i < 5; self->i++) {
        int mark = self->i == 2 ? 0 : self->i < 2 ? self->i + 1 : self->i;
        self->jobs[self->i] =
            cw_launch(NULL, lock_in_turn, ((struct locker){self->mutex, mark}));
    }
    CW_YIELD(self);
    cw_cancel(self->jobs[2], NULL);
    ASSERT_EQ(cw_unlock(self->mutex, NULL), CW_OK);
    ASSERT_EQ(cw_try_lock(self->mutex, NULL), CW_EAGAIN); /* no overtaking */
    CW_JOIN_ALL(self, self->jobs, 5);
    MARK(5);
    ASSERT(!cw_mutex_is_locked(self->mutex));
    for (self->i = 0; self->i < 5; self->i++)
        cw_job_release(self->jobs[self->i]);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

CW_COROUTINE(acquire_one, cw_semaphore *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE(self, self->arg);
    atomic_fetch_add(&test_marks, 1);
    CW_END(self);
}

/* The permit that a cancelled waiter was given goes to the next one. */
SCENARIO(a_permit_handed_to_a_cancelled_waiter_goes_on, cw_semaphore *semaphore;
         cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->semaphore = cw_semaphore_new(1, 1);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_launch(NULL, acquire_one, self->semaphore);
    CW_YIELD(self);
    ASSERT_EQ(cw_give_back(self->semaphore), CW_OK);
    cw_cancel(self->jobs[0], NULL);
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT(cw_is_cancelled(self->jobs[0]));
    ASSERT(!cw_is_cancelled(self->jobs[1]));
    ASSERT_EQ(test_marks, 1);
    ASSERT_EQ(cw_semaphore_available(self->semaphore), 0);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_semaphore_release(self->semaphore);
    CW_END(self);
}

CW_COROUTINE(cancelled_at_a_gate, cw_semaphore *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    CW_ACQUIRE(self, self->arg); /* ready: no look at cancellation */
    MARK(1);
    CW_ACQUIRE(self, self->arg);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT_EQ(cw_give_back(self->arg), CW_OK);
    MARK(2);
    CW_END(self);
}

SCENARIO(a_cancelled_job_does_not_wait, cw_semaphore *semaphore; cw_job * job;)
{
    CW_BEGIN(self);
    self->semaphore = cw_semaphore_new(1, 0);
    self->job = cw_launch(NULL, cancelled_at_a_gate, self->semaphore);
    CW_JOIN(self, self->job);
    ASSERT_EQ(cw_semaphore_available(self->semaphore), 1);
    cw_job_release(self->job);
    cw_semaphore_release(self->semaphore);
    CW_END(self);
}
