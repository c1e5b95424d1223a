/* buffer.h: the elements that a channel holds, first in, first out.
 *
 * SPDX-License-Identifier: MIT
 *
 * A small buffer of fixed size is a ring, made with the channel. A large one,
 * and one without limit, is a chain of segments: a channel that is never full
 * does not take memory for all it could hold, and growing moves nothing.
 *
 * Elements of a ring are put under the lock of the lane `in` and taken under
 * that of `out`; everything else happens under the channel's lock (channel.h).
 * Under it memory is neither taken nor given back: segments are brought along
 * and taken away.
 */
#ifndef CW_BUFFER_H
#define CW_BUFFER_H

#include "lane.h"
#include "party.h"

typedef struct cw__segment {
    struct cw__segment *next;
    _Alignas(16) char slots[];
} cw__segment;

typedef struct cw__buffer {
    cw__lane in;    /* `at` is the next free slot; NULL: needs a segment */
    cw__lane out;   /* `at` is the oldest element */
    uint32_t size;  /* of an element */
    uint32_t slots; /* in the ring, or in each segment */
    char *ring;     /* NULL: a chain */
    cw__segment *first, *last, *spare;
} cw__buffer;

/* For `capacity` elements of `size` bytes. False without memory. */
bool cw__buffer_init(cw__buffer *buffer, uint32_t capacity, uint32_t size);
/* Its elements must be gone or need no care. */
void cw__buffer_free(cw__buffer *buffer);

/* A segment to bring along; NULL without memory. */
cw__segment *cw__segment_new(const cw__buffer *buffer);
void cw__segment_free(const cw__buffer *buffer, cw__segment *segment);

/* Gives a chain the segment that it needs. False: it needs one, and `segment`
 * is NULL. Sets `*segment` to NULL if it was taken. */
bool cw__buffer_extend(cw__buffer *buffer, cw__segment **segment);

/* Ends a piece, see below. */
void cw__buffer_written(cw__buffer *buffer);
cw__segment *cw__buffer_read(cw__buffer *buffer);

/* How many elements are in it. */
static inline uint32_t cw__buffer_count(const cw__buffer *buffer)
{
    return (buffer->in.position - buffer->out.position) / CW__ONE_ELEMENT;
}

/* False: cw__buffer_extend() first. */
static inline bool cw__buffer_has_slot(const cw__buffer *buffer)
{
    return buffer->in.at != NULL;
}

static inline void cw__buffer_put(cw__buffer *buffer, const void *element)
{
    cw__lane *in = &buffer->in;
    cw__copy(in->at, element, buffer->size);
    in->at += buffer->size;
    in->position += CW__ONE_ELEMENT;
    if (cw_unlikely(in->at == in->end)) cw__buffer_written(buffer);
}

/* Not on an empty one. Returns a segment to be freed without the lock, or
 * NULL. */
static inline cw__segment *cw__buffer_take(cw__buffer *buffer, void *out)
{
    cw__lane *lane = &buffer->out;
    cw__copy(out, lane->at, buffer->size);
    lane->at += buffer->size;
    lane->position += CW__ONE_ELEMENT;
    if (cw_likely(lane->at != lane->end)) return NULL;
    return cw__buffer_read(buffer);
}

#endif /* CW_BUFFER_H */
