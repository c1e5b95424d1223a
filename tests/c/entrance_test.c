/* entrance_test.c: contexts where only so many jobs may wait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "booked.h"
#include "context.h"
#include "dispatcher.h"
#include "entrance.h"

static cw_context *limited(int workers, int max, cw_when_full when_full)
{
    cw_context *context = new_context(workers);
    ASSERT_EQ(cw_context_limit_queue(context, max, when_full), CW_OK);
    return context;
}

TEST(wrong_limits_are_told)
{
    cw_context *context = new_context(2);
    ASSERT_EQ(cw_context_limit_queue(context, 0, CW_FULL_FAIL), CW_EINVAL);
    ASSERT_EQ(cw_context_limit_queue(context, 1, (cw_when_full)7), CW_EINVAL);
    cw_context *view = cw_limited_parallelism(context, 1, "view");
    ASSERT_EQ(cw_context_limit_queue(view, 1, CW_FULL_FAIL), CW_ENOTSUP);
    cw_context_release(view);
    fail_alloc_at(1);
    int status = cw_context_limit_queue(context, 1, CW_FULL_FAIL);
    /* Unless there was a free block of that size. */
    ASSERT_EQ(status, alloc_has_failed() ? CW_ENOMEM : CW_OK);
    fail_alloc_at(0);
    if (status != CW_OK)
        ASSERT_EQ(cw_context_limit_queue(context, 1, CW_FULL_FAIL), CW_OK);
    ASSERT_EQ(cw_context_limit_queue(context, 1, CW_FULL_FAIL), CW_ESTATE);
    ASSERT_EQ(cw_context_limit_queue(cw_unconfined_context(), 1, CW_FULL_FAIL),
              CW_ENOTSUP);
    shut_down(context);
}

TEST(a_full_queue_refuses)
{
    cw_context *context = limited(1, 2, CW_FULL_FAIL);
    struct hold *hold = hold_all(context);
    cw_job_release(cw_launch(context, note_run, 'a'));
    ASSERT_EQ(cw_spawn(context, note_run, 'b'), CW_OK);
    ASSERT(!cw_launch(context, note_run, 'x'));
    ASSERT_EQ(cw_last_error(), CW_EQUEUEFULL);
    ASSERT(!cw_async(context, note_run, 'x'));
    ASSERT_EQ(cw_last_error(), CW_EQUEUEFULL);
    ASSERT_EQ(cw_spawn(context, note_run, 'x'), CW_EQUEUEFULL);
    ASSERT(!ranked(context, CW_PRIORITY_HIGH, 'x'));
    ASSERT_EQ(cw_last_error(), CW_EQUEUEFULL);
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "ab");
    hold_free(hold);
}

TEST(a_refused_launch_takes_no_place)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    struct hold *hold = hold_all(context);
    cw_job *job = NULL;
    for (long at = 1; !job; at++) {
        fail_alloc_at(at);
        job = cw_launch(context, note_run, 'a');
        if (!job) ASSERT_EQ(cw_last_error(), CW_ENOMEM);
    }
    fail_alloc_at(0);
    cw_job_release(job);
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "a");
    hold_free(hold);
}

CW_COROUTINE(launches_many, int, cw_none, int i; cw_job * job;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++) {
        self->job = cw_launch(NULL, note_run, 'c');
        ASSERT(self->job);
        cw_job_release(self->job);
    }
    CW_END(self);
}

TEST(its_own_jobs_are_not_counted)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    cw_job *job = cw_async(context, launches_many, 100);
    wait_for(job);
    ASSERT(!cw_job_error(job));
    cw_job_release(job);
    ASSERT_EQ(atomic_load(&ran_count), 100);
    shut_down(context);
}

TEST(a_cancelled_job_gives_its_place_back)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    for (int i = 0; i < 10; i++) {
        struct hold *hold = malloc(sizeof *hold);
        *hold = (struct hold){event_new(), event_new()};
        cw_job *first = cw_launch(context, hold_worker, hold);
        ASSERT(first);
        event_await(hold->entered);
        cw_job *job = cw_launch(context, note_run, 'x');
        ASSERT(job);
        cw_cancel(job, NULL);
        ASSERT(!cw_launch(context, note_run, 'x'));
        event_set(hold->release);
        wait_for(job);
        wait_for(first);
        cw_job_release(first);
        cw_job_release(job);
        hold_free(hold);
    }
    ASSERT_EQ(atomic_load(&ran_count), 0);
    shut_down(context);
}

/* ---- waiting for room */

TEST(who_waits_for_room_is_new_and_comes_in_order)
{
    cw_context *context = limited(1, 1, CW_FULL_WAIT);
    struct hold *hold = hold_all(context);
    cw_job *jobs[6];
    for (int i = 0; i < 6; i++) {
        jobs[i] = cw_launch(context, note_run, (char)('a' + i));
        ASSERT(jobs[i]);
        ASSERT_EQ(cw_is_active(jobs[i]), i == 0);
        ASSERT(!cw_is_completed(jobs[i]));
        ASSERT(!cw_job_start(jobs[i]));
    }
    let_go(context, hold);
    for (int i = 0; i < 6; i++) {
        wait_for(jobs[i]);
        ASSERT(!cw_job_error(jobs[i]));
        cw_job_release(jobs[i]);
    }
    shut_down(context);
    ASSERT_STR(ran, "abcdef");
    hold_free(hold);
}

