/* conformance_job_test.c: which states jobs pass, and what they tell handlers,
 * case by case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

/* ---- 1: the states of a job that ends well */

CW_COROUTINE(marks_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(launches_one, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_spawn(NULL, marks_4, CW_NONE);
    CW_END(self);
}

SCENARIO(case_001_the_states_of_a_lazy_job, cw_job *job; cw_job * parent;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, launches_one, CW_NONE);
    ASSERT_FLAGS(self->job, false, false, false);
    self->parent = cw_job_parent(self->job);
    ASSERT(self->parent == cw_current_job());
    cw_job_release(self->parent);
    ASSERT(cw_job_start(self->job));
    ASSERT_FLAGS(self->job, true, false, false);
    MARK(1);
    CW_YIELD(self);
    MARK(3);
    ASSERT_FLAGS(self->job, true, false, false);
    self->parent = cw_job_parent(self->job);
    ASSERT(self->parent == cw_current_job());
    cw_job_release(self->parent);
    CW_YIELD(self);
    MARK(5);
    ASSERT_FLAGS(self->job, false, true, false);
    ASSERT(cw_job_parent(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 2: the states of a job whose child fails */

CW_COROUTINE(yields_and_fails, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_YIELD(self);
    MARK(6);
    CW_FAIL(self, CW_EFAILED, "on purpose");
    CW_END(self);
}

CW_COROUTINE(launches_a_failing_one, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_spawn(NULL, yields_and_fails, CW_NONE);
    CW_END(self);
}

SCENARIO(case_002_a_completing_job_fails, cw_job *job;)
{
    CW_BEGIN(self);
    cw_set_unhandled_handler(count_unhandled);
    self->job =
        LAUNCH(DETACHED, CW_START_LAZY, launches_a_failing_one, CW_NONE);
    ASSERT_FLAGS(self->job, false, false, false);
    ASSERT(cw_job_start(self->job));
    MARK(1);
    CW_YIELD(self);
    MARK(3);
    ASSERT_FLAGS(self->job, true, false, false);
    CW_YIELD(self);
    MARK(5);
    ASSERT_FLAGS(self->job, true, false, false);
    ASSERT_EQ(unhandled_count, 0);
    CW_YIELD(self);
    MARK(7);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_EQ(unhandled_count, 1);
    ASSERT_EQ(unhandled_code, CW_EFAILED);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 4: a completion handler */

static void count_call(void *arg, cw_error *error)
{
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ++*(int *)arg;
}

TEST(case_004_a_handler_runs_once_within_cancel)
{
    int calls = 0;
    cw_job *job = cw_job_new(NULL);
    cw_handler *handler = cw_on_completion(job, 0, count_call, &calls);
    ASSERT(cw_is_active(job));
    ASSERT_EQ(calls, 0);
    cw_cancel(job, NULL);
    ASSERT_EQ(calls, 1);
    ASSERT_FLAGS(job, false, true, true);
    cw_cancel(job, NULL);
    ASSERT_EQ(calls, 1);
    cw_handler_dispose(handler);
    cw_job_release(job);
}

/* ---- 5: handlers that take themselves back */

struct disposing {
    cw_handler *handler;
    int calls;
};

static void dispose_itself(void *arg, cw_error *error)
{
    struct disposing *disposing = arg;
    ASSERT(!error);
    disposing->calls++;
    cw_handler_dispose(disposing->handler);
}

enum { MANY = 100 };

static void run_disposing(int step)
{
    struct disposing all[MANY] = {0};
    cw_job *job = cw_job_new(NULL);
    for (int i = 0; i < MANY; i++)
        all[i].handler = cw_on_completion(job, 0, dispose_itself, &all[i]);
    for (int i = 0; step && i < MANY; i += step)
        cw_handler_dispose(all[i].handler);
    ASSERT_EQ(cw_job_complete(job), 1);
    for (int i = 0; i < MANY; i++)
        ASSERT_EQ(all[i].calls, step && i % step == 0 ? 0 : 1);
    cw_job_release(job);
}

TEST(case_005_handlers_dispose_of_themselves)
{
    run_disposing(0);
    run_disposing(2);
}

/* ---- 7: below a cancelled parent */

TEST(case_007_a_child_of_a_cancelled_job_is_not_active)
{
    cw_job *parent = cw_job_new(NULL);
    cw_cancel(parent, NULL);
    ASSERT(!cw_is_active(parent));
    cw_job *child = cw_job_new(parent);
    ASSERT_FLAGS(child, false, true, true);
    cw_job_release(child);
    cw_job_release(parent);
}

/* ---- 10: an early handler of a job that ends well */

static void mark_3_without_error(void *arg, cw_error *error)
{
    (void)arg;
    ASSERT(error == NULL);
    MARK(3);
}

CW_COROUTINE(marks_2, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_END(self);
}

SCENARIO(case_010_an_early_handler_hears_of_a_normal_end, cw_job *job;
         cw_handler * handler;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, marks_2, CW_NONE);
    self->handler = cw_on_completion(self->job, CW_ON_CANCELLING,
                                     mark_3_without_error, NULL);
    MARK(1);
    CW_JOIN(self, self->job);
    MARK(4);
    cw_handler_dispose(self->handler);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 19: a body that begins in place */

CW_COROUTINE(marks_2_and_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    CW_END(self);
}

SCENARIO(case_019_an_undispatched_body_yields, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = LAUNCH(PLAIN, CW_START_UNDISPATCHED, marks_2_and_4, CW_NONE);
    MARK(3);
    CW_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 20: three levels in turn */

CW_COROUTINE(third_level, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(6);
    CW_YIELD(self);
    MARK(9);
    CW_END(self);
}

CW_COROUTINE(second_level, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    cw_spawn(NULL, third_level, CW_NONE);
    MARK(4);
    CW_YIELD(self);
    MARK(7);
    CW_YIELD(self);
    MARK(10);
    CW_END(self);
}

SCENARIO(case_020_main_waits_for_nested_children, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, second_level, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    CW_YIELD(self);
    MARK(8);
    CW_END(self);
}
