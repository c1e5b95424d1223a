/* worker_test.c: who runs what, sleeping and waking.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "sleep.h"

#include <sched.h>

/* Waits until `count` workers of the context sleep. */
static void await_sleepers(cw_context *context, uint32_t count)
{
    cw_stats stats;
    do {
        sched_yield();
        cw_context_stats(context, &stats);
    } while (stats.workers < (uint32_t)cw_context_workers(context) ||
             stats.idle != count);
}

/* ---- no job is left lying while a worker sleeps */

/* Many blocking jobs that have to run at the same time. */
struct meeting {
    _Atomic int missing;
    sem_t *all_there;
};

CW_FUNCTION(meet, struct meeting *, cw_none)
{
    if (atomic_fetch_sub(&(*arg)->missing, 1) == 1)
        event_set((*arg)->all_there);
    event_await((*arg)->all_there);
    event_set((*arg)->all_there); /* the next one, too */
    return CW_OK;
}

static void meet_on(cw_context *context, int rounds)
{
    int workers = cw_context_workers(context);
    for (int round = 0; round < rounds; round++) {
        struct meeting meeting = {workers, event_new()};
        cw_job *jobs[16];
        for (int i = 0; i < workers; i++)
            jobs[i] = cw_launch(context, meet, &meeting);
        for (int i = 0; i < workers; i++) {
            wait_for(jobs[i]);
            cw_job_release(jobs[i]);
        }
        event_free(meeting.all_there);
    }
}

TEST(as_many_blocking_jobs_as_workers_run_at_once)
{
    for (int workers = 1; workers <= 8; workers *= 2) {
        cw_context *context = new_context(workers);
        meet_on(context, 100);
        shut_down(context);
    }
}

CW_COROUTINE(launch_meeting, struct meeting *, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = atomic_load(&self->arg->missing); self->i > 0; self->i--)
        ASSERT_EQ(cw_spawn(NULL, meet, self->arg), CW_OK);
    CW_END(self);
}

TEST(what_one_worker_launches_is_taken_by_the_others)
{
    for (int workers = 2; workers <= 8; workers *= 2) {
        cw_context *context = new_context(workers);
        for (int round = 0; round < 100; round++) {
            struct meeting meeting = {workers, event_new()};
            cw_job *job = cw_launch(context, launch_meeting, &meeting);
            wait_for(job);
            cw_job_release(job);
            event_free(meeting.all_there);
        }
        shut_down(context);
    }
}

/* A job ends and wakes two: one by its own end and, when the worker takes it
 * off its parent's list, one more by the end of the scope. The first one keeps
 * the worker busy until the other one has run. */
static cw_job *last_child;
static sem_t *child_runs, *child_may_end, *scope_has_ended;

CW_FUNCTION(end_when_told, cw_none, cw_none)
{
    event_set(child_runs);
    event_await(child_may_end);
    return CW_OK;
}

CW_COROUTINE(launch_last_child, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    last_child = cw_launch(NULL, end_when_told, CW_NONE);
    CW_END(self);
}

CW_COROUTINE(wait_for_scope, cw_none, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_SCOPE(self, launch_last_child, CW_NONE, &self->none);
    event_set(scope_has_ended);
    CW_END(self);
}

CW_COROUTINE(keep_busy_until_scope_ends, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, last_child);
    event_await(scope_has_ended);
    CW_END(self);
}

TEST(what_the_end_of_a_scope_wakes_is_not_left_behind_a_busy_worker)
{
    child_runs = event_new();
    child_may_end = event_new();
    scope_has_ended = event_new();
    cw_context *context = new_context(2);
    cw_job *scope = cw_launch(context, wait_for_scope, CW_NONE);
    event_await(child_runs);
    cw_job *busy = cw_launch(context, keep_busy_until_scope_ends, CW_NONE);
    await_sleepers(context, 1); /* all wait for the child */
    event_set(child_may_end);
    wait_for(busy);
    wait_for(scope);
    cw_job_release(busy);
    cw_job_release(scope);
    cw_job_release(last_child);
    shut_down(context);
    event_free(child_runs);
    event_free(child_may_end);
    event_free(scope_has_ended);
}

/* ---- races with a worker that gets up by itself */