TEST(the_line_for_room_is_ranked)
{
    cw_context *context = limited(1, 1, CW_FULL_WAIT);
    struct hold *hold = hold_all(context);
    launch_ranks(context, "NLNHNH");
    cw_job *last = ranked(context, CW_PRIORITY_LOW, 'L');
    let_go(context, hold);
    wait_for(last); /* closing would let all in */
    cw_job_release(last);
    shut_down(context);
    ASSERT_STR(ran, "NHHNNLL");
    hold_free(hold);
}

TEST(who_waits_for_room_ends_at_once_when_it_is_cancelled)
{
    cw_context *context = limited(1, 1, CW_FULL_WAIT);
    struct hold *hold = hold_all(context);
    cw_job *first = cw_launch(context, note_run, 'a');
    cw_job *second = cw_launch(context, note_run, 'x');
    cw_job *third = cw_launch(context, note_run, 'b');
    cw_cancel(second, NULL);
    ASSERT(cw_is_completed(second));
    ASSERT_EQ(cw_error_code(cw_job_error(second)), CW_ECANCELED);
    let_go(context, hold);
    wait_for(third);
    shut_down(context);
    ASSERT_STR(ran, "ab");
    cw_job_release(first);
    cw_job_release(second);
    cw_job_release(third);
    hold_free(hold);
}

TEST(a_launch_may_say_otherwise)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    struct hold *hold = hold_all(context);
    cw_job_release(cw_launch(context, note_run, 'a'));
    cw_job *job =
        noting(context, cw_elements_with_when_full(NULL, CW_FULL_WAIT), 'b');
    ASSERT(job);
    ASSERT(!cw_is_active(job));
    cw_job_release(job);
    ASSERT(!cw_launch(context, note_run, 'x'));
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "ab");
    hold_free(hold);
}

TEST(a_lazy_job_takes_a_place_when_it_is_started)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    struct hold *hold = hold_all(context);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    cw_job *lazy = cw_launch_with(there, CW_START_LAZY, note_run, 'b');
    cw_job *other = cw_launch_with(there, CW_START_LAZY, note_run, 'x');
    cw_elements_release(there);
    cw_job_release(cw_launch(context, note_run, 'a'));
    ASSERT(cw_job_start(lazy));
    ASSERT(!cw_job_start(lazy));
    ASSERT(!cw_is_active(lazy));
    cw_cancel(other, NULL);
    ASSERT(cw_is_completed(other));
    let_go(context, hold);
    wait_for(lazy);
    cw_job_release(lazy);
    cw_job_release(other);
    shut_down(context);
    ASSERT_STR(ran, "ab");
    hold_free(hold);
}

CW_COROUTINE(notes_that_it_is_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&ran_count, 1);
    ASSERT(cw_is_stopped());
    CW_END(self);
}

TEST(an_atomic_one_runs_though_it_was_cancelled_in_the_line)
{
    cw_context *context = limited(1, 1, CW_FULL_WAIT);
    struct hold *hold = hold_all(context);
    const cw_elements *there = cw_elements_with_context(NULL, context);
    cw_job *first = cw_launch(context, give, 1);
    cw_job *job = cw_launch_with(there, CW_START_ATOMIC,
                                 notes_that_it_is_cancelled, CW_NONE);
    cw_elements_release(there);
    cw_cancel(job, NULL);
    ASSERT(!cw_is_completed(job));
    let_go(context, hold);
    wait_for(job);
    ASSERT_EQ(atomic_load(&ran_count), 1);
    cw_job_release(first);
    cw_job_release(job);
    shut_down(context);
    hold_free(hold);
}

TEST(closing_lets_everybody_in)
{
    cw_context *context = limited(1, 1, CW_FULL_WAIT);
    struct hold *hold = hold_all(context);
    for (char letter = 'a'; letter <= 'e'; letter++)
        cw_job_release(cw_launch(context, note_run, letter));
    cw_context_close(context);
    cw_job *late = cw_launch(context, note_run, 'x');
    ASSERT(cw_is_completed(late));
    cw_job_release(late);
    let_go(context, hold);
    shut_down(context);
    ASSERT_STR(ran, "abcde");
    hold_free(hold);
}

/* Launches from a loop of its own, one after the other. */
struct feeding {
    cw_context *context;
    int count;
    int most; /* of jobs that were seen to wait */
};

static uint32_t places_taken(cw_context *context)
{
    cw__entrance *entrance = atomic_load(&context->entrance);
    cw__lock_acquire(&entrance->lock);
    uint32_t taken = entrance->taken;
    cw__lock_release(&entrance->lock);
    return taken;
}

