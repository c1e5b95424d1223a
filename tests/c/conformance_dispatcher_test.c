/* conformance_dispatcher_test.c: where jobs run, case by case.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each test's name begins with the number of its case.
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "executor.h"

#include <limits.h>
#include <sched.h>

/* ---- 103: nested unconfined jobs follow each other */

CW_COROUTINE(launches_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    cw_spawn(NULL, marks, 6);
    cw_spawn(NULL, marks, 7);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(launches_nested, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT(cw_current_context() == cw_unconfined_context());
    cw_spawn(NULL, launches_two, CW_NONE);
    MARK(3);
    CW_END(self);
}

SCENARIO(case_103_the_order_of_nested_unconfined_jobs, char unused;)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(cw_unconfined_context(), launches_nested, CW_NONE);
    MARK(8);
    CW_END(self);
}

TEST(case_103_the_same_on_a_thread_that_is_no_worker)
{
    MARK(1);
    cw_job *job = cw_launch(cw_unconfined_context(), launches_nested, CW_NONE);
    MARK(8);
    ASSERT(cw_is_completed(job));
    ASSERT(cw_current_context() == NULL);
    cw_job_release(job);
}

/* ---- 104: to yield lets those go first that wait in line, and nobody else */

CW_COROUTINE(yields_unconfined, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    cw_spawn(NULL, marks, 4);
    MARK(3);
    CW_YIELD(self);
    MARK(5);
    CW_END(self);
}

SCENARIO(case_104_yielding_unconfined, char unused;)
{
    CW_BEGIN(self);
    cw_spawn(NULL, marks, 7); /* does not run unconfined */
    MARK(1);
    cw_spawn(cw_unconfined_context(), yields_unconfined, CW_NONE);
    MARK(6);
    CW_END(self);
}

/* ---- 106: who yields is dispatched even if it need not be */

CW_COROUTINE(yields_once, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    CW_END(self);
}

SCENARIO(case_106_yielding_always_dispatches, struct executor executor;
         cw_context * immediate; cw_job * job;)
{
    CW_BEGIN(self);
    self->immediate = executor_start(&self->executor, cw_current_context());
    atomic_store(&self->executor.needed, 0);
    MARK(1);
    self->job = cw_launch(self->immediate, yields_once, CW_NONE);
    MARK(3);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    CW_JOIN(self, self->job);
    MARK(5);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    cw_job_release(self->job);
    cw_context_release(self->immediate);
    executor_await_release(&self->executor);
    CW_END(self);
}

CW_COROUTINE(yields_often, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    MARK(2);
    CW_END(self);
}

CW_COROUTINE(spawns_yielding, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(self->arg, yields_often, 100000);
    MARK(3);
    CW_END(self);
}

static void many_yields_in(cw_context *context)
{
    use_small_stacks();
    cw_context *pool = new_context(1);
    cw_job *job = cw_launch(pool, spawns_yielding, context);
    wait_for(job);
    MARK(4);
    cw_job_release(job);
    shut_down(pool);
}

TEST(case_106_many_yields_need_no_stack)
{
    many_yields_in(cw_unconfined_context());
}

TEST(case_106_many_yields_in_a_wrapper_need_no_stack)
{
    struct executor executor;
    cw_context *wrapper = executor_start(&executor, NULL);
    many_yields_in(wrapper);
    ASSERT_EQ(atomic_load(&executor.submitted), 100001);
    cw_context_release(wrapper);
    executor_await_release(&executor);
}

/* ---- 107: ten thousand unconfined waiters and one unlock */

static int locked_times;

CW_COROUTINE(lock_and_unlock, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, self->arg, NULL);
    locked_times++;
    ASSERT_EQ(cw_unlock(self->arg, NULL), CW_OK);
    CW_END(self);
}

CW_COROUTINE(spawn_lockers, cw_mutex *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < 10000; i++)
        ASSERT_EQ(cw_spawn(cw_unconfined_context(), lock_and_unlock, self->arg),
                  CW_OK);
    ASSERT_EQ(locked_times, 0);
    ASSERT_EQ(cw_unlock(self->arg, NULL), CW_OK);
    ASSERT_EQ(locked_times, 10000); /* in place */
    CW_END(self);
}

