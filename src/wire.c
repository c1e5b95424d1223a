/* wire.c: checks, reads and writes batches of frames.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wire.h"

#include "base.h"
#include "platform.h"

#include <string.h>

enum {
    MAGIC = 0x6b727763, /* "cwrk" */
    IS_ANSWER = 1,
    KEPT_BYTES = 1 << 16 /* of a batch that is cleared */
};

/* What the numbers of a frame may be. */
enum {
    ZERO,
    ANY,
    SOME, /* not 0 */
    TASK,
    WORKER,
    OUTCOME,
    KIND
};

/* What a frame of some kind looks like. */
typedef struct rule {
    uint8_t from;  /* bits of cw__wire_side */
    uint8_t flags; /* that it may have */
    uint8_t job;   /* a range, too */
    uint8_t a, b;
    uint32_t payload; /* so long at most */
} rule;

#define WHOLE CW__WIRE_MOST_PAYLOAD
static const rule rules[CW__WIRE_KINDS] = {
    [CW__WIRE_HELLO] = {CW__WIRE_CLIENT, 0, ZERO, ANY, ZERO,
                        CW__WIRE_MOST_NAME},
    [CW__WIRE_SUBMIT] = {CW__WIRE_CLIENT,
                         CW__WIRE_IDEMPOTENT | CW__WIRE_STREAM |
                             CW__WIRE_BESIDE | CW__WIRE_AT_ONCE,
                         SOME, TASK, ANY, WHOLE},
    [CW__WIRE_CANCEL] = {CW__WIRE_CLIENT, 0, SOME, ZERO, ZERO, WHOLE},
    [CW__WIRE_CREDIT] = {CW__WIRE_CLIENT, 0, SOME, SOME, ZERO, 0},
    [CW__WIRE_PROGRESS_ON] = {CW__WIRE_CLIENT, 0, SOME, ZERO, ZERO, 0},
    [CW__WIRE_GO] = {CW__WIRE_CLIENT, 0, SOME, ZERO, ZERO, 0},
    [CW__WIRE_BYE] = {CW__WIRE_CLIENT, 0, ZERO, ZERO, ZERO, 0},
    [CW__WIRE_WELCOME] = {CW__WIRE_HOST, 0, ZERO, WORKER, ANY, WHOLE},
    [CW__WIRE_BEGUN] = {CW__WIRE_HOST, 0, SOME, WORKER, ZERO, 0},
    [CW__WIRE_SETTLED] = {CW__WIRE_HOST, CW__WIRE_BESIDE, SOME, OUTCOME, ZERO,
                          WHOLE},
    [CW__WIRE_PROGRESS] = {CW__WIRE_HOST, CW__WIRE_BESIDE, SOME, ZERO, ZERO,
                           WHOLE},
    [CW__WIRE_ITEM] = {CW__WIRE_HOST, CW__WIRE_BESIDE, SOME, ZERO, ZERO, WHOLE},
    [CW__WIRE_RESIGN] = {CW__WIRE_HOST, 0, ZERO, ZERO, ZERO, 0},
    [CW__WIRE_WAITS] = {CW__WIRE_HOST, 0, SOME, ZERO, ZERO, 0},
    [CW__WIRE_REFUSED] = {CW__WIRE_CLIENT | CW__WIRE_HOST, 0, ANY, SOME, KIND,
                          0},
};

/* ---- numbers in bytes */

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)(at[0] | at[1] << 8);
}
static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}
static uint64_t get64(const uint8_t *at)
{
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}
static void put64(uint8_t *at, uint64_t value)
{
    put32(at, (uint32_t)value);
    put32(at + 4, (uint32_t)(value >> 32));
}

/* With what follows it up to a multiple of 8; `bytes` are few enough. */
static uint32_t padded(uint32_t bytes) { return (bytes + 7) & ~7u; }

static bool all_zero(const uint8_t *at, uint32_t bytes)
{
    uint8_t any = 0;
    for (uint32_t i = 0; i < bytes; i++)
        any |= at[i];
    return !any;
}

