/* listeners.c: what tasks tell of their progress.
 *
 * SPDX-License-Identifier: MIT
 */
#include "progress.h"

#include "alloc.h"
#include "channel.h"
#include "channels.h"

#include <string.h>

/* Nobody wants to know what a listener has missed. */
static cw_error *missed(cwb_element *element, void *arg)
{
    (void)arg;
    cwb_element_drop(element);
    return NULL;
}

/* A channel that hears of the job's progress until it is closed at the job's
 * end: owned; NULL without memory. `limit`: it keeps the latest values only, so
 * many; 0: all. */
cwb_channel *cwb_progress_listen(cw_job *job, int limit)
{
    cwb_channel *channel = cw__alloc(sizeof *channel);
    if (!channel) return NULL;
    memset(channel, 0, sizeof *channel);
    atomic_init(&channel->refs, 1);
    atomic_init(&channel->shared, 1);
    channel->subscribed = true; /* the job has it, too */
    channel->elements = cwb_elements_new_with(
        limit ? limit : CW_UNLIMITED,
        limit ? CW_OVERFLOW_DROP_OLDEST : CW_OVERFLOW_SUSPEND, missed, NULL);
    cw_channel *made = channel->elements.channel;
    if (made && cw__listen(job, made) == CW_OK) return channel;
    cw_channel_release(made);
    cw__free(channel, sizeof *channel);
    return NULL;
}

/* The next one that a value is to be sent to, after `before` (given back), or
 * the first one: owned, NULL if there is none. */
cw_channel *cwb_progress_next(cw_job *job, cw_channel *before)
{
    cw_channel *next;
    do { /* those that are closed have stopped to listen */
        next = cw__next_listener(job, before);
        cw_channel_release(before);
        before = next;
    } while (next && cw_channel_is_closed_for_send(next));
    return next;
}

/* Sends the element in the scratch buffer. CW_OK or CW_ENOMEM. */
int cwb_progress_send(cw_channel *channel, uint32_t head)
{
    cwb_element element;
    if (!cwb_element_take(&element, head)) return CW_ENOMEM;
    cw_error *none; /* the hook does not fail */
    switch (cw__channel_try_send(channel, &element, &none)) {
    case CW__CLOSED:
        cwb_element_drop(&element);
        return CW_OK; /* it stopped just now */
    case CW__NEEDS_SEGMENT:
        cwb_element_drop(&element);
        return CW_ENOMEM;
    default:
        return CW_OK;
    }
}
