/* timer_test.c: moments in time that somebody waits for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "coroutine.h"
#include "timer.h"

/* ---- the heap */

/* Enough for several of the heap's segments. */
enum { COUNT = 2 * CW__TIMER_SEGMENT + 100 };

/* Jobs of which only the waiter is used, suspended. */
static cw_job timed[COUNT];

static cw__waiter *waiter(int i)
{
    timed[i].waiter.kind = CW__WAITER_TASK;
    atomic_store(&timed[i].park, CW__PARKED);
    return &timed[i].waiter;
}

static uint32_t due(cw__timers *timers, int64_t now, uint32_t max,
                    cw_job **first)
{
    cw__woken woken;
    cw__limit *limits;
    uint32_t count = cw__timers_due(timers, now, max, &woken, &limits);
    ASSERT(limits == NULL);
    *first = count ? woken.tasks : NULL;
    return count;
}

TEST(the_earliest_fires_first)
{
    static int64_t deadlines[COUNT];
    cw__timers timers;
    cw__timers_init(&timers);
    uint32_t random = 7;
    int64_t earliest = CW__NEVER;
    for (int i = 0; i < COUNT; i++) {
        random = random * 1664525 + 1013904223;
        deadlines[i] = random >> 8;
        int added = cw__timer_add(&timers, waiter(i), deadlines[i]);
        ASSERT_EQ(added, deadlines[i] < earliest);
        if (deadlines[i] < earliest) earliest = deadlines[i];
        ASSERT_EQ(atomic_load(&timers.next_ns), earliest);
    }
    /* Every third one is taken off again, whatever its place. */
    int left = 0;
    for (int i = 0; i < COUNT; i++) {
        if (i % 3 == 0) {
            cw__timer_remove(&timers, &timed[i].waiter);
            cw__timer_remove(&timers, &timed[i].waiter); /* nothing happens */
        } else {
            left++;
        }
    }
    int64_t last = 0;
    for (; left > 0; left--) {
        cw_job *job;
        ASSERT_EQ(due(&timers, CW__NEVER, 1, &job), 1);
        ASSERT((job - timed) % 3 != 0);
        ASSERT(deadlines[job - timed] >= last);
        last = deadlines[job - timed];
        ASSERT(atomic_load(&job->park) == CW__RESUME);
    }
    ASSERT_EQ(atomic_load(&timers.next_ns), CW__NEVER);
    cw__timers_free(&timers);
}

TEST(equal_deadlines_fire_in_order_of_registration)
{
    cw__timers timers;
    cw__timers_init(&timers);
    timers.order = UINT32_MAX - 500; /* the counter wraps on the way */
    for (int i = 0; i < 1000; i++)
        ASSERT(cw__timer_add(&timers, waiter(i), 5) >= 0);
    cw_job *job;
    ASSERT_EQ(due(&timers, 4, 1000, &job), 0);
    ASSERT_EQ(due(&timers, 5, 300, &job), 300); /* not more than asked for */
    for (int i = 0; i < 300; i++, job = job->next)
        ASSERT(job == &timed[i]);
    ASSERT(job == NULL);
    ASSERT_EQ(due(&timers, 5, 1000, &job), 700);
    for (int i = 300; i < 1000; i++, job = job->next)
        ASSERT(job == &timed[i]);
    ASSERT_EQ(due(&timers, 5, 1000, &job), 0);
    cw__timers_free(&timers);
}

TEST(one_that_is_awake_is_not_dispatched_again)
{
    cw__timers timers;
    cw__timers_init(&timers);
    ASSERT_EQ(cw__timer_add(&timers, waiter(0), 5), 1);
    atomic_store(&timed[0].park, 0); /* about to suspend, or kicked */
    cw_job *job;
    ASSERT_EQ(due(&timers, 5, 1, &job), 1);
    ASSERT(job == NULL);
    ASSERT_EQ(atomic_load(&timed[0].park), CW__RESUME);
    cw__timers_free(&timers);
}

TEST(without_memory_a_timer_is_refused)
{
    cw__timers timers;
    cw__timers_init(&timers);
    for (int n = 1; n <= 2; n++) { /* for the table, for a segment */
        fail_alloc_at(n);
        ASSERT_EQ(cw__timer_add(&timers, waiter(0), 5), CW_ENOMEM);
        ASSERT(alloc_has_failed());
    }
    for (int i = 0; i < CW__TIMER_SEGMENT; i++)
        ASSERT(cw__timer_add(&timers, waiter(i), i) >= 0);
    fail_alloc_at(1); /* for the second segment */
    ASSERT_EQ(cw__timer_add(&timers, waiter(CW__TIMER_SEGMENT), 5), CW_ENOMEM);
    ASSERT(alloc_has_failed());
    ASSERT(cw__timer_add(&timers, waiter(CW__TIMER_SEGMENT), 5) >= 0);
    cw_job *job;
    ASSERT_EQ(due(&timers, CW__NEVER, COUNT, &job), CW__TIMER_SEGMENT + 1);
    cw__timers_free(&timers);
}

/* ---- with threads: each is either taken off or fires */

enum { THREADS = 3, ROUNDS = 300, EACH = 100 };

static cw__timers shared;
static _Atomic bool over;
static _Atomic int fired, removed;

