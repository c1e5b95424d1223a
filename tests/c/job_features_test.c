/* job_features_test.c: ways to begin, jobs without a body, completion handlers,
 * elements, and scopes with elements or time limits of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "virtual.h"

#include <sched.h>

CW_DEFERRED(number, int)

struct noted {
    int calls;
    int order;
    cw_error *error;
    cw_handler *handler;
    struct noted *other; /* to be disposed of when this one is called */
};

static int handler_calls;

static void note(void *arg, cw_error *error)
{
    struct noted *noted = arg;
    noted->calls++;
    noted->order = ++handler_calls;
    noted->error = error;
    if (noted->other) cw_handler_dispose(noted->other->handler);
}

/* ---- lazy */

SCENARIO(lazy_is_started_by_join, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, marks, 2);
    CW_YIELD(self);
    MARK(1);
    CW_JOIN(self, self->job);
    MARK(3);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(lazy_is_started_by_await, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, marks, 2);
    CW_YIELD(self);
    MARK(1);
    CW_AWAIT(self, marks, self->job, &self->out);
    ASSERT_EQ(self->out, 2);
    MARK(3);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(lazy_is_started_by_select, cw_job *job; int out; int which;
         cw_clause clauses[1];)
{
    CW_BEGIN(self);
    self->job = ASYNC(PLAIN, CW_START_LAZY, marks, 2);
    CW_YIELD(self);
    MARK(1);
    self->clauses[0] = cw_on_await(marks, self->job, &self->out);
    CW_SELECT(self, self->clauses, 1, &self->which);
    ASSERT_EQ(self->out, 2);
    MARK(3);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(lazy_is_started_by_an_attached_child, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, marks, 2);
    MARK(1);
    self->child = LAUNCH(UNDER(self->job), CW_START_DEFAULT, marks, 3);
    ASSERT(cw_is_active(self->job));
    CW_YIELD(self);
    MARK(4);
    ASSERT(cw_is_completed(self->child));
    ASSERT(cw_is_completed(self->job));
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(lazy_is_not_started_by_a_handler, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(PLAIN, CW_START_LAZY, never, CW_NONE);
    cw_handler_dispose(cw_on_completion(self->job, 0, note, NULL));
    CW_YIELD(self);
    ASSERT_FLAGS(self->job, false, false, false);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(leaves_lazy_child, cw_job **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    *self->arg = LAUNCH(PLAIN, CW_START_LAZY, marks, 1);
    CW_END(self);
}

SCENARIO(a_parent_waits_for_its_lazy_child, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, leaves_lazy_child, &self->child);
    CW_YIELD(self);
    CW_YIELD(self);
    ASSERT_FLAGS(self->job, true, false, false);
    ASSERT(cw_job_start(self->child));
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_FLAGS(self->job, false, true, false);
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(cancelling_a_parent_ends_its_lazy_child, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, leaves_lazy_child, &self->child);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->child, false, true, true);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT(!cw_job_start(self->child));
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

/* From outside, on several workers. */
TEST(lazy_is_started_from_outside)
{
    cw_context *context = new_context(2);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    cw_job *job = cw_async_with(there, CW_START_LAZY, give, 5);
    int out = 0;
    ASSERT_EQ(cw_result(give, job, &out), CW_EBUSY);
    wait_for(job);
    ASSERT_EQ(cw_result(give, job, &out), CW_OK);
    ASSERT_EQ(out, 5);
    cw_job_release(job);
    cw_elements_release(there);
    shut_down(context);
}

/* ---- undispatched */

CW_COROUTINE(inner_in_place, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    ASSERT(cw_current_job() != self->arg);
    CW_YIELD(self);
    MARK(6);
    CW_END(self);
}

CW_COROUTINE(outer_in_place, cw_job *, cw_none, cw_job *me;)
{
    CW_BEGIN(self);
    MARK(2);
    self->me = cw_current_job();
    ASSERT(self->me != self->arg);
    SPAWN(PLAIN, CW_START_UNDISPATCHED, inner_in_place, self->me);
    ASSERT(cw_current_job() == self->me);
    MARK(4);
    CW_YIELD(self);
    MARK(7);
    CW_END(self);
}

SCENARIO(undispatched_may_be_nested, cw_job *job; cw_job * me;)
{
    CW_BEGIN(self);
    MARK(1);
    self->me = cw_current_job();
    self->job = LAUNCH(PLAIN, CW_START_UNDISPATCHED, outer_in_place, self->me);
    ASSERT(cw_current_job() == self->me);
    MARK(5);
    CW_JOIN(self, self->job);
    MARK(8);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(begins_here, cw_context *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT_STR(cw_worker_name(), "run-blocking");
    ASSERT(cw_current_context() == self->arg);
    CW_YIELD(self);
    ASSERT(strncmp(cw_worker_name(), "test-", 5) == 0);
    ASSERT(cw_current_context() == self->arg);
    CW_DELAY(self, 1);
    ASSERT(cw_current_context() == self->arg);
    CW_RETURN(self, 9);
    CW_END(self);
}

CW_COROUTINE(delays_from_here, cw_context *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    ASSERT(cw_current_context() == self->arg);
    CW_RETURN(self, 8);
    CW_END(self);
}

CW_COROUTINE(undispatched_elsewhere, cw_context *, cw_none, cw_job *jobs[2];
             int out;)
{
    CW_BEGIN(self);
    MARK(1);
    self->jobs[0] = ASYNC(cw_elements_with_context(NULL, self->arg),
                          CW_START_UNDISPATCHED, begins_here, self->arg);
    MARK(3);
    self->jobs[1] = ASYNC(cw_elements_with_context(NULL, self->arg),
                          CW_START_UNDISPATCHED, delays_from_here, self->arg);
    CW_AWAIT(self, begins_here, self->jobs[0], &self->out);
    ASSERT_EQ(self->out, 9);
    CW_AWAIT(self, delays_from_here, self->jobs[1], &self->out);
    ASSERT_EQ(self->out, 8);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

TEST(undispatched_goes_on_in_its_own_context)
{
    cw_none none;
    cw_context *context = new_context(2);
    ASSERT_EQ(cw_run_blocking(undispatched_elsewhere, context, &none, NULL),
              CW_OK);
    shut_down(context);
}

CW_COROUTINE(is_run_by, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg);
    CW_END(self);
}

/* Begins on another context's worker: what it launches goes to its own one. */
CW_COROUTINE(launches_from_there, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg); /* not its worker's */
    ASSERT_EQ(cw_spawn(NULL, is_run_by, self->arg), CW_OK);
    cw_job_release(cw_launch(NULL, is_run_by, self->arg));
    cw_job_release(
        cw_launch_with(NULL, CW_START_DEFAULT, is_run_by, self->arg));
    CW_END(self);
}

CW_COROUTINE(launches_elsewhere, cw_context *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(cw_elements_with_context(NULL, self->arg),
                       CW_START_UNDISPATCHED, launches_from_there, self->arg);
    CW_JOIN(self, self->job);
    ASSERT(!cw_job_error(self->job));
    cw_job_release(self->job);
    CW_END(self);
}

TEST(what_is_launched_inherits_the_context_of_its_job)
{
    cw_none none;
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_run_blocking(launches_elsewhere, context, &none, NULL), CW_OK);
    shut_down(context);
}

