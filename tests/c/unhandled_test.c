/* unhandled_test.c: failures that nobody takes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

static cw_job *handled_job;
static cw_job *child_of_handled;

static void check_unhandled(const char *name, cw_error *error)
{
    count_unhandled(name, error);
    ASSERT_STR(name, "fails_after_its_child");
    ASSERT_STR(cw_error_message(error), "body");
    ASSERT_STR(cw_worker_name(), "test"); /* on the worker that ran the job */
    ASSERT(cw_is_completed(child_of_handled)); /* after all children ... */
    ASSERT(!cw_is_completed(handled_job)); /* ... before anybody can see it */
}

CW_COROUTINE(fails_after_its_child, sem_t *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    child_of_handled = cw_launch(NULL, wait_for_ever, CW_NONE);
    event_await(self->arg); /* until the handle is known */
    CW_YIELD(self);
    CW_FAIL(self, CW_EBUSY, "body");
    CW_END(self);
}

TEST(a_root_that_fails_is_told_to_the_handler_once)
{
    cw_set_unhandled_handler(check_unhandled);
    cw_context *context = new_context(1);
    sem_t *ready = event_new();
    handled_job = cw_launch(context, fails_after_its_child, ready);
    event_set(ready);
    wait_for(handled_job);
    ASSERT_EQ(unhandled_count, 1);
    cw_job_release(handled_job);
    cw_job_release(child_of_handled);
    shut_down(context);
    event_free(ready);
}

TEST(neither_async_nor_cancelled_jobs_are_told_to_the_handler)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_job *failing = cw_async(context, fail_with, CW_EBUSY);
    cw_job *cancelled = cw_launch(context, wait_for_ever, CW_NONE);
    cw_job *cancelling = cw_launch(context, fail_with, CW_ECANCELED);
    cw_cancel(cancelled, NULL);
    wait_for(failing);
    wait_for(cancelled);
    wait_for(cancelling);
    ASSERT_EQ(cw_error_code(cw_job_error(failing)), CW_EBUSY);
    ASSERT_EQ(unhandled_count, 0);
    cw_job_release(failing);
    cw_job_release(cancelled);
    cw_job_release(cancelling);
    shut_down(context);
}

TEST(a_spawned_root_that_fails_is_told_to_the_handler)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(2);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(cw_spawn(context, fail_with, CW_EFAILED), CW_OK);
    shut_down(context);
    ASSERT_EQ(unhandled_count, 10);
}

/* What the handler launches has no parent. */
static cw_job *launched_by_handler;

static void launch_another(const char *name, cw_error *error)
{
    count_unhandled(name, error);
    ASSERT(cw_current_job() == NULL);
    launched_by_handler = cw_launch(NULL, give, 42);
    ASSERT(cw_is_active(launched_by_handler));
}

CW_COROUTINE(fails_before_its_child_begins, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, give, 1), CW_OK);
    CW_FAIL(self, CW_EBUSY, "body");
    CW_END(self);
}

TEST(the_handler_runs_outside_of_all_jobs)
{
    cw_set_unhandled_handler(launch_another);
    cw_context *context = new_context(1);
    cw_spawn(context, fails_before_its_child_begins, CW_NONE);
    while (atomic_load(&unhandled_count) == 0)
        sched_yield();
    struct hold *hold = hold_all(context); /* the handler is through */
    let_go(context, hold);
    wait_for(launched_by_handler);
    ASSERT(cw_job_error(launched_by_handler) == NULL);
    cw_job_release(launched_by_handler);
    shut_down(context);
    hold_free(hold);
}

static void fail_unhandled(void)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_set_unhandled_handler(NULL); /* back to the default */
    cw_context *context = new_context(1);
    cw_spawn(context, fail_with, CW_EBUSY);
    shut_down(context);
}

TEST(without_a_handler_an_unhandled_failure_aborts)
{
    assert_aborts(fail_unhandled, "fail_with");
    assert_aborts(fail_unhandled, "on purpose");
    assert_aborts(fail_unhandled, "CW_EBUSY");
}
