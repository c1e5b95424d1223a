/* channel.c: making channels, and how elements change hands.
 *
 * SPDX-License-Identifier: MIT
 */
#include "channel.h"

#include "alloc.h"
#include "context.h"
#include "error.h"
#include "kill_gate.h"
#include "tree.h"

#ifndef CW_LEAST_PARTED /* tests/model wants a small one */
#    define CW_LEAST_PARTED 8
#endif
enum {
    DEFAULT_CAPACITY = 64,
    LEAST_PARTED = CW_LEAST_PARTED /* in less room two meet all the time */
};

/* ---- making and freeing */

cw_channel *cw__channel_new(int capacity, cw_overflow overflow, size_t size,
                            const cw__hook *undelivered)
{
    CW__RUNTIME;
    bool drops = overflow != CW_OVERFLOW_SUSPEND;
    if (capacity < CW_BUFFERED || (capacity == CW_CONFLATED && drops) ||
        (int)overflow < 0 || overflow > CW_OVERFLOW_DROP_LATEST || size == 0 ||
        size > CW_MAX_ELEMENT) {
        cw__set_last_error(CW_EINVAL);
        return NULL;
    }
    if (capacity == CW_CONFLATED) {
        capacity = 1;
        overflow = CW_OVERFLOW_DROP_OLDEST;
    } else if (capacity == CW_BUFFERED) {
        capacity = drops ? 1 : DEFAULT_CAPACITY;
    } else if (capacity == CW_RENDEZVOUS && drops) {
        capacity = 1;
    }
    cw_channel *channel = cw__alloc(sizeof *channel);
    if (!channel) {
        cw__set_last_error(CW_ENOMEM);
        return NULL;
    }
    memset(channel, 0, sizeof *channel);
    if (!cw__buffer_init(&channel->buffer, (uint32_t)capacity,
                         (uint32_t)size)) {
        cw__free(channel, sizeof *channel);
        cw__set_last_error(CW_ENOMEM);
        return NULL;
    }
    CW__MARK(channel, CHANNEL);
    channel->capacity = (uint32_t)capacity;
    channel->room = (uint32_t)capacity * CW__ONE_ELEMENT;
    channel->parted = channel->buffer.ring && capacity >= LEAST_PARTED &&
                      overflow == CW_OVERFLOW_SUSPEND;
    channel->overflow = (uint8_t)overflow;
    if (undelivered) channel->undelivered = *undelivered;
    atomic_init(&channel->refs, 1);
    return channel;
}

cw_channel *cw_channel_retain(cw_channel *channel)
{
    CW__CHECK_IF_ANY(CHANNEL, channel);
    if (channel) cw_add_relaxed(&channel->refs, 1); /* the caller has one */
    return channel;
}

void cw_channel_release(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CHANNEL, channel);
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (!channel || cw_sub_acq_rel(&channel->refs, 1) != 1) return;
    cw__buffer_free(&channel->buffer);
    cw_error_release(channel->cause);
    if (channel->source) cw__broadcast_drop(channel->source);
    cw__free(channel, sizeof *channel);
}

void cw__aftermath_run(cw__worker *self, cw_channel *channel,
                       cw__aftermath *after)
{
    if (after->woken.tasks) cw__dispatch_woken(self, &after->woken);
    if (after->garbage) cw__segment_free(&channel->buffer, after->garbage);
}

/* ---- how elements change hands */

enum cw__sending cw__channel_put(cw_channel *channel, void *element,
                                 cw__segment **segment, cw__aftermath *after)
{
    cw__buffer *buffer = &channel->buffer;
    if (cw_unlikely(channel->closed)) return CW__CLOSED;
    if (channel->receivers) {
        cw__waiter *receiver = cw__queue_claim(&channel->receivers);
        if (receiver) {
            cw__copy_element(receiver->owner.pointer, element, buffer->size);
            cw__party_wake(receiver, CW__HANDED, &after->woken);
            return CW__SENT;
        }
    }
    bool full = cw__buffer_count(buffer) >= channel->capacity;
    if (full && channel->overflow == CW_OVERFLOW_SUSPEND) return CW__FULL;
    if (full && channel->overflow == CW_OVERFLOW_DROP_LATEST)
        return CW__DROPPED;
    if (!cw__buffer_has_slot(buffer) && !cw__buffer_extend(buffer, segment))
        return CW__NEEDS_SEGMENT;
    cw__buffer_put(buffer, element);
    if (!full) return CW__SENT;
    after->garbage = cw__buffer_take(buffer, element);
    return CW__SENT_DROPPED;
}

/* There is room in the buffer again: for the first sender that waits. */
static void refill(cw_channel *channel, cw__aftermath *after)
{
    cw__buffer *buffer = &channel->buffer;
    cw__waiter *sender = cw__queue_claim(&channel->senders);
    if (!sender) return;
    cw__segment *none = NULL; /* needed, see cw__channel_admits_sender() */
    if (!cw__buffer_has_slot(buffer)) cw__buffer_extend(buffer, &none);
    cw__buffer_put(buffer, cw__stashed(sender, buffer->size));
    cw__party_wake(sender, CW__HANDED, &after->woken);
}

enum cw__sending cw__channel_get(cw_channel *channel, void *out,
                                 cw__aftermath *after)
{
    cw__buffer *buffer = &channel->buffer;
    if (cw__buffer_count(buffer)) {
        after->garbage = cw__buffer_take(buffer, out);
        if (channel->senders) refill(channel, after);
        return CW__RECEIVED;
    }
    if (channel->senders) {
        cw__waiter *sender = cw__queue_claim(&channel->senders);
        if (sender) {
            cw__copy_element(out, cw__stashed(sender, buffer->size),
                             buffer->size);
            cw__party_wake(sender, CW__HANDED, &after->woken);
            return CW__RECEIVED;
        }
    }
    return channel->closed ? CW__CLOSED : CW__EMPTY;
}