TEST(undispatched_needs_a_worker)
{
    cw_context *context = new_context(1);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    ASSERT(!cw_launch_with(there, CW_START_UNDISPATCHED, give, 1));
    ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    cw_elements_release(there);
    shut_down(context);
}

/* What a handler launches is not the child of a job that is over. */
static cw_job *launched_late;

static void launch_late(void *arg, cw_error *error)
{
    (void)arg;
    (void)error;
    launched_late = cw_launch(NULL, marks, 2);
}

CW_COROUTINE(ends_with_handler, cw_handler **, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    *self->arg = cw_on_completion(cw_current_job(), 0, launch_late, NULL);
    CW_END(self);
}

SCENARIO(a_handler_of_an_undispatched_job_launches, cw_handler *handler;
         cw_job * parent;)
{
    CW_BEGIN(self);
    SPAWN(PLAIN, CW_START_UNDISPATCHED, ends_with_handler, &self->handler);
    MARK(1);
    self->parent = cw_job_parent(launched_late);
    ASSERT(self->parent == cw_current_job());
    cw_job_release(self->parent);
    CW_JOIN(self, launched_late);
    MARK(3);
    cw_job_release(launched_late);
    cw_handler_dispose(self->handler);
    CW_END(self);
}

/* ---- jobs without a body */

