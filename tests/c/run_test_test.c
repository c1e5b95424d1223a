/* run_test_test.c: coroutines as tests in virtual time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "virtual.h"

#include "main_context.h"

/* ---- results and errors */

TEST(the_result_and_success_are_returned)
{
    int out = 0;
    cw_error *error = (cw_error *)&out; /* anything but NULL */
    ASSERT_EQ(cw_run_test(give, 42, &out, &error), CW_OK);
    ASSERT_EQ(out, 42);
    ASSERT(error == NULL);
    ASSERT_EQ(cw_run_test(give, 43, &out, NULL), CW_OK);
    ASSERT_EQ(out, 43);
}

TEST(the_bodys_error_is_returned_and_told_to_nobody_else)
{
    cw_set_unhandled_handler(count_unhandled);
    int out = 7;
    cw_error *error;
    ASSERT_EQ(cw_run_test(fail_with, CW_EBUSY, &out, &error), CW_EBUSY);
    ASSERT_STR(cw_error_message(error), "on purpose");
    cw_error_release(error);
    ASSERT_EQ(cw_run_test(fail_with, CW_EINVAL, &out, NULL), CW_EINVAL);
    ASSERT_EQ(out, 7);
    ASSERT_EQ(unhandled_count, 0);
}

CW_COROUTINE(cancel_itself, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    CW_END(self);
}

TEST(a_cancelled_body_is_told_as_such)
{
    cw_none none;
    ASSERT_EQ(cw_run_test(cancel_itself, CW_NONE, &none, NULL), CW_ECANCELED);
}

CW_FUNCTION(tell_time, cw_none, int64_t)
{
    (void)arg;
    *result = cw_test_current_time(NULL);
    return CW_OK;
}

TEST(a_function_can_be_a_test)
{
    int64_t time = -1;
    ASSERT_EQ(cw_run_test(tell_time, CW_NONE, &time, NULL), CW_OK);
    ASSERT_EQ(time, 0);
}

/* ---- what the body leaves behind */

CW_COROUTINE(mark_after, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000 * self->arg);
    MARK(self->arg);
    CW_END(self);
}

CW_COROUTINE(leave_children, cw_none, int64_t, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, mark_after, 2), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, mark_after, 1), CW_OK);
    CW_RETURN(self, 5);
    CW_END(self);
}

TEST(it_waits_for_children_in_virtual_time)
{
    int64_t out;
    ASSERT_EQ(cw_run_test(leave_children, CW_NONE, &out, NULL), CW_OK);
    MARK(3);
    ASSERT_EQ(out, 5);
}

CW_COROUTINE(leave_failing_child, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, fail_with, CW_EBUSY), CW_OK);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

TEST(a_failing_child_fails_the_test)
{
    int out;
    cw_error *error;
    ASSERT_EQ(cw_run_test(leave_failing_child, CW_NONE, &out, &error),
              CW_EBUSY);
    ASSERT_STR(cw_error_message(error), "on purpose");
    cw_error_release(error);
}

/* ---- the background */

static int background_ends;

CW_COROUTINE(tick, int, cw_none, int turns;)
{
    CW_BEGIN(self);
    for (;; self->turns++)
        CW_DELAY(self, 10);
    CW_FINALLY(self);
    ASSERT_EQ(self->turns, self->arg);
    ASSERT_EQ(NOW, 2000);
    background_ends++;
    CW_END(self);
}

CW_COROUTINE(spawn_tick, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == BACKGROUND);
    ASSERT_EQ(cw_spawn(NULL, tick, self->arg), CW_OK);
    /* As are jobs on other test dispatchers. */
    ASSERT_EQ(cw_spawn(UNCONFINED, tick, self->arg), CW_OK);
    CW_END(self);
}

CW_COROUTINE(leave_background, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(BACKGROUND, tick, 199), CW_OK);
    ASSERT_EQ(cw_spawn(cw_test_context(NULL, CW_TEST_BACKGROUND_UNCONFINED),
                       tick, 199),
              CW_OK);
    ASSERT_EQ(cw_spawn(BACKGROUND, spawn_tick, 199), CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(NOW, 0);
    ASSERT_EQ(cw_spawn(NULL, leave_children, CW_NONE), CW_OK);
    CW_DELAY(self, 105);
    ASSERT_EQ(background_ends, 0);
    CW_END(self);
}

