/* conformance_supervisor_test.c: what supervisors have to do, case by case, on
 * one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

static struct failures told;

/* ---- 49: two failures under a supervisor */

CW_COROUTINE(yields_and_raises, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(raises_at_4, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

SCENARIO(case_049_failures_under_a_supervisor_job, cw_job *supervisor;
         cw_job * jobs[2]; cw_error * a; cw_error * b;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->b = failure("B");
    self->supervisor = cw_supervisor_job_new(NULL);
    MARK(1);
    self->jobs[0] = LAUNCH(noting(UNDER(self->supervisor), &told),
                           CW_START_DEFAULT, yields_and_raises, self->a);
    self->jobs[1] = LAUNCH(noting(UNDER(self->supervisor), &told),
                           CW_START_DEFAULT, raises_at_4, self->b);
    MARK(2);
    CW_JOIN_ALL(self, self->jobs, 2);
    MARK(6);
    ASSERT_FLAGS(self->supervisor, true, false, false);
    ASSERT_FLAGS(self->jobs[0], false, true, true);
    ASSERT_EQ(told.count, 2);
    ASSERT(told.errors[0] == self->b);
    ASSERT(told.errors[1] == self->a);
    ASSERT_EQ(cw_job_complete(self->supervisor), 1);
    forget_failures(&told);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->supervisor);
    cw_error_release(self->a);
    cw_error_release(self->b);
    CW_END(self);
}

/* ---- 50: two failures in a supervisor scope */

struct two {
    cw_error *a, *b;
};

CW_COROUTINE(two_failing_and_ok, struct two, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(noting(PLAIN, &told), CW_START_DEFAULT, raises, self->arg.a);
    SPAWN(noting(PLAIN, &told), CW_START_DEFAULT, raises, self->arg.b);
    CW_RETURN(self, "OK");
    CW_END(self);
}

SCENARIO(case_050_failures_in_a_supervisor_scope, const char *out;
         struct two errors;)
{
    CW_BEGIN(self);
    self->errors.a = failure("A");
    self->errors.b = failure("B");
    CW_SUPERVISOR_SCOPE(self, two_failing_and_ok, self->errors, &self->out);
    ASSERT_STR(self->out, "OK");
    ASSERT_EQ(told.count, 2);
    ASSERT(told.errors[0] == self->errors.a);
    ASSERT(told.errors[1] == self->errors.b);
    forget_failures(&told);
    cw_error_release(self->errors.a);
    cw_error_release(self->errors.b);
    CW_END(self);
}

/* ---- 52: a supervisor scope's own failure */

CW_COROUTINE(cleans_up_at_3, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(raises_beside_child, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_job_release(cw_async(NULL, cleans_up_at_3, CW_NONE));
    CW_YIELD(self);
    MARK(2);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

SCENARIO(case_052_a_throwing_supervisor_scope, cw_none none; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    ASSERT_RAISES(
        self, 1, self->a,
        CW_SUPERVISOR_SCOPE(self, raises_beside_child, self->a, &self->none));
    MARK(4);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- 53: and of a child because of it */

CW_COROUTINE(raises_b_when_cancelled, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(2);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(raises_above_b, struct two, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(noting(PLAIN, &told), CW_START_DEFAULT, raises_b_when_cancelled,
          self->arg.b);
    CW_YIELD(self);
    MARK(1);
    CW_RAISE(self, cw_error_retain(self->arg.a));
    CW_END(self);
}

SCENARIO(case_053_a_supervisor_scope_and_its_child_fail, cw_none none;
         struct two errors;)
{
    CW_BEGIN(self);
    self->errors.a = failure("A");
    self->errors.b = failure("B");
    ASSERT_RAISES(
        self, 1, self->errors.a,
        CW_SUPERVISOR_SCOPE(self, raises_above_b, self->errors, &self->none));
    ASSERT(cw_error_suppressed(self->errors.a, 0) == NULL);
    MARK(3);
    ASSERT_EQ(told.count, 1);
    ASSERT(told.errors[0] == self->errors.b);
    forget_failures(&told);
    cw_error_release(self->errors.a);
    cw_error_release(self->errors.b);
    CW_END(self);
}

/* ---- 55: cancelling from outside */

CW_COROUTINE(cleans_up_at_5, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(5);
    CW_END(self);
}

static cw_job *hanging_child;

CW_COROUTINE(has_hanging_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    hanging_child = cw_launch(NULL, cleans_up_at_5, CW_NONE);
    CW_END(self);
}

CW_COROUTINE(in_supervisor_scope, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_SUPERVISOR_SCOPE(self, has_hanging_child, CW_NONE, &self->none);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(6);
    CW_END(self);
}

SCENARIO(case_055_a_supervisor_scope_is_cancelled_from_outside, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, in_supervisor_scope, CW_NONE);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(4);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(hanging_child, false, false, true);
    CW_JOIN(self, self->job);
    MARK(7);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(hanging_child);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 56: a supervisor is completed with a failure */

CW_COROUTINE(waits, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_AWAIT_CANCELLATION(self);
    CW_END(self);
}

SCENARIO(case_056_a_supervisor_job_fails, cw_job *supervisor; cw_job * job;
         int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->supervisor = cw_supervisor_job_new(NULL);
    self->job =
        ASYNC(UNDER(self->supervisor), CW_START_DEFAULT, waits, CW_NONE);
    CW_YIELD(self);
    MARK(2);
    ASSERT_EQ(cw_job_complete_exceptionally(self->supervisor, self->a), 1);
    CW_TRY(self, 1);
    CW_AWAIT(self, waits, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->a);
        MARK(3);
    }
    ASSERT(cw_job_error(self->supervisor) == self->a);
    cw_job_release(self->job);
    cw_job_release(self->supervisor);
    cw_error_release(self->a);
    CW_END(self);
}
