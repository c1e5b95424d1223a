/* start_test.c: ways to begin: when somebody asks for it, and in place.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

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