CW_COROUTINE(feeds, struct feeding *, cw_none, int i; cw_job * job;
             const cw_elements *there;)
{
    CW_BEGIN(self);
    self->there = cw_elements_with_context(NULL, self->arg->context);
    for (self->i = 0; self->i < self->arg->count; self->i++) {
        CW_LAUNCH_WAIT(self, self->there, &self->job, note_run, 'f');
        ASSERT(cw_is_active(self->job) || cw_is_completed(self->job));
        cw_job_release(self->job);
        if ((int)places_taken(self->arg->context) > self->arg->most)
            self->arg->most = (int)places_taken(self->arg->context);
    }
    CW_FINALLY(self);
    cw_elements_release(self->there);
    CW_END(self);
}

TEST(a_body_can_wait_until_it_is_let_in)
{
    cw_context *context = limited(2, 3, CW_FULL_FAIL);
    struct feeding feeding = {context, 400, 0};
    cw_none none;
    ASSERT_EQ(cw_run_blocking(feeds, &feeding, &none, NULL), CW_OK);
    ASSERT_EQ(atomic_load(&ran_count), 400);
    ASSERT(feeding.most <= 3);
    shut_down(context);
}

CW_COROUTINE(waits_to_launch, cw_context *, cw_none, cw_job *job;
             const cw_elements *there;)
{
    CW_BEGIN(self);
    self->there = cw_elements_with_context(NULL, self->arg);
    CW_LAUNCH_WAIT(self, self->there, &self->job, note_run, 'x');
    ASSERT(false);
    CW_FINALLY(self);
    ASSERT_EQ(cw_error_code(self->frame.leaving), CW_ECANCELED);
    /* The new one is a child, so it is cancelled, too. */
    ASSERT(cw_is_completed(self->job));
    cw_job_release(self->job);
    cw_elements_release(self->there);
    CW_END(self);
}

TEST(who_waits_to_launch_can_be_cancelled)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    cw_context *other = new_context(1);
    struct hold *hold = hold_all(context);
    cw_job_release(cw_launch(context, note_run, 'a'));
    cw_job *job = cw_launch(other, waits_to_launch, context);
    await_doing(job, CW_DUMP_CALL);
    cw_cancel(job, NULL);
    wait_for(job);
    cw_job_release(job);
    let_go(context, hold);
    shut_down(other);
    shut_down(context);
    ASSERT_STR(ran, "a");
    hold_free(hold);
}

/* Too large for memory that was used before. */
CW_COROUTINE(large, int, cw_none, char room[4096];)
{
    CW_BEGIN(self);
    self->room[0] = 0;
    CW_END(self);
}

CW_COROUTINE(cannot_launch, cw_context *, cw_none, cw_job *job;
             const cw_elements *there;)
{
    CW_BEGIN(self);
    self->there = cw_elements_with_context(NULL, self->arg);
    fail_alloc_at(1);
    CW_TRY(self, 1);
    CW_LAUNCH_WAIT(self, self->there, &self->job, large, 1);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        fail_alloc_at(0);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ENOMEM);
    }
    ASSERT(!self->job);
    cw_elements_release(self->there);
    CW_END(self);
}

TEST(a_launch_that_waits_tells_its_errors)
{
    cw_context *context = limited(1, 1, CW_FULL_FAIL);
    cw_none none;
    ASSERT_EQ(cw_run_blocking(cannot_launch, context, &none, NULL), CW_OK);
    shut_down(context);
}

struct pressing {
    cw_context *context;
    _Atomic int *launched, *refused;
};

static void press(void *arg)
{
    struct pressing *pressing = arg;
    for (int i = 0; i < 500; i++) {
        const cw_elements *given = NULL;
        if (i % 3 == 0) given = cw_elements_with_when_full(NULL, CW_FULL_WAIT);
        /* One that is cancelled late notes its letter all the same. */
        bool cancels = i % 7 == 0;
        cw_job *job = noting(pressing->context, given, cancels ? 0 : 'p');
        if (!job) {
            ASSERT_EQ(cw_last_error(), CW_EQUEUEFULL);
            atomic_fetch_add(pressing->refused, 1);
            continue;
        }
        if (cancels) cw_cancel(job, NULL);
        wait_for(job);
        if (!cancels) atomic_fetch_add(pressing->launched, 1);
        cw_job_release(job);
    }
}

TEST(many_threads_launch_at_the_same_time)
{
    enum { THREADS = 3 };
    cw_context *context = limited(2, 1, CW_FULL_FAIL);
    _Atomic int launched = 0, refused = 0;
    struct pressing pressing = {context, &launched, &refused};
    struct call calls[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        calls[i] = (struct call){press, &pressing};
        threads[i] = on_thread(&calls[i]);
    }
    for (int i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    ASSERT_EQ(atomic_load(&ran_count), atomic_load(&launched));
    ASSERT_EQ(places_taken(context), 0);
    cw_job *job = cw_launch(context, note_run, 'z');
    ASSERT(job);
    cw_job_release(job);
    shut_down(context);
}
