/* broadcast.c: the latest element for everybody.
 *
 * SPDX-License-Identifier: MIT
 *
 * Sending puts the element into each subscriber's channel under the
 * broadcast's lock, so that all see the same order. This is the one place where
 * a channel's lock is taken with another one held.
 */
#include "channel.h"

#include "alloc.h"
#include "context.h"
#include "error.h"
#include "kill_gate.h"

struct cw_broadcast {
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    cw__lock lock;            /* guards all but the counts */
    uint32_t size;            /* of an element */
    const cw__copies *copies; /* NULL: elements own nothing */
    bool closed, has_value;
    cw_error *cause;
    /* In order of arrival; the broadcast has a reference to each. */
    cw_channel *subscribers, **subscribers_end;
    _Atomic uint32_t handles;
    _Atomic uint32_t refs; /* the handles' one, and the subscribers' */
    _Alignas(16) char value[];
    /* and behind it room for a copy, of which a channel takes hold */
};

static char *copy_of(cw_broadcast *broadcast)
{
    return broadcast->value + (((size_t)broadcast->size + 15) & ~(size_t)15);
}

static size_t bytes_of(uint32_t size)
{
    return sizeof(cw_broadcast) + (((size_t)size + 15) & ~(size_t)15) + size;
}

static void keep_copy(const cw_broadcast *broadcast, void *element)
{
    if (broadcast->copies) broadcast->copies->keep(element);
}

static void drop_copy(const cw_broadcast *broadcast, void *element)
{
    if (broadcast->copies) broadcast->copies->drop(element);
}

cw_broadcast *cw__broadcast_new(size_t size)
{
    CW__RUNTIME;
    return cw__broadcast_new_of(size, NULL);
}

cw_broadcast *cw__broadcast_new_of(size_t size, const cw__copies *copies)
{
    bool valid = size > 0 && size <= CW_MAX_ELEMENT;
    cw_broadcast *broadcast = NULL;
    if (valid) broadcast = cw__alloc(bytes_of((uint32_t)size));
    if (!broadcast) {
        cw__set_last_error(valid ? CW_ENOMEM : CW_EINVAL);
        return NULL;
    }
    memset(broadcast, 0, bytes_of((uint32_t)size));
    CW__MARK(broadcast, BROADCAST);
    broadcast->size = (uint32_t)size;
    broadcast->copies = copies;
    broadcast->subscribers_end = &broadcast->subscribers;
    atomic_init(&broadcast->handles, 1);
    atomic_init(&broadcast->refs, 1);
    return broadcast;
}

cw_broadcast *cw_broadcast_retain(cw_broadcast *broadcast)
{
    CW__CHECK_IF_ANY(BROADCAST, broadcast);
    if (broadcast) cw_add_relaxed(&broadcast->handles, 1);
    return broadcast;
}

void cw__broadcast_drop(cw_broadcast *broadcast)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&broadcast->refs, 1) != 1) return;
    cw_error_release(broadcast->cause);
    if (broadcast->has_value) drop_copy(broadcast, broadcast->value);
    cw__free(broadcast, bytes_of(broadcast->size));
}

void cw_broadcast_release(cw_broadcast *broadcast)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(BROADCAST, broadcast);
    /* acq_rel: comes after all use of the other handles */
    if (!broadcast || cw_sub_acq_rel(&broadcast->handles, 1) != 1) return;
    cw_broadcast_close(broadcast, NULL);
    cw__broadcast_drop(broadcast);
}

/* ---- sending */

static void put_latest(cw_broadcast *broadcast, cw_channel *channel,
                       cw__aftermath *after)
{
    cw__segment *none = NULL; /* a conflated channel has a ring */
    char *copy = copy_of(broadcast);
    cw__copy_element(copy, broadcast->value, broadcast->size);
    keep_copy(broadcast, copy);
    cw__channel_lock(channel);
    enum cw__sending how = cw__channel_put(channel, copy, &none, after);
    cw__channel_unlock(channel);
    /* It was not taken, or what it replaces is in its place. */
    if (how != CW__SENT) drop_copy(broadcast, copy);
}

int cw__broadcast_send(cw_broadcast *broadcast, void *value)
{
    CW__RUNTIME;
    CW__CHECK_AS(BROADCAST, broadcast, "NAME_send", "broadcast");
    cw__aftermath after;
    cw__aftermath_init(&after);
    cw__lock_acquire(&broadcast->lock);
    bool closed = broadcast->closed;
    if (!closed) {
        if (broadcast->has_value) drop_copy(broadcast, broadcast->value);
        cw__copy_element(broadcast->value, value, broadcast->size);
        broadcast->has_value = true;
        for (cw_channel *channel = broadcast->subscribers; channel;
             channel = channel->subscriber)
            put_latest(broadcast, channel, &after);
    }
    cw__lock_release(&broadcast->lock);
    cw__dispatch_woken(cw__self, &after.woken);
    return closed ? CW_ESENDCLOSED : CW_OK;
}

