/* backlog_test.c: ready jobs that no ring has room for.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "backlog.h"
#include "job.h"

/* Jobs are only passed around here. */
enum { JOBS = 1000 };
static cw_job jobs[JOBS];

static void put(cw__backlog *backlog, uint32_t from, uint32_t count)
{
    cw_job *some[JOBS];
    for (uint32_t i = 0; i < count; i++)
        some[i] = &jobs[from + i];
    cw__backlog_put(backlog, some, count);
}

static void put_chain(cw__backlog *backlog, uint32_t from, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++)
        jobs[from + i].next = &jobs[from + i + 1];
    cw__backlog_put_chain(backlog, &jobs[from], &jobs[from + count - 1], count);
}

/* Takes `count` and asserts that they are those from number `from` on. */
static void take(cw__backlog *backlog, uint32_t from, uint32_t count)
{
    cw_job *got[JOBS];
    ASSERT_EQ(cw__backlog_take(backlog, 1, got, count), count);
    for (uint32_t i = 0; i < count; i++)
        ASSERT(got[i] == &jobs[from + i]);
}

static void keeps_order(bool alone)
{
    cw__backlog backlog = {.alone = alone};
    cw_job *got[1];
    ASSERT_EQ(cw__backlog_take(&backlog, 1, got, 1), 0);
    put(&backlog, 0, 150); /* three batches, the last one half full */
    put(&backlog, 150, 1);
    put_chain(&backlog, 151, 49);
    for (uint32_t i = 200; i < 300; i++)
        put(&backlog, i, 1);
    ASSERT_EQ(atomic_load(&backlog.count), 300);
    take(&backlog, 0, 1);
    take(&backlog, 1, 100);
    take(&backlog, 101, 60);
    put(&backlog, 300, 60);
    take(&backlog, 161, 199);
    ASSERT_EQ(atomic_load(&backlog.count), 0);
    ASSERT_EQ(cw__backlog_take(&backlog, 1, got, 1), 0);
    put_chain(&backlog, 0, 1);
    put(&backlog, 1, 1);
    take(&backlog, 0, 2);
}

TEST(a_backlog_is_first_in_first_out) { keeps_order(false); }
TEST(a_backlog_of_one_worker_is_so_too) { keeps_order(true); }

TEST(everybody_gets_a_share)
{
    cw__backlog backlog = {0};
    cw_job *got[JOBS];
    put(&backlog, 0, 100);
    ASSERT_EQ(cw__backlog_take(&backlog, 4, got, JOBS), 25);
    ASSERT_EQ(cw__backlog_take(&backlog, 4, got, JOBS), 19); /* 75 / 4 */
    ASSERT_EQ(cw__backlog_take(&backlog, 4, got, 5), 5);
    ASSERT(got[0] == &jobs[44]);
    ASSERT_EQ(cw__backlog_take(&backlog, 1, got, JOBS), 51);
}

TEST(without_memory_nothing_is_lost)
{
    cw__backlog backlog = {0};
    fail_alloc_at(1);
    put(&backlog, 0, 100);
    ASSERT(alloc_has_failed());
    put(&backlog, 100, 100);
    take(&backlog, 0, 200);
}

/* ---- with threads: each job is got exactly once */

enum { TAKERS = 3, ROUNDS = 200 };

static cw__backlog shared;
static _Atomic int taken[JOBS];
static _Atomic int taken_count;
static _Atomic bool over;

static void *take_until_over(void *arg)
{
    (void)arg;
    while (!atomic_load(&over)) {
        cw_job *got[40];
        uint32_t count = cw__backlog_take(&shared, TAKERS, got, 40);
        for (uint32_t i = 0; i < count; i++)
            ASSERT_EQ(atomic_fetch_add(&taken[got[i] - jobs], 1), 0);
        atomic_fetch_add(&taken_count, (int)count);
    }
    return NULL;
}

TEST(each_job_of_a_backlog_is_got_once)
{
    pthread_t threads[TAKERS];
    for (int i = 0; i < TAKERS; i++)
        ASSERT(pthread_create(&threads[i], NULL, take_until_over, NULL) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < JOBS; i += 100) {
            put(&shared, i, 70);
            put_chain(&shared, i + 70, 30);
        }
        while (atomic_load(&taken_count) < JOBS)
            sched_yield();
        for (int i = 0; i < JOBS; i++) {
            ASSERT_EQ(atomic_load(&taken[i]), 1);
            atomic_store(&taken[i], 0);
        }
        atomic_store(&taken_count, 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
}
