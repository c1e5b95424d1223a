/* worker_scope_test.c: coroutines that are bound to one worker.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "killing.h"

#include <string.h>

static const cw_elements *scope_of(cw_context *context, int worker)
{
    const cw_elements *scope = cw_worker_scope(context, worker);
    ASSERT(scope);
    ASSERT_EQ(cw_last_error(), CW_OK);
    return scope;
}

/* ---- where it runs */

CW_CHANNEL_TYPE(ints, int)

typedef struct stay_arg {
    const char *worker;
    ints channel;
    bool sends;
} stay_arg;

CW_COROUTINE(be_there, const char *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_STR(cw_worker_name(), self->arg);
    CW_YIELD(self);
    ASSERT_STR(cw_worker_name(), self->arg);
    CW_END(self);
}

CW_COROUTINE(stay, stay_arg, cw_none, int i; int element; cw_job * child;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 50; self->i++) {
        if (self->arg.sends)
            CW_SEND(self, ints, self->arg.channel, self->i);
        else
            CW_RECEIVE(self, ints, self->arg.channel, &self->element);
        ASSERT_STR(cw_worker_name(), self->arg.worker);
        CW_YIELD(self);
        ASSERT_STR(cw_worker_name(), self->arg.worker);
    }
    CW_DELAY(self, 1);
    ASSERT_STR(cw_worker_name(), self->arg.worker);
    self->child = cw_async(NULL, be_there, self->arg.worker);
    CW_JOIN(self, self->child);
    ASSERT_EQ(cw_job_error(self->child), 0);
    CW_FINALLY(self);
    ASSERT_STR(cw_worker_name(), self->arg.worker);
    cw_job_release(self->child);
    CW_END(self);
}

TEST(it_runs_on_that_worker_with_all_below_it)
{
    enum { WORKERS = 3, PAIRS = 4, JOBS = 2 * PAIRS * WORKERS };
    static const char *const names[] = {"test-1", "test-2", "test-3"};
    cw_context *context = new_context(WORKERS);
    const cw_elements *scopes[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        scopes[i] = scope_of(context, i);
    ints channels[PAIRS * WORKERS];
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        if (i % 2 == 0) channels[i / 2] = ints_new(0);
        int worker = i % WORKERS; /* sender and receiver are apart */
        const stay_arg arg = {names[worker], channels[i / 2], i % 2 == 0};
        jobs[i] = cw_launch_with(scopes[worker], CW_START_DEFAULT, stay, arg);
    }
    for (int i = 0; i < JOBS; i++) {
        wait_for(jobs[i]);
        ASSERT_EQ(cw_job_error(jobs[i]), 0);
        cw_job_release(jobs[i]);
        if (i % 2) cw_channel_release(channels[i / 2].channel);
    }
    for (int i = 0; i < WORKERS; i++)
        cw_elements_release(scopes[i]);
    shut_down(context);
}

/* Wakes up on the worker where it was, if that has nothing to do. */
CW_COROUTINE(wander, cw_none, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 200; self->i++)
        CW_DELAY(self, self->i % 2);
    CW_END(self);
}

