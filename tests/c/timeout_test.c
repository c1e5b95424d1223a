/* timeout_test.c: time limits of scopes, in virtual time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "virtual.h"

CW_COROUTINE(has_or_null, int64_t, int, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, self->arg, takes_time, 1000, &self->out,
                            &self->in_time);
    CW_RETURN(self, self->in_time ? 1 : 2);
    CW_END(self);
}

VIRTUAL(an_inner_limit_runs_out_first, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 50, has_or_null, 10, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 2);
    ASSERT_EQ(NOW, 10);
    CW_END(self);
}

VIRTUAL(an_outer_limit_runs_out_first, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, has_or_null, 50, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 10);
    CW_END(self);
}

VIRTUAL(in_time, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 1001, takes_time, 1000, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 1);
    CW_WITH_TIMEOUT(self, 1001, takes_time, 1000, &self->out);
    CW_WITH_TIMEOUT(self, INT64_MAX, takes_time, 1000, &self->out);
    ASSERT_EQ(NOW, 3000);
    CW_END(self);
}

CW_COROUTINE(fails_with_etimedout, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_FAIL(self, CW_ETIMEDOUT, "a failure");
    CW_END(self);
}

VIRTUAL(a_failure_of_that_code_is_no_limit, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, fails_with_etimedout, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(false);
    CW_CATCH(self, 1)
    ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETIMEDOUT);
    CW_END(self);
}

CW_COROUTINE(leaves_slow_child, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, takes_time, 1000);
    CW_RETURN(self, 1);
    CW_END(self);
}

VIRTUAL(a_limit_is_for_the_children_too, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, leaves_slow_child, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 100);
    CW_END(self);
}

CW_COROUTINE(swallows_and_returns, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT_CANCELLATION(self);
    CW_CATCH(self, 1) { MARK(1); }
    CW_RETURN(self, 1);
    CW_END(self);
}

VIRTUAL(a_value_after_the_limit_is_lost, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, swallows_and_returns, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(!self->in_time);
    MARK(2);
    CW_END(self);
}

/* A time limit that leaves a job ends that job quietly. */
CW_COROUTINE(is_too_slow, cw_none, int, int out;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT(self, 10, takes_time, 1000, &self->out);
    CW_END(self);
}

VIRTUAL(a_limit_does_not_fail_the_parent, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, is_too_slow, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}