TEST(the_background_is_cancelled_when_all_else_has_ended)
{
    RUN_TEST(leave_background);
    ASSERT_EQ(background_ends, 4);
}

/* ---- failures that nobody takes */

CW_COROUTINE(fail_after, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    CW_FAIL(self, self->arg == 1 ? CW_EBUSY : CW_ETYPE, "in the background");
    CW_END(self);
}

CW_COROUTINE(fail_behind, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(BACKGROUND, fail_after, 2), CW_OK);
    ASSERT_EQ(cw_spawn(BACKGROUND, fail_after, 1), CW_OK);
    CW_DELAY(self, 10);
    ASSERT(!cw_is_stopped());
    MARK(1);
    if (self->arg) CW_FAIL(self, self->arg, "of the body");
    CW_RETURN(self, 1);
    CW_END(self);
}

TEST(failures_that_nobody_takes_are_told_at_the_end)
{
    cw_set_unhandled_handler(count_unhandled);
    int out = 0;
    cw_error *error;
    ASSERT_EQ(cw_run_test(fail_behind, 0, &out, &error), CW_EBUSY);
    MARK(2);
    ASSERT_STR(cw_error_message(error), "in the background");
    ASSERT_EQ(cw_error_code(cw_error_suppressed(error, 0)), CW_ETYPE);
    ASSERT(cw_error_suppressed(error, 1) == NULL);
    cw_error_release(error);
    ASSERT_EQ(out, 0);
    ASSERT_EQ(unhandled_count, 0);
}

TEST(the_bodys_failure_comes_first)
{
    int out;
    cw_error *error;
    ASSERT_EQ(cw_run_test(fail_behind, CW_EINVAL, &out, &error), CW_EINVAL);
    ASSERT_STR(cw_error_message(error), "of the body");
    ASSERT_EQ(cw_error_code(cw_error_suppressed(error, 0)), CW_EBUSY);
    ASSERT_EQ(cw_error_code(cw_error_suppressed(error, 1)), CW_ETYPE);
    ASSERT(cw_error_suppressed(error, 2) == NULL);
    cw_error_release(error);
}

TEST(without_a_test_failures_go_where_they_always_go)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_spawn(cw_test_context(scheduler, CW_TEST_STANDARD), fail_with, CW_EBUSY);
    ASSERT_EQ(cw_test_run_current(scheduler), CW_OK);
    ASSERT_EQ(unhandled_count, 1);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
}

/* ---- options */

TEST(the_body_runs_where_it_is_told_to)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    int out = 0;
    cw_test_options options = {0};
    for (int i = 0; i < CW_TEST_BACKGROUND; i++) {
        enum cw_test_dispatcher which = (enum cw_test_dispatcher)i;
        options.context = cw_test_context(scheduler, which);
        ASSERT_EQ(cw_run_test_with(&options, give, i, &out, NULL), CW_OK);
        ASSERT_EQ(out, i);
    }
    ASSERT_EQ(cw_test_advance_time_by(scheduler, 7), CW_OK);
    int64_t time = 0; /* goes on from one test to the next */
    ASSERT_EQ(cw_run_test_with(&options, tell_time, CW_NONE, &time, NULL),
              CW_OK);
    ASSERT_EQ(time, 7);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
}

TEST(wrong_options_are_refused)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *real = new_context(1);
    int out;
    cw_test_options options = {.context = real};
    cw_error *error;
    ASSERT_EQ(cw_run_test_with(&options, give, 1, &out, &error), CW_EINVAL);
    ASSERT_EQ(cw_error_code(error), CW_EINVAL);
    cw_error_release(error);
    options.context = cw_test_context(scheduler, CW_TEST_BACKGROUND);
    ASSERT_EQ(cw_run_test_with(&options, give, 1, &out, NULL), CW_EINVAL);
    options = (cw_test_options){.timeout_ms = -1};
    ASSERT_EQ(cw_run_test_with(&options, give, 1, &out, NULL), CW_EINVAL);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    shut_down(real);
}

