/* scope_test.c: scopes inside of a body.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

CW_COROUTINE(mark_later, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(self->arg);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

/* Hangs, and passes a mark when it is cancelled. */
CW_COROUTINE(hang, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(self->arg);
    CW_END(self);
}

/* ---- waiting */

CW_COROUTINE(launch_two, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT_EQ(cw_spawn(NULL, mark_later, 3), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, mark_later, 4), CW_OK);
    MARK(2);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

SCENARIO(a_scope_waits_for_its_children_and_returns, int out;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, launch_two, 42, &self->out);
    MARK(5);
    ASSERT_EQ(self->out, 42);
    CW_END(self);
}

SCENARIO(a_scope_without_children_does_not_suspend, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, mark_later, 2), CW_OK);
    CW_SCOPE(self, give, 42, &self->out);
    ASSERT_EQ(self->out, 42);
    MARK(1);
    CW_END(self);
}

/* What is launched before or after a scope is not in it. */
SCENARIO(only_what_the_callee_launches_is_in_the_scope, int out; cw_job * job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_SCOPE(self, launch_two, 1, &self->out);
    MARK(5);
    ASSERT(cw_is_active(self->job));
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_SCOPE(self, give, 1, &self->out);
    MARK(6);
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(nest_scopes, int, int, int out;)
{
    CW_BEGIN(self);
    if (self->arg > 0) {
        CW_SCOPE(self, nest_scopes, self->arg - 1, &self->out);
        ASSERT_EQ(self->out, self->arg - 1);
    }
    ASSERT_EQ(cw_spawn(NULL, mark_later, self->arg + 1), CW_OK);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

SCENARIO(scopes_nest, int out;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, nest_scopes, 1000, &self->out);
    MARK(1002);
    CW_END(self);
}

CW_COROUTINE(which_job, cw_none, cw_job *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, cw_current_job());
    CW_END(self);
}

SCENARIO(a_scope_is_part_of_the_same_job, cw_job *job;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, which_job, CW_NONE, &self->job);
    ASSERT(self->job == cw_current_job());
    CW_END(self);
}

/* ---- failing */

CW_COROUTINE(launch_failing, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(one_of_three_fails, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hang, 1), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, launch_failing, self->arg), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, hang, 2), CW_OK);
    CW_RETURN(self, 7);
    CW_END(self);
}

SCENARIO(a_failing_child_cancels_the_others_and_is_raised, int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    self->out = 1;
    CW_TRY(self, 1);
    CW_SCOPE(self, one_of_three_fails, self->error, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT(cw_caught(self) == self->error); /* the very same */
    }
    ASSERT_EQ(self->out, 1);
    ASSERT(cw_is_active(cw_current_job())); /* the caller is not cancelled */
    CW_YIELD(self);
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(fails_while_body_waits, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, launch_failing, self->arg), CW_OK);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(1);
    }
    ASSERT(cw_is_stopped()); /* in here; the job itself is not */
    ASSERT(cw_is_active(cw_current_job()));
    MARK(2);
    CW_END(self);
}

SCENARIO(a_failing_child_cancels_the_body, cw_none none; cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, fails_while_body_waits, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT(cw_caught(self) == self->error);
    }
    ASSERT(!cw_is_stopped());
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(body_fails, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hang, 1), CW_OK);
    CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

SCENARIO(a_failing_body_cancels_and_awaits_its_children, cw_none none;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "body", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, body_fails, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(2);
        ASSERT(cw_caught(self) == self->error);
    }
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(catches_awaited, cw_error *, int, cw_job *job; cw_none none;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, launch_failing, self->arg);
    CW_TRY(self, 1);
    CW_AWAIT(self, launch_failing, self->job, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(1);
        ASSERT(cw_caught(self) == self->arg);
    }
    cw_job_release(self->job);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(catching_an_awaited_failure_does_not_save_the_scope, int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "child", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, catches_awaited, self->error, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(2);
        ASSERT(cw_caught(self) == self->error);
    }
    cw_error_release(self->error);
    CW_END(self);
}

