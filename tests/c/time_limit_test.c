/* time_limit_test.c: timeouts and deadlines of jobs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "booked.h"
#include "context.h"
#include "error.h"

/* Launches one that waits for ever, with elements that are given up. */
static cw_job *waiting(cw_context *context, const cw_elements *given)
{
    const cw_elements *elements = cw_elements_with_context(given, context);
    cw_elements_release(given);
    cw_job *job =
        cw_async_with(elements, CW_START_DEFAULT, wait_for_ever, CW_NONE);
    cw_elements_release(elements);
    ASSERT(job);
    return job;
}

static void ends_by(cw_job *job, int code, const char *message)
{
    wait_for(job);
    cw_error *error = cw_job_error(job);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(cw_error_cause(error)), code);
    ASSERT_STR(cw_error_message(cw_error_cause(error)), message);
    cw_job_release(job);
}

TEST(a_timeout_cancels)
{
    cw_context *context = new_context(1);
    ends_by(waiting(context, cw_elements_with_timeout(NULL, 5)), CW_ETIMEDOUT,
            "the timeout, 5 ms after the job began, has run out");
    ends_by(waiting(context, cw_elements_with_timeout(NULL, 0)), CW_ETIMEDOUT,
            "the timeout, 0 ms after the job began, has run out");
    shut_down(context);
}

TEST(a_deadline_cancels)
{
    cw_context *context = new_context(1);
    ends_by(waiting(context, cw_elements_with_deadline(NULL, 5)), CW_EOVERDUE,
            "the deadline, 5 ms after the launch, has passed");
    shut_down(context);
}

TEST(the_first_of_both_counts)
{
    cw_context *context = new_context(1);
    const cw_elements *timeout = cw_elements_with_timeout(NULL, 5);
    const cw_elements *both = cw_elements_with_deadline(timeout, 100000);
    cw_elements_release(timeout);
    ends_by(waiting(context, both), CW_ETIMEDOUT,
            "the timeout, 5 ms after the job began, has run out");
    timeout = cw_elements_with_timeout(NULL, 100000);
    both = cw_elements_with_deadline(timeout, 5);
    cw_elements_release(timeout);
    ends_by(waiting(context, both), CW_EOVERDUE,
            "the deadline, 5 ms after the launch, has passed");
    shut_down(context);
}

TEST(a_deadline_counts_while_the_job_waits_and_a_timeout_does_not)
{
    cw_context *context = new_context(1);
    struct hold *hold = hold_all(context);
    cw_job *late = waiting(context, cw_elements_with_deadline(NULL, 1));
    cw_job *timed = waiting(context, cw_elements_with_timeout(NULL, 1));
    cw_job *kept = noting(context, cw_elements_with_timeout(NULL, 60000), 'k');
    while (!cw_is_cancelled(late))
        cw__thread_pause();
    /* That took longer than the timeout, which has not begun. */
    ASSERT(!cw_is_cancelled(timed));
    let_go(context, hold);
    ends_by(late, CW_EOVERDUE,
            "the deadline, 1 ms after the launch, has passed");
    ends_by(timed, CW_ETIMEDOUT,
            "the timeout, 1 ms after the job began, has run out");
    wait_for(kept);
    ASSERT(!cw_job_error(kept));
    cw_job_release(kept);
    shut_down(context);
    hold_free(hold);
}

TEST(a_deadline_ends_who_waits_for_room)
{
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_context_limit_queue(context, 1, CW_FULL_WAIT), CW_OK);
    struct hold *hold = hold_all(context);
    cw_job_release(cw_launch(context, note_run, 'a'));
    ends_by(waiting(context, cw_elements_with_deadline(NULL, 5)), CW_EOVERDUE,
            "the deadline, 5 ms after the launch, has passed");
    let_go(context, hold);
    shut_down(context);
    hold_free(hold);
}

CW_FUNCTION(spins_until_stopped, cw_none, cw_none)
{
    while (!cw_is_stopped())
        cw__thread_pause();
    return CW_ECANCELED;
}

TEST(a_function_that_blocks_all_workers_is_told)
{
    cw_context *context = new_context(1);
    const cw_elements *timeout = cw_elements_with_timeout(NULL, 5);
    const cw_elements *there = cw_elements_with_context(timeout, context);
    cw_job *job =
        cw_async_with(there, CW_START_DEFAULT, spins_until_stopped, CW_NONE);
    cw_elements_release(there);
    cw_elements_release(timeout);
    wait_for(job);
    ASSERT(cw_is_cancelled(job));
    cw_job_release(job);
    shut_down(context);
}

TEST(limits_that_did_not_run_out_leave_nothing)
{
    cw_context *context = new_context(2);
    for (int i = 0; i < 100; i++) {
        const cw_elements *timeout = cw_elements_with_timeout(NULL, 100000);
        const cw_elements *both = cw_elements_with_deadline(timeout, 100000);
        cw_elements_release(timeout);
        cw_job *job = noting(context, both, 'x');
        if (i % 5 == 0) cw_cancel(job, NULL);
        wait_for(job);
        cw_job_release(job);
    }
    cw_context *keeper = cw_default_context();
    ASSERT_EQ(atomic_load(&keeper->timers.next_ns), CW__NEVER);
    shut_down(context);
}

TEST(no_memory_for_a_limit_is_told)
{
    cw_context *context = new_context(1);
    ASSERT(cw_default_context());
    const cw_elements *timeout = cw_elements_with_timeout(NULL, 5);
    const cw_elements *both = cw_elements_with_deadline(timeout, 5);
    const cw_elements *there = cw_elements_with_context(both, context);
    cw_elements_release(timeout);
    cw_elements_release(both);
    for (long at = 1;; at++) {
        fail_alloc_at(at);
        cw_job *job =
            cw_async_with(there, CW_START_DEFAULT, wait_for_ever, CW_NONE);
        bool failed = alloc_has_failed();
        fail_alloc_at(0);
        if (!job) ASSERT_EQ(cw_last_error(), CW_ENOMEM);
        if (job) { /* it was cancelled at once, or has one limit at least */
            wait_for(job);
            ASSERT(cw_is_cancelled(job));
            ASSERT(failed || cw__error_is_timeout(cw_job_error(job)));
            cw_job_release(job);
        }
        if (!failed) break;
    }
    cw_elements_release(there);
    shut_down(context);
}
