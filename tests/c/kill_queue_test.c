/* kill_queue_test.c: killing and the queue: places in views, and what is behind
 * a body that goes on for long.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "kill.h"
#include "killing.h"

/* ---- places */

TEST(its_place_in_a_view_goes_to_the_next_one)
{
    cw_context *context = new_context(2);
    cw_context *outer = cw_limited_parallelism(context, 1, "outer");
    cw_context *view = cw_limited_parallelism(outer, 1, NULL);
    const cw_elements *there = cw_elements_with_context(NULL, view);
    const cw_elements *elements = cw_elements_with_grace(there, GRACE_MS);
    struct hold *hold = hold_new();
    for (int round = 0; round < 2; round++) { /* somebody waits, or comes */
        cw_job *job = holding(
            cw_launch_with(elements, CW_START_DEFAULT, hold_worker, hold),
            hold);
        cw_job *then = round ? NULL : cw_async(view, give, 1);
        cw_cancel(job, NULL);
        wait_for(job);
        if (!then) then = cw_async(outer, give, 1);
        wait_for(then);
        cw_job_release(then);
        cw_job_release(job);
    }
    let_zombies_go(context, hold, 2);
    cw_elements_release(elements);
    cw_elements_release(there);
    cw_context_release(view);
    cw_context_release(outer);
    shut_down(context);
}

CW_FUNCTION(run_inside, struct hold *, cw_none)
{
    cw_none none;
    return cw_run_blocking(hold_worker, *arg, &none, NULL);
}

TEST(what_is_in_a_blocking_call_is_not_killed)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *job = holding(LAUNCH_KILLABLE(context, run_inside, hold), hold);
    cw_cancel(job, NULL);
    for (int i = 0; i < 3; i++)
        ASSERT(!cw__kill(job));
    ASSERT_EQ(stats_of(context).lost, 0);
    event_set(hold->release);
    wait_for(job);
    ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
    cw_job_release(job);
    hold_free(hold);
    shut_down_all(context);
}

/* ---- behind what goes on for long */

/* Runs on `context`, whose only worker is busy with what is not to be killed;
 * `place` is it, or a view of it. */
static void end_behind(cw_context *context, cw_context *place)
{
    enum { JOBS = 300 }; /* more than a ring holds */
    const cw_elements *there = cw_elements_with_context(NULL, place);
    const cw_elements *elements = cw_elements_with_grace(there, 0);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(place, hold_worker, hold), hold);
    cw_job *above = cw_job_new(NULL), *jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        const cw_elements *below = cw_elements_with_job(elements, above);
        jobs[i] = cw_launch_with(below, CW_START_DEFAULT, give, i);
        ASSERT(jobs[i]);
        cw_elements_release(below);
    }
    cw_job *last = cw_async(place, give, 1);
    cw_cancel(above, NULL);
    for (int i = 0; i < JOBS; i++) {
        wait_for(jobs[i]);
        ASSERT_EQ(cw_error_code(cw_job_error(jobs[i])), CW_ECANCELED);
        ASSERT_EQ(cw_error_cause(cw_job_error(jobs[i])), 0);
        cw_job_release(jobs[i]);
    }
    ASSERT(!cw_is_completed(busy));
    event_set(hold->release);
    wait_for(last);
    ASSERT_EQ(cw_job_error(last), 0);
    ASSERT_EQ(stats_of(context).lost, 0);
    cw_job_complete(above);
    cw_job_release(above);
    cw_job_release(busy);
    cw_job_release(last);
    cw_elements_release(elements);
    cw_elements_release(there);
    hold_free(hold);
}

TEST(what_has_not_begun_ends_without_a_worker)
{
    cw_context *context = new_context(1);
    end_behind(context, context);
    shut_down(context);
}

TEST(what_waits_for_a_place_ends_without_a_worker)
{
    cw_context *context = new_context(2);
    cw_context *view = cw_limited_parallelism(context, 1, NULL);
    end_behind(context, view);
    cw_context_release(view);
    shut_down(context);
}

TEST(what_has_ended_in_the_queue_gives_its_place_there_back)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_limit_queue(context, 1, CW_FULL_FAIL), CW_OK);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(context, hold_worker, hold), hold);
    cw_job *job = LAUNCH_KILLABLE(context, give, 1);
    ASSERT(!cw_async(context, give, 2));
    cw_cancel(job, NULL);
    wait_for(job);
    event_set(hold->release);
    wait_for(busy);
    cw_job *next;
    while (!(next = cw_async(context, give, 3)))
        cw__thread_pause();
    wait_for(next);
    cw_job_release(next);
    cw_job_release(job);
    cw_job_release(busy);
    hold_free(hold);
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK); /* only then all is counted */
    ASSERT_EQ(stats_of(context).launched, 3);
    ASSERT_EQ(stats_of(context).completed, 3);
    shut_down_all(context);
}

TEST(what_has_to_begin_waits_for_a_worker)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    cw_job *busy = holding(cw_async(context, hold_worker, hold), hold);
    cw_job *job = cw_launch_with(killable(context), CW_START_ATOMIC, give, 1);
    cw_cancel(job, NULL);
    for (int i = 0; i < 3; i++)
        ASSERT(!cw__kill(job));
    event_set(hold->release);
    wait_for(job);
    cw_job_release(job);
    cw_job_release(busy);
    while (stats_of(context).undead)
        cw__thread_pause();
    hold_free(hold);
    shut_down_all(context);
}
