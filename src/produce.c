/* produce.c: coroutines that fill a channel, and calls that empty one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "channel.h"

#include "alloc.h"
#include "error.h"
#include "kill_gate.h"
#include "tree.h"

/* ---- producers */

bool cw__produce_begin(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_AS(CHANNEL, channel, "cw_produce", "channel");
    cw__channel_lock(channel);
    bool first = !channel->produced;
    channel->produced = 1;
    cw__channel_unlock(channel);
    if (!first) cw__set_last_error(CW_ESTATE);
    return first;
}

cw_job *cw__produce_end(cw_channel *channel, cw_job *job)
{
    CW__RUNTIME;
    cw__channel_lock(channel);
    channel->produced = job != NULL;
    channel->producer = cw_job_retain(job);
    bool cancelled = channel->cancelled;
    cw__channel_unlock(channel);
    if (!job) return NULL;
    cw_channel_retain(channel);
    if (cancelled) cw_cancel(job, channel->cause);
    cw__waiter *waiter = &channel->producing;
    waiter->kind = CW__WAITER_PRODUCER;
    waiter->early = 0;
    if (cw__job_wait(job, waiter) == CW__DONE)
        cw__producer_ended(cw__self, channel, cw_current_job() != NULL);
    return job;
}

void cw__producer_ended(cw__worker *self, cw_channel *channel, bool has_parent)
{
    cw_job *job = channel->producer; /* only this function changes it */
    cw_error *error = job->error;    /* fixed: the job is final */
    bool closed = cw__channel_close(self, channel, error, NULL);
    if (!closed && !has_parent && error && !cw__error_is_cancel(error))
        cw__report_unhandled(cw_job_name(job), error);
    cw__channel_lock(channel);
    channel->producer = NULL;
    cw__channel_unlock(channel);
    cw_job_release(job);
    cw_channel_release(channel);
}

/* ---- consuming */

struct consumption {
    cw_channel *channel;
    cw__hook consumer;
};

/* For CW_RECEIVE_EACH. */
static int raw__receive_each(cw_frame *frame, cw_channel *channel, void *out)
{
    return cw__receive_each(frame, channel, out);
}

CW_COROUTINE(consume, struct consumption, cw_none, void *element; int status;)
{
    CW_BEGIN(self);
    self->element = cw__alloc(self->arg.channel->buffer.size);
    if (!self->element) CW_FAIL(self, CW_ENOMEM, NULL);
    CW_RECEIVE_EACH(self, raw, self->arg.channel, self->element)
    {
        self->status = (int)(intptr_t)self->arg.consumer.call(
            &self->arg.consumer, self->element);
        if (self->status < 0) CW_FAIL(self, self->status, NULL);
        if (self->status > 0) break;
    }
    CW_FINALLY(self);
    cw_channel_cancel(self->arg.channel, self->frame.leaving, NULL);
    if (self->element) cw__free(self->element, self->arg.channel->buffer.size);
    CW_END(self);
}

int cw__consume(cw_frame *frame, cw_channel *channel, const cw__hook *consumer)
{
    CW__RUNTIME;
    CW__CHECK_AS(CHANNEL, channel, "CW_CONSUME_EACH", "channel");
    struct consumption arg = {channel, *consumer};
    return cw__call(frame, &consume, 0, &arg);
}

int cw__consumed(cw_frame *frame)
{
    CW__RUNTIME;
    cw_none none;
    return cw__returned(frame, &none);
}
