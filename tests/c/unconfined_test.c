/* unconfined_test.c: jobs that go on where they are resumed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "dispatcher.h"

static cw_continuation *suspended;

static void keep_continuation(cw_continuation *continuation, void *arg)
{
    (void)arg;
    suspended = continuation;
}

CW_COROUTINE(waits_for_somebody, const char *, cw_none, int out;)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == cw_unconfined_context());
    CW_SUSPEND_WITH(self, keep_continuation, NULL, &self->out);
    ASSERT_EQ(self->out, 5);
    ASSERT_STR(cw_worker_name(), self->arg);
    ASSERT(cw_current_context() == cw_unconfined_context());
    MARK(2);
    CW_END(self);
}

static void resume_suspended(void *arg)
{
    int five = 5;
    MARK(1);
    ASSERT_EQ(cw_resume(suspended, &five), CW_OK);
    MARK(3); /* it ran within the call */
    cw_continuation_release(suspended);
    (void)arg;
}

CW_COROUTINE(resumes, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    resume_suspended(NULL);
    CW_END(self);
}

TEST(unconfined_goes_on_with_the_worker_that_resumes_it)
{
    cw_context *pool = new_context(1);
    cw_job *job =
        cw_launch(cw_unconfined_context(), waits_for_somebody, "test");
    ASSERT(!cw_is_completed(job));
    succeeds(cw_launch(pool, resumes, CW_NONE));
    ASSERT(cw_is_completed(job));
    succeeds(job);
    shut_down(pool);
}

TEST(unconfined_goes_on_with_any_thread_that_resumes_it)
{
    cw_job *job = cw_launch(cw_unconfined_context(), waits_for_somebody, "");
    struct call call = {resume_suspended, NULL};
    join_thread(on_thread(&call));
    ASSERT(cw_is_completed(job));
    succeeds(job);
}

TEST(unconfined_is_cancelled_in_place)
{
    cw_job *job = cw_launch(cw_unconfined_context(), wait_for_ever, CW_NONE);
    cw_cancel(job, NULL);
    ASSERT(cw_is_completed(job));
    cw_job_release(job);
}

CW_COROUTINE(delays_unconfined, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    ASSERT(runs_on("default-"));
    ASSERT(cw_current_context() == cw_unconfined_context());
    CW_DELAY(self, self->arg);
    ASSERT(runs_on("default-"));
    CW_END(self);
}

TEST(default_counts_the_delays_of_unconfined)
{
    succeeds(cw_launch(cw_unconfined_context(), delays_unconfined, 1));
}

TEST(without_default_a_delay_fails)
{
    fail_thread_at(1);
    cw_job *job = cw_async(cw_unconfined_context(), delays_unconfined, 1);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ESTART);
    cw_job_release(job);
}

static sem_t *go_on;

CW_FUNCTION(set_go_on, cw_none, cw_none)
{
    (void)arg, (void)result;
    event_set(go_on);
    return CW_OK;
}

/* Blocks where its delay has left it. */
CW_COROUTINE(blocks_after_a_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    ASSERT_EQ(cw_spawn(cw_default_context(), set_go_on, CW_NONE), CW_OK);
    event_await(go_on);
    CW_END(self);
}

/* A worker that runs what was due must not be taken for one that looks for
 * work. */
TEST(a_delay_that_is_over_does_not_keep_a_worker_from_its_own)
{
    go_on = event_new();
    for (int i = 0; i < 20; i++)
        succeeds(
            cw_launch(cw_unconfined_context(), blocks_after_a_delay, CW_NONE));
    event_free(go_on);
}

CW_COROUTINE(overruns, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    SPAWN(DETACHED, CW_START_DEFAULT, marks, 3); /* waits in line */
    advance_clock(100 * 1000000);
    MARK(1);
    CW_END(self);
}

CW_COROUTINE(has_time_limit, cw_none, cw_none, cw_none none; bool in_time;)
{
    CW_BEGIN(self);
    CW_WITH_TIMEOUT_OR_NULL(self, 10, overruns, CW_NONE, &self->none,
                            &self->in_time);
    ASSERT(self->in_time);
    MARK(2);
    CW_END(self);
}

