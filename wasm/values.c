/* values.c: values of JavaScript that the core keeps.
 *
 * SPDX-License-Identifier: MIT
 */
#include "values.h"

#include "alloc.h"
#include "channels.h"
#include "context.h"
#include "handlers.h"

#include <string.h>

/* ---- references */

void *cwb_object_keep(uint32_t kind, void *object)
{
    switch (kind) {
    case CWB_CHANNEL:
        cwb_channel_keep(object);
        break;
    case CWB_MUTEX:
        cw_mutex_retain(object);
        break;
    case CWB_SEMAPHORE:
        cw_semaphore_retain(object);
        break;
    case CWB_BROADCAST:
        cw_broadcast_retain(object);
        break;
    }
    return object;
}

void cwb_object_drop(uint32_t kind, void *object)
{
    switch (kind) {
    case CWB_CHANNEL:
        cwb_channel_drop(object);
        break;
    case CWB_MUTEX:
        cw_mutex_release(object);
        break;
    case CWB_SEMAPHORE:
        cw_semaphore_release(object);
        break;
    case CWB_BROADCAST:
        cwb_broadcast_drop(object);
        break;
    }
}

typedef struct reference {
    uint32_t kind;
    void *object;
} reference;

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

uint32_t cwb_references_at(const uint8_t *data, uint32_t length)
{
    uint32_t count = word_at(data + length - sizeof count);
    return length - (uint32_t)(count * sizeof(reference) + sizeof count);
}

static void keep_or_drop(const uint8_t *data, uint32_t length, bool keep)
{
    uint32_t end = length - (uint32_t)sizeof(uint32_t);
    for (uint32_t at = cwb_references_at(data, length); at < end;
         at += (uint32_t)sizeof(reference)) {
        reference one;
        memcpy(&one, data + at, sizeof one);
        if (keep)
            cwb_object_keep(one.kind, one.object);
        else
            cwb_object_drop(one.kind, one.object);
    }
}

void cwb_references_keep(const uint8_t *data, uint32_t length)
{
    keep_or_drop(data, length, true);
}

void cwb_references_drop(const uint8_t *data, uint32_t length)
{
    keep_or_drop(data, length, false);
}

/* ---- elements */

bool cwb_element_take(cwb_element *element, uint32_t head)
{
    const uint8_t *from = cwb_scratch(0);
    uint32_t length = head >> CWB_LENGTH_SHIFT;
    if ((head & CWB_ELEMENT_KIND) == CWB_LOCAL_VALUE) {
        element->head = CWB_LOCAL_VALUE;
        element->local.home = cwb_here;
        element->local.token = length;
        element->local.number = word_at(from);
        cw__context_hold(cwb_realm->context);
        return true;
    }
    bool small = length <= CWB_SMALL_BYTES;
    uint8_t *to = element->bytes;
    if (!small) {
        to = cw__alloc(length);
        if (!to) return false;
        element->block = to;
    }
    memcpy(to, from, length);
    if (head & CWB_WITH_REFERENCES) cwb_references_keep(to, length);
    element->head = head | (unsigned)(small ? CWB_SMALL : CWB_BLOCK);
    return true;
}

/* Frees what belongs to an element, but for what its realm knows of it. */
static void release(cwb_element *element)
{
    uint32_t head = element->head;
    uint32_t length = head >> CWB_LENGTH_SHIFT;
    bool block = (head & CWB_ELEMENT_KIND) == CWB_BLOCK;
    uint8_t *data = block ? element->block : element->bytes;
    if (head & CWB_WITH_REFERENCES) cwb_references_drop(data, length);
    if (block) cw__free(data, length);
    element->head = CWB_NOTHING;
}

/* Tells the realm of a local value what has become of that. */
static void tell_home(cwb_element *element, enum cwb_news news)
{
    cwb_home *home = element->local.home;
    element->head = CWB_NOTHING;
    cwb_tell(home, element->local.token, news, NULL, NULL);
    cw__context_drop(home->worker->context);
}

static void drop_counted(cwb_element *element)
{
    cwb_counted *last = cwb_counted_drop(element->counted);
    element->head = CWB_NOTHING;
    if (last) cwb_counted_free(last);
}

void cwb_element_drop(cwb_element *element)
{
    if (element->head & CWB_COUNTED) {
        drop_counted(element);
        return;
    }
    if (element->head == CWB_LOCAL_VALUE) {
        tell_home(element, CWB_DROPPED);
        return;
    }
    if (element->head & CWB_PARCEL) cw_js_discard(element);
    release(element);
}

/* The same for an element that JavaScript has read. */
void cwb_element_read(cwb_element *element)
{
    if (element->head & CWB_COUNTED)
        drop_counted(element);
    else if (element->head == CWB_LOCAL_VALUE)
        tell_home(element, CWB_TAKEN);
    else
        release(element);
}

/* Length of the encoded value of an element, without the list. */
uint32_t cwb_element_length(const cwb_element *element)
{
    uint32_t length = element->head >> CWB_LENGTH_SHIFT;
    if (!(element->head & CWB_WITH_REFERENCES)) return length;
    bool block = (element->head & CWB_ELEMENT_KIND) == CWB_BLOCK;
    return cwb_references_at(block ? element->block : element->bytes, length);
}

/* ---- copies */

bool cwb_element_count(cwb_element *element)
{
    cwb_counted *counted = cw__alloc(sizeof *counted);
    if (!counted) return false;
    counted->element = *element;
    atomic_init(&counted->refs, 1);
    element->head = CWB_COUNTED;
    element->counted = counted;
    return true;
}

void cwb_counted_keep(cwb_counted *counted)
{
    cw_add_relaxed(&counted->refs, 1); /* the caller has one */
}

cwb_counted *cwb_counted_drop(cwb_counted *counted)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    return cw_sub_acq_rel(&counted->refs, 1) == 1 ? counted : NULL;
}

void cwb_counted_free(cwb_counted *counted)
{
    cwb_element_drop(&counted->element);
    cw__free(counted, sizeof *counted);
}
