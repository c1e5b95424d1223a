/* conformance_timeout_test.c: what time limits have to do, case by case, on
 * one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "virtual.h"

CW_CHANNEL_TYPE(ints, int)

/* Asserts that a caught error tells of a time limit. */
#define ASSERT_TIMED_OUT(error)                                                \
    do {                                                                       \
        ASSERT_EQ(cw_error_code(error), CW_ECANCELED);                         \
        ASSERT_EQ(cw_error_code(cw_error_cause(error)), CW_ETIMEDOUT);         \
    } while (0)

/* ---- 76: no dispatch on the way in or out */

CW_COROUTINE(marks_4_and_7, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_YIELD(self);
    MARK(7);
    CW_END(self);
}

CW_COROUTINE(marks_3_and_5, cw_none, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_RETURN(self, "OK");
    CW_END(self);
}

SCENARIO(case_076_a_time_limit_does_not_dispatch, const char *out;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, marks_4_and_7, CW_NONE);
    MARK(2);
    CW_WITH_TIMEOUT(self, 60000, marks_3_and_5, CW_NONE, &self->out);
    ASSERT_STR(self->out, "OK");
    MARK(6);
    CW_YIELD(self);
    MARK(8);
    CW_END(self);
}

/* ---- 77: yielding for ever */

CW_COROUTINE(yields_for_ever, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (;;)
        CW_YIELD(self);
    CW_END(self);
}

SCENARIO(case_077_an_endless_loop_of_yields, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_WITH_TIMEOUT(self, 20, yields_for_ever, CW_NONE, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_TIMED_OUT(cw_caught(self));
        MARK(1);
    }
    CW_YIELD(self);
    MARK(2);
    CW_END(self);
}

/* ---- 79: a failure instead */

CW_COROUTINE(turns_it_into, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT_CANCELLATION(self);
    CW_CATCH(self, 1)
    {
        ASSERT_TIMED_OUT(cw_caught(self));
        MARK(1);
        CW_RAISE(self, cw_error_retain(self->arg));
    }
    CW_END(self);
}

VIRTUAL(case_079_a_time_limit_turned_into_a_failure, int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    ASSERT_RAISES(
        self, 1, self->a,
        CW_WITH_TIMEOUT(self, 100, turns_it_into, self->a, &self->out));
    MARK(2);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- 80: no time at all */

SCENARIO(case_080_a_negative_time_limit, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_WITH_TIMEOUT(self, -1, never, CW_NONE, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_TIMED_OUT(cw_caught(self));
        MARK(1);
    }
    self->in_time = true;
    CW_WITH_TIMEOUT_OR_NULL(self, -1, never, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    MARK(2);
    CW_END(self);
}

/* ---- 82: too slow */

VIRTUAL(case_082_null_on_time_out, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, takes_time, 1000, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 100);
    CW_END(self);
}

/* ---- 83: the limit inside passes the one outside */

CW_COROUTINE(has_limit_of_10, cw_none, int, int out;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT(self, 10, takes_time, INT64_MAX, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(1);
    CW_END(self);
}

VIRTUAL(case_083_an_inner_limit_is_not_the_outer_ones, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_WITH_TIMEOUT_OR_NULL(self, INT64_MAX, has_limit_of_10, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_TIMED_OUT(cw_caught(self));
        ASSERT_EQ(NOW, 10);
        MARK(2);
    }
    CW_END(self);
}

/* ---- 85: around an empty channel */

CW_COROUTINE(receives_one, ints, int, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT(false);
    CW_END(self);
}

VIRTUAL(case_085_a_small_limit_around_an_empty_channel, int out; bool in_time;
        ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    CW_WITH_TIMEOUT_OR_NULL(self, 1, receives_one, self->channel, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 1);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 86: a body that never waits is in time */

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

CW_COROUTINE(is_busy, int64_t, const char *, CW_NO_LOCALS)
{
    int64_t until = milliseconds() + self->arg;
    CW_BEGIN(self);
    while (milliseconds() < until) {
    }
    CW_RETURN(self, "value");
    CW_END(self);
}

SCENARIO(case_086_a_busy_body_returns_its_value, const char *out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, is_busy, 50, &self->out, &self->in_time);
    ASSERT(self->in_time);
    ASSERT_STR(self->out, "value");
    CW_END(self);
}

/* What runs on its thread meanwhile makes no difference, as long as it does not
 * give the worker back itself. */
CW_COROUTINE(yields_later, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    advance_clock(50 * 1000 * 1000);
    CW_YIELD(self); /* what is due goes first */
    CW_RETURN(self, 7);
    CW_END(self);
}

CW_FUNCTION(runs_a_loop, cw_none, int)
{
    int status = cw_run_blocking(yields_later, CW_NONE, result, NULL);
    ASSERT_EQ(status, CW_ECANCELED);
    ASSERT(cw_is_stopped()); /* the limit has run out */
    *result = 8;
    return CW_OK;
}

CW_COROUTINE(yields_and_runs_a_loop, cw_none, int, int out;)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_CALL(self, runs_a_loop, CW_NONE, &self->out);
    CW_RETURN(self, self->out);
    CW_END(self);
}

SCENARIO(case_086_whatever_else_runs_meanwhile, int out; bool in_time;)
{
    CW_BEGIN(self);
    stop_clock();
    CW_WITH_TIMEOUT_OR_NULL(self, 10, runs_a_loop, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 8);
    CW_YIELD(self); /* by now this body has given its worker back before */
    CW_WITH_TIMEOUT_OR_NULL(self, 10, runs_a_loop, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, yields_and_runs_a_loop, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(!self->in_time);
    start_clock();
    CW_END(self);
}

/* The timer fires for certain: the body lets the time pass itself. */
CW_COROUTINE(lets_time_pass, cw_none, const char *, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(!cw_is_stopped());
    ASSERT_EQ(cw_test_advance_time_by(NULL, 20), CW_OK);
    ASSERT(cw_is_stopped());
    CW_RETURN(self, "value");
    CW_END(self);
}

VIRTUAL(case_086_although_the_limit_ran_out, const char *out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, lets_time_pass, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_STR(self->out, "value");
    CW_END(self);
}
