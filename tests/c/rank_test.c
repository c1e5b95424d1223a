/* rank_test.c: jobs of different priority.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "booked.h"
#include "elements.h"

#include <string.h>

TEST(high_goes_before_normal_before_low)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    launch_ranks(context, "LNHNHL");
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "HHNNLL");
    hold_free(hold);
}

TEST(after_four_high_ones_a_normal_one_goes)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    launch_ranks(context, "NNNHHHHHHHHHH");
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "HHHHNHHHHNHHN");
    hold_free(hold);
}

TEST(after_eight_others_a_low_one_goes)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    launch_ranks(context, "LLLNNNNNNNNNNNNNNNNN");
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "NNNNNNNNLNNNNNNNNLNL");
    hold_free(hold);
}

TEST(no_rank_starves)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    launch_ranks(context, "LLNNNHHHHHHHHHHHHHHHH");
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "HHHHNHHHLHHHHNHHHLHHN");
    hold_free(hold);
}

TEST(one_rank_is_first_in_first_out)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    for (char letter = 'a'; letter <= 'f'; letter++)
        cw_job_release(ranked(context, CW_PRIORITY_HIGH, letter));
    for (char letter = 'g'; letter <= 'm'; letter++)
        cw_job_release(ranked(context, CW_PRIORITY_LOW, letter));
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "abcdefghijklm");
    hold_free(hold);
}

TEST(a_view_has_the_same_order)
{
    cw_context *context = new_context(3);
    cw_context *view = cw_limited_parallelism(context, 1, "view");
    struct hold hold = {event_new(), event_new()};
    ASSERT_EQ(cw_spawn(view, hold_worker, &hold), CW_OK);
    event_await(hold.entered);
    launch_ranks(view, "LNHHHHHNNH");
    event_set(hold.release);
    cw_context_release(view);
    shut_down(context);
    ASSERT_STR(ran, "HHHHNHHNLN");
    event_free(hold.entered);
    event_free(hold.release);
}

CW_COROUTINE(notes_twice, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    note_letter('a');
    CW_YIELD(self);
    note_letter('b');
    CW_END(self);
}

TEST(who_has_begun_is_normal)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    const cw_elements *high = cw_elements_with_priority(NULL, CW_PRIORITY_HIGH);
    const cw_elements *there = cw_elements_with_context(high, context);
    cw_job *job = cw_launch_with(there, CW_START_DEFAULT, notes_twice, CW_NONE);
    cw_elements_release(there);
    cw_elements_release(high);
    launch_ranks(context, "NHN");
    let_go(context, hold);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
    /* Who yields stands in its worker's line, before what came from outside. */
    ASSERT_STR(ran, "aHbNN");
    hold_free(hold);
}

TEST(several_workers_run_all_ranks)
{
    enum { JOBS = 600 };
    cw_context *context = new_context(4);
    cw_job *jobs[JOBS];
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = ranked(context, (cw_priority)(i % 3 - 1), 'x');
        ASSERT(jobs[i]);
    }
    for (int i = 0; i < JOBS; i++) {
        wait_for(jobs[i]);
        ASSERT(!cw_job_error(jobs[i]));
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(atomic_load(&ran_count), JOBS);
    shut_down(context);
}

TEST(a_sleeping_worker_is_woken_for_every_rank)
{
    cw_context *context = new_context(2);
    for (int i = 0; i < 300; i++) {
        cw_job *job = ranked(context, (cw_priority)(i % 3 - 1), 'x');
        wait_for(job);
        cw_job_release(job);
    }
    shut_down(context);
}

TEST(priority_is_not_inherited)
{
    const cw_elements *set = cw_elements_with_priority(NULL, CW_PRIORITY_HIGH);
    const cw_elements *named = cw_elements_with_name(set, "n");
    ASSERT_EQ(((const cw_elements *)named)->terms.priority, CW_PRIORITY_HIGH);
    const cw_elements *both = cw_elements_plus(NULL, named);
    ASSERT_EQ(both->terms.priority, CW_PRIORITY_HIGH);
    const cw_elements *own = cw__elements_of_job(NULL, both);
    ASSERT_EQ(own->terms.priority, CW_PRIORITY_NORMAL);
    ASSERT_STR(cw_elements_name(own), "n");
    cw_elements_release(own);
    cw_elements_release(both);
    cw_elements_release(named);
    cw_elements_release(set);
}
