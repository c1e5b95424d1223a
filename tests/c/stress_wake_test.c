/* stress_wake_test.c: wake-ups, jobs and delays of which none may be lost,
 * again and again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "races.h"

static cw_context *pool; /* of the round, for actors */

CW_COROUTINE(ping, cw_context *, int, cw_job *job; int i, out;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 10; self->i++) {
        self->job = cw_async(self->arg, give, self->i);
        CW_AWAIT(self, give, self->job, &self->out);
        ASSERT_EQ(self->out, self->i);
        cw_job_release(self->job);
        self->job = NULL;
    }
    CW_RETURN(self, 10);
    CW_END(self);
}

STRESS(ping_pong_between_contexts)
{
    cw_context *other = new_context(cw_context_workers(context) / 2);
    for (int round = 0; round < long_round_count; round++) {
        cw_job *jobs[4];
        for (int i = 0; i < 4; i++)
            jobs[i] = i % 2 ? cw_async(context, ping, other)
                            : cw_async(other, ping, context);
        for (int i = 0; i < 4; i++) {
            wait_for(jobs[i]);
            ASSERT(cw_job_error(jobs[i]) == NULL);
            cw_job_release(jobs[i]);
        }
    }
    shut_down(other);
}

/* As many jobs as workers, which block until all of them run: they need all
 * workers, asleep or just falling asleep as they may be. */
struct burst {
    _Atomic int missing;
    sem_t *all_there;
};

CW_FUNCTION(need_all, struct burst *, cw_none)
{
    if (atomic_fetch_sub(&(*arg)->missing, 1) == 1)
        event_set((*arg)->all_there);
    event_await((*arg)->all_there);
    event_set((*arg)->all_there); /* the next one, too */
    return CW_OK;
}

CW_COROUTINE(launch_burst, struct burst *, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = atomic_load(&self->arg->missing); self->i > 0; self->i--)
        ASSERT_EQ(cw_spawn(NULL, need_all, self->arg), CW_OK);
    CW_END(self);
}

STRESS(bursts_wake_all_workers)
{
    int workers = cw_context_workers(context);
    struct burst burst = {0, event_new()};
    for (int round = 0; round < round_count; round++) {
        atomic_store(&burst.missing, workers);
        if (chance(2)) {
            cw_job *job = cw_launch(context, launch_burst, &burst);
            wait_for(job);
            cw_job_release(job);
        } else {
            cw_job *jobs[8];
            for (int i = 0; i < workers; i++) {
                jobs[i] = cw_launch(context, need_all, &burst);
                if (chance(4) == 0) dither();
            }
            for (int i = 0; i < workers; i++) {
                wait_for(jobs[i]);
                cw_job_release(jobs[i]);
            }
        }
        event_await(burst.all_there);
        if (chance(4) == 0) { /* let them fall asleep, or begin to */
            for (uint32_t i = chance(50); i > 0; i--)
                dither();
        }
    }
    event_free(burst.all_there);
}

CW_COROUTINE(one_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_END(self);
}

/* A delay whose keeper is woken, again and again, as it falls asleep. */
STRESS(delays_end_whatever_wakes_their_keeper)
{
    for (int round = 0; round < long_round_count; round++) {
        cw_job *delays[2];
        for (int i = 0; i < 2; i++)
            delays[i] = cw_launch(context, one_delay, CW_NONE);
        for (uint32_t i = chance(20); i > 0; i--) {
            ASSERT_EQ(cw_spawn(context, give, 1), CW_OK);
            dither();
        }
        for (int i = 0; i < 2; i++) {
            wait_for(delays[i]);
            cw_job_release(delays[i]);
        }
    }
}

/* Delays end while their workers find something else to do, which takes until
 * all delays are over. */
STRESS(delays_end_beside_blocking_jobs)
{
    int workers = cw_context_workers(context);
    struct hold hold = {event_new(), event_new()};
    for (int round = 0; round < long_round_count; round++) {
        cw_job *delays[8], *holds[8];
        for (int i = 0; i < workers; i++)
            delays[i] = cw_launch(context, one_delay, CW_NONE);
        int64_t until =
            cw__now_ns() + 1000 * (800 + (int64_t)chance(50) * (1 + workers));
        while (cw__now_ns() < until)
            cw__thread_pause();
        for (int i = 1; i < workers; i++) {
            holds[i] = cw_launch(context, hold_worker, &hold);
            dither();
        }
        for (int i = 0; i < workers; i++) {
            wait_for(delays[i]);
            cw_job_release(delays[i]);
        }
        for (int i = 1; i < workers; i++)
            event_set(hold.release);
        for (int i = 1; i < workers; i++) {
            wait_for(holds[i]);
            cw_job_release(holds[i]);
        }
    }
    event_free(hold.entered);
    event_free(hold.release);
}

/* Trees of jobs that are stolen from each other, more than rings hold. */
CW_COROUTINE(spread, int, cw_none, int i;)
{
    static _Atomic int ran;
    CW_BEGIN(self);
    if (self->arg < 0) { /* how many since the last time? */
        self->i = atomic_exchange(&ran, 0);
        ASSERT_EQ(self->i, -self->arg);
        CW_RETURN(self, CW_NONE);
    }
    atomic_fetch_add(&ran, 1);
    for (self->i = 0; self->i < self->arg; self->i++) {
        ASSERT_EQ(cw_spawn(NULL, spread, self->arg > 30 ? 0 : self->arg - 1),
                  CW_OK);
        if (chance(8) == 0) CW_YIELD(self);
    }
    CW_END(self);
}

STRESS(stolen_jobs_run_once)
{
    for (int round = 0; round < long_round_count; round++) {
        /* 1000 at once, or 1 + 5 + 5 * 4 + ... of a tree */
        bool wide = chance(2);
        cw_job *job = cw_launch(context, spread, wide ? 1000 : 5);
        wait_for(job);
        cw_job_release(job);
        job = cw_async(context, spread, wide ? -1001 : -326);
        wait_for(job);
        ASSERT(cw_job_error(job) == NULL);
        cw_job_release(job);
    }
}

/* ---- blocking calls */

static void block_on_pool(void *arg)
{
    (void)arg;
    int out = 0;
    ASSERT_EQ(cw_run_blocking(ping, pool, &out, NULL), CW_OK);
    ASSERT_EQ(out, 10);
}

STRESS(blocking_calls_of_many_threads)
{
    act *const acts[] = {block_on_pool, block_on_pool, block_on_pool,
                         block_on_pool};
    pool = context;
    for (int round = 0; round < long_round_count; round++)
        act_together(4, acts, NULL);
}

/* The last child of a blocking call ends elsewhere while its own thread runs
 * out of work and falls asleep. */
CW_COROUTINE(dither_a_little, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    dither();
    CW_END(self);
}

CW_COROUTINE(leave_child_on_pool, cw_none, cw_none, uint32_t i;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(pool, dither_a_little, CW_NONE), CW_OK);
    for (self->i = chance(4); self->i > 0; self->i--)
        CW_YIELD(self);
    dither();
    CW_END(self);
}

STRESS(blocking_calls_that_end_elsewhere)
{
    pool = context;
    for (int round = 0; round < 20 * round_count; round++) {
        cw_none none;
        ASSERT_EQ(cw_run_blocking(leave_child_on_pool, CW_NONE, &none, NULL),
                  CW_OK);
    }
}
