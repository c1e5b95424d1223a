/* job_test.c: jobs, their tree, how failures and ends travel in it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "alloc.h"
#include "context.h"
#include "job.h"

/* ---- handles and flags */

#define ASSERT_FLAGS(job, active, completed, cancelled)                        \
    do {                                                                       \
        ASSERT_EQ(cw_is_active(job), active);                                  \
        ASSERT_EQ(cw_is_completed(job), completed);                            \
        ASSERT_EQ(cw_is_cancelled(job), cancelled);                            \
    } while (0)

CW_COROUTINE(yield_times, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_END(self);
}

CW_COROUTINE(leave_child, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, yield_times, 2), CW_OK);
    CW_RETURN(self, 42);
    CW_END(self);
}

SCENARIO(a_job_is_over_when_its_children_are, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, leave_child, CW_NONE);
    ASSERT_FLAGS(self->job, 1, 0, 0);
    CW_YIELD(self); /* its body is over ... */
    ASSERT_FLAGS(self->job, 1, 0, 0);
    ASSERT_EQ(cw_result(leave_child, self->job, &self->out), CW_EBUSY);
    CW_YIELD(self); /* ... and its child is not */
    ASSERT_FLAGS(self->job, 1, 0, 0);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, 0, 1, 0);
    ASSERT_EQ(cw_result(leave_child, self->job, &self->out), CW_OK);
    ASSERT_EQ(self->out, 42);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_cancel(self->job, NULL); /* too late */
    ASSERT_FLAGS(self->job, 0, 1, 0);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_completing_job_can_still_be_cancelled, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, leave_child, CW_NONE);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, 0, 0, 1);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, 0, 1, 1);
    /* The value that it had is lost. */
    ASSERT_EQ(cw_result(leave_child, self->job, &self->out), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}

TEST(a_job_has_its_coroutines_name)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, yield_times, 1);
    ASSERT_STR(cw_job_name(job), "yield_times");
    ASSERT(cw_job_retain(job) == job);
    cw_job_release(job);
    wait_for(job);
    shut_down(context);
    /* The handle outlives the context. */
    ASSERT_STR(cw_job_name(job), "yield_times");
    ASSERT_FLAGS(job, 0, 1, 0);
    cw_cancel(job, NULL);
    cw_job_release(job);
}

TEST(a_null_handle_can_be_released)
{
    cw_job_release(NULL);
    ASSERT(cw_job_retain(NULL) == NULL);
}

TEST(outside_of_jobs_there_is_no_current_one)
{
    ASSERT(cw_current_job() == NULL);
    ASSERT(cw_current_context() == NULL);
    ASSERT(!cw_is_stopped());
    ASSERT_STR(cw_worker_name(), "");
}

TEST(without_a_context_default_is_taken)
{
    int out;
    fail_thread_at(1);
    ASSERT(cw_launch(NULL, give, 1) == NULL);
    ASSERT_EQ(cw_last_error(), CW_ESTART);
    ASSERT(cw_launch_with(NULL, CW_START_LAZY, give, 1) == NULL);
    ASSERT_EQ(cw_last_error(), CW_ESTART);
    ASSERT_EQ(cw_spawn(NULL, give, 1), CW_ESTART);
    fail_thread_at(0);
    cw_job *job = cw_async(NULL, give, 1);
    wait_for(job);
    ASSERT_EQ(cw_result(give, job, &out), CW_OK);
    ASSERT_EQ(out, 1);
    cw_job_release(job);
}

/* ---- failures and the tree */

struct fault {
    int turns;
    cw_error *error;
};

CW_COROUTINE(fail_later, struct fault, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_YIELD(self);
    CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_END(self);
}

/* Hangs; passes a mark when it is cancelled because of `error`. */
struct expected {
    int mark;
    cw_error *error;
};

CW_COROUTINE(hang, struct expected, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(self->arg.mark);
        ASSERT_CANCELLED(cw_caught(self), self->arg.error);
    }
    CW_END(self);
}