SCENARIO(a_bare_job_is_joined, cw_job *job; cw_job * child;)
{
    CW_BEGIN(self);
    self->job = cw_job_new(cw_current_job());
    self->child = LAUNCH(UNDER(self->job), CW_START_DEFAULT, marks, 1);
    ASSERT_EQ(cw_job_complete(self->job), 1);
    ASSERT_EQ(cw_job_complete(self->job), 0);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_FLAGS(self->job, false, true, false);
    ASSERT_STR(cw_job_name(self->job), "");
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(only_jobs_without_a_body_are_completed, cw_job *job; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    ASSERT_EQ(cw_job_complete(self->job), CW_EINVAL);
    ASSERT_EQ(cw_job_complete_exceptionally(self->job, self->a), CW_EINVAL);
    ASSERT_EQ(cw_deferred_complete(number, self->job, 1), CW_EINVAL);
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    self->job = cw_job_new(NULL);
    ASSERT_EQ(cw_deferred_complete(number, self->job, 1), CW_EINVAL);
    ASSERT_EQ(cw_job_complete_exceptionally(self->job, NULL), CW_EINVAL);
    ASSERT_FLAGS(self->job, true, false, false);
    ASSERT_EQ(cw_job_complete(self->job), 1);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

SCENARIO(a_deferred_fails, cw_job *job; int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = cw_deferred_new(number, NULL);
    ASSERT_EQ(cw_result(number, self->job, &self->out), CW_EBUSY);
    ASSERT_EQ(cw_job_complete_exceptionally(self->job, self->a), 1);
    ASSERT_EQ(cw_deferred_complete(number, self->job, 1), 0);
    ASSERT_RAISES(self, 1, self->a,
                  CW_AWAIT(self, number, self->job, &self->out));
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

CW_COROUTINE(completes_it, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_deferred_complete(number, self->arg, 11), 1);
    CW_END(self);
}

SCENARIO(a_deferred_is_awaited, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job = cw_deferred_new(number, NULL);
    cw_spawn(NULL, completes_it, self->job);
    CW_AWAIT(self, number, self->job, &self->out);
    ASSERT_EQ(self->out, 11);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_cancelled_supervisor_cancels_its_children, cw_job *job;
         cw_job * child;)
{
    CW_BEGIN(self);
    self->job = cw_supervisor_job_new(NULL);
    self->child =
        LAUNCH(UNDER(self->job), CW_START_DEFAULT, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    ASSERT_FLAGS(self->job, false, false, true);
    CW_JOIN(self, self->child);
    ASSERT_FLAGS(self->job, false, true, true);
    cw_job_release(self->child);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- completion handlers */

TEST(handlers_are_called_in_order)
{
    struct noted all[3] = {0};
    cw_job *job = cw_job_new(NULL);
    for (int i = 0; i < 3; i++)
        all[i].handler = cw_on_completion(job, 0, note, &all[i]);
    ASSERT_EQ(cw_job_complete(job), 1);
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(all[i].order, i + 1);
        ASSERT(all[i].error == NULL);
        cw_handler_dispose(all[i].handler);
    }
    cw_job_release(job);
}

TEST(a_handler_takes_back_the_next_one)
{
    struct noted first = {0}, second = {0}, third = {0};
    cw_job *job = cw_job_new(NULL);
    first.handler = cw_on_completion(job, 0, note, &first);
    second.handler = cw_on_completion(job, 0, note, &second);
    third.handler = cw_on_completion(job, 0, note, &third);
    first.other = &second;
    ASSERT_EQ(cw_job_complete(job), 1);
    ASSERT_EQ(first.calls, 1);
    ASSERT_EQ(second.calls, 0);
    ASSERT_EQ(third.calls, 1);
    cw_handler_dispose(first.handler);
    cw_handler_dispose(third.handler);
    cw_job_release(job);
}

TEST(late_handlers)
{
    struct noted late = {0}, not_late = {0};
    cw_error *a = failure("A");
    cw_job *job = cw_job_new(NULL);
    ASSERT_EQ(cw_job_complete_exceptionally(job, a), 1);
    late.handler = cw_on_completion(job, 0, note, &late);
    ASSERT_EQ(late.calls, 1);
    ASSERT(late.error == a);
    not_late.handler = cw_on_completion(job, CW_NOT_LATE, note, &not_late);
    ASSERT_EQ(not_late.calls, 0);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(not_late.handler);
    cw_job_release(job);
    cw_error_release(a);
}

TEST(early_handlers)
{
    struct noted early = {0}, at_end = {0}, late = {0}, not_late = {0};
    cw_job *job = cw_job_new(NULL);
    cw_job *child = cw_job_new(job);
    cw_job *grandchild = cw_deferred_new(number, child);
    early.handler = cw_on_completion(job, CW_ON_CANCELLING, note, &early);
    at_end.handler = cw_on_completion(job, 0, note, &at_end);
    ASSERT_EQ(cw_job_complete(child), 1);
    ASSERT_EQ(early.calls, 0);
    cw_cancel(job, NULL);
    ASSERT_EQ(early.calls, 1);
    ASSERT_EQ(at_end.calls, 1);
    late.handler = cw_on_completion(job, CW_ON_CANCELLING, note, &late);
    not_late.handler =
        cw_on_completion(job, CW_ON_CANCELLING | CW_NOT_LATE, note, &not_late);
    ASSERT_EQ(late.calls, 1);
    ASSERT_EQ(not_late.calls, 0);
    cw_handler_dispose(early.handler);
    cw_handler_dispose(at_end.handler);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(not_late.handler);
    cw_job_release(grandchild);
    cw_job_release(child);
    cw_job_release(job);
}

SCENARIO(early_handlers_while_a_job_is_cancelling, cw_job *job; cw_error * a;)
{
    static struct noted early, late, at_end;
    CW_BEGIN(self);
    self->a = cw_error_new(CW_ECANCELED, "why", NULL);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    early.handler = cw_on_completion(self->job, CW_ON_CANCELLING, note, &early);
    cw_cancel(self->job, self->a);
    ASSERT_EQ(early.calls, 1);
    ASSERT(early.error == self->a);
    late.handler = cw_on_completion(self->job, CW_ON_CANCELLING, note, &late);
    ASSERT_EQ(late.calls, 1);
    ASSERT(late.error == self->a);
    at_end.handler = cw_on_completion(self->job, 0, note, &at_end);
    ASSERT_EQ(at_end.calls, 0);
    CW_JOIN(self, self->job);
    ASSERT_EQ(early.calls, 1);
    ASSERT_EQ(late.calls, 1);
    ASSERT_EQ(at_end.calls, 1);
    ASSERT(at_end.error == self->a);
    cw_handler_dispose(early.handler);
    cw_handler_dispose(late.handler);
    cw_handler_dispose(at_end.handler);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- children and parents */

SCENARIO(cancelling_many_children, cw_job *children[100]; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 100; self->i++)
        self->children[self->i] = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_YIELD(self);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    ASSERT_EQ(cw_cancel_children(self->children[0], NULL), CW_OK);
    CW_JOIN_ALL(self, self->children, 100);
    for (self->i = 0; self->i < 100; self->i++)
        cw_job_release(self->children[self->i]);
    ASSERT_EQ(cw_cancel_children(cw_current_job(), NULL), CW_OK);
    ASSERT(!cw_is_stopped());
    CW_END(self);
}

TEST(parents)
{
    cw_job *parent = cw_job_new(NULL), *child = cw_job_new(parent);
    ASSERT(cw_job_parent(parent) == NULL);
    cw_job *found = cw_job_parent(child);
    ASSERT(found == parent);
    cw_job_release(found);
    ASSERT_EQ(cw_job_complete(child), 1);
    ASSERT(cw_job_parent(child) == NULL);
    ASSERT_EQ(cw_job_complete(parent), 1);
    cw_job_release(child);
    cw_job_release(parent);
}

TEST(why_a_job_was_cancelled)
{
    cw_error *a = failure("A");
    cw_job *job = cw_job_new(NULL);
    ASSERT(cw_job_cancellation(job) == NULL);
    ASSERT_EQ(cw_job_complete_exceptionally(job, a), 1);
    cw_error *why = cw_job_cancellation(job);
    ASSERT_CANCELLED(why, a);
    cw_error_release(why);
    cw_job_release(job);
    cw_error_release(a);
}

/* ---- elements */

static cw_key key_one = {"one"}, key_two = {"two"};

TEST(elements_are_merged)
{
    int one, two, other;
    const cw_elements *left = cw_elements_with_value(NULL, &key_one, &one);
    const cw_elements *right = cw_elements_with_value(NULL, &key_one, &other);
    const cw_elements *more = cw_elements_with_value(right, &key_two, &two);
    const cw_elements *named = cw_elements_with_name(more, "right");
    const cw_elements *both = cw_elements_plus(left, named);
    ASSERT(cw_elements_value(both, &key_one) == &other);
    ASSERT(cw_elements_value(both, &key_two) == &two);
    ASSERT_STR(cw_elements_name(both), "right");
    const cw_elements *back = cw_elements_plus(both, left);
    ASSERT(cw_elements_value(back, &key_one) == &one);
    ASSERT_STR(cw_elements_name(back), "right");
    ASSERT(cw_elements_value(left, &key_two) == NULL);
    ASSERT(cw_elements_value(NULL, &key_two) == NULL);
    ASSERT(cw_elements_job(both) == NULL);
    ASSERT(cw_elements_context(both) == NULL);
    const cw_elements *all[] = {left, right, more, named, both, back};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cw_elements_release(all[i]);
}

/* Looks for the value at key_one in its own elements. */
CW_COROUTINE(looks_up, void *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) == self->arg);
    CW_YIELD(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) == self->arg);
    CW_RETURN(self, 1);
    CW_END(self);
}

