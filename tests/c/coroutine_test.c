/* coroutine_test.c: bodies, frames, yielding and calls.
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