CW_COROUTINE(parent_of_three, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, hang, ((struct expected){1, self->arg}));
    cw_spawn(NULL, fail_later, ((struct fault){1, self->arg}));
    cw_spawn(NULL, hang, ((struct expected){2, self->arg}));
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX);
    CW_CATCH(self, 1)
    {
        MARK(3); /* it has suspended after launching them */
        ASSERT_CANCELLED(cw_caught(self), self->arg);
    }
    CW_END(self);
}

TEST(a_failing_child_cancels_parent_and_siblings)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "child", NULL);
    cw_job *job = cw_launch(context, parent_of_three, error);
    wait_for(job);
    MARK(4);
    ASSERT(cw_job_error(job) == error);
    ASSERT_FLAGS(job, 0, 1, 1);
    ASSERT_EQ(unhandled_count, 1); /* once, for the root */
    ASSERT_EQ(unhandled_code, CW_EBUSY);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
}

CW_COROUTINE(two_fail, cw_error **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, fail_later, ((struct fault){2, self->arg[1]}));
    cw_spawn(NULL, fail_later, ((struct fault){1, self->arg[0]}));
    CW_END(self);
}

TEST(the_first_failure_counts)
{
    cw_context *context = new_context(1);
    cw_error *errors[2] = {cw_error_new(CW_EBUSY, "first", NULL),
                           cw_error_new(CW_EBUSY, "second", NULL)};
    cw_job *job = cw_async(context, two_fail, errors);
    wait_for(job);
    ASSERT(cw_job_error(job) == errors[0]);
    cw_job_release(job);
    cw_error_release(errors[0]);
    cw_error_release(errors[1]);
    shut_down(context);
}

CW_COROUTINE(own_failure_first, cw_error **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, fail_later, ((struct fault){0, self->arg[1]}));
    CW_RAISE(self, cw_error_retain(self->arg[0]));
    CW_END(self);
}

TEST(a_bodys_failure_counts_for_more_than_its_childrens_later_ones)
{
    cw_context *context = new_context(1);
    cw_error *errors[2] = {cw_error_new(CW_EBUSY, "body", NULL),
                           cw_error_new(CW_EBUSY, "child", NULL)};
    cw_job *job = cw_async(context, own_failure_first, errors);
    wait_for(job);
    ASSERT(cw_job_error(job) == errors[0]);
    cw_job_release(job);
    cw_error_release(errors[0]);
    cw_error_release(errors[1]);
    shut_down(context);
}

/* A child that fails when it is cancelled. */
static sem_t *started;

CW_COROUTINE(fail_on_cancel, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    event_set(started);
    CW_TRY(self, 1);
    CW_DELAY(self, INT64_MAX);
    CW_CATCH(self, 1) { CW_RAISE(self, cw_error_retain(self->arg)); }
    CW_END(self);
}

CW_COROUTINE(parent_of_one, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, fail_on_cancel, self->arg);
    CW_END(self);
}

CW_COROUTINE(grandparent, cw_error *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, parent_of_one, self->arg);
    CW_END(self);
}

TEST(a_failure_below_a_cancelled_job_is_not_lost)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_EBUSY, "in the clean-up", NULL);
    started = event_new();
    cw_job *job = cw_launch(context, grandparent, error);
    event_await(started);
    struct hold *hold = hold_all(context); /* by now all wait */
    cw_cancel(job, NULL);
    let_go(context, hold);
    wait_for(job);
    ASSERT(cw_job_error(job) == error);
    ASSERT_EQ(unhandled_count, 1);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
    hold_free(hold);
    event_free(started);
}

/* The siblings of a job that fails hear of it before its own children, which
 * take their time, have ended. */
struct failing_family {
    struct hold *slow;
    cw_job *sibling;
};

CW_COROUTINE(fail_with_slow_child, struct failing_family *, cw_none,
             CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, hold_worker, self->arg->slow), CW_OK);
    event_await(self->arg->slow->entered);
    CW_FAIL(self, CW_EBUSY, "early");
    CW_END(self);
}

CW_COROUTINE(parent_of_failing, struct failing_family *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    self->arg->sibling = cw_launch(NULL, wait_for_ever, CW_NONE);
    ASSERT_EQ(cw_spawn(NULL, fail_with_slow_child, self->arg), CW_OK);
    CW_JOIN(self, self->arg->sibling);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_is_cancelled(self->arg->sibling));
    event_set(self->arg->slow->release); /* only now */
    CW_END(self);
}

