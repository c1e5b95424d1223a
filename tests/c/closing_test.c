/* closing_test.c: contexts that are closed within limits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "context.h"
#include "helpers.h"
#include "killing.h"

static const int64_t never = INT64_MAX, an_hour = 3600 * 1000;

CW_CHANNEL_TYPE(ints, int)

static ints empty; /* nobody ever sends anything */

static _Atomic int cleaned;

CW_COROUTINE(receives, sem_t *, cw_none, int got;)
{
    CW_BEGIN(self);
    if (self->arg) event_set(self->arg);
    CW_RECEIVE(self, ints, empty, &self->got);
    CW_FINALLY(self);
    atomic_fetch_add(&cleaned, 1);
    CW_END(self);
}

/* Looks whether it is cancelled, and does nothing else. */
CW_FUNCTION(polls, sem_t *, cw_none)
{
    event_set(*arg);
    while (!cw_is_stopped()) {
    }
    return CW_OK;
}

/* Never comes back to the library, and uses its processor all the time. */
static _Atomic bool let_spinners_go;
CW_FUNCTION(spins, sem_t *, cw_none)
{
    event_set(*arg);
    while (!atomic_load(&let_spinners_go)) {
    }
    return CW_OK;
}

CW_FUNCTION(gives, int, int)
{
    *result = *arg;
    return CW_OK;
}

static void assert_closed(cw_job *job)
{
    wait_for(job);
    cw_error *error = cw_job_error(job);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(error)), CW_ECLOSED);
    cw_job_release(job);
}

static void make_empty(void)
{
    empty = ints_new(0);
    ASSERT(empty.channel);
}

static void free_empty(void) { cw_channel_release(empty.channel); }

/* On a channel that nothing comes by. */
static cw_job *receiving(cw_context *context)
{
    cw_job *job = cw_async(context, receives, NULL);
    ASSERT(job);
    await_doing(job, CW_DUMP_RECEIVE);
    return job;
}

/* ---- draining */

TEST(what_ends_in_time_is_not_cancelled)
{
    enum { JOBS = 1000 };
    cw_context *context = new_context(2);
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = cw_async(context, gives, i);
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_OK);
    for (int i = 0; i < JOBS; i++) {
        int result;
        wait_for(jobs[i]);
        ASSERT_EQ(cw_result(gives, jobs[i], &result), CW_OK);
        ASSERT_EQ(result, i);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_context_release(context);
}

TEST(it_takes_nothing_new)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_close_within(context, never, never), CW_OK);
    assert_closed(cw_async(context, gives, 1));
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
}

TEST(without_limits_it_waits_for_what_waits)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, hold_worker, hold), hold);
    ASSERT_EQ(cw_context_close_within(context, never, 0), CW_OK);
    ASSERT(!cw_is_cancelled(job));
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    hold_free(hold);
    cw_context_release(context);
}

/* ---- cancelling */

TEST(what_is_left_after_draining_is_cancelled)
{
    make_empty();
    cw_context *context = new_context(2);
    cw_job *waits = receiving(context);
    sem_t *begun = event_new();
    cw_job *runs = cw_async(context, polls, begun);
    event_await(begun);
    ASSERT_EQ(cw_context_close_within(context, 5, never), CW_OK);
    assert_closed(waits);
    wait_for(runs);
    ASSERT(cw_is_cancelled(runs));
    cw_job_release(runs);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT_EQ(atomic_load(&cleaned), 1);
    ASSERT_EQ(stats_of(context).lost, 0);
    event_free(begun);
    cw_context_release(context);
    free_empty();
}

TEST(cancelling_at_once_is_done_when_the_call_returns)
{
    enum { JOBS = 100 };
    make_empty();
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *jobs[JOBS];
    cw_job *waits = receiving(context);
    cw_job *runs = holding(cw_async(context, hold_worker, hold), hold);
    const cw_elements *place = cw_elements_with_context(NULL, context);
    cw_job *lazy = cw_async_with(place, CW_START_LAZY, gives, 1);
    for (int i = 0; i < JOBS; i++)
        jobs[i] = cw_async(context, gives, i);
    ASSERT_EQ(cw_context_close_within(context, 0, never), CW_OK);
    ASSERT(cw_is_cancelled(waits));
    ASSERT(cw_is_cancelled(runs));
    assert_closed(lazy);
    for (int i = 0; i < JOBS; i++)
        ASSERT(cw_is_cancelled(jobs[i]));
    event_set(hold->release);
    for (int i = 0; i < JOBS; i++)
        assert_closed(jobs[i]); /* none has begun */
    assert_closed(waits);
    cw_job_release(runs);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    hold_free(hold);
    cw_elements_release(place);
    cw_context_release(context);
    free_empty();
}