TEST(it_stays_there_among_others_that_do_not)
{
    enum { WORKERS = 4, PAIRS = 2 * WORKERS, WANDERERS = 16 };
    static const char *const names[] = {"test-1", "test-2", "test-3", "test-4"};
    cw_context *context = new_context(WORKERS);
    const cw_elements *scopes[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        scopes[i] = scope_of(context, i);
    ints channels[PAIRS];
    cw_job *jobs[2 * PAIRS + WANDERERS];
    for (int round = 0; round < 10; round++) {
        int count = 0;
        for (int i = 0; i < WANDERERS; i++)
            jobs[count++] = cw_launch(context, wander, CW_NONE);
        for (int i = 0; i < 2 * PAIRS; i++) {
            if (i % 2 == 0) channels[i / 2] = ints_new(0);
            int worker = (i + i / WORKERS) % WORKERS;
            const stay_arg arg = {names[worker], channels[i / 2], i % 2 == 0};
            jobs[count++] =
                cw_launch_with(scopes[worker], CW_START_DEFAULT, stay, arg);
        }
        for (int i = 0; i < count; i++) {
            wait_for(jobs[i]);
            ASSERT_EQ(cw_job_error(jobs[i]), 0);
            cw_job_release(jobs[i]);
        }
        for (int i = 0; i < PAIRS; i++)
            cw_channel_release(channels[i].channel);
    }
    for (int i = 0; i < WORKERS; i++)
        cw_elements_release(scopes[i]);
    shut_down(context);
}

CW_COROUTINE(launch_from_there, cw_context *, cw_none, const cw_elements *scope;
             cw_job * job;)
{
    CW_BEGIN(self);
    self->scope = scope_of(self->arg, 0);
    self->job =
        cw_launch_with(self->scope, CW_START_DEFAULT, be_there, "test-1");
    CW_JOIN(self, self->job);
    ASSERT_EQ(cw_job_error(self->job), 0);
    CW_FINALLY(self);
    cw_job_release(self->job);
    cw_elements_release(self->scope);
    CW_END(self);
}

TEST(its_own_and_other_workers_launch_there)
{
    cw_context *context = new_context(2);
    for (int i = 0; i < 2; i++) {
        const cw_elements *scope = scope_of(context, i);
        cw_job *job =
            cw_launch_with(scope, CW_START_DEFAULT, launch_from_there, context);
        wait_for(job);
        ASSERT_EQ(cw_job_error(job), 0);
        cw_job_release(job);
        cw_elements_release(scope);
    }
    shut_down(context);
}

/* ---- how it ends */

static _Atomic int cleaned_up;

CW_COROUTINE(wait_and_clean_up, sem_t *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    event_set(self->arg);
    CW_DELAY(self, 60 * 1000);
    CW_FINALLY(self);
    ASSERT_STR(cw_worker_name(), "test-1");
    atomic_fetch_add(&cleaned_up, 1);
    CW_END(self);
}

TEST(all_of_it_ends_with_the_worker)
{
    cw_context *context = new_context(2);
    const cw_elements *scope = scope_of(context, 0);
    const cw_elements *deadly = cw_elements_with_grace(scope, GRACE_MS);
    struct hold *hold = hold_new();
    sem_t *waits = event_new();
    cw_job *waiting =
        cw_launch_with(scope, CW_START_DEFAULT, wait_and_clean_up, waits);
    event_await(waits);
    cw_job *job = cw_launch_with(deadly, CW_START_DEFAULT, hold_worker, hold);
    event_await(hold->entered);
    cw_job *queued = cw_launch_with(scope, CW_START_DEFAULT, give, 1);
    cw_job *other = cw_async(context, give, 2);
    cw_cancel(job, NULL);
    cw_job *const jobs[] = {job, waiting, queued};
    static const char *const messages[] = {
        "worker 'test-1' was killed after the time of grace while it ran "
        "'hold_worker'",
        "worker 'test-1' was killed after the time of grace and its scope "
        "ended with it"};
    for (int i = 0; i < 3; i++) {
        wait_for(jobs[i]);
        assert_lost(jobs[i], messages[i > 0]);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(atomic_load(&cleaned_up), 1);
    wait_for(other);
    ASSERT_EQ(cw_job_error(other), 0);
    cw_job_release(other);
    ASSERT(cw_is_cancelled(cw_elements_job(scope)));
    job = cw_launch_with(scope, CW_START_DEFAULT, give, 1);
    wait_for(job);
    assert_lost(job, messages[1]);
    cw_job_release(job);
    const cw_elements *next = scope_of(context, 0);
    ASSERT(cw_elements_job(next) != cw_elements_job(scope));
    job = cw_launch_with(next, CW_START_DEFAULT, be_there, "test-1");
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    cw_elements_release(next);
    cw_elements_release(deadly);
    cw_elements_release(scope);
    event_free(waits);
    let_zombies_go(context, hold, 1);
    shut_down(context);
}

/* Nobody would ever run it. */
TEST(all_of_it_ends_if_the_worker_gets_no_other_thread)
{
    cw_context *context = new_context(2), *first = new_context(1);
    struct hold *hold = hold_new(), *other = hold_new();
    /* Starts the thread that kills. */
    lose(holding(LAUNCH_KILLABLE(first, hold_worker, other), other));
    const cw_elements *scope = scope_of(context, 0);
    const cw_elements *deadly = cw_elements_with_grace(scope, GRACE_MS);
    sem_t *waits = event_new();
    cw_job *waiting =
        cw_launch_with(scope, CW_START_DEFAULT, wait_and_clean_up, waits);
    event_await(waits);
    cw_job *job = cw_launch_with(deadly, CW_START_DEFAULT, hold_worker, hold);
    event_await(hold->entered);
    cw_job *queued = cw_launch_with(scope, CW_START_DEFAULT, give, 1);
    fail_thread_at(1);
    cw_job *const jobs[] = {job, waiting, queued};
    static const char *const messages[] = {
        "worker 'test-1' was killed after the time of grace while it ran "
        "'hold_worker'",
        "worker 'test-1' was lost, and got no other thread, while it ran "
        "'wait_and_clean_up'",
        "worker 'test-1' was killed after the time of grace and its scope "
        "ended with it"};
    cw_cancel(job, NULL);
    for (int i = 0; i < 3; i++) {
        wait_for(jobs[i]);
        assert_lost(jobs[i], messages[i]);
        cw_job_release(jobs[i]);
    }
    fail_thread_at(0);
    const cw_elements *next = scope_of(context, 0);
    job = cw_launch_with(next, CW_START_DEFAULT, be_there, "test-1");
    wait_for(job);
    assert_lost(job, "worker 'test-1' was lost, and got no other thread, and "
                     "its scope ended with it");
    cw_job_release(job);
    job = cw_async(context, give, 2); /* the other one goes on */
    wait_for(job);
    ASSERT_EQ(cw_job_error(job), 0);
    cw_job_release(job);
    cw_elements_release(next);
    cw_elements_release(deadly);
    cw_elements_release(scope);
    event_free(waits);
    let_zombies_go(context, hold, 1);
    let_zombies_go(first, other, 1);
    shut_down(context);
    shut_down_all(first);
}

TEST(nothing_of_it_ends_with_another_worker)
{
    cw_context *context = new_context(2);
    const cw_elements *mine = scope_of(context, 0), *its = scope_of(context, 1);
    const cw_elements *deadly = cw_elements_with_grace(its, GRACE_MS);
    struct hold *hold = hold_new();
    sem_t *waits = event_new();
    cw_job *waiting =
        cw_launch_with(mine, CW_START_DEFAULT, wait_and_clean_up, waits);
    event_await(waits);
    cw_job *job = cw_launch_with(deadly, CW_START_DEFAULT, hold_worker, hold);
    event_await(hold->entered);
    cw_cancel(job, NULL);
    wait_for(job);
    assert_lost(job, NULL);
    ASSERT(cw_is_active(waiting));
    ASSERT(cw_is_active(cw_elements_job(mine)));
    cw_job_release(job);
    cw_cancel(waiting, NULL);
    wait_for(waiting);
    ASSERT_EQ(cw_error_cause(cw_job_error(waiting)), 0);
    cw_job_release(waiting);
    cw_elements_release(deadly);
    cw_elements_release(mine);
    cw_elements_release(its);
    event_free(waits);
    let_zombies_go(context, hold, 1);
    shut_down(context);
}

static cw_job *wait_in(const cw_elements *scope)
{
    return cw_launch_with(scope, CW_START_DEFAULT, wait_for_ever, CW_NONE);
}

TEST(cancelling_its_job_cancels_all_and_the_next_call_gives_another)
{
    cw_context *context = new_context(1);
    const cw_elements *scope = scope_of(context, 0);
    const cw_elements *same = scope_of(context, 0);
    ASSERT(cw_elements_job(scope) == cw_elements_job(same));
    cw_job *job = wait_in(scope);
    cw_cancel(cw_elements_job(same), NULL);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    const cw_elements *next = scope_of(context, 0);
    ASSERT(cw_elements_job(next) != cw_elements_job(scope));
    ASSERT(cw_is_active(cw_elements_job(next)));
    cw_job_release(job);
    cw_elements_release(scope);
    cw_elements_release(same);
    cw_elements_release(next);
    shut_down(context);
}

TEST(one_that_fails_leaves_the_others_alone)
{
    cw_context *context = new_context(2);
    const cw_elements *scope = scope_of(context, 1);
    cw_job *waiting = wait_in(scope);
    cw_job *failing = cw_async_with(scope, CW_START_DEFAULT, fail_with, 17);
    wait_for(failing);
    ASSERT_EQ(cw_error_code(cw_job_error(failing)), 17);
    ASSERT(cw_is_active(waiting));
    cw_cancel(waiting, NULL);
    wait_for(waiting);
    cw_job_release(waiting);
    cw_job_release(failing);
    cw_elements_release(scope);
    shut_down(context);
}

TEST(it_ends_with_its_context)
{
    cw_context *context = new_context(2);
    const cw_elements *scope = scope_of(context, 1);
    cw_job *job = wait_in(scope);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    job = cw_launch_with(scope, CW_START_DEFAULT, give, 1);
    ASSERT(cw_is_completed(job));
    ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
    cw_job_release(job);
    cw_context_release(context);
    cw_elements_release(scope);
}

TEST(there_has_to_be_such_a_worker)
{
    cw_context *context = new_context(3);
    cw_context *view = cw_limited_parallelism(context, 2, NULL);
    static const int bad[] = {-1, 3, 1024};
    for (int i = 0; i < 3; i++) {
        ASSERT(!cw_worker_scope(context, bad[i]));
        ASSERT_EQ(cw_last_error(), CW_EINVAL);
    }
    ASSERT(!cw_worker_scope(NULL, 0));
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    cw_context *const others[] = {view, cw_unconfined_context(),
                                  cw_io_context()};
    for (int i = 0; i < 3; i++) {
        ASSERT(!cw_worker_scope(others[i], 0));
        ASSERT_EQ(cw_last_error(), CW_ENOTSUP);
    }
    cw_context_release(view);
    shut_down(context);
}
