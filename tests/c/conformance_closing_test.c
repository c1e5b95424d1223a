/* conformance_closing_test.c: what closing and cancelling channels have to do,
 * case by case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"

/* ---- 152: closing leaves who waits to send */

CW_COROUTINE(send_42, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(3);
    CW_SEND(self, ints, self->arg, 42);
    MARK(11);
    CW_END(self);
}

CW_COROUTINE(receive_to_the_end, ints, cw_none, int got; int status;)
{
    CW_BEGIN(self);
    MARK(7);
    CW_RECEIVE_CATCHING(self, ints, self->arg, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_OK);
    ASSERT_EQ(self->got, 42);
    MARK(8);
    CW_RECEIVE_CATCHING(self, ints, self->arg, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_ERECVCLOSED);
    MARK(9);
    ASSERT(cw_channel_is_closed_for_receive(self->arg.channel));
    MARK(10);
    CW_END(self);
}

SCENARIO(case_152_a_suspended_sender_survives_closing, ints channel;
         cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    MARK(1);
    self->jobs[0] = cw_launch(NULL, send_42, self->channel);
    MARK(2);
    CW_YIELD(self);
    MARK(4);
    ASSERT(cw_channel_close(self->channel.channel, NULL, NULL));
    MARK(5);
    self->jobs[1] = cw_launch(NULL, receive_to_the_end, self->channel);
    MARK(6);
    CW_JOIN_ALL(self, self->jobs, 2);
    MARK(12);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 154: cancelling refuses who waits to send */

CW_COROUTINE(never_sent, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, self->arg, 1);
    ASSERT(false);
    CW_END(self);
}

SCENARIO(case_154_cancel_refuses_ten_senders, ints channel; cw_job * jobs[10];
         int i; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    for (self->i = 0; self->i < 10; self->i++)
        self->jobs[self->i] = cw_launch(NULL, never_sent, self->channel);
    CW_YIELD(self);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    ASSERT(cw_channel_is_closed_for_send(self->channel.channel));
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_RECEIVE(self, ints, self->channel, &self->got));
    MARK(1);
    CW_JOIN_ALL(self, self->jobs, 10);
    for (self->i = 0; self->i < 10; self->i++) {
        ASSERT_EQ(cw_error_code(cw_job_error(self->jobs[self->i])),
                  CW_ECANCELED);
        cw_job_release(self->jobs[self->i]);
    }
    MARK(2);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 155: a receiver hears of the end */

CW_COROUTINE(receive_42_and_the_end, ints, cw_none, int got; int status;)
{
    CW_BEGIN(self);
    CW_RECEIVE_CATCHING(self, ints, self->arg, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_OK);
    ASSERT_EQ(self->got, 42);
    MARK(3);
    CW_RECEIVE_CATCHING(self, ints, self->arg, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_ERECVCLOSED);
    ASSERT(cw_channel_cause(self->arg.channel) == NULL);
    MARK(4);
    CW_END(self);
}

SCENARIO(case_155_a_waiting_receiver_hears_of_closing, ints channel;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->job = cw_launch(NULL, receive_42_and_the_end, self->channel);
    CW_YIELD(self);
    MARK(1);
    CW_SEND(self, ints, self->channel, 42);
    ASSERT(cw_channel_close(self->channel.channel, NULL, NULL));
    ASSERT(!cw_channel_is_empty(self->channel.channel));
    MARK(2);
    CW_JOIN(self, self->job);
    MARK(5);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 160: the errors of a closed channel */

CW_COROUTINE(receive_of_closed, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    MARK(1);
    ASSERT_RAISES_CODE(self, 1, CW_ERECVCLOSED,
                       CW_RECEIVE(self, ints, self->arg, &self->got));
    MARK(3);
    CW_END(self);
}

SCENARIO(case_160_errors_of_a_closed_channel, ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    cw_spawn(NULL, receive_of_closed, self->channel);
    CW_YIELD(self);
    ASSERT(cw_channel_close(self->channel.channel, NULL, NULL));
    MARK(2);
    CW_YIELD(self);
    ASSERT_RAISES_CODE(self, 1, CW_ESENDCLOSED,
                       CW_SEND(self, ints, self->channel, 42));
    MARK(4);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 161: a closed conflated channel still has its element */

SCENARIO(case_161_conflated_and_closed, ints channel; int got; int status;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_CONFLATED);
    CW_SEND(self, ints, self->channel, 1);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT(cw_channel_is_closed_for_send(self->channel.channel));
    ASSERT(!cw_channel_is_closed_for_receive(self->channel.channel));
    CW_RECEIVE(self, ints, self->channel, &self->got);
    ASSERT_EQ(self->got, 1);
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    CW_RECEIVE_CATCHING(self, ints, self->channel, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_ERECVCLOSED);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 164: who waits goes on in order of arrival */

struct numbered {
    ints channel;
    int mark;
};

CW_COROUTINE(receives_closed, struct numbered, cw_none, int got;)
{
    CW_BEGIN(self);
    ASSERT_RAISES_CODE(self, 1, CW_ERECVCLOSED,
                       CW_RECEIVE(self, ints, self->arg.channel, &self->got));
    MARK(self->arg.mark);
    CW_END(self);
}

SCENARIO(case_164_receivers_hear_of_closing_in_order, ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    MARK(1);
    cw_spawn(NULL, receives_closed, ((struct numbered){self->channel, 5}));
    cw_spawn(NULL, receives_closed, ((struct numbered){self->channel, 6}));
    MARK(2);
    CW_YIELD(self);
    MARK(3);
    cw_channel_close(self->channel.channel, NULL, NULL);
    MARK(4);
    CW_YIELD(self);
    MARK(7);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(sends_cancelled, struct numbered, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT_RAISES_CODE(self, 1, CW_ECANCELED,
                       CW_SEND(self, ints, self->arg.channel, 1));
    MARK(self->arg.mark);
    CW_END(self);
}

SCENARIO(case_164_senders_hear_of_cancelling_in_order, ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    MARK(1);
    cw_spawn(NULL, sends_cancelled, ((struct numbered){self->channel, 5}));
    cw_spawn(NULL, sends_cancelled, ((struct numbered){self->channel, 6}));
    MARK(2);
    CW_YIELD(self);
    MARK(3);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    MARK(4);
    CW_YIELD(self);
    MARK(7);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 172: a close handler that fails */

static cw_error *fail_on_close(cw_error *cause, void *arg)
{
    ASSERT(cause == NULL);
    MARK(1);
    return cw_error_retain(arg);
}

SCENARIO(case_172_a_close_handler_fails, ints channel; cw_error * failure;
         cw_error * thrown;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->thrown = cw_error_new(CW_EBUSY, "handler", NULL);
    ASSERT_EQ(cw_channel_on_close(self->channel.channel, fail_on_close,
                                  self->thrown, NULL),
              CW_OK);
    ASSERT(cw_channel_close(self->channel.channel, NULL, &self->failure));
    MARK(2);
    ASSERT(self->failure == self->thrown);
    ASSERT(cw_channel_is_closed_for_send(self->channel.channel));
    ASSERT(cw_channel_is_closed_for_receive(self->channel.channel));
    cw_error_release(self->failure);
    ASSERT(!cw_channel_close(self->channel.channel, NULL, &self->failure));
    ASSERT(self->failure == NULL);
    cw_error_release(self->thrown);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}
