/* killing.h: what tests of killing share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef KILLING_H
#define KILLING_H

enum { GRACE_MS = 5 };

/* A job of NAME that may be killed. */
#define LAUNCH_KILLABLE(context, NAME, ...)                                    \
    NAME##__launch(killable(context), CW_START_DEFAULT, CW__START_HANDLE,      \
                   __VA_ARGS__)

/* Kept up to the end of the test. */
MAYBE_UNUSED static const cw_elements *killable(cw_context *context)
{
    static const cw_elements *elements;
    if (elements) return elements;
    const cw_elements *place = cw_elements_with_context(NULL, context);
    elements = cw_elements_with_grace(place, GRACE_MS);
    ASSERT(elements);
    cw_elements_release(place);
    return elements;
}

MAYBE_UNUSED static void shut_down_all(cw_context *context)
{
    cw_elements_release(killable(context));
    shut_down(context);
}

MAYBE_UNUSED static void assert_lost(cw_job *job, const char *message)
{
    cw_error *error = cw_job_error(job);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(error)), CW_ELOST);
    if (message) ASSERT_STR(cw_error_message(cw_error_cause(error)), message);
}

MAYBE_UNUSED static cw_stats stats_of(const cw_context *context)
{
    cw_stats stats;
    cw_context_stats(context, &stats);
    return stats;
}

/* Lets the threads that were left behind come back to the library, and waits
 * until they are known to be over. */
MAYBE_UNUSED static void let_zombies_go(cw_context *context, struct hold *hold,
                                        int count)
{
    for (int i = 0; i < count; i++)
        event_set(hold->release);
    while (stats_of(context).undead)
        cw__thread_pause();
    hold_free(hold);
}

MAYBE_UNUSED static struct hold *hold_new(void)
{
    struct hold *hold = malloc(sizeof *hold);
    ASSERT(hold);
    hold->entered = event_new();
    hold->release = event_new();
    return hold;
}

/* The job, once it holds its worker. */
MAYBE_UNUSED static cw_job *holding(cw_job *job, struct hold *hold)
{
    event_await(hold->entered);
    return job;
}

/* Cancels a job that can only end with its worker. */
MAYBE_UNUSED static void lose(cw_job *job)
{
    cw_cancel(job, NULL);
    wait_for(job);
    assert_lost(job, NULL);
    cw_job_release(job);
}

#endif /* KILLING_H */
