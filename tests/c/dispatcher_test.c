/* dispatcher_test.c: contexts whose jobs run on others' workers or threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "context.h"
#include "executor.h"
#include "main_context.h"
#include "virtual.h"

#include <sched.h>

static bool runs_on(const char *workers)
{
    return strncmp(cw_worker_name(), workers, strlen(workers)) == 0;
}

/* Waits for a job that somebody else runs, and asserts that it succeeded. */
static void succeeds(cw_job *job)
{
    ASSERT(job);
    wait_for(job);
    if (cw_job_error(job))
        test_failed(__FILE__, __LINE__, cw_job_name(job),
                    cw_error_message(cw_job_error(job)));
    cw_job_release(job);
}

static void is_refused(cw_job *job)
{
    ASSERT(job);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
}

/* ---- a thread that is no worker of ours */

struct call {
    void (*function)(void *arg);
    void *arg;
};

static void *call_it(void *raw)
{
    struct call *call = raw;
    call->function(call->arg);
    return NULL;
}

static pthread_t on_thread(struct call *call)
{
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, NULL, call_it, call), 0);
    return thread;
}

static void join_thread(pthread_t thread)
{
    ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* ---- Default */

CW_COROUTINE(is_on_default, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == cw_default_context());
    ASSERT(runs_on("default-"));
    CW_END(self);
}

TEST(default_is_always_the_same)
{
    cw_context *context = cw_default_context();
    ASSERT(context);
    ASSERT_STR(cw_context_name(context), "default");
    ASSERT(cw_context_workers(context) >= 2);
    ASSERT(cw_default_context() == context);
    succeeds(cw_launch(context, is_on_default, CW_NONE));
    succeeds(cw_launch(NULL, is_on_default, CW_NONE));
}

TEST(default_cannot_be_closed)
{
    cw_context *context = cw_default_context();
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_EINVAL);
    cw_context_release(cw_context_retain(context));
    succeeds(cw_launch(context, is_on_default, CW_NONE));
}

TEST(default_tells_why_it_does_not_start)
{
    fail_alloc_at(1);
    ASSERT(!cw_default_context());
    ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    fail_alloc_at(0);
    fail_thread_at(2);
    ASSERT(!cw_default_context());
    ASSERT_EQ(cw_last_error(), CW_ESTART);
    fail_thread_at(0);
    succeeds(cw_launch(cw_default_context(), is_on_default, CW_NONE));
}

static void ask_for_shared(void *arg)
{
    cw_context **contexts = arg;
    contexts[0] = cw_default_context();
    contexts[1] = cw_io_context();
}

