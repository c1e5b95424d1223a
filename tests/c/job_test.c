/* job_test.c: jobs by themselves: handles, flags, becoming a child.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "job.h"

/* ---- handles and flags */

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
