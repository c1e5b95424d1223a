/* await_test.c: await.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "later.h"

SCENARIO(await_gives_the_same_value_to_all, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, give_later, 5);
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT_EQ(self->out, 5);
    self->out = 0;
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT_EQ(self->out, 5);
    self->out = 0;
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_OK);
    ASSERT_EQ(self->out, 5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(await_failed, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_later, self->arg, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == cw_job_error(self->arg));
        MARK(1);
    }
    CW_TRY(self, 2);
    CW_AWAIT(self, fail_later, self->arg, &self->out);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT(cw_caught(self) == cw_job_error(self->arg));
        MARK(2);
    }
    ASSERT_EQ(self->out, 0);
    CW_END(self);
}

TEST(await_raises_the_same_error_object_each_time)
{
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "own", NULL);
    cw_job *job = start_failing(context, error);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(await_failed, job, &none, NULL), CW_OK);
    ASSERT(cw_job_error(job) == error);
    int out = 3;
    ASSERT_EQ(cw_result(fail_later, job, &out), CW_EBUSY);
    ASSERT_EQ(out, 3);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
}

/* The caller is cancelled by that very failure and yet sees the failure. */
CW_COROUTINE(await_failing_child, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, fail_later, ((struct fault){1, self->arg}));
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_later, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg);
        MARK(1);
    }
    ASSERT(cw_is_stopped());
    CW_TRY(self, 2);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(2);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_failing_child_raises_its_failure, cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, await_failing_child, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(3);
    }
    cw_error_release(self->error);
    CW_END(self);
}

/* The child has failed but is not over: it waits for a child of its own. */
CW_COROUTINE(fail_with_child, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(await_not_over, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, fail_with_child, self->arg);
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_with_child, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg);
        MARK(1);
    }
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_child_that_fails_but_is_not_over_raises_its_failure,
         cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, await_not_over, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(2);
    }
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(await_when_cancelled, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    CW_AWAIT(self, give, self->arg, &self->out);
    ASSERT_EQ(self->out, 8);
    MARK(1);
    CW_END(self);
}

SCENARIO(await_of_what_is_over_does_not_look_at_cancellation, cw_job *job,
         *other;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 8);
    CW_YIELD(self);
    self->other = cw_launch(NULL, await_when_cancelled, self->job);
    CW_JOIN(self, self->other);
    MARK(2);
    cw_job_release(self->job);
    cw_job_release(self->other);
    CW_END(self);
}

SCENARIO(await_of_another_coroutines_job_is_a_mistake, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 8);
    self->out = 3;
    CW_TRY(self, 1);
    CW_AWAIT(self, give_later, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETYPE);
        MARK(1);
    }
    CW_TRY(self, 2);
    CW_AWAIT_ALL(self, give_later, &self->job, 1, &self->out);
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETYPE);
        MARK(2);
    }
    ASSERT_EQ(self->out, 3);
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_ETYPE);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_result_that_is_not_there_yet_is_busy, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give_later, 1);
    ASSERT_EQ(cw_result(give_later, self->job, &self->out), CW_EBUSY);
    ASSERT_EQ(cw_result(give, self->job, &self->out), CW_ETYPE);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(awaiting_a_cancelled_job_raises_its_cancellation, cw_job *job;
         cw_none none; cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    self->job = cw_async(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    cw_cancel(self->job, self->cause);
    CW_TRY(self, 1);
    CW_AWAIT(self, wait_for_ever, self->job, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->cause);
        ASSERT(cw_caught(self) == cw_job_error(self->job));
        MARK(1);
    }
    ASSERT(!cw_is_stopped()); /* only the other one is cancelled */
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

/* The job is over and its waiter queued; then the waiter is cancelled. */
CW_COROUTINE(await_and_mark, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_AWAIT(self, give_later, self->arg, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(cancel_it, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(2);
    cw_cancel(self->arg, NULL);
    CW_END(self);
}

SCENARIO(a_waiter_that_is_cancelled_before_it_goes_on_raises, cw_job *job,
         *waiter;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give_later, 1);
    self->waiter = cw_launch(NULL, await_and_mark, self->job);
    ASSERT_EQ(cw_spawn(NULL, cancel_it, self->waiter), CW_OK);
    CW_JOIN(self, self->waiter);
    MARK(4);
    ASSERT_EQ(cw_error_code(cw_job_error(self->waiter)), CW_ECANCELED);
    cw_job_release(self->job);
    cw_job_release(self->waiter);
    CW_END(self);
}
