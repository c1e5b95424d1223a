/* wires.c: frames for other pages, as JavaScript reads and writes them.
 *
 * SPDX-License-Identifier: MIT
 *
 * Numbers that may exceed 32 bits are doubles here. A wire is for one realm at
 * a time.
 */
#include "wires.h"

#include "bridge.h"

#include <string.h>

enum { KEPT_BYTES = 1 << 16 /* for what comes */ };

/* Doubles that are no whole number below 2^53 become one that no frame may
 * have. */
static uint64_t whole(double number)
{
    return number >= 0 && number <= (double)CW__WIRE_MOST_NUMBER
               ? (uint64_t)number
               : UINT64_MAX;
}

/* One end of a connection, whose capability, 16 bytes, stands in the scratch
 * buffer. `side`: enum cw__wire_side, of this end. Owned; NULL: no memory. */
cwb_wire *cwb_wire_new(uint32_t side, double epoch, uint32_t tasks)
{
    cwb_wire *self = cw__system_alloc(sizeof *self);
    if (!self) return NULL;
    *self = (cwb_wire){.link = {.side = (cw__wire_side)side,
                                .abi = CWB_ABI,
                                .epoch = whole(epoch),
                                .tasks = tasks}};
    memcpy(self->link.capability, cwb_scratch(0), CW__WIRE_CAPABILITY);
    return self;
}

void cwb_wire_free(cwb_wire *self)
{
    cw__wire_free(&self->out);
    cw__system_free(self->in);
    cw__system_free(self);
}

/* From now on so many tasks exist. */
void cwb_wire_set_tasks(cwb_wire *self, uint32_t tasks)
{
    self->link.tasks = tasks;
}

/* See cw__wire_room(). */
void *cwb_wire_room(cwb_wire *self, uint32_t bytes)
{
    return cw__wire_room(&self->out, bytes);
}

/* Adds a frame, whose payload stands where cwb_wire_room() said: there was
 * asked for room if it has one. Returns enum cw__wire_fault. */
uint32_t cwb_wire_add(cwb_wire *self, uint32_t kind, uint32_t flags, double job,
                      uint32_t a, uint32_t b, uint32_t bytes)
{
    cw__wire_frame frame = {.kind = (cw__wire_kind)kind,
                            .flags = flags,
                            .job = whole(job),
                            .a = a,
                            .b = b,
                            .bytes = bytes};
    if (bytes) frame.payload = cw__wire_room(&self->out, bytes);
    return cw__wire_add(&self->out, &self->link, &frame);
}

/* Completes the batch of the frames so far: its bytes, from what
 * WIRE_OUT points to; 0: there is no frame. cwb_wire_clear() follows. */
uint32_t cwb_wire_seal(cwb_wire *self)
{
    if (self->out.count) cw__wire_seal(&self->out, &self->link);
    return self->out.bytes;
}

void cwb_wire_clear(cwb_wire *self) { cw__wire_clear(&self->out); }

/* Where a batch of so many bytes is to be put that came. NULL: it is refused,
 * since it is too long or there is no memory. */
void *cwb_wire_take_in(cwb_wire *self, double length)
{
    uint32_t bytes = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
    bool fits = bytes <= CW__WIRE_MOST_BATCH;
    uint32_t room = bytes > KEPT_BYTES ? bytes : KEPT_BYTES;
    if (fits && self->in_room != room) {
        cw__system_free(self->in);
        self->in = cw__system_alloc(room);
        self->in_room = self->in ? room : 0;
    }
    if (fits && self->in) return self->in;
    self->reader = (cw__wire_reader){0};
    cw__wire_refuse(&self->reader, &self->link,
                    fits ? CW__WIRE_BAD_MEMORY : CW__WIRE_BAD_BIG);
    return NULL;
}

/* Checks that batch, see cw__wire_open(). */
uint32_t cwb_wire_open(cwb_wire *self, uint32_t bytes)
{
    return cw__wire_open(&self->reader, &self->link, self->in, bytes);
}

/* Finds the next frame of it, which is at WIRE_FRAME; 0: there is none. */
uint32_t cwb_wire_next(cwb_wire *self)
{
    return cw__wire_next(&self->reader, &self->frame);
}

/* What answers the batch that was refused last, CW__WIRE_ANSWER bytes; NULL:
 * nothing does. */
const void *cwb_wire_answer(cwb_wire *self)
{
    return cw__wire_answer(self->answer, &self->reader, &self->link)
               ? self->answer
               : NULL;
}

/* What a fault means. */
const char *cwb_wire_why(uint32_t fault)
{
    return cw__wire_why((cw__wire_fault)fault);
}
