/* channel_test.c: channels, producers, broadcasts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channel.h"
#include "context.h"

CW_CHANNEL_TYPE(ints, int)

struct large {
    int number;
    char rest[100];
};
CW_CHANNEL_TYPE(larges, struct large)
CW_CHANNEL_TYPE(nones, cw_none)

static struct {
    int elements[64], count;
    int fail_with;
} hook;

static cw_error *note_undelivered(int *element, void *arg)
{
    ASSERT(arg == NULL);
    hook.elements[hook.count++] = *element;
    return hook.fail_with ? cw_error_new(hook.fail_with, "hook", NULL) : NULL;
}

static ints hooked(int capacity, cw_overflow overflow)
{
    return ints_new_with(capacity, overflow, note_undelivered, NULL);
}

static void expect_elements(ints channel, int first, int last)
{
    int got = -1;
    for (int i = first; i <= last; i++) {
        ASSERT_EQ(ints_try_receive(channel, &got), CW_OK);
        ASSERT_EQ(got, i);
    }
}

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
    ASSERT_EQ(hook.count, 7);
    for (int i = 0; i < 7; i++)
        ASSERT_EQ(hook.elements[i], i);
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
    ASSERT_EQ(hook.count, 0);
    expect_elements(channel, 0, 2);
    cw_channel_release(channel.channel);
}

TEST(a_hook_that_fails_is_told_to_who_tries)
{
    ints channel = hooked(CW_CONFLATED, CW_OVERFLOW_SUSPEND);
    hook.fail_with = CW_EBUSY;
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
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 2);
    hook.fail_with = CW_EBUSY;
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
    ASSERT_EQ(hook.count, 50);
    ASSERT_EQ(hook.elements[49], 49);
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

/* ---- prompt cancellation */

CW_COROUTINE(receive_one, ints, int, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    CW_RETURN(self, self->got);
    CW_END(self);
}

CW_COROUTINE(send_9, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, self->arg, 9);
    CW_END(self);
}

SCENARIO(a_cancelled_receiver_gets_nothing, ints channel; cw_job * jobs[2];
         int got;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_async(NULL, receive_one, self->channel);
    CW_YIELD(self);
    cw_cancel(self->jobs[0], NULL);
    /* The first is passed over, although it has not run since. */
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(self->channel, 2), CW_EAGAIN);
    CW_AWAIT(self, receive_one, self->jobs[1], &self->got);
    ASSERT_EQ(self->got, 1);
    ASSERT_EQ(hook.count, 0);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(a_receiver_cancelled_after_the_hand_over, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND);
    self->job = cw_async(NULL, receive_one, self->channel);
    CW_YIELD(self);
    ASSERT_EQ(ints_try_send(self->channel, 4), CW_OK);
    cw_cancel(self->job, NULL);
    ASSERT_EQ(hook.count, 0);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 4);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(a_cancelled_sender_keeps_nothing_in_the_channel, ints channel;
         cw_job * job; int got;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND);
    self->job = cw_launch(NULL, send_9, self->channel);
    CW_YIELD(self);
    ASSERT(!cw_channel_is_empty(self->channel.channel));
    cw_cancel(self->job, NULL);
    ASSERT(cw_channel_is_empty(self->channel.channel));
    ASSERT_EQ(ints_try_receive(self->channel, &self->got), CW_EAGAIN);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 9);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* What need not wait does not look at cancellation. */
CW_COROUTINE(cancelled_itself, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    cw_cancel(cw_current_job(), NULL);
    CW_SEND(self, ints, self->arg, 1);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 1);
    MARK(1);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_RECEIVE(self, ints, self->arg, &self->got));
    MARK(2);
    CW_SEND(self, ints, self->arg, 2);
    CW_SEND(self, ints, self->arg, 3);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(what_is_ready_needs_no_active_job, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = hooked(1, CW_OVERFLOW_SUSPEND);
    self->job = cw_launch(NULL, cancelled_itself, self->channel);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 3);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- closing */

CW_COROUTINE(catches_either, ints, int, int got; int status;)
{
    CW_BEGIN(self);
    CW_RECEIVE_CATCHING(self, ints, self->arg, &self->got, &self->status);
    CW_RETURN(self, self->status);
    CW_END(self);
}

