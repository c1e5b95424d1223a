/* wires.h: batches of frames for tests, good ones and others.
 *
 * SPDX-License-Identifier: MIT
 *
 * For the tests of the wire and tests/fuzz.
 */
#ifndef WIRES_H
#define WIRES_H

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that look random and are the same for the same seed. */
struct rng {
    uint32_t state;
};

static inline uint32_t rng_next(struct rng *rng)
{
    uint32_t x = rng->state += 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

static inline uint32_t rng_below(struct rng *rng, uint32_t end)
{
    return rng_next(rng) % end;
}

#define WIRE_ASSERT(condition)                                                 \
    ((condition)                                                               \
         ? (void)0                                                             \
         : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition),    \
            abort()))

/* One end of the connection that all tests use. */
static inline cw__wire_link wire_link(cw__wire_side side)
{
    cw__wire_link link = {.side = side, .abi = 6, .epoch = 7, .tasks = 3};
    for (int i = 0; i < CW__WIRE_CAPABILITY; i++)
        link.capability[i] = (uint8_t)(i + 1);
    return link;
}

/* True if nothing in a link differs. */
static inline bool wire_same(const cw__wire_link *a, const cw__wire_link *b)
{
    return a->side == b->side && a->abi == b->abi && a->epoch == b->epoch &&
           a->tasks == b->tasks && a->batches == b->batches &&
           a->frames == b->frames &&
           memcmp(a->capability, b->capability, sizeof a->capability) == 0 &&
           memcmp(a->refused, b->refused, sizeof a->refused) == 0;
}

/* A frame that `from` may send. */
static inline cw__wire_frame wire_any(struct rng *rng, cw__wire_side from)
{
    static const uint8_t payload[64] = "what a frame carries, and more of it";
    cw__wire_frame frame = {.job = rng_next(rng) | 1, .payload = payload};
    uint32_t bytes = rng_below(rng, sizeof payload);
    bool beside = rng_below(rng, 4) == 0;
    uint32_t first = from == CW__WIRE_HOST ? CW__WIRE_WELCOME : CW__WIRE_HELLO;
    uint32_t end = from == CW__WIRE_HOST ? CW__WIRE_REFUSED : CW__WIRE_WELCOME;
    uint32_t kind = first + rng_below(rng, end - first + 1);
    frame.kind = (cw__wire_kind)(kind == end ? CW__WIRE_REFUSED : kind);
    switch (frame.kind) {
    case CW__WIRE_SUBMIT:
        frame.flags = rng_below(rng, 4);
        if (rng_below(rng, 2)) frame.flags |= CW__WIRE_AT_ONCE;
        frame.a = rng_below(rng, 3);
        frame.b = rng_next(rng);
        break;
    case CW__WIRE_HELLO:
    case CW__WIRE_WELCOME:
        frame.job = 0;
        frame.a = rng_below(rng, 100);
        break;
    case CW__WIRE_BYE:
    case CW__WIRE_RESIGN:
        frame.job = 0;
        break;
    case CW__WIRE_CREDIT:
    case CW__WIRE_REFUSED:
        frame.a = 1 + rng_below(rng, 1000);
        break;
    case CW__WIRE_BEGUN:
        frame.a = rng_below(rng, 8);
        break;
    case CW__WIRE_SETTLED:
        frame.a = rng_below(rng, 4);
        break;
    default:
        break;
    }
    switch (frame.kind) {
    case CW__WIRE_SUBMIT:
    case CW__WIRE_SETTLED:
    case CW__WIRE_PROGRESS:
    case CW__WIRE_ITEM:
        if (beside)
            frame.flags |= CW__WIRE_BESIDE;
        else
            frame.bytes = bytes;
        break;
    case CW__WIRE_HELLO:
    case CW__WIRE_WELCOME:
    case CW__WIRE_CANCEL:
        frame.bytes = bytes;
        break;
    default:
        break;
    }
    return frame;
}

