/* stress_closing_test.c: closing a context against those who use it, again and
 * again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "races.h"

struct closing {
    cw_context *context;
    _Atomic int ran, cleaned;
    int launched[ACTORS];
    cw_job *jobs[ACTORS][32];
};

CW_COROUTINE(run_in_closing, struct closing *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->ran, 1);
    if (chance(2)) CW_YIELD(self);
    if (chance(4) == 0) CW_DELAY(self, 10000); /* closing ends it */
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->cleaned, 1);
    CW_END(self);
}

static void launch_some(struct closing *closing, int actor)
{
    for (int i = 0; i < 32; i++) {
        closing->jobs[actor][i] =
            cw_launch(closing->context, run_in_closing, closing);
        ASSERT(closing->jobs[actor][i]);
    }
}

static void launch_first(void *arg) { launch_some(arg, 0); }
static void launch_second(void *arg) { launch_some(arg, 1); }

static void close_it(void *arg)
{
    struct closing *closing = arg;
    for (uint32_t i = chance(40); i > 0; i--)
        dither();
    cw_context_close(closing->context);
}

STRESS(launching_against_closing)
{
    act *const acts[] = {launch_first, launch_second, close_it};
    for (int round = 0; round < round_count; round++) {
        struct closing closing = {.context =
                                      new_context(cw_context_workers(context))};
        act_together(3, acts, &closing);
        ASSERT_EQ(cw_context_join(closing.context), CW_OK);
        ASSERT_EQ(closing.ran, closing.cleaned);
        int ended_well = 0, cancelled = 0;
        for (int a = 0; a < 2; a++) {
            for (int i = 0; i < 32; i++) {
                cw_job *job = closing.jobs[a][i];
                ASSERT(cw_is_completed(job));
                cw_error *error = cw_job_error(job);
                if (!error) {
                    ended_well++;
                } else {
                    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
                    ASSERT_EQ(cw_error_code(cw_error_cause(error)), CW_ECLOSED);
                    cancelled++;
                }
                cw_job_release(job);
            }
        }
        ASSERT_EQ(ended_well + cancelled, 64);
        ASSERT(closing.ran >= ended_well);
        cw_context_release(closing.context);
    }
}

/* Cancelling by a handle while the last reference to the context goes. */
struct last_use {
    cw_context *context;
    cw_job *job;
};

static void release_context(void *arg)
{
    struct last_use *use = arg;
    cw_context_release(use->context);
}

static void cancel_last_job(void *arg)
{
    struct last_use *use = arg;
    cw_cancel(use->job, NULL);
}

STRESS(cancelling_against_the_contexts_end)
{
    act *const acts[] = {release_context, cancel_last_job};
    for (int round = 0; round < round_count; round++) {
        struct last_use use;
        use.context = new_context(1 + (int)chance(2));
        cw_job *forever = cw_launch(context, wait_for_ever, CW_NONE);
        use.job = chance(2) ? cw_launch(use.context, wait_for_ever, CW_NONE)
                            : cw_launch(use.context, join_one, forever);
        dither();
        act_together(2, acts, &use);
        wait_for(use.job);
        ASSERT(cw_is_cancelled(use.job));
        cw_cancel(forever, NULL);
        wait_for(forever);
        cw_job_release(use.job);
        cw_job_release(forever);
    }
}