/* As if the worker had got up by itself in the middle of a notification. */
TEST(who_notifies_does_not_wait_for_a_sleeper_that_is_up_already)
{
    cw_context *context = new_context(1);
    await_sleepers(context, 1);
    atomic_fetch_and(&context->idle_bits[0], ~1u);
    cw__context_notify(context);
    atomic_fetch_or(&context->idle_bits[0], 1u);
    shut_down(context);
}

/* The test gives a job to a sleeping worker, but is held up between taking it
 * out of the sleepers and handing over. Meanwhile the worker gets up by itself,
 * because of a timer, and there is other work for it that takes long. */
CW_COROUTINE(short_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 400); /* long enough to get ready for its end */
    CW_END(self);
}

TEST(a_job_that_is_handed_over_late_is_not_left_behind_a_long_one)
{
    cw_context *context = new_context(2);
    await_sleepers(context, 2);
    cw_job *delay = cw_launch(context, short_delay, CW_NONE);
    uint32_t keeper;
    do {
        keeper = atomic_load(&context->keeper);
    } while (keeper == 0);
    await_sleepers(context, 2);
    keeper = atomic_load(&context->keeper) - 1;
    cw__worker *worker = &context->workers[keeper];
    ASSERT(atomic_load(&context->idle_bits[0]) == 3u); /* both still sleep */

    /* What giving begins with. */
    atomic_fetch_and(&context->idle_bits[0], ~(1u << keeper));
    atomic_fetch_sub(&context->idle, (1u << 16) - 1);
    /* Long jobs for both. */
    struct hold hold = {event_new(), event_new()};
    ASSERT_EQ(cw_spawn(context, hold_worker, &hold), CW_OK);
    ASSERT_EQ(cw_spawn(context, hold_worker, &hold), CW_OK);
    cw__context_notify(context);
    cw__worker_unpark(&context->workers[1 - keeper]);
    event_await(hold.entered);
    /* The worker gets up when the delay is over. One that does not care takes
     * the timer off and then the other long job. */
    int64_t deadline = atomic_load(&context->timers.next_ns);
    while (cw__now_ns() < deadline + 100 * 1000 * 1000 &&
           atomic_load(&context->timers.next_ns) != CW__NEVER)
        sched_yield();
    for (int i = 0; i < 1000; i++)
        sched_yield();
    cw_job *job = cw__job_new(context, &give, 0, 1, 0);
    ASSERT(cw__context_admit(NULL, context));
    cw_job *other = atomic_exchange(&worker->handed, job);
    if (other) cw__inbox_push(&context->inject, (uintptr_t)other);
    atomic_store(&worker->word, 1);
    cw__futex_wake(&worker->word);

    wait_for(job); /* with all long jobs still waiting */
    event_set(hold.release);
    event_set(hold.release);
    wait_for(delay);
    cw_job_release(job);
    cw_job_release(delay);
    shut_down(context);
    event_free(hold.entered);
    event_free(hold.release);
}

/* One worker is about to sleep, and to keep the time, when it sees that there
 * is work after all. It runs that, then sleeps: it has to keep the time now. */
static sem_t *launched, *leave;

CW_COROUTINE(launch_and_block, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, give, 1), CW_OK);
    event_set(launched);
    event_await(leave);
    CW_END(self);
}

TEST(who_almost_slept_keeps_the_time_when_it_sleeps)
{
    launched = event_new();
    leave = event_new();
    struct hold hold = {event_new(), event_new()};
    cw_context *context = new_context(2);
    cw_job *delay = cw_launch(context, short_delay, CW_NONE);
    while (atomic_load(&context->timers.next_ns) == CW__NEVER)
        sched_yield();
    ASSERT_EQ(cw_spawn(context, hold_worker, &hold), CW_OK);
    event_await(hold.entered);
    ASSERT_EQ(cw_spawn(context, launch_and_block, CW_NONE), CW_OK);
    event_await(launched);
    /* As if somebody else searched, so that this one does not. */
    atomic_fetch_add(&context->idle, 1);
    event_set(hold.release);
    wait_for(delay);
    atomic_fetch_sub(&context->idle, 1);
    event_set(leave);
    cw_job_release(delay);
    shut_down(context);
    event_free(launched);
    event_free(leave);
    event_free(hold.entered);
    event_free(hold.release);
}

/* ---- to each worker its own job */

struct greeting {
    _Atomic int *delayed; /* counts */
    uint32_t before, after;
};