TEST(a_failure_is_told_before_the_children_of_what_failed_have_ended)
{
    cw_context *context = new_context(3);
    struct hold slow = {event_new(), event_new()};
    struct failing_family family = {&slow, NULL};
    cw_job *job = cw_async(context, parent_of_failing, &family);
    wait_for(job);
    ASSERT_STR(cw_error_message(cw_job_error(job)), "early");
    cw_job_release(family.sibling);
    cw_job_release(job);
    shut_down(context);
    event_free(slow.entered);
    event_free(slow.release);
}

CW_COROUTINE(raise_cancellation, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_FAIL(self, CW_ECANCELED, "by itself");
    CW_END(self);
}

SCENARIO(a_child_that_raises_cancellation_does_not_harm_its_parent,
         cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, raise_cancellation, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, 0, 1, 1);
    ASSERT_STR(cw_error_message(cw_job_error(self->job)), "by itself");
    ASSERT(!cw_is_stopped());
    CW_YIELD(self);
    cw_job_release(self->job);
    MARK(1);
    CW_END(self);
}

/* ---- the unhandled handler */

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
    cw_job *cancelling = cw_launch(context, raise_cancellation, CW_NONE);
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

/* ---- deep and wide trees */

enum { DEEP = 100000 };

CW_COROUTINE(go_down, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg > 0) {
        ASSERT_EQ(cw_spawn(NULL, go_down, self->arg - 1), CW_OK);
    } else {
        MARK(1);
        CW_DELAY(self, INT64_MAX);
    }
    CW_END(self);
}

static void go_down_and_end(void (*end)(cw_job *), int code)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, go_down, DEEP);
    while (atomic_load(&test_marks) == 0)
        sched_yield();
    ASSERT(cw_is_active(job));
    if (end) end(job);
    if (code == CW_OK) cw_context_close(context); /* ends the delay */
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), code);
    cw_job_release(job);
    shut_down(context);
}

static void cancel_without_cause(cw_job *job) { cw_cancel(job, NULL); }

TEST(a_deep_tree_is_cancelled_without_recursion)
{
    go_down_and_end(cancel_without_cause, CW_ECANCELED);
}

TEST(a_deep_tree_ends_without_recursion) { go_down_and_end(NULL, CW_OK); }

CW_COROUTINE(fail_down, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    if (self->arg == 0) CW_FAIL(self, CW_EBUSY, "deep down");
    ASSERT_EQ(cw_spawn(NULL, fail_down, self->arg - 1), CW_OK);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

TEST(a_failure_goes_up_a_deep_tree_without_recursion)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, fail_down, DEEP);
    wait_for(job);
    ASSERT_STR(cw_error_message(cw_job_error(job)), "deep down");
    cw_job_release(job);
    shut_down(context);
}

CW_COROUTINE(go_wide, int, cw_none, int i; cw_job * first;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        ASSERT_EQ(cw_spawn(NULL, hang, ((struct expected){self->i + 1, NULL})),
                  CW_OK);
    CW_END(self);
}

SCENARIO(children_are_cancelled_in_order_of_launch, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, go_wide, DEEP);
    CW_YIELD(self);
    CW_YIELD(self);
    CW_CANCEL_AND_JOIN(self, self->job);
    MARK(DEEP + 1);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- attaching, against the parent's state */

static cw_job *bare_job(void)
{
    cw_job *job = cw__job_new(NULL, NULL, CW__JOB_BARE, 1, 0);
    ASSERT(job);
    return job;
}

static cw_step never_run(cw_frame *frame)
{
    (void)frame;
    return CW_STEP_DONE;
}

/* A job whose body runs elsewhere: the test says when it is over. */
static cw_job *body_job(void)
{
    static const cw_coroutine elsewhere = {
        .name = "elsewhere", .step = never_run, .frame_size = sizeof(cw_frame)};
    static cw_context *context; /* leaked by each test's own process */
    if (!context) context = cw__context_adopt("elsewhere");
    cw_job *job = cw__job_new(context, &elsewhere, CW__JOB_FOREIGN, 1, 0);
    ASSERT(job);
    ASSERT(cw__context_admit(NULL, context));
    return job;
}