CW_COROUTINE(child_is_cancelled, cw_none, int, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, hang, 1);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(a_cancelled_child_does_not_harm_the_scope, int out;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, child_is_cancelled, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 42);
    MARK(2);
    CW_END(self);
}

CW_COROUTINE(scope_in_scope_fails, cw_error *, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hang, 2), CW_OK);
    CW_SCOPE(self, body_fails, self->arg, &self->none);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(a_failure_goes_up_scope_by_scope, cw_none none; cw_error * error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EBUSY, "inner", NULL);
    CW_TRY(self, 1);
    CW_SCOPE(self, scope_in_scope_fails, self->error, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT(cw_caught(self) == self->error);
    }
    cw_error_release(self->error);
    CW_END(self);
}

/* A chain of jobs, the last of which fails: the first sibling of all hears of
 * it before the jobs in between have cleaned up. */
static cw_job *watched;

CW_COROUTINE(fail_below, int, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    if (self->arg == 0) CW_FAIL(self, CW_EBUSY, "deep down");
    ASSERT_EQ(cw_spawn(NULL, fail_below, self->arg - 1), CW_OK);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    if (self->arg > 0) {
        ASSERT(cw_is_cancelled(watched));
        atomic_fetch_add(&test_marks, 1);
    }
    CW_END(self);
}

CW_COROUTINE(watch_below, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    watched = cw_launch(NULL, wait_for_ever, CW_NONE);
    ASSERT_EQ(cw_spawn(NULL, fail_below, 5), CW_OK);
    CW_END(self);
}

SCENARIO(a_failure_is_told_upwards_at_once, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, watch_below, CW_NONE, &self->none);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "deep down");
        MARK(6);
    }
    ASSERT_CANCELLED(cw_job_error(watched), cw_caught(self));
    cw_job_release(watched);
    CW_END(self);
}

/* ---- cancelling */

CW_COROUTINE(hang_with_child, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hang, self->arg), CW_OK);
    CW_END(self);
}

CW_COROUTINE(scope_that_hangs, int, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, hang_with_child, self->arg, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(self->arg + 1);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
    }
    CW_DELAY(self, 1); /* the job is cancelled, so this raises */
    ASSERT(false);
    CW_FINALLY(self);
    MARK(self->arg + 2);
    CW_END(self);
}

SCENARIO(cancelling_a_job_cancels_its_scopes_children_first, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, scope_that_hangs, 2);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(1);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(up_to_suspension, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(enter_scope_when_cancelled, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_cancel(cw_current_job(), NULL);
    MARK(2); /* cancelling does not interrupt */
    CW_TRY(self, 1);
    CW_SCOPE(self, up_to_suspension, 42, &self->out);
    ASSERT(false); /* although it returned a value */
    CW_CATCH(self, 1)
    {
        MARK(4);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
    }
    ASSERT_EQ(self->out, 0);
    CW_END(self);
}

SCENARIO(a_scope_of_a_cancelled_job_runs_and_raises, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, enter_scope_when_cancelled, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(cancel_job_and_fail, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    cw_cancel(cw_current_job(), NULL);
    CW_FAIL(self, CW_EBUSY, "after it");
    CW_END(self);
}

CW_COROUTINE(failure_against_cancellation, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, cancel_job_and_fail, CW_NONE, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "after it");
        MARK(1);
    }
    CW_END(self);
}

SCENARIO(a_scopes_failure_counts_for_more_than_cancellation, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, failure_against_cancellation, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}

/* The scope is over and its caller about to go on when the job is cancelled:
 * it waited, so it raises. */
CW_COROUTINE(cancelled_after_scope, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, launch_two, 42, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(6);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
    }
    CW_END(self);
}

CW_COROUTINE(cancel_it, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(5);
    cw_cancel(self->arg, NULL);
    CW_END(self);
}

SCENARIO(cancelling_a_caller_whose_scope_has_just_ended, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, cancelled_after_scope, CW_NONE);
    CW_YIELD(self); /* both children are queued and yield once */
    ASSERT_EQ(cw_spawn(NULL, cancel_it, self->job), CW_OK);
    CW_JOIN(self, self->job);
    MARK(7);
    cw_job_release(self->job);
    CW_END(self);
}