/* Jobs whose parents run elsewhere, and parts of such, in and out again. */
static cw_context *here, *there;
static sem_t *all_wait;
static _Atomic int survived;

CW_COROUTINE(goes_there, cw_none, cw_none, const cw_elements *place;
             cw_none out;)
{
    CW_BEGIN(self);
    self->place = cw_elements_with_context(NULL, here);
    CW_TRY(self, 1);
    CW_WITH_ELEMENTS(self, self->place, receives, all_wait, &self->out);
    CW_CATCH(self, 1) { atomic_fetch_add(&survived, 1); }
    cw_elements_release(self->place);
    CW_END(self);
}

CW_COROUTINE(launches_there, cw_none, cw_none, cw_job *child;)
{
    CW_BEGIN(self);
    self->child = cw_async(here, receives, all_wait);
    CW_TRY(self, 1);
    CW_JOIN(self, self->child);
    CW_CATCH(self, 1) {}
    cw_job_release(self->child);
    CW_END(self);
}

TEST(jobs_and_parts_with_parents_elsewhere_are_cancelled_and_these_are_not)
{
    make_empty();
    all_wait = event_new();
    here = new_context(2);
    there = new_context(1);
    cw_context *view = cw_limited_parallelism(here, 1, "view");
    const cw_elements *pinned = cw_worker_scope(here, 1);
    cw_job *bystander = receiving(there);
    cw_job *goes = cw_async(there, goes_there, CW_NONE);
    cw_job *launches = cw_async(there, launches_there, CW_NONE);
    cw_job *viewed = cw_async(view, receives, all_wait);
    cw_job *there_for_good =
        cw_async_with(pinned, CW_START_DEFAULT, receives, all_wait);
    for (int i = 0; i < 4; i++)
        event_await(all_wait);
    ASSERT_EQ(cw_context_close_within(here, 0, never), CW_OK);
    assert_closed(viewed);
    assert_closed(there_for_good);
    wait_for(launches);
    wait_for(goes);
    ASSERT(!cw_is_cancelled(goes));
    ASSERT_EQ(atomic_load(&survived), 1);
    ASSERT_EQ(atomic_load(&cleaned), 4);
    ASSERT_EQ(cw_context_join(here), CW_OK);
    ASSERT(!cw_is_cancelled(bystander));
    cw_job_release(goes);
    cw_job_release(launches);
    cw_elements_release(pinned);
    cw_context_release(view);
    cw_context_release(here);
    ASSERT_EQ(cw_context_close_within(there, 0, never), CW_OK);
    assert_closed(bystander);
    ASSERT_EQ(cw_context_join(there), CW_OK);
    cw_context_release(there);
    event_free(all_wait);
    free_empty();
}

CW_COROUTINE(closes_own, cw_none, cw_none, int got;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_context_close_within(cw_current_context(), 0, an_hour), CW_OK);
    ASSERT(cw_is_stopped());
    CW_RECEIVE(self, ints, empty, &self->got);
    ASSERT(false);
    CW_FINALLY(self);
    atomic_fetch_add(&cleaned, 1);
    CW_END(self);
}

TEST(a_job_can_close_its_own_context)
{
    make_empty();
    cw_context *context = new_context(2);
    cw_job *other = receiving(context);
    cw_job *job = cw_async(context, closes_own, CW_NONE);
    assert_closed(job);
    assert_closed(other);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT_EQ(atomic_load(&cleaned), 2);
    cw_context_release(context);
    free_empty();
}

/* ---- hurrying */

TEST(it_can_be_hurried_but_not_put_off)
{
    make_empty();
    cw_context *context = new_context(1);
    cw_job *job = receiving(context);
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_OK);
    ASSERT_EQ(cw_context_close_within(context, 2 * an_hour, never), CW_OK);
    ASSERT(!cw_is_cancelled(job));
    ASSERT_EQ(cw_context_close_within(context, 5, never), CW_OK);
    ASSERT_EQ(cw_context_close_within(context, never, never), CW_OK);
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_OK);
    assert_closed(job);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT_EQ(cw_context_close_within(context, 0, 0), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
    free_empty();
}

TEST(an_ordinary_close_can_be_followed_by_limits)
{
    make_empty();
    cw_context *context = new_context(1);
    cw_job *job = receiving(context);
    cw_context_close(context);
    ASSERT(!cw_is_cancelled(job));
    ASSERT_EQ(cw_context_close_within(context, 0, never), CW_OK);
    assert_closed(job);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
    free_empty();
}

