/* wire_test.c: frames for other pages: what is taken, and what is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "wires.h"

#include "wire.h"

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
static cw__wire_reader refused_for(cw__wire_fault fault)
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
static void refused_with(int at, uint64_t value, int count,
                         cw__wire_fault fault)
{
    make_submit();
    put(bytes + at, value, count);
    refused_for(fault);
}

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

/* ---- what is refused of a head */

TEST(what_is_cut_off_is_refused)
{
    make_submit();
    uint32_t whole = length;
    for (length = 0; length < whole; length++) {
        refused_for(CW__WIRE_BAD_SHORT);
        if (length < CW__WIRE_HEAD) continue;
        /* ... and also if its head agrees. */
        put(bytes + LENGTH, length, 4);
        refused_for(CW__WIRE_BAD_SHORT);
        put(bytes + LENGTH, whole, 4);
    }
}

TEST(what_goes_on_is_refused)
{
    make_submit();
    length++;
    refused_for(CW__WIRE_BAD_LONG);
    put(bytes + LENGTH, length, 4);
    refused_for(CW__WIRE_BAD_LONG); /* behind the last frame */
    refused_with(LENGTH, 79, 4, CW__WIRE_BAD_LONG);
    refused_with(LENGTH, 81, 4, CW__WIRE_BAD_SHORT);
    refused_with(LENGTH, UINT32_MAX, 4, CW__WIRE_BAD_SHORT);
}

TEST(a_batch_that_is_too_big_is_refused)
{
    make_submit();
    uint8_t *big = calloc(1, CW__WIRE_MOST_BATCH + 8);
    memcpy(big, bytes, CW__WIRE_HEAD);
    put(big + LENGTH, CW__WIRE_MOST_BATCH + 8, 4);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &host, big, CW__WIRE_MOST_BATCH + 8),
              CW__WIRE_BAD_BIG);
    ASSERT_EQ(host.refused[CW__WIRE_BAD_BIG], 1);
    free(big);
}

TEST(what_is_no_batch_of_this_connection_is_refused)
{
    refused_with(0, 0, 4, CW__WIRE_BAD_MAGIC);
    refused_with(VERSION, 0, 2, CW__WIRE_BAD_VERSION);
    refused_with(VERSION, 2, 2, CW__WIRE_BAD_VERSION);
    refused_with(ABI, 5, 4, CW__WIRE_BAD_ABI);
    for (int i = 0; i < CW__WIRE_CAPABILITY; i++)
        refused_with(CAPABILITY + i, 0xff, 1, CW__WIRE_BAD_CAPABILITY);
    refused_with(HEAD_FLAGS, 2, 2, CW__WIRE_BAD_RESERVED);
    refused_with(HEAD_FLAGS, 0x8000, 2, CW__WIRE_BAD_RESERVED);
    refused_with(HEAD_ZERO, 1, 4, CW__WIRE_BAD_RESERVED);
}

TEST(another_epoch_is_refused)
{
    refused_with(EPOCH, 6, 8, CW__WIRE_BAD_STALE);
    refused_with(EPOCH, 0, 8, CW__WIRE_BAD_STALE);
    refused_with(EPOCH, 8, 8, CW__WIRE_BAD_AHEAD);
    refused_with(EPOCH, CW__WIRE_MOST_NUMBER, 8, CW__WIRE_BAD_AHEAD);
    refused_with(EPOCH, CW__WIRE_MOST_NUMBER + 1, 8, CW__WIRE_BAD_FIELD);
    make_submit();
    put(bytes + EPOCH, 8, 8);
    ASSERT_EQ(refused_for(CW__WIRE_BAD_AHEAD).epoch, 8);
}

TEST(a_count_of_frames_has_to_be_right)
{
    refused_with(COUNT, 0, 4, CW__WIRE_BAD_COUNT);
    refused_with(COUNT, 2, 4, CW__WIRE_BAD_SHORT);
    refused_with(COUNT, CW__WIRE_MOST_FRAMES, 4, CW__WIRE_BAD_SHORT);
    refused_with(COUNT, CW__WIRE_MOST_FRAMES + 1, 4, CW__WIRE_BAD_COUNT);
    refused_with(COUNT, UINT32_MAX, 4, CW__WIRE_BAD_COUNT);
}