/* ---- rules */

static bool in_range(const cw__wire_link *link, uint32_t range, uint64_t value)
{
    switch (range) {
    case ANY:
        return true;
    case SOME:
        return value != 0;
    case TASK:
        return value < link->tasks;
    case WORKER:
        return value <= CW__WIRE_MOST_WORKERS;
    case OUTCOME:
        return value < CW__WIRE_OUTCOMES;
    case KIND:
        return value < 256;
    default:
        return value == 0;
    }
}

/* What is wrong with a frame that `from` sends; its payload is not looked at.
 */
static cw__wire_fault judge(const cw__wire_link *link, uint32_t from,
                            const cw__wire_frame *frame)
{
    if (!frame->kind || frame->kind >= CW__WIRE_KINDS) return CW__WIRE_BAD_KIND;
    const rule *is = &rules[frame->kind];
    if (!(is->from & from)) return CW__WIRE_BAD_DIRECTION;
    if (frame->flags & ~(uint32_t)is->flags) return CW__WIRE_BAD_FLAGS;
    bool beside = frame->flags & CW__WIRE_BESIDE;
    if (frame->bytes > (beside ? 0 : is->payload)) return CW__WIRE_BAD_PAYLOAD;
    if (!in_range(link, is->job, frame->job) ||
        frame->job > CW__WIRE_MOST_NUMBER)
        return CW__WIRE_BAD_JOB;
    if (!in_range(link, is->a, frame->a))
        return is->a == TASK ? CW__WIRE_BAD_TASK : CW__WIRE_BAD_FIELD;
    return in_range(link, is->b, frame->b) ? CW__WIRE_BAD_OK
                                           : CW__WIRE_BAD_FIELD;
}

const char *cw__wire_why(cw__wire_fault fault)
{
#define TEXT(name, text) [CW__WIRE_BAD_##name] = text,
    static const char *const texts[] = {CW__WIRE_FAULTS(TEXT)};
#undef TEXT
    return fault < CW__WIRE_FAULT_COUNT ? texts[fault]
                                        : "for an unknown reason";
}

/* ---- reading */

static void look(cw__wire_frame *frame, const uint8_t *at)
{
    frame->kind = (cw__wire_kind)at[0];
    frame->flags = at[1];
    frame->bytes = get32(at + 4);
    frame->job = get64(at + 8);
    frame->a = get32(at + 16);
    frame->b = get32(at + 20);
    frame->payload = at + CW__WIRE_FRAME;
}

/* Checks the frame at `at`, of which `left` bytes may be; `*bytes` is what it
 * takes. */
static cw__wire_fault check_frame(cw__wire_reader *reader,
                                  const cw__wire_link *link, const uint8_t *at,
                                  uint32_t left, uint32_t *bytes)
{
    if (left < CW__WIRE_FRAME) return CW__WIRE_BAD_SHORT;
    cw__wire_frame frame;
    look(&frame, at);
    reader->kind = (uint32_t)frame.kind;
    if (get16(at + 2)) return CW__WIRE_BAD_RESERVED;
    cw__wire_fault fault =
        judge(link, CW__WIRE_CLIENT + CW__WIRE_HOST - link->side, &frame);
    if (fault) return fault;
    /* No kind has a payload so long that this could overflow. */
    *bytes = CW__WIRE_FRAME + padded(frame.bytes);
    if (left < *bytes) return CW__WIRE_BAD_SHORT;
    if (!all_zero(frame.payload + frame.bytes,
                  padded(frame.bytes) - frame.bytes))
        return CW__WIRE_BAD_RESERVED;
    if (reader->answer && (frame.kind != CW__WIRE_REFUSED || frame.job))
        return CW__WIRE_BAD_KIND;
    if (frame.flags & CW__WIRE_BESIDE) reader->beside++;
    reader->kind = 0;
    return CW__WIRE_BAD_OK;
}

