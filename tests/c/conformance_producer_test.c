/* conformance_producer_test.c: what producers have to do, case by case, on one
 * worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"

/* ---- 133, 175 to 179: producers */

CW_COROUTINE(cancels_its_channel, ints, cw_none, cw_error *cause; int got;)
{
    CW_BEGIN(self);
    self->cause = cw_error_new(CW_ECANCELED, "from inside", NULL);
    MARK(2);
    cw_channel_cancel(self->arg.channel, self->cause, NULL);
    ASSERT_RAISES(self, 1, self->cause, CW_SEND(self, ints, self->arg, 1));
    MARK(3);
    CW_FINALLY(self);
    cw_error_release(self->cause);
    CW_END(self);
}

SCENARIO(case_133_a_producer_cancels_its_channel, ints channel; cw_job * job;
         int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_produce(NULL, cancels_its_channel, self->channel.channel,
                           self->channel);
    MARK(1);
    CW_TRY(self, 1);
    CW_RECEIVE(self, ints, self->channel, &self->got);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "from inside");
        MARK(4);
    }
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(sends_one_and_is_cancelled, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    CW_SEND(self, ints, self->arg, 1);
    MARK(3);
    CW_TRY(self, 1);
    CW_SEND(self, ints, self->arg, 2);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(7);
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
    }
    CW_END(self);
}

SCENARIO(case_175_a_consumer_cancels_its_producer, ints channel; cw_job * job;
         int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_produce(NULL, sends_one_and_is_cancelled,
                           self->channel.channel, self->channel);
    MARK(1);
    CW_RECEIVE(self, ints, self->channel, &self->got);
    ASSERT_EQ(self->got, 1);
    MARK(4);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    MARK(5);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_RECEIVE(self, ints, self->channel, &self->got));
    MARK(6);
    CW_YIELD(self);
    MARK(8);
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(sends_five_and_fails, ints, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 5; self->i++)
        CW_SEND(self, ints, self->arg, self->i);
    CW_FAIL(self, CW_EBUSY, "after five");
    CW_END(self);
}

CW_COROUTINE(receive_five_and_the_failure, ints, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 5; self->i++) {
        CW_RECEIVE(self, ints, self->arg, &self->got);
        ASSERT_EQ(self->got, self->i);
    }
    MARK(1);
    CW_TRY(self, 1);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EBUSY);
        ASSERT(cw_caught(self) == cw_channel_cause(self->arg.channel));
        MARK(2);
    }
    CW_END(self);
}

/* The producer has no parent: it would cancel that. */
TEST(case_176_what_was_sent_before_a_failure_is_received)
{
    cw_context *context = new_context(1);
    ints channel = ints_new(CW_UNLIMITED);
    cw_job *job =
        cw_produce(context, sends_five_and_fails, channel.channel, channel);
    wait_for(job);
    cw_none none;
    ASSERT_EQ(
        cw_run_blocking(receive_five_and_the_failure, channel, &none, NULL),
        CW_OK);
    ASSERT(cw_job_error(job) == cw_channel_cause(channel.channel));
    cw_job_release(job);
    cw_channel_release(channel.channel);
    shut_down(context);
}

CW_COROUTINE(awaits_close_twice, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CLOSE(self, self->arg.channel);
    MARK(2);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE,
                       CW_AWAIT_CLOSE(self, self->arg.channel));
    MARK(3);
    CW_END(self);
}

static cw_error *never_called(cw_error *cause, void *arg)
{
    (void)cause, (void)arg;
    ASSERT(false);
    return NULL;
}

SCENARIO(case_178_awaiting_close_only_once, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_produce(NULL, awaits_close_twice, self->channel.channel,
                           self->channel);
    CW_YIELD(self);
    ASSERT_EQ(
        cw_channel_on_close(self->channel.channel, never_called, NULL, NULL),
        CW_ESTATE);
    MARK(1);
    cw_channel_close(self->channel.channel, NULL, NULL);
    CW_JOIN(self, self->job);
    ASSERT(cw_job_error(self->job) == NULL);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

static cw_error *note_close(cw_error *cause, void *arg)
{
    (void)cause, (void)arg;
    return NULL;
}

CW_COROUTINE(awaits_close_with_a_handler, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_channel_on_close(self->arg.channel, note_close, NULL, NULL),
              CW_OK);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE,
                       CW_AWAIT_CLOSE(self, self->arg.channel));
    MARK(1);
    CW_END(self);
}

SCENARIO(case_178_awaiting_close_not_with_a_handler, ints channel;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_produce(NULL, awaits_close_with_a_handler,
                           self->channel.channel, self->channel);
    CW_JOIN(self, self->job);
    MARK(2);
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(hangs_until_cancelled, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_DELAY(self, INT64_MAX);
    ASSERT(false);
    CW_FINALLY(self);
    MARK(5);
    CW_END(self);
}

CW_COROUTINE(closes_and_leaves_a_child, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(2);
    cw_spawn(NULL, hangs_until_cancelled, CW_NONE);
    ASSERT(cw_channel_close(self->arg.channel, NULL, NULL));
    CW_END(self);
}

SCENARIO(case_179_cancelling_a_closed_channel_cancels_its_producer,
         ints channel;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_produce(NULL, closes_and_leaves_a_child,
                           self->channel.channel, self->channel);
    MARK(1);
    CW_YIELD(self);
    CW_YIELD(self);
    MARK(4);
    ASSERT(cw_channel_is_closed_for_send(self->channel.channel));
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    CW_JOIN(self, self->job);
    MARK(6);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 109: a nested loop receives from a producer on the outer one */

CW_COROUTINE(send_two_slowly, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, self->arg, 1);
    CW_DELAY(self, 1);
    CW_SEND(self, ints, self->arg, 2);
    CW_END(self);
}

CW_COROUTINE(add_two, ints, int, int got[2];)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got[0]);
    CW_RECEIVE(self, ints, self->arg, &self->got[1]);
    CW_RETURN(self, self->got[0] + self->got[1]);
    CW_END(self);
}

SCENARIO(case_109_a_nested_loop_receives, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job =
        cw_produce(NULL, send_two_slowly, self->channel.channel, self->channel);
    int sum = 0;
    ASSERT_EQ(cw_run_blocking(add_two, self->channel, &sum, NULL), CW_OK);
    ASSERT_EQ(sum, 3);
    CW_JOIN(self, self->job);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}
