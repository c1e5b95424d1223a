/* submit.h: a batch of one frame, to be spoilt at known places.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after test.h.
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "wires.h"

/* Where things are in a batch of one frame. */
enum {
    VERSION = 4,
    HEAD_FLAGS = 6,
    ABI = 8,
    COUNT = 12,
    EPOCH = 16,
    CAPABILITY = 24,
    LENGTH = 40,
    HEAD_ZERO = 44,
    KIND = CW__WIRE_HEAD,
    FLAGS,
    FRAME_ZERO,
    BYTES = CW__WIRE_HEAD + 4,
    JOB = CW__WIRE_HEAD + 8,
    A = CW__WIRE_HEAD + 16,
    B = CW__WIRE_HEAD + 20,
    PAYLOAD = CW__WIRE_HEAD + CW__WIRE_FRAME
};

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A batch with one frame that submits task 2 as job 9, and its length. */
static uint8_t bytes[4096];
static uint32_t length;

static void make_submit(void)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    cw__wire_frame frame = {.kind = CW__WIRE_SUBMIT,
                            .flags = CW__WIRE_IDEMPOTENT,
                            .job = 9,
                            .a = 2,
                            .b = 250,
                            .bytes = 5,
                            .payload = (const uint8_t *)"hello"};
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    cw__wire_seal(&batch, &client);
    length = batch.bytes;
    memcpy(bytes, batch.at, length);
    cw__wire_free(&batch);
}

/* Opens what `bytes` has as the host; asserts that it is refused for `fault`,
 * which alone is counted, and that there are no frames. */
MAYBE_UNUSED static cw__wire_reader refused_for(cw__wire_fault fault)
{
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_link before = host;
    cw__wire_reader reader;
    ASSERT_STR(cw__wire_why(cw__wire_open(&reader, &host, bytes, length)),
               cw__wire_why(fault));
    before.refused[fault] = 1;
    ASSERT(wire_same(&host, &before));
    cw__wire_frame frame;
    ASSERT(!cw__wire_next(&reader, &frame));
    return reader;
}

/* The same with `count` bytes of the batch changed. */
MAYBE_UNUSED static void refused_with(int at, uint64_t value, int count,
                                      cw__wire_fault fault)
{
    make_submit();
    put(bytes + at, value, count);
    refused_for(fault);
}

#endif /* SUBMIT_H */
