/* coroutine_test.c: bodies, frames, calls, errors, clean-up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

/* ---- arguments, results, locals */

struct pair {
    int64_t a;
    const char *b;
};

CW_COROUTINE(swap_signs, struct pair, struct pair, int i; char buffer[100];)
{
    CW_BEGIN(self);
    ASSERT_EQ(self->i, 0);
    for (int i = 0; i < 100; i++)
        ASSERT_EQ(self->buffer[i], 0);
    ASSERT_EQ(self->result.a, 0);
    for (self->i = 1; self->i <= 3; self->i++) {
        self->buffer[self->i] = (char)self->i;
        CW_YIELD(self);
    }
    for (int i = 1; i <= 3; i++)
        ASSERT_EQ(self->buffer[i], i);
    CW_RETURN(self, ((struct pair){-self->arg.a, self->arg.b}));
    CW_END(self);
}

SCENARIO(arguments_and_results_are_copied_and_locals_last, cw_job *job;
         struct pair in, out;)
{
    CW_BEGIN(self);
    self->in = (struct pair){42, "text"};
    self->job = cw_async(NULL, swap_signs, self->in);
    self->in = (struct pair){0, NULL};
    CW_AWAIT(self, swap_signs, self->job, &self->out);
    ASSERT_EQ(self->out.a, -42);
    ASSERT_STR(self->out.b, "text");
    self->out.a = 0;
    CW_AWAIT(self, swap_signs, self->job, &self->out);
    ASSERT_EQ(self->out.a, -42); /* the same again */
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(no_value, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_END(self);
}

SCENARIO(without_a_value_the_result_is_zero, int out;)
{
    CW_BEGIN(self);
    self->out = 7;
    CW_CALL(self, no_value, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 0);
    CW_END(self);
}

CW_COROUTINE(return_early, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg > 0) CW_RETURN(self, 1);
    MARK(1);
    CW_RETURN(self, 2);
    MARK(-1);
    CW_END(self);
}

SCENARIO(return_ends_the_body, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, return_early, 1, &self->out);
    ASSERT_EQ(self->out, 1);
    CW_CALL(self, return_early, 0, &self->out);
    ASSERT_EQ(self->out, 2);
    MARK(2);
    CW_END(self);
}

/* ---- yielding */

static int turns[12], turn_count;

CW_COROUTINE(take_turns, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 4; self->i++) {
        turns[turn_count++] = self->arg;
        CW_YIELD(self);
    }
    CW_END(self);
}

SCENARIO(yield_goes_behind_all_that_are_ready, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++)
        ASSERT_EQ(cw_spawn(NULL, take_turns, self->i), CW_OK);
    ASSERT_EQ(turn_count, 0); /* a launch does not run anything */
    for (self->i = 1; self->i <= 4; self->i++) {
        CW_YIELD(self);
        ASSERT_EQ(turn_count, 3 * self->i);
    }
    for (int i = 0; i < 12; i++)
        ASSERT_EQ(turns[i], i % 3);
    CW_END(self);
}

/* More than a ring holds. */
static int next_in_line;

CW_COROUTINE(stand_in_line, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(next_in_line, self->arg);
    next_in_line++;
    CW_YIELD(self);
    ASSERT_EQ(next_in_line, self->arg + 5000);
    next_in_line++;
    CW_END(self);
}

SCENARIO(a_single_worker_keeps_the_order_of_many, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 5000; self->i++)
        ASSERT_EQ(cw_spawn(NULL, stand_in_line, self->i), CW_OK);
    CW_YIELD(self);
    ASSERT_EQ(next_in_line, 5000);
    CW_YIELD(self);
    ASSERT_EQ(next_in_line, 10000);
    CW_END(self);
}

CW_COROUTINE(mark, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_END(self);
}

/* What is resumed does not overtake what was ready before. */
SCENARIO(a_single_worker_resumes_in_order, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, mark, 1);
    ASSERT_EQ(cw_spawn(NULL, mark, 2), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, mark, 3), CW_OK);
    CW_JOIN(self, self->job);
    MARK(4);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- calling */

CW_COROUTINE(who_runs, cw_none, cw_job *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_RETURN(self, cw_current_job());
    CW_END(self);
}

