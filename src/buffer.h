/* buffer.h: the elements that a channel holds, first in, first out.
 *
 * SPDX-License-Identifier: MIT
 *
 * A small buffer of fixed size is a ring, made with the channel. A large one,
 * and one without limit, is a chain of segments: a channel that is never full
 * does not take memory for all it could hold, and growing moves nothing.
 *
 * Everything but making and freeing happens under the channel's lock, where
 * memory is neither taken nor given back: segments are brought along and taken
 * away.
 */
#ifndef CW_BUFFER_H
#define CW_BUFFER_H

#include "party.h"

typedef struct cw__segment {
    struct cw__segment *next;
    _Alignas(16) char slots[];
} cw__segment;

typedef struct cw__buffer {
    char *read, *read_end;   /* the oldest element; where its piece ends */
    char *write, *write_end; /* the next free slot; NULL: needs a segment */
    uint32_t size;           /* of an element */
    uint32_t count;          /* elements in it */
    uint32_t slots;          /* in the ring, or in each segment */
    char *ring;              /* NULL: a chain */
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

/* False: cw__buffer_extend() first. */
static inline bool cw__buffer_has_slot(const cw__buffer *buffer)
{
    return buffer->write != NULL;
}

static inline void cw__buffer_put(cw__buffer *buffer, const void *element)
{
    cw__copy(buffer->write, element, buffer->size);
    buffer->write += buffer->size;
    buffer->count++;
    if (cw_unlikely(buffer->write == buffer->write_end))
        cw__buffer_written(buffer);
}

/* Not on an empty one. Returns a segment to be freed without the lock, or
 * NULL. */
static inline cw__segment *cw__buffer_take(cw__buffer *buffer, void *out)
{
    cw__copy(out, buffer->read, buffer->size);
    buffer->read += buffer->size;
    buffer->count--;
    if (cw_likely(buffer->read != buffer->read_end)) return NULL;
    return cw__buffer_read(buffer);
}

#endif /* CW_BUFFER_H */