/* In constant time, so that it cannot be guessed byte by byte. */
static bool same_capability(const uint8_t *a, const uint8_t *b)
{
    uint8_t differ = 0;
    for (int i = 0; i < CW__WIRE_CAPABILITY; i++)
        differ |= a[i] ^ b[i];
    return !differ;
}

/* What of a head is of no use to say before the capability is right comes after
 * that. */
static cw__wire_fault check_head(cw__wire_reader *reader,
                                 const cw__wire_link *link, const uint8_t *at,
                                 size_t length)
{
    if (length < CW__WIRE_HEAD) return CW__WIRE_BAD_SHORT;
    if (get32(at) != MAGIC) return CW__WIRE_BAD_MAGIC;
    uint32_t flags = get16(at + 6);
    reader->answer = flags & IS_ANSWER;
    reader->epoch = get64(at + 16);
    memcpy(reader->capability, at + 24, CW__WIRE_CAPABILITY);
    if (get16(at + 4) != CW__WIRE_VERSION) return CW__WIRE_BAD_VERSION;
    if (get32(at + 8) != link->abi) return CW__WIRE_BAD_ABI;
    if (!same_capability(reader->capability, link->capability))
        return CW__WIRE_BAD_CAPABILITY;
    if (flags & ~(uint32_t)IS_ANSWER || get32(at + 44))
        return CW__WIRE_BAD_RESERVED;
    if (length > CW__WIRE_MOST_BATCH) return CW__WIRE_BAD_BIG;
    uint32_t says = get32(at + 40);
    if (says > length) return CW__WIRE_BAD_SHORT;
    if (says < length) return CW__WIRE_BAD_LONG;
    reader->count = get32(at + 12);
    uint32_t most = reader->answer ? 1 : CW__WIRE_MOST_FRAMES;
    if (!reader->count || reader->count > most) return CW__WIRE_BAD_COUNT;
    if (reader->epoch > CW__WIRE_MOST_NUMBER) return CW__WIRE_BAD_FIELD;
    if (reader->answer || reader->epoch == link->epoch) return CW__WIRE_BAD_OK;
    return reader->epoch < link->epoch ? CW__WIRE_BAD_STALE
                                       : CW__WIRE_BAD_AHEAD;
}

static cw__wire_fault check(cw__wire_reader *reader, const cw__wire_link *link,
                            const uint8_t *at, size_t length)
{
    cw__wire_fault fault = check_head(reader, link, at, length);
    if (fault) return fault;
    uint32_t left = (uint32_t)length - CW__WIRE_HEAD;
    at += CW__WIRE_HEAD;
    for (uint32_t i = 0; i < reader->count; i++) {
        uint32_t bytes = 0;
        fault = check_frame(reader, link, at, left, &bytes);
        if (fault) return fault;
        at += bytes;
        left -= bytes;
    }
    return left ? CW__WIRE_BAD_LONG : CW__WIRE_BAD_OK;
}

void cw__wire_refuse(cw__wire_reader *reader, cw__wire_link *link,
                     cw__wire_fault fault)
{
    link->refused[fault]++;
    reader->fault = fault;
    reader->count = reader->beside = reader->left = 0;
}

cw__wire_fault cw__wire_open(cw__wire_reader *reader, cw__wire_link *link,
                             const void *bytes, size_t length)
{
    *reader = (cw__wire_reader){0};
    cw__wire_fault fault = check(reader, link, bytes, length);
    if (fault) {
        cw__wire_refuse(reader, link, fault);
        return fault;
    }
    link->batches++;
    link->frames += reader->count;
    reader->next = (const uint8_t *)bytes + CW__WIRE_HEAD;
    reader->left = reader->count;
    return CW__WIRE_BAD_OK;
}

bool cw__wire_next(cw__wire_reader *reader, cw__wire_frame *frame)
{
    if (!reader->left) return false;
    reader->left--;
    look(frame, reader->next);
    reader->next += CW__WIRE_FRAME + padded(frame->bytes);
    return true;
}