SCENARIO(a_call_is_part_of_the_same_job, cw_job *job;)
{
    CW_BEGIN(self);
    CW_CALL(self, who_runs, CW_NONE, &self->job);
    ASSERT(self->job == cw_current_job());
    ASSERT_STR(cw_job_name(self->job), "a_call_is_part_of_the_same_job_main");
    CW_END(self);
}

/* As deep as `arg`; the deepest one suspends, fails or returns. */
CW_COROUTINE(descend, int, int, int out;)
{
    CW_BEGIN(self);
    if (self->arg == 0) {
        CW_YIELD(self);
        CW_RETURN(self, 1);
    }
    if (self->arg < 0) {
        if (self->arg == -1) CW_FAIL(self, CW_EBUSY, "at the bottom");
        CW_CALL(self, descend, self->arg + 1, &self->out);
    } else {
        CW_CALL(self, descend, self->arg - 1, &self->out);
    }
    CW_RETURN(self, self->out + 1);
    CW_END(self);
}

CW_COROUTINE(descend_and_return, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, descend, 100000, &self->out);
    ASSERT_EQ(self->out, 100001);
    CW_TRY(self, 1);
    CW_CALL(self, descend, -100000, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EBUSY);
        MARK(1);
    }
    CW_END(self);
}

TEST(calls_nest_as_deep_as_memory_allows)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, descend_and_return, CW_NONE);
    wait_for(job);
    MARK(2);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(job);
    shut_down(context);
}

CW_COROUTINE(descend_and_clean_up, int, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    if (self->arg > 0) {
        CW_CALL(self, descend_and_clean_up, self->arg - 1, &self->none);
    } else {
        CW_DELAY(self, INT64_MAX);
    }
    ASSERT(false);
    CW_FINALLY(self);
    MARK(self->arg + 1); /* the innermost first */
    CW_END(self);
}

SCENARIO(cancelling_unwinds_deep_calls_from_the_inside, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, descend_and_clean_up, 99999);
    CW_YIELD(self);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(100001);
    cw_job_release(self->job);
    CW_END(self);
}

/* A function can be called, too. */
CW_FUNCTION(twice, int, int)
{
    if (*arg < 0) return cw_fail(CW_EINVAL, "negative");
    *result = 2 * *arg;
    return CW_OK;
}

SCENARIO(a_call_can_run_a_function, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, twice, 21, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_TRY(self, 1);
    CW_CALL(self, twice, -1, &self->out);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "negative");
        MARK(1);
    }
    ASSERT_EQ(self->out, 42);
    MARK(2);
    CW_END(self);
}

/* ---- try and catch */

SCENARIO(a_raised_error_is_caught, cw_error *error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EFAILED, "raised", NULL);
    CW_TRY(self, 1);
    MARK(1);
    CW_RAISE(self, cw_error_retain(self->error));
    MARK(-1);
    CW_CATCH(self, 1)
    {
        MARK(2);
        ASSERT(cw_caught(self) == self->error);
    }
    MARK(3);
    CW_YIELD(self); /* what was caught is over with */
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

SCENARIO(without_an_error_the_block_is_passed_over, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    MARK(1);
    CW_YIELD(self);
    CW_CATCH(self, 1) { ASSERT(false); }
    MARK(2);
    CW_END(self);
}

SCENARIO(raising_nothing_is_a_plain_failure, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_RAISE(self, NULL);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EFAILED);
        MARK(1);
    }
    MARK(2);
    CW_END(self);
}

SCENARIO(a_callees_error_is_raised_in_its_caller, int out;)
{
    CW_BEGIN(self);
    self->out = 5;
    CW_TRY(self, 1000);
    CW_CALL(self, fail_with, CW_EINVAL, &self->out);
    CW_CATCH(self, 1000)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EINVAL);
        ASSERT_STR(cw_error_message(cw_caught(self)), "on purpose");
        MARK(1);
    }
    ASSERT_EQ(self->out, 5);
    MARK(2);
    CW_END(self);
}