struct values {
    void *mine, *other;
};

CW_COROUTINE(hands_down, struct values, int, int out; const cw_elements *set;)
{
    CW_BEGIN(self);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) ==
           self->arg.mine);
    cw_spawn(NULL, looks_up, self->arg.mine);
    SPAWN(cw_elements_with_value(NULL, &key_one, self->arg.other),
          CW_START_UNDISPATCHED, looks_up, self->arg.other);
    SPAWN(cw_elements_with_value(NULL, &key_two, NULL), CW_START_DEFAULT,
          looks_up, self->arg.mine);
    SPAWN(DETACHED, CW_START_DEFAULT, looks_up, self->arg.mine);
    CW_SCOPE(self, looks_up, self->arg.mine, &self->out);
    CW_NON_CANCELLABLE(self, looks_up, self->arg.mine, &self->out);
    self->set = cw_elements_with_value(NULL, &key_one, self->arg.other);
    CW_WITH_ELEMENTS(self, self->set, looks_up, self->arg.other, &self->out);
    cw_elements_release(self->set);
    ASSERT(cw_elements_value(cw_current_elements(), &key_one) ==
           self->arg.mine);
    CW_END(self);
}

SCENARIO(elements_are_inherited, struct values values; cw_job * job; int a;
         int b;)
{
    CW_BEGIN(self);
    self->values = (struct values){&self->a, &self->b};
    self->job = LAUNCH(cw_elements_with_value(NULL, &key_one, &self->a),
                       CW_START_DEFAULT, hands_down, self->values);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* A job's own elements say nothing of a parent: what is launched with them is
 * a child of the job itself. */
CW_COROUTINE(launches_with_own, cw_none, cw_none, cw_job *child;
             cw_job * parent;)
{
    CW_BEGIN(self);
    self->child =
        LAUNCH(cw_elements_with_name(cw_current_elements(), "grandchild"),
               CW_START_DEFAULT, marks, 1);
    self->parent = cw_job_parent(self->child);
    ASSERT(self->parent == cw_current_job());
    ASSERT_STR(cw_job_name(self->child), "grandchild");
    cw_job_release(self->parent);
    cw_job_release(self->child);
    CW_END(self);
}

SCENARIO(own_elements_make_children, cw_job *job; cw_job * bare;
         const cw_elements *under;)
{
    CW_BEGIN(self);
    self->bare = cw_job_new(NULL);
    self->under = UNDER(self->bare);
    self->job = LAUNCH(cw_elements_with_name(self->under, "child"),
                       CW_START_DEFAULT, launches_with_own, CW_NONE);
    cw_elements_release(self->under);
    ASSERT_STR(cw_job_name(self->job), "child");
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    ASSERT_EQ(cw_job_complete(self->bare), 1);
    cw_job_release(self->job);
    cw_job_release(self->bare);
    CW_END(self);
}

static void expect_name(void *arg, const char *name, cw_error *error)
{
    ASSERT_STR(name, arg);
    ASSERT_EQ(cw_error_code(error), CW_EFAILED);
    MARK(1);
}

static char somebody[] = "somebody";

/* DETACHED, with a name and a handler that expects it. */
static const cw_elements *named(void)
{
    const cw_elements *alone = DETACHED;
    const cw_elements *name = cw_elements_with_name(alone, somebody);
    const cw_elements *all =
        cw_elements_with_handler(name, expect_name, somebody);
    cw_elements_release(alone);
    cw_elements_release(name);
    return all;
}

SCENARIO(a_handler_is_told_the_name, cw_job *job; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = LAUNCH(named(), CW_START_DEFAULT, raises, self->a);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_STR(cw_job_name(self->job), somebody);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- between contexts */

struct both {
    cw_context *here, *there;
    cw_job *cancels;
    sem_t *entered;
};

CW_COROUTINE(runs_there, struct both, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg.there);
    CW_YIELD(self);
    ASSERT(cw_current_context() == self->arg.there);
    CW_DELAY(self, 1);
    ASSERT(cw_current_context() == self->arg.there);
    cw_spawn(NULL, give, 1);
    CW_RETURN(self, 42);
    CW_END(self);
}

CW_COROUTINE(goes_and_comes, struct both, int, const cw_elements *set; int out;
             int i;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    for (self->i = 0; self->i < 20; self->i++) {
        self->out = 0;
        CW_WITH_ELEMENTS(self, self->set, runs_there, self->arg, &self->out);
        ASSERT_EQ(self->out, 42);
        ASSERT(cw_current_context() == self->arg.here);
    }
    CW_FINALLY(self);
    cw_elements_release(self->set);
    CW_END(self);
}

static cw_job *launch_on(cw_context *context, struct both both)
{
    cw_job *job = cw_async(context, goes_and_comes, both);
    ASSERT(job);
    return job;
}

TEST(a_body_goes_to_another_context_and_comes_back)
{
    struct both both = {new_context(2), new_context(2), NULL, NULL};
    cw_job *job = launch_on(both.here, both);
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
}

TEST(a_closed_context_takes_nobody)
{
    struct both both = {new_context(1), new_context(1), NULL, NULL};
    cw_context_close(both.there);
    cw_job *job = launch_on(both.here, both);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
}

CW_COROUTINE(goes_to_never, struct both, int, const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    event_set(self->arg.entered);
    CW_WITH_ELEMENTS(self, self->set, never, CW_NONE, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_current_context() == self->arg.here);
    cw_elements_release(self->set);
    CW_END(self);
}

/* It waits in the other context's queue when it is cancelled. */
TEST(cancelled_on_the_way_there)
{
    struct both both = {new_context(1), new_context(1), NULL, event_new()};
    struct hold *hold = hold_all(both.there);
    cw_job *job = cw_async(both.here, goes_to_never, both);
    event_await(both.entered);
    cw_job *after = cw_async(both.here, give, 1); /* it has left by then */
    wait_for(after);
    cw_cancel(job, NULL);
    let_go(both.there, hold);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(after);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
    hold_free(hold);
    event_free(both.entered);
}

CW_COROUTINE(ends_there, struct both, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    event_set(self->arg.entered);
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(loses_value, struct both, int, const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->set = cw_elements_with_context(NULL, self->arg.there);
    CW_WITH_ELEMENTS(self, self->set, ends_there, self->arg, &self->out);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(cw_current_context() == self->arg.here);
    cw_elements_release(self->set);
    CW_END(self);
}

/* It waits in its own context's queue, with a value. */
TEST(cancelled_on_the_way_back)
{
    struct both both = {new_context(1), new_context(1), NULL, event_new()};
    struct hold *there = hold_all(both.there);
    cw_job *job = cw_async(both.here, loses_value, both);
    struct hold *here = hold_all(both.here); /* behind the job's first step */
    let_go(both.there, there);
    event_await(both.entered);
    cw_job *after = cw_async(both.there, give, 1);
    wait_for(after);
    cw_cancel(job, NULL);
    let_go(both.here, here);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(after);
    cw_job_release(job);
    shut_down(both.here);
    shut_down(both.there);
    hold_free(here);
    hold_free(there);
    event_free(both.entered);
}

/* ---- another job's scope */

SCENARIO(a_job_among_the_elements_takes_a_scope_over, cw_job *other;
         const cw_elements *set; int out; cw_error * a;)
{
    CW_BEGIN(self);
    self->a = cw_error_new(CW_ECANCELED, "other", NULL);
    self->other = cw_job_new(NULL);
    self->set = UNDER(self->other);
    CW_WITH_ELEMENTS(self, self->set, marks, 1, &self->out);
    ASSERT_EQ(self->out, 1);
    cw_cancel(self->other, self->a);
    ASSERT_RAISES(
        self, 1, self->a,
        CW_WITH_ELEMENTS(self, self->set, never, CW_NONE, &self->out));
    ASSERT(!cw_is_stopped());
    CW_YIELD(self);
    cw_elements_release(self->set);
    cw_job_release(self->other);
    cw_error_release(self->a);
    CW_END(self);
}

CW_COROUTINE(scope_is_child_of, cw_job *, int, cw_job *parent;)
{
    CW_BEGIN(self);
    self->parent = cw_job_parent(cw_current_scope());
    ASSERT(self->parent == self->arg);
    cw_job_release(self->parent);
    cw_cancel(self->arg, NULL);
    CW_TRY(self, 1);
    CW_YIELD(self);
    ASSERT(false);
    CW_CATCH(self, 1) { MARK(1); }
    CW_END(self);
}

SCENARIO(cancelling_the_job_among_the_elements, cw_job *other;
         const cw_elements *set; int out;)
{
    CW_BEGIN(self);
    self->other = cw_job_new(NULL);
    self->set = UNDER(self->other);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_WITH_ELEMENTS(self, self->set, scope_is_child_of,
                                        self->other, &self->out));
    MARK(2);
    CW_YIELD(self);
    ASSERT(cw_is_completed(self->other));
    cw_elements_release(self->set);
    cw_job_release(self->other);
    CW_END(self);
}

/* ---- time limits */

CW_COROUTINE(has_or_null, int64_t, int, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, self->arg, takes_time, 1000, &self->out,
                            &self->in_time);
    CW_RETURN(self, self->in_time ? 1 : 2);
    CW_END(self);
}

