/* deadlock_test.c: hints at jobs that wait for what will never happen.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "coworker_test.h"
#include "helpers.h"

CW_CHANNEL_TYPE(ints, int)

/* ---- hints */

static char hint[4096];
static sem_t *hinted; /* set at the first line of a hint */

static void note_hint(void *arg, const char *line)
{
    (void)arg;
    bool first = !*hint;
    strncat(hint, line, sizeof hint - strlen(hint) - 1);
    strncat(hint, "\n", sizeof hint - strlen(hint) - 1);
    if (first && hinted) event_set(hinted);
}

static void expect_hint(void)
{
    *hint = 0;
    cw_debug_set(CW_DEBUG_DEADLOCKS, note_hint, NULL);
}

#define ASSERT_HINT(text)                                                      \
    (strstr(hint, text) ? (void)0 : test_failed(__FILE__, __LINE__, text, hint))

/* Cancels a job once there was a hint. */
static void *cancel_when_hinted(void *arg)
{
    event_await(hinted);
    cw_cancel(*(cw_job **)arg, NULL);
    return NULL;
}

/* Runs it; `*job` is what it waits for in vain. */
static int run_until_hinted(const cw_coroutine *type, cw_job **job)
{
    pthread_t thread;
    cw_none none;
    hinted = event_new();
    expect_hint();
    ASSERT_EQ(pthread_create(&thread, NULL, cancel_when_hinted, job), 0);
    int status = cw__run_blocking(type, &CW_NONE, &none, NULL);
    pthread_join(thread, NULL);
    event_free(hinted);
    return status;
}

/* ---- in loops of a thread's own */

static cw_job *victim;
static ints nothing_comes;

CW_COROUTINE(receives_in_vain, cw_none, cw_none, int element;)
{
    CW_BEGIN(self);
    victim = cw_job_retain(cw_current_job());
    CW_RECEIVE(self, ints, nothing_comes, &self->element);
    CW_END(self);
}

CW_COROUTINE(has_a_child_in_vain, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, receives_in_vain, CW_NONE), CW_OK);
    CW_END(self);
}

TEST(a_loop_whose_jobs_all_wait_is_told_of)
{
    nothing_comes = ints_new(CW_RENDEZVOUS);
    ASSERT_EQ(run_until_hinted(&has_a_child_in_vain, &victim), CW_OK);
    ASSERT_HINT(
        "coworker: may be deadlocked: all jobs wait\n"
        "#1 has_a_child_in_vain: launch, completing; waits for 1 child, "
        "on run-blocking\n"
        "  #2 receives_in_vain: launch, active; receives from channel");
    ASSERT(!strstr(hint, "circle"));
    cw_job_release(victim);
    cw_channel_release(nothing_comes.channel);
}

CW_COROUTINE(has_an_unconfined_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(cw_unconfined_context(), receives_in_vain, CW_NONE),
              CW_OK);
    CW_END(self);
}

TEST(jobs_that_run_anywhere_wait_as_well)
{
    nothing_comes = ints_new(CW_RENDEZVOUS);
    ASSERT_EQ(run_until_hinted(&has_an_unconfined_child, &victim), CW_OK);
    ASSERT_HINT("receives from channel");
    ASSERT_HINT("on unconfined");
    cw_job_release(victim);
    cw_channel_release(nothing_comes.channel);
}

CW_COROUTINE(joins_its_parent, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    victim = cw_job_retain(cw_current_job());
    CW_JOIN(self, self->arg);
    CW_END(self);
}

CW_COROUTINE(is_joined_by_its_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, joins_its_parent, cw_current_job()), CW_OK);
    CW_END(self);
}

TEST(jobs_that_wait_for_each_other_are_told)
{
    ASSERT_EQ(run_until_hinted(&is_joined_by_its_child, &victim), CW_OK);
    ASSERT_HINT("coworker: in a circle: ");
    ASSERT_HINT("#1 is_joined_by_its_child needs #2 joins_its_parent");
    ASSERT_HINT("#2 joins_its_parent needs #1 is_joined_by_its_child");
    cw_job_release(victim);
}

/* Two that take two locks in different order. */
static cw_mutex *locks[2];

CW_COROUTINE(takes_both, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_LOCK(self, locks[self->arg], self);
    CW_YIELD(self);
    CW_LOCK(self, locks[!self->arg], self);
    ASSERT_EQ(cw_unlock(locks[!self->arg], self), CW_OK);
    CW_FINALLY(self);
    ASSERT_EQ(cw_unlock(locks[self->arg], self), CW_OK);
    CW_END(self);
}

CW_COROUTINE(takes_locks, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    victim = cw_launch(NULL, takes_both, 0);
    ASSERT_EQ(cw_spawn(NULL, takes_both, 1), CW_OK);
    CW_END(self);
}

TEST(jobs_that_lock_in_different_order_are_told)
{
    locks[0] = cw_mutex_new(false);
    locks[1] = cw_mutex_new(false);
    ASSERT_EQ(run_until_hinted(&takes_locks, &victim), CW_OK);
    ASSERT_HINT("held by #3");
    ASSERT_HINT("held by #2");
    ASSERT_HINT("#2 takes_both needs #3 takes_both");
    cw_job_release(victim);
    cw_mutex_release(locks[0]);
    cw_mutex_release(locks[1]);
}

CW_COROUTINE(leaves_a_child_unstarted, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    victim = cw_launch_with(NULL, CW_START_LAZY, give, 1);
    CW_END(self);
}

CW_COROUTINE(forgets_a_lazy_job, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, leaves_a_child_unstarted, CW_NONE, &self->none);
    CW_END(self);
}

