/* view_test.c: parts of contexts that run so many jobs at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "conformance.h"
#include "context.h"
#include "dispatcher.h"
#include "view.h"

#include <sched.h>

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
static sem_t *all_done;

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
    if (atomic_fetch_add(&done_count, 1) + 1 == 3 * 500) event_set(all_done);
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
    all_done = event_new();
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
    event_await(all_done);
    cw_context_release(both.inner);
    cw_context_release(both.view);
    shut_down(pool);
    event_free(all_done);
    ASSERT(atomic_load(&most_inside[0]) <= 2);
    ASSERT_EQ(atomic_load(&most_inside[1]), 1);
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

/* ---- views apart */

CW_COROUTINE(waits_for_long, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000 * 1000);
    CW_END(self);
}

static cw_stats stats_of(cw_context *context)
{
    cw_stats stats;
    cw_context_stats(context, &stats);
    return stats;
}

static void end(cw_context *pool, cw_context *apart)
{
    cw_context_release(apart);
    shut_down(pool);
}

TEST(a_view_apart_counts_for_itself)
{
    cw_context *pool = new_context(2);
    cw_context *apart = cw__view_apart_new(pool, 1, "apart");
    cw_stats before = stats_of(pool);
    cw_job *failing = cw_async(apart, fail_with, CW_EFAILED);
    wait_for(failing);
    cw_job_release(failing);
    succeeds(cw_launch(apart, give, 1));
    cw_job *cancelled = cw_async(apart, waits_for_long, CW_NONE);
    cw_cancel(cancelled, NULL);
    wait_for(cancelled);
    cw_job_release(cancelled);
    while (stats_of(apart).completed < 3)
        sched_yield();
    cw_stats stats = stats_of(apart);
    ASSERT_EQ(stats.launched, 3);
    ASSERT_EQ(stats.failed, 1);
    ASSERT_EQ(stats.cancelled, 1);
    ASSERT_EQ(stats_of(pool).launched, before.launched);
    end(pool, apart);
}

TEST(closing_a_view_apart_ends_its_delays_and_no_others)
{
    cw_context *pool = new_context(2);
    cw_context *apart = cw__view_apart_new(pool, 2, "apart");
    cw_job *other = cw_async(pool, waits_for_long, CW_NONE);
    cw_job *jobs[100];
    for (int i = 0; i < 100; i++)
        jobs[i] = cw_async(apart, waits_for_long, CW_NONE);
    while (stats_of(pool).steps < 101)
        sched_yield();
    cw_context_close(apart);
    for (int i = 0; i < 100; i++) {
        wait_for(jobs[i]);
        ASSERT_EQ(cw_error_code(cw_job_error(jobs[i])), CW_ECANCELED);
        cw_job_release(jobs[i]);
    }
    while (!cw__context_quiet(apart))
        sched_yield();
    cw_job *late = cw_launch(apart, give, 1);
    wait_for(late);
    ASSERT_EQ(cw_error_code(cw_job_error(late)), CW_ECANCELED);
    cw_job_release(late);
    ASSERT(!cw_is_completed(other));
    ASSERT(cw_is_active(other));
    cw_cancel(other, NULL);
    wait_for(other);
    cw_job_release(other);
    end(pool, apart);
}

TEST(the_places_of_a_view_can_be_changed)
{
    cw_context *pool = new_context(1);
    cw_context *apart = cw__view_apart_new(pool, 0, "apart");
    cw_job *jobs[5];
    for (int i = 0; i < 5; i++)
        jobs[i] = cw_async(apart, give, i);
    succeeds(cw_launch(pool, give, 1)); /* behind them, if they were queued */
    for (int i = 0; i < 5; i++)
        ASSERT(!cw_is_completed(jobs[i]));
    cw__view_set_places(NULL, apart, 2);
    for (int i = 0; i < 5; i++)
        succeeds(jobs[i]);
    end(pool, apart);
}

static char order[32];
static int noted;

CW_FUNCTION(note, int, cw_none)
{
    (void)result;
    order[noted++] = (char)*arg;
    return CW_OK;
}

/* Launches by letters. */
static void launch_by_letters(cw_context *context, const char *letters,
                              cw_job **jobs)
{
    const cw_elements *there = cw_elements_with_context(NULL, context);
    for (int i = 0; letters[i]; i++) {
        cw_priority priority =
            letters[i] == 'L' ? CW_PRIORITY_LOW : CW_PRIORITY_NORMAL;
        const cw_elements *set = cw_elements_with_priority(there, priority);
        jobs[i] = cw_async_with(set, CW_START_DEFAULT, note, letters[i]);
        cw_elements_release(set);
    }
    cw_elements_release(there);
}

/* The base runs them in the order in which the view has chosen them. */
TEST(a_view_apart_alone_decides_who_goes_first)
{
    cw_context *pool = new_context(1);
    cw_context *apart = cw__view_apart_new(pool, 0, "apart");
    cw_job *jobs[20];
    noted = 0;
    launch_by_letters(apart, "LLLNNNNNNNNNNNNNNNNN", jobs);
    cw__view_set_places(NULL, apart, 20);
    for (int i = 0; i < 20; i++)
        succeeds(jobs[i]);
    ASSERT_STR(order, "NNNNNNNNLNNNNNNNNLNL");
    end(pool, apart);
}

TEST(the_queue_of_a_view_apart_can_be_limited)
{
    cw_context *pool = new_context(1);
    cw_context *apart = cw__view_apart_new(pool, 0, "apart");
    ASSERT_EQ(cw_context_limit_queue(apart, 2, CW_FULL_FAIL), CW_OK);
    cw_job *first = cw_async(apart, give, 1),
           *second = cw_async(apart, give, 2);
    ASSERT(!cw_async(apart, give, 3));
    ASSERT_EQ(cw_last_error(), CW_EQUEUEFULL);
    cw__view_set_places(NULL, apart, 1);
    succeeds(first);
    succeeds(second);
    succeeds(cw_async(apart, give, 3));
    end(pool, apart);
}

/* What a body of the host's does that goes on elsewhere. */
CW_FUNCTION(keeps_its_place, int, cw_none)
{
    (void)result, (void)arg;
    cw__self->keeps_place = true;
    return CW_OK;
}

TEST(a_place_that_is_kept_is_given_back)
{
    cw_context *pool = new_context(2);
    cw_context *apart = cw__view_apart_new(pool, 1, "apart");
    cw_context *inner = cw_limited_parallelism(apart, 1, "inner");
    succeeds(cw_launch(inner, keeps_its_place, 1));
    cw_job *next = cw_async(apart, give, 2), *last = cw_async(inner, give, 3);
    succeeds(cw_launch(pool, give, 1));
    ASSERT(!cw_is_completed(next));
    cw__view_place_back(NULL, inner);
    succeeds(next);
    succeeds(last);
    cw_context_release(inner);
    end(pool, apart);
}