SCENARIO(a_cause_reaches_everybody, ints channel; cw_error * cause; int got;
         cw_job * jobs[2]; int status; ints_iterator it; bool more;)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    self->cause = cw_error_new(CW_EBUSY, "why", NULL);
    self->jobs[0] = cw_async(NULL, catches_either, self->channel);
    CW_YIELD(self);
    ASSERT(cw_channel_close(self->channel.channel, self->cause, NULL));
    ASSERT(!cw_channel_close(self->channel.channel, NULL, NULL));
    ASSERT(cw_channel_cause(self->channel.channel) == self->cause);
    CW_AWAIT(self, catches_either, self->jobs[0], &self->status);
    ASSERT_EQ(self->status, CW_ERECVCLOSED);
    ASSERT_RAISES(self, 1, self->cause, CW_SEND(self, ints, self->channel, 1));
    ASSERT_RAISES(self, 2, self->cause,
                  CW_RECEIVE(self, ints, self->channel, &self->got));
    CW_TRY(self, 3);
    CW_RECEIVE_EACH(self, ints, self->channel, &self->got) { ASSERT(false); }
    ASSERT(false);
    CW_CATCH(self, 3) { ASSERT(cw_caught(self) == self->cause); }
    self->it = ints_iterate(self->channel);
    ASSERT_RAISES(self, 4, self->cause,
                  CW_HAS_NEXT(self, ints, &self->it, &self->more));
    ASSERT_EQ(ints_next(&self->it, &self->got), CW_EBUSY);
    ASSERT_EQ(ints_next(&self->it, &self->got), CW_ESTATE);
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_ESENDCLOSED);
    ASSERT_EQ(ints_try_receive(self->channel, &self->got), CW_ERECVCLOSED);
    cw_job_release(self->jobs[0]);
    cw_error_release(self->cause);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

static cw_error *note_close(cw_error *cause, void *arg)
{
    ASSERT(cause == arg);
    atomic_fetch_add(&test_marks, 1);
    return NULL;
}

static cw_error *fail_to_close(cw_error *cause, void *arg)
{
    (void)cause, (void)arg;
    return cw_error_new(CW_EFAILED, "close", NULL);
}

TEST(the_close_handler_runs_once)
{
    ints channel = ints_new(1);
    cw_error *cause = cw_error_new(CW_EBUSY, NULL, NULL);
    ASSERT_EQ(cw_channel_on_close(channel.channel, note_close, cause, NULL),
              CW_OK);
    ASSERT_EQ(cw_channel_on_close(channel.channel, note_close, cause, NULL),
              CW_ESTATE);
    ASSERT_EQ(test_marks, 0);
    ASSERT(cw_channel_close(channel.channel, cause, NULL));
    ASSERT_EQ(test_marks, 1);
    cw_channel_cancel(channel.channel, NULL, NULL);
    ASSERT_EQ(test_marks, 1);
    ASSERT_EQ(cw_channel_on_close(channel.channel, note_close, cause, NULL),
              CW_ESTATE);
    cw_channel_release(channel.channel);
    cw_error_release(cause);
}

TEST(the_close_handler_of_a_closed_channel_runs_at_once)
{
    cw_set_unhandled_handler(count_unhandled);
    ints channel = ints_new(1);
    cw_channel_close(channel.channel, NULL, NULL);
    ASSERT_EQ(cw_channel_on_close(channel.channel, note_close, NULL, NULL),
              CW_OK);
    ASSERT_EQ(test_marks, 1);
    ASSERT_EQ(cw_channel_on_close(channel.channel, note_close, NULL, NULL),
              CW_ESTATE);
    cw_channel_release(channel.channel);

    cw_error *failure;
    channel = ints_new(1);
    cw_channel_close(channel.channel, NULL, NULL);
    ASSERT_EQ(
        cw_channel_on_close(channel.channel, fail_to_close, NULL, &failure),
        CW_OK);
    ASSERT_EQ(cw_error_code(failure), CW_EFAILED);
    cw_error_release(failure);
    cw_channel_release(channel.channel);
    ASSERT_EQ(unhandled_count, 0);
}

