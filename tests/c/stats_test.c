/* stats_test.c: counters.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include <sched.h>

static cw_stats stats_of(const cw_context *context)
{
    cw_stats stats;
    memset(&stats, 0xff, sizeof stats); /* all of it is filled in */
    cw_context_stats(context, &stats);
    return stats;
}

/* Closes the context and counts when nothing runs any more: exactly. */
static cw_stats final_stats_of(cw_context *context)
{
    cw_context_retain(context);
    shut_down(context);
    cw_stats stats = stats_of(context);
    cw_context_release(context);
    return stats;
}

TEST(a_new_context_has_counted_nothing)
{
    cw_context *context = new_context(3);
    cw_stats stats = stats_of(context);
    ASSERT_EQ(stats.launched, 0);
    ASSERT_EQ(stats.completed, 0);
    ASSERT_EQ(stats.failed, 0);
    ASSERT_EQ(stats.cancelled, 0);
    ASSERT_EQ(stats.steps, 0);
    ASSERT_EQ(stats.steals, 0);
    ASSERT_EQ(stats.stolen, 0);
    ASSERT_EQ(stats.timers, 0);
    shut_down(context);
}

TEST(workers_come_up_and_sleep)
{
    cw_context *context = new_context(3);
    cw_stats stats;
    do {
        sched_yield();
        stats = stats_of(context);
        ASSERT(stats.workers <= 3);
        ASSERT(stats.idle <= stats.workers);
    } while (stats.workers < 3 || stats.idle < 3);
    struct hold *hold = hold_all(context);
    ASSERT_EQ(stats_of(context).idle, 0);
    let_go(context, hold);
    shut_down(context);
    hold_free(hold);
}

CW_COROUTINE(children_of_all_kinds, cw_none, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    cw_spawn(NULL, give, 1);
    self->job = cw_launch(NULL, wait_for_ever, CW_NONE);
    CW_DELAY(self, 1);
    cw_cancel(self->job, NULL);
    cw_job_release(self->job);
    cw_spawn(NULL, fail_with, CW_EBUSY);
    CW_END(self);
}

TEST(ends_are_counted_by_their_kind)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, children_of_all_kinds, CW_NONE);
    wait_for(job);
    cw_stats stats = final_stats_of(context);
    ASSERT_EQ(stats.launched, 4);
    ASSERT_EQ(stats.completed, 4);
    ASSERT_EQ(stats.failed, 2); /* the child, and the parent by it */
    ASSERT_EQ(stats.cancelled, 1);
    ASSERT_EQ(stats.timers, 1);
    /* The parent twice, as well as the one that hangs; the others once. */
    ASSERT_EQ(stats.steps, 6);
    cw_job_release(job);
}

CW_COROUTINE(with_scope, cw_none, cw_none, int out;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, give, 1, &self->out);
    CW_CALL(self, give, 1, &self->out);
    CW_END(self);
}

TEST(scopes_and_calls_are_not_counted_as_jobs)
{
    cw_context *context = new_context(1);
    cw_job *job = cw_async(context, with_scope, CW_NONE);
    wait_for(job);
    cw_stats stats = final_stats_of(context);
    ASSERT_EQ(stats.launched, 1);
    ASSERT_EQ(stats.completed, 1);
    ASSERT_EQ(stats.steps, 1);
    cw_job_release(job);
}

CW_COROUTINE(launch_many, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        cw_spawn(NULL, give, 1);
    CW_END(self);
}

TEST(sums_agree_over_workers)
{
    cw_context *context = new_context(4);
    cw_job *jobs[4];
    for (int i = 0; i < 4; i++)
        jobs[i] = cw_launch(context, launch_many, 5000);
    for (int i = 0; i < 4; i++) {
        wait_for(jobs[i]);
        cw_job_release(jobs[i]);
    }
    cw_stats stats = final_stats_of(context);
    ASSERT_EQ(stats.launched, 4 * 5001);
    ASSERT_EQ(stats.completed, 4 * 5001);
    ASSERT_EQ(stats.steps, 4 * 5001);
    ASSERT_EQ(stats.workers, 0);
}

TEST(memory_of_a_job_is_told)
{
    ASSERT(cw_job_overhead() >= sizeof(cw_frame));
    ASSERT(cw_job_overhead() < 1024);
}
