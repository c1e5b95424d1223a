/* inbox_test.c: a queue that many threads fill and one takes whole.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "inbox.h"

struct item {
    struct item *next; /* first, as inbox.h asks for */
    uint32_t source, number;
};

TEST(an_inbox_gives_oldest_first)
{
    cw__inbox inbox = {0};
    struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    ASSERT(cw__inbox_empty(&inbox));
    ASSERT_EQ(cw__inbox_take(&inbox), 0);
    ASSERT(cw__inbox_push(&inbox, (uintptr_t)&items[0]));
    ASSERT(!cw__inbox_push(&inbox, (uintptr_t)&items[1]));
    ASSERT(!cw__inbox_push(&inbox, (uintptr_t)&items[2]));
    ASSERT(!cw__inbox_empty(&inbox));
    uintptr_t at = cw__inbox_take(&inbox);
    for (uint32_t i = 0; i < 3; i++) {
        ASSERT_EQ(at, (uintptr_t)&items[i]);
        at = cw__inbox_next(at);
    }
    ASSERT_EQ(at, 0);
    ASSERT(cw__inbox_empty(&inbox));
    ASSERT(cw__inbox_push(&inbox, (uintptr_t)&items[1]));
}

TEST(marks_travel_with_the_items)
{
    cw__inbox inbox = {0};
    struct item items[4];
    for (uintptr_t i = 0; i < 4; i++)
        cw__inbox_push(&inbox, (uintptr_t)&items[i] | i);
    uintptr_t at = cw__inbox_take(&inbox);
    for (uintptr_t i = 0; i < 4; i++) {
        ASSERT_EQ(at & CW__INBOX_MARK, i);
        ASSERT_EQ(at & ~(uintptr_t)CW__INBOX_MARK, (uintptr_t)&items[i]);
        at = cw__inbox_next(at);
    }
    ASSERT_EQ(at, 0);
}

enum { SOURCES = 4, EACH = 20000 };

static cw__inbox shared;
static struct item items[SOURCES][EACH];

static void *fill(void *arg)
{
    struct item *mine = arg;
    for (uint32_t i = 0; i < EACH; i++)
        cw__inbox_push(&shared, (uintptr_t)&mine[i]);
    return NULL;
}

TEST(each_item_of_many_threads_arrives_once_and_in_its_threads_order)
{
    pthread_t threads[SOURCES];
    uint32_t seen[SOURCES] = {0}, total = 0;
    for (uint32_t s = 0; s < SOURCES; s++) {
        for (uint32_t i = 0; i < EACH; i++)
            items[s][i] = (struct item){.source = s, .number = i};
        ASSERT(pthread_create(&threads[s], NULL, fill, items[s]) == 0);
    }
    while (total < SOURCES * EACH) {
        uintptr_t at = cw__inbox_take(&shared);
        while (at) {
            struct item *item = (struct item *)at;
            at = cw__inbox_next(at);
            ASSERT_EQ(item->number, seen[item->source]);
            seen[item->source]++;
            total++;
        }
    }
    for (int s = 0; s < SOURCES; s++)
        pthread_join(threads[s], NULL);
    ASSERT(cw__inbox_empty(&shared));
}