static void *close_with(void *limit)
{
    int64_t ms = *(int64_t *)limit;
    ASSERT_EQ(cw_context_close_within(here, ms, an_hour), CW_OK);
    ASSERT_EQ(cw_context_join(here), CW_OK);
    return NULL;
}

TEST(several_can_close_at_once)
{
    enum { CALLERS = 8, ROUNDS = 20, JOBS = 20 };
    make_empty();
    for (int round = 0; round < ROUNDS; round++) {
        here = new_context(2);
        cw_job *jobs[JOBS];
        for (int i = 0; i < JOBS; i++)
            jobs[i] = cw_async(here, receives, NULL);
        pthread_t callers[CALLERS];
        int64_t limits[CALLERS];
        for (int i = 0; i < CALLERS; i++) {
            limits[i] = i % 3 == 2 ? an_hour : i % 3;
            ASSERT_EQ(pthread_create(&callers[i], NULL, close_with, &limits[i]),
                      0);
        }
        for (int i = 0; i < CALLERS; i++)
            pthread_join(callers[i], NULL);
        for (int i = 0; i < JOBS; i++)
            assert_closed(jobs[i]);
        cw_context_release(here);
    }
    free_empty();
}

/* What is launched meanwhile is cancelled by those who close, or refused. */
static _Atomic bool stop_launching;
static void *launch_all_the_time(void *count)
{
    while (!atomic_load(&stop_launching)) {
        ASSERT_EQ(cw_spawn(here, receives, NULL), CW_OK);
        ++*(int *)count;
    }
    return NULL;
}

TEST(launching_meanwhile_leaves_nothing_behind)
{
    enum { LAUNCHERS = 3, ROUNDS = 20 };
    make_empty();
    for (int round = 0; round < ROUNDS; round++) {
        here = new_context(2);
        atomic_store(&stop_launching, false);
        pthread_t launchers[LAUNCHERS];
        int counts[LAUNCHERS] = {0};
        for (int i = 0; i < LAUNCHERS; i++)
            ASSERT_EQ(pthread_create(&launchers[i], NULL, launch_all_the_time,
                                     &counts[i]),
                      0);
        while (stats_of(here).launched < 100)
            cw__thread_pause();
        ASSERT_EQ(cw_context_close_within(here, 0, never), CW_OK);
        ASSERT_EQ(cw_context_join(here), CW_OK);
        atomic_store(&stop_launching, true);
        for (int i = 0; i < LAUNCHERS; i++)
            pthread_join(launchers[i], NULL);
        cw_context_release(here);
    }
    free_empty();
}

/* ---- killing */

