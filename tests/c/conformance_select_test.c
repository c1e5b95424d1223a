/* conformance_select_test.c: what select, mutexes and semaphores have to do,
 * case by case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

CW_CHANNEL_TYPE(ints, int)

/* ---- 181: bias */

SCENARIO(case_181_biased_and_unbiased, cw_job *jobs[2]; cw_clause clauses[2];
         int outs[2]; int which; int i; int counts[2]; bool fair;)
{
    enum { ROUNDS = 1000 };
    CW_BEGIN(self);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_async(NULL, give, i + 10);
    CW_JOIN_ALL(self, self->jobs, 2);
    for (int i = 0; i < 2; i++)
        self->clauses[i] = cw_on_await(give, self->jobs[i], &self->outs[i]);
    for (self->i = 0; self->i < ROUNDS; self->i++) {
        CW_SELECT_BIASED(self, self->clauses, 2, &self->which);
        ASSERT_EQ(self->which, 0);
        ASSERT_EQ(self->outs[0], 10);
    }
    for (self->i = 0; self->i < ROUNDS; self->i++) {
        CW_SELECT(self, self->clauses, 2, &self->which);
        ASSERT_EQ(self->outs[self->which], self->which + 10);
        self->counts[self->which]++;
    }
    ASSERT(self->counts[0] >= ROUNDS / 4);
    ASSERT(self->counts[1] >= ROUNDS / 4);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    CW_END(self);
}

/* ---- 182: a send clause waits for a receiver */

CW_COROUTINE(receive_ok, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 7);
    MARK(4);
    CW_END(self);
}

