/* buffer.c: the elements that a channel holds, first in, first out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "buffer.h"

#include "alloc.h"

enum {
    RING_BYTES = 32 * 1024, /* larger ones are chains */
    RING_LEAST = 4,         /* elements that are no chain in any case */
    SEGMENT_BYTES = 448,    /* with its head one of the classes of alloc.c */
    SEGMENT_LEAST = 4       /* elements, if they are large */
};

static size_t segment_bytes(const cw__buffer *buffer)
{
    return sizeof(cw__segment) + (size_t)buffer->slots * buffer->size;
}

bool cw__buffer_init(cw__buffer *buffer, uint32_t capacity, uint32_t size)
{
    *buffer = (cw__buffer){.size = size};
    if (capacity == 0) return true;
    if (capacity <= RING_LEAST || capacity < RING_BYTES / size) {
        /* One more, so that an element can be put before the oldest is taken
         * in its place. */
        buffer->slots = capacity + 1;
        size_t bytes = (size_t)buffer->slots * size;
        buffer->ring = cw__alloc(bytes);
        if (!buffer->ring) return false;
        buffer->in.at = buffer->out.at = buffer->ring;
        buffer->in.end = buffer->out.end = buffer->ring + bytes;
        return true;
    }
    uint32_t slots = SEGMENT_BYTES / size;
    buffer->slots = slots < SEGMENT_LEAST ? SEGMENT_LEAST : slots;
    return true;
}

void cw__buffer_free(cw__buffer *buffer)
{
    if (buffer->ring) {
        cw__free(buffer->ring, (size_t)buffer->slots * buffer->size);
        return;
    }
    while (buffer->first) {
        cw__segment *segment = buffer->first;
        buffer->first = segment->next;
        cw__segment_free(buffer, segment);
    }
    if (buffer->spare) cw__segment_free(buffer, buffer->spare);
}

cw__segment *cw__segment_new(const cw__buffer *buffer)
{
    return cw__alloc(segment_bytes(buffer));
}

void cw__segment_free(const cw__buffer *buffer, cw__segment *segment)
{
    cw__free(segment, segment_bytes(buffer));
}

static void link_segment(cw__buffer *buffer, cw__segment *segment)
{
    segment->next = NULL;
    if (buffer->last) {
        buffer->last->next = segment;
    } else {
        buffer->first = segment;
    }
    buffer->last = segment;
    buffer->in.at = segment->slots;
    buffer->in.end = segment->slots + (size_t)buffer->slots * buffer->size;
    if (buffer->first == segment) {
        buffer->out.at = buffer->in.at;
        buffer->out.end = buffer->in.end;
    }
}

bool cw__buffer_extend(cw__buffer *buffer, cw__segment **segment)
{
    if (buffer->in.at) return true;
    if (buffer->spare) {
        link_segment(buffer, buffer->spare);
        buffer->spare = NULL;
        return true;
    }
    if (!*segment) return false;
    link_segment(buffer, *segment);
    *segment = NULL;
    return true;
}

void cw__buffer_written(cw__buffer *buffer)
{
    buffer->in.at = buffer->ring; /* in a chain: NULL */
}

cw__segment *cw__buffer_read(cw__buffer *buffer)
{
    if (buffer->ring) {
        buffer->out.at = buffer->ring;
        return NULL;
    }
    cw__segment *empty = buffer->first;
    buffer->first = empty->next;
    if (buffer->first) {
        buffer->out.at = buffer->first->slots;
        buffer->out.end = buffer->out.at + (size_t)buffer->slots * buffer->size;
    } else {
        /* It is written to its end, too, so the next element needs another. */
        buffer->last = NULL;
        buffer->out.at = buffer->out.end = NULL;
    }
    if (!buffer->spare) {
        buffer->spare = empty;
        return NULL;
    }
    return empty;
}