CW_COROUTINE(note_workers, struct greeting *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    self->arg->before = cw__self->index;
    atomic_fetch_add(self->arg->delayed, 1);
    CW_DELAY(self, 5);
    self->arg->after = cw__self->index;
    CW_END(self);
}

TEST(jobs_from_outside_begin_and_go_on_on_workers_of_their_own)
{
    for (int round = 0; round < 100; round++) {
        cw_context *context = new_context(3);
        struct greeting greetings[3];
        _Atomic int delayed = 0;
        cw_job *jobs[3];
        for (int i = 0; i < 3; i++) {
            greetings[i] = (struct greeting){&delayed, 3, 3};
            jobs[i] = cw_launch(context, note_workers, &greetings[i]);
            /* The first one's delay wakes a worker to keep the time. */
            if (i == 0 && round % 4)
                for (int k = round % 4 * 5; k > 0; k--)
                    cw__thread_pause();
        }
        uint32_t before = 0, after = 0;
        for (int i = 0; i < 3; i++) {
            wait_for(jobs[i]);
            cw_job_release(jobs[i]);
            before |= 1u << greetings[i].before;
            after |= 1u << greetings[i].after;
        }
        ASSERT_EQ(before, 7);
        ASSERT_EQ(after, 7);
        shut_down(context);
    }
}

/* As if a worker had got up, and not looked for work yet. */
static void take_out_of_sleepers(cw__worker *worker)
{
    ASSERT(cw__clear_idle_bit(worker->context, worker->index));
    atomic_fetch_sub(&worker->context->idle,
                     CW__ONE_SLEEPER - CW__ONE_SEARCHER);
}

TEST(a_worker_that_has_run_nothing_is_given_a_job_when_it_is_awake)
{
    cw_context *context = new_context(2);
    await_sleepers(context, 2);
    cw__worker *worker = &context->workers[0];
    take_out_of_sleepers(worker);
    cw_job *job = cw_launch(context, give, 1);
    ASSERT(atomic_load(&worker->handed) == job);
    cw__wake(worker);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
}

TEST(after_a_delay_a_job_goes_to_its_worker_if_that_is_awake_and_free)
{
    cw_context *context = new_context(2);
    await_sleepers(context, 2);
    cw__worker *worker = &context->workers[1];
    for (int round = 0; round < 2; round++) {
        cw_job *job = cw__job_new(context, &give, 0, 1, 0);
        ASSERT(cw__context_admit(NULL, context));
        job->last = 2;
        take_out_of_sleepers(worker);
        if (round == 0) {
            ASSERT(cw__hand_over(&context->workers[0], job));
            ASSERT(atomic_load(&worker->handed) == job);
        } else { /* busy */
            atomic_store(&worker->free, 0);
            ASSERT(!cw__hand_over(&context->workers[0], job));
            ASSERT(!atomic_load(&worker->handed));
            atomic_store(&worker->free, 1);
            cw__dispatch(NULL, job, CW__QUEUED);
        }
        cw__wake(worker);
        wait_for(job);
        cw_job_release(job);
        await_sleepers(context, 2);
    }
    shut_down(context);
}

/* As if it had found something else that takes long. */
static void make_busy(cw__worker *worker)
{
    ASSERT(atomic_load(&worker->handed));
    atomic_store(&worker->free, 0);
}

TEST(what_a_worker_is_given_just_too_late_is_not_left_there)
{
    cw_context *context = new_context(2);
    await_sleepers(context, 2);
    cw__worker *worker = &context->workers[0];
    take_out_of_sleepers(worker);
    atomic_store(&test_before_unpark, make_busy);
    cw_job *job = cw_launch(context, give, 1);
    atomic_store(&test_before_unpark, NULL);
    ASSERT(!atomic_load(&worker->handed));
    /* A searcher, busy: the other one is not told. */
    cw__worker_unpark(&context->workers[1]);
    wait_for(job);
    ASSERT_EQ(job->last, 2);
    cw_job_release(job);
    cw__wake(worker);
    shut_down(context);
}

/* ---- sharing out */

struct spread {
    _Atomic int count[8];
};

CW_COROUTINE(note_worker, struct spread *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->count[cw__self->index], 1);
    for (volatile int i = 0; i < 20000; i++) {
    }
    CW_END(self);
}

CW_COROUTINE(launch_many, struct spread *, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 10000; self->i++)
        ASSERT_EQ(cw_spawn(NULL, note_worker, self->arg), CW_OK);
    CW_END(self);
}