TEST(a_job_that_nobody_has_started_is_told)
{
    ASSERT_EQ(run_until_hinted(&forgets_a_lazy_job, &victim), CW_OK);
    ASSERT_HINT("    #3 give: launch, new; not started\n");
    ASSERT_HINT("coworker: nobody has started #3 give, which keeps #2 "
                "leaves_a_child_unstarted from ending\n");
    cw_job_release(victim);
}

/* A body that blocks its thread in a loop of its own waits, too. */
CW_FUNCTION(blocks_in_vain, cw_none, cw_none)
{
    return cw_run_blocking(has_a_child_in_vain, CW_NONE, result, NULL);
}

TEST(a_thread_that_waits_in_a_job_is_told_of)
{
    hinted = event_new();
    expect_hint();
    nothing_comes = ints_new(CW_RENDEZVOUS);
    cw_context *context = new_context(2);
    cw_job *job = cw_launch(context, blocks_in_vain, CW_NONE);
    event_await(hinted);
    cw_cancel(victim, NULL);
    wait_for(job);
    shut_down(context);
    ASSERT_HINT("#1 blocks_in_vain: launch, active; runs, on test worker");
    ASSERT_HINT("  #2 has_a_child_in_vain: launch, completing;");
    cw_job_release(job);
    cw_job_release(victim);
    cw_channel_release(nothing_comes.channel);
    event_free(hinted);
}

/* ---- where it is none */

CW_COROUTINE(delays, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 2);
    CW_END(self);
}

static void *resume_soon(void *continuation)
{
    cw_resume(continuation, NULL);
    cw_continuation_release(continuation);
    return NULL;
}

static pthread_t resumer;

static void call_thread(cw_continuation *continuation, void *arg)
{
    (void)arg;
    pthread_create(&resumer, NULL, resume_soon, continuation);
}

CW_COROUTINE(is_resumed_by_a_thread, cw_none, cw_none, int value;)
{
    CW_BEGIN(self);
    CW_SUSPEND_WITH(self, call_thread, NULL, &self->value);
    CW_END(self);
}

CW_COROUTINE(waits_for_others, cw_context *, cw_none, cw_job *job;
             cw_none none;)
{
    CW_BEGIN(self);
    self->job = cw_async(self->arg, delays, CW_NONE);
    CW_AWAIT(self, delays, self->job, &self->none);
    CW_WITH_TIMEOUT(self, 1, wait_for_ever, CW_NONE, &self->none);
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

TEST(who_will_go_on_is_not_told_of)
{
    cw_none none;
    expect_hint();
    RUN(delays);
    RUN(is_resumed_by_a_thread);
    pthread_join(resumer, NULL);
    cw_context *context = new_context(2);
    ASSERT_EQ(cw_run_blocking(waits_for_others, context, &none, NULL),
              CW_ECANCELED);
    shut_down(context);
    ASSERT_STR(hint, "");
}

/* Idle workers are no deadlock, as long as nobody waits in a circle. */
TEST(jobs_of_a_pool_may_wait_for_threads)
{
    expect_hint();
    nothing_comes = ints_new(CW_RENDEZVOUS);
    cw_context *context = new_context(1);
    cw_job *job = cw_launch(context, receives_in_vain, CW_NONE);
    cw_stats stats;
    do { /* it has found nothing to do */
        cw_context_stats(context, &stats);
    } while (stats.steps < 1 || stats.parks < 2);
    ASSERT_EQ(ints_try_send(nothing_comes, 1), CW_OK);
    shut_down(context);
    ASSERT(cw_is_completed(job) && !cw_job_error(job));
    ASSERT_STR(hint, "");
    cw_job_release(job);
    cw_job_release(victim);
    cw_channel_release(nothing_comes.channel);
}

TEST(jobs_of_a_pool_in_a_circle_are_told_of)
{
    hinted = event_new();
    expect_hint();
    cw_context *context = new_context(2);
    cw_job *job = cw_launch(context, is_joined_by_its_child, CW_NONE);
    event_await(hinted);
    cw_cancel(job, NULL);
    shut_down(context);
    ASSERT_HINT("coworker: in a circle: ");
    cw_job_release(job);
    cw_job_release(victim);
    event_free(hinted);
}

/* ---- in tests */

TEST(a_test_that_would_hang_is_told_of_before_its_time_is_over)
{
    expect_hint();
    nothing_comes = ints_new(CW_RENDEZVOUS);
    cw_none none;
    cw_error *error;
    cw_test_options options = {.timeout_ms = 5};
    ASSERT_EQ(
        cw_run_test_with(&options, has_a_child_in_vain, CW_NONE, &none, &error),
        CW_ETIMEDOUT);
    ASSERT_HINT("  #3 receives_in_vain: launch, active; receives from channel");
    ASSERT(strstr(cw_error_message(error),
                  "active: receives_in_vain (receives from channel"));
    cw_error_release(error);
    cw_job_release(victim);
    cw_channel_release(nothing_comes.channel);
}

static void hang_without_handler(void)
{
    cw_debug_set(CW_DEBUG_DEADLOCKS, NULL, NULL);
    cw_none none;
    cw_test_options options = {.timeout_ms = 5};
    if (cw_run_test_with(&options, wait_for_ever, CW_NONE, &none, NULL) ==
        CW_ETIMEDOUT)
        abort();
}

TEST(hints_go_to_the_log_by_default)
{
    assert_aborts(hang_without_handler,
                  "coworker: may be deadlocked: all jobs wait");
}
