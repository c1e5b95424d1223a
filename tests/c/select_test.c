/* select_test.c: waiting for the first of several things.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"

CW_CHANNEL_TYPE(ints, int)

struct large {
    int number;
    char rest[100];
};
CW_CHANNEL_TYPE(larges, struct large)

static struct {
    int elements[16], count;
} hook;

static cw_error *note_undelivered(int *element, void *arg)
{
    ASSERT(arg == NULL);
    hook.elements[hook.count++] = *element;
    return NULL;
}

static ints hooked(int capacity)
{
    return ints_new_with(capacity, CW_OVERFLOW_SUSPEND, note_undelivered, NULL);
}

/* ---- wrong use */

SCENARIO(what_cannot_be_selected, cw_clause clauses[CW_MAX_CLAUSES + 1];
         int which; cw_job * job; cw_mutex * mutex;)
{
    CW_BEGIN(self);
    ASSERT_RAISES_CODE(self, 1, CW_EINVAL,
                       CW_SELECT(self, self->clauses, 0, &self->which));
    ASSERT_RAISES_CODE(
        self, 2, CW_EINVAL,
        CW_SELECT(self, self->clauses, CW_MAX_CLAUSES + 1, &self->which));
    CW_TRY(self, 3); /* clauses of zeros */
    CW_SELECT(self, self->clauses, 1, &self->which);
    ASSERT(false);
    CW_CATCH(self, 3) { ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EINVAL); }
    self->job = cw_launch(NULL, give, 1);
    self->clauses[0] = cw_on_join(self->job);
    self->clauses[1] = cw_on_timeout(0);
    self->clauses[2] = cw_on_join(self->job);
    ASSERT_RAISES_CODE(self, 4, CW_ESTATE,
                       CW_SELECT(self, self->clauses, 3, &self->which));
    self->mutex = cw_mutex_new(false);
    ASSERT_EQ(cw_try_lock(self->mutex, self), CW_OK);
    self->clauses[0] = cw_on_lock(self->mutex, self);
    ASSERT_RAISES_CODE(self, 5, CW_ESTATE,
                       CW_SELECT(self, self->clauses, 1, &self->which));
    cw_mutex_release(self->mutex);
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- time */

