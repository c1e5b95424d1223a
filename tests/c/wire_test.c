/* wire_test.c: frames for other pages: how batches of them look, how big they
 * are.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "submit.h"
#include "wires.h"

#include "wire.h"

/* ---- the format */

TEST(a_batch_comes_as_it_was_written)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    struct rng rng = {1};
    cw__wire_frame sent[200];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            sent[i] = wire_any(&rng, CW__WIRE_CLIENT);
            ASSERT_EQ(cw__wire_add(&batch, &client, &sent[i]), CW__WIRE_BAD_OK);
        }
        cw__wire_seal(&batch, &client);

        cw__wire_link host = wire_link(CW__WIRE_HOST);
        cw__wire_reader reader;
        ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
                  CW__WIRE_BAD_OK);
        ASSERT_EQ(reader.count, 200);
        uint32_t beside = 0;
        cw__wire_frame came;
        for (int i = 0; i < 200; i++) {
            ASSERT(cw__wire_next(&reader, &came));
            ASSERT_EQ(came.kind, sent[i].kind);
            ASSERT_EQ(came.flags, sent[i].flags);
            ASSERT_EQ(came.job, sent[i].job);
            ASSERT_EQ(came.a, sent[i].a);
            ASSERT_EQ(came.b, sent[i].b);
            ASSERT_EQ(came.bytes, sent[i].bytes);
            ASSERT_EQ((came.payload - batch.at) % 8, 0);
            ASSERT(memcmp(came.payload, sent[i].payload, came.bytes) == 0);
            if (came.flags & CW__WIRE_BESIDE) beside++;
        }
        ASSERT(!cw__wire_next(&reader, &came));
        ASSERT_EQ(reader.beside, beside);
        ASSERT_EQ(host.batches, 1);
        ASSERT_EQ(host.frames, 200);
        cw__wire_clear(&batch);
    }
    cw__wire_free(&batch);
}

TEST(the_format_is_what_the_header_says)
{
    make_submit();
    static const uint8_t expected[] = {
        'c', 'w', 'r', 'k', 1,   0, 0, 0, 6,   0,   0,   0,
        1,   0,   0,   0,                 /* head */
        7,   0,   0,   0,   0,   0, 0, 0, /* epoch */
        1,   2,   3,   4,   5,   6, 7, 8, 9,   10,  11,  12,
        13,  14,  15,  16,  80,  0, 0, 0, 0,   0,   0,   0, /* length */
        2,   1,   0,   0,   5,   0, 0, 0, 9,   0,   0,   0,
        0,   0,   0,   0, /* frame */
        2,   0,   0,   0,   250, 0, 0, 0, 'h', 'e', 'l', 'l',
        'o', 0,   0,   0};
    ASSERT_EQ(length, sizeof expected);
    for (uint32_t i = 0; i < length; i++)
        ASSERT_EQ(bytes[i], expected[i]);
}

TEST(a_payload_may_be_written_in_place)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    for (uint32_t i = 0; i < 100; i++) {
        uint8_t *room = cw__wire_room(&batch, 1000);
        ASSERT_EQ((room - batch.at) % 8, 0);
        memset(room, 0xff, 1000);
        cw__wire_frame frame = {.kind = CW__WIRE_CANCEL,
                                .job = i + 1,
                                .bytes = i, /* less than asked for */
                                .payload = room};
        ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    }
    cw__wire_seal(&batch, &client);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
              CW__WIRE_BAD_OK);
    cw__wire_frame frame;
    for (uint32_t i = 0; i < 100; i++) {
        ASSERT(cw__wire_next(&reader, &frame));
        ASSERT_EQ(frame.bytes, i);
        for (uint32_t j = 0; j < i; j++)
            ASSERT_EQ(frame.payload[j], 0xff);
    }
    cw__wire_free(&batch);
}

/* ---- limits of batches */

TEST(a_batch_that_is_full_says_so)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    cw__wire_frame frame = {.kind = CW__WIRE_PROGRESS_ON, .job = 1};
    for (int i = 0; i < CW__WIRE_MOST_FRAMES; i++)
        ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_COUNT);
    cw__wire_seal(&batch, &client);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(host.frames, CW__WIRE_MOST_FRAMES);
    cw__wire_clear(&batch);
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    cw__wire_clear(&batch);

    uint8_t *payload = calloc(1, CW__WIRE_MOST_PAYLOAD);
    frame = (cw__wire_frame){.kind = CW__WIRE_CANCEL,
                             .job = 1,
                             .bytes = CW__WIRE_MOST_PAYLOAD,
                             .payload = payload};
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_BIG);
    /* What is left is used to the last byte. */
    frame.bytes = CW__WIRE_MOST_BATCH - batch.bytes - CW__WIRE_FRAME;
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    ASSERT_EQ(batch.bytes, CW__WIRE_MOST_BATCH);
    cw__wire_seal(&batch, &client);
    ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
              CW__WIRE_BAD_OK);
    frame.bytes = CW__WIRE_MOST_PAYLOAD + 1;
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_PAYLOAD);
    ASSERT(!cw__wire_room(&batch, CW__WIRE_MOST_PAYLOAD + 1));
    ASSERT(!cw__wire_room(&batch, UINT32_MAX));
    cw__wire_free(&batch);
    free(payload);
}

TEST(without_memory_a_batch_stays_as_it_is)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    cw__wire_frame frame = {.kind = CW__WIRE_PROGRESS_ON, .job = 1};
    fail_alloc_at(1);
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_MEMORY);
    ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    fail_alloc_at(1);
    while (!alloc_has_failed()) {
        uint32_t count = batch.count;
        if (cw__wire_add(&batch, &client, &frame))
            ASSERT_EQ(batch.count, count);
    }
    cw__wire_seal(&batch, &client);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(host.frames, batch.count);
    cw__wire_free(&batch);
}

/* ---- all that can go wrong with one bit */

TEST(any_bit_that_flips_is_refused_or_is_another_batch)
{
    make_submit();
    for (uint32_t bit = 0; bit < length * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cw__wire_link host = wire_link(CW__WIRE_HOST);
        wire_check(&host, bytes, length);
        /* Each byte of the head counts. */
        if (bit < CW__WIRE_HEAD * 8) ASSERT_EQ(host.batches, 0);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

TEST(whatever_comes_is_taken_whole_or_not_at_all)
{
    struct rng rng = {3};
    uint32_t taken = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        cw__wire_side side =
            rng_below(&rng, 2) ? CW__WIRE_CLIENT : CW__WIRE_HOST;
        cw__wire_batch batch =
            wire_batch(&rng, CW__WIRE_CLIENT + CW__WIRE_HOST - side);
        uint32_t size = wire_mutate(&rng, batch.at, batch.bytes);
        cw__wire_link link = wire_link(side);
        if (wire_check(&link, batch.at, size) == CW__WIRE_BAD_OK)
            taken++;
        else
            refused++;
        cw__wire_free(&batch);
    }
    /* Payloads may change, and then some stay good. */
    ASSERT(taken > 100);
    ASSERT(refused > 10000);
}
