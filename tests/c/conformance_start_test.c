/* conformance_start_test.c: how jobs begin, how promptly they are cancelled,
 * and what loops do, case by case. On one worker, where the order of everything
 * is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "virtual.h"

/* ---- 88: atomic */

SCENARIO(case_088_an_atomic_body_begins_although_cancelled, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = LAUNCH(PLAIN, CW_START_ATOMIC, marks, 4);
    MARK(2);
    cw_cancel(self->job, NULL);
    MARK(3);
    CW_JOIN(self, self->job);
    MARK(5);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 89: cancelled with a value on the way */

CW_COROUTINE(gives_at_4, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(awaits, cw_job *, cw_none, int out;)
{
    CW_BEGIN(self);
    MARK(2);
    CW_AWAIT(self, gives_at_4, self->arg, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(6);
    CW_END(self);
}

CW_COROUTINE(cancels_at_5, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(5);
    cw_cancel(self->arg, NULL);
    CW_END(self);
}

SCENARIO(case_089_a_queued_waiter_is_cancelled, cw_job *deferred;
         cw_job * waiter;)
{
    CW_BEGIN(self);
    MARK(1);
    self->deferred = cw_async(NULL, gives_at_4, CW_NONE);
    self->waiter = LAUNCH(PLAIN, CW_START_UNDISPATCHED, awaits, self->deferred);
    MARK(3);
    cw_spawn(NULL, cancels_at_5, self->waiter);
    CW_JOIN(self, self->waiter);
    MARK(7);
    ASSERT_FLAGS(self->deferred, false, true, false);
    cw_job_release(self->deferred);
    cw_job_release(self->waiter);
    CW_END(self);
}

/* ---- 91: cancelled with a mutex on the way */

CW_COROUTINE(locks, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_LOCK(self, self->arg, NULL);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_091_a_handed_over_mutex_is_given_back, cw_mutex *mutex;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(true);
    MARK(1);
    self->job = LAUNCH(PLAIN, CW_START_UNDISPATCHED, locks, self->mutex);
    MARK(3);
    ASSERT_EQ(cw_unlock(self->mutex, NULL), CW_OK);
    ASSERT(cw_mutex_is_locked(self->mutex));
    cw_cancel(self->job, NULL);
    MARK(4);
    CW_YIELD(self);
    MARK(6);
    ASSERT(!cw_mutex_is_locked(self->mutex));
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

/* ---- 92: undispatched in a cancelled scope */

CW_COROUTINE(yields_at_2, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    ASSERT(false);
    CW_END(self);
}

CW_COROUTINE(launches_when_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    MARK(1);
    SPAWN(PLAIN, CW_START_UNDISPATCHED, yields_at_2, CW_NONE);
    MARK(3);
    CW_END(self);
}

SCENARIO(case_092_undispatched_in_a_cancelled_job, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, launches_when_cancelled, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(4);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* 94 to 101 are about continuations that code of one's own resumes, with
 * handlers and hooks of theirs. There are none here: bodies wait for what the
 * library knows. */

/* ---- 103: unconfined, nested */

CW_COROUTINE(launches_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    cw_spawn(UNCONFINED, marks, 6);
    cw_spawn(UNCONFINED, marks, 7);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(launches_nested, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_spawn(UNCONFINED, launches_two, CW_NONE);
    MARK(3);
    CW_END(self);
}

VIRTUAL(case_103_the_order_of_nested_unconfined_jobs, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(UNCONFINED, launches_nested, CW_NONE);
    MARK(8);
    CW_END(self);
}

/* ---- 104: unconfined, yielding */

CW_COROUTINE(yields_unconfined, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    cw_spawn(UNCONFINED, marks, 4);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_END(self);
}

VIRTUAL(case_104_yielding_unconfined, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(UNCONFINED, yields_unconfined, CW_NONE);
    MARK(6);
    CW_END(self);
}

/* ---- 106: that yielding does not make the stack grow; the rest of the case is
 * in conformance_dispatcher_test.c, as are 103, 104 and 107 with the unconfined
 * context that is not a test's */

CW_COROUTINE(yields_often, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    MARK(2);
    CW_END(self);
}

VIRTUAL(case_106_many_yields_need_no_stack, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(UNCONFINED, yields_often, 100000);
    MARK(3);
    CW_END(self);
}

/* 107: see conformance_select_test.c, and 109: conformance_producer_test.c */

/* ---- 110: what is due comes before what is ready later */

CW_COROUTINE(delays_by_1, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_DELAY(self, 1);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_110_a_delay_that_is_due, char unused;)
{
    CW_BEGIN(self);
    stop_clock();
    MARK(1);
    cw_spawn(NULL, delays_by_1, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    advance_clock(100 * 1000000);
    CW_YIELD(self);
    MARK(6);
    start_clock();
    CW_END(self);
}

/* ---- 112: what is left when a loop ends */

CW_COROUTINE(cleans_up_at_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(cancels_both, cw_none, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    MARK(2);
    self->child = LAUNCH(DETACHED, CW_START_DEFAULT, cleans_up_at_4, CW_NONE);
    CW_YIELD(self);
    cw_cancel(cw_current_job(), NULL);
    cw_cancel(self->child, NULL);
    cw_job_release(self->child);
    MARK(3);
    CW_END(self);
}

TEST(case_112_a_loop_runs_what_is_ready_before_it_ends)
{
    cw_none none;
    cw_error *error;
    MARK(1);
    ASSERT_EQ(cw_run_blocking(cancels_both, CW_NONE, &none, &error),
              CW_ECANCELED);
    MARK(5);
    cw_error_release(error);
}

/* ---- 113: a loop of a cancelled job. The job that it belongs to is the one
 * that calls it; another one is passed to a scope. */

CW_COROUTINE(runs_when_cancelled, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    ASSERT_EQ(cw_run_blocking(never, CW_NONE, &self->out, NULL), CW_ECANCELED);
    MARK(1);
    CW_END(self);
}

SCENARIO(case_113_a_loop_of_a_cancelled_job, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, runs_when_cancelled, CW_NONE);
    CW_JOIN(self, self->job);
    MARK(2);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(runs_in_a_scope, cw_none, int, int out;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_run_blocking(give, 7, &self->out, NULL), CW_OK);
    CW_RETURN(self, self->out);
    CW_END(self);
}

CW_COROUTINE(runs_with_a_cause, cw_error *, cw_none, int out; cw_error * error;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), self->arg);
    ASSERT_EQ(cw_run_blocking(never, CW_NONE, &self->out, &self->error),
              CW_ECANCELED);
    ASSERT_CANCELLED(self->error, self->arg);
    cw_error_release(self->error);
    MARK(1);
    /* It counts what the loop belongs to, which is not cancelled here. */
    CW_NON_CANCELLABLE(self, runs_in_a_scope, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 7);
    MARK(2);
    CW_END(self);
}

SCENARIO(case_113_a_loop_gets_the_cause, cw_job *job; cw_error * cause;)
{
    CW_BEGIN(self);
    self->cause = failure("cause");
    self->job = cw_launch(NULL, runs_with_a_cause, self->cause);
    CW_JOIN(self, self->job);
    MARK(3);
    cw_job_release(self->job);
    cw_error_release(self->cause);
    CW_END(self);
}

SCENARIO(case_113_a_cancelled_job_is_passed, cw_job *job; cw_error * cause;
         const cw_elements *under; int out;)
{
    CW_BEGIN(self);
    self->cause = failure("cause");
    self->job = cw_job_new(NULL);
    cw_cancel(self->job, self->cause);
    self->under = UNDER(self->job);
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->under, never, CW_NONE, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(1); }
    ASSERT_CANCELLED(cw_caught(self), self->cause);
    cw_elements_release(self->under);
    cw_error_release(self->cause);
    cw_job_release(self->job);
    CW_END(self);
}
