/* channel_wait.c: bodies that wait at a channel.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each way to wait comes in two parts, as in suspend.c. The first leaves in
 * the job's own waiter at which channel it was and what has come of it, also if
 * it did not have to wait.
 */
#include "channel.h"

#include "context.h"
#include "frame.h"
#include "kill_gate.h"

/* ---- sending */

static void raise_unless_null(cw_frame *frame, cw_error *error)
{
    if (error) cw__set_error(frame, error);
}

/* Nobody will receive the element: `error` (taken over) is raised unless the
 * hook has one of its own. */
static void raise_undelivered(cw_frame *frame, cw_channel *channel,
                              void *element, cw_error *error)
{
    cw_error *failure = cw__channel_undelivered(channel, element);
    if (failure) {
        cw_error_release(error);
        error = failure;
    }
    cw__set_error(frame, error);
}

/* With the lock held. CW__FULL: the body is queued. CW__EMPTY stands for: it is
 * cancelled. */
static enum cw__sending send_or_queue(cw_channel *channel, cw_job *job,
                                      void *element, cw__segment **segment,
                                      bool stashed, cw__aftermath *after)
{
    enum cw__sending how = cw__channel_put(channel, element, segment, after);
    if (cw_likely(how != CW__FULL)) return how;
    uint32_t size = channel->buffer.size;
    bool small = cw__stash_is_small(size);
    if (!small && !stashed) return CW__NEEDS_STASH;
    if (!cw__channel_admits_sender(channel, segment)) return CW__NEEDS_SEGMENT;
    if (!cw__party_begin(job)) return CW__EMPTY;
    if (small) cw__stash(&job->waiter, element, size);
    job->waiter.target.object = channel;
    cw__party_queue(job, &channel->senders, CW__ARMED_SEND);
    return CW__FULL;
}

int cw__send(cw_frame *frame, cw_channel *channel, void *element)
{
    CW__RUNTIME;
    CW__CHECK_AS(CHANNEL, channel, "CW_SEND", "channel");
    if (cw__channel_put_in(channel, element)) return CW__DONE;
    cw_job *job = frame->job;
    cw__segment *segment = NULL;
    cw__aftermath after;
    cw__aftermath_init(&after);
    uint32_t size = channel->buffer.size;
    bool stashed = false, no_memory = false;
    enum cw__sending how;
    do {
        cw__channel_lock(channel);
        how = send_or_queue(channel, job, element, &segment, stashed, &after);
        cw__channel_unlock(channel);
        if (cw_unlikely(how == CW__NEEDS_STASH)) {
            stashed = cw__stash(&job->waiter, element, size);
            no_memory = !stashed;
        } else if (cw_unlikely(how == CW__NEEDS_SEGMENT)) {
            segment = cw__segment_new(&channel->buffer);
            no_memory = !segment;
        } else {
            break;
        }
    } while (!no_memory);
    if (after.woken.tasks || after.garbage)
        cw__aftermath_run(cw__self, channel, &after);
    if (cw_unlikely(segment)) cw__segment_free(&channel->buffer, segment);
    if (cw_likely(how == CW__SENT)) {
        if (cw_unlikely(stashed)) cw__stash_free(&job->waiter, size);
        return CW__DONE;
    }
    if (how == CW__FULL) return CW__PENDING;
    if (stashed) cw__stash_free(&job->waiter, size);
    if (no_memory) {
        raise_undelivered(frame, channel, element,
                          cw_error_new(CW_ENOMEM, NULL, NULL));
    } else if (how == CW__CLOSED) {
        raise_undelivered(frame, channel, element,
                          cw__channel_send_error(channel));
    } else if (how == CW__EMPTY) {
        cw__channel_lost(channel, job, element);
        cw__party_raise_cancelled(frame);
    } else { /* it, or what it has replaced, was dropped */
        raise_unless_null(frame, cw__channel_undelivered(channel, element));
    }
    return CW__DONE;
}

/* The body has waited as a sender. */
static int sent(cw_frame *frame)
{
    cw_job *job = frame->job;
    cw_channel *channel = job->waiter.target.object;
    uint32_t size = channel->buffer.size;
    enum cw__outcome outcome =
        cw__channel_waited(channel, &channel->senders, job);
    bool cancelled = cw__job_cancelling(job->scope);
    if (outcome == CW__WAITING)
        cw__channel_lost(channel, job, cw__stashed(&job->waiter, size));
    cw__stash_free(&job->waiter, size); /* unless who cancelled took it */
    if (outcome == CW__REFUSED) {
        cw__set_error(frame, cw__channel_send_error(channel));
        return 1;
    }
    if (!cancelled) return cw__raised(frame);
    cw__party_raise_cancelled(frame);
    return 1;
}

__attribute__((noinline)) static int sent_at_gate(cw_frame *frame)
{
    CW__RUNTIME;
    return frame->job->armed == CW__UNARMED ? cw__raised(frame) : sent(frame);
}

int cw__sent(cw_frame *frame)
{
    if (cw_likely(cw__may_look() && frame->job->armed == CW__UNARMED))
        return cw__raised(frame);
    return sent_at_gate(frame);
}

/* ---- receiving */

/* With the lock held. CW__EMPTY: the body is queued. CW__FULL stands for: it is
 * cancelled. */