TEST(case_107_ten_thousand_unconfined_waiters_need_no_stack)
{
    use_small_stacks();
    cw_context *context = new_context(1);
    cw_mutex *mutex = cw_mutex_new(true);
    cw_job *job = cw_launch(context, spawn_lockers, mutex);
    wait_for(job);
    ASSERT_EQ(cw_job_error(job) == NULL, true);
    ASSERT(!cw_mutex_is_locked(mutex));
    cw_job_release(job);
    cw_mutex_release(mutex);
    shut_down(context);
}

/* ---- 134: a refused launch */

SCENARIO(case_134_a_refused_launch_is_cancelled, struct executor executor;
         cw_context * context; cw_job * job;)
{
    CW_BEGIN(self);
    self->context = executor_start(&self->executor, NULL);
    atomic_store(&self->executor.refuse_from, 1);
    MARK(1);
    self->job = cw_launch(self->context, never, CW_NONE);
    ASSERT(self->job);
    ASSERT_FLAGS(self->job, false, true, true);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(self->job))),
              CW_ECLOSED);
    ASSERT_EQ(
        cw_error_code(cw_error_cause(cw_error_cause(cw_job_error(self->job)))),
        CW_EAGAIN);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    cw_job_release(self->job);
    cw_context_release(self->context);
    executor_await_release(&self->executor);
    CW_END(self);
}

/* ---- 136: a refused change of contexts */

SCENARIO(case_136_a_refused_change_of_contexts, struct executor executor;
         cw_context * context; const cw_elements *there; int out;)
{
    CW_BEGIN(self);
    self->context = executor_start(&self->executor, NULL);
    atomic_store(&self->executor.refuse_from, 1);
    self->there = cw_elements_with_context(NULL, self->context);
    MARK(1);
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->there, never, CW_NONE, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ECLOSED);
        MARK(2);
    }
    /* Only the part that was to run there is cancelled. */
    CW_YIELD(self);
    MARK(3);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    cw_elements_release(self->there);
    cw_context_release(self->context);
    executor_await_release(&self->executor);
    CW_END(self);
}

/* ---- 137: the way back is refused */

struct way_back {
    struct executor *executor; /* NULL: a fixed pool */
    cw_context *there;
};

static bool runs_on(const char *workers)
{
    return strncmp(cw_worker_name(), workers, strlen(workers)) == 0;
}

CW_COROUTINE(closes_behind_itself, struct way_back, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    ASSERT(runs_on("default"));
    if (self->arg.executor)
        atomic_store(&self->arg.executor->refuse_from, 2);
    else
        cw_context_close(self->arg.there);
    MARK(4);
    CW_END(self);
}

CW_COROUTINE(goes_and_comes_back, struct way_back, cw_none,
             const cw_elements *elsewhere;
             cw_none none;)
{
    CW_BEGIN(self);
    MARK(2);
    self->elsewhere = cw_elements_with_context(NULL, cw_default_context());
    CW_WITH_ELEMENTS(self, self->elsewhere, closes_behind_itself, self->arg,
                     &self->none);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    ASSERT(runs_on(self->arg.executor ? "io" : "test"));
    cw_elements_release(self->elsewhere);
    CW_END(self);
}

CW_COROUTINE(is_refused, struct way_back, cw_none, const cw_elements *there;
             cw_none none;)
{
    CW_BEGIN(self);
    MARK(1);
    self->there = cw_elements_with_context(NULL, self->arg.there);
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->there, goes_and_comes_back, self->arg,
                     &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_ECLOSED);
        MARK(6);
    }
    cw_elements_release(self->there);
    CW_END(self);
}

TEST(case_137_what_cannot_go_back_cleans_up_on_io)
{
    struct executor executor;
    cw_none none;
    cw_context *pool = new_context(1);
    struct way_back way = {&executor, executor_start(&executor, pool)};
    ASSERT_EQ(cw_run_blocking(is_refused, way, &none, NULL), CW_OK);
    MARK(7);
    ASSERT_EQ(atomic_load(&executor.submitted), 2);
    cw_context_release(way.there);
    executor_await_release(&executor);
    shut_down(pool);
}