CW_COROUTINE(join_and_mark, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_JOIN(self, self->arg);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(enter_children_in_place, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(cw_spawn(NULL, give, i), CW_OK);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    ASSERT_EQ(cw_spawn(NULL, join_and_mark, self->job), CW_OK);
    MARK(2);
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    MARK(4);
    CW_END(self);
}

TEST(an_unconfined_body_sees_its_children_begin_and_go_on)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_test_options options = {
        .context = cw_test_context(scheduler, CW_TEST_UNCONFINED)};
    cw_none none;
    ASSERT_EQ(cw_run_test_with(&options, enter_children_in_place, CW_NONE,
                               &none, NULL),
              CW_OK);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
}

TEST(a_scheduler_that_is_over_runs_no_test)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_test_options options = {
        .context = cw_test_context(scheduler, CW_TEST_STANDARD)};
    ASSERT_EQ(cw_test_set_main(options.context), CW_OK);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    int out;
    ASSERT_EQ(cw_run_test_with(&options, give, 1, &out, NULL), CW_ESTATE);
    ASSERT_EQ(cw_run_test(give, 1, &out, NULL), CW_ESTATE);
    ASSERT_EQ(cw_spawn(cw_main_context(), give, 1), CW_OK); /* cancelled */
    cw_test_reset_main();
    ASSERT_EQ(cw_run_test(give, 1, &out, NULL), CW_OK);
}

/* ---- the limit in real time */

CW_COROUTINE(hang, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

CW_COROUTINE(hang_with_child, bool, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hang, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, give, 1), CW_OK);
    if (self->arg) CW_DELAY(self, INT64_MAX);
    CW_FINALLY(self);
    MARK(1);
    CW_END(self);
}

TEST(a_test_that_hangs_is_cancelled)
{
    cw_none none;
    cw_error *error;
    cw_test_options options = {.timeout_ms = 5};
    ASSERT_EQ(cw_run_test_with(&options, hang_with_child, true, &none, &error),
              CW_ETIMEDOUT);
    ASSERT_STR(cw_error_message(error),
               "the time limit of the test ran out; its body is not over: "
               "waits for time to pass; active: hang (waits for time to pass), "
               "wait_for_ever (waits for time to pass)");
    cw_error_release(error);
    MARK(2);
}

TEST(children_that_hang_are_named)
{
    cw_none none;
    cw_error *error;
    cw_test_options options = {.timeout_ms = 5};
    ASSERT_EQ(cw_run_test_with(&options, hang_with_child, false, &none, &error),
              CW_ETIMEDOUT);
    ASSERT_STR(cw_error_message(error),
               "the time limit of the test ran out; "
               "active: hang (waits for time to pass), "
               "wait_for_ever (waits for time to pass)");
    cw_error_release(error);
}

CW_COROUTINE(busy_for_ever, bool, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (;;) {
        CW_YIELD(self);
        if (self->arg) CW_DELAY(self, 1);
    }
    CW_END(self);
}

CW_COROUTINE(advance_for_ever, enum cw_test_dispatcher, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(cw_test_context(NULL, self->arg), busy_for_ever, true),
              CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    CW_END(self);
}

TEST(the_limit_reaches_loops_inside_of_calls)
{
    cw_none none;
    cw_test_options options = {.timeout_ms = 5};
    ASSERT_EQ(cw_run_test_with(&options, advance_for_ever, CW_TEST_STANDARD,
                               &none, NULL),
              CW_ETIMEDOUT);
    ASSERT_EQ(cw_run_test_with(&options, advance_for_ever, CW_TEST_UNCONFINED,
                               &none, NULL),
              CW_ETIMEDOUT);
    ASSERT_EQ(cw_run_test_with(&options, busy_for_ever, false, &none, NULL),
              CW_ETIMEDOUT);
}

/* ---- the main context */

