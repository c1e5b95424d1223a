/* poison_test.c: mutexes and semaphores of those who are lost.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "killing.h"

static cw_mutex *mutex;
static int me;

CW_COROUTINE(lock_and_hold, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, mutex, &me);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    (void)cw_unlock(mutex, &me);
    CW_END(self);
}

/* Locks, unlocks, and tells with what error it did not get that far. */
CW_COROUTINE(try_once, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_LOCK(self, mutex, NULL);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_OK);
    CW_CATCH(self, 1) { self->result = cw_error_code(cw_caught(self)); }
    CW_END(self);
}

CW_COROUTINE(select_it, cw_none, int, cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    self->clauses[0] = cw_on_lock(mutex, NULL);
    self->clauses[1] = cw_on_timeout(60 * 1000);
    CW_TRY(self, 1);
    CW_SELECT(self, self->clauses, 2, &self->which);
    CW_CATCH(self, 1) { self->result = cw_error_code(cw_caught(self)); }
    CW_END(self);
}

static int outcome_of(cw_job *job)
{
    int result;
    wait_for(job);
    ASSERT_EQ(cw_result(try_once, job, &result), CW_OK);
    cw_job_release(job);
    return result;
}

static int selected(cw_job *job)
{
    int result;
    wait_for(job);
    ASSERT_EQ(cw_result(select_it, job, &result), CW_OK);
    cw_job_release(job);
    return result;
}

/* Kills a job that holds the mutex. */
static void lose_holder(cw_context *context, struct hold *hold, cw_job *job)
{
    lose(job);
    let_zombies_go(context, hold, 1);
}

static cw_job *launch_holder(cw_context *context, struct hold *hold)
{
    return holding(LAUNCH_KILLABLE(context, lock_and_hold, hold), hold);
}

TEST(nobody_gets_a_mutex_whose_holder_was_lost)
{
    cw_context *context = new_context(1);
    mutex = cw_mutex_new(false);
    struct hold *hold = hold_new();
    lose_holder(context, hold, launch_holder(context, hold));
    ASSERT(cw_mutex_is_poisoned(mutex));
    ASSERT(cw_mutex_is_locked(mutex));
    ASSERT(!cw_mutex_is_held_by(mutex, &me));
    ASSERT(!cw_mutex_is_held_by(mutex, NULL));
    ASSERT_EQ(cw_try_lock(mutex, NULL), CW_EPOISONED);
    ASSERT_EQ(cw_try_lock(mutex, &me), CW_EPOISONED);
    ASSERT_EQ(cw_unlock(mutex, &me), CW_EPOISONED);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_EPOISONED);
    ASSERT_EQ(outcome_of(cw_async(context, try_once, CW_NONE)), CW_EPOISONED);
    ASSERT_EQ(selected(cw_async(context, select_it, CW_NONE)), CW_EPOISONED);
    cw_mutex_release(mutex);
    shut_down_all(context);
}

TEST(who_waits_for_it_hears_of_it)
{
    enum { WAITING = 3 };
    cw_context *context = new_context(2);
    mutex = cw_mutex_new(false);
    struct hold *hold = hold_new();
    cw_job *holder = launch_holder(context, hold), *waiting[WAITING];
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = cw_async(context, try_once, CW_NONE);
        await_doing(waiting[i], CW_DUMP_LOCK);
    }
    cw_job *select = cw_async(context, select_it, CW_NONE);
    await_doing(select, CW_DUMP_SELECT);
    lose_holder(context, hold, holder);
    for (int i = 0; i < WAITING; i++)
        ASSERT_EQ(outcome_of(waiting[i]), CW_EPOISONED);
    ASSERT_EQ(selected(select), CW_EPOISONED);
    cw_mutex_release(mutex);
    shut_down_all(context);
}

