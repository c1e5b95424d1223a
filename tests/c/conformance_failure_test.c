/* conformance_failure_test.c: what becomes of those above and below a job that
 * fails or is cancelled, case by case, on one worker, where the order of
 * everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "job.h"

CW_DEFERRED(text, const char *)

/* ---- 22: a grandchild's failure */

static cw_error *nested_failure;

CW_COROUTINE(raises_at_6, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(6);
    CW_RAISE(self, cw_error_retain(nested_failure));
    CW_END(self);
}

CW_COROUTINE(cancelled_from_below, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    cw_spawn(NULL, raises_at_6, CW_NONE);
    MARK(4);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_is_stopped());
    CW_END(self);
}

CW_COROUTINE(case_022_main, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, cancelled_from_below, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), nested_failure);
        MARK(7);
    }
    CW_END(self);
}

TEST(case_022_a_grandchilds_failure_cancels_all_above)
{
    cw_error *error;
    nested_failure = failure("A");
    RUN_FAILS(case_022_main, &error);
    ASSERT(error == nested_failure);
    MARK(8);
    cw_error_release(error);
    cw_error_release(nested_failure);
}

/* ---- 23: cancelled, but not over */

CW_COROUTINE(yields_then_marks_7, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    MARK(4);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(7);
    CW_END(self);
}

SCENARIO(case_023_join_waits_for_clean_up, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_launch(NULL, yields_then_marks_7, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    ASSERT_FLAGS(self->job, true, false, false);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, false, true);
    MARK(6);
    CW_JOIN(self, self->job);
    MARK(8);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 25: cancelling only the children */

CW_COROUTINE(counts_its_end, int *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CANCELLATION(self);
    CW_FINALLY(self);
    ++*self->arg;
    CW_END(self);
}

SCENARIO(case_025_cancelling_children_leaves_their_parent, cw_job *parent;
         cw_job * children[2]; int ended;)
{
    CW_BEGIN(self);
    self->parent = cw_job_new(NULL);
    self->children[0] = LAUNCH(UNDER(self->parent), CW_START_DEFAULT,
                               counts_its_end, &self->ended);
    self->children[1] = LAUNCH(UNDER(self->parent), CW_START_DEFAULT,
                               counts_its_end, &self->ended);
    CW_YIELD(self);
    ASSERT_EQ(cw_cancel_children(self->parent, NULL), CW_OK);
    ASSERT_EQ(self->ended, 0);
    CW_JOIN_ALL(self, self->children, 2);
    ASSERT_EQ(self->ended, 2);
    ASSERT_FLAGS(self->parent, true, false, false);
    ASSERT_EQ(cw_job_complete(self->parent), 1);
    ASSERT_FLAGS(self->parent, false, true, false);
    cw_job_release(self->children[0]);
    cw_job_release(self->children[1]);
    cw_job_release(self->parent);
    CW_END(self);
}

/* ---- 26: a failing parent waits for a child's clean-up */

CW_COROUTINE(yields_to_7, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    MARK(7);
    CW_END(self);
}

CW_COROUTINE(cleans_up_slowly, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    CW_NON_CANCELLABLE(self, yields_to_7, CW_NONE, &self->none);
    CW_END(self);
}

CW_COROUTINE(crashes_at_4, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_FAIL(self, CW_EFAILED, "on purpose");
    CW_END(self);
}

SCENARIO(case_026_a_crashed_parent_waits_for_its_children, cw_job *parent;)
{
    CW_BEGIN(self);
    cw_set_unhandled_handler(count_unhandled);
    MARK(1);
    self->parent = LAUNCH(DETACHED, CW_START_DEFAULT, crashes_at_4, CW_NONE);
    SPAWN(UNDER(self->parent), CW_START_UNDISPATCHED, cleans_up_slowly,
          CW_NONE);
    MARK(3);
    CW_YIELD(self);
    MARK(6);
    ASSERT_FLAGS(self->parent, false, false, true);
    ASSERT_EQ(unhandled_count, 0);
    CW_JOIN(self, self->parent);
    MARK(8);
    ASSERT_FLAGS(self->parent, false, true, true);
    ASSERT_EQ(unhandled_count, 1);
    cw_job_release(self->parent);
    CW_END(self);
}

/* ---- 28, 29: a failing grandchild below each kind of child */

CW_CHANNEL_TYPE(ints, int)

static cw_error *grandchild_error;
static struct failures reported;

/* Fails by way of its own child. */
CW_COROUTINE(has_failing_child, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises, grandchild_error);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(produces_with_failing_child, cw_channel *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises, grandchild_error);
    CW_RETURN(self, 1);
    CW_END(self);
}

enum kind {
    BY_LAUNCH,
    BY_ASYNC,
    BY_PRODUCE,
    BY_JOB,
    BY_DEFERRED,
    BY_SUPERVISOR_JOB,
    BY_SUPERVISOR_SCOPE,
    BY_SCOPE,
    BY_ELEMENTS,
    BY_TIMEOUT,
    KINDS
};

/* Has a child of the kind and looks what its own scope makes of the failure
 * below. */