/* ---- writing */

static void put_head(uint8_t *at, const cw__wire_link *link,
                     const uint8_t *capability, uint32_t flags, uint32_t count,
                     uint32_t bytes)
{
    put32(at, MAGIC);
    put32(at + 4, CW__WIRE_VERSION | flags << 16);
    put32(at + 8, link->abi);
    put32(at + 12, count);
    put64(at + 16, link->epoch);
    memcpy(at + 24, capability, CW__WIRE_CAPABILITY);
    put32(at + 40, bytes);
    put32(at + 44, 0);
}

static void put_frame(uint8_t *at, const cw__wire_frame *frame)
{
    put32(at, (uint32_t)frame->kind | frame->flags << 8);
    put32(at + 4, frame->bytes);
    put64(at + 8, frame->job);
    put32(at + 16, frame->a);
    put32(at + 20, frame->b);
}

bool cw__wire_answer(uint8_t answer[CW__WIRE_ANSWER],
                     const cw__wire_reader *reader, const cw__wire_link *link)
{
    if (!reader->fault || reader->answer) return false;
    put_head(answer, link, reader->capability, IS_ANSWER, 1, CW__WIRE_ANSWER);
    put_frame(answer + CW__WIRE_HEAD,
              &(cw__wire_frame){.kind = CW__WIRE_REFUSED,
                                .a = (uint32_t)reader->fault,
                                .b = reader->kind});
    return true;
}

uint8_t *cw__wire_room(cw__wire_batch *batch, uint32_t bytes)
{
    if (bytes > CW__WIRE_MOST_PAYLOAD) return NULL;
    uint32_t used = batch->bytes ? batch->bytes : CW__WIRE_HEAD;
    uint32_t needed = used + CW__WIRE_FRAME + padded(bytes);
    if (needed > batch->room) {
        uint32_t room = needed < 512 ? 1024 : needed * 2;
        uint8_t *at = cw__system_alloc(room);
        if (!at) return NULL;
        if (batch->bytes) memcpy(at, batch->at, batch->bytes);
        cw__system_free(batch->at);
        batch->at = at;
        batch->room = room;
    }
    return batch->at + used + CW__WIRE_FRAME;
}

cw__wire_fault cw__wire_add(cw__wire_batch *batch, const cw__wire_link *link,
                            const cw__wire_frame *frame)
{
    cw__wire_fault fault = judge(link, link->side, frame);
    if (fault) return fault;
    if (batch->count == CW__WIRE_MOST_FRAMES) return CW__WIRE_BAD_COUNT;
    uint32_t used = batch->bytes ? batch->bytes : CW__WIRE_HEAD;
    uint32_t bytes = CW__WIRE_FRAME + padded(frame->bytes);
    if (bytes > CW__WIRE_MOST_BATCH - used) return CW__WIRE_BAD_BIG;
    uint8_t *payload = cw__wire_room(batch, frame->bytes);
    if (!payload) return CW__WIRE_BAD_MEMORY;
    if (frame->bytes && frame->payload != payload)
        memcpy(payload, frame->payload, frame->bytes);
    memset(payload + frame->bytes, 0, padded(frame->bytes) - frame->bytes);
    put_frame(payload - CW__WIRE_FRAME, frame);
    batch->bytes = used + bytes;
    batch->count++;
    return CW__WIRE_BAD_OK;
}

void cw__wire_seal(cw__wire_batch *batch, const cw__wire_link *link)
{
    CW_ASSERT(batch->count);
    put_head(batch->at, link, link->capability, 0, batch->count, batch->bytes);
}

void cw__wire_clear(cw__wire_batch *batch)
{
    if (batch->room > KEPT_BYTES) cw__wire_free(batch);
    batch->bytes = batch->count = 0;
}

void cw__wire_free(cw__wire_batch *batch)
{
    cw__system_free(batch->at);
    *batch = (cw__wire_batch){0};
}