/* ---- what is refused of a frame */

TEST(an_unknown_kind_is_refused)
{
    refused_with(KIND, 0, 1, CW__WIRE_BAD_KIND);
    for (int kind = CW__WIRE_KINDS; kind < 256; kind++)
        refused_with(KIND, (uint64_t)kind, 1, CW__WIRE_BAD_KIND);
}

TEST(a_frame_of_the_wrong_side_is_refused)
{
    for (int kind = CW__WIRE_WELCOME; kind <= CW__WIRE_WAITS; kind++)
        refused_with(KIND, (uint64_t)kind, 1, CW__WIRE_BAD_DIRECTION);
    make_submit();
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &client, bytes, length),
              CW__WIRE_BAD_DIRECTION);
}

TEST(a_length_of_a_payload_has_to_be_right)
{
    refused_with(BYTES, 9, 4, CW__WIRE_BAD_SHORT);
    refused_with(BYTES, CW__WIRE_MOST_PAYLOAD, 4, CW__WIRE_BAD_SHORT);
    refused_with(BYTES, CW__WIRE_MOST_PAYLOAD + 1, 4, CW__WIRE_BAD_PAYLOAD);
    for (uint32_t i = 0; i < 100; i++) /* sums would overflow */
        refused_with(BYTES, UINT32_MAX - i, 4, CW__WIRE_BAD_PAYLOAD);
    refused_with(BYTES, 4, 4, CW__WIRE_BAD_RESERVED); /* "o" as padding */
    refused_with(BYTES, 0, 4, CW__WIRE_BAD_LONG);
}

TEST(reserved_bytes_and_padding_are_zero)
{
    refused_with(FRAME_ZERO, 1, 1, CW__WIRE_BAD_RESERVED);
    refused_with(FRAME_ZERO + 1, 1, 1, CW__WIRE_BAD_RESERVED);
    for (int i = 5; i < 8; i++)
        refused_with(PAYLOAD + i, 1, 1, CW__WIRE_BAD_RESERVED);
}

TEST(a_task_that_does_not_exist_is_refused)
{
    refused_with(A, 3, 4, CW__WIRE_BAD_TASK);
    refused_with(A, UINT32_MAX, 4, CW__WIRE_BAD_TASK);
}

TEST(a_job_needs_a_number)
{
    refused_with(JOB, 0, 8, CW__WIRE_BAD_JOB);
    refused_with(JOB, CW__WIRE_MOST_NUMBER + 1, 8, CW__WIRE_BAD_JOB);
    refused_with(JOB, UINT64_MAX, 8, CW__WIRE_BAD_JOB);
}

/* What one frame of the other side is told by a client or a host, whether it is
 * checked when it comes or before it is sent. */
static cw__wire_fault judge(cw__wire_side from, cw__wire_frame frame)
{
    cw__wire_link sender = wire_link(from);
    cw__wire_link receiver = wire_link(CW__WIRE_CLIENT + CW__WIRE_HOST - from);
    cw__wire_batch batch = {0};
    static const uint8_t payload[CW__WIRE_MOST_PAYLOAD + 1];
    frame.payload = payload;
    cw__wire_fault fault = cw__wire_add(&batch, &sender, &frame);

    uint32_t size = PAYLOAD + ((frame.bytes + 7) & ~7u);
    uint8_t *at = calloc(1, size);
    make_submit();
    memcpy(at, bytes, CW__WIRE_HEAD);
    put(at + LENGTH, size, 4);
    at[KIND] = (uint8_t)frame.kind;
    at[FLAGS] = (uint8_t)frame.flags;
    put(at + BYTES, frame.bytes, 4);
    put(at + JOB, frame.job, 8);
    put(at + A, frame.a, 4);
    put(at + B, frame.b, 4);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &receiver, at, size), fault);
    ASSERT_EQ(reader.kind, fault ? frame.kind : 0);
    free(at);
    cw__wire_free(&batch);
    return fault;
}