TEST(a_time_limit_of_one_that_never_waits)
{
    stop_clock();
    cw_job *job = cw_launch(cw_unconfined_context(), has_time_limit, CW_NONE);
    start_clock();
    succeeds(job);
}

CW_COROUTINE(blocks_in_place, cw_none, cw_none, cw_job *job; cw_none none;)
{
    CW_BEGIN(self);
    self->job = cw_launch(NULL, marks, 1); /* waits in line */
    ASSERT(!cw_is_completed(self->job));
    ASSERT_EQ(cw_run_blocking(join_one, self->job, &self->none, NULL), CW_OK);
    MARK(2);
    cw_job_release(self->job);
    self->job = cw_launch(NULL, marks, 4); /* waits again */
    MARK(3);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

TEST(a_blocking_call_runs_what_waits_in_line)
{
    cw_job *job = cw_launch(cw_unconfined_context(), blocks_in_place, CW_NONE);
    MARK(5);
    succeeds(job);
}

CW_COROUTINE(yields_in_place, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(self->arg + 1);
    CW_END(self);
}

static void launch_undispatched(int mark)
{
    const cw_elements *place =
        cw_elements_with_context(NULL, cw_unconfined_context());
    cw_job *job =
        cw_launch_with(place, CW_START_UNDISPATCHED, yields_in_place, mark);
    ASSERT(cw_is_completed(job));
    cw_job_release(job);
    cw_elements_release(place);
}

CW_COROUTINE(launches_undispatched, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    launch_undispatched(self->arg);
    CW_END(self);
}

SCENARIO(undispatched_and_unconfined, cw_job *job;)
{
    CW_BEGIN(self);
    launch_undispatched(1);
    self->job = cw_launch(cw_unconfined_context(), launches_undispatched, 3);
    MARK(5);
    CW_JOIN(self, self->job);
    ASSERT(!cw_job_error(self->job));
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(is_unconfined, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT(cw_current_context() == cw_unconfined_context());
    ASSERT_STR(cw_worker_name(), "run-blocking");
    CW_YIELD(self);
    MARK(3);
    CW_END(self);
}

SCENARIO(changing_to_unconfined_stays_on_the_worker, const cw_elements *there;
         cw_context * here; cw_none none;)
{
    CW_BEGIN(self);
    MARK(1);
    self->here = cw_current_context();
    self->there = cw_elements_with_context(NULL, cw_unconfined_context());
    CW_WITH_ELEMENTS(self, self->there, is_unconfined, CW_NONE, &self->none);
    MARK(4);
    ASSERT(cw_current_context() == self->here);
    cw_elements_release(self->there);
    CW_END(self);
}

static void launch_at_the_end(void *arg, cw_error *error)
{
    ASSERT(!error);
    ASSERT(!cw_current_job());
    ASSERT(!cw_current_context());
    *(cw_job **)arg = cw_launch(NULL, is_on_default, CW_NONE);
}

TEST(handlers_on_a_foreign_thread_run_nowhere)
{
    cw_job *later = NULL;
    const cw_elements *place =
        cw_elements_with_context(NULL, cw_unconfined_context());
    cw_job *job = cw_launch_with(place, CW_START_LAZY, marks, 1);
    cw_handler *handler = cw_on_completion(job, 0, launch_at_the_end, &later);
    ASSERT(cw_job_start(job));
    MARK(2);
    succeeds(later);
    cw_handler_dispose(handler);
    cw_job_release(job);
    cw_elements_release(place);
}

CW_FUNCTION(fails_in_place, cw_none, cw_none)
{
    (void)arg, (void)result;
    return cw_fail(CW_EFAILED, "in place");
}

TEST(a_function_fails_in_place)
{
    cw_job *job = cw_async(cw_unconfined_context(), fails_in_place, CW_NONE);
    ASSERT(cw_is_completed(job));
    ASSERT_STR(cw_error_message(cw_job_error(job)), "in place");
    cw_job_release(job);
}

TEST(unconfined_cannot_be_closed)
{
    cw_context *context = cw_unconfined_context();
    ASSERT_STR(cw_context_name(context), "unconfined");
    ASSERT_EQ(cw_context_workers(context), 0);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_EINVAL);
    succeeds(cw_launch(context, marks, 1));
}