TEST(failures_that_nobody_asks_for_are_reported)
{
    cw_set_unhandled_handler(count_unhandled);
    ints channel = hooked(2, CW_OVERFLOW_SUSPEND);
    hook.fail_with = CW_EBUSY;
    ASSERT_EQ(ints_try_send(channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(channel, 2), CW_OK);
    ASSERT_EQ(cw_channel_on_close(channel.channel, fail_to_close, NULL, NULL),
              CW_OK);
    cw_channel_cancel(channel.channel, NULL, NULL);
    ASSERT_EQ(unhandled_count, 1); /* the first one */
    ASSERT_EQ(unhandled_code, CW_EUNDELIVERED);
    ASSERT_EQ(hook.count, 2);
    cw_channel_release(channel.channel);
}

SCENARIO(cancelling_gives_waiting_elements_to_the_hook_at_once, ints channel;
         cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->channel = hooked(1, CW_OVERFLOW_SUSPEND);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_async(NULL, send_9, self->channel);
    CW_YIELD(self);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    ASSERT_EQ(hook.count, 2);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT_EQ(hook.count, 2);
    ASSERT(cw_job_error(self->jobs[0]) == NULL);
    ASSERT_EQ(cw_error_code(cw_job_error(self->jobs[1])), CW_ECANCELED);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- iterating and consuming */

SCENARIO(asking_again_changes_nothing, ints channel; ints_iterator it;
         bool more; int got; int i;)
{
    CW_BEGIN(self);
    self->channel = ints_new(2);
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(self->channel, 2), CW_OK);
    cw_channel_close(self->channel.channel, NULL, NULL);
    self->it = ints_iterate(self->channel);
    for (self->i = 1; self->i <= 2; self->i++) {
        CW_HAS_NEXT(self, ints, &self->it, &self->more);
        ASSERT(self->more);
        CW_HAS_NEXT(self, ints, &self->it, &self->more);
        ASSERT(self->more);
        ASSERT_EQ(ints_next(&self->it, &self->got), CW_OK);
        ASSERT_EQ(self->got, self->i);
        ASSERT_EQ(ints_next(&self->it, &self->got), CW_ESTATE);
    }
    CW_HAS_NEXT(self, ints, &self->it, &self->more);
    ASSERT(!self->more);
    CW_HAS_NEXT(self, ints, &self->it, &self->more);
    ASSERT(!self->more);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(send_three, ints, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 1; self->i <= 3; self->i++)
        CW_SEND(self, ints, self->arg, self->i);
    CW_END(self);
}

SCENARIO(breaking_off_a_loop_leaves_the_rest, ints channel; cw_job * job;
         int got; int sum;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job =
        cw_produce(NULL, send_three, self->channel.channel, self->channel);
    CW_RECEIVE_EACH(self, ints, self->channel, &self->got)
    {
        if (self->got == 1) continue;
        self->sum += self->got;
        break;
    }
    ASSERT_EQ(self->sum, 2);
    CW_RECEIVE_EACH(self, ints, self->channel, &self->got)
    self->sum += self->got;
    ASSERT_EQ(self->sum, 5);
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

static int add_up(int element, void *sum)
{
    *(int *)sum += element;
    return *(int *)sum == 100 ? 1 : *(int *)sum == 1000 ? CW_EBUSY : 0;
}

SCENARIO(consuming_cancels_in_the_end, ints channel; int sum; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_UNLIMITED, CW_OVERFLOW_SUSPEND);
    self->job =
        cw_produce(NULL, send_three, self->channel.channel, self->channel);
    CW_CONSUME_EACH(self, ints, self->channel, add_up, &self->sum);
    ASSERT_EQ(self->sum, 6);
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);

    self->channel = hooked(CW_UNLIMITED, CW_OVERFLOW_SUSPEND);
    ASSERT_EQ(ints_try_send(self->channel, 94), CW_OK); /* stops at 100 */
    ASSERT_EQ(ints_try_send(self->channel, 5), CW_OK);
    CW_CONSUME_EACH(self, ints, self->channel, add_up, &self->sum);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 5);
    cw_channel_release(self->channel.channel);

    self->channel = hooked(CW_UNLIMITED, CW_OVERFLOW_SUSPEND);
    ASSERT_EQ(ints_try_send(self->channel, 900), CW_OK); /* fails at 1000 */
    CW_TRY(self, 1);
    CW_CONSUME_EACH(self, ints, self->channel, add_up, &self->sum);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EBUSY);
        ASSERT(cw_error_cause(cw_channel_cause(self->channel.channel)) ==
               cw_caught(self));
    }
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- producers */

SCENARIO(a_channel_has_one_producer, ints channel; cw_job * job; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_UNLIMITED);
    self->job =
        cw_produce(NULL, send_three, self->channel.channel, self->channel);
    ASSERT(self->job);
    ASSERT(!cw_produce(NULL, send_three, self->channel.channel, self->channel));
    ASSERT_EQ(cw_last_error(), CW_ESTATE);
    CW_JOIN(self, self->job);
    ASSERT(cw_channel_is_closed_for_send(self->channel.channel));
    ASSERT(!cw_produce(NULL, send_three, self->channel.channel, self->channel));
    expect_elements(self->channel, 1, 3);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(late_child, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 2);
    CW_SEND(self, ints, self->arg, 2);
    CW_END(self);
}

CW_COROUTINE(leaves_a_child, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, late_child, self->arg);
    CW_SEND(self, ints, self->arg, 1);
    CW_END(self);
}

