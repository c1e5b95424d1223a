/* channel_test.c: making channels, and what becomes of elements.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channel.h"
#include "channels.h"

struct large {
    int number;
    char rest[100];
};
CW_CHANNEL_TYPE(larges, struct large)
CW_CHANNEL_TYPE(nones, cw_none)

/* ---- making */

TEST(what_cannot_be_made)
{
    ASSERT(ints_new(-3).channel == NULL);
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(ints_new_with(CW_CONFLATED, CW_OVERFLOW_DROP_LATEST, NULL, NULL)
               .channel == NULL);
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(ints_new_with(1, (cw_overflow)3, NULL, NULL).channel == NULL);
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    ASSERT(cw__channel_new(1, CW_OVERFLOW_SUSPEND, 0, NULL) == NULL);
    ASSERT(cw__channel_new(1, CW_OVERFLOW_SUSPEND, CW_MAX_ELEMENT + 1, NULL) ==
           NULL);
    cw_channel_release(NULL);
    ASSERT(cw_channel_retain(NULL) == NULL);
}

static int fill(int capacity, cw_overflow overflow)
{
    ints channel = ints_new_with(capacity, overflow, NULL, NULL);
    int count = 0;
    while (count < 100 && ints_try_send(channel, count) == CW_OK)
        count++;
    int got, left = 0;
    while (ints_try_receive(channel, &got) == CW_OK)
        left++;
    ASSERT_EQ(left, overflow ? 1 : count);
    cw_channel_release(channel.channel);
    return count;
}

TEST(capacities)
{
    ASSERT_EQ(fill(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND), 0);
    ASSERT_EQ(fill(1, CW_OVERFLOW_SUSPEND), 1);
    ASSERT_EQ(fill(10, CW_OVERFLOW_SUSPEND), 10);
    ASSERT_EQ(fill(CW_BUFFERED, CW_OVERFLOW_SUSPEND), 64);
    ASSERT_EQ(fill(CW_UNLIMITED, CW_OVERFLOW_SUSPEND), 100);
    ASSERT_EQ(fill(CW_RENDEZVOUS, CW_OVERFLOW_DROP_OLDEST), 100);
    ASSERT_EQ(fill(CW_BUFFERED, CW_OVERFLOW_DROP_LATEST), 100);
}

TEST(no_memory_for_a_channel)
{
    for (int n = 1; n <= 2; n++) {
        fail_allocs_from(n);
        ints channel = ints_new(CW_MAX_ELEMENT / 16);
        bool failed = alloc_has_failed();
        fail_alloc_at(0);
        ASSERT(failed == (channel.channel == NULL));
        if (failed) ASSERT_EQ(cw_last_error(), CW_ENOMEM);
        cw_channel_release(channel.channel);
    }
}

/* ---- elements */

TEST(the_oldest_is_dropped)
{
    ints channel = hooked(3, CW_OVERFLOW_DROP_OLDEST);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(ints_try_send(channel, i), CW_OK);
    ASSERT_EQ(noted.count, 7);
    for (int i = 0; i < 7; i++)
        ASSERT_EQ(noted.elements[i], i);
    expect_elements(channel, 7, 9);
    cw_channel_release(channel.channel);
}

static cw_error *fail_with_element(int *element, void *arg)
{
    (void)arg;
    if (*element == 0) return NULL;
    return cw_error_new(CW_EBUSY, *element == 1 ? "one" : "more", NULL);
}

static cw_error *fail_with_closing(cw_error *cause, void *arg)
{
    (void)cause;
    return cw_error_retain(arg);
}

TEST(cancelling_tells_of_every_element_that_is_lost)
{
    cw_error *failure, *closing = cw_error_new(CW_EFAILED, "closing", NULL);
    ints channel =
        ints_new_with(8, CW_OVERFLOW_SUSPEND, fail_with_element, NULL);
    ASSERT_EQ(
        cw_channel_on_close(channel.channel, fail_with_closing, closing, NULL),
        CW_OK);
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(ints_try_send(channel, i), CW_OK);
    cw_channel_cancel(channel.channel, NULL, &failure);
    ASSERT_EQ(cw_error_code(failure), CW_EUNDELIVERED);
    ASSERT_STR(cw_error_message(cw_error_cause(failure)), "one");
    for (size_t i = 0; i < 2; i++) {
        cw_error *further = cw_error_suppressed(failure, i);
        ASSERT_EQ(cw_error_code(further), CW_EBUSY);
        ASSERT_STR(cw_error_message(further), "more");
    }
    ASSERT(cw_error_suppressed(failure, 2) == closing);
    ASSERT(!cw_error_suppressed(failure, 3));
    cw_error_release(failure);
    cw_error_release(closing);
    cw_channel_release(channel.channel);
}

static cw_error *fail_the_same(int *element, void *arg)
{
    (void)element;
    return cw_error_retain(arg);
}