TEST(many_jobs_of_one_worker_are_shared_out)
{
    static struct spread spread;
    cw_context *context = new_context(2);
    await_sleepers(context, 2);
    cw_job *job = cw_launch(context, launch_many, &spread);
    wait_for(job);
    ASSERT_EQ(spread.count[0] + spread.count[1], 10000);
    ASSERT(spread.count[0] > 0 && spread.count[1] > 0);
    cw_job_release(job);
    shut_down(context);
}

/* Two jobs that always resume each other do not keep out the rest. */
static _Atomic bool stop_playing;

CW_COROUTINE(play, cw_context *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    while (!atomic_load(&stop_playing)) {
        self->job = cw_launch(NULL, give, 1);
        CW_JOIN(self, self->job);
        cw_job_release(self->job);
    }
    CW_END(self);
}

CW_COROUTINE(stop_the_play, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    atomic_store(&stop_playing, true);
    CW_END(self);
}

TEST(jobs_that_resume_each_other_do_not_keep_out_the_rest)
{
    for (int workers = 1; workers <= 2; workers++) {
        cw_context *context = new_context(workers);
        atomic_store(&stop_playing, false);
        cw_job *jobs[5];
        for (int i = 0; i < 4; i++)
            jobs[i] = cw_launch(context, play, context);
        jobs[4] = cw_launch(context, stop_the_play, 1000);
        for (int i = 0; i < 5; i++) {
            wait_for(jobs[i]);
            cw_job_release(jobs[i]);
        }
        shut_down(context);
    }
}

CW_CHANNEL_TYPE(events, sem_t *)

CW_COROUTINE(set_events, events, cw_none, sem_t *event;)
{
    CW_BEGIN(self);
    CW_RECEIVE_EACH(self, events, self->arg, &self->event)
    {
        event_set(self->event);
    }
    CW_END(self);
}

/* Resumes the other one and then blocks its worker until that has run. */
CW_COROUTINE(await_events, events, cw_none, sem_t *event; int i;)
{
    CW_BEGIN(self);
    self->event = event_new();
    for (self->i = 0; self->i < 200; self->i++) {
        CW_SEND(self, events, self->arg, self->event);
        event_await(self->event);
    }
    cw_channel_close(self->arg.channel, NULL, NULL);
    event_free(self->event);
    CW_END(self);
}

/* Whether the other worker naps, sleeps or looks for work just then. */
TEST(what_a_busy_body_resumes_goes_on_elsewhere)
{
    static const int capacities[] = {CW_RENDEZVOUS, 8};
    cw_context *context = new_context(2);
    for (int i = 0; i < 2; i++) {
        events channel = events_new(capacities[i]);
        cw_job *setting = cw_launch(context, set_events, channel);
        cw_job *awaiting = cw_launch(context, await_events, channel);
        wait_for(setting);
        wait_for(awaiting); /* it closes the channel, which ends the other */
        cw_job_release(setting);
        cw_job_release(awaiting);
        cw_channel_release(channel.channel);
    }
    shut_down(context);
}

/* A worker that is never out of work still looks outside and at the clock. */
CW_COROUTINE(yield_until_stopped, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    while (!atomic_load(&stop_playing))
        CW_YIELD(self);
    CW_END(self);
}

TEST(a_busy_worker_takes_work_from_outside)
{
    cw_context *context = new_context(1);
    cw_spawn(context, yield_until_stopped, CW_NONE);
    cw_spawn(context, yield_until_stopped, CW_NONE);
    cw_job *job = cw_launch(context, give, 1);
    wait_for(job);
    cw_job_release(job);
    atomic_store(&stop_playing, true);
    shut_down(context);
}

TEST(a_busy_worker_looks_at_the_clock)
{
    cw_context *context = new_context(1);
    cw_spawn(context, yield_until_stopped, CW_NONE);
    cw_spawn(context, yield_until_stopped, CW_NONE);
    cw_job *job = cw_launch(context, short_delay, CW_NONE);
    wait_for(job);
    cw_job_release(job);
    atomic_store(&stop_playing, true);
    shut_down(context);
}

/* ---- sleeping */

