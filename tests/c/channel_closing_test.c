/* channel_closing_test.c: channels that are closed or cancelled, and their
 * users that are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "channels.h"

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
    ASSERT_EQ(noted.count, 0);
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
    ASSERT_EQ(noted.count, 0);
    CW_JOIN(self, self->job);
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 4);
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
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 9);
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
    ASSERT_EQ(noted.count, 1);
    ASSERT_EQ(noted.elements[0], 3);
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
    noted.fail_with = CW_EBUSY;
    ASSERT_EQ(ints_try_send(channel, 1), CW_OK);
    ASSERT_EQ(ints_try_send(channel, 2), CW_OK);
    ASSERT_EQ(cw_channel_on_close(channel.channel, fail_to_close, NULL, NULL),
              CW_OK);
    cw_channel_cancel(channel.channel, NULL, NULL);
    ASSERT_EQ(unhandled_count, 1); /* the first one */
    ASSERT_EQ(unhandled_code, CW_EUNDELIVERED);
    ASSERT_EQ(noted.count, 2);
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
    ASSERT_EQ(noted.count, 2);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT_EQ(noted.count, 2);
    ASSERT(cw_job_error(self->jobs[0]) == NULL);
    ASSERT_EQ(cw_error_code(cw_job_error(self->jobs[1])), CW_ECANCELED);
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}