TEST(who_asks_at_the_same_time_gets_the_same)
{
    enum { THREADS = 4 };
    cw_context *contexts[THREADS][2];
    struct call calls[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        calls[i] = (struct call){ask_for_shared, contexts[i]};
        threads[i] = on_thread(&calls[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
        ASSERT(contexts[i][0] == cw_default_context());
        ASSERT(contexts[i][1] == cw_io_context());
    }
    succeeds(cw_launch(cw_default_context(), is_on_default, CW_NONE));
    succeeds(cw_launch(cw_io_context(), marks, 1));
}

/* ---- IO */

TEST(io_has_a_limit_that_can_be_set_before)
{
    ASSERT_EQ(cw_set_io_limit(0), CW_EINVAL);
    ASSERT_EQ(cw_set_io_limit(CW_MAX_WORKERS + 1), CW_EINVAL);
    ASSERT_EQ(cw_set_io_limit(3), CW_OK);
    cw_context *io = cw_io_context();
    ASSERT_STR(cw_context_name(io), "io");
    ASSERT_EQ(cw_context_workers(io), 3);
    ASSERT_EQ(cw_set_io_limit(4), CW_ESTATE);
    cw_context_close(io);
    succeeds(cw_launch(io, marks, 1));
}

TEST(io_has_64_places) { ASSERT(cw_context_workers(cw_io_context()) >= 64); }

/* Nobody can wait for the workers, so these are never freed. */
static struct hold *held[2];

TEST(io_starts_threads_when_it_needs_them)
{
    cw_stats stats;
    cw_context *io = cw_io_context();
    for (int i = 1; i <= 20; i++) /* one after another */
        succeeds(cw_launch(io, marks, i));
    cw_context_stats(io, &stats);
    ASSERT(stats.workers < 20);
    cw_context *part = cw_limited_parallelism(io, 4, "part");
    held[0] = hold_all(part);
    cw_context_stats(io, &stats);
    ASSERT(stats.workers >= 4);
    let_go(part, held[0]);
    succeeds(cw_launch(part, marks, 21));
    cw_context_release(part);
}

TEST(io_tells_why_it_does_not_start)
{
    for (long n = 1; n <= 2; n++) {
        fail_alloc_at(n);
        ASSERT(!cw_io_context());
        ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    }
    fail_alloc_at(0);
    fail_thread_at(1);
    ASSERT(!cw_io_context());
    ASSERT_EQ(cw_last_error(), CW_ESTART);
    fail_thread_at(0);
    succeeds(cw_launch(cw_io_context(), marks, 1));
}

static _Atomic int done_count;

CW_FUNCTION(count_one, cw_none, cw_none)
{
    (void)arg, (void)result;
    atomic_fetch_add(&done_count, 1);
    return CW_OK;
}

TEST(io_does_with_the_threads_that_there_are)
{
    enum { JOBS = 20 };
    cw_context *io = cw_io_context();
    fail_thread_at(1);
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = cw_launch(io, count_one, CW_NONE);
    for (int i = 0; i < JOBS; i++)
        succeeds(jobs[i]);
    ASSERT_EQ(atomic_load(&done_count), JOBS);
}

TEST(a_part_of_io_takes_nothing_from_io)
{
    ASSERT_EQ(cw_set_io_limit(2), CW_OK);
    cw_context *io = cw_io_context();
    cw_context *part = cw_limited_parallelism(io, 3, "part");
    ASSERT(part != io);
    ASSERT_EQ(cw_context_workers(part), 3);
    held[0] = hold_all(io);
    held[1] = hold_all(part);
    cw_context *other = cw_limited_parallelism(io, 1, NULL);
    ASSERT_STR(cw_context_name(other), "io");
    succeeds(cw_launch(other, marks, 1));
    let_go(io, held[0]);
    let_go(part, held[1]);
    cw_context_release(other);
    cw_context_release(part);
}

/* ---- Unconfined */

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

/* ---- views */

TEST(wrong_views_are_refused)
{
    cw_context *pool = new_context(2);
    ASSERT(!cw_limited_parallelism(NULL, 1, "view"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_limited_parallelism(pool, 0, "view"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_limited_parallelism(cw_unconfined_context(), 1, "view"));
    ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    fail_alloc_at(1);
    ASSERT(!cw_limited_parallelism(pool, 1, "view"));
    ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    fail_alloc_at(0);
    shut_down(pool);
}

TEST(a_view_that_limits_nothing_is_the_context_itself)
{
    cw_context *pool = new_context(3);
    cw_context *view = cw_limited_parallelism(pool, 2, "view");
    ASSERT(view != pool);
    ASSERT_STR(cw_context_name(view), "view");
    ASSERT_EQ(cw_context_workers(view), 2);
    ASSERT(cw_limited_parallelism(view, 2, NULL) == view);
    ASSERT(cw_limited_parallelism(pool, 3, NULL) == pool);
    cw_context *inner = cw_limited_parallelism(view, 1, NULL);
    ASSERT(inner != view);
    ASSERT_STR(cw_context_name(inner), "view");
    cw_context_release(inner);
    cw_context_release(view);
    cw_context_release(view);
    cw_context_release(pool);
    shut_down(pool);
}

CW_COROUTINE(spawns_in_order, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 1; i <= 40; i++)
        ASSERT_EQ(cw_spawn(self->arg, marks, i), CW_OK);
    CW_END(self);
}

TEST(a_view_of_one_keeps_order)
{
    cw_context *pool = new_context(4);
    cw_context *view = cw_limited_parallelism(pool, 1, NULL);
    succeeds(cw_launch(pool, spawns_in_order, view));
    succeeds(cw_launch(view, marks, 41));
    cw_context_release(view);
    shut_down(pool);
}

CW_COROUTINE(lets_others_in, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 1; i <= 16; i++)
        ASSERT_EQ(cw_spawn(self->arg, marks, i), CW_OK);
    for (int i = 18; i <= 20; i++)
        ASSERT_EQ(cw_spawn(self->arg, marks, i), CW_OK);
    ASSERT_EQ(cw_spawn(NULL, marks, 17), CW_OK);
    CW_END(self);
}

TEST(a_view_lets_others_in_after_16_jobs)
{
    sem_t *release = event_new(), *entered = event_new();
    struct hold hold = {entered, release};
    cw_context *pool = new_context(2);
    cw_context *view = cw_limited_parallelism(pool, 1, NULL);
    cw_job *holding = cw_launch(pool, hold_worker, &hold);
    event_await(entered);
    succeeds(cw_launch(pool, lets_others_in, view));
    succeeds(cw_launch(view, marks, 21));
    event_set(release);
    succeeds(holding);
    cw_context_release(view);
    shut_down(pool);
    event_free(entered);
    event_free(release);
}

CW_COROUTINE(is_in_the_view, cw_context *, cw_none, cw_job *inner;)
{
    CW_BEGIN(self);
    ASSERT(cw_current_context() == self->arg);
    ASSERT(runs_on("test-"));
    CW_YIELD(self);
    ASSERT(cw_current_context() == self->arg);
    CW_DELAY(self, 1);
    ASSERT(cw_current_context() == self->arg);
    ASSERT(runs_on("test-"));
    self->inner = cw_launch(NULL, give, 1);
    CW_JOIN(self, self->inner);
    ASSERT(self->inner->context == self->arg);
    ASSERT(cw_current_context() == self->arg);
    cw_job_release(self->inner);
    CW_END(self);
}

TEST(a_job_goes_on_in_its_view)
{
    cw_context *pool = new_context(3);
    cw_context *view = cw_limited_parallelism(pool, 2, NULL);
    cw_context *inner = cw_limited_parallelism(view, 1, NULL);
    succeeds(cw_launch(view, is_in_the_view, view));
    succeeds(cw_launch(inner, is_in_the_view, inner));
    cw_context_release(inner);
    cw_context_release(view);
    shut_down(pool);
}

TEST(a_view_counts_with_its_base)
{
    cw_stats stats;
    cw_context *pool = new_context(2);
    cw_context *view = cw_limited_parallelism(pool, 1, NULL);
    cw_job *job = cw_async(view, fail_with, CW_EFAILED);
    wait_for(job);
    cw_job_release(job);
    succeeds(cw_launch(view, give, 1));
    cw_context_retain(pool);
    shut_down(pool);
    cw_context_stats(view, &stats);
    ASSERT_EQ(stats.launched, 2);
    ASSERT_EQ(stats.completed, 2);
    ASSERT_EQ(stats.failed, 1);
    cw_context_release(view);
    cw_context_release(pool);
}

TEST(a_view_keeps_its_base_open)
{
    cw_context *pool = new_context(2);
    cw_context *view = cw_limited_parallelism(pool, 1, NULL);
    cw__context_hold(pool);
    cw_context_release(pool);
    succeeds(cw_launch(view, marks, 1));
    cw_context_release(view);
    while (!cw_load_acquire(&pool->closed)) /* by the job, which ends now */
        cw__thread_pause();
    ASSERT_EQ(cw_context_join(pool), CW_OK);
    cw__context_drop(pool);
}

CW_COROUTINE(cleans_up, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT_EQ(cw_error_code(self->frame.leaving), CW_ECANCELED);
    atomic_fetch_add(&done_count, 1);
    CW_END(self);
}

TEST(a_view_refuses_when_its_base_does)
{
    cw_context *pool = new_context(2);
    cw_context *view = cw_limited_parallelism(pool, 1, NULL);
    cw_job *job = cw_launch(view, cleans_up, CW_NONE);
    succeeds(cw_launch(view, marks, 1)); /* so the first one waits */
    cw_context_close(view);              /* without effect */
    ASSERT_EQ(cw_context_join(view), CW_EINVAL);
    ASSERT(cw_is_active(job));
    cw_context_close(pool);
    is_refused(job);
    ASSERT_EQ(atomic_load(&done_count), 1);
    is_refused(cw_launch(view, marks, 2));
    ASSERT_EQ(cw_context_join(pool), CW_OK);
    cw_context_release(view);
    cw_context_release(pool);
}

static _Atomic int inside[2], most_inside[2];

static void enter(int which)
{
    int now = atomic_fetch_add(&inside[which], 1) + 1;
    int most = atomic_load(&most_inside[which]);
    while (now > most &&
           !atomic_compare_exchange_weak(&most_inside[which], &most, now)) {
    }
}

CW_COROUTINE(enters_both, bool, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 3; self->i++) {
        if (self->arg) enter(1);
        enter(0);
        sched_yield();
        atomic_fetch_sub(&inside[0], 1);
        if (self->arg) atomic_fetch_sub(&inside[1], 1);
        CW_YIELD(self);
    }
    if (atomic_fetch_add(&done_count, 1) + 1 == 3 * 500) event_set(go_on);
    CW_END(self);
}

/* Jobs of a view of two, half of them of a view of one upon it, from several
 * threads. */
struct both {
    cw_context *view, *inner;
};

static void launch_in_both(void *arg)
{
    struct both *both = arg;
    for (int i = 0; i < 500; i++)
        ASSERT_EQ(
            cw_spawn(i % 2 ? both->inner : both->view, enters_both, i % 2 != 0),
            CW_OK);
}

TEST(views_upon_views_keep_both_limits)
{
    go_on = event_new();
    cw_context *pool = new_context(4);
    struct both both = {cw_limited_parallelism(pool, 2, "two"), NULL};
    both.inner = cw_limited_parallelism(both.view, 1, "one");
    struct call calls[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct call){launch_in_both, &both};
        threads[i] = on_thread(&calls[i]);
    }
    for (int i = 0; i < 3; i++)
        join_thread(threads[i]);
    event_await(go_on);
    cw_context_release(both.inner);
    cw_context_release(both.view);
    shut_down(pool);
    event_free(go_on);
    ASSERT(atomic_load(&most_inside[0]) <= 2);
    ASSERT_EQ(atomic_load(&most_inside[1]), 1);
}

