/* conformance_channel_test.c: what channels have to do, case by case, on one
 * worker, where the order of everything is fixed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "limit.h"

CW_CHANNEL_TYPE(ints, int)

/* What a hook for undelivered elements was given. */
static struct {
    int elements[16], count;
    int fail_with;
} hook;

static cw_error *note_undelivered(int *element, void *arg)
{
    ASSERT(arg == &hook);
    hook.elements[hook.count++] = *element;
    return hook.fail_with ? cw_error_new(hook.fail_with, "hook", NULL) : NULL;
}

static ints hooked(int capacity)
{
    return ints_new_with(capacity, CW_OVERFLOW_SUSPEND, note_undelivered,
                         &hook);
}

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

/* ---- 166, 167: the hook for undelivered elements */

SCENARIO(case_166_conflated_elements_and_the_hook, ints channel;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_CONFLATED);
    CW_SEND(self, ints, self->channel, 1);
    ASSERT_EQ(hook.count, 0);
    CW_SEND(self, ints, self->channel, 2);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 1);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT_EQ(hook.count, 1);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    ASSERT_EQ(hook.count, 2);
    ASSERT_EQ(hook.elements[1], 2);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(case_167_only_send_gives_a_refused_element_to_the_hook, ints channel;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT_RAISES_CODE(self, 1, CW_ESENDCLOSED,
                       CW_SEND(self, ints, self->channel, 7));
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(ints_try_send(self->channel, 8), CW_ESENDCLOSED);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 7);
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
    hook.fail_with = CW_EBUSY;
    self->channel = hooked(CW_RENDEZVOUS);
    self->job = cw_launch(NULL, never_received, self->channel);
    CW_YIELD(self);
    CW_SEND(self, ints, self->channel, 5);
    ASSERT_EQ(hook.count, 0);
    cw_cancel(self->job, NULL);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 5);
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
    hook.fail_with = CW_EBUSY;
    self->channel = hooked(CW_UNLIMITED);
    CW_SEND(self, ints, self->channel, 5);
    CW_SEND(self, ints, self->channel, 6);
    cw_channel_cancel(self->channel.channel, NULL, &self->failure);
    ASSERT_EQ(hook.count, 2);
    ASSERT_EQ(cw_error_code(self->failure), CW_EUNDELIVERED);
    ASSERT_EQ(cw_error_code(cw_error_cause(self->failure)), CW_EBUSY);
    cw_error_release(self->failure);
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
