/* channel_close.c: closing and cancelling channels, and who hears of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "channel.h"

#include "context.h"
#include "error.h"
#include "frame.h"
#include "kill_gate.h"
#include "tree.h"

/* How many parties are woken per turn with the lock held. */
enum { SLICE = 32 };

/* Hands an error (or NULL) over to who asked for it, or reports it. */
static void give_failure(cw_error *error, cw_error **failure)
{
    if (failure) {
        *failure = error;
    } else if (error) {
        cw__report_unhandled("", error);
        cw_error_release(error);
    }
}

/* Wakes all who wait to receive, in order of arrival. */
static void refuse_receivers(cw__worker *self, cw_channel *channel)
{
    bool more;
    do {
        cw__woken woken;
        cw__woken_init(&woken);
        cw__channel_lock(channel);
        for (unsigned n = 0; n < SLICE; n++) {
            cw__waiter *party = cw__queue_claim(&channel->receivers);
            if (!party) break;
            cw__party_wake(party, CW__REFUSED, &woken);
        }
        more = channel->receivers != NULL;
        cw__channel_unlock(channel);
        cw__dispatch_woken(self, &woken);
    } while (more);
}

/* Runs the close handler, or wakes who awaits closing, if that has not been
 * done. */
static cw_error *tell_closed(cw__worker *self, cw_channel *channel)
{
    cw__woken woken;
    cw__woken_init(&woken);
    cw__channel_lock(channel);
    cw_close_fn *handler = channel->handler_ran ? NULL : channel->handler;
    channel->handler_ran = 1;
    cw__waiter *party = cw__queue_claim(&channel->closers);
    if (party) cw__party_wake(party, CW__HANDED, &woken);
    cw__channel_unlock(channel);
    cw__dispatch_woken(self, &woken);
    return handler ? handler(channel->cause, channel->handler_arg) : NULL;
}

bool cw__channel_close(cw__worker *self, cw_channel *channel, cw_error *cause,
                       cw_error **failure)
{
    cw__channel_lock(channel);
    bool first = !channel->closed;
    if (first) {
        channel->closed = 1;
        channel->cause = cw_error_retain(cause);
    }
    /* A sender can be woken by nobody else; a receiver waits for nothing. */
    bool receivers = channel->receivers != NULL;
    cw__channel_unlock(channel);
    cw_error *error = NULL;
    if (first) {
        if (receivers) refuse_receivers(self, channel);
        error = tell_closed(self, channel);
    }
    give_failure(error, failure);
    return first;
}

bool cw_channel_close(cw_channel *channel, cw_error *cause, cw_error **failure)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    return cw__channel_close(cw__self, channel, cause, failure);
}

/* ---- cancelling */

/* Of several errors (taken over) the first one counts, the others are told as
 * its suppressed ones. */
static void keep_first(cw_error **first, cw_error *error)
{
    if (!*first) {
        *first = error;
    } else if (error) {
        cw__error_suppress(*first, error);
        cw_error_release(error);
    }
}

/* Gives an element to the hook. Its errors are suppressed as they are: that
 * they are the hook's is told by the first one. */
static void lose(cw_channel *channel, void *element, cw_error **first)
{
    cw_error *error = cw__channel_undelivered(channel, element);
    if (error && *first) {
        cw_error *failure = cw_error_retain(cw_error_cause(error));
        cw_error_release(error);
        error = failure;
    }
    if (error && error == cw_error_cause(*first)) {
        cw_error_release(error); /* the same again */
    } else {
        keep_first(first, error);
    }
}

/* Gives all elements of a cancelled channel to the hook. Nobody else touches
 * its buffer any more. */
static void drop_buffer(cw_channel *channel, uint32_t count, cw_error **first)
{
    cw__buffer *buffer = &channel->buffer;
    cw__lane *out = &buffer->out;
    while (count-- > 0) {
        lose(channel, out->at, first);
        out->at += buffer->size;
        if (out->at != out->end) continue;
        cw__segment *empty = cw__buffer_read(buffer);
        if (empty) cw__segment_free(buffer, empty);
    }
}

/* Wakes all who wait to send, in order of arrival, and gives their elements,
 * which they leave behind, to the hook. */
