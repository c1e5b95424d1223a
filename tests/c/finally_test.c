/* finally_test.c: the clean-up of bodies, however they end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

enum way { BY_LAST_LINE, BY_RETURN, BY_CANCEL, BY_ERROR, BY_CALLEE };

static int cleaned_up;

CW_COROUTINE(end_by, enum way, int, int out;)
{
    CW_BEGIN(self);
    if (self->arg == BY_RETURN) CW_RETURN(self, 42);
    if (self->arg == BY_CANCEL) CW_DELAY(self, INT64_MAX);
    if (self->arg == BY_ERROR) CW_FAIL(self, CW_EBUSY, "error");
    if (self->arg == BY_CALLEE) {
        CW_CALL(self, fail_with, CW_EINVAL, &self->out);
    }
    CW_FINALLY(self);
    cleaned_up++;
    CW_END(self);
}

SCENARIO(finally_runs_once_however_the_body_ends, int out; cw_job * job;)
{
    CW_BEGIN(self);
    CW_CALL(self, end_by, BY_LAST_LINE, &self->out);
    ASSERT_EQ(self->out, 0);
    ASSERT_EQ(cleaned_up, 1);

    CW_CALL(self, end_by, BY_RETURN, &self->out);
    ASSERT_EQ(self->out, 42);
    ASSERT_EQ(cleaned_up, 2);

    CW_TRY(self, 1);
    CW_CALL(self, end_by, BY_ERROR, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EBUSY); }
    ASSERT_EQ(cleaned_up, 3);

    CW_TRY(self, 2);
    CW_CALL(self, end_by, BY_CALLEE, &self->out);
    ASSERT(false);
    CW_CATCH(self, 2) { ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EINVAL); }
    ASSERT_EQ(cleaned_up, 4);

    self->job = cw_launch(NULL, end_by, BY_CANCEL);
    CW_YIELD(self);
    CW_CANCEL_AND_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    ASSERT_EQ(cleaned_up, 5);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(fail_in_finally, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg) CW_FAIL(self, self->arg, "in the body");
    CW_FINALLY(self);
    MARK(self->arg ? 3 : 1);
    CW_FAIL(self, CW_EBUSY, "in the clean-up");
    ASSERT(false);
    CW_END(self);
}

SCENARIO(an_error_in_finally_ends_it_and_counts, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_CALL(self, fail_in_finally, 0, &self->none);
    CW_CATCH(self, 1)
    {
        MARK(2);
        ASSERT_STR(cw_error_message(cw_caught(self)), "in the clean-up");
    }
    CW_TRY(self, 2);
    CW_CALL(self, fail_in_finally, CW_EINVAL, &self->none);
    CW_CATCH(self, 2)
    {
        MARK(4);
        ASSERT_STR(cw_error_message(cw_caught(self)), "in the clean-up");
    }
    CW_END(self);
}

/* The job is not cancelled: then a body that fails can wait in its clean-up,
 * and its error goes on afterwards. */
CW_COROUTINE(wait_in_finally, int, cw_none, int out; cw_job * job; int done;)
{
    CW_BEGIN(self);
    if (self->arg) CW_FAIL(self, self->arg, "goes on");
    CW_FINALLY(self);
    CW_YIELD(self);
    self->done++;
    CW_DELAY(self, 1);
    self->done++;
    CW_DELAY(self, 0);
    self->done++;
    CW_ENSURE_ACTIVE(self);
    self->done++;
    CW_CALL(self, give, 42, &self->out);
    ASSERT_EQ(self->out, 42);
    self->done++;
    CW_SCOPE(self, give, 43, &self->out);
    ASSERT_EQ(self->out, 43);
    self->done++;
    self->job = cw_async(NULL, give, 44);
    CW_AWAIT(self, give, self->job, &self->out);
    ASSERT_EQ(self->out, 44);
    self->done++;
    CW_AWAIT_ALL(self, give, &self->job, 1, &self->out);
    self->done++;
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    self->done++;
    ASSERT_EQ(self->done, 9);
    MARK(self->arg ? 2 : 1);
    CW_END(self);
}

