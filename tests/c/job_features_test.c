/* job_features_test.c: ways to begin, jobs without a body, completion handlers,
 * elements, and scopes with elements or time limits of their own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "virtual.h"

CW_DEFERRED(number, int)

CW_COROUTINE(marks, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(never, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(false);
    CW_END(self);
}

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
    ASSERT(cw_current_context() != self->arg);
    CW_YIELD(self);
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
    CW_TRY(self, 1);
    CW_AWAIT(self, number, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT(cw_caught(self) == self->a); }
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
