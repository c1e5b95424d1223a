/* cancel_test.c: cancelling a job at every point of its life.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"

/* ---- before the start */

CW_COROUTINE(must_not_run, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(a_job_that_is_cancelled_before_it_starts_is_skipped, cw_job *job;
         cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    self->job = cw_launch(NULL, must_not_run, CW_NONE);
    cw_cancel(self->job, self->cause);
    ASSERT(!cw_is_active(self->job));
    ASSERT(!cw_is_completed(self->job)); /* its turn has not come yet */
    CW_JOIN(self, self->job);
    ASSERT_CANCELLED(cw_job_error(self->job), self->cause);
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

CW_FUNCTION(function_must_not_run, cw_none, cw_none)
{
    ASSERT(false);
    return CW_OK;
}

SCENARIO(a_function_that_is_cancelled_before_it_starts_is_skipped, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, function_must_not_run, CW_NONE);
    CW_CANCEL_AND_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(launch_when_cancelled, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    self->job = cw_launch(NULL, must_not_run, CW_NONE);
    ASSERT(cw_is_cancelled(self->job)); /* born cancelled */
    cw_job_release(self->job);
    MARK(1);
    CW_END(self);
}

SCENARIO(a_child_of_a_cancelled_job_is_skipped, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, launch_when_cancelled, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- while it waits */

enum wait {
    IN_DELAY,
    IN_JOIN,
    IN_JOIN_ALL,
    IN_CANCEL_AND_JOIN,
    IN_AWAIT,
    IN_AWAIT_ALL,
    IN_CALL,
    IN_SCOPE,
    IN_SCOPES_CHILDREN,
    WAITS
};

/* Does not listen to cancellation until it is let go. */
static bool let_go_of_stubborn;

CW_COROUTINE(stubborn, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    while (!let_go_of_stubborn) {
        CW_TRY(self, 1);
        CW_YIELD(self);
        CW_CATCH(self, 1) {}
    }
    CW_END(self);
}

CW_COROUTINE(launch_hanging, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    CW_END(self);
}

struct wait_in {
    enum wait where;
    cw_job *job;
    cw_error *cause;
};

CW_COROUTINE(wait_somewhere, struct wait_in, cw_none, cw_none none, many[2];
             cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->jobs[0] = self->jobs[1] = self->arg.job;
    CW_TRY(self, 1);
    if (self->arg.where == IN_DELAY) {
        CW_DELAY(self, INT64_MAX);
    } else if (self->arg.where == IN_JOIN) {
        CW_JOIN(self, self->arg.job);
    } else if (self->arg.where == IN_JOIN_ALL) {
        CW_JOIN_ALL(self, self->jobs, 2);
    } else if (self->arg.where == IN_CANCEL_AND_JOIN) {
        CW_CANCEL_AND_JOIN(self, self->arg.job);
    } else if (self->arg.where == IN_AWAIT) {
        CW_AWAIT(self, wait_for_ever, self->arg.job, &self->none);
    } else if (self->arg.where == IN_AWAIT_ALL) {
        CW_AWAIT_ALL(self, wait_for_ever, self->jobs, 2, self->many);
    } else if (self->arg.where == IN_CALL) {
        CW_CALL(self, wait_for_ever, CW_NONE, &self->none);
    } else if (self->arg.where == IN_SCOPE) {
        CW_SCOPE(self, wait_for_ever, CW_NONE, &self->none);
    } else {
        CW_SCOPE(self, launch_hanging, CW_NONE, &self->none);
    }
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg.cause);
        MARK(2 * (int)self->arg.where + 1);
    }
    CW_YIELD(self); /* raises again: this time nothing catches */
    ASSERT(false);
    CW_FINALLY(self);
    MARK(2 * (int)self->arg.where + 2);
    CW_END(self);
}

SCENARIO(a_waiting_job_is_cancelled_wherever_it_waits, cw_job *job, *other;
         cw_error * cause; enum wait i;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    for (self->i = IN_DELAY; self->i < WAITS; self->i++) {
        let_go_of_stubborn = false; /* cancelling it is not enough */
        self->other = self->i == IN_CANCEL_AND_JOIN
                          ? cw_launch(NULL, stubborn, CW_NONE)
                          : cw_launch(NULL, wait_for_ever, CW_NONE);
        self->job =
            cw_launch(NULL, wait_somewhere,
                      ((struct wait_in){self->i, self->other, self->cause}));
        CW_YIELD(self);
        CW_YIELD(self);
        ASSERT(cw_is_active(self->job));
        cw_cancel(self->job, self->cause);
        ASSERT(!cw_is_completed(self->job));
        CW_JOIN(self, self->job);
        ASSERT_EQ(test_marks, 2 * (int)self->i + 2);
        ASSERT_CANCELLED(cw_job_error(self->job), self->cause);
        let_go_of_stubborn = true;
        CW_CANCEL_AND_JOIN(self, self->other);
        cw_job_release(self->job);
        cw_job_release(self->other);
    }
    cw_error_release(self->cause);
    CW_END(self);
}

CW_COROUTINE(yield_for_ever, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (;;)
        CW_YIELD(self);
    CW_END(self);
}

SCENARIO(a_loop_of_yields_can_be_cancelled, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, yield_for_ever, CW_NONE);
    CW_YIELD(self);
    CW_YIELD(self);
    CW_CANCEL_AND_JOIN(self, self->job);
    ASSERT(cw_is_cancelled(self->job));
    cw_job_release(self->job);
    CW_END(self);
}

