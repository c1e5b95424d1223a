/* conformance_virtual_test.c: the rules of virtual time, case by case.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each test's name begins with the number of its case. Marks and the clock are
 * asserted exactly.
 */
#include "test.h"

#include "helpers.h"
#include "virtual.h"

/* ---- 244: advancing does not run what is due at the moment it leads to */

static bool entered;

CW_COROUTINE(enter_after, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    entered = true;
    CW_END(self);
}

VIRTUAL(case_244_advancing_leaves_out_its_last_moment, char unused;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, enter_after, 15), CW_OK);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 15), CW_OK);
    ASSERT(!entered);
    ASSERT_EQ(NOW, 15);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    ASSERT(entered);
    ASSERT_EQ(NOW, 15);
    CW_END(self);
}

/* ---- 245: a chain of delays that is advanced in pieces */

static int stage;

CW_COROUTINE(go_through_stages, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000);
    ASSERT_EQ(NOW, 1000);
    stage = 2;
    CW_DELAY(self, 500);
    ASSERT_EQ(NOW, 1500);
    stage = 3;
    CW_DELAY(self, 501);
    ASSERT_EQ(NOW, 2001);
    stage = 4;
    CW_END(self);
}

VIRTUAL(case_245_a_chain_of_delays_is_advanced_in_pieces, char unused;)
{
    CW_BEGIN(self);
    stage = 1;
    ASSERT_EQ(cw_spawn(NULL, go_through_stages, CW_NONE), CW_OK);
    ASSERT_EQ(stage, 1);
    ASSERT_EQ(NOW, 0);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 2000), CW_OK);
    ASSERT_EQ(stage, 3);
    ASSERT_EQ(NOW, 2000);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 2), CW_OK);
    ASSERT_EQ(stage, 4);
    ASSERT_EQ(NOW, 2002);
    CW_END(self);
}

/* ---- 247: delays of many jobs come in order of time */

static int64_t measured;

static void check_time(int64_t time)
{
    ASSERT(measured < time);
    ASSERT_EQ(NOW, time);
    measured = time;
}

CW_COROUTINE(check_after_70, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 70);
    check_time(170);
    CW_RETURN(self, 70);
    CW_END(self);
}

CW_COROUTINE(check_from_100, cw_none, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 100);
    check_time(100);
    self->job = cw_async(NULL, check_after_70, CW_NONE);
    CW_DELAY(self, 1);
    check_time(101);
    CW_AWAIT(self, check_after_70, self->job, &self->out);
    CW_DELAY(self, 1);
    check_time(171);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(check_at_200, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 200);
    check_time(200);
    CW_END(self);
}

CW_COROUTINE(check_from_150, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 150);
    check_time(150);
    CW_DELAY(self, 22);
    check_time(172);
    CW_END(self);
}

CW_COROUTINE(check_all, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, check_from_100, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, check_at_200, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, check_from_150, CW_NONE), CW_OK);
    CW_DELAY(self, 201);
    check_time(201);
    CW_END(self);
}

TEST(case_247_delays_come_in_order_of_time)
{
    static const enum cw_test_dispatcher kinds[] = {CW_TEST_STANDARD,
                                                    CW_TEST_UNCONFINED};
    for (int i = 0; i < 2; i++) {
        cw_test_scheduler *scheduler = cw_test_scheduler_new();
        cw_context *context = cw_test_context(scheduler, kinds[i]);
        measured = 0;
        ASSERT_EQ(cw_spawn(context, check_all, CW_NONE), CW_OK);
        ASSERT_EQ(cw_test_advance_until_idle(scheduler), CW_OK);
        ASSERT_EQ(measured, 201);
        ASSERT_EQ(cw_test_current_time(scheduler), 201);
        ASSERT_EQ(cw_test_scheduler_free(scheduler), CW_OK);
    }
}

/* ---- 248: a yield goes behind all that is ready */

struct two_marks {
    int first, second;
};

