/* alloc_test.c: memory for jobs, frames and errors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "alloc.h"

TEST(blocks_are_aligned_and_do_not_overlap)
{
    enum { COUNT = 3000 };
    static unsigned char *blocks[COUNT];
    static size_t sizes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i * 7 % 1500; /* from 0 over the size classes to beyond */
        blocks[i] = cw__alloc(sizes[i]);
        ASSERT(blocks[i] != NULL);
        ASSERT_EQ((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        memset(blocks[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            ASSERT_EQ(blocks[i][k], i % 251);
        cw__free(blocks[i], sizes[i]);
    }
}

#ifndef CW_PLAIN_ALLOC /* with sanitizers nothing is cached */

TEST(freed_blocks_are_used_again)
{
    void *block = cw__alloc(100);
    cw__free(block, 100);
    ASSERT(cw__alloc(100) == block);
    ASSERT(cw__alloc(100) != block);
}

TEST(memory_used_grows_with_use_and_not_with_reuse)
{
    ASSERT_EQ(cw_memory_used(), 0);
    void *block = cw__alloc(200);
    size_t used = cw_memory_used();
    ASSERT(used >= 200);
    cw__free(block, 200);
    for (int i = 0; i < 100000; i++)
        cw__free(cw__alloc(200), 200);
    ASSERT_EQ(cw_memory_used(), used);
}

TEST(large_blocks_go_back_to_the_system)
{
    size_t before = cw_memory_used();
    void *block = cw__alloc(100000);
    ASSERT_EQ(cw_memory_used(), before + 100000);
    cw__free(block, 100000);
    ASSERT_EQ(cw_memory_used(), before);
}

/* One thread allocates, another one frees: batches go back by the depot. */
enum { PASSED = 200, ROUNDS = 500 };

struct pass {
    void *blocks[PASSED];
    sem_t *full, *empty;
};

static void *free_passed(void *arg)
{
    struct pass *pass = arg;
    for (int round = 0; round < ROUNDS; round++) {
        event_await(pass->full);
        for (int i = 0; i < PASSED; i++)
            cw__free(pass->blocks[i], 64);
        event_set(pass->empty);
    }
    cw__alloc_flush();
    return NULL;
}

TEST(blocks_that_another_thread_frees_come_back)
{
    static struct pass pass;
    pass.full = event_new();
    pass.empty = event_new();
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, free_passed, &pass) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PASSED; i++) {
            pass.blocks[i] = cw__alloc(64);
            ASSERT(pass.blocks[i] != NULL);
        }
        event_set(pass.full);
        event_await(pass.empty);
    }
    pthread_join(thread, NULL);
    /* What is under way, not what has ever been. */
    ASSERT(cw_memory_used() <= 4 * 32 * 1024 + 64);
    event_free(pass.full);
    event_free(pass.empty);
}

static void *use_a_little(void *arg)
{
    (void)arg;
    for (size_t size = 16; size <= 1024; size += 16)
        cw__free(cw__alloc(size), size);
    cw__alloc_flush();
    return NULL;
}

TEST(threads_that_end_leave_no_memory_behind)
{
    size_t used = 0;
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        ASSERT(pthread_create(&thread, NULL, use_a_little, NULL) == 0);
        pthread_join(thread, NULL);
        if (i == 0) used = cw_memory_used();
    }
    ASSERT_EQ(cw_memory_used(), used);
}

TEST(contexts_that_come_and_go_do_not_add_up_memory)
{
    size_t used = 0;
    for (int round = 0; round < 200; round++) {
        cw_context *context = new_context(2);
        for (int i = 0; i < 50; i++)
            ASSERT_EQ(cw_spawn(context, give, i), CW_OK);
        shut_down(context);
        if (round == 100) used = cw_memory_used();
    }
    ASSERT(cw_memory_used() <= used + 64 * 1024);
}

#endif

TEST(no_memory_is_told_and_nothing_is_lost)
{
    enum { COUNT = 5000 };
    static void *blocks[COUNT];
    for (size_t size = 16; size <= 4096; size *= 4) {
        int count = 0;
        fail_alloc_at(3); /* two chunks come, the third does not */
        while (count < COUNT && (blocks[count] = cw__alloc(size)) != NULL) {
            memset(blocks[count], 1, size);
            count++;
        }
        ASSERT(alloc_has_failed());
        ASSERT(count >= 2);
        void *block = cw__alloc(size); /* there is memory again */
        ASSERT(block != NULL);
        cw__free(block, size);
        while (count > 0)
            cw__free(blocks[--count], size);
    }
}