/* Launches until it is refused. */
static void launch_until_closed(void *arg)
{
    cw_context *context = arg;
    for (;;) {
        cw_job *job = cw_async(context, give, 1);
        bool refused = cw_is_cancelled(job);
        cw_job_release(job);
        if (refused) return;
    }
}

TEST(closing_the_base_of_a_view_in_use)
{
    for (int i = 0; i < 20; i++) {
        cw_context *pool = new_context(2);
        cw_context *view = cw_limited_parallelism(pool, 1, NULL);
        struct call call = {launch_until_closed, view};
        pthread_t threads[] = {on_thread(&call), on_thread(&call)};
        succeeds(cw_launch(view, give, 1));
        cw_context_close(pool);
        ASSERT_EQ(cw_context_join(pool), CW_OK);
        join_thread(threads[0]);
        join_thread(threads[1]);
        cw_context_release(view);
        cw_context_release(pool);
    }
}

/* ---- executors */

TEST(wrong_executors_are_refused)
{
    const cw_executor none = {0}, some = {.execute = executor_execute};
    ASSERT(!cw_executor_context(NULL, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&none, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&some, NULL, NULL));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(!cw_executor_context(&some, NULL, ""));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    fail_alloc_at(1);
    ASSERT(!cw_executor_context(&some, NULL, "executor"));
    ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    fail_alloc_at(0);
}