TEST(the_same_failure_is_told_once)
{
    cw_error *failure, *same = cw_error_new(CW_EFAILED, "same", NULL);
    ints channel = ints_new_with(8, CW_OVERFLOW_SUSPEND, fail_the_same, same);
    ASSERT_EQ(ints_try_send(channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(channel, 2), CW_OK);
    cw_channel_cancel(channel.channel, NULL, &failure);
    ASSERT(cw_error_cause(failure) == same);
    ASSERT(!cw_error_suppressed(failure, 0));
    cw_error_release(failure);
    cw_error_release(same);
    cw_channel_release(channel.channel);
}

TEST(the_latest_is_dropped_but_not_undelivered_by_try)
{
    ints channel = hooked(3, CW_OVERFLOW_DROP_LATEST);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(ints_try_send(channel, i), CW_OK);
    ASSERT_EQ(noted.count, 0);
    expect_elements(channel, 0, 2);
    cw_channel_release(channel.channel);
}

TEST(a_hook_that_fails_is_told_to_who_tries)
{
    ints channel = hooked(CW_CONFLATED, CW_OVERFLOW_SUSPEND);
    noted.fail_with = CW_EBUSY;
    ASSERT_EQ(ints_try_send(channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(channel, 2), CW_EUNDELIVERED);
    expect_elements(channel, 2, 2);
    cw_channel_release(channel.channel);
}

SCENARIO(dropped_by_send, ints channel;)
{
    CW_BEGIN(self);
    self->channel = hooked(1, CW_OVERFLOW_DROP_LATEST);
    CW_SEND(self, ints, self->channel, 1);
    CW_SEND(self, ints, self->channel, 2);
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 2);
    noted.fail_with = CW_EBUSY;
    CW_TRY(self, 1);
    CW_SEND(self, ints, self->channel, 3);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EUNDELIVERED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_caught(self))), CW_EBUSY);
    }
    expect_elements(self->channel, 1, 1);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

TEST(a_ring_goes_round_and_a_chain_goes_on)
{
    static const int capacities[] = {5, 64, 10000, CW_UNLIMITED};
    for (int c = 0; c < 4; c++) {
        ints channel = ints_new(capacities[c]);
        int sent = 0, received = 0;
        for (int round = 1; round < 300; round++) {
            for (int i = 0; i < round % 7 + (round % 50 ? 0 : 400); i++)
                if (ints_try_send(channel, sent) == CW_OK) sent++;
            for (int i = 0; i < round % 5 + (round % 60 ? 0 : 500); i++) {
                int got;
                int status = ints_try_receive(channel, &got);
                ASSERT_EQ(status, received < sent ? CW_OK : CW_EAGAIN);
                if (status == CW_OK) ASSERT_EQ(got, received++);
            }
        }
        expect_elements(channel, received, sent - 1);
        ASSERT(cw_channel_is_empty(channel.channel));
        cw_channel_release(channel.channel);
    }
}

TEST(a_long_chain_that_drops_the_oldest)
{
    ints channel = hooked(20000, CW_OVERFLOW_DROP_OLDEST);
    for (int i = 0; i < 20050; i++)
        ASSERT_EQ(ints_try_send(channel, i), CW_OK);
    ASSERT_EQ(noted.count, 50);
    ASSERT_EQ(noted.elements[49], 49);
    expect_elements(channel, 50, 20049);
    cw_channel_release(channel.channel);
}

CW_COROUTINE(send_more, ints, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 500; self->i++)
        CW_SEND(self, ints, self->arg, 20000 + self->i);
    CW_END(self);
}

/* Senders at a chain that is full to the last slot of a segment. */
SCENARIO(senders_wait_at_a_full_chain, ints channel; int i; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(20000);
    for (self->i = 0; ints_try_send(self->channel, self->i) == CW_OK;)
        self->i++;
    ASSERT_EQ(self->i, 20000);
    cw_spawn(NULL, send_more, self->channel);
    CW_YIELD(self);
    for (self->i = 0; self->i < 20500; self->i++) {
        CW_RECEIVE(self, ints, self->channel, &self->got);
        ASSERT_EQ(self->got, self->i);
    }
    ASSERT(cw_channel_is_empty(self->channel.channel));
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(send_large, larges, cw_none, struct large element; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 10; self->i++) {
        self->element.number = self->i;
        self->element.rest[99] = (char)self->i;
        CW_SEND(self, larges, self->arg, self->element);
    }
    cw_channel_close(self->arg.channel, NULL, NULL);
    CW_END(self);
}

SCENARIO(large_elements_wait_as_well, larges channel; struct large got; int i;
         int capacity;)
{
    CW_BEGIN(self);
    for (self->capacity = 0; self->capacity < 3; self->capacity++) {
        self->channel = larges_new(self->capacity);
        self->i = 0;
        cw_spawn(NULL, send_large, self->channel);
        CW_RECEIVE_EACH(self, larges, self->channel, &self->got)
        {
            if (self->i == 5) CW_YIELD(self);
            ASSERT_EQ(self->got.number, self->i);
            ASSERT_EQ(self->got.rest[99], self->i);
            self->i++;
        }
        ASSERT_EQ(self->i, 10);
        cw_channel_release(self->channel.channel);
    }
    CW_END(self);
}

SCENARIO(no_memory_for_an_element, larges channel; struct large element;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = larges_new(CW_UNLIMITED);
    fail_allocs_from(1);
    CW_TRY(self, 1);
    for (;;) {
        CW_SEND(self, larges, self->channel, self->element);
    }
    CW_CATCH(self, 1)
    {
        fail_alloc_at(0);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ENOMEM);
        MARK(1);
    }
    CW_SEND(self, larges, self->channel, self->element);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

TEST(elements_without_content)
{
    nones channel = nones_new(1);
    cw_none none;
    ASSERT_EQ(nones_try_send(channel, CW_NONE), CW_OK);
    ASSERT_EQ(nones_try_send(channel, CW_NONE), CW_EAGAIN);
    ASSERT_EQ(nones_try_receive(channel, &none), CW_OK);
    cw_channel_release(channel.channel);
}