static enum cw__sending receive_or_queue(cw_channel *channel, cw_job *job,
                                         void *out, cw__aftermath *after)
{
    enum cw__sending how = cw__channel_get(channel, out, after);
    if (cw_likely(how != CW__EMPTY)) return how;
    if (!cw__party_begin(job)) return CW__FULL;
    job->waiter.target.object = channel;
    job->waiter.owner.pointer = out;
    cw__party_queue(job, &channel->receivers, CW__ARMED_RECEIVE);
    return CW__EMPTY;
}

static int receive(cw_frame *frame, cw_channel *channel, void *out,
                   bool catching)
{
    CW__CHECK_AS(CHANNEL, channel, "CW_RECEIVE", "channel");
    cw_job *job = frame->job;
    enum cw__sending how = CW__RECEIVED;
    if (!cw__channel_take_out(channel, out)) {
        cw__aftermath after;
        cw__aftermath_init(&after);
        cw__channel_lock(channel);
        how = receive_or_queue(channel, job, out, &after);
        cw__channel_unlock(channel);
        if (how == CW__EMPTY) return CW__PENDING;
        if (after.woken.tasks || after.garbage)
            cw__aftermath_run(cw__self, channel, &after);
    }
    if (catching) {
        job->waiter.target.object = channel;
        job->waiter.early = how == CW__CLOSED ? CW__REFUSED : CW__HANDED;
    }
    if (cw_likely(how == CW__RECEIVED)) return CW__DONE;
    if (how == CW__FULL) {
        cw__party_raise_cancelled(frame);
    } else if (!catching) {
        cw__set_error(frame, cw__channel_receive_error(channel));
    }
    return CW__DONE;
}

int cw__receive(cw_frame *frame, cw_channel *channel, void *out)
{
    CW__RUNTIME;
    return receive(frame, channel, out, false);
}

int cw__receive_catching(cw_frame *frame, cw_channel *channel, void *out)
{
    CW__RUNTIME;
    return receive(frame, channel, out, true);
}

/* The body has waited as a receiver. An error of the channel's wins over
 * cancellation, but what is only told does not. */
static int received(cw_frame *frame, bool catching)
{
    cw_job *job = frame->job;
    cw_channel *channel = job->waiter.target.object;
    enum cw__outcome outcome =
        cw__channel_waited(channel, &channel->receivers, job);
    if (outcome == CW__REFUSED && !catching) {
        cw__set_error(frame, cw__channel_receive_error(channel));
        return 1;
    }
    if (!cw__job_cancelling(job->scope)) return cw__raised(frame);
    if (outcome == CW__HANDED)
        cw__channel_lost(channel, job, job->waiter.owner.pointer);
    cw__party_raise_cancelled(frame);
    return 1;
}

__attribute__((noinline)) static int received_at_gate(cw_frame *frame)
{
    CW__RUNTIME;
    return frame->job->armed == CW__UNARMED ? cw__raised(frame)
                                            : received(frame, false);
}

int cw__received(cw_frame *frame)
{
    if (cw_likely(cw__may_look() && frame->job->armed == CW__UNARMED))
        return cw__raised(frame);
    return received_at_gate(frame);
}

int cw__received_catching(cw_frame *frame, int *status)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (job->armed != CW__UNARMED && received(frame, true)) return 1;
    if (cw__raised(frame)) return 1;
    *status = job->waiter.early == CW__REFUSED ? CW_ERECVCLOSED : CW_OK;
    return 0;
}

/* Raises the cause of a channel that was closed with one. */
static int raise_cause(cw_frame *frame, cw_channel *channel)
{
    if (!channel->cause) return 0;
    cw__set_error(frame, cw__channel_receive_error(channel));
    return 1;
}

/* Both parts in one: called again after the wait. */
int cw__receive_each(cw_frame *frame, cw_channel *channel, void *out)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (job->armed == CW__UNARMED &&
        cw__receive_catching(frame, channel, out) == CW__PENDING)
        return CW__PENDING;
    int status = CW_OK;
    if (!cw__received_catching(frame, &status) && status != CW_OK)
        (void)raise_cause(frame, channel);
    return CW__DONE;
}

int cw__each_raised(cw_frame *frame)
{
    CW__RUNTIME;
    return cw__raised(frame);
}

int cw__each_is_over(cw_frame *frame)
{
    CW__RUNTIME;
    return frame->job->waiter.early == CW__REFUSED;
}

/* ---- iterating */

enum { UNKNOWN, THERE, OVER }; /* an iterator's `state` */

int cw__has_next(cw_frame *frame, cw__iterator *iterator, void *element)
{
    CW__RUNTIME;
    if (iterator->state == THERE) return CW__DONE;
    iterator->state = UNKNOWN;
    return cw__receive_catching(frame, iterator->channel, element);
}

int cw__has_nexted(cw_frame *frame, cw__iterator *iterator, bool *more)
{
    CW__RUNTIME;
    *more = true;
    if (iterator->state == THERE) return 0;
    int status = CW_OK;
    if (cw__received_catching(frame, &status)) return 1;
    iterator->state = status == CW_OK ? THERE : OVER;
    *more = status == CW_OK;
    return status == CW_OK ? 0 : raise_cause(frame, iterator->channel);
}

int cw__next(cw__iterator *iterator)
{
    CW__RUNTIME;
    int state = iterator->state;
    iterator->state = UNKNOWN;
    if (state == THERE) return CW_OK;
    if (state == UNKNOWN) return CW_ESTATE;
    cw_error *cause = iterator->channel->cause;
    return cause ? cw_error_code(cause) : CW_ERECVCLOSED;
}
