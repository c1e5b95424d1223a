/* conformance_scope_test.c: what scopes have to do, case by case, on one
 * worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- 58: a scope waits for all below */

CW_COROUTINE(has_grandchild, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    cw_spawn(NULL, marks, 7);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(nests, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_spawn(NULL, has_grandchild, CW_NONE);
    cw_spawn(NULL, marks, 6);
    MARK(3);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(case_058_a_scope_returns_after_all_below, int out;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_SCOPE(self, nests, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 42);
    MARK(8);
    CW_YIELD(self);
    MARK(9);
    CW_END(self);
}

/* ---- 59: a scope fails, its caller goes on */

CW_COROUTINE(never_ends, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(raises_at_2, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(second_fails, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, never_ends, CW_NONE);
    cw_spawn(NULL, raises_at_2, self->arg);
    CW_RETURN(self, 1);
    CW_END(self);
}

SCENARIO(case_059_a_scope_is_cancelled_from_within, int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    ASSERT_RAISES(self, 1, self->a,
                  CW_SCOPE(self, second_fails, self->a, &self->out));
    MARK(4);
    CW_YIELD(self);
    MARK(5);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- 61: the job around a scope is cancelled */

CW_COROUTINE(cleans_up_at_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(hangs, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, cleans_up_at_4, CW_NONE);
    CW_END(self);
}

CW_COROUTINE(around_hanging, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_SCOPE(self, hangs, CW_NONE, &self->none));
    MARK(5);
    CW_END(self);
}

SCENARIO(case_061_the_outer_job_is_cancelled, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, around_hanging, CW_NONE);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(3);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(6);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 62: a failure after cancelling the outer job */

CW_COROUTINE(cancels_outer_and_raises, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    cw_cancel(cw_current_job(), NULL);
    ASSERT(cw_is_stopped());
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

struct how {
    int kind;
    cw_error *error;
};

CW_COROUTINE(catches_from, struct how, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    if (self->arg.kind == 0) {
        CW_SCOPE(self, cancels_outer_and_raises, self->arg.error, &self->out);
    } else if (self->arg.kind == 1) {
        CW_SUPERVISOR_SCOPE(self, cancels_outer_and_raises, self->arg.error,
                            &self->out);
    } else {
        CW_WITH_ELEMENTS(self, NULL, cancels_outer_and_raises, self->arg.error,
                         &self->out);
    }
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->arg.error);
        MARK(self->arg.kind + 1);
    }
    CW_END(self);
}

SCENARIO(case_062_a_failure_wins_over_cancellation, cw_job *job;
         struct how how;)
{
    CW_BEGIN(self);
    self->how.error = failure("A");
    for (self->how.kind = 0; self->how.kind < 3; self->how.kind++) {
        self->job = cw_launch(NULL, catches_from, self->how);
        CW_JOIN(self, self->job);
        ASSERT_FLAGS(self->job, false, true, true);
        ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
        cw_job_release(self->job);
    }
    MARK(4);
    cw_error_release(self->how.error);
    CW_END(self);
}

/* ---- 70: a child of the block fails */

SCENARIO(case_070_a_failing_child_of_the_block, int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    ASSERT_RAISES(
        self, 1, self->a,
        CW_WITH_ELEMENTS(self, NULL, second_fails, self->a, &self->out));
    MARK(4);
    CW_YIELD(self);
    MARK(5);
    cw_error_release(self->a);
    CW_END(self);
}