TEST(who_recovers_it_has_it_locked)
{
    cw_context *context = new_context(1);
    mutex = cw_mutex_new(false);
    struct hold *hold = hold_new();
    ASSERT_EQ(cw_mutex_recover(mutex, NULL), CW_ESTATE);
    lose_holder(context, hold, launch_holder(context, hold));
    static int other;
    ASSERT_EQ(cw_mutex_recover(mutex, &other), CW_OK);
    ASSERT_EQ(cw_mutex_recover(mutex, &other), CW_ESTATE);
    ASSERT(!cw_mutex_is_poisoned(mutex));
    ASSERT(cw_mutex_is_held_by(mutex, &other));
    cw_job *job = cw_async(context, try_once, CW_NONE);
    await_doing(job, CW_DUMP_LOCK);
    ASSERT_EQ(cw_unlock(mutex, &other), CW_OK);
    ASSERT_EQ(outcome_of(job), CW_OK);
    ASSERT(!cw_mutex_is_locked(mutex));
    cw_mutex_release(mutex);
    shut_down_all(context);
}

/* What has got the mutex from somebody else holds it as well, and so does who
 * has recovered it. */
CW_COROUTINE(recover_and_hold, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_mutex_recover(mutex, NULL), CW_OK);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    CW_END(self);
}

TEST(it_is_poisoned_again_and_again)
{
    cw_context *context = new_context(1);
    mutex = cw_mutex_new(true);
    struct hold *hold = hold_new();
    cw_job *job = LAUNCH_KILLABLE(context, lock_and_hold, hold);
    await_doing(job, CW_DUMP_LOCK);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_OK); /* handed over */
    event_await(hold->entered);
    lose_holder(context, hold, job);
    ASSERT(cw_mutex_is_poisoned(mutex));
    hold = hold_new();
    job = holding(LAUNCH_KILLABLE(context, recover_and_hold, hold), hold);
    ASSERT(!cw_mutex_is_poisoned(mutex));
    lose_holder(context, hold, job);
    ASSERT(cw_mutex_is_poisoned(mutex));
    cw_mutex_release(mutex);
    shut_down_all(context);
}

CW_FUNCTION(try_and_hold, struct hold *, cw_none)
{
    ASSERT_EQ(cw_try_lock(mutex, NULL), CW_OK);
    event_set((*arg)->entered);
    event_await((*arg)->release);
    return CW_OK;
}

TEST(of_many_mutexes_only_those_that_it_held_are_poisoned)
{
    enum { MANY = 300, HELD = 77 };
    cw_context *context = new_context(2);
    cw_mutex *all[MANY];
    for (int i = 0; i < MANY; i++)
        all[i] = cw_mutex_new(i % 2);
    mutex = all[HELD];
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_OK);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, try_and_hold, hold), hold);
    lose_holder(context, hold, job);
    for (int i = 0; i < MANY; i++) {
        ASSERT_EQ(cw_mutex_is_poisoned(all[i]), i == HELD);
        cw_mutex_release(all[i]);
    }
    shut_down_all(context);
}

CW_FUNCTION(lock_and_leave, cw_none, cw_none)
{
    (void)arg, (void)result;
    return cw_try_lock(mutex, &me);
}

/* A job that is over and was not lost leaves its lock to whoever unlocks it. */
TEST(one_that_ends_with_the_mutex_locked_does_not_poison_it)
{
    cw_context *context = new_context(1);
    mutex = cw_mutex_new(false);
    cw_job *job = cw_async(context, lock_and_leave, CW_NONE);
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    struct hold *hold = hold_new();
    job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    lose_holder(context, hold, job);
    ASSERT(cw_mutex_is_held_by(mutex, &me));
    ASSERT(!cw_mutex_is_poisoned(mutex));
    ASSERT_EQ(cw_unlock(mutex, &me), CW_OK);
    cw_mutex_release(mutex);
    shut_down_all(context);
}

static cw_semaphore *semaphore;

CW_COROUTINE(acquire_and_hold, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE(self, semaphore);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    CW_END(self);
}