static void *add_and_remove(void *arg)
{
    int base = *(int *)arg * EACH;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EACH; i++)
            ASSERT(cw__timer_add(&shared, waiter(base + i), i) >= 0);
        for (int i = 0; i < EACH; i++) {
            cw__timer_remove(&shared, &timed[base + i].waiter);
            /* It will not fire any more: what it says now is final. */
            if (atomic_load(&timed[base + i].park) == CW__PARKED)
                atomic_fetch_add(&removed, 1);
        }
    }
    return NULL;
}

static void *fire_all(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        cw__woken woken;
        cw__limit *limits;
        uint32_t count = cw__timers_due(&shared, CW__NEVER, 7, &woken, &limits);
        atomic_fetch_add(&fired, (int)count);
    }
    return NULL;
}

TEST(each_timer_fires_or_is_taken_off)
{
    cw__timers_init(&shared);
    pthread_t threads[THREADS], firing;
    int numbers[THREADS];
    ASSERT(pthread_create(&firing, NULL, fire_all, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        ASSERT(pthread_create(&threads[i], NULL, add_and_remove, &numbers[i]) ==
               0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&over, true);
    pthread_join(firing, NULL);
    ASSERT_EQ(fired + removed, THREADS * ROUNDS * EACH);
    ASSERT_EQ(shared.count, 0);
    cw__timers_free(&shared);
}

/* ---- delays */

struct moment {
    int64_t ms;
    int mark;
};

CW_COROUTINE(mark_after, struct moment, cw_none, int64_t began;)
{
    CW_BEGIN(self);
    self->began = cw__now_ns();
    CW_DELAY(self, self->arg.ms);
    ASSERT(cw__now_ns() - self->began >= self->arg.ms * 1000000);
    MARK(self->arg.mark);
    CW_END(self);
}

/* They begin at the very same time. */
SCENARIO(delays_end_in_order_of_their_deadlines, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    stop_clock();
    cw_spawn(NULL, mark_after, ((struct moment){8, 5}));
    cw_spawn(NULL, mark_after, ((struct moment){4, 3}));
    cw_spawn(NULL, mark_after, ((struct moment){6, 4}));
    cw_spawn(NULL, mark_after, ((struct moment){2, 1}));
    cw_spawn(NULL, mark_after, ((struct moment){2, 2}));
    CW_YIELD(self);
    start_clock();
    CW_END(self);
}

/* Due while the worker was busy: what runs out first still goes first. */
SCENARIO(delays_that_are_overdue_end_in_order, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    stop_clock();
    cw_spawn(NULL, mark_after, ((struct moment){3, 3}));
    cw_spawn(NULL, mark_after, ((struct moment){1, 1}));
    cw_spawn(NULL, mark_after, ((struct moment){2, 2}));
    CW_YIELD(self);
    advance_clock(10 * 1000 * 1000);
    CW_END(self);
}

/* Not before their time, however short that is. */
SCENARIO(delays_last_as_long_as_they_should, cw_job *job; int i;)
{
    CW_BEGIN(self);
    stop_clock();
    self->job = cw_launch(NULL, mark_after, ((struct moment){5, 1}));
    CW_YIELD(self);
    advance_clock(5 * 1000 * 1000 - 1);
    for (self->i = 0; self->i < 100; self->i++) /* with looks at the clock */
        CW_YIELD(self);
    ASSERT(cw_is_active(self->job));
    advance_clock(1);
    CW_JOIN(self, self->job);
    ASSERT_EQ(test_marks, 1);
    cw_job_release(self->job);
    CW_END(self);
}

SCENARIO(a_delay_of_nothing_does_not_suspend, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, mark_after, ((struct moment){0, 2}));
    CW_DELAY(self, 0);
    CW_DELAY(self, -1);
    CW_DELAY(self, INT64_MIN);
    MARK(1);
    CW_END(self);
}

SCENARIO(very_long_delays_do_not_overflow, cw_job *jobs[3];)
{
    CW_BEGIN(self);
    self->jobs[0] =
        cw_launch(NULL, mark_after, ((struct moment){INT64_MAX, 0}));
    self->jobs[1] =
        cw_launch(NULL, mark_after, ((struct moment){INT64_MAX - 1, 0}));
    self->jobs[2] =
        cw_launch(NULL, mark_after, ((struct moment){INT64_MAX / 1000000, 0}));
    CW_DELAY(self, 20);
    for (int i = 0; i < 3; i++) {
        ASSERT(cw_is_active(self->jobs[i]));
        cw_cancel(self->jobs[i], NULL);
        cw_job_release(self->jobs[i]);
    }
    CW_END(self);
}

CW_COROUTINE(delay_many, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_DELAY(self, 1 + (self->i * 7 + self->arg) % 5);
    CW_END(self);
}

TEST(many_delays_on_many_workers_all_end)
{
    cw_context *context = new_context(4);
    static cw_job *running[500];
    for (int i = 0; i < 500; i++)
        running[i] = cw_launch(context, delay_many, 10 + i % 10);
    for (int i = 0; i < 500; i++) {
        wait_for(running[i]);
        ASSERT(cw_job_error(running[i]) == NULL);
        cw_job_release(running[i]);
    }
    cw_stats stats;
    cw_context_stats(context, &stats);
    ASSERT_EQ(stats.timers, 500 * 14 + 250); /* 10 .. 19, 14.5 on average */
    shut_down(context);
}