/* The workers of a pool stay until its jobs have ended, so it is there that a
 * job cleans up. */
TEST(case_137_the_same_with_a_pool)
{
    cw_none none;
    cw_context *pool = new_context(2);
    struct way_back way = {NULL, pool};
    ASSERT_EQ(cw_run_blocking(is_refused, way, &none, NULL), CW_OK);
    MARK(7);
    shut_down(pool);
}

/* ---- 139: an executor that cannot say whether to dispatch */

CW_COROUTINE(launches_where_it_fails, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT(cw_launch(self->arg, never, CW_NONE) == NULL);
    ASSERT_EQ(cw_last_error(), CW_EFAILED);
    MARK(3);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

SCENARIO(case_139_a_failure_to_decide_is_told_twice, struct executor executor;
         cw_context * context; cw_none none;)
{
    CW_BEGIN(self);
    self->context = executor_start(&self->executor, NULL);
    atomic_store(&self->executor.needed, CW_EFAILED);
    MARK(1);
    CW_TRY(self, 1);
    CW_SCOPE(self, launches_where_it_fails, self->context, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EFAILED);
        MARK(4);
    }
    MARK(5);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 0);
    cw_context_release(self->context);
    executor_await_release(&self->executor);
    CW_END(self);
}

/* ---- 140: there and back */

CW_COROUTINE(on_the_second, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    ASSERT_STR(cw_worker_name(), "second");
    CW_END(self);
}

CW_COROUTINE(on_the_first, cw_context *, cw_none, const cw_elements *there;
             cw_none none;)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT_STR(cw_worker_name(), "first");
    self->there = cw_elements_with_context(NULL, self->arg);
    CW_WITH_ELEMENTS(self, self->there, on_the_second, CW_NONE, &self->none);
    MARK(3);
    ASSERT_STR(cw_worker_name(), "first");
    cw_elements_release(self->there);
    CW_END(self);
}

TEST(case_140_two_threads)
{
    cw_context *first = cw_new_fixed_worker_context(1, "first");
    cw_context *second = cw_new_fixed_worker_context(1, "second");
    cw_job *job = cw_launch(first, on_the_first, second);
    wait_for(job);
    MARK(4);
    ASSERT(!cw_job_error(job));
    cw_job_release(job);
    shut_down(first);
    shut_down(second);
}

/* ---- 142: a view never runs more than its limit */

static _Atomic int inside, most_inside, ran;

CW_COROUTINE(counts_itself, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);
    while (now > most &&
           !atomic_compare_exchange_weak(&most_inside, &most, now))
        ;
    sched_yield();
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&ran, 1);
    if (atomic_load(&ran) % 3) CW_YIELD(self);
    CW_END(self);
}

CW_COROUTINE(spawns_counting, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < 1000; i++)
        ASSERT_EQ(cw_spawn(self->arg, counts_itself, CW_NONE), CW_OK);
    CW_END(self);
}

