/* broadcasts.c: broadcasts of JavaScript's values.
 *
 * SPDX-License-Identifier: MIT
 *
 * An element that owns memory is counted: each subscriber has a copy of what
 * points to it.
 */
#include "channels.h"

#include "alloc.h"
#include "channel.h"

#include <string.h>

CW_BROADCAST_TYPE(cwb_latest, cwb_elements, cwb_element)

/* What was dropped with a lock held, to be freed without it. */
static _Thread_local cwb_counted *garbage;

void cwb_broadcast_clean(void)
{
    while (garbage) {
        cwb_counted *first = garbage;
        garbage = first->next;
        cwb_counted_free(first);
    }
}

static void keep_copy(void *element)
{
    cwb_element *copy = element;
    if (copy->head & CWB_COUNTED) cwb_counted_keep(copy->counted);
}

static void drop_copy(void *element)
{
    const cwb_element *copy = element;
    if (!(copy->head & CWB_COUNTED)) return;
    cwb_counted *last = cwb_counted_drop(copy->counted);
    if (!last) return;
    last->next = garbage;
    garbage = last;
}

static void *undelivered(const cw__hook *hook, void *element)
{
    (void)hook;
    cwb_element_drop(element);
    return NULL;
}

/* A hook needs a function to be one; this is not called. */
static void none(void) {}

static const cw__copies copies = {
    keep_copy, drop_copy, {undelivered, none, NULL}};

/* Owned; NULL without memory. */
cw_broadcast *cwb_broadcast_new(void)
{
    return cw__broadcast_new_of(sizeof(cwb_element), &copies);
}

void cwb_broadcast_drop(cw_broadcast *broadcast)
{
    cw_broadcast_release(broadcast);
    cwb_broadcast_clean();
}

/* CW_OK, CW_ESENDCLOSED or CW_ENOMEM. */
int cwb_broadcast_send(cw_broadcast *broadcast, uint32_t head)
{
    cwb_element element;
    if (!cwb_element_take(&element, head)) return CW_ENOMEM;
    bool plain =
        (element.head & (CWB_ELEMENT_KIND | CWB_WITH_REFERENCES)) == CWB_SMALL;
    if (!plain && !cwb_element_count(&element)) {
        cwb_element_drop(&element);
        return CW_ENOMEM;
    }
    int status = cwb_latest_send((cwb_latest){broadcast}, element);
    if (status != CW_OK) cwb_element_drop(&element);
    cwb_broadcast_clean();
    return status;
}

/* CW_OK, and the latest element is in the scratch buffer, or CW_ESTATE. */
int cwb_broadcast_value(cw_broadcast *broadcast)
{
    cwb_element element;
    int status = cwb_latest_value((cwb_latest){broadcast}, &element);
    if (status != CW_OK) return status;
    memcpy(cwb_scratch(sizeof element), &element, sizeof element);
    return CW_OK;
}

/* A channel of a new subscriber: owned; NULL without memory. */
cwb_channel *cwb_broadcast_subscribe(cw_broadcast *broadcast)
{
    cwb_channel *channel = cw__alloc(sizeof *channel);
    if (!channel) return NULL;
    memset(channel, 0, sizeof *channel);
    atomic_init(&channel->refs, 1);
    atomic_init(&channel->shared, 1);
    channel->subscribed = true;
    channel->elements = cwb_latest_subscribe((cwb_latest){broadcast});
    cwb_broadcast_clean();
    if (channel->elements.channel) return channel;
    cw__free(channel, sizeof *channel);
    return NULL;
}