SCENARIO(time_runs_out, ints channel; cw_clause clauses[3]; int which; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(CW_RENDEZVOUS);
    self->clauses[0] = ints_on_receive(self->channel, &self->got);
    self->clauses[1] = cw_on_timeout(2);
    self->clauses[2] = cw_on_timeout(INT64_MAX);
    CW_SELECT(self, self->clauses, 3, &self->which);
    ASSERT_EQ(self->which, 1);
    ASSERT_EQ(cw_current_context()->timers.count, 0);
    ASSERT_EQ(ints_try_send(self->channel, 1), CW_EAGAIN);
    self->clauses[1] = cw_on_timeout(0);
    CW_SELECT_BIASED(self, self->clauses, 2, &self->which);
    ASSERT_EQ(self->which, 1);
    self->clauses[1] = cw_on_timeout(-5);
    CW_SELECT(self, self->clauses, 2, &self->which);
    ASSERT_EQ(self->which, 1);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(select_for_ever, ints, cw_none, cw_clause clauses[2]; int which;
             int got;)
{
    CW_BEGIN(self);
    self->clauses[0] = ints_on_receive(self->arg, &self->got);
    self->clauses[1] = cw_on_timeout(INT64_MAX);
    CW_SELECT(self, self->clauses, 2, &self->which);
    ASSERT(false);
    CW_END(self);
}

TEST(closing_the_context_cuts_it_short)
{
    for (int workers = 1; workers <= 2; workers++) {
        cw_context *context = new_context(workers);
        ints channel = ints_new(CW_RENDEZVOUS);
        cw_job *job = cw_async(context, select_for_ever, channel);
        if (workers == 2) await_doing(job, CW_DUMP_SELECT);
        shut_down(context);
        ASSERT_EQ(cw_error_code(cw_job_error(job)), CW_ECANCELED);
        ASSERT_EQ(cw_error_code(cw_error_cause(cw_job_error(job))), CW_ECLOSED);
        cw_job_release(job);
        cw_channel_release(channel.channel);
    }
}

/* ---- jobs */

CW_COROUTINE(give_later, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

SCENARIO(the_first_job_to_end, cw_job *jobs[3]; cw_clause clauses[3];
         int outs[3]; int which;)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_async(NULL, give_later, 1000);
    self->jobs[1] = cw_async(NULL, give_later, 3);
    self->jobs[2] = cw_async(NULL, wait_for_ever, CW_NONE);
    self->clauses[0] = cw_on_await(give_later, self->jobs[0], &self->outs[0]);
    self->clauses[1] = cw_on_await(give_later, self->jobs[1], &self->outs[1]);
    self->clauses[2] = cw_on_join(self->jobs[2]);
    CW_SELECT(self, self->clauses, 3, &self->which);
    ASSERT_EQ(self->which, 1);
    ASSERT_EQ(self->outs[1], 3);
    cw_cancel(self->jobs[2], NULL);
    self->clauses[1] = self->clauses[2];
    CW_SELECT(self, self->clauses, 2, &self->which);
    ASSERT_EQ(self->which, 1); /* joining raises nothing */
    cw_cancel(self->jobs[0], NULL);
    ASSERT_RAISES(self, 1, cw_job_error(self->jobs[0]),
                  CW_SELECT(self, self->clauses, 1, &self->which));
    for (int i = 0; i < 3; i++)
        cw_job_release(self->jobs[i]);
    CW_END(self);
}

SCENARIO(a_job_of_another_coroutine, cw_job *job; cw_clause clauses[1]; int out;
         int which;)
{
    CW_BEGIN(self);
    self->job = cw_async(NULL, give, 1);
    self->clauses[0] = cw_on_await(give_later, self->job, &self->out);
    ASSERT_RAISES_CODE(self, 1, CW_ETYPE,
                       CW_SELECT(self, self->clauses, 1, &self->which));
    cw_job_release(self->job);
    CW_END(self);
}

/* ---- channels */

SCENARIO(ready_clauses_take_effect_alone, ints channels[2]; int values[2];
         cw_clause clauses[2]; int which; int got; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 50; self->i++) {
        self->channels[0] = ints_new(1);
        self->channels[1] = ints_new(CW_UNLIMITED);
        for (int i = 0; i < 2; i++) {
            self->values[i] = i + 7;
            self->clauses[i] =
                ints_on_send(self->channels[i], &self->values[i]);
        }
        CW_SELECT(self, self->clauses, 2, &self->which);
        ASSERT_EQ(ints_try_receive(self->channels[self->which], &self->got),
                  CW_OK);
        ASSERT_EQ(self->got, self->which + 7);
        ASSERT_EQ(self->clauses[self->which].status, CW_OK);
        ASSERT_EQ(self->clauses[!self->which].status, CW_EAGAIN);
        ASSERT(cw_channel_is_empty(self->channels[!self->which].channel));
        for (int i = 0; i < 2; i++)
            cw_channel_release(self->channels[i].channel);
    }
    CW_END(self);
}

CW_COROUTINE(close_later, ints, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_YIELD(self);
    cw_channel_close(self->arg.channel, NULL, NULL);
    CW_END(self);
}

SCENARIO(catching_a_closed_channel, ints channel; cw_clause clauses[2];
         int which; int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    ASSERT_EQ(ints_try_send(self->channel, 3), CW_OK);
    self->clauses[0] = ints_on_receive_catching(self->channel, &self->got);
    self->clauses[1] = cw_on_timeout(10000);
    CW_SELECT(self, self->clauses, 2, &self->which);
    ASSERT_EQ(self->which, 0);
    ASSERT_EQ(self->clauses[0].status, CW_OK);
    ASSERT_EQ(self->got, 3);
    cw_spawn(NULL, close_later, self->channel);
    CW_SELECT(self, self->clauses, 2, &self->which); /* waits */
    ASSERT_EQ(self->which, 0);
    ASSERT_EQ(self->clauses[0].status, CW_ERECVCLOSED);
    CW_SELECT(self, self->clauses, 2, &self->which); /* does not */
    ASSERT_EQ(self->which, 0);
    ASSERT_EQ(self->clauses[0].status, CW_ERECVCLOSED);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(a_closed_channel_raises, ints channel; cw_clause clauses[1]; int which;
         int got;)
{
    CW_BEGIN(self);
    self->channel = ints_new(1);
    self->clauses[0] = ints_on_receive(self->channel, &self->got);
    cw_spawn(NULL, close_later, self->channel);
    CW_TRY(self, 1);
    CW_SELECT(self, self->clauses, 1, &self->which); /* waits */
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ERECVCLOSED);
    }
    CW_TRY(self, 2);
    CW_SELECT(self, self->clauses, 1, &self->which); /* does not */
    ASSERT(false);
    CW_CATCH(self, 2)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ERECVCLOSED);
    }
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

