/* job_tree_test.c: how failures and ends travel in the tree of jobs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

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