int cw__broadcast_value(cw_broadcast *broadcast, void *value)
{
    CW__RUNTIME;
    CW__CHECK_AS(BROADCAST, broadcast, "NAME_value", "broadcast");
    cw__lock_acquire(&broadcast->lock);
    bool has_one = broadcast->has_value && !broadcast->closed;
    if (has_one) {
        cw__copy_element(value, broadcast->value, broadcast->size);
        keep_copy(broadcast, value);
    }
    cw__lock_release(&broadcast->lock);
    return has_one ? CW_OK : CW_ESTATE;
}

bool cw_broadcast_is_closed(cw_broadcast *broadcast)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(BROADCAST, broadcast);
    cw__lock_acquire(&broadcast->lock);
    bool closed = broadcast->closed;
    cw__lock_release(&broadcast->lock);
    return closed;
}

/* ---- subscribing */

cw_channel *cw__broadcast_subscribe(cw_broadcast *broadcast)
{
    CW__RUNTIME;
    CW__CHECK_AS(BROADCAST, broadcast, "NAME_subscribe", "broadcast");
    const cw__copies *copies = broadcast->copies;
    cw_channel *channel =
        cw__channel_new(CW_CONFLATED, CW_OVERFLOW_SUSPEND, broadcast->size,
                        copies ? &copies->undelivered : NULL);
    if (!channel) return NULL;
    cw__aftermath after; /* nobody waits at a new channel */
    cw__aftermath_init(&after);
    channel->source = broadcast;
    cw_add_relaxed(&broadcast->refs, 1); /* the caller has a handle */
    cw__lock_acquire(&broadcast->lock);
    bool closed = broadcast->closed;
    if (!closed) {
        cw_channel_retain(channel);
        channel->subscriber_at = broadcast->subscribers_end;
        *channel->subscriber_at = channel;
        broadcast->subscribers_end = &channel->subscriber;
        if (broadcast->has_value) put_latest(broadcast, channel, &after);
    }
    cw_error *cause = broadcast->cause; /* fixed once it is closed */
    cw__lock_release(&broadcast->lock);
    if (closed) cw_channel_close(channel, cause, NULL);
    return channel;
}

/* With the lock held. False if it has left already. */
static bool unlink_subscriber(cw_broadcast *broadcast, cw_channel *channel)
{
    if (!channel->subscriber_at) return false;
    *channel->subscriber_at = channel->subscriber;
    if (channel->subscriber) {
        channel->subscriber->subscriber_at = channel->subscriber_at;
    } else {
        broadcast->subscribers_end = channel->subscriber_at;
    }
    channel->subscriber_at = NULL;
    return true;
}

void cw__broadcast_leave(cw_channel *channel)
{
    cw_broadcast *broadcast = channel->source;
    cw__lock_acquire(&broadcast->lock);
    bool left = unlink_subscriber(broadcast, channel);
    cw__lock_release(&broadcast->lock);
    if (left) cw_channel_release(channel); /* the caller has one, too */
}

/* ---- closing */

static bool close_all(cw_broadcast *broadcast, cw_error *cause, bool cancel)
{
    cw__lock_acquire(&broadcast->lock);
    bool first = !broadcast->closed;
    broadcast->closed = true;
    if (first) broadcast->cause = cw_error_retain(cause);
    cw__lock_release(&broadcast->lock);
    /* One at a time: closing wakes and calls others. */
    for (;;) {
        cw__lock_acquire(&broadcast->lock);
        cw_channel *channel = broadcast->subscribers;
        if (channel) unlink_subscriber(broadcast, channel);
        cw__lock_release(&broadcast->lock);
        if (!channel) return first;
        if (cancel) {
            cw_channel_cancel(channel, cause, NULL);
        } else {
            cw_channel_close(channel, cause, NULL);
        }
        cw_channel_release(channel);
    }
}

bool cw_broadcast_close(cw_broadcast *broadcast, cw_error *cause)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(BROADCAST, broadcast);
    return close_all(broadcast, cause, false);
}

void cw_broadcast_cancel(cw_broadcast *broadcast, cw_error *cause)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(BROADCAST, broadcast);
    cause = cw__error_cancelled(cause);
    close_all(broadcast, cause, true);
    cw_error_release(cause);
}
