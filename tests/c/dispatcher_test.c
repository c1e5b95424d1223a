/* dispatcher_test.c: contexts that are there without being made: Default, IO
 * and the main thread's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "context.h"
#include "dispatcher.h"
#include "main_context.h"
#include "virtual.h"

/* ---- Default */

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
