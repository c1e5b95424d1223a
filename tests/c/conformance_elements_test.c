/* conformance_elements_test.c: what changes of elements have to do, case by
 * case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

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

/* ---- 71: two cancellations */

struct two {
    cw_error *a, *b;
};

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
