/* conformance_channel_test.c: what sending and receiving have to do, case by
 * case, on one worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"
#include "context.h"
#include "limit.h"

/* ---- 151: trying and waiting in turns at a rendezvous */

CW_COROUTINE(tries_and_waits, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    MARK(3);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_EAGAIN);
    MARK(4);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 2);
    MARK(7);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_EAGAIN);
    CW_YIELD(self);
    MARK(9);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_OK);
    ASSERT_EQ(self->got, 3);
    MARK(10);
    CW_END(self);
}

SCENARIO(case_151_try_send_then_receive, ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_EAGAIN);
    MARK(1);
    cw_spawn(NULL, tries_and_waits, self->channel);
    MARK(2);
    CW_YIELD(self);
    MARK(5);
    ASSERT_EQ(ints_try_send(self->channel, 2), CW_OK);
    MARK(6);
    CW_YIELD(self);
    MARK(8);
    CW_SEND(self, ints, self->channel, 3);
    MARK(11);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 157: a buffer of one */

CW_COROUTINE(send_two, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(4);
    CW_SEND(self, ints, self->arg, 1);
    MARK(5);
    CW_SEND(self, ints, self->arg, 2);
    MARK(9);
    CW_END(self);
}

CW_COROUTINE(receive_two, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    MARK(6);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 1);
    MARK(7);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 2);
    MARK(8);
    CW_END(self);
}

SCENARIO(case_157_receiving_moves_a_waiting_element_into_the_buffer,
         ints channel;
         cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    MARK(1);
    self->jobs[0] = cw_launch(NULL, send_two, self->channel);
    MARK(2);
    self->jobs[1] = cw_launch(NULL, receive_two, self->channel);
    MARK(3);
    CW_JOIN(self, self->jobs[0]);
    CW_JOIN(self, self->jobs[1]);
    ASSERT(cw_channel_is_empty(self->channel.channel));
    MARK(10);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 158: trying, with a buffer and a receiver that waits */

CW_COROUTINE(tries_and_waits_more, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    MARK(3);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_OK);
    ASSERT_EQ(self->got, 1);
    MARK(4);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_EAGAIN);
    MARK(5);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT_EQ(self->got, 2);
    MARK(9);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_OK);
    ASSERT_EQ(self->got, 3);
    MARK(10);
    ASSERT_EQ(ints_try_receive(self->arg, &self->got), CW_EAGAIN);
    MARK(11);
    CW_END(self);
}

SCENARIO(case_158_receiver_first_then_buffer_then_refusal, ints channel;)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_OK);
    MARK(1);
    cw_spawn(NULL, tries_and_waits_more, self->channel);
    MARK(2);
    CW_YIELD(self);
    MARK(6);
    ASSERT_EQ(ints_try_send(self->channel, 2), CW_OK);
    MARK(7);
    ASSERT_EQ(ints_try_send(self->channel, 3), CW_OK);
    MARK(8);
    ASSERT_EQ(ints_try_send(self->channel, 4), CW_EAGAIN);
    CW_YIELD(self);
    MARK(12);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 163: no limit */

SCENARIO(case_163_unlimited_in_order_and_closed_once, ints channel; int got;
         int i; int status;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_UNLIMITED);
    CW_SEND(self, ints, self->channel, 1);
    ASSERT_EQ(ints_try_send(self->channel, 2), CW_OK);
    CW_SEND(self, ints, self->channel, 3);
    ASSERT(cw_channel_close(self->channel.channel, NULL, NULL));
    ASSERT(!cw_channel_close(self->channel.channel, NULL, NULL));
    for (self->i = 1; self->i <= 3; self->i++) {
        CW_RECEIVE(self, ints, self->channel, &self->got);
        ASSERT_EQ(self->got, self->i);
    }
    CW_RECEIVE_CATCHING(self, ints, self->channel, &self->got, &self->status);
    ASSERT_EQ(self->status, CW_ERECVCLOSED);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 166, 167: the hook for undelivered elements */

