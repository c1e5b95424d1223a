/* channel_rows.h: elements that go through channels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CHANNEL_ROWS_H
#define CHANNEL_ROWS_H

#include "measure.h"

CW_CHANNEL_TYPE(ints, int)

struct stream {
    ints channel, back;
    int items;
};

CW_COROUTINE(producer, struct stream, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++)
        CW_SEND(self, ints, self->arg.channel, self->i);
    CW_END(self);
}

CW_COROUTINE(consumer, struct stream, cw_none, int i; int got; int64_t sum;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_RECEIVE(self, ints, self->arg.channel, &self->got);
        self->sum += self->got;
    }
    CW_END(self);
}

CW_COROUTINE(stream_one, struct stream, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, producer, self->arg);
    cw_spawn(NULL, consumer, self->arg);
    CW_END(self);
}

struct flow {
    int capacity, items;
};

/* From one producer to one consumer; ns per item. */
CW_COROUTINE(stream_row, struct flow, double, double start; cw_none none;
             struct stream stream;)
{
    CW_BEGIN(self);
    self->stream.channel = ints_new(self->arg.capacity);
    self->stream.items = self->arg.items;
    self->start = now_ns();
    CW_SCOPE(self, stream_one, self->stream, &self->none);
    cw_channel_release(self->stream.channel.channel);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.items);
    CW_END(self);
}

CW_COROUTINE(echo, struct stream, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_RECEIVE(self, ints, self->arg.channel, &self->got);
        CW_SEND(self, ints, self->arg.back, self->got);
    }
    CW_END(self);
}

CW_COROUTINE(ping_pong, struct stream, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    cw_spawn(NULL, echo, self->arg);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_SEND(self, ints, self->arg.channel, self->i);
        CW_RECEIVE(self, ints, self->arg.back, &self->got);
    }
    CW_END(self);
}

/* There and back through two channels; ns for both ways. */
CW_COROUTINE(ping_pong_row, struct flow, double, double start; cw_none none;
             struct stream stream;)
{
    CW_BEGIN(self);
    self->stream.channel = ints_new(self->arg.capacity);
    self->stream.back = ints_new(self->arg.capacity);
    self->stream.items = self->arg.items;
    self->start = now_ns();
    CW_SCOPE(self, ping_pong, self->stream, &self->none);
    cw_channel_release(self->stream.channel.channel);
    cw_channel_release(self->stream.back.channel);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.items);
    CW_END(self);
}

#endif /* CHANNEL_ROWS_H */