bool cw__channel_admits_sender(cw_channel *channel, cw__segment **segment)
{
    cw__buffer *buffer = &channel->buffer;
    if (buffer->ring || channel->capacity == 0 || buffer->spare) return true;
    buffer->spare = *segment;
    *segment = NULL;
    return buffer->spare != NULL;
}

/* ---- the ends of waits */

enum cw__outcome cw__channel_waited(cw_channel *channel, cw__waiter **queue,
                                    cw_job *job)
{
    if (cw__party_was_woken(job)) return (enum cw__outcome)job->waiter.early;
    cw__channel_lock(channel);
    if (job->waiter.linked) cw__waiters_remove(queue, &job->waiter);
    enum cw__outcome outcome = (enum cw__outcome)job->waiter.early;
    cw__channel_unlock(channel);
    return outcome;
}

/* ---- elements that nobody receives */

cw_error *cw__channel_undelivered(cw_channel *channel, void *element)
{
    const cw__hook *hook = &channel->undelivered;
    if (!hook->fn) return NULL;
    cw_error *failure = hook->call(hook, element);
    if (!failure) return NULL;
    cw_error *error = cw_error_new(CW_EUNDELIVERED, NULL, failure);
    cw_error_release(failure);
    return error;
}

void cw__channel_lost(cw_channel *channel, cw_job *job, void *element)
{
    cw_error *error = cw__channel_undelivered(channel, element);
    if (!error) return;
    if (!cw__job_handle_failure(job, error))
        cw__report_unhandled(cw_job_name(job), error);
    cw_error_release(error);
}

/* ---- errors */

static cw_error *error_of(cw_channel *channel, int code)
{
    /* Fixed since it was closed, which the caller has seen under the lock. */
    if (channel->cause) return cw_error_retain(channel->cause);
    return cw_error_new(code, NULL, NULL);
}

cw_error *cw__channel_send_error(cw_channel *channel)
{
    return error_of(channel, CW_ESENDCLOSED);
}

cw_error *cw__channel_receive_error(cw_channel *channel)
{
    return error_of(channel, CW_ERECVCLOSED);
}

/* ---- without waiting */

enum cw__sending cw__channel_try_send(cw_channel *channel, void *element,
                                      cw_error **failure)
{
    *failure = NULL;
    if (cw__channel_put_in(channel, element)) return CW__SENT;
    cw__segment *segment = NULL;
    cw__aftermath after;
    cw__aftermath_init(&after);
    enum cw__sending how;
    for (;;) {
        cw__channel_lock(channel);
        how = cw__channel_put(channel, element, &segment, &after);
        cw__channel_unlock(channel);
        if (how != CW__NEEDS_SEGMENT) break;
        segment = cw__segment_new(&channel->buffer);
        if (!segment) return how;
    }
    cw__aftermath_run(cw__self, channel, &after);
    if (segment) cw__segment_free(&channel->buffer, segment);
    if (how == CW__SENT_DROPPED)
        *failure = cw__channel_undelivered(channel, element);
    return how;
}

int cw__try_send(cw_channel *channel, void *element)
{
    CW__RUNTIME;
    cw_error *failure;
    switch (cw__channel_try_send(channel, element, &failure)) {
    case CW__CLOSED:
        return CW_ESENDCLOSED;
    case CW__FULL:
        return CW_EAGAIN;
    case CW__NEEDS_SEGMENT:
        return CW_ENOMEM;
    default:
        if (!failure) return CW_OK;
        cw_error_release(failure);
        return CW_EUNDELIVERED;
    }
}

int cw__try_receive(cw_channel *channel, void *out)
{
    CW__RUNTIME;
    CW__CHECK_AS(CHANNEL, channel, "NAME_try_receive", "channel");
    if (cw__channel_take_out(channel, out)) return CW_OK;
    cw__aftermath after;
    cw__aftermath_init(&after);
    cw__channel_lock(channel);
    enum cw__sending how = cw__channel_get(channel, out, &after);
    cw__channel_unlock(channel);
    cw__aftermath_run(cw__self, channel, &after);
    if (how == CW__RECEIVED) return CW_OK;
    return how == CW__CLOSED ? CW_ERECVCLOSED : CW_EAGAIN;
}

/* ---- looking */

bool cw_channel_is_closed_for_send(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    cw__channel_lock(channel);
    bool closed = channel->closed;
    cw__channel_unlock(channel);
    return closed;
}

/* With the lock held: nothing is there to be received. */
static bool has_nothing(cw_channel *channel)
{
    return cw__buffer_count(&channel->buffer) == 0 &&
           !cw__queue_waits(&channel->senders);
}

bool cw_channel_is_closed_for_receive(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    cw__channel_lock(channel);
    bool closed = channel->closed && has_nothing(channel);
    cw__channel_unlock(channel);
    return closed;
}

bool cw_channel_is_empty(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    cw__channel_lock(channel);
    bool empty = !channel->closed && has_nothing(channel);
    cw__channel_unlock(channel);
    return empty;
}

cw_error *cw_channel_cause(cw_channel *channel)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CHANNEL, channel);
    cw__channel_lock(channel);
    cw_error *cause = channel->cause;
    cw__channel_unlock(channel);
    return cause;
}