SCENARIO(clean_up_can_wait_unless_the_job_is_cancelled, cw_none none;)
{
    CW_BEGIN(self);
    CW_CALL(self, wait_in_finally, 0, &self->none);
    CW_TRY(self, 1);
    CW_CALL(self, wait_in_finally, CW_EBUSY, &self->none);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT_STR(cw_error_message(cw_caught(self)), "goes on");
    }
    MARK(4);
    CW_END(self);
}

/* An error that is raised and caught inside of the clean-up does not touch the
 * one that is on its way. */
CW_COROUTINE(catch_in_finally, int, int, int out;)
{
    CW_BEGIN(self);
    if (self->arg) CW_FAIL(self, self->arg, "goes on");
    CW_RETURN(self, 42);
    CW_FINALLY(self);
    CW_TRY(self, 1);
    CW_CALL(self, fail_with, CW_EINVAL, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "on purpose");
    }
    CW_TRY(self, 2);
    CW_FAIL(self, CW_EINVAL, "raised here");
    CW_CATCH(self, 2)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "raised here");
    }
    MARK(self->arg ? 2 : 1);
    CW_END(self);
}

SCENARIO(clean_up_can_catch_errors_of_its_own, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, catch_in_finally, 0, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_TRY(self, 1);
    CW_CALL(self, catch_in_finally, CW_EBUSY, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT_STR(cw_error_message(cw_caught(self)), "goes on");
    }
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(caught_before_finally, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_FAIL(self, CW_EBUSY, "over with");
    CW_CATCH(self, 1) { MARK(1); }
    CW_FINALLY(self);
    CW_YIELD(self);
    MARK(2);
    CW_END(self);
}

SCENARIO(a_caught_error_does_not_go_on_after_finally, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, caught_before_finally, CW_NONE, &self->out);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(wait_when_cancelled, cw_none, cw_none, int finished;)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    MARK(1);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX); /* raises at once */
    self->finished++;
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(2);
    }
    CW_YIELD(self);
    self->finished++;
    MARK(-1);
    CW_END(self);
}

SCENARIO(waiting_in_the_clean_up_of_a_cancelled_job_raises, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, wait_when_cancelled, CW_NONE);
    CW_YIELD(self);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(3);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}

/* A value from the clean-up does not undo a cancellation. */
CW_COROUTINE(return_when_cancelled, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    MARK(1);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(a_value_does_not_override_cancellation, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, return_when_cancelled, CW_NONE);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    CW_TRY(self, 1);
    CW_AWAIT(self, return_when_cancelled, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(2);
    }
    ASSERT_EQ(cw_result(return_when_cancelled, self->job, &self->out),
              CW_ECANCELED);
    ASSERT(cw_is_active(cw_current_job())); /* only the other one is */
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(return_in_finally, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg) CW_FAIL(self, self->arg, "goes on");
    CW_FINALLY(self);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(a_return_from_the_clean_up_does_not_swallow_an_error, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, return_in_finally, 0, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_TRY(self, 1);
    CW_CALL(self, return_in_finally, CW_EBUSY, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "goes on");
        MARK(1);
    }
    CW_END(self);
}

/* The failure goes on although the wait in the clean-up raises. */
CW_COROUTINE(fail_when_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX);
    CW_CATCH(self, 1) { CW_FAIL(self, CW_EBUSY, "counts for more"); }
    CW_FINALLY(self);
    CW_DELAY(self, 1);
    ASSERT(false);
    CW_END(self);
}

TEST(a_failure_counts_for_more_than_cancellation)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, fail_when_cancelled, CW_NONE);
    struct hold *hold = hold_all(context); /* now it waits */
    cw_cancel(job, NULL);
    let_go(context, hold);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_EBUSY);
    ASSERT_EQ(unhandled_count, 1);
    cw_job_release(job);
    shut_down(context);
    hold_free(hold);
}