TEST(a_cancelled_delay_leaves_no_timer)
{
    cw_context *context = new_context(1);
    cw_job *jobs[100];
    for (int i = 0; i < 100; i++)
        jobs[i] = cw_launch(context, wait_for_ever, CW_NONE);
    struct hold *hold = hold_all(context);
    ASSERT_EQ(context->timers.count, 100);
    for (int i = 0; i < 100; i++)
        cw_cancel(jobs[i], NULL);
    let_go(context, hold);
    for (int i = 0; i < 100; i++) {
        wait_for(jobs[i]);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(context->timers.count, 0);
    shut_down(context);
    hold_free(hold);
}

/* ---- while it runs */

CW_COROUTINE(cancel_itself, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ENSURE_ACTIVE(self);
    ASSERT(!cw_is_stopped());
    cw_cancel(cw_current_job(), self->arg);
    ASSERT(cw_is_stopped());
    CW_TRY(self, 1);
    CW_ENSURE_ACTIVE(self);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(1);
    }
    CW_TRY(self, 2);
    CW_ENSURE_ACTIVE(self); /* it stays cancelled */
    ASSERT(false);
    CW_CATCH(self, 2) { MARK(2); }
    CW_DELAY(self, 0); /* no look at cancellation */
    CW_DELAY(self, -5);
    MARK(3);
    CW_RETURN(self, 42); /* does not help */
    CW_END(self);
}

SCENARIO(a_running_job_notices_at_its_next_check, cw_job *job; cw_error * cause;
         int out;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    self->job = cw_async(NULL, cancel_itself, self->cause);
    CW_JOIN(self, self->job);
    MARK(4);
    ASSERT_CANCELLED(cw_job_error(self->job), self->cause);
    ASSERT_EQ(cw_result(cancel_itself, self->job, &self->out), CW_ECANCELED);
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

CW_FUNCTION(compute_until_stopped, sem_t *, int)
{
    event_set(*arg);
    while (!cw_is_stopped())
        sched_yield();
    *result = 1;
    return CW_ECANCELED;
}

TEST(a_function_asks_whether_to_stop)
{
    cw_context *context = new_context(1);
    sem_t *running = event_new();
    cw_job *job = cw_async(context, compute_until_stopped, running);
    event_await(running);
    ASSERT(cw_is_active(job));
    cw_cancel(job, NULL);
    wait_for(job);
    int out = 7;
    ASSERT_EQ(cw_result(compute_until_stopped, job, &out), CW_ECANCELED);
    ASSERT_EQ(out, 7);
    cw_job_release(job);
    shut_down(context);
    event_free(running);
}

/* ---- causes */

TEST(the_first_cancellation_counts)
{
    cw_context *context = new_context(1);
    cw_error *first = cw_error_new(CW_EBUSY, "first", NULL);
    cw_error *second = cw_error_new(CW_EBUSY, "second", NULL);
    cw_job *job = cw_launch(context, wait_for_ever, CW_NONE);
    cw_cancel(job, first);
    cw_cancel(job, second);
    cw_cancel(job, NULL);
    cw_error_release(second);
    cw_error_release(first);
    wait_for(job);
    ASSERT_STR(cw_error_message(cw_error_cause(cw_job_error(job))), "first");
    cw_cancel(job, NULL); /* it is over */
    ASSERT_STR(cw_error_message(cw_error_cause(cw_job_error(job))), "first");
    cw_job_release(job);
    shut_down(context);
}

TEST(a_cancellation_as_cause_is_taken_as_it_is)
{
    cw_context *context = new_context(1);
    cw_error *cause = cw_error_new(CW_ECANCELED, "mine", NULL);
    cw_job *job = cw_launch(context, wait_for_ever, CW_NONE);
    cw_cancel(job, cause);
    wait_for(job);
    ASSERT(cw_job_error(job) == cause);
    cw_error_release(cause);
    cw_job_release(job);
    shut_down(context);
}

TEST(without_a_cause_there_is_none)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, wait_for_ever, CW_NONE);
    cw_cancel(job, NULL);
    wait_for(job);
    ASSERT_CANCELLED(cw_job_error(job), NULL);
    ASSERT_STR(cw_error_message(cw_job_error(job)),
               cw_status_text(CW_ECANCELED));
    cw_job_release(job);
    shut_down(context);
}

/* ---- trees over several contexts */

CW_COROUTINE(child_elsewhere, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(self->arg, wait_for_ever, CW_NONE), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, wait_for_ever, CW_NONE), CW_OK);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

TEST(cancelling_reaches_children_on_other_contexts)
{
    cw_context *here = new_context(1), *there = new_context(2);
    for (int i = 0; i < 20; i++) {
        cw_job *job = cw_launch(here, child_elsewhere, there);
        if (i % 2) sched_yield();
        cw_cancel(job, NULL);
        wait_for(job);
        ASSERT_CANCELLED(cw_job_error(job), NULL);
        cw_job_release(job);
    }
    shut_down(here);
    shut_down(there);
}

CW_COROUTINE(fail_elsewhere, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(self->arg, fail_with, CW_EBUSY), CW_OK);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

TEST(a_failure_comes_back_from_another_context)
{
    cw_context *here = new_context(1), *there = new_context(1);
    cw_job *job = cw_async(here, fail_elsewhere, there);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_EBUSY);
    cw_job_release(job);
    shut_down(here);
    shut_down(there);
}