SCENARIO(several_handlers_in_a_row, int i;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_FAIL(self, CW_EINVAL, "first");
    CW_CATCH(self, 1) { MARK(1); }
    CW_TRY(self, 2);
    CW_FAIL(self, CW_EBUSY, "second");
    CW_CATCH(self, 2)
    {
        MARK(2);
        ASSERT_STR(cw_error_message(cw_caught(self)), "second");
        CW_YIELD(self); /* waiting in there is fine */
        ASSERT_STR(cw_error_message(cw_caught(self)), "second");
    }
    for (self->i = 0; self->i < 3; self->i++) { /* one of them again */
        CW_TRY(self, 3);
        if (self->i != 1) continue;
        CW_FAIL(self, CW_EBUSY, "third");
        CW_CATCH(self, 3) { MARK(3); }
    }
    MARK(4);
    CW_END(self);
}

SCENARIO(handlers_nest, cw_error *error;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    CW_TRY(self, 3);
    CW_FAIL(self, CW_EINVAL, "for the third");
    CW_CATCH(self, 3) { MARK(1); }
    CW_FAIL(self, CW_EBUSY, "for the second");
    CW_CATCH(self, 2)
    {
        MARK(2);
        ASSERT_STR(cw_error_message(cw_caught(self)), "for the second");
        self->error = cw_error_retain(cw_caught(self));
        CW_RAISE(self, cw_error_retain(self->error)); /* on to the next */
    }
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT(cw_caught(self) == self->error);
    }
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

SCENARIO(an_outer_handler_holds_after_an_inner_one_was_passed, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    MARK(1);
    CW_CATCH(self, 2) { ASSERT(false); }
    CW_FAIL(self, CW_EBUSY, "for the first");
    CW_CATCH(self, 1) { MARK(2); }
    MARK(3);
    CW_END(self);
}

SCENARIO(a_handler_that_was_jumped_out_of_does_not_hold_twice, int i;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    for (self->i = 0; self->i < 10; self->i++) {
        CW_TRY(self, 2);
        if (self->i < 9) continue; /* not by its CW_CATCH */
        MARK(1);
        CW_CATCH(self, 2) { ASSERT(false); }
    }
    CW_FAIL(self, CW_EBUSY, "for the first");
    CW_CATCH(self, 1) { MARK(2); }
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(return_from_handler, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_FAIL(self, CW_EBUSY, "");
    CW_CATCH(self, 1) { CW_RETURN(self, 42); }
    CW_END(self);
}

SCENARIO(a_handler_can_return, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, return_from_handler, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_END(self);
}

CW_COROUTINE(return_from_try, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_RETURN(self, 42);
    CW_CATCH(self, 1) { ASSERT(false); }
    CW_FINALLY(self);
    CW_FAIL(self, CW_EBUSY, "not for the handler");
    CW_END(self);
}

SCENARIO(a_return_leaves_its_handlers, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_CALL(self, return_from_try, CW_NONE, &self->out);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "not for the handler");
        MARK(1);
    }
    MARK(2);
    CW_END(self);
}

/* ---- finally */

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

/* ---- wrong use */

CW_COROUTINE(suspends_in_a_switch, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    switch (self->arg) {
    case 1:
        CW_DELAY(self, 1);
        break;
    default:
        break;
    }
    CW_END(self);
}

static void suspend_in_a_switch(void)
{
    cw_none none;
    cw_run_blocking(suspends_in_a_switch, 1, &none, NULL);
}

TEST(suspending_in_a_switch_aborts_with_the_coroutines_name)
{
    assert_aborts(suspend_in_a_switch, "suspends_in_a_switch");
}

SCENARIO(a_switch_without_suspension_is_fine, cw_none none;)
{
    CW_BEGIN(self);
    CW_CALL(self, suspends_in_a_switch, 2, &self->none);
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(nests_too_deep, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    CW_TRY(self, 3);
    CW_TRY(self, 4);
    CW_CATCH(self, 4) {}
    CW_CATCH(self, 3) {}
    CW_CATCH(self, 2) {}
    CW_CATCH(self, 1) {}
    CW_END(self);
}

static void nest_too_deep(void) { RUN(nests_too_deep); }

TEST(nesting_too_many_handlers_aborts_with_the_coroutines_name)
{
    assert_aborts(nest_too_deep, "nests_too_deep");
}
