/* kill_test.c: jobs that may be killed, and what becomes of their workers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "context.h"
#include "helpers.h"
#include "kill.h"
#include "kill_gate.h"
#include "killing.h"

TEST(a_body_that_never_looks_is_killed_after_its_time_of_grace)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    assert_lost(job, "worker 'test' was killed after the time of grace while "
                     "it ran 'hold_worker'");
    ASSERT_EQ(stats_of(context).lost, 1);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(what_is_queued_behind_it_runs_on_the_new_thread)
{
    enum { JOBS = 1000 }; /* more than a ring holds */
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = cw_async(context, give, i);
    cw_cancel(job, NULL);
    for (int i = 0; i < JOBS; i++) {
        int result;
        wait_for(jobs[i]);
        ASSERT_EQ(cw_result(give, jobs[i], &result), CW_OK);
        ASSERT_EQ(result, i);
        cw_job_release(jobs[i]);
    }
    ASSERT(cw_is_completed(job));
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(a_context_loses_all_its_workers_again_and_again)
{
    enum { WORKERS = 4, ROUNDS = 25 };
    cw_context *context = new_context(WORKERS);
    struct hold *hold = hold_new();
    for (int round = 0; round < ROUNDS; round++) {
        cw_job *jobs[WORKERS];
        for (int i = 0; i < WORKERS; i++)
            jobs[i] = LAUNCH_KILLABLE(context, hold_worker, hold);
        for (int i = 0; i < WORKERS; i++)
            event_await(hold->entered);
        for (int i = 0; i < WORKERS; i++)
            cw_cancel(jobs[i], NULL);
        for (int i = 0; i < WORKERS; i++) {
            wait_for(jobs[i]);
            assert_lost(jobs[i], NULL);
            cw_job_release(jobs[i]);
        }
    }
    ASSERT_EQ(stats_of(context).lost, WORKERS * ROUNDS);
    let_zombies_go(context, hold, WORKERS * ROUNDS);
    while (stats_of(context).workers != WORKERS)
        cw__thread_pause();
    shut_down_all(context);
}

TEST(a_thread_that_is_given_up_without_proof_stays_at_its_gate)
{
    static const cw__loss loss = {"was given up", NULL};
    cw_context *context = new_context(1);
    cw__worker *worker = &context->workers[0];
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_launch(context, hold_worker, hold), hold);
    ASSERT(!cw__gate_doom_open(worker));
    ASSERT(cw__gate_doom_open(worker));
    (void)cw__worker_lose(worker, &loss);
    cw__worker_gone(worker);
    wait_for(job);
    assert_lost(job, "worker 'test' was given up while it ran 'hold_worker'");
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    shut_down(context);
}

/* ---- who dies, and who does not */

static _Atomic int went_on;

CW_FUNCTION(hold_and_go_on, struct hold *, cw_none)
{
    event_set((*arg)->entered);
    event_await((*arg)->release);
    (void)cw_is_stopped(); /* here it finds out */
    atomic_store(&went_on, 1);
    return CW_OK;
}

TEST(a_thread_that_was_left_behind_goes_no_further_than_the_next_call)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_and_go_on, hold), hold);
    cw_cancel(job, NULL);
    wait_for(job);
    let_zombies_go(context, hold, 1);
    ASSERT_EQ(atomic_load(&went_on), 0);
    cw_job_release(job);
    shut_down_all(context);
}

TEST(who_ends_in_time_is_not_killed)
{
    cw_context *context = new_context(2);
    cw_job *job = LAUNCH_KILLABLE(context, wait_for_ever, CW_NONE);
    cw_job *none = LAUNCH_KILLABLE(context, give, 1);
    cw_cancel(job, NULL);
    wait_for(job);
    wait_for(none);
    cw_cancel(none, NULL);
    ASSERT_EQ(cw_job_error(none), 0);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_cause(cw_job_error(job)), 0);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_release(job);
    cw_job_release(none);
    shut_down_all(context);
}

/* Ends when the other one was killed: it is killable, but is not to be. */
TEST(another_killable_job_is_let_go_on)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new(), *other = hold_new();
    cw_job *spared = LAUNCH_KILLABLE(context, hold_worker, other);
    cw_job *job = LAUNCH_KILLABLE(context, hold_worker, hold);
    event_await(other->entered);
    event_await(hold->entered);
    cw_cancel(job, NULL);
    wait_for(job);
    event_set(other->release);
    wait_for(spared);
    ASSERT_EQ(cw_job_error(spared), 0);
    ASSERT_EQ(stats_of(context).lost, 1);
    hold_free(other);
    let_zombies_go(context, hold, 1);
    cw_job_release(job);
    cw_job_release(spared);
    shut_down_all(context);
}

TEST(one_that_nobody_said_may_be_killed_is_waited_for)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(cw_async(context, hold_worker, hold), hold);
    cw_cancel(job, NULL);
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_release(job);
    hold_free(hold);
    shut_down_all(context);
}

/* ---- at the end */

TEST(a_closed_context_ends_after_a_kill)
{
    cw_context *context = new_context(2);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_context_close(context);
    cw_cancel(job, NULL);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    assert_lost(job, NULL);
    cw_job_release(job);
    let_zombies_go(context, hold, 1);
    cw_context_release(context);
}

/* ---- in and out of the library */

CW_FUNCTION(call_all_the_time, sem_t *, cw_none)
{
    event_set(*arg);
    for (unsigned rounds = 1; rounds; rounds++) {
        if (cw_is_stopped() && !cw_current_job()) break; /* never */
#ifndef CW_PLAIN_ALLOC /* leak checkers would find what it has just made */
        cw_error *error = cw_error_new(CW_EFAILED, "of no use", NULL);
        cw_error_release(error);
        cw_job *job = cw_job_new(NULL);
        ASSERT_EQ(cw_job_complete(job), 1);
        cw_job_release(job);
#endif
    }
    return CW_OK;
}

CW_COROUTINE(fib, int, int, cw_job *jobs[2]; int parts[2];)
{
    CW_BEGIN(self);
    if (self->arg < 2) CW_RETURN(self, self->arg);
    self->jobs[0] = cw_async(NULL, fib, self->arg - 1);
    self->jobs[1] = cw_async(NULL, fib, self->arg - 2);
    CW_AWAIT_ALL(self, fib, self->jobs, 2, self->parts);
    CW_RETURN(self, self->parts[0] + self->parts[1]);
    CW_FINALLY(self);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

/* Its threads are gone by themselves. What it had just made is lost. */
TEST(one_that_is_in_and_out_of_the_library_is_killed)
{
    enum { ROUNDS = 50 };
    cw_context *context = new_context(2);
    sem_t *begun = event_new();
    for (int round = 0; round < ROUNDS; round++) {
        cw_job *job = LAUNCH_KILLABLE(context, call_all_the_time, begun);
        event_await(begun);
        cw_cancel(job, NULL);
        wait_for(job);
        assert_lost(job, NULL);
        cw_job_release(job);
        cw_job *sum = cw_async(context, fib, 10);
        int result;
        wait_for(sum);
        ASSERT_EQ(cw_result(fib, sum, &result), CW_OK);
        ASSERT_EQ(result, 55);
        cw_job_release(sum);
    }
    while (stats_of(context).undead)
        cw__thread_pause();
    ASSERT_EQ(stats_of(context).lost, ROUNDS);
    event_free(begun);
    shut_down_all(context);
}