TEST(idle_workers_sleep)
{
    cw_context *context = new_context(4);
    cw_stats before, after;
    do {
        await_sleepers(context, 4);
        cw_context_stats(context, &before);
    } while (before.parks < 4); /* each one went to sleep, once */
    struct timespec a_while = {0, 50 * 1000 * 1000};
    nanosleep(&a_while, NULL); /* nothing happens: that is the point */
    cw_context_stats(context, &after);
    ASSERT_EQ(after.parks, before.parks);
    ASSERT_EQ(after.wakes, before.wakes);
    ASSERT_EQ(after.steps, 0);
    shut_down(context);
}

CW_COROUTINE(one_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_END(self);
}

CW_COROUTINE(long_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000000);
    CW_END(self);
}

TEST(a_sleeping_pool_keeps_the_time_with_one_worker)
{
    cw_context *context = new_context(4);
    cw_job *job = cw_launch(context, long_delay, CW_NONE);
    while (atomic_load(&context->keeper) == 0)
        sched_yield();
    await_sleepers(context, 4);
    uint32_t keeper = atomic_load(&context->keeper);
    ASSERT(keeper >= 1 && keeper <= 4);
    cw_cancel(job, NULL);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
}

TEST(a_timer_that_comes_first_wakes_the_keeper)
{
    cw_context *context = new_context(2);
    cw_job *never = cw_launch(context, long_delay, CW_NONE);
    while (atomic_load(&context->keeper) == 0)
        sched_yield();
    for (int i = 0; i < 20; i++) { /* set by the keeper, or by the other one */
        await_sleepers(context, 2);
        cw_job *soon = cw_launch(context, one_delay, CW_NONE);
        wait_for(soon);
        cw_job_release(soon);
    }
    ASSERT(cw_is_active(never));
    cw_cancel(never, NULL);
    cw_job_release(never);
    shut_down(context);
}

CW_FUNCTION(does_little, cw_none, cw_none) { return CW_OK; }

CW_COROUTINE(launches_little, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(NULL, does_little, CW_NONE), CW_OK);
    CW_END(self);
}

TEST(naps_are_for_what_bodies_launch)
{
    cw_context *context = new_context(2);
    for (int i = 0; i < 20; i++) {
        await_sleepers(context, 2);
        cw_job *job = cw_launch(context, does_little, CW_NONE);
        wait_for(job);
        cw_job_release(job);
        ASSERT_EQ(atomic_load(&context->naps), CW__NAPS_USELESS);
    }
    await_sleepers(context, 2);
    do { /* until nobody is awake to see the launch, and to find it useless */
        cw_job *job = cw_launch(context, launches_little, CW_NONE);
        wait_for(job);
        cw_job_release(job);
    } while (atomic_load(&context->naps) == CW__NAPS_USELESS);
    shut_down(context);
}

/* How many expectations are left out. */
static int left_out(cw__worker *worker)
{
    int count = 0;
    for (cw__worker_expect(worker); !worker->expects; count++)
        cw__worker_expect(worker);
    return count;
}

TEST(the_more_often_it_was_in_vain_the_less_is_expected)
{
    cw_context *context = cw__context_adopt("expects");
    cw__worker *worker = &context->workers[0];
    ASSERT(!cw__await_expected(worker)); /* nothing is */
    for (int expected = 0, round = 0; round < 12; round++) {
        ASSERT_EQ(left_out(worker), expected);
        ASSERT(!cw__await_expected(worker));
        ASSERT(!worker->expects);
        if (expected < 1023) expected = expected * 2 + 1;
    }
    ASSERT_EQ(left_out(worker), 1023);
    cw__worker_expected(worker); /* it was not in vain */
    ASSERT(!worker->expects);
    ASSERT_EQ(left_out(worker), 0);
    ASSERT(!cw__await_expected(worker));
    ASSERT_EQ(left_out(worker), 1);
    cw__context_disown(context);
}

TEST(what_comes_meanwhile_ends_the_look_around_but_not_the_expectation)
{
    cw_context *context = cw__context_adopt("expects");
    cw__worker *worker = &context->workers[0];
    cw_job *job = cw_launch(context, does_little, CW_NONE);
    cw__worker_expect(worker);
    ASSERT(cw__await_expected(worker));
    ASSERT(worker->expects);
    cw__self = worker;
    ASSERT_EQ(cw__worker_run(worker, 0, job), CW__RUN_VISIT);
    cw__self = NULL;
    ASSERT(cw_is_completed(job));
    ASSERT(worker->expects);
    cw_job_release(job);
    cw__worker_expected(worker);
    cw__context_disown(context);
}