CW_COROUTINE(select_to_send, ints, cw_none, cw_clause clauses[1]; int which;
             int value;)
{
    CW_BEGIN(self);
    self->value = 8;
    self->clauses[0] = ints_on_send(self->arg, &self->value);
    CW_SELECT(self, self->clauses, 1, &self->which);
    CW_FINALLY(self);
    ASSERT_EQ(self->clauses[0].status, CW_OK); /* the hook has it */
    CW_END(self);
}

/* Whose an element is afterwards. */
SCENARIO(what_was_not_sent_is_the_callers, ints channel; cw_mutex * mutex;
         cw_clause clauses[3]; int which; int value;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS);
    self->mutex = cw_mutex_new(true);
    self->value = 8;
    self->clauses[0] = ints_on_send(self->channel, &self->value);
    self->clauses[1] = cw_on_timeout(1);
    CW_SELECT(self, self->clauses, 2, &self->which); /* waits */
    ASSERT_EQ(self->which, 1);
    ASSERT_EQ(self->clauses[0].status, CW_EAGAIN);
    self->clauses[1] = cw_on_lock(self->mutex, NULL);
    self->clauses[2] = cw_on_lock(self->mutex, NULL);
    ASSERT_RAISES_CODE(self, 1, CW_ESTATE,
                       CW_SELECT(self, self->clauses, 3, &self->which));
    ASSERT_EQ(self->clauses[0].status, CW_EAGAIN);
    cw_channel_close(self->channel.channel, NULL, NULL);
    ASSERT_EQ(hook.count, 0);
    ASSERT_RAISES_CODE(self, 2, CW_ESENDCLOSED,
                       CW_SELECT(self, self->clauses, 1, &self->which));
    ASSERT_EQ(self->clauses[0].status, CW_OK);
    ASSERT_EQ(hook.count, 1);
    cw_mutex_release(self->mutex);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(a_cancelled_channel_refuses_a_select_that_sends, ints channel;
         cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS);
    self->job = cw_async(NULL, select_to_send, self->channel);
    CW_YIELD(self);
    cw_channel_cancel(self->channel.channel, NULL, NULL);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 8);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT(cw_error_code(cw_job_error(self->job)) == CW_ECANCELED);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(a_cancelled_select_gives_its_elements_to_the_hook, ints channel;
         cw_job * job; int got;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS);
    self->job = cw_async(NULL, select_to_send, self->channel);
    CW_YIELD(self);
    cw_cancel(self->job, NULL);
    ASSERT_EQ(ints_try_receive(self->channel, &self->got), CW_EAGAIN);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 8);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

SCENARIO(an_element_handed_to_a_cancelled_select, ints channel; cw_job * job;)
{
    CW_BEGIN(self);
    self->channel = hooked(CW_RENDEZVOUS);
    self->job = cw_async(NULL, select_for_ever, self->channel);
    CW_YIELD(self);
    ASSERT_EQ(ints_try_send(self->channel, 6), CW_OK);
    cw_cancel(self->job, NULL);
    CW_JOIN(self, self->job);
    ASSERT_EQ(hook.count, 1);
    ASSERT_EQ(hook.elements[0], 6);
    cw_job_release(self->job);
    cw_channel_release(self->channel.channel);
    CW_END(self);
}

struct two {
    larges one, other;
};

