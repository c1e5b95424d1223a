/* cost_test.c: what jobs and suspensions take of memory.
 *
 * SPDX-License-Identifier: MIT
 *
 * The numbers of allocations are exact: who makes one of them grow pays with
 * every job of every user.
 */
#include "test.h"

#include "helpers.h"

enum { MANY = 100 };

/* Asserts how many allocations there were since the last time. */
#define ASSERT_ALLOCS(count)                                                   \
    do {                                                                       \
        ASSERT_EQ(atomic_load(&test_allocs), (count));                         \
        atomic_store(&test_allocs, 0);                                         \
    } while (0)

CW_CHANNEL_TYPE(ints, int)

CW_COROUTINE(nothing, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

/* ---- jobs */

SCENARIO(a_job_is_one_block, cw_job *job; int i; cw_none none;)
{
    CW_BEGIN(self);
    atomic_store(&test_allocs, 0);
    for (self->i = 0; self->i < MANY; self->i++)
        cw_spawn(NULL, nothing, CW_NONE);
    CW_YIELD(self);
    ASSERT_ALLOCS(MANY);
    for (self->i = 0; self->i < MANY; self->i++) {
        self->job = cw_launch(NULL, nothing, CW_NONE);
        CW_JOIN(self, self->job);
        cw_job_release(self->job);
    }
    ASSERT_ALLOCS(MANY);
    for (self->i = 0; self->i < MANY; self->i++) {
        self->job = cw_async(NULL, nothing, CW_NONE);
        CW_AWAIT(self, nothing, self->job, &self->none);
        cw_job_release(self->job);
    }
    ASSERT_ALLOCS(MANY);
    CW_END(self);
}

SCENARIO(a_call_and_a_scope_are_one_block_each, int i; cw_none none;)
{
    CW_BEGIN(self);
    atomic_store(&test_allocs, 0);
    for (self->i = 0; self->i < MANY; self->i++)
        CW_CALL(self, nothing, CW_NONE, &self->none);
    ASSERT_ALLOCS(MANY);
    for (self->i = 0; self->i < MANY; self->i++)
        CW_SCOPE(self, nothing, CW_NONE, &self->none);
    ASSERT_ALLOCS(MANY);
    CW_END(self);
}

/* ---- suspensions: registering for what ends them, and to hear of
 * cancellation, takes nothing */

CW_COROUTINE(receive_many, ints, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < MANY; self->i++)
        CW_RECEIVE(self, ints, self->arg, &self->got);
    CW_END(self);
}

CW_COROUTINE(lock_many, cw_mutex *, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < MANY; self->i++) {
        CW_LOCK(self, self->arg, NULL);
        CW_YIELD(self);
        cw_unlock(self->arg, NULL);
    }
    CW_END(self);
}

CW_COROUTINE(join_gate, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

SCENARIO(suspending_allocates_nothing, int i; ints channel; cw_mutex * mutex;
         cw_job * gate;)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1); /* the heap of timers has room now */
    atomic_store(&test_allocs, 0);
    for (self->i = 0; self->i < MANY; self->i++)
        CW_YIELD(self);
    CW_DELAY(self, 1);
    ASSERT_ALLOCS(0);

    self->channel = ints_new(CW_RENDEZVOUS);
    cw_spawn(NULL, receive_many, self->channel);
    ASSERT_ALLOCS(2);
    for (self->i = 0; self->i < MANY; self->i++)
        CW_SEND(self, ints, self->channel, self->i);
    ASSERT_ALLOCS(0);
    cw_channel_release(self->channel.channel);

    self->mutex = cw_mutex_new(false);
    cw_spawn(NULL, lock_many, self->mutex);
    ASSERT_ALLOCS(2);
    for (self->i = 0; self->i < MANY; self->i++) {
        CW_LOCK(self, self->mutex, NULL);
        CW_YIELD(self);
        cw_unlock(self->mutex, NULL);
    }
    ASSERT_ALLOCS(0);
    while (cw_try_lock(self->mutex, NULL) != CW_OK)
        CW_YIELD(self);
    cw_mutex_release(self->mutex);

    self->gate = cw_job_new(NULL);
    ASSERT_ALLOCS(1);
    for (self->i = 0; self->i < MANY; self->i++)
        cw_spawn(NULL, join_gate, self->gate);
    CW_YIELD(self);
    ASSERT_ALLOCS(MANY);
    cw_job_complete(self->gate);
    CW_YIELD(self);
    ASSERT_ALLOCS(0);
    cw_job_release(self->gate);
    CW_END(self);
}

/* ---- a million that wait for one job */

#ifdef CW_PLAIN_ALLOC /* the sanitizers need more memory, and stack */
enum { CROWD = 100 * 1000, STACK_BYTES = 512 * 1024 };
#else
enum { CROWD = 1000 * 1000, STACK_BYTES = 64 * 1024 };
#endif

static int arrived;

struct place {
    cw_job *gate;
    int number;
};

CW_COROUTINE(wait_in_order, struct place, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg.gate);
    ASSERT_EQ(arrived++, self->arg.number);
    CW_END(self);
}

CW_COROUTINE(wake_crowd, cw_none, cw_none, cw_job *gate; int i;)
{
    CW_BEGIN(self);
    self->gate = cw_job_new(NULL);
    for (self->i = 0; self->i < CROWD; self->i++) {
        struct place place = {self->gate, self->i};
        ASSERT_EQ(cw_spawn(NULL, wait_in_order, place), CW_OK);
    }
    CW_YIELD(self); /* now they wait */
    ASSERT_EQ(arrived, 0);
    cw_job_complete(self->gate);
    CW_YIELD(self);
    ASSERT_EQ(arrived, CROWD);
    cw_job_release(self->gate);
    CW_END(self);
}

static void *run_wake_crowd(void *unused)
{
    RUN(wake_crowd);
    return unused;
}

TEST(a_million_that_wait_for_a_job_go_on_in_order_on_a_small_stack)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    pthread_t thread;
    ASSERT_EQ(pthread_create(&thread, &attributes, run_wake_crowd, NULL), 0);
    ASSERT_EQ(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}