/* A good batch of a few frames from `from`; to be freed. */
static inline cw__wire_batch wire_batch(struct rng *rng, cw__wire_side from)
{
    cw__wire_link link = wire_link(from);
    cw__wire_batch batch = {0};
    for (uint32_t count = 1 + rng_below(rng, 5); count; count--) {
        cw__wire_frame frame = wire_any(rng, from);
        WIRE_ASSERT(cw__wire_add(&batch, &link, &frame) == CW__WIRE_BAD_OK);
    }
    cw__wire_seal(&batch, &link);
    return batch;
}

/* Changes a few bytes of a batch, and perhaps cuts it off; the new length. */
static inline uint32_t wire_mutate(struct rng *rng, uint8_t *at, uint32_t bytes)
{
    for (uint32_t count = 1 + rng_below(rng, 3); count; count--) {
        /* Mostly behind the head, since little of that may differ. */
        uint32_t from = rng_below(rng, 4) ? CW__WIRE_HEAD : 0;
        uint8_t *byte = at + from + rng_below(rng, bytes - from);
        switch (rng_below(rng, 4)) {
        case 0:
            *byte ^= (uint8_t)(1u << rng_below(rng, 8));
            break;
        case 1:
            *byte = (uint8_t)rng_next(rng);
            break;
        case 2:
            *byte = 0;
            break;
        default:
            *byte = 0xff;
            break;
        }
    }
    return rng_below(rng, 8) ? bytes : rng_below(rng, bytes);
}

/* Opens a batch as what `link` is the end of, and asserts that it is taken as a
 * whole, with nothing but good frames inside of it, or counted once and nothing
 * else. */
static inline cw__wire_fault wire_check(cw__wire_link *link,
                                        const uint8_t *bytes, size_t length)
{
    cw__wire_link before = *link;
    cw__wire_reader reader;
    cw__wire_frame frame;
    cw__wire_fault fault = cw__wire_open(&reader, link, bytes, length);
    WIRE_ASSERT(fault < CW__WIRE_FAULT_COUNT && cw__wire_why(fault));
    uint8_t answer[CW__WIRE_ANSWER];
    bool answers = cw__wire_answer(answer, &reader, link);
    if (fault) {
        WIRE_ASSERT(!cw__wire_next(&reader, &frame));
        before.refused[fault]++;
        WIRE_ASSERT(wire_same(link, &before));
        /* What the sender is told it takes, if it is of the connection. */
        WIRE_ASSERT(answers || (length >= CW__WIRE_HEAD && (bytes[6] & 1)));
        cw__wire_link sender =
            wire_link(CW__WIRE_CLIENT + CW__WIRE_HOST - link->side);
        memcpy(sender.capability, reader.capability, CW__WIRE_CAPABILITY);
        if (answers)
            WIRE_ASSERT(cw__wire_open(&reader, &sender, answer,
                                      sizeof answer) == CW__WIRE_BAD_OK);
        return fault;
    }
    WIRE_ASSERT(!answers);
    const uint8_t *at = bytes + CW__WIRE_HEAD, *end = bytes + length;
    uint32_t count = 0, beside = 0;
    /* What was taken can be sent, and is the same batch then. */
    cw__wire_link sender =
        wire_link(CW__WIRE_CLIENT + CW__WIRE_HOST - link->side);
    cw__wire_batch again = {0};
    for (; cw__wire_next(&reader, &frame); count++) {
        WIRE_ASSERT(frame.payload == at + CW__WIRE_FRAME);
        WIRE_ASSERT(frame.bytes <= (size_t)(end - frame.payload));
        if (frame.flags & CW__WIRE_BESIDE) beside++;
        at = frame.payload + (frame.bytes + 7) / 8 * 8;
        WIRE_ASSERT(cw__wire_add(&again, &sender, &frame) == CW__WIRE_BAD_OK);
    }
    WIRE_ASSERT(at == end && count && count == reader.count);
    WIRE_ASSERT(beside == reader.beside);
    cw__wire_seal(&again, &sender);
    WIRE_ASSERT(again.bytes == length);
    if (!reader.answer) WIRE_ASSERT(memcmp(again.at, bytes, length) == 0);
    cw__wire_free(&again);
    before.batches++;
    before.frames += count;
    WIRE_ASSERT(wire_same(link, &before));
    return fault;
}

#endif /* WIRES_H */
