/* conformance_await_test.c: what starting and awaiting have to do, case by
 * case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- 32: starting a lazy job */

CW_COROUTINE(marks_5_and_7, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(5);
    CW_YIELD(self);
    MARK(7);
    CW_END(self);
}

SCENARIO(case_032_a_lazy_job_is_started_once, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, marks_5_and_7, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(3);
    ASSERT_FLAGS(self->job, false, false, false);
    ASSERT(cw_job_start(self->job));
    ASSERT(!cw_job_start(self->job));
    ASSERT_FLAGS(self->job, true, false, false);
    MARK(4);
    CW_YIELD(self);
    MARK(6);
    ASSERT_FLAGS(self->job, true, false, false);
    CW_YIELD(self);
    MARK(8);
    ASSERT_FLAGS(self->job, false, true, false);
    CW_JOIN(self, self->job);
    MARK(9);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 34: cancelling a lazy job before it is started */

SCENARIO(case_034_cancelled_before_start, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, never, CW_NONE);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT(!cw_job_start(self->job));
    CW_TRY(self, 1);
    CW_AWAIT(self, never, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(1);
    }
    MARK(2);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 35: cancelling a lazy job while it runs */

CW_COROUTINE(computes_for_ever, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_AWAIT_CANCELLATION(self);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(case_035_cancelled_while_computing, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, computes_for_ever, CW_NONE);
    MARK(1);
    ASSERT(cw_job_start(self->job));
    CW_YIELD(self);
    MARK(3);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, false, true);
    ASSERT_RAISES_CODE(
        self, 1, CW_ECANCELED,
        CW_AWAIT(self, computes_for_ever, self->job, &self->out));
    MARK(4);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 37: below a job that has failed */

SCENARIO(case_037_nothing_runs_below_a_failed_job, cw_job *failed;
         cw_job * bare; cw_job * job; struct failures failures;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->failed = LAUNCH(noting(DETACHED, &self->failures), CW_START_DEFAULT,
                          raises, self->error);
    CW_JOIN(self, self->failed);
    ASSERT_EQ(self->failures.count, 1);
    self->job = LAUNCH(noting(UNDER(self->failed), &self->failures),
                       CW_START_DEFAULT, never, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    self->bare = cw_job_new(self->failed);
    self->job = LAUNCH(noting(UNDER(self->bare), &self->failures),
                       CW_START_DEFAULT, never, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_FLAGS(self->bare, false, true, true);
    cw_job_release(self->job);
    cw_job_release(self->bare);
    ASSERT_EQ(self->failures.count, 1);
    ASSERT(self->failures.errors[0] == self->error);
    forget_failures(&self->failures);
    cw_job_release(self->failed);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 38: awaiting twice */

CW_COROUTINE(gives_42_at_3, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(case_038_await_gives_the_same_value_again, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, gives_42_at_3, CW_NONE);
    MARK(2);
    ASSERT(cw_is_active(self->job));
    CW_AWAIT(self, gives_42_at_3, self->job, &self->out);
    ASSERT_EQ(self->out, 42);
    ASSERT_FLAGS(self->job, false, true, false);
    MARK(4);
    self->out = 0;
    CW_AWAIT(self, gives_42_at_3, self->job, &self->out);
    ASSERT_EQ(self->out, 42);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 40: a caught failure has cancelled its parent */

CW_COROUTINE(raises_at_3, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(catches_and_gives_42, cw_error *, int, cw_job *inner; int out;)
{
    CW_BEGIN(self);
    MARK(2);
    self->inner = cw_async(NULL, raises_at_3, self->arg);
    ASSERT_RAISES(self, 1, self->arg,
                  CW_AWAIT(self, raises_at_3, self->inner, &self->out));
    MARK(4);
    cw_job_release(self->inner);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(case_040_a_caught_failure_of_a_child, cw_job *job; int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    MARK(1);
    self->job =
        ASYNC(DETACHED, CW_START_DEFAULT, catches_and_gives_42, self->error);
    ASSERT_RAISES(self, 1, self->error,
                  CW_AWAIT(self, catches_and_gives_42, self->job, &self->out));
    MARK(5);
    cw_job_release(self->job);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 41: a failure counts for more than cancellation */

SCENARIO(case_041_a_failure_after_cancelling_is_awaited, cw_job *job; int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->job = ASYNC(DETACHED, CW_START_ATOMIC, raises, self->error);
    cw_cancel(self->job, NULL);
    CW_TRY(self, 1);
    CW_AWAIT(self, raises, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(1);
    }
    MARK(2);
    cw_job_release(self->job);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 43: a value does not override cancellation */

CW_COROUTINE(gives_a_value_when_cancelled, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(6); }
    CW_RETURN(self, 1);
    CW_END(self);
}

SCENARIO(case_043_a_cancelled_jobs_value_is_lost, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, gives_a_value_when_cancelled, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    cw_cancel(self->job, NULL);
    MARK(5);
    ASSERT_RAISES_CODE(
        self, 1, CW_ECANCELED,
        CW_AWAIT(self, gives_a_value_when_cancelled, self->job, &self->out));
    MARK(7);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 44: one of several fails */

CW_COROUTINE(gives_or_raises, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg) CW_RAISE(self, cw_error_retain(self->arg));
    CW_RETURN(self, 7);
    CW_END(self);
}

static cw_error *first_failure;

CW_COROUTINE(maybe_infinite, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg == 1) CW_RAISE(self, cw_error_retain(first_failure));
    if (self->arg == 2) CW_AWAIT_CANCELLATION(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

SCENARIO(case_044_await_all_raises_the_first_failure, cw_job *jobs[3];
         int outs[3];)
{
    CW_BEGIN(self);
    first_failure = failure("A");
    self->jobs[0] = cw_async(NULL, maybe_infinite, 0);
    self->jobs[1] = ASYNC(DETACHED, CW_START_DEFAULT, maybe_infinite, 1);
    self->jobs[2] = cw_async(NULL, maybe_infinite, 2);
    ASSERT_RAISES(
        self, 1, first_failure,
        CW_AWAIT_ALL(self, maybe_infinite, self->jobs, 3, self->outs));
    MARK(1);
    ASSERT_FLAGS(self->jobs[0], false, true, false);
    ASSERT_FLAGS(self->jobs[1], false, true, true);
    ASSERT_FLAGS(self->jobs[2], true, false, false);
    cw_cancel(self->jobs[2], NULL);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->jobs[2]);
    cw_error_release(first_failure);
    CW_END(self);
}

/* ---- 46: nothing to await */

CW_COROUTINE(too_late, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_END(self);
}

SCENARIO(case_046_await_all_of_nothing_does_not_suspend, cw_job *none[1];
         int outs[1];)
{
    CW_BEGIN(self);
    cw_spawn(NULL, too_late, CW_NONE);
    CW_AWAIT_ALL(self, give, self->none, 0, self->outs);
    MARK(1);
    CW_END(self);
}

/* ---- 47: lazy jobs are started by those who wait for them */

SCENARIO(case_047_await_all_starts_lazy_jobs_in_order, cw_job *jobs[3];
         int outs[3]; int i;)
{
    CW_BEGIN(self);
    MARK(1);
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = ASYNC(PLAIN, CW_START_LAZY, marks, 2 + self->i);
    CW_AWAIT_ALL(self, marks, self->jobs, 3, self->outs);
    MARK(5);
    for (self->i = 0; self->i < 3; self->i++) {
        ASSERT_EQ(self->outs[self->i], 2 + self->i);
        cw_job_release(self->jobs[self->i]);
    }
    CW_END(self);
}

SCENARIO(case_047_join_all_starts_lazy_jobs_in_order, cw_job *jobs[3]; int i;)
{
    CW_BEGIN(self);
    MARK(1);
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = LAUNCH(PLAIN, CW_START_LAZY, marks, 2 + self->i);
    CW_JOIN_ALL(self, self->jobs, 3);
    MARK(5);
    for (self->i = 0; self->i < 3; self->i++)
        cw_job_release(self->jobs[self->i]);
    CW_END(self);
}

SCENARIO(case_047_join_all_raises_no_failure, cw_job *jobs[3]; int i;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = ASYNC(DETACHED, CW_START_LAZY, gives_or_raises,
                                    self->i == 1 ? self->error : NULL);
    CW_JOIN_ALL(self, self->jobs, 3);
    ASSERT(cw_job_error(self->jobs[1]) == self->error);
    for (self->i = 0; self->i < 3; self->i++) {
        ASSERT(cw_is_completed(self->jobs[self->i]));
        cw_job_release(self->jobs[self->i]);
    }
    cw_error_release(self->error);
    CW_END(self);
}