TEST(a_child_of_an_active_parent_is_awaited)
{
    cw_job *parent = bare_job(), *child = bare_job();
    cw__job_attach(parent, child);
    cw__job_finish(NULL, parent, NULL);
    ASSERT_FLAGS(parent, 1, 0, 0);
    cw_job *late = bare_job(); /* the parent's body is over, it is not */
    cw__job_attach(parent, late);
    cw__job_finish(NULL, child, NULL);
    ASSERT_FLAGS(parent, 1, 0, 0);
    ASSERT_FLAGS(late, 1, 0, 0);
    cw__job_finish(NULL, late, NULL);
    ASSERT_FLAGS(parent, 0, 1, 0);
    cw_job_release(parent);
    cw_job_release(child);
    cw_job_release(late);
}

TEST(a_child_of_a_cancelled_parent_is_cancelled_and_awaited)
{
    cw_error *cause = cw_error_new(CW_EBUSY, NULL, NULL);
    cw_job *parent = body_job(), *child = body_job();
    cw_cancel(parent, cause);
    cw__job_attach(parent, child);
    ASSERT_FLAGS(child, 0, 0, 1);
    cw__job_finish(NULL, parent, NULL);
    ASSERT_FLAGS(parent, 0, 0, 1);
    cw__job_finish(NULL, child, NULL);
    ASSERT_FLAGS(parent, 0, 1, 1);
    ASSERT_CANCELLED(cw_job_error(child), cause);
    ASSERT_CANCELLED(cw_job_error(parent), cause);
    cw_job_release(parent);
    cw_job_release(child);
    cw_error_release(cause);
}

TEST(a_child_of_a_parent_that_is_over_is_cancelled_and_not_listed)
{
    cw_job *parent = bare_job(), *child = body_job();
    cw__job_finish(NULL, parent, NULL);
    ASSERT_FLAGS(parent, 0, 1, 0);
    cw__job_attach(parent, child);
    ASSERT(child->parent == NULL);
    ASSERT_FLAGS(child, 0, 0, 1);
    cw__job_finish(NULL, child, NULL);
    ASSERT_CANCELLED(cw_job_error(child), NULL);
    cw_job_release(parent);
    cw_job_release(child);
}

TEST(a_supervisor_outlives_its_childrens_failures)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_job *parent =
        cw__job_new(NULL, NULL, CW__JOB_BARE | CW__JOB_SUPERVISOR, 1, 0);
    cw_job *child = body_job(), *other = body_job();
    cw__job_attach(parent, child);
    cw__job_attach(parent, other);
    cw__job_finish(NULL, child, cw_error_new(CW_EBUSY, NULL, NULL));
    ASSERT_FLAGS(child, 0, 1, 1);
    ASSERT_FLAGS(parent, 1, 0, 0);
    ASSERT_FLAGS(other, 1, 0, 0);
    ASSERT_EQ(unhandled_count, 1); /* nobody above takes it */
    cw_cancel(parent, NULL);
    ASSERT_FLAGS(other, 0, 0, 1);
    cw__job_finish(NULL, other, NULL);
    cw__job_finish(NULL, parent, NULL);
    ASSERT_FLAGS(parent, 0, 1, 1);
    cw_job_release(parent);
    cw_job_release(child);
    cw_job_release(other);
}

TEST(a_cancellation_is_passed_on_as_it_is_and_a_failure_as_cause)
{
    cw_error *cause = cw_error_new(CW_ECANCELED, "mine", NULL);
    cw_job *parent = body_job(), *child = body_job(), *low = body_job();
    cw__job_attach(parent, child);
    cw__job_attach(child, low);
    cw_cancel(parent, cause);
    cw_cancel(parent, NULL); /* it is that already */
    ASSERT(low->error == cause && child->error == cause);
    cw__job_finish(NULL, low, NULL);
    cw__job_finish(NULL, child, NULL);
    cw__job_finish(NULL, parent, NULL);
    ASSERT(cw_job_error(parent) == cause && cw_job_error(low) == cause);
    cw_job_release(parent);
    cw_job_release(child);
    cw_job_release(low);
    cw_error_release(cause);
}