TEST(the_main_context_can_be_replaced)
{
    ASSERT(cw_main_context() == NULL);
    ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    ASSERT_EQ(cw_test_set_main(NULL), CW_EINVAL);
    cw_context *real = new_context(1);
    cw__set_main_context(real);
    ASSERT(cw_main_context() == real);
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *fake = cw_test_context(scheduler, CW_TEST_STANDARD);
    ASSERT_EQ(cw_test_set_main(fake), CW_OK);
    ASSERT(cw_main_context() == fake);
    cw_test_reset_main();
    cw_test_reset_main();
    ASSERT(cw_main_context() == real);
    cw__set_main_context(NULL);
    ASSERT(cw_main_context() == NULL);
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    shut_down(real);
}

CW_COROUTINE(use_main, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(cw_main_context(), mark_after, 2);
    CW_JOIN(self, self->job);
    ASSERT_EQ(NOW, 2000);
    MARK(3);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

TEST(tests_share_the_scheduler_behind_the_main_context)
{
    cw_test_scheduler *scheduler = cw_test_scheduler_new();
    cw_context *main = cw_test_context(scheduler, CW_TEST_UNCONFINED);
    ASSERT_EQ(cw_test_set_main(main), CW_OK);
    ASSERT_EQ(cw_spawn(main, mark_after, 1), CW_OK); /* before the test */
    RUN_TEST(use_main);
    ASSERT_EQ(cw_test_current_time(scheduler), 2000);
    cw_test_reset_main();
    ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
}

/* ---- the older form */

CW_COROUTINE(launch_in_place, cw_none, int, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT_EQ(cw_spawn(NULL, mark_after, 4), CW_OK);
    MARK(3);
    CW_RETURN(self, 7);
    CW_END(self);
}

CW_COROUTINE(begin_all_at_once, cw_none, int, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, launch_in_place, CW_NONE);
    ASSERT_EQ(test_marks, 3);
    CW_YIELD(self);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 4000), CW_OK); /* inclusive */
    ASSERT_EQ(test_marks, 4);
    ASSERT_EQ(NOW, 4000);
    CW_AWAIT(self, launch_in_place, self->job, &self->out);
    cw_job_release(self->job);
    CW_RETURN(self, self->out);
    CW_END(self);
}

TEST(in_the_older_form_jobs_begin_at_once)
{
    int out = 0;
    ASSERT_EQ(cw_run_blocking_test(begin_all_at_once, CW_NONE, &out, NULL),
              CW_OK);
    ASSERT_EQ(out, 7);
    MARK(5);
}

TEST(the_older_form_waits_in_virtual_time)
{
    int64_t time = 0;
    ASSERT_EQ(cw_run_blocking_test(leave_children, CW_NONE, &time, NULL),
              CW_OK);
    ASSERT_EQ(time, 5);
}

TEST(the_older_form_refuses_to_leave_jobs)
{
    cw_none none;
    cw_error *error;
    ASSERT_EQ(cw_run_blocking_test(hang_with_child, false, &none, &error),
              CW_EBUSY);
    ASSERT_STR(cw_error_message(error),
               "the test is not over; active: hang (waits for time to pass), "
               "wait_for_ever (waits for time to pass)");
    cw_error_release(error);
}

TEST(the_older_form_tells_the_bodys_error_first)
{
    int out;
    cw_error *error;
    ASSERT_EQ(cw_run_blocking_test(fail_with, CW_EINVAL, &out, &error),
              CW_EINVAL);
    ASSERT_STR(cw_error_message(error), "on purpose");
    cw_error_release(error);
    ASSERT_EQ(cw_run_blocking_test(fail_behind, 0, &out, NULL), CW_EBUSY);
}

CW_COROUTINE(leave_event, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(cw_test_context(NULL, CW_TEST_BACKGROUND_UNCONFINED),
                       busy_for_ever, true),
              CW_OK);
    CW_RETURN(self, 1);
    CW_END(self);
}

TEST(the_older_form_refuses_to_leave_events)
{
    int out = 0;
    cw_error *error;
    ASSERT_EQ(cw_run_blocking_test(leave_event, CW_NONE, &out, &error),
              CW_EBUSY);
    ASSERT_STR(cw_error_message(error), "events of the test are left");
    cw_error_release(error);
    ASSERT_EQ(out, 0);
}
