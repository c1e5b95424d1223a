/* ring_test.c: a worker's run queue and those who steal from it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "job.h"
#include "ring.h"

/* Jobs are only passed around here. */
enum { JOBS = 4096 };
static cw_job jobs[JOBS];

static uint64_t head_of(uint32_t steal, uint32_t real)
{
    return (uint64_t)steal << 32 | real;
}

/* A ring whose counters are about to wrap. */
static void ring_near_wrap(cw__ring *ring)
{
    uint32_t near = UINT32_MAX - 100;
    memset(ring, 0, sizeof *ring);
    atomic_init(&ring->head, head_of(near, near));
    atomic_init(&ring->tail, near);
}

TEST(a_ring_is_first_in_first_out)
{
    static cw__ring ring;
    ring_near_wrap(&ring);
    ASSERT(cw__ring_pop(&ring) == NULL);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++)
            ASSERT(cw__ring_push(&ring, &jobs[i]));
        ASSERT_EQ(cw__ring_length(&ring), 100);
        for (int i = 0; i < 100; i++)
            ASSERT(cw__ring_pop(&ring) == &jobs[i]);
        ASSERT_EQ(cw__ring_length(&ring), 0);
        ASSERT(cw__ring_pop(&ring) == NULL);
    }
}

TEST(a_full_ring_refuses)
{
    static cw__ring ring;
    ring_near_wrap(&ring);
    for (int i = 0; i < CW__RING_SIZE; i++)
        ASSERT(cw__ring_push(&ring, &jobs[i]));
    ASSERT(!cw__ring_push(&ring, &jobs[CW__RING_SIZE]));
    ASSERT(cw__ring_pop(&ring) == &jobs[0]);
    ASSERT(cw__ring_push(&ring, &jobs[CW__RING_SIZE]));
    for (int i = 1; i <= CW__RING_SIZE; i++)
        ASSERT(cw__ring_pop(&ring) == &jobs[i]);
}

TEST(the_oldest_are_taken_in_order)
{
    static cw__ring ring;
    ring_near_wrap(&ring);
    cw_job *got[128];
    ASSERT_EQ(cw__ring_take(&ring, 10, got), 0);
    for (int i = 0; i < 150; i++)
        cw__ring_push(&ring, &jobs[i]);
    ASSERT_EQ(cw__ring_take(&ring, 128, got), 128);
    for (int i = 0; i < 128; i++)
        ASSERT(got[i] == &jobs[i]);
    ASSERT_EQ(cw__ring_take(&ring, 128, got), 22);
    ASSERT(got[0] == &jobs[128] && got[21] == &jobs[149]);
    ASSERT_EQ(cw__ring_length(&ring), 0);
}

TEST(many_are_pushed_at_once)
{
    static cw__ring ring;
    ring_near_wrap(&ring);
    cw_job *some[CW__RING_SIZE];
    for (int i = 0; i < CW__RING_SIZE; i++)
        some[i] = &jobs[i];
    cw__ring_push(&ring, &jobs[JOBS - 1]);
    ASSERT_EQ(cw__ring_room(&ring), CW__RING_SIZE - 1);
    cw__ring_push_many(&ring, some, CW__RING_SIZE - 1);
    ASSERT_EQ(cw__ring_room(&ring), 0);
    ASSERT(!cw__ring_push(&ring, &jobs[CW__RING_SIZE]));
    ASSERT(cw__ring_pop(&ring) == &jobs[JOBS - 1]);
    for (int i = 0; i < CW__RING_SIZE - 1; i++)
        ASSERT(cw__ring_pop(&ring) == &jobs[i]);
}

TEST(a_ring_without_thieves_works_the_same)
{
    static cw__ring ring;
    ring_near_wrap(&ring);
    ASSERT(cw__ring_pop_alone(&ring) == NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CW__RING_SIZE; i++)
            ASSERT(cw__ring_push_alone(&ring, &jobs[i]));
        ASSERT(!cw__ring_push_alone(&ring, &jobs[CW__RING_SIZE]));
        ASSERT_EQ(cw__ring_length(&ring), CW__RING_SIZE);
        for (int i = 0; i < CW__RING_SIZE; i++)
            ASSERT(cw__ring_pop_alone(&ring) == &jobs[i]);
        ASSERT(cw__ring_pop_alone(&ring) == NULL);
    }
}

