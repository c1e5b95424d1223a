/* wire_answer_test.c: what other pages are told whose frames are refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "submit.h"
#include "wires.h"

#include "wire.h"

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