VIRTUAL(an_inner_limit_runs_out_first, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 50, has_or_null, 10, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 2);
    ASSERT_EQ(NOW, 10);
    CW_END(self);
}

VIRTUAL(an_outer_limit_runs_out_first, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, has_or_null, 50, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 10);
    CW_END(self);
}

VIRTUAL(in_time, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 1001, takes_time, 1000, &self->out,
                            &self->in_time);
    ASSERT(self->in_time);
    ASSERT_EQ(self->out, 1);
    CW_WITH_TIMEOUT(self, 1001, takes_time, 1000, &self->out);
    CW_WITH_TIMEOUT(self, INT64_MAX, takes_time, 1000, &self->out);
    ASSERT_EQ(NOW, 3000);
    CW_END(self);
}

CW_COROUTINE(fails_with_etimedout, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_FAIL(self, CW_ETIMEDOUT, "a failure");
    CW_END(self);
}

VIRTUAL(a_failure_of_that_code_is_no_limit, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, fails_with_etimedout, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(false);
    CW_CATCH(self, 1)
    ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ETIMEDOUT);
    CW_END(self);
}

CW_COROUTINE(leaves_slow_child, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, takes_time, 1000);
    CW_RETURN(self, 1);
    CW_END(self);
}

VIRTUAL(a_limit_is_for_the_children_too, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, leaves_slow_child, CW_NONE, &self->out,
                            &self->in_time);
    ASSERT(!self->in_time);
    ASSERT_EQ(NOW, 100);
    CW_END(self);
}

