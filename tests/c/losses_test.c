/* losses_test.c: contexts that lose more workers than they may.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "killing.h"
#include "losses.h"

CW_COROUTINE(wait_long, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 3600 * 1000);
    CW_END(self);
}

/* Loses a worker. */
static void lose_one(cw_context *context, struct hold *hold)
{
    lose(holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold));
}

/* What a job of a failed context ends with. */
static void assert_refused(cw_job *job, const char *why)
{
    wait_for(job);
    cw_error *error = cw_job_error(job);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    cw_error *closed = cw_error_cause(error);
    ASSERT_EQ(cw_error_code(closed), CW_ECLOSED);
    ASSERT_EQ(cw_error_code(cw_error_cause(closed)), CW_ELOST);
    ASSERT_STR(cw_error_message(cw_error_cause(closed)), why);
    cw_job_release(job);
}

TEST(a_context_that_loses_too_many_workers_fails)
{
    static const char why[] =
        "context 'test' is lost: more than 2 of its workers were lost within "
        "60000 ms, the last one, 'test', as it was killed after the time of "
        "grace";
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    ASSERT_EQ(cw_context_limit_losses(context, 2, 60 * 1000), CW_OK);
    for (int i = 0; i < 2; i++)
        lose_one(context, hold);
    cw_job *waiting = cw_async(context, wait_long, CW_NONE);
    lose_one(context, hold);
    assert_refused(waiting, why);
    /* What is launched afterwards is told the same. */
    assert_refused(cw_async(context, wait_long, CW_NONE), why);
    ASSERT_EQ(stats_of(context).lost, 3);
    let_zombies_go(context, hold, 3);
    shut_down_all(context);
}

TEST(losses_that_are_long_past_do_not_count)
{
    enum { LOSSES = 4 };
    cw_context *context = new_context(1);
    struct hold *hold = hold_new();
    ASSERT_EQ(cw_context_limit_losses(context, 1, 0), CW_OK);
    for (int i = 0; i < LOSSES; i++)
        lose_one(context, hold); /* takes as long as its grace */
    cw_job *job = cw_async(context, give, 7);
    wait_for(job);
    int result;
    ASSERT_EQ(cw_result(give, job, &result), CW_OK);
    cw_job_release(job);
    let_zombies_go(context, hold, LOSSES);
    shut_down_all(context);
}

TEST(a_context_in_place_of_another_has_lost_what_that_had_lost)
{
    cw_context *before = new_context(1), *context = new_context(1);
    ASSERT_EQ(cw_context_limit_losses(before, 2, 60 * 1000), CW_OK);
    ASSERT_EQ(cw_context_limit_losses(context, 2, 60 * 1000), CW_OK);
    ASSERT(!cw__losses_note(before));
    ASSERT(!cw__losses_note(before));
    cw__losses_inherit(context, before);
    ASSERT(!cw__losses_note(before));
    ASSERT(cw__losses_note(context));
    shut_down(before);
    shut_down(context);
}

TEST(a_limit_may_change_and_bad_ones_are_refused)
{
    cw_context *context = new_context(1);
    ASSERT(!cw__losses_note(context)); /* there is none yet */
    ASSERT_EQ(cw_context_limit_losses(context, 1, 60 * 1000), CW_OK);
    ASSERT(!cw__losses_note(context));
    ASSERT_EQ(cw_context_limit_losses(context, 0, 60 * 1000), CW_OK);
    ASSERT(cw__losses_note(context));
    ASSERT_EQ(cw_context_limit_losses(context, 5, 60 * 1000), CW_OK);
    ASSERT(!cw__losses_note(context));
    ASSERT_EQ(cw_context_limit_losses(context, -1, 1), CW_EINVAL);
    ASSERT_EQ(cw_context_limit_losses(context, 1, -1), CW_EINVAL);
    cw_context *view = cw_limited_parallelism(context, 1, "view");
    if (view != context)
        ASSERT_EQ(cw_context_limit_losses(view, 1, 1), CW_ENOTSUP);
    cw_context_release(view);
    ASSERT_EQ(cw_context_limit_losses(cw_unconfined_context(), 1, 1),
              CW_ENOTSUP);
    shut_down(context);
}

TEST(without_memory_a_loss_is_one_too_many)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_limit_losses(context, 1000, 60 * 1000), CW_OK);
    fail_allocs_from(1);
    int noted = 1;
    while (!cw__losses_note(context)) /* as long as there are free blocks */
        noted++;
    ASSERT(alloc_has_failed());
    fail_alloc_at(0);
    ASSERT(noted <= 1000);
    ASSERT(!cw__losses_note(context));
    shut_down(context);
}