static void refuse_senders(cw__worker *self, cw_channel *channel,
                           cw_error **first)
{
    uint32_t size = channel->buffer.size;
    bool more;
    do {
        cw__waiter left[SLICE]; /* only their elements */
        unsigned count = 0;
        cw__woken woken;
        cw__woken_init(&woken);
        cw__channel_lock(channel);
        while (count < SLICE) {
            cw__waiter *party = cw__queue_claim(&channel->senders);
            if (!party) break;
            left[count++].owner = party->owner;
            if (!cw__stash_is_small(size)) party->owner.pointer = NULL;
            cw__party_wake(party, CW__REFUSED, &woken);
        }
        more = channel->senders != NULL;
        cw__channel_unlock(channel);
        cw__dispatch_woken(self, &woken);
        for (unsigned i = 0; i < count; i++) {
            lose(channel, cw__stashed(&left[i], size), first);
            cw__stash_free(&left[i], size);
        }
    } while (more);
}

void cw_channel_cancel(cw_channel *channel, cw_error *cause, cw_error **failure)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    cw__worker *self = cw__self;
    cause = cw__error_cancelled(cause);
    uint32_t count = 0;
    cw__channel_lock(channel);
    bool first = !channel->closed;
    if (first) {
        channel->closed = 1;
        channel->cause = cw_error_retain(cause);
    }
    bool dropped = !channel->cancelled;
    channel->cancelled = 1;
    if (dropped) {
        count = cw__buffer_count(&channel->buffer);
        channel->buffer.out.position = channel->buffer.in.position;
    }
    cw_job *producer = cw_job_retain(channel->producer);
    cw__channel_unlock(channel);

    cw_error *error = NULL, *handler_error = NULL;
    if (dropped) {
        drop_buffer(channel, count, &error);
        refuse_senders(self, channel, &error);
        refuse_receivers(self, channel);
    }
    if (first) handler_error = tell_closed(self, channel);
    keep_first(&error, handler_error);
    if (producer) {
        cw_cancel(producer, cause);
        cw_job_release(producer);
    }
    if (dropped && channel->source) cw__broadcast_leave(channel);
    cw_error_release(cause);
    give_failure(error, failure);
}

/* ---- hearing of it */

int cw_channel_on_close(cw_channel *channel, cw_close_fn *handler, void *arg,
                        cw_error **failure)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    if (failure) *failure = NULL;
    cw__channel_lock(channel);
    bool other = channel->has_handler;
    bool at_once = !other && channel->closed;
    channel->has_handler = 1;
    if (!other) {
        channel->handler = handler;
        channel->handler_arg = arg;
        /* Whoever is closing the channel may not have come to that yet. */
        if (at_once) at_once = channel->handler_ran;
    }
    cw__channel_unlock(channel);
    if (other) return CW_ESTATE;
    if (at_once) give_failure(handler(channel->cause, arg), failure);
    return CW_OK;
}

/* Whose body a job is: a wait of the host's stands for the scope around it. */
static cw_job *body_of(cw_job *job)
{
    return job->flags & CW__JOB_LEAF ? job->parent : job;
}

int cw__await_close(cw_frame *frame, cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_AS(CHANNEL, channel, "CW_AWAIT_CLOSE", "channel");
    cw_job *job = frame->job;
    bool refused = false, cancelled = false, waits = false;
    cw__channel_lock(channel);
    if (channel->has_handler || !channel->produced ||
        (channel->producer && channel->producer != body_of(job))) {
        refused = true;
    } else {
        channel->has_handler = 1;
        waits = !channel->closed;
        cancelled = waits && !cw__party_begin(job);
        if (waits && !cancelled) {
            job->waiter.target.object = channel;
            cw__party_queue(job, &channel->closers, CW__ARMED_CLOSE);
        }
    }
    cw__channel_unlock(channel);
    if (cancelled) {
        cw__party_raise_cancelled(frame);
    } else if (refused) {
        cw__set_error(frame, cw_error_new(CW_ESTATE, NULL, NULL));
    }
    return waits && !cancelled ? CW__PENDING : CW__DONE;
}

int cw__awaited_close(cw_frame *frame)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (job->armed == CW__UNARMED) return cw__raised(frame);
    cw_channel *channel = job->waiter.target.object;
    (void)cw__channel_waited(channel, &channel->closers, job);
    if (!cw__job_cancelling(job->scope)) return cw__raised(frame);
    cw__party_raise_cancelled(frame);
    return 1;
}