CW_COROUTINE(own_and_hold, struct hold *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE_OWN(self, semaphore);
    event_set(self->arg->entered);
    event_await(self->arg->release);
    ASSERT_EQ(cw_give_back_own(semaphore), CW_OK);
    ASSERT_EQ(cw_give_back_own(semaphore), CW_ESTATE);
    CW_END(self);
}

CW_COROUTINE(own_once, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE_OWN(self, semaphore);
    ASSERT_EQ(cw_give_back_own(semaphore), CW_OK);
    CW_END(self);
}

TEST(a_permit_of_its_own_is_given_back_by_the_job_that_has_it)
{
    cw_context *context = new_context(1);
    semaphore = cw_semaphore_new(1, 0);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, own_and_hold, hold), hold);
    ASSERT_EQ(cw_semaphore_available(semaphore), 0);
    ASSERT_EQ(cw_give_back_own(semaphore), CW_ESTATE); /* not ours */
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    ASSERT_EQ(cw_semaphore_available(semaphore), 1);
    hold_free(hold);
    cw_semaphore_release(semaphore);
    shut_down_all(context);
}

TEST(a_permit_of_its_own_goes_from_a_lost_job_to_who_waits)
{
    cw_context *context = new_context(2);
    semaphore = cw_semaphore_new(2, 0);
    struct hold *holds[] = {hold_new(), hold_new()};
    cw_job *jobs[2];
    for (int i = 0; i < 2; i++)
        jobs[i] =
            holding(LAUNCH_KILLABLE(context, own_and_hold, holds[i]), holds[i]);
    cw_context *others = new_context(1);
    cw_job *waiting = cw_async(others, own_once, CW_NONE);
    await_doing(waiting, CW_DUMP_ACQUIRE);
    lose_holder(context, holds[0], jobs[0]);
    wait_for(waiting);
    ASSERT_EQ(cw_job_error(waiting), 0);
    cw_job_release(waiting);
    ASSERT_EQ(cw_semaphore_available(semaphore),
              1); /* the other one has its own */
    lose_holder(context, holds[1], jobs[1]);
    ASSERT_EQ(cw_semaphore_available(semaphore), 2);
    cw_semaphore_release(semaphore);
    shut_down(others);
    shut_down_all(context);
}

CW_FUNCTION(own_and_leave, cw_none, cw_none)
{
    (void)arg, (void)result;
    return cw_give_back_own(semaphore);
}

TEST(nobody_gives_back_what_is_not_his_own)
{
    cw_context *context = new_context(1);
    semaphore = cw_semaphore_new(1, 1);
    cw_job *job = cw_async(context, own_and_leave, CW_NONE);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ESTATE);
    cw_job_release(job);
    job = cw_async(context, own_once, CW_NONE);
    await_doing(job, CW_DUMP_ACQUIRE);
    cw_cancel(job, NULL);
    wait_for(job);
    cw_job_release(job);
    ASSERT_EQ(cw_semaphore_available(semaphore), 0);
    ASSERT_EQ(cw_give_back(semaphore), CW_OK);
    cw_semaphore_release(semaphore);
    shut_down_all(context);
}

/* Who joins it knows that it had one. */
TEST(a_permit_of_a_lost_job_is_given_back_by_others)
{
    cw_context *context = new_context(1);
    semaphore = cw_semaphore_new(2, 0);
    struct hold *hold = hold_new();
    cw_job *job =
        holding(LAUNCH_KILLABLE(context, acquire_and_hold, hold), hold);
    lose_holder(context, hold, job);
    ASSERT_EQ(cw_semaphore_available(semaphore), 1);
    ASSERT_EQ(cw_give_back(semaphore), CW_OK);
    ASSERT_EQ(cw_semaphore_available(semaphore), 2);
    cw_semaphore_release(semaphore);
    shut_down_all(context);
}