/* An application's own thread with its own queue. */
static struct {
    sem_t *ready;
    pthread_mutex_t lock;
    struct turn turns[64];
    unsigned first, last;
    bool stopped;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int own_execute(void *arg, void (*run)(void *task), void *task)
{
    (void)arg;
    pthread_mutex_lock(&own.lock);
    own.turns[own.last++ % 64] = (struct turn){run, task};
    pthread_mutex_unlock(&own.lock);
    event_set(own.ready);
    return CW_OK;
}

static void own_close(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&own.lock);
    own.stopped = true;
    pthread_mutex_unlock(&own.lock);
    event_set(own.ready);
}

static void own_loop(void *arg)
{
    (void)arg;
    for (;;) {
        event_await(own.ready);
        pthread_mutex_lock(&own.lock);
        bool some = own.first != own.last, over = own.stopped && !some;
        struct turn turn = {0};
        if (some) turn = own.turns[own.first++ % 64];
        pthread_mutex_unlock(&own.lock);
        if (over) return;
        if (some) turn.run(turn.task);
    }
}

static pthread_t own_thread;

CW_COROUTINE(is_on_own_thread, cw_context *, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    ASSERT(cw_current_context() == self->arg);
    ASSERT_STR(cw_worker_name(), "");
    CW_YIELD(self);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    CW_DELAY(self, 1);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    self->child = cw_launch(NULL, give, 1);
    CW_JOIN(self, self->child);
    ASSERT(pthread_equal(pthread_self(), own_thread));
    cw_job_release(self->child);
    CW_END(self);
}