TEST(a_thief_gets_half_but_not_more_than_its_share)
{
    static cw__ring from, to;
    uint32_t moved = 77;
    ring_near_wrap(&from);
    ring_near_wrap(&to);
    ASSERT(cw__ring_steal(&from, &to, &moved) == NULL);

    cw__ring_push(&from, &jobs[0]);
    ASSERT(cw__ring_steal(&from, &to, &moved) == &jobs[0]);
    ASSERT_EQ(moved, 0);
    ASSERT_EQ(cw__ring_length(&from), 0);

    for (int i = 0; i < 9; i++)
        cw__ring_push(&from, &jobs[i]);
    cw_job *job = cw__ring_steal(&from, &to, &moved);
    ASSERT_EQ(moved, 4); /* five of nine: one in hand, four in the ring */
    ASSERT_EQ(cw__ring_length(&to), 4);
    ASSERT_EQ(cw__ring_length(&from), 4);
    for (int i = 0; i < 4; i++)
        ASSERT(cw__ring_pop(&to) == &jobs[i]);
    ASSERT(job == &jobs[4]);
    for (int i = 5; i < 9; i++)
        ASSERT(cw__ring_pop(&from) == &jobs[i]);

    for (int i = 0; i < CW__RING_SIZE; i++)
        cw__ring_push(&from, &jobs[i]);
    ASSERT(cw__ring_steal(&from, &to, &moved) != NULL);
    ASSERT_EQ(moved + 1, CW__STEAL_MAX);
    ASSERT_EQ(cw__ring_length(&from), CW__RING_SIZE - CW__STEAL_MAX);
}

TEST(one_thief_at_a_time)
{
    static cw__ring from, to;
    uint32_t moved;
    for (int i = 0; i < 8; i++)
        cw__ring_push(&from, &jobs[i]);
    /* As if another one had claimed two and were still copying them. */
    atomic_store(&from.head, head_of(0, 2));
    ASSERT(cw__ring_steal(&from, &to, &moved) == NULL);
    ASSERT_EQ(cw__ring_length(&to), 0);
    /* The owner goes on meanwhile, behind what was claimed. */
    ASSERT(cw__ring_pop(&from) == &jobs[2]);
    cw_job *got[2];
    ASSERT_EQ(cw__ring_take(&from, 2, got), 2);
    ASSERT(got[0] == &jobs[3] && got[1] == &jobs[4]);
    ASSERT_EQ(atomic_load(&from.head), head_of(0, 5));
}

TEST(nobody_overwrites_what_a_thief_is_still_copying)
{
    static cw__ring ring, other;
    uint32_t moved;
    for (int i = 0; i < CW__RING_SIZE; i++)
        cw__ring_push(&ring, &jobs[i]);
    /* A thief has claimed the first 32 and was held up; the owner has used up
     * the rest. */
    atomic_store(&ring.head, head_of(0, 32));
    for (int i = 32; i < CW__RING_SIZE; i++)
        ASSERT(cw__ring_pop(&ring) == &jobs[i]);
    /* Not by pushing, ... */
    ASSERT(!cw__ring_push(&ring, &jobs[1000]));
    /* ... nor by stealing from others: of these it can take the one that it
     * keeps in hand. */
    for (int i = 0; i < 100; i++)
        cw__ring_push(&other, &jobs[2000 + i]);
    cw_job *job = cw__ring_steal(&other, &ring, &moved);
    for (int i = 0; i < 32; i++)
        ASSERT(atomic_load(&ring.slots[i]) == &jobs[i]);
    ASSERT(job == &jobs[2000]);
    ASSERT_EQ(moved, 0);
}

/* ---- with threads: each job is got exactly once */

enum { ROUNDS = 300, THIEVES = 3 };

static cw__ring victim;
static _Atomic int taken[JOBS];
static _Atomic int taken_count;
static _Atomic bool over;

static void take(const cw_job *job)
{
    ASSERT_EQ(atomic_fetch_add(&taken[job - jobs], 1), 0);
    atomic_fetch_add(&taken_count, 1);
}

static void *steal_until_over(void *arg)
{
    cw__ring *mine = arg;
    while (!atomic_load(&over)) {
        uint32_t moved;
        cw_job *job = cw__ring_steal(&victim, mine, &moved);
        if (!job) continue;
        take(job);
        while ((job = cw__ring_pop(mine)) != NULL)
            take(job);
    }
    return NULL;
}

TEST(each_job_is_got_once)
{
    static cw__ring rings[THIEVES];
    pthread_t threads[THIEVES];
    for (int i = 0; i < THIEVES; i++)
        ASSERT(pthread_create(&threads[i], NULL, steal_until_over, &rings[i]) ==
               0);
    uint32_t random = 1;
    for (int round = 0; round < ROUNDS; round++) {
        int pushed = 0;
        while (pushed < JOBS) {
            random = random * 1664525 + 1013904223;
            cw_job *job = &jobs[pushed];
            if (random >> 28 == 0) { /* now and then many at once */
                cw_job *got[128];
                uint32_t count = cw__ring_take(&victim, 128, got);
                for (uint32_t i = 0; i < count; i++)
                    take(got[i]);
            } else if (random >> 30 == 1) {
                job = cw__ring_pop(&victim);
                if (job) take(job);
            } else if (cw__ring_push(&victim, job)) {
                pushed++;
            }
        }
        cw_job *job;
        while ((job = cw__ring_pop(&victim)) != NULL)
            take(job);
        while (atomic_load(&taken_count) < JOBS) { /* thieves are at it */
        }
        for (int i = 0; i < JOBS; i++) {
            ASSERT_EQ(atomic_load(&taken[i]), 1);
            atomic_store(&taken[i], 0);
        }
        atomic_store(&taken_count, 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < THIEVES; i++)
        pthread_join(threads[i], NULL);
}