CW_COROUTINE(swallows_and_returns, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_AWAIT_CANCELLATION(self);
    CW_CATCH(self, 1) { MARK(1); }
    CW_RETURN(self, 1);
    CW_END(self);
}

VIRTUAL(a_value_after_the_limit_is_lost, int out; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 100, swallows_and_returns, CW_NONE,
                            &self->out, &self->in_time);
    ASSERT(!self->in_time);
    MARK(2);
    CW_END(self);
}

/* A time limit that leaves a job ends that job quietly. */
CW_COROUTINE(is_too_slow, cw_none, int, int out;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT(self, 10, takes_time, 1000, &self->out);
    CW_END(self);
}

VIRTUAL(a_limit_does_not_fail_the_parent, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, is_too_slow, CW_NONE);
    CW_JOIN(self, self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- names */

CW_COROUTINE(has_plain_and_valued_children, cw_none, cw_none,
             cw_job *children[2];)
{
    CW_BEGIN(self);
    self->children[0] = cw_launch(NULL, give, 1);
    self->children[1] = LAUNCH(cw_elements_with_value(NULL, &key_one, NULL),
                               CW_START_DEFAULT, give, 1);
    ASSERT_STR(cw_job_name(self->children[0]), "give");
    ASSERT_STR(cw_job_name(self->children[1]), "give");
    cw_job_release(self->children[0]);
    cw_job_release(self->children[1]);
    CW_END(self);
}

SCENARIO(a_name_is_one_jobs_alone, cw_job *job;)
{
    CW_BEGIN(self);
    self->job = LAUNCH(cw_elements_with_name(NULL, somebody), CW_START_DEFAULT,
                       has_plain_and_valued_children, CW_NONE);
    ASSERT_STR(cw_job_name(self->job), somebody);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- handlers only hear of what has no owner */

static cw_error *grandchild_failure;

CW_COROUTINE(has_child_with_handler, struct failures *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(noting(PLAIN, self->arg), CW_START_DEFAULT, raises,
          grandchild_failure);
    CW_END(self);
}

SCENARIO(a_handler_hears_of_no_owned_failure, cw_job *outer; cw_error * a;
         struct failures inner;)
{
    static struct failures outer;
    CW_BEGIN(self);
    grandchild_failure = self->a = failure("A");
    self->outer = LAUNCH(noting(DETACHED, &outer), CW_START_DEFAULT,
                         has_child_with_handler, &self->inner);
    CW_JOIN(self, self->outer);
    ASSERT_EQ(self->inner.count, 0);
    ASSERT_EQ(outer.count, 1);
    ASSERT(outer.errors[0] == self->a);
    forget_failures(&outer);
    cw_job_release(self->outer);
    cw_error_release(self->a);
    CW_END(self);
}

/* A supervisor's children inherit the handler. */
CW_COROUTINE(has_failing_children, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, raises, self->arg);
    cw_job_release(cw_async(NULL, raises, self->arg));
    CW_RETURN(self, 1);
    CW_END(self);
}

CW_COROUTINE(has_supervisor_scope, cw_error *, int, int out;)
{
    CW_BEGIN(self);
    CW_SUPERVISOR_SCOPE(self, has_failing_children, self->arg, &self->out);
    CW_RETURN(self, self->out);
    CW_END(self);
}

SCENARIO(children_inherit_the_handler, cw_job *job; cw_error * a;
         struct failures failures;)
{
    CW_BEGIN(self);
    self->a = failure("A");
    self->job = LAUNCH(noting(DETACHED, &self->failures), CW_START_DEFAULT,
                       has_supervisor_scope, self->a);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    ASSERT_EQ(self->failures.count, 1);
    ASSERT(self->failures.errors[0] == self->a);
    forget_failures(&self->failures);
    cw_job_release(self->job);
    cw_error_release(self->a);
    CW_END(self);
}

/* ---- from several threads at once */

static _Atomic int ended_calls;

static void count_end(void *arg, cw_error *error)
{
    (void)arg;
    (void)error;
    atomic_fetch_add(&ended_calls, 1);
}

CW_FUNCTION(starts_it, cw_job *, cw_none)
{
    (void)cw_job_start(*arg);
    return CW_OK;
}

CW_FUNCTION(cancels_it, cw_job *, cw_none)
{
    cw_cancel(*arg, NULL);
    return CW_OK;
}

CW_FUNCTION(completes_the_bare, cw_job *, cw_none)
{
    cw_job_complete(*arg);
    return CW_OK;
}

TEST(starting_cancelling_and_completing_meet)
{
    enum { ROUNDS = 500 };
    cw_context *context = new_context(3);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    for (int i = 0; i < ROUNDS; i++) {
        cw_job *bare = cw_job_new(NULL);
        const cw_elements *under = cw_elements_with_job(there, bare);
        cw_job *lazy = cw_async_with(under, CW_START_LAZY, give, 1);
        cw_handler *at_end = cw_on_completion(lazy, 0, count_end, NULL);
        cw_handler *early =
            cw_on_completion(bare, CW_ON_CANCELLING, count_end, NULL);
        cw_job *jobs[4] = {cw_launch(context, starts_it, lazy),
                           cw_launch(context, cancels_it, i % 2 ? lazy : bare),
                           cw_launch(context, completes_the_bare, bare),
                           cw_launch(context, starts_it, lazy)};
        wait_for(lazy);
        wait_for(bare);
        for (int j = 0; j < 4; j++) {
            wait_for(jobs[j]);
            cw_job_release(jobs[j]);
        }
        /* Those who join may go on before handlers have run. */
        while (atomic_load(&ended_calls) < 2 * (i + 1))
            sched_yield();
        cw_handler_dispose(at_end);
        cw_handler_dispose(early);
        cw_job_release(lazy);
        cw_job_release(bare);
        cw_elements_release(under);
    }
    ASSERT_EQ(atomic_load(&ended_calls), 2 * ROUNDS);
    cw_elements_release(there);
    shut_down(context);
}
