/* conformance_scope_test.c: what supervisors, scopes and changes of elements
 * have to do, case by case, on one worker, where the order of everything is
 * fixed.
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

/* ---- 64: other elements for a cancelled caller */

CW_COROUTINE(is_cancelled_before, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    ASSERT_RAISES_CODE(
        self, 1, CW_ECANCELED,
        CW_WITH_ELEMENTS(self, NULL, never, CW_NONE, &self->out));
    MARK(1);
    CW_END(self);
}

SCENARIO(case_064_no_body_for_a_cancelled_caller, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, is_cancelled_before, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 65: the same context */

CW_COROUTINE(marks_3, cw_none, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RETURN(self, "OK");
    CW_END(self);
}

SCENARIO(case_065_the_same_context_without_suspension, const char *out;
         const cw_elements *same;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, marks, 5);
    MARK(2);
    self->same = cw_elements_with_context(NULL, cw_current_context());
    CW_WITH_ELEMENTS(self, self->same, marks_3, CW_NONE, &self->out);
    ASSERT_STR(self->out, "OK");
    MARK(4);
    cw_elements_release(self->same);
    CW_END(self);
}

CW_COROUTINE(yields_3_to_6, cw_none, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_YIELD(self);
    MARK(6);
    CW_RETURN(self, "OK");
    CW_END(self);
}

CW_COROUTINE(yields_4_to_8, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    MARK(5);
    CW_YIELD(self);
    MARK(8);
    CW_END(self);
}

SCENARIO(case_065_the_same_context_with_suspension, const char *out;
         const cw_elements *same;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, yields_4_to_8, CW_NONE);
    MARK(2);
    self->same = cw_elements_with_context(NULL, cw_current_context());
    CW_WITH_ELEMENTS(self, self->same, yields_3_to_6, CW_NONE, &self->out);
    ASSERT_STR(self->out, "OK");
    MARK(7);
    cw_elements_release(self->same);
    CW_END(self);
}

/* ---- 67, 68: cancelled while in another context */

struct there {
    cw_context *context;
    cw_job *caller;
    cw_error *error; /* to raise, or NULL */
};

CW_COROUTINE(cancels_its_caller, struct there, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg.context);
    MARK(3);
    cw_cancel(self->arg.caller, NULL);
    if (self->arg.error) CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(goes_there, struct there, cw_none, int out;
             const cw_elements *there; cw_context * here;)
{
    CW_BEGIN(self);
    MARK(2);
    self->here = cw_current_context();
    self->there = cw_elements_with_context(NULL, self->arg.context);
    self->arg.caller = cw_current_job();
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->there, cancels_its_caller, self->arg,
                     &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_current_context() == self->here);
        if (self->arg.error)
            ASSERT(cw_caught(self) == self->arg.error);
        else
            ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(4);
    }
    cw_elements_release(self->there);
    CW_END(self);
}

CW_COROUTINE(sends_there, struct there, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_launch(NULL, goes_there, self->arg);
    CW_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

static void run_there(cw_error *error)
{
    cw_none none;
    struct there there = {new_context(1), NULL, error};
    ASSERT_EQ(cw_run_blocking(sends_there, there, &none, NULL), CW_OK);
    shut_down(there.context);
}

TEST(case_067_a_value_from_another_context_is_lost) { run_there(NULL); }

TEST(case_068_a_failure_from_another_context_is_not)
{
    cw_error *a = failure("A");
    run_there(a);
    cw_error_release(a);
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

/* ---- 71: two cancellations */

CW_COROUTINE(raises_another_cancellation, struct two, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), self->arg.a);
    CW_RAISE(self, cw_error_retain(self->arg.b));
    CW_END(self);
}

CW_COROUTINE(is_cancelled_twice, struct two, cw_none, int out;)
{
    CW_BEGIN(self);
    ASSERT_RAISES(self, 1, self->arg.a,
                  CW_WITH_ELEMENTS(self, NULL, raises_another_cancellation,
                                   self->arg, &self->out));
    ASSERT(cw_error_suppressed(self->arg.a, 0) == NULL);
    MARK(1);
    CW_END(self);
}

SCENARIO(case_071_the_first_of_two_cancellations_counts, cw_job *job;
         struct two errors; cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = failure("C");
    self->errors.a = cw_error_new(CW_ECANCELED, "CE1", NULL);
    self->errors.b = cw_error_new(CW_ECANCELED, "CE2", self->cause);
    self->job = cw_launch(NULL, is_cancelled_twice, self->errors);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT(cw_job_error(self->job) == self->errors.a);
    cw_job_release(self->job);
    cw_error_release(self->errors.a);
    cw_error_release(self->errors.b);
    cw_error_release(self->cause);
    CW_END(self);
}

/* ---- 73, 74: what cannot be cancelled */

CW_COROUTINE(yields_2_to_4, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    ASSERT(!cw_is_stopped());
    CW_RETURN(self, 7);
    CW_END(self);
}

CW_COROUTINE(has_non_cancellable, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_NON_CANCELLABLE(self, yields_2_to_4, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 7);
    ASSERT(cw_is_stopped());
    MARK(5);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED, CW_YIELD(self));
    MARK(6);
    CW_END(self);
}

SCENARIO(case_073_cancelled_in_a_non_cancellable_block, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, has_non_cancellable, CW_NONE);
    CW_YIELD(self);
    MARK(3);
    cw_cancel(self->job, NULL);
    CW_JOIN(self, self->job);
    MARK(7);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(yields_to_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(cleans_up_non_cancellably, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    MARK(1);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(3);
    CW_NON_CANCELLABLE(self, yields_to_4, CW_NONE, &self->none);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_074_suspending_in_clean_up, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, cleans_up_non_cancellably, CW_NONE);
    CW_YIELD(self);
    MARK(2);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(6);
    cw_job_release(self->job);
    CW_END(self);
}
