/* join_test.c: join and join_all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "later.h"

/* ---- join */

SCENARIO(join_waits_for_the_end, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give_later, 3);
    ASSERT(!cw_is_completed(self->job));
    CW_JOIN(self, self->job);
    ASSERT(cw_is_completed(self->job));
    CW_JOIN(self, self->job); /* again: at once */
    cw_job_release(self->job);
    CW_END(self);
}

TEST(join_does_not_raise_the_jobs_error)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *job = start_failing(context, error);
    wait_for(job); /* asserts success */
    ASSERT(cw_job_error(job) == error);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
}

CW_COROUTINE(join_when_cancelled, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    ASSERT(cw_is_completed(self->arg));
    CW_TRY(self, 1);
    CW_JOIN(self, self->arg);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(1); }
    CW_TRY(self, 2);
    CW_JOIN_ALL(self, &self->arg, 1);
    ASSERT(false);
    CW_CATCH(self, 2) { MARK(2); }
    CW_END(self);
}

SCENARIO(join_raises_if_the_caller_is_cancelled_even_if_it_is_over, cw_job *job,
         *other;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give, 1);
    CW_YIELD(self);
    self->other = cw_launch(NULL, join_when_cancelled, self->job);
    CW_JOIN(self, self->other);
    MARK(3);
    cw_job_release(self->job);
    cw_job_release(self->other);
    CW_END(self);
}

CW_COROUTINE(join_failing_child, cw_error *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, fail_later, ((struct fault){1, self->arg}));
    CW_TRY(self, 1);
    CW_JOIN(self, self->job);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(1);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(joining_a_failing_child_raises_cancellation_because_of_it,
         cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, join_failing_child, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(2);
    }
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- join_all */

SCENARIO(join_all_waits_for_all, cw_job *jobs[5]; int i;)
{
    CW_BEGIN(self);
    for (int i = 0; i < 5; i++) {
        int turns[] = {4, 0, 7, 2, 5};
        self->jobs[i] = cw_launch(NULL, give_later, turns[i]);
    }
    CW_JOIN_ALL(self, self->jobs, 5);
    for (int i = 0; i < 5; i++)
        ASSERT(cw_is_completed(self->jobs[i]));
    CW_JOIN_ALL(self, self->jobs, 5);
    CW_JOIN_ALL(self, self->jobs, 0);
    CW_JOIN_ALL(self, NULL, 0);
    for (int i = 0; i < 5; i++)
        cw_job_release(self->jobs[i]);
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(join_two, cw_job **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_JOIN_ALL(self, self->arg, 2);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(1);
    }
    CW_END(self);
}

SCENARIO(join_all_can_be_cancelled_while_it_waits_for_the_second,
         cw_job *jobs[2], *waiting;)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_launch(NULL, give_later, 2);
    self->jobs[1] = cw_launch(NULL, wait_for_ever, CW_NONE);
    self->waiting = cw_launch(NULL, join_two, self->jobs);
    CW_JOIN(self, self->jobs[0]);
    CW_YIELD(self);
    ASSERT(!cw_is_completed(self->waiting));
    CW_CANCEL_AND_JOIN(self, self->waiting);
    MARK(2);
    ASSERT(cw_is_active(self->jobs[1]));
    CW_CANCEL_AND_JOIN(self, self->jobs[1]);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->waiting);
    CW_END(self);
}

CW_COROUTINE(join_all_of, cw_job **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN_ALL(self, self->arg, 3);
    MARK(1);
    CW_END(self);
}

TEST(join_all_raises_no_failure)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *jobs[3];
    for (int i = 0; i < 3; i++)
        jobs[i] = start_failing(context, error);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(join_all_of, jobs, &none, NULL), CW_OK);
    for (int i = 0; i < 3; i++) {
        ASSERT(cw_job_error(jobs[i]) == error);
        cw_job_release(jobs[i]);
    }
    cw_error_release(error);
    shut_down(context);
}

/* ---- many waiters */

CW_COROUTINE(wait_in_line, cw_job *, cw_none, int number;)
{
    static int next;
    CW_BEGIN(self);
    self->number = next++;
    CW_JOIN(self, self->arg);
    MARK(self->number + 1);
    CW_END(self);
}

CW_COROUTINE(wake_a_line, int, cw_none, cw_job *job; int i;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, give_later, 5);
    for (self->i = 0; self->i < self->arg; self->i++)
        ASSERT_EQ(cw_spawn(NULL, wait_in_line, self->job), CW_OK);
    cw_job_release(self->job);
    CW_END(self);
}

static void wake(int count)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, wake_a_line, count);
    wait_for(job);
    ASSERT_EQ(test_marks, count);
    cw_job_release(job);
    shut_down(context);
}

TEST(waiters_wake_in_order_of_arrival) { wake(33); }

TEST(a_hundred_thousand_waiters_wake_in_order_of_arrival) { wake(100000); }