SCENARIO(case_182_the_receiver_goes_on_before_the_clause, ints channel;
         int value; cw_clause clauses[1]; int which;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    MARK(1);
    cw_spawn(NULL, receive_ok, self->channel);
    MARK(2);
    self->value = 7;
    self->clauses[0] = ints_on_send(self->channel, &self->value);
    self->which = -1;
    CW_SELECT(self, self->clauses, 1, &self->which);
    ASSERT_EQ(self->which, 0);
    MARK(5);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 184: a send clause on a closed channel */

CW_COROUTINE(send_1, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_SEND(self, ints, self->arg, 1);
    MARK(4);
    CW_END(self);
}

SCENARIO(case_184_selecting_to_send_on_a_closed_channel, ints channel;
         int value; cw_clause clauses[1]; int which; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    MARK(1);
    cw_spawn(NULL, send_1, self->channel);
    CW_YIELD(self);
    cw_channel_close(self->channel.channel, NULL, NULL);
    self->value = 2;
    self->clauses[0] = ints_on_send(self->channel, &self->value);
    ASSERT_RAISES_CODE(self, 1, CW_ESENDCLOSED,
                       CW_SELECT(self, self->clauses, 1, &self->which));
    MARK(3);
    CW_RECEIVE(self, ints, self->channel, &self->got);
    ASSERT_EQ(self->got, 1);
    CW_YIELD(self);
    MARK(5);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 185: the same channel twice */

CW_COROUTINE(send_2, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, self->arg, 2);
    CW_END(self);
}

SCENARIO(case_185_one_channel_in_two_clauses, ints channel; int value; int got;
         cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->value = 1;
    self->clauses[0] = ints_on_send(self->channel, &self->value);
    self->clauses[1] = ints_on_receive(self->channel, &self->got);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE,
                       CW_SELECT(self, self->clauses, 2, &self->which));
    MARK(1);
    cw_spawn(NULL, send_2, self->channel);
    CW_RECEIVE(self, ints, self->channel, &self->got);
    ASSERT_EQ(self->got, 2);
    MARK(2);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 187: the other job goes on */

CW_COROUTINE(slow_one, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_YIELD(self);
    MARK(8);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(quick_one, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_RETURN(self, 2);
    CW_END(self);
}

SCENARIO(case_187_only_the_first_to_end_counts, cw_job *slow; cw_job * quick;
         int outs[2]; cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    MARK(1);
    self->slow = cw_async(NULL, slow_one, CW_NONE);
    self->quick = cw_async(NULL, quick_one, CW_NONE);
    MARK(2);
    self->clauses[0] = cw_on_await(slow_one, self->slow, &self->outs[0]);
    self->clauses[1] = cw_on_await(quick_one, self->quick, &self->outs[1]);
    self->outs[0] = 0;
    CW_SELECT_BIASED(self, self->clauses, 2, &self->which);
    MARK(6);
    ASSERT_EQ(self->which, 1);
    ASSERT_EQ(self->outs[1], 2);
    ASSERT_EQ(self->outs[0], 0);
    ASSERT(cw_is_active(self->slow));
    MARK(7);
    CW_AWAIT(self, slow_one, self->slow, &self->outs[0]);
    ASSERT_EQ(self->outs[0], 1);
    MARK(9);
    cw_job_release(self->slow);
    cw_job_release(self->quick);
    CW_END(self);
}

/* ---- 188: a job that has failed */

struct pair {
    cw_job *failed, *done;
};

CW_COROUTINE(select_of_failed, struct pair, cw_none, int outs[2];
             cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    self->clauses[0] = cw_on_await(fail_with, self->arg.failed, &self->outs[0]);
    self->clauses[1] = cw_on_await(give, self->arg.done, &self->outs[1]);
    ASSERT_RAISES(self, 1, cw_job_error(self->arg.failed),
                  CW_SELECT_BIASED(self, self->clauses, 2, &self->which));
    MARK(1);
    CW_END(self);
}

/* The failed job has no parent: it would cancel that. */
TEST(case_188_a_failed_job_in_the_first_clause)
{
    cw_context *context = new_context(1);
    struct pair pair = {cw_async(context, fail_with, CW_EBUSY),
                        cw_async(context, give, 1)};
    wait_for(pair.failed);
    wait_for(pair.done);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(select_of_failed, pair, &none, NULL), CW_OK);
    MARK(2);
    cw_job_release(pair.failed);
    cw_job_release(pair.done);
    shut_down(context);
}

/* ---- 190: unlocking only queues who waits */

CW_COROUTINE(locks_too, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_LOCK(self, self->arg, NULL);
    MARK(7);
    ASSERT_EQ(cw_unlock(self->arg, NULL), CW_OK);
    CW_END(self);
}

SCENARIO(case_190_unlocking_queues_who_waits, cw_mutex *mutex; cw_job * job;)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(false);
    MARK(1);
    self->job = cw_launch(NULL, locks_too, self->mutex);
    CW_LOCK(self, self->mutex, NULL);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    ASSERT_EQ(cw_try_lock(self->mutex, NULL), CW_EAGAIN);
    MARK(5);
    ASSERT_EQ(cw_unlock(self->mutex, NULL), CW_OK);
    MARK(6);
    CW_YIELD(self);
    MARK(8);
    ASSERT(!cw_mutex_is_locked(self->mutex));
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

/* ---- 191: cancelled waiters take no permit */

CW_COROUTINE(never_acquires, cw_semaphore *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE(self, self->arg);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(case_191_cancelled_waiters_take_no_permit, cw_semaphore *semaphore;
         cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->semaphore = cw_semaphore_new(1, 0);
    CW_ACQUIRE(self, self->semaphore);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_launch(NULL, never_acquires, self->semaphore);
    CW_YIELD(self);
    cw_cancel(self->jobs[1], NULL);
    cw_cancel(self->jobs[0], NULL);
    ASSERT_EQ(cw_semaphore_available(self->semaphore), 0);
    ASSERT_EQ(cw_give_back(self->semaphore), CW_OK);
    ASSERT_EQ(cw_semaphore_available(self->semaphore), 1);
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT_EQ(cw_semaphore_available(self->semaphore), 1);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_semaphore_release(self->semaphore);
    CW_END(self);
}

/* ---- 91: a lock that is handed to who is cancelled */

CW_COROUTINE(is_handed_the_lock, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_LOCK(self, self->arg, NULL);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(case_91_a_lock_handed_to_a_cancelled_waiter_is_free, cw_mutex *mutex;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(true);
    MARK(1);
    self->job = cw_launch(NULL, is_handed_the_lock, self->mutex);
    CW_YIELD(self);
    MARK(3);
    ASSERT_EQ(cw_unlock(self->mutex, NULL), CW_OK);
    ASSERT(cw_mutex_is_locked(self->mutex)); /* handed over */
    cw_cancel(self->job, NULL);
    MARK(4);
    CW_YIELD(self);
    ASSERT(!cw_mutex_is_locked(self->mutex));
    MARK(5);
    CW_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

/* ---- 107: ten thousand waiters and one unlock
 *
 * On a loop, where a waiter is never run by who unlocks: that the chain of
 * hand-overs needs no stack. Unconfined: conformance_dispatcher_test.c. */

static int locked_times;

CW_COROUTINE(lock_and_unlock, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, self->arg, NULL);
    locked_times++;
    ASSERT_EQ(cw_unlock(self->arg, NULL), CW_OK);
    CW_END(self);
}

CW_COROUTINE(spawn_lockers, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < 10000; i++)
        ASSERT_EQ(cw_spawn(NULL, lock_and_unlock, self->arg), CW_OK);
    CW_YIELD(self);
    ASSERT_EQ(locked_times, 0);
    ASSERT_EQ(cw_unlock(self->arg, NULL), CW_OK);
    CW_END(self);
}

TEST(case_107_ten_thousand_waiters_need_no_stack)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_mutex *mutex = cw_mutex_new(true);
    cw_job *job = cw_launch(context, spawn_lockers, mutex);
    wait_for(job);
    ASSERT_EQ(locked_times, 10000);
    ASSERT(!cw_mutex_is_locked(mutex));
    cw_job_release(job);
    cw_mutex_release(mutex);
    shut_down(context);
}