TEST(an_executor_is_a_thread_of_the_application)
{
    static const cw_executor calls = {.execute = own_execute,
                                      .close = own_close};
    own.ready = event_new();
    struct call call = {own_loop, NULL};
    own_thread = on_thread(&call);
    cw_context *context = cw_executor_context(&calls, NULL, "own");
    ASSERT_STR(cw_context_name(context), "own");
    ASSERT_EQ(cw_context_workers(context), 0);
    succeeds(cw_launch(context, is_on_own_thread, context));
    cw_context *view = cw_limited_parallelism(context, 2, NULL);
    cw_job *jobs[3];
    for (int i = 0; i < 3; i++)
        jobs[i] = cw_launch(view, is_on_own_thread, view);
    for (int i = 0; i < 3; i++)
        succeeds(jobs[i]);
    cw_context_release(view);
    cw_context_close(context);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    is_refused(cw_launch(context, give, 1));
    join_thread(own_thread);
    cw_context_release(context);
    event_free(own.ready);
}

TEST(an_executor_is_told_when_nobody_needs_it)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    cw_job *job = cw_launch(context, wait_for_ever, CW_NONE);
    cw_context_release(context); /* closes it */
    ASSERT_EQ(atomic_load(&executor.closed), 1);
    ASSERT_EQ(atomic_load(&executor.released), 0);
    cw_cancel(job, NULL);
    wait_for(job);
    cw_job_release(job);
    executor_await_release(&executor);
    ASSERT_EQ(atomic_load(&executor.closed), 1);
    ASSERT_EQ(atomic_load(&executor.submitted), 1);
}

CW_COROUTINE(runs_in_place, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT(cw_current_context() == self->arg);
    cw_spawn(NULL, marks, 4);
    MARK(3);
    CW_END(self);
}

SCENARIO(an_executor_that_needs_no_dispatch, struct executor executor;
         cw_context * context;)
{
    CW_BEGIN(self);
    self->context = executor_start(&self->executor, NULL);
    atomic_store(&self->executor.needed, 0);
    MARK(1);
    cw_spawn(self->context, runs_in_place, self->context);
    MARK(5);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 0);
    cw_context_release(self->context);
    executor_await_release(&self->executor);
    CW_END(self);
}

CW_COROUTINE(cleans_up_on_io, struct executor *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    CW_YIELD(self);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(runs_on("io-"));
    MARK(2);
    CW_END(self);
}