SCENARIO(the_channel_closes_after_the_children, ints channel; cw_job * job;
         int got; int sum;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job =
        cw_produce(NULL, leaves_a_child, self->channel.channel, self->channel);
    CW_RECEIVE_EACH(self, ints, self->channel, &self->got)
    {
        self->sum += self->got;
    }
    ASSERT_EQ(self->sum, 3);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(closes_and_fails, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_channel_close(self->arg.channel, NULL, NULL);
    CW_FAIL(self, CW_EBUSY, NULL);
    CW_END(self);
}

TEST(a_failure_after_closing_is_unhandled)
{
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(2);
    ints channel = ints_new(CW_RENDEZVOUS);
    cw_job *job =
        cw_produce(context, closes_and_fails, channel.channel, channel);
    wait_for(job);
    cw_job_release(job);
    shut_down(context);
    ASSERT_EQ(unhandled_count, 1);
    cw_channel_release(channel.channel);
}

CW_COROUTINE(await_close, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CLOSE(self, self->arg.channel);
    MARK(1);
    CW_END(self);
}

SCENARIO(awaiting_close_is_for_producers, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE,
                       CW_AWAIT_CLOSE(self, self->channel.channel));
    self->job =
        cw_produce(NULL, await_close, self->channel.channel, self->channel);
    CW_YIELD(self);
    ASSERT_RAISES_CODE(self, 2, CW_ESTATE,
                       CW_AWAIT_CLOSE(self, self->channel.channel));
    cw_channel_close(self->channel.channel, NULL, NULL);
    CW_JOIN(self, self->job);
    MARK(2);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- broadcasts */

CW_BROADCAST_TYPE(int_news, ints, int)

TEST(everybody_gets_the_latest)
{
    int_news news = int_news_new();
    int value = 0;
    ASSERT_EQ(int_news_value(news, &value), CW_ESTATE);
    ints early = int_news_subscribe(news);
    ASSERT_EQ(ints_try_receive(early, &value), CW_EAGAIN);
    ASSERT_EQ(int_news_send(news, 1), CW_OK);
    ASSERT_EQ(int_news_send(news, 2), CW_OK);
    ASSERT_EQ(int_news_value(news, &value), CW_OK);
    ASSERT_EQ(value, 2);
    ints late = int_news_subscribe(news);
    expect_elements(early, 2, 2);
    expect_elements(late, 2, 2);
    ASSERT_EQ(ints_try_receive(early, &value), CW_EAGAIN);
    cw_channel_cancel(early.channel, NULL, NULL);
    ASSERT_EQ(int_news_send(news, 3), CW_OK);
    ASSERT_EQ(ints_try_receive(early, &value), CW_ERECVCLOSED);
    ASSERT(cw_broadcast_close(news.broadcast, NULL));
    ASSERT(!cw_broadcast_close(news.broadcast, NULL));
    ASSERT(cw_broadcast_is_closed(news.broadcast));
    expect_elements(late, 3, 3);
    ASSERT_EQ(ints_try_receive(late, &value), CW_ERECVCLOSED);
    ASSERT_EQ(int_news_send(news, 4), CW_ESENDCLOSED);
    ASSERT_EQ(int_news_value(news, &value), CW_ESTATE);
    ints after = int_news_subscribe(news);
    ASSERT(cw_channel_is_closed_for_receive(after.channel));
    cw_channel_release(after.channel);
    cw_channel_release(early.channel);
    cw_broadcast_release(news.broadcast);
    cw_channel_release(late.channel);
}

TEST(the_last_handle_closes_a_broadcast)
{
    int_news news = int_news_new();
    ints one = int_news_subscribe(news), other = int_news_subscribe(news);
    ASSERT(cw_broadcast_retain(news.broadcast) == news.broadcast);
    ASSERT_EQ(int_news_send(news, 1), CW_OK);
    cw_broadcast_release(news.broadcast);
    ASSERT(!cw_channel_is_closed_for_send(one.channel));
    cw_channel_cancel(other.channel, NULL, NULL);
    cw_broadcast_release(news.broadcast);
    ASSERT(cw_channel_is_closed_for_send(one.channel));
    expect_elements(one, 1, 1);
    cw_channel_release(one.channel);
    cw_channel_release(other.channel);
    cw_broadcast_release(NULL);
}

CW_COROUTINE(subscriber, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    MARK(self->got);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(cancelling_a_broadcast, int_news news; ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->news = int_news_new();
    self->channel = int_news_subscribe(self->news);
    self->job = cw_async(NULL, subscriber, self->channel);
    CW_YIELD(self);
    ASSERT_EQ(int_news_send(self->news, 1), CW_OK);
    CW_YIELD(self);
    cw_broadcast_cancel(self->news.broadcast, NULL);
    CW_JOIN(self, self->job);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    cw_broadcast_release(self->news.broadcast);
    CW_END(self);
}