#define JUDGE(from, ...) judge(CW__WIRE_##from, (cw__wire_frame){__VA_ARGS__})

/* What frames of some kind may have at most, as the header says it. */
static const struct {
    cw__wire_side from; /* 3: both */
    uint32_t flags;
    int job, a, b; /* 0: none, 1: some, 2: any, or none */
    uint32_t bytes;
} kinds[CW__WIRE_KINDS] = {
    [CW__WIRE_HELLO] = {CW__WIRE_CLIENT, 0, 0, 2, 0, CW__WIRE_MOST_NAME},
    [CW__WIRE_SUBMIT] = {CW__WIRE_CLIENT, 15, 1, 2, 2, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_CANCEL] = {CW__WIRE_CLIENT, 0, 1, 0, 0, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_CREDIT] = {CW__WIRE_CLIENT, 0, 1, 1, 0, 0},
    [CW__WIRE_PROGRESS_ON] = {CW__WIRE_CLIENT, 0, 1, 0, 0, 0},
    [CW__WIRE_GO] = {CW__WIRE_CLIENT, 0, 1, 0, 0, 0},
    [CW__WIRE_BYE] = {CW__WIRE_CLIENT, 0, 0, 0, 0, 0},
    [CW__WIRE_WELCOME] = {CW__WIRE_HOST, 0, 0, 2, 2, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_BEGUN] = {CW__WIRE_HOST, 0, 1, 2, 0, 0},
    [CW__WIRE_SETTLED] = {CW__WIRE_HOST, 4, 1, 2, 0, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_PROGRESS] = {CW__WIRE_HOST, 4, 1, 0, 0, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_ITEM] = {CW__WIRE_HOST, 4, 1, 0, 0, CW__WIRE_MOST_PAYLOAD},
    [CW__WIRE_RESIGN] = {CW__WIRE_HOST, 0, 0, 0, 0, 0},
    [CW__WIRE_WAITS] = {CW__WIRE_HOST, 0, 1, 0, 0, 0},
    [CW__WIRE_REFUSED] = {3, 0, 2, 1, 2, 0},
};

TEST(each_kind_has_what_it_may_have)
{
    for (int kind = 1; kind < CW__WIRE_KINDS; kind++) {
        for (int from = CW__WIRE_CLIENT; from <= CW__WIRE_HOST; from++) {
            cw__wire_side side = (cw__wire_side)from;
            cw__wire_frame least = {.kind = (cw__wire_kind)kind,
                                    .job = kinds[kind].job == 1,
                                    .a = kinds[kind].a == 1,
                                    .b = kinds[kind].b == 1};
            cw__wire_frame frame = least;
            if (!(kinds[kind].from & side)) {
                ASSERT_EQ(judge(side, frame), CW__WIRE_BAD_DIRECTION);
                continue;
            }
            ASSERT_EQ(judge(side, frame), CW__WIRE_BAD_OK);
            for (uint32_t flag = 1; flag < 256; flag *= 2) {
                frame = least;
                frame.flags = flag;
                ASSERT_EQ(judge(side, frame), kinds[kind].flags & flag
                                                  ? CW__WIRE_BAD_OK
                                                  : CW__WIRE_BAD_FLAGS);
            }
            frame = least;
            frame.job = !least.job;
            ASSERT_EQ(judge(side, frame), kinds[kind].job == 2
                                              ? CW__WIRE_BAD_OK
                                              : CW__WIRE_BAD_JOB);
            frame = least;
            frame.a = !least.a;
            ASSERT_EQ(judge(side, frame), kinds[kind].a == 2
                                              ? CW__WIRE_BAD_OK
                                              : CW__WIRE_BAD_FIELD);
            frame = least;
            frame.b = !least.b;
            ASSERT_EQ(judge(side, frame), kinds[kind].b == 2
                                              ? CW__WIRE_BAD_OK
                                              : CW__WIRE_BAD_FIELD);
            frame = least;
            frame.bytes = kinds[kind].bytes;
            ASSERT_EQ(judge(side, frame), CW__WIRE_BAD_OK);
            frame.bytes++;
            ASSERT_EQ(judge(side, frame), CW__WIRE_BAD_PAYLOAD);
        }
    }
}

