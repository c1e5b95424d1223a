/* producer_test.c: producers, and loops that take what they send.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"

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
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 5);
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
