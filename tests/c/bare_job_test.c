/* bare_job_test.c: jobs without a body, their children and parents.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"

CW_DEFERRED(number, int)

/* ---- completing them */

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