CW_COROUTINE(parent_of, int, cw_none, cw_job *child; int out; bool thrown;
             cw_job * me;)
{
    CW_BEGIN(self);
    self->me = cw_current_job();
    CW_TRY(self, 1);
    if (self->arg == BY_LAUNCH) {
        self->child = cw_launch(NULL, has_failing_child, CW_NONE);
    } else if (self->arg == BY_ASYNC) {
        self->child = cw_async(NULL, has_failing_child, CW_NONE);
    } else if (self->arg == BY_PRODUCE) {
        ints channel = ints_new(1);
        self->child = cw_produce(NULL, produces_with_failing_child,
                                 channel.channel, channel.channel);
        cw_channel_release(channel.channel);
    } else if (self->arg == BY_JOB) {
        self->child = cw_job_new(self->me);
        SPAWN(UNDER(self->child), CW_START_DEFAULT, raises, grandchild_error);
    } else if (self->arg == BY_DEFERRED) {
        self->child = cw_deferred_new(text, self->me);
        SPAWN(UNDER(self->child), CW_START_DEFAULT, raises, grandchild_error);
    } else if (self->arg == BY_SUPERVISOR_JOB) {
        self->child = cw_supervisor_job_new(self->me);
        SPAWN(noting(UNDER(self->child), &reported), CW_START_DEFAULT, raises,
              grandchild_error);
    } else if (self->arg == BY_SUPERVISOR_SCOPE) {
        CW_SUPERVISOR_SCOPE(self, has_failing_child, CW_NONE, &self->out);
    } else if (self->arg == BY_SCOPE) {
        CW_SCOPE(self, has_failing_child, CW_NONE, &self->out);
    } else if (self->arg == BY_ELEMENTS) {
        CW_WITH_ELEMENTS(self, NULL, has_failing_child, CW_NONE, &self->out);
    } else if (self->arg == BY_TIMEOUT) {
        CW_WITH_TIMEOUT(self, 10000, has_failing_child, CW_NONE, &self->out);
    }
    CW_CATCH(self, 1)
    {
        ASSERT(self->arg >= BY_SCOPE);
        ASSERT(cw_caught(self) == grandchild_error);
        self->thrown = true;
    }
    if (self->child) {
        CW_TRY(self, 2);
        CW_YIELD(self);
        CW_YIELD(self);
        CW_YIELD(self);
        CW_CATCH(self, 2)
        {
            ASSERT(self->arg <= BY_DEFERRED);
            ASSERT_CANCELLED(cw_caught(self), grandchild_error);
            self->thrown = true;
        }
    }
    ASSERT_EQ(cw_is_active(self->me),
              self->arg > BY_DEFERRED ||
                  cw_error_code(grandchild_error) == CW_ECANCELED);
    ASSERT_EQ(self->thrown,
              self->arg != BY_SUPERVISOR_JOB &&
                  self->arg != BY_SUPERVISOR_SCOPE &&
                  cw_error_code(grandchild_error) != CW_ECANCELED);
    if (self->child && self->child->flags & CW__JOB_BARE)
        cw_job_complete(self->child);
    cw_job_release(self->child);
    CW_END(self);
}

CW_COROUTINE(tries_each_kind, cw_none, cw_none, int kind; cw_job * job;
             struct failures silent; bool fails;)
{
    CW_BEGIN(self);
    self->fails = cw_error_code(grandchild_error) != CW_ECANCELED;
    for (self->kind = 0; self->kind < KINDS; self->kind++) {
        /* An async parent takes what it is told and keeps it. */
        self->job = ASYNC(noting(DETACHED, self->kind == BY_SUPERVISOR_SCOPE
                                               ? &reported
                                               : &self->silent),
                          CW_START_DEFAULT, parent_of, self->kind);
        CW_JOIN(self, self->job);
        ASSERT_EQ(self->silent.count, 0);
        ASSERT(cw_job_error(self->job) ==
               (self->fails && self->kind <= BY_DEFERRED ? grandchild_error
                                                         : NULL));
        if (self->fails && (self->kind == BY_SUPERVISOR_JOB ||
                            self->kind == BY_SUPERVISOR_SCOPE)) {
            ASSERT_EQ(reported.count, 1);
            ASSERT(reported.errors[0] == grandchild_error);
        } else {
            ASSERT_EQ(reported.count, 0);
        }
        forget_failures(&reported);
        cw_job_release(self->job);
    }
    CW_END(self);
}

TEST(case_028_a_failing_grandchild_under_each_kind_of_child)
{
    grandchild_error = failure("A");
    RUN(tries_each_kind);
    cw_error_release(grandchild_error);
}

TEST(case_029_a_cancelled_grandchild_under_each_kind_of_child)
{
    grandchild_error = cancellation();
    RUN(tries_each_kind);
    cw_error_release(grandchild_error);
}

/* ---- 31: a child's failure is not raised by join */

SCENARIO(case_031_join_does_not_raise_a_childs_failure, cw_job *job;
         struct failures failures; cw_error * error;)
{
    CW_BEGIN(self);
    self->error = grandchild_error = failure("A");
    self->job = LAUNCH(noting(DETACHED, &self->failures), CW_START_DEFAULT,
                       has_failing_child, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_EQ(self->failures.count, 1);
    ASSERT(self->failures.errors[0] == self->error);
    forget_failures(&self->failures);
    cw_error_release(self->error);
    cw_job_release(self->job);
    CW_END(self);
}