TEST(a_killable_job_that_does_not_come_is_killed)
{
    cw_context *context = new_context(1);
    const cw_elements *place = cw_elements_with_context(NULL, context);
    const cw_elements *with_grace = cw_elements_with_grace(place, an_hour);
    struct hold *hold = hold_new();
    cw_job *job =
        cw_launch_with(with_grace, CW_START_DEFAULT, hold_worker, hold);
    event_await(hold->entered);
    ASSERT_EQ(cw_context_close_within(context, 1, 5), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_lost(job, "worker 'test' was killed, since its context was closed, "
                     "while it ran 'hold_worker'");
    ASSERT_EQ(stats_of(context).lost, 1);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    cw_elements_release(place);
    cw_elements_release(with_grace);
    cw_context_release(context);
}

#ifndef __EMSCRIPTEN__ /* where nobody can tell where a thread is */

TEST(all_that_does_not_come_is_killed_and_the_rest_ends)
{
    enum { WORKERS = 3, QUEUED = 100 };
    make_empty();
    cw_context *context = new_context(WORKERS);
    struct hold *hold = hold_new();
    cw_job *waits = receiving(context);
    cw_job *jobs[WORKERS], *queued[QUEUED];
    const cw_elements *pinned = cw_worker_scope(context, 1);
    for (int i = 0; i < WORKERS; i++)
        jobs[i] = holding(cw_async(context, hold_worker, hold), hold);
    for (int i = 0; i < QUEUED; i++)
        queued[i] = cw_async(context, gives, i);
    cw_job *there_for_good = cw_async_with(pinned, CW_START_DEFAULT, gives, 1);
    ASSERT_EQ(cw_context_close_within(context, 0, 0), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    for (int i = 0; i < WORKERS; i++) {
        assert_lost(jobs[i], NULL);
        cw_job_release(jobs[i]);
    }
    for (int i = 0; i < QUEUED; i++)
        assert_closed(queued[i]);
    ASSERT(cw_is_completed(waits) && cw_is_cancelled(waits));
    ASSERT(cw_is_completed(there_for_good) && cw_is_cancelled(there_for_good));
    cw_job_release(waits);
    cw_job_release(there_for_good);
    ASSERT_EQ(stats_of(context).lost, WORKERS);
    let_zombies_go(context, hold, WORKERS);
    cw_elements_release(pinned);
    cw_context_release(context);
    free_empty();
}

TEST(one_that_uses_its_processor_all_the_time_is_killed)
{
    cw_context *context = new_context(2);
    sem_t *begun = event_new();
    cw_job *job = cw_async(context, spins, begun);
    event_await(begun);
    ASSERT_EQ(cw_context_close_within(context, 0, 1), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_lost(job, NULL);
    cw_job_release(job);
    ASSERT_EQ(stats_of(context).lost, 1);
    atomic_store(&let_spinners_go, true);
    while (stats_of(context).undead)
        cw__thread_pause();
    event_free(begun);
    cw_context_release(context);
}

TEST(killing_can_be_hurried_and_not_put_off)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, hold_worker, hold), hold);
    ASSERT_EQ(cw_context_close_within(context, never, 1), CW_OK);
    ASSERT(!cw_is_cancelled(job)); /* the time has not begun */
    ASSERT_EQ(cw_context_close_within(context, 0, never), CW_OK);
    ASSERT(cw_is_cancelled(job));
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_lost(job, NULL);
    cw_job_release(job);
    /* After all was lost there is nothing to do. */
    ASSERT_EQ(cw_context_close_within(context, 0, 0), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    let_zombies_go(context, hold, 1);
    cw_context_release(context);
}

#endif

/* The thread is a worker of another context meanwhile. */
CW_FUNCTION(blocks, struct hold *, cw_none)
{
    cw_none none;
    return cw_run_blocking(hold_worker, *arg, &none, NULL);
}

TEST(who_cannot_be_killed_is_given_up)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, blocks, hold), hold);
    ASSERT_EQ(cw_context_close_within(context, 0, 1), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_ETIMEDOUT);
    ASSERT_EQ(cw_context_join(context), CW_ETIMEDOUT);
    ASSERT(!cw_is_completed(job));
    event_set(hold->release); /* it comes to its end after all */
    wait_for(job);
    int status;
    while ((status = cw_context_join(context)) == CW_ETIMEDOUT)
        cw__thread_pause();
    ASSERT_EQ(status, CW_OK);
    cw_job_release(job);
    hold_free(hold);
    cw_context_release(context);
}

/* ---- others */

TEST(who_ends_in_the_time_of_grace_is_not_killed)
{
    make_empty();
    cw_context *context = new_context(2);
    sem_t *begun = event_new();
    cw_job *waits = receiving(context);
    cw_job *runs = cw_async(context, polls, begun);
    event_await(begun);
    ASSERT_EQ(cw_context_close_within(context, 1, an_hour), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_closed(waits);
    cw_job_release(runs);
    ASSERT_EQ(stats_of(context).lost, 0);
    event_free(begun);
    cw_context_release(context);
    free_empty();
}

TEST(what_cannot_be_closed_says_so)
{
    cw_context *context = new_context(2);
    cw_context *view = cw_limited_parallelism(context, 1, "view");
    ASSERT_EQ(cw_context_close_within(context, -1, never), CW_EINVAL);
    ASSERT_EQ(cw_context_close_within(context, never, -1), CW_EINVAL);
    ASSERT_EQ(cw_context_close_within(view, 0, never), CW_ENOTSUP);
    ASSERT_EQ(cw_context_close_within(cw_unconfined_context(), 0, never),
              CW_ENOTSUP);
    ASSERT_EQ(cw_context_close_within(cw_default_context(), 0, never),
              CW_ENOTSUP);
    cw_job *job = cw_async(context, gives, 1); /* it is open */
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    cw_context_release(view);
    shut_down(context);
}

TEST(without_memory_or_threads_nothing_has_changed)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, hold_worker, hold), hold);
    fail_thread_at(1);
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_ESTART);
    fail_thread_at(0);
    cw_job *other = cw_async(context, gives, 1);
    event_set(hold->release);
    wait_for(job);
    wait_for(other);
    ASSERT_EQ(cw_job_error(other), 0);
    cw_job_release(job);
    cw_job_release(other);
    ASSERT_EQ(cw_context_close_within(context, an_hour, an_hour), CW_OK);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    hold_free(hold);
    cw_context_release(context);
}