TEST(case_142_a_view_keeps_its_limit)
{
    enum { LIMIT = 2, SPAWNERS = 4 };
    cw_context *pool = new_context(4);
    cw_context *view = cw_limited_parallelism(pool, LIMIT, "view");
    cw_job *jobs[SPAWNERS];
    for (int i = 0; i < SPAWNERS; i++)
        jobs[i] = cw_launch(pool, spawns_counting, view);
    for (int i = 0; i < SPAWNERS; i++) {
        wait_for(jobs[i]);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(atomic_load(&ran), SPAWNERS * 1000);
    ASSERT(atomic_load(&most_inside) <= LIMIT);
    ASSERT_EQ(cw_context_workers(view), LIMIT);
    cw_context_release(view);
    shut_down(pool);
}

/* ---- 143: what limits there are */

TEST(case_143_limits)
{
    cw_context *pool = new_context(2);
    const int bad[] = {0, -1, INT_MIN};
    for (int i = 0; i < 3; i++) {
        ASSERT(!cw_limited_parallelism(pool, bad[i], "view"));
        ASSERT_EQ(cw_last_error(), CW_EINVAL);
    }
    cw_context *view = cw_limited_parallelism(pool, INT_MAX, "view");
    ASSERT(view == pool);
    cw_context_release(view);
    shut_down(pool);
}

/* ---- 145: an empty view asks for nothing */

SCENARIO(case_145_no_dispatch_after_the_last_job, struct executor executor;
         cw_context * base; cw_context * view; cw_job * job;)
{
    CW_BEGIN(self);
    self->base = executor_start(&self->executor, cw_current_context());
    self->view = cw_limited_parallelism(self->base, 1, NULL);
    self->job = cw_launch(self->view, marks, 1);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    cw_context_close(self->base);
    ASSERT_EQ(atomic_load(&self->executor.closed), 1);
    CW_YIELD(self);
    ASSERT_EQ(atomic_load(&self->executor.submitted), 1);
    cw_job_release(self->job);
    cw_context_release(self->view);
    cw_context_release(self->base);
    executor_await_release(&self->executor);
    CW_END(self);
}

/* ---- 146: in which order one worker takes what one of its jobs submits
 *
 * A context with one worker is a first-in-first-out loop here: new jobs always
 * go to the fair end. */

CW_COROUTINE(submits_two, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(1);
    cw_spawn(NULL, marks, 3);
    cw_spawn(NULL, marks, 4);
    MARK(2);
    CW_END(self);
}

TEST(case_146_fair_submission)
{
    cw_context *pool = new_context(1);
    cw_job *job = cw_launch(pool, submits_two, CW_NONE);
    wait_for(job);
    MARK(5);
    cw_job_release(job);
    shut_down(pool);
}

/* ---- 148: what blocks on IO takes nothing from Default */

static sem_t *barrier, *blocked;

CW_FUNCTION(block, cw_none, cw_none)
{
    (void)arg, (void)result;
    event_set(blocked);
    event_await(barrier);
    return CW_OK;
}

TEST(case_148_default_is_not_starved)
{
    enum { TASKS = 100, PLACES = 16 };
    cw_job *tasks[TASKS];
    barrier = event_new();
    blocked = event_new();
    ASSERT_EQ(cw_set_io_limit(PLACES), CW_OK);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = cw_launch(cw_io_context(), block, CW_NONE);
    for (int i = 0; i < PLACES; i++)
        event_await(blocked);
    cw_job *job = cw_launch(cw_default_context(), marks, 1);
    wait_for(job);
    MARK(2);
    cw_job_release(job);
    ASSERT(sem_trywait(blocked) != 0); /* not more than there are places */
    for (int i = 0; i < TASKS; i++)
        event_set(barrier);
    for (int i = 0; i < TASKS; i++) {
        wait_for(tasks[i]);
        cw_job_release(tasks[i]);
    }
    event_free(barrier);
    event_free(blocked);
}

/* ---- 149: who yields goes behind what is ready */

CW_COROUTINE(is_waited_for, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(spins, cw_none, cw_none, cw_job *inner;)
{
    CW_BEGIN(self);
    MARK(1);
    self->inner = cw_launch(NULL, is_waited_for, CW_NONE);
    MARK(2);
    while (cw_is_active(self->inner))
        CW_YIELD(self);
    MARK(4);
    cw_job_release(self->inner);
    CW_END(self);
}

TEST(case_149_yielding_on_one_worker)
{
    cw_context *pool = new_context(1);
    cw_job *job = cw_launch(pool, spins, CW_NONE);
    wait_for(job);
    MARK(5);
    cw_job_release(job);
    shut_down(pool);
}

TEST(case_149_yielding_in_a_view_of_one)
{
    cw_context *pool = new_context(2);
    cw_context *view = cw_limited_parallelism(pool, 1, "view");
    cw_job *job = cw_launch(view, spins, CW_NONE);
    wait_for(job);
    MARK(5);
    cw_job_release(job);
    cw_context_release(view);
    shut_down(pool);
}