TEST(a_refused_yield_cleans_up_on_io)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    atomic_store(&executor.refuse_from, 2);
    is_refused(cw_launch(context, cleans_up_on_io, &executor));
    ASSERT_EQ(atomic_load(&executor.submitted), 2);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

CW_COROUTINE(fails_to_go_on, struct executor *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    atomic_store(&self->arg->needed, CW_EFAILED);
    CW_DELAY(self, 1);
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT(runs_on("io-"));
    MARK(2);
    CW_END(self);
}

TEST(a_failure_to_decide_about_one_that_has_begun_is_a_refusal)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    is_refused(cw_launch(context, fails_to_go_on, &executor));
    ASSERT_EQ(atomic_load(&executor.submitted), 1);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

CW_COROUTINE(begins_on_io, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT(runs_on("io-"));
    CW_DELAY(self, 1);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(2);
    CW_END(self);
}

TEST(a_refused_atomic_job_begins_on_io)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    atomic_store(&executor.refuse_from, 1);
    const cw_elements *place = cw_elements_with_context(NULL, context);
    is_refused(cw_launch_with(place, CW_START_ATOMIC, begins_on_io, CW_NONE));
    cw_elements_release(place);
    cw_context_release(context);
    executor_await_release(&executor);
}

TEST(a_refused_job_of_a_view_gives_its_place_back)
{
    struct executor executor;
    cw_context *pool = new_context(1);
    cw_context *context = executor_start(&executor, pool);
    cw_context *view = cw_limited_parallelism(context, 1, NULL);
    atomic_store(&executor.refuse_from, 1);
    is_refused(cw_launch(view, give, 1));
    atomic_store(&executor.refuse_from, 0);
    succeeds(cw_launch(view, marks, 1));
    succeeds(cw_launch(view, marks, 2));
    cw_context_release(view);
    cw_context_release(context);
    executor_await_release(&executor);
    shut_down(pool);
}

TEST(without_io_what_is_refused_runs_here)
{
    struct executor executor;
    cw_context *context = executor_start(&executor, NULL);
    cw_job *job = cw_launch(context, cleans_up, CW_NONE);
    atomic_store(&executor.refuse_from, 2);
    fail_thread_at(1);
    cw_cancel(job, NULL);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(atomic_load(&done_count), 1);
    cw_job_release(job);
    cw_context_release(context);
    executor_await_release(&executor);
}

TEST(closing_an_executor_in_use)
{
    for (int i = 0; i < 20; i++) {
        struct executor executor;
        cw_context *pool = new_context(1);
        cw_context *context = executor_start(&executor, pool);
        struct call call = {launch_until_closed, context};
        pthread_t threads[] = {on_thread(&call), on_thread(&call)};
        succeeds(cw_launch(context, give, 1));
        cw_context_close(context);
        join_thread(threads[0]);
        join_thread(threads[1]);
        cw_context_release(context);
        shut_down(pool);
        executor_await_release(&executor);
    }
}

/* ---- the main thread's, in place */

TEST(without_a_main_thread_there_is_no_immediate_one)
{
    ASSERT(!cw_main_immediate_context());
    ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    ASSERT(!cw_is_on_main());
}

CW_COROUTINE(begins_immediately, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    ASSERT(cw_is_on_main());
    cw_spawn(NULL, marks, self->arg + 2);
    MARK(self->arg + 1);
    CW_YIELD(self);
    MARK(self->arg + 4);
    CW_END(self);
}

