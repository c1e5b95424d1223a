/* wire_refusal_test.c: frames of other pages that are refused, and why.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "submit.h"
#include "wires.h"

#include "wire.h"

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
