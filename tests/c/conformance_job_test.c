/* conformance_job_test.c: what jobs have to do, case by case, on one worker,
 * where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "job.h"

CW_DEFERRED(text, const char *)

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

/* ---- 8: joining a bare parent waits for its children */

CW_COROUTINE(yields_then_marks_5, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_008_join_waits_for_a_bare_jobs_children, cw_job *parent;)
{
    CW_BEGIN(self);
    self->parent = cw_job_new(NULL);
    MARK(1);
    SPAWN(UNDER(self->parent), CW_START_UNDISPATCHED, yields_then_marks_5,
          CW_NONE);
    MARK(3);
    cw_cancel(self->parent, NULL);
    MARK(4);
    ASSERT_FLAGS(self->parent, false, false, true);
    CW_JOIN(self, self->parent);
    MARK(6);
    ASSERT_FLAGS(self->parent, false, true, true);
    cw_job_release(self->parent);
    CW_END(self);
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

/* ---- 11: a bare child's end and its parent */

TEST(case_011_a_bare_child_is_cancelled_or_fails)
{
    cw_error *error = failure("A");
    cw_job *parent = cw_job_new(NULL);
    cw_job *child = cw_job_new(parent);
    cw_cancel(child, NULL);
    ASSERT(cw_is_active(parent));
    cw_job_release(child);
    child = cw_job_new(parent);
    ASSERT_EQ(cw_job_complete_exceptionally(child, error), 1);
    ASSERT_FLAGS(child, false, true, true);
    ASSERT_FLAGS(parent, false, true, true);
    ASSERT(cw_job_error(parent) == error);
    cw_job_release(child);
    cw_job_release(parent);
    cw_error_release(error);
}

/* ---- 13: completing a job that has children */

TEST(case_013_the_last_child_completes_its_parent)
{
    cw_job *parent = cw_job_new(NULL);
    cw_job *child = cw_job_new(parent);
    ASSERT_FLAGS(parent, true, false, false);
    ASSERT_EQ(cw_job_complete(parent), 1);
    ASSERT_EQ(cw_job_complete(parent), 0);
    ASSERT_FLAGS(parent, true, false, false);
    ASSERT_FLAGS(child, true, false, false);
    ASSERT_EQ(cw_job_complete(child), 1);
    ASSERT_FLAGS(child, false, true, false);
    ASSERT_FLAGS(parent, false, true, false);
    cw_job_release(child);
    cw_job_release(parent);
}

/* ---- 14: what children see of a failure above */

CW_COROUTINE(sees_cancellation_by, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_TRY(self, 1);
    CW_AWAIT_CANCELLATION(self);
    CW_CATCH(self, 1)
    {
        ASSERT_CANCELLED(cw_caught(self), self->arg);
        MARK(4);
    }
    CW_END(self);
}

SCENARIO(case_014_children_see_a_failure_as_cause, cw_job *parent;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->parent = cw_job_new(NULL);
    MARK(1);
    SPAWN(UNDER(self->parent), CW_START_DEFAULT, sees_cancellation_by,
          self->error);
    CW_YIELD(self);
    MARK(3);
    ASSERT_EQ(cw_job_complete_exceptionally(self->parent, self->error), 1);
    CW_JOIN(self, self->parent);
    MARK(5);
    ASSERT(cw_job_error(self->parent) == self->error);
    cw_job_release(self->parent);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 16: a deferred's end and its parent */

TEST(case_016_a_deferred_child_is_cancelled_or_fails)
{
    cw_error *error = failure("A");
    cw_job *parent = cw_deferred_new(text, NULL);
    cw_job *child = cw_deferred_new(text, parent);
    cw_cancel(child, NULL);
    ASSERT_FLAGS(parent, true, false, false);
    cw_job_release(child);
    child = cw_deferred_new(text, parent);
    ASSERT_EQ(cw_job_complete_exceptionally(child, error), 1);
    ASSERT_FLAGS(parent, false, true, true);
    ASSERT(cw_job_error(parent) == error);
    cw_job_release(child);
    cw_job_release(parent);
    cw_error_release(error);
}

/* ---- 17: a deferred that is complete waits for its children */

CW_COROUTINE(yields_and_marks_5, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_017_await_waits_for_a_deferreds_children, cw_job *deferred;
         const char *value;)
{
    CW_BEGIN(self);
    self->deferred = cw_deferred_new(text, NULL);
    MARK(1);
    SPAWN(UNDER(self->deferred), CW_START_UNDISPATCHED, yields_and_marks_5,
          CW_NONE);
    MARK(3);
    ASSERT_EQ(cw_deferred_complete(text, self->deferred, "OK"), 1);
    ASSERT_EQ(cw_deferred_complete(text, self->deferred, "late"), 0);
    ASSERT_FLAGS(self->deferred, true, false, false);
    MARK(4);
    CW_AWAIT(self, text, self->deferred, &self->value);
    ASSERT_STR(self->value, "OK");
    MARK(6);
    cw_job_release(self->deferred);
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

/* ---- 32: starting a lazy job */

CW_COROUTINE(marks_5_and_7, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(5);
    CW_YIELD(self);
    MARK(7);
    CW_END(self);
}

SCENARIO(case_032_a_lazy_job_is_started_once, cw_job *job;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, marks_5_and_7, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(3);
    ASSERT_FLAGS(self->job, false, false, false);
    ASSERT(cw_job_start(self->job));
    ASSERT(!cw_job_start(self->job));
    ASSERT_FLAGS(self->job, true, false, false);
    MARK(4);
    CW_YIELD(self);
    MARK(6);
    ASSERT_FLAGS(self->job, true, false, false);
    CW_YIELD(self);
    MARK(8);
    ASSERT_FLAGS(self->job, false, true, false);
    CW_JOIN(self, self->job);
    MARK(9);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 34: cancelling a lazy job before it is started */

SCENARIO(case_034_cancelled_before_start, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, never, CW_NONE);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT(!cw_job_start(self->job));
    CW_TRY(self, 1);
    CW_AWAIT(self, never, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        MARK(1);
    }
    MARK(2);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 35: cancelling a lazy job while it runs */

CW_COROUTINE(computes_for_ever, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_AWAIT_CANCELLATION(self);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(case_035_cancelled_while_computing, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, computes_for_ever, CW_NONE);
    MARK(1);
    ASSERT(cw_job_start(self->job));
    CW_YIELD(self);
    MARK(3);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, false, true);
    ASSERT_RAISES_CODE(
        self, 1, CW_ECANCELED,
        CW_AWAIT(self, computes_for_ever, self->job, &self->out));
    MARK(4);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 37: below a job that has failed */

SCENARIO(case_037_nothing_runs_below_a_failed_job, cw_job *failed;
         cw_job * bare; cw_job * job; struct failures failures;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->failed = LAUNCH(noting(DETACHED, &self->failures), CW_START_DEFAULT,
                          raises, self->error);
    CW_JOIN(self, self->failed);
    ASSERT_EQ(self->failures.count, 1);
    self->job = LAUNCH(noting(UNDER(self->failed), &self->failures),
                       CW_START_DEFAULT, never, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    self->bare = cw_job_new(self->failed);
    self->job = LAUNCH(noting(UNDER(self->bare), &self->failures),
                       CW_START_DEFAULT, never, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_FLAGS(self->bare, false, true, true);
    cw_job_release(self->job);
    cw_job_release(self->bare);
    ASSERT_EQ(self->failures.count, 1);
    ASSERT(self->failures.errors[0] == self->error);
    forget_failures(&self->failures);
    cw_job_release(self->failed);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 38: awaiting twice */

CW_COROUTINE(gives_42_at_3, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(case_038_await_gives_the_same_value_again, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, gives_42_at_3, CW_NONE);
    MARK(2);
    ASSERT(cw_is_active(self->job));
    CW_AWAIT(self, gives_42_at_3, self->job, &self->out);
    ASSERT_EQ(self->out, 42);
    ASSERT_FLAGS(self->job, false, true, false);
    MARK(4);
    self->out = 0;
    CW_AWAIT(self, gives_42_at_3, self->job, &self->out);
    ASSERT_EQ(self->out, 42);
    MARK(5);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 40: a caught failure has cancelled its parent */

CW_COROUTINE(raises_at_3, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

CW_COROUTINE(catches_and_gives_42, cw_error *, int, cw_job *inner; int out;)
{
    CW_BEGIN(self);
    MARK(2);
    self->inner = cw_async(NULL, raises_at_3, self->arg);
    ASSERT_RAISES(self, 1, self->arg,
                  CW_AWAIT(self, raises_at_3, self->inner, &self->out));
    MARK(4);
    cw_job_release(self->inner);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(case_040_a_caught_failure_of_a_child, cw_job *job; int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    MARK(1);
    self->job =
        ASYNC(DETACHED, CW_START_DEFAULT, catches_and_gives_42, self->error);
    ASSERT_RAISES(self, 1, self->error,
                  CW_AWAIT(self, catches_and_gives_42, self->job, &self->out));
    MARK(5);
    cw_job_release(self->job);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 41: a failure counts for more than cancellation */

SCENARIO(case_041_a_failure_after_cancelling_is_awaited, cw_job *job; int out;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    self->job = ASYNC(DETACHED, CW_START_ATOMIC, raises, self->error);
    cw_cancel(self->job, NULL);
    CW_TRY(self, 1);
    CW_AWAIT(self, raises, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT(cw_caught(self) == self->error);
        MARK(1);
    }
    MARK(2);
    cw_job_release(self->job);
    cw_error_release(self->error);
    CW_END(self);
}

/* ---- 43: a value does not override cancellation */

CW_COROUTINE(gives_a_value_when_cancelled, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(6); }
    CW_RETURN(self, 1);
    CW_END(self);
}

SCENARIO(case_043_a_cancelled_jobs_value_is_lost, cw_job *job; int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->job = cw_async(NULL, gives_a_value_when_cancelled, CW_NONE);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    cw_cancel(self->job, NULL);
    MARK(5);
    ASSERT_RAISES_CODE(
        self, 1, CW_ECANCELED,
        CW_AWAIT(self, gives_a_value_when_cancelled, self->job, &self->out));
    MARK(7);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- 44: one of several fails */

CW_COROUTINE(gives_or_raises, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg) CW_RAISE(self, cw_error_retain(self->arg));
    CW_RETURN(self, 7);
    CW_END(self);
}

CW_COROUTINE(maybe_infinite, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg == 1) CW_RAISE(self, cw_error_retain(grandchild_error));
    if (self->arg == 2) CW_AWAIT_CANCELLATION(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

SCENARIO(case_044_await_all_raises_the_first_failure, cw_job *jobs[3];
         int outs[3];)
{
    CW_BEGIN(self);
    grandchild_error = failure("A");
    self->jobs[0] = cw_async(NULL, maybe_infinite, 0);
    self->jobs[1] = ASYNC(DETACHED, CW_START_DEFAULT, maybe_infinite, 1);
    self->jobs[2] = cw_async(NULL, maybe_infinite, 2);
    ASSERT_RAISES(
        self, 1, grandchild_error,
        CW_AWAIT_ALL(self, maybe_infinite, self->jobs, 3, self->outs));
    MARK(1);
    ASSERT_FLAGS(self->jobs[0], false, true, false);
    ASSERT_FLAGS(self->jobs[1], false, true, true);
    ASSERT_FLAGS(self->jobs[2], true, false, false);
    cw_cancel(self->jobs[2], NULL);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_job_release(self->jobs[2]);
    cw_error_release(grandchild_error);
    CW_END(self);
}

/* ---- 46: nothing to await */

CW_COROUTINE(too_late, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_END(self);
}

SCENARIO(case_046_await_all_of_nothing_does_not_suspend, cw_job *none[1];
         int outs[1];)
{
    CW_BEGIN(self);
    cw_spawn(NULL, too_late, CW_NONE);
    CW_AWAIT_ALL(self, give, self->none, 0, self->outs);
    MARK(1);
    CW_END(self);
}

/* ---- 47: lazy jobs are started by those who wait for them */

SCENARIO(case_047_await_all_starts_lazy_jobs_in_order, cw_job *jobs[3];
         int outs[3]; int i;)
{
    CW_BEGIN(self);
    MARK(1);
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = ASYNC(PLAIN, CW_START_LAZY, marks, 2 + self->i);
    CW_AWAIT_ALL(self, marks, self->jobs, 3, self->outs);
    MARK(5);
    for (self->i = 0; self->i < 3; self->i++) {
        ASSERT_EQ(self->outs[self->i], 2 + self->i);
        cw_job_release(self->jobs[self->i]);
    }
    CW_END(self);
}

SCENARIO(case_047_join_all_starts_lazy_jobs_in_order, cw_job *jobs[3]; int i;)
{
    CW_BEGIN(self);
    MARK(1);
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = LAUNCH(PLAIN, CW_START_LAZY, marks, 2 + self->i);
    CW_JOIN_ALL(self, self->jobs, 3);
    MARK(5);
    for (self->i = 0; self->i < 3; self->i++)
        cw_job_release(self->jobs[self->i]);
    CW_END(self);
}

SCENARIO(case_047_join_all_raises_no_failure, cw_job *jobs[3]; int i;
         cw_error * error;)
{
    CW_BEGIN(self);
    self->error = failure("A");
    for (self->i = 0; self->i < 3; self->i++)
        self->jobs[self->i] = ASYNC(DETACHED, CW_START_LAZY, gives_or_raises,
                                    self->i == 1 ? self->error : NULL);
    CW_JOIN_ALL(self, self->jobs, 3);
    ASSERT(cw_job_error(self->jobs[1]) == self->error);
    for (self->i = 0; self->i < 3; self->i++) {
        ASSERT(cw_is_completed(self->jobs[self->i]));
        cw_job_release(self->jobs[self->i]);
    }
    cw_error_release(self->error);
    CW_END(self);
}