SCENARIO(case_166_conflated_elements_and_the_hook, ints channel;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_CONFLATED, CW_OVERFLOW_SUSPEND);
    CW_SEND(self, ints, self->channel, 1);
    ASSERT_EQ(noted.count, 0);
    CW_SEND(self, ints, self->channel, 2);
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 1);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT_EQ(noted.count, 1);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    ASSERT_EQ(noted.count, 2);
    ASSERT_EQ(noted.elements[1], 2);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(case_167_only_send_gives_a_refused_element_to_the_hook, ints channel;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT_RAISES_CODE(self, 1, CW_ESENDCLOSED,
                       CW_SEND(self, ints, self->channel, 7));
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(ints_try_send(self->channel, 8), CW_ESENDCLOSED);
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 7);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 169, 170: a hook that fails */

CW_COROUTINE(never_received, ints, cw_none, int got;)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, self->arg, &self->got);
    ASSERT(false);
    CW_END(self);
}

static cw_error *last_unhandled;

static void keep_unhandled(const char *name, cw_error *error)
{
    ASSERT(name);
    ASSERT(!last_unhandled);
    last_unhandled = cw_error_retain(error);
}

SCENARIO(case_169_a_hook_fails_for_a_cancelled_receiver, ints channel;
         cw_job * job;)
{
    CW_BEGIN(self);
    cw_set_unhandled_handler(keep_unhandled);
    noted.fail_with = CW_EBUSY;
    self->channel = hooked(CW_RENDEZVOUS, CW_OVERFLOW_SUSPEND);
    self->job = cw_launch(NULL, never_received, self->channel);
    CW_YIELD(self);
    CW_SEND(self, ints, self->channel, 5);
    ASSERT_EQ(noted.count, 0);
    cw_cancel(self->job, NULL);
    CW_JOIN(self, self->job);
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 5);
    ASSERT_EQ(cw_error_code(cw_job_error(self->job)), CW_ECANCELED);
    ASSERT_EQ(cw_error_code(last_unhandled), CW_EUNDELIVERED);
    ASSERT_EQ(cw_error_code(cw_error_cause(last_unhandled)), CW_EBUSY);
    cw_error_release(last_unhandled);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(case_170_a_hook_fails_while_the_channel_is_cancelled, ints channel;
         cw_error * failure;)
{
    CW_BEGIN(self);
    noted.fail_with = CW_EBUSY;
    self->channel = hooked(CW_UNLIMITED, CW_OVERFLOW_SUSPEND);
    CW_SEND(self, ints, self->channel, 5);
    CW_SEND(self, ints, self->channel, 6);
    cw_channel_cancel(self->channel.channel, NULL, &self->failure);
    ASSERT_EQ(noted.count, 2);
    ASSERT_EQ(cw_error_code(self->failure), CW_EUNDELIVERED);
    ASSERT_EQ(cw_error_code(cw_error_cause(self->failure)), CW_EBUSY);
    cw_error_release(self->failure);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 173: an iterator has to be asked */

SCENARIO(case_173_next_needs_has_next, ints channel; ints_iterator it;
         bool more; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->it = ints_iterate(self->channel);
    ASSERT_EQ(ints_next(&self->it, &self->got), CW_ESTATE);
    cw_channel_close(self->channel.channel, NULL, NULL);
    self->more = true;
    CW_HAS_NEXT(self, ints, &self->it, &self->more);
    ASSERT(!self->more);
    ASSERT_EQ(ints_next(&self->it, &self->got), CW_ERECVCLOSED);
    ASSERT_EQ(ints_next(&self->it, &self->got), CW_ESTATE);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

/* ---- 85: a time limit around receiving */

TEST(case_85_a_small_time_limit_around_receive)
{
    cw_context *context = new_context(1);
    ints channel = ints_new(CW_RENDEZVOUS);
    cw_error *limit = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    cw_job *job = cw__job_new(context, &never_received, CW__JOB_ASYNC, 1, 0);
    ASSERT(job);
    memcpy((char *)job->top + never_received.arg_offset, &channel,
           sizeof channel);
    int added = cw__limit_set(context, job, 1, limit);
    ASSERT(added >= 0);
    cw__context_timer_added(NULL, context, added == 1);
    cw__context_launch(NULL, job, CW__SPAWNED);
    wait_for(job);
    ASSERT_CANCELLED(cw_job_error(job), limit);
    ASSERT_EQ(ints_try_send(channel, 1), CW_EAGAIN);
    cw_job_release(job);
    cw_error_release(limit);
    shut_down(context);
    cw_channel_release(channel.channel);
}