CW_COROUTINE(select_large, struct two, cw_none, cw_clause clauses[2];
             struct large out[2]; int which; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 20; self->i++) {
        for (int i = 0; i < 2; i++) {
            self->out[i].number = self->i;
            self->out[i].rest[99] = (char)self->i;
        }
        self->clauses[0] = larges_on_send(self->arg.one, &self->out[0]);
        self->clauses[1] = larges_on_send(self->arg.other, &self->out[1]);
        CW_SELECT(self, self->clauses, 2, &self->which);
    }
    cw_channel_close(self->arg.one.channel, NULL, NULL);
    CW_END(self);
}

SCENARIO(selects_of_large_elements, struct two two; struct large got;
         cw_clause clauses[2]; int which; int i;)
{
    CW_BEGIN(self);
    self->two.one = larges_new(CW_RENDEZVOUS);
    self->two.other = larges_new(700); /* a chain, which takes all but few */
    cw_spawn(NULL, select_large, self->two);
    for (;;) {
        self->clauses[0] =
            larges_on_receive_catching(self->two.one, &self->got);
        self->clauses[1] = larges_on_receive(self->two.other, &self->got);
        CW_SELECT(self, self->clauses, 2, &self->which);
        if (self->clauses[self->which].status != CW_OK) break;
        ASSERT_EQ(self->got.number, self->i);
        ASSERT_EQ(self->got.rest[99], self->i);
        self->i++;
    }
    while (larges_try_receive(self->two.other, &self->got) == CW_OK)
        ASSERT_EQ(self->got.number, self->i++);
    ASSERT_EQ(self->i, 20);
    cw_channel_release(self->two.one.channel);
    cw_channel_release(self->two.other.channel);
    CW_END(self);
}

/* ---- mutexes */

CW_COROUTINE(select_lock, cw_mutex *, cw_none, cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    self->clauses[0] = cw_on_lock(self->arg, self);
    self->clauses[1] = cw_on_timeout(INT64_MAX);
    CW_SELECT(self, self->clauses, 2, &self->which);
    ASSERT_EQ(self->which, 0);
    ASSERT(cw_mutex_is_held_by(self->arg, self));
    MARK(1);
    ASSERT_EQ(cw_unlock(self->arg, self), CW_OK);
    CW_END(self);
}

SCENARIO(selects_that_lock, cw_mutex *mutex; cw_job * jobs[2];)
{
    CW_BEGIN(self);
    self->mutex = cw_mutex_new(true);
    for (int i = 0; i < 2; i++)
        self->jobs[i] = cw_async(NULL, select_lock, self->mutex);
    CW_YIELD(self);
    ASSERT_EQ(cw_unlock(self->mutex, NULL), CW_OK);
    cw_cancel(self->jobs[0], NULL); /* handed over, and given back */
    CW_JOIN_ALL(self, self->jobs, 2);
    ASSERT(cw_is_cancelled(self->jobs[0]));
    ASSERT(!cw_is_cancelled(self->jobs[1]));
    ASSERT(!cw_mutex_is_locked(self->mutex));
    for (int i = 0; i < 2; i++)
        cw_job_release(self->jobs[i]);
    cw_mutex_release(self->mutex);
    CW_END(self);
}

/* ---- memory */

CW_COROUTINE(select_without_memory, larges, cw_none, cw_clause clauses[2];
             struct large element; int which; int fail_at;)
{
    CW_BEGIN(self);
    self->clauses[0] = larges_on_send(self->arg, &self->element);
    self->clauses[1] = cw_on_timeout(1);
    for (self->fail_at = 1;; self->fail_at++) {
        fail_allocs_from(self->fail_at);
        CW_TRY(self, 1);
        CW_SELECT(self, self->clauses, 2, &self->which);
        ASSERT_EQ(self->which, 1);
        CW_CATCH(self, 1)
        {
            ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ENOMEM);
        }
        if (!alloc_has_failed()) break;
        fail_alloc_at(0);
    }
    fail_alloc_at(0);
    CW_END(self);
}

/* Each allocation in turn. */
SCENARIO(a_select_without_memory, larges channel; cw_none none;)
{
    CW_BEGIN(self);
    self->channel = larges_new(CW_RENDEZVOUS);
    CW_CALL(self, select_without_memory, self->channel, &self->none);
    ASSERT(cw_channel_is_empty(self->channel.channel));
    cw_channel_release(self->channel.channel);
    CW_END(self);
}