CW_COROUTINE(yield_between, struct two_marks, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg.first);
    CW_YIELD(self);
    MARK(self->arg.second);
    CW_END(self);
}

VIRTUAL(case_248_a_yield_goes_behind_all_that_is_ready, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    struct two_marks marks[] = {{3, 6}, {4, 7}};
    ASSERT_EQ(cw_spawn(NULL, yield_between, marks[0]), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, yield_between, marks[1]), CW_OK);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    CW_END(self);
}

/* ---- 250: tests do not nest; a body that fails cancels its children */

VIRTUAL(case_250_a_test_in_a_test_is_refused, int out;)
{
    CW_BEGIN(self);
    cw_error *error;
    ASSERT_EQ(cw_run_test(give, 1, &self->out, &error), CW_ESTATE);
    ASSERT_EQ(cw_error_code(error), CW_ESTATE);
    cw_error_release(error);
    ASSERT_EQ(cw_run_blocking_test(give, 1, &self->out, NULL), CW_ESTATE);
    ASSERT_EQ(self->out, 0);
    CW_YIELD(self); /* the test goes on */
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(loop_until_cancelled, cw_none, cw_none, int turns;)
{
    CW_BEGIN(self);
    for (;; self->turns++)
        CW_DELAY(self, 1000);
    CW_FINALLY(self);
    MARK(2);
    ASSERT_EQ(self->turns, 1);
    ASSERT_EQ(NOW, 1500);
    CW_END(self);
}

CW_COROUTINE(fail_beside_a_loop, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, loop_until_cancelled, CW_NONE), CW_OK);
    CW_DELAY(self, 1500);
    MARK(1);
    CW_FAIL(self, CW_EBUSY, "on purpose");
    CW_END(self);
}

TEST(case_250_a_failing_body_cancels_its_children)
{
    cw_none none;
    cw_error *error;
    ASSERT_EQ(cw_run_test(fail_beside_a_loop, CW_NONE, &none, &error),
              CW_EBUSY);
    MARK(3);
    ASSERT_STR(cw_error_message(error), "on purpose");
    cw_error_release(error);
}

/* ---- 251: the background runs only on the way to the foreground */

static int slow, fast;

CW_COROUTINE(count_every, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (;;) {
        if (self->arg == 100) {
            slow++;
        } else {
            fast++;
        }
        CW_DELAY(self, self->arg);
    }
    CW_END(self);
}

struct expected {
    int delay, slow, fast;
};

CW_COROUTINE(check_counts, struct expected, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg.delay);
    ASSERT_EQ(slow, self->arg.slow);
    ASSERT_EQ(fast, self->arg.fast);
    MARK(self->arg.delay == 1 ? 1 : 2);
    CW_END(self);
}

VIRTUAL(case_251_the_background_keeps_nothing_running, cw_job *job;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(BACKGROUND, count_every, 100), CW_OK);
    ASSERT_EQ(cw_spawn(BACKGROUND, count_every, 50), CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(slow, 0);
    ASSERT_EQ(fast, 0);
    struct expected soon = {1, 1, 1};
    self->job = cw_launch(NULL, check_counts, soon);
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    ASSERT_EQ(cw_test_advance_time_by(NULL, 199), CW_OK);
    ASSERT_EQ(slow, 2);
    ASSERT_EQ(fast, 4);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(slow, 2);
    ASSERT_EQ(fast, 4);
    ASSERT_EQ(cw_test_run_current(NULL), CW_OK);
    ASSERT_EQ(slow, 3);
    ASSERT_EQ(fast, 5);
    struct expected late = {1001, 13, 25};
    ASSERT_EQ(cw_spawn(NULL, check_counts, late), CW_OK);
    ASSERT_EQ(cw_test_advance_until_idle(NULL), CW_OK);
    ASSERT_EQ(slow, 13);
    ASSERT_EQ(fast, 25);
    ASSERT_EQ(NOW, 1201);
    MARK(3);
    CW_END(self);
}