TEST(numbers_have_their_ranges)
{
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_SETTLED, .job = 1, .a = 3),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_SETTLED, .job = 1, .a = 4),
              CW__WIRE_BAD_FIELD);
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_BEGUN, .job = 1,
                    .a = CW__WIRE_MOST_WORKERS),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_BEGUN, .job = 1,
                    .a = CW__WIRE_MOST_WORKERS + 1),
              CW__WIRE_BAD_FIELD);
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_REFUSED, .a = 1, .b = 255),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(JUDGE(HOST, .kind = CW__WIRE_REFUSED, .a = 1, .b = 256),
              CW__WIRE_BAD_FIELD);
    ASSERT_EQ(JUDGE(CLIENT, .kind = CW__WIRE_SUBMIT,
                    .job = CW__WIRE_MOST_NUMBER, .b = UINT32_MAX),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(JUDGE(CLIENT, .kind = CW__WIRE_REFUSED, .a = 1,
                    .job = CW__WIRE_MOST_NUMBER + 1),
              CW__WIRE_BAD_JOB);
}

TEST(what_comes_beside_has_no_payload)
{
    ASSERT_EQ(JUDGE(CLIENT, .kind = CW__WIRE_SUBMIT, .job = 1,
                    .flags = CW__WIRE_BESIDE),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(JUDGE(CLIENT, .kind = CW__WIRE_SUBMIT, .job = 1,
                    .flags = CW__WIRE_BESIDE, .bytes = 1),
              CW__WIRE_BAD_PAYLOAD);
}

TEST(a_wrong_tail_spoils_all_of_a_batch)
{
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_batch batch = {0};
    struct rng rng = {2};
    for (int i = 0; i < 50; i++) {
        cw__wire_frame frame = wire_any(&rng, CW__WIRE_CLIENT);
        ASSERT_EQ(cw__wire_add(&batch, &client, &frame), CW__WIRE_BAD_OK);
    }
    cw__wire_frame bye = {.kind = CW__WIRE_BYE};
    ASSERT_EQ(cw__wire_add(&batch, &client, &bye), CW__WIRE_BAD_OK);
    cw__wire_seal(&batch, &client);
    batch.at[batch.bytes - 1] = 1; /* its b */
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    cw__wire_reader reader;
    cw__wire_frame frame;
    ASSERT_EQ(cw__wire_open(&reader, &host, batch.at, batch.bytes),
              CW__WIRE_BAD_FIELD);
    ASSERT(!cw__wire_next(&reader, &frame));
    ASSERT_EQ(reader.beside, 0);
    ASSERT_EQ(host.frames, 0);
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

/* ---- answers */

TEST(who_is_refused_is_told_why)
{
    make_submit();
    put(bytes + A, 3, 4);
    cw__wire_reader refused = refused_for(CW__WIRE_BAD_TASK);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    uint8_t answer[CW__WIRE_ANSWER];
    ASSERT(cw__wire_answer(answer, &refused, &host));

    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    cw__wire_reader reader;
    cw__wire_frame frame;
    ASSERT_EQ(cw__wire_open(&reader, &client, answer, sizeof answer),
              CW__WIRE_BAD_OK);
    ASSERT(reader.answer);
    ASSERT(cw__wire_next(&reader, &frame));
    ASSERT_EQ(frame.kind, CW__WIRE_REFUSED);
    ASSERT_EQ(frame.a, CW__WIRE_BAD_TASK);
    ASSERT_EQ(frame.b, CW__WIRE_SUBMIT);
    ASSERT_EQ(frame.job, 0);
    ASSERT(!cw__wire_next(&reader, &frame));
}

TEST(an_old_host_learns_of_the_new_epoch)
{
    cw__wire_link old_host = wire_link(CW__WIRE_HOST);
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    client.epoch = 12;
    cw__wire_batch batch = {0};
    cw__wire_frame frame = {.kind = CW__WIRE_BEGUN, .job = 1};
    ASSERT_EQ(cw__wire_add(&batch, &old_host, &frame), CW__WIRE_BAD_OK);
    cw__wire_seal(&batch, &old_host);
    cw__wire_reader reader;
    ASSERT_EQ(cw__wire_open(&reader, &client, batch.at, batch.bytes),
              CW__WIRE_BAD_STALE);
    ASSERT_EQ(client.refused[CW__WIRE_BAD_STALE], 1);
    uint8_t answer[CW__WIRE_ANSWER];
    ASSERT(cw__wire_answer(answer, &reader, &client));
    ASSERT_EQ(cw__wire_open(&reader, &old_host, answer, sizeof answer),
              CW__WIRE_BAD_OK);
    ASSERT_EQ(reader.epoch, 12);
    ASSERT(cw__wire_next(&reader, &frame));
    ASSERT_EQ(frame.a, CW__WIRE_BAD_STALE);
    cw__wire_free(&batch);
}

TEST(an_answer_is_never_answered)
{
    make_submit();
    put(bytes + EPOCH, 8, 8);
    cw__wire_reader refused = refused_for(CW__WIRE_BAD_AHEAD);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    uint8_t answer[CW__WIRE_ANSWER];
    ASSERT(cw__wire_answer(answer, &refused, &host));
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    client.abi++;
    ASSERT_EQ(cw__wire_open(&refused, &client, answer, sizeof answer),
              CW__WIRE_BAD_ABI);
    ASSERT(!cw__wire_answer(answer, &refused, &client));
    /* Nor is one that was taken, or anything else that was. */
    client.abi--;
    ASSERT_EQ(cw__wire_open(&refused, &client, answer, sizeof answer),
              CW__WIRE_BAD_OK);
    ASSERT(!cw__wire_answer(answer, &refused, &client));
}

TEST(an_answer_is_nothing_but_that)
{
    /* Neither another kind under the flag, nor a job, nor several. */
    refused_with(HEAD_FLAGS, 1, 2, CW__WIRE_BAD_KIND);
    make_submit();
    put(bytes + EPOCH, 6, 8);
    cw__wire_reader refused = refused_for(CW__WIRE_BAD_STALE);
    cw__wire_link client = wire_link(CW__WIRE_CLIENT);
    ASSERT(cw__wire_answer(bytes, &refused, &client));
    length = CW__WIRE_ANSWER;
    put(bytes + JOB, 9, 8);
    refused_for(CW__WIRE_BAD_KIND);
    put(bytes + JOB, 0, 8);
    put(bytes + COUNT, 2, 4);
    refused_for(CW__WIRE_BAD_COUNT);
}

TEST(who_guesses_a_capability_is_not_told_it)
{
    make_submit();
    memset(bytes + CAPABILITY, 0x55, CW__WIRE_CAPABILITY);
    cw__wire_reader refused = refused_for(CW__WIRE_BAD_CAPABILITY);
    cw__wire_link host = wire_link(CW__WIRE_HOST);
    uint8_t answer[CW__WIRE_ANSWER];
    ASSERT(cw__wire_answer(answer, &refused, &host));
    ASSERT(memcmp(answer + CAPABILITY, bytes + CAPABILITY,
                  CW__WIRE_CAPABILITY) == 0);
    /* What has no head has none at all. */
    length = CW__WIRE_HEAD - 1;
    refused = refused_for(CW__WIRE_BAD_SHORT);
    ASSERT(cw__wire_answer(answer, &refused, &host));
    static const uint8_t none[CW__WIRE_CAPABILITY];
    ASSERT(memcmp(answer + CAPABILITY, none, CW__WIRE_CAPABILITY) == 0);
}

TEST(each_fault_has_a_text)
{
    for (int i = 0; i < CW__WIRE_FAULT_COUNT; i++) {
        const char *text = cw__wire_why((cw__wire_fault)i);
        ASSERT(text && strlen(text) > 5);
        for (int j = 0; j < i; j++)
            ASSERT(strcmp(text, cw__wire_why((cw__wire_fault)j)) != 0);
    }
    ASSERT_STR(cw__wire_why(CW__WIRE_FAULT_COUNT), "for an unknown reason");
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