CW_COROUTINE(uses_main, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    ASSERT(cw_is_on_main());
    MARK(1);
    self->job = cw_launch(cw_main_immediate_context(), begins_immediately, 2);
    MARK(5);
    CW_JOIN(self, self->job);
    MARK(7);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(comes_to_main, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(8);
    ASSERT(cw_is_on_main());
    ASSERT_STR(cw_worker_name(), "main");
    ASSERT(cw_current_context() == cw_main_immediate_context());
    CW_END(self);
}

static void launch_on_main(void *arg)
{
    ASSERT(!cw_is_on_main());
    cw_job **job = arg;
    *job = cw_launch(cw_main_immediate_context(), comes_to_main, CW_NONE);
}

/* Runs the main thread's jobs until `job` has ended. */
static void run_main(cw_context *main, cw_job *job)
{
    cw__worker *outer = cw__self;
    cw__self = &main->workers[0];
    while (cw__worker_run(cw__self, 0, job) != CW__RUN_END) {
    }
    cw__self = outer;
    ASSERT(cw_is_completed(job));
    cw_job_release(job);
}

TEST(main_immediate_runs_in_place_when_it_is_there)
{
    cw_context *main = cw__context_adopt("main");
    cw__set_main_context(main);
    cw_context *immediate = cw_main_immediate_context();
    ASSERT(immediate && immediate != main);
    ASSERT(cw_main_immediate_context() == immediate);
    ASSERT_STR(cw_context_name(immediate), "main");
    ASSERT(cw_limited_parallelism(main, 1, NULL) == main);
    ASSERT(cw_limited_parallelism(immediate, 7, NULL) == immediate);
    cw_context_release(main);
    cw_context_release(immediate);
    run_main(main, cw_launch(main, uses_main, CW_NONE));
    cw_job *job = NULL;
    struct call call = {launch_on_main, &job};
    join_thread(on_thread(&call));
    ASSERT(!cw_is_completed(job));
    run_main(main, job);
    cw_context_close(immediate);
    ASSERT(!main->closed);
    cw__set_main_context(NULL);
    ASSERT(!cw_main_immediate_context());
    cw__context_disown(main);
}

VIRTUAL(a_test_main_is_immediate_itself, char unused;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_test_set_main(STANDARD_DISPATCHER), CW_OK);
    ASSERT(cw_main_context());
    ASSERT(cw_main_immediate_context() == cw_main_context());
    cw_test_reset_main();
    CW_END(self);
}

/* ---- roles */

CW_COROUTINE_ON(MAIN, belongs_to_main, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_YIELD(self);
    MARK(self->arg + 1);
    CW_END(self);
}

CW_COROUTINE_ON(WORKER, belongs_to_a_worker, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    CW_END(self);
}

CW_FUNCTION_ON(WORKER, blocks_a_worker, cw_none, cw_none)
{
    (void)arg, (void)result;
    return CW_OK;
}

/* Where it does not belong. */
static void run_main_job_on_default(void)
{
    cw_none none;
    cw_run_blocking(belongs_to_main, 1, &none, NULL);
}

static void run_worker_job_on_main(const cw_coroutine *type)
{
    cw_none none = CW_NONE;
    cw_context *main = cw__context_adopt("main");
    cw__set_main_context(main);
    run_main(main, cw__start(main, type, 0, &none));
}

static void run_coroutine_on_main(void)
{
    run_worker_job_on_main(&belongs_to_a_worker);
}

static void run_function_on_main(void)
{
    run_worker_job_on_main(&blocks_a_worker);
}

TEST(jobs_with_a_role_look_where_they_are)
{
    assert_aborts(run_main_job_on_default,
                  "coroutine 'belongs_to_main' runs on the wrong thread");
    assert_aborts(run_coroutine_on_main,
                  "coroutine 'belongs_to_a_worker' runs on the wrong thread");
    assert_aborts(run_function_on_main,
                  "coroutine 'blocks_a_worker' runs on the wrong thread");
    succeeds(cw_launch(cw_default_context(), belongs_to_a_worker, CW_NONE));
    succeeds(cw_launch(cw_io_context(), blocks_a_worker, CW_NONE));
}

TEST(launching_on_main)
{
    ASSERT(!cw_launch_on_main(belongs_to_main, 1));
    ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    cw_context *main = cw__context_adopt("main");
    cw__set_main_context(main);
    run_main(main, cw_launch_on_main(belongs_to_main, 1));
    cw__set_main_context(NULL);
    cw_context_release(main);
}
