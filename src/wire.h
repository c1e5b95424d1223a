/* wire.h: the frames that pages exchange over a port, so that one pool serves
 * several of them.
 *
 * SPDX-License-Identifier: MIT
 *
 * The page that has the pool is the host, the others are its clients. Each
 * message is one batch of frames:
 *
 *   head     0  u32  magic                frame    0  u8   kind
 *            4  u16  version                       1  u8   flags
 *            6  u16  1: an answer                  2  u16  0
 *            8  u32  number of the ABI             4  u32  bytes of payload
 *           12  u32  count of frames               8  u64  number of the job
 *           16  u64  epoch of the host            16  u32  a
 *           24  16 bytes, the capability          20  u32  b
 *           40  u32  bytes of the whole batch     24  the payload, and zeros up
 *           44  u32  0                                to a multiple of 8
 *
 * Everything is little-endian. Numbers of jobs and epochs stay below 2^53, so
 * that JavaScript has them exactly. Magic, version and the flag of answers stay
 * where they are in all versions to come.
 *
 * What the other side sends is not trusted. cw__wire_open() checks all of a
 * batch before it gives out the first frame: a batch is taken as a whole, or it
 * is counted and changes nothing. The bytes must not change meanwhile: they are
 * a copy, or memory that nobody else has. What a payload says is not looked at.
 *
 * Who refuses a batch answers with a batch of its own that says why, and whose
 * epoch is the one that counts: so a host that was replaced while it was frozen
 * learns it from the first page that it talks to. Answers are never answered.
 */
#ifndef CW_WIRE_H
#define CW_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CW__WIRE_VERSION = 1,
    CW__WIRE_HEAD = 48,  /* bytes before the first frame */
    CW__WIRE_FRAME = 24, /* ... and before a frame's payload */
    CW__WIRE_ANSWER = CW__WIRE_HEAD + CW__WIRE_FRAME,
    CW__WIRE_CAPABILITY = 16,
    CW__WIRE_MOST_FRAMES = 4096,     /* in a batch */
    CW__WIRE_MOST_PAYLOAD = 1 << 22, /* bytes, and so in all others: */
    CW__WIRE_MOST_NAME = 256,        /* of a page */
    CW__WIRE_MOST_BATCH = 1 << 23,   /* with its head */
    CW__WIRE_MOST_WORKERS = 1 << 16
};

#define CW__WIRE_MOST_NUMBER ((UINT64_C(1) << 53) - 1)

/* Who is at this end. */
typedef enum cw__wire_side {
    CW__WIRE_CLIENT = 1,
    CW__WIRE_HOST = 2
} cw__wire_side;

/* What a frame may be; a and b are 0 where nothing is said of them. */
typedef enum cw__wire_kind {
    /* of clients */
    CW__WIRE_HELLO = 1,   /* a: what it wants, bits; payload: its name */
    CW__WIRE_SUBMIT,      /* a: index of the task, b: ms until it times out, 0
                             for never; payload: its arguments */
    CW__WIRE_CANCEL,      /* payload: the cause */
    CW__WIRE_CREDIT,      /* a: so many more items of the job's stream */
    CW__WIRE_PROGRESS_ON, /* somebody listens now */
    CW__WIRE_GO,          /* answers BEGUN: it counts as begun there, too */
    CW__WIRE_BYE,
    /* of the host */
    CW__WIRE_WELCOME, /* a: number of workers, b: of tasks; payload: names */
    CW__WIRE_BEGUN,   /* a: index of the worker. What may not begin again
                         elsewhere waits for GO before it does */
    CW__WIRE_SETTLED, /* a: enum cw__wire_outcome; payload: value or error */
    CW__WIRE_PROGRESS,
    CW__WIRE_ITEM,   /* of a stream */
    CW__WIRE_RESIGN, /* the host hands over */
    CW__WIRE_WAITS,  /* what was submitted AT_ONCE has not begun */
    /* of both */
    CW__WIRE_REFUSED, /* a: why, a cw__wire_fault or what both sides agree on
                         from 256 on; b: kind of what was refused, 0 if that is
                         not known; without a job: the whole batch */
    CW__WIRE_KINDS
} cw__wire_kind;

enum cw__wire_flags {
    CW__WIRE_IDEMPOTENT = 1, /* SUBMIT: may run again on another host */
    CW__WIRE_STREAM = 2,     /* SUBMIT: the task makes items */
    CW__WIRE_BESIDE = 4,     /* the value came beside the batch, since only
                                structured clone carries it; no payload */
    CW__WIRE_AT_ONCE = 8     /* SUBMIT: counts as begun as soon as it is sent,
                                until a WAITS; then a BEGUN follows */
};

enum cw__wire_outcome {
    CW__WIRE_VALUE,
    CW__WIRE_ERROR,
    CW__WIRE_CANCELLED,
    CW__WIRE_LOST, /* with its worker, or its host */
    CW__WIRE_OUTCOMES
};

/* Why a batch is refused, or a frame not taken up into one. */
#define CW__WIRE_FAULTS(X)                                                     \
    X(OK, "nothing is wrong")                                                  \
    X(SHORT, "it is shorter than it says")                                     \
    X(LONG, "it is longer than it says")                                       \
    X(BIG, "it has more bytes than a batch may have")                          \
    X(MAGIC, "it is no batch of frames")                                       \
    X(VERSION, "it is of another version")                                     \
    X(ABI, "it is of a module with another ABI")                               \
    X(CAPABILITY, "it does not have the connection's capability")              \
    X(STALE, "it is of an epoch that is over")                                 \
    X(AHEAD, "it is of a later epoch: there is a new host")                    \
    X(RESERVED, "bytes that are reserved, or pad, are not zero")               \
    X(COUNT, "it has no frames, or more than a batch may have")                \
    X(KIND, "it has a frame of an unknown kind")                               \
    X(DIRECTION, "it has a frame that only the other side may send")           \
    X(FLAGS, "it has a frame with flags that its kind has not")                \
    X(PAYLOAD, "it has a frame with a payload that is too long for its kind")  \
    X(JOB, "it has a frame without its job's number, or with one too many")    \
    X(FIELD, "it has a frame with a number that is out of its range")          \
    X(TASK, "it submits a task that does not exist")                           \
    X(MEMORY, "there is no memory for it")

#define CW__WIRE_FAULT_ENUM(name, text) CW__WIRE_BAD_##name,
typedef enum cw__wire_fault {
    CW__WIRE_FAULTS(CW__WIRE_FAULT_ENUM) CW__WIRE_FAULT_COUNT
} cw__wire_fault;
#undef CW__WIRE_FAULT_ENUM

/* One end of a connection: what it expects of the other one, and what came.
 * Its owner fills it in and may change epoch and tasks later on. */
typedef struct cw__wire_link {
    cw__wire_side side;
    uint32_t abi;
    uint64_t epoch;
    uint32_t tasks; /* so many exist */
    uint8_t capability[CW__WIRE_CAPABILITY];
    /* Counted by cw__wire_open(); they wrap. */
    uint32_t batches, frames;               /* that were taken */
    uint32_t refused[CW__WIRE_FAULT_COUNT]; /* batches, by why */
} cw__wire_link;

typedef struct cw__wire_frame {
    cw__wire_kind kind;
    uint32_t flags, a, b;
    uint64_t job;           /* 0: none */
    uint32_t bytes;         /* of the payload, which ... */
    const uint8_t *payload; /* ... begins at a multiple of 8 of the batch */
} cw__wire_frame;

/* A way through a batch. */
typedef struct cw__wire_reader {
    uint64_t epoch;  /* what the batch says, even if it is refused */
    uint32_t count;  /* frames in it, and among them ... */
    uint32_t beside; /* ... those whose values came beside it */
    bool answer;     /* it answers one that was refused: a single REFUSED */
    /* Of a refused one. */
    cw__wire_fault fault;
    uint32_t kind; /* of the frame that is wrong, 0: it is not that */
    uint8_t capability[CW__WIRE_CAPABILITY]; /* that it came with */
    /* What is left of it. */
    const uint8_t *next;
    uint32_t left;
} cw__wire_reader;

/* Checks a batch and counts it. The bytes stay as they are until the last frame
 * was taken. Anything but CW__WIRE_BAD_OK: it is refused and has no frames.
 * Answers are taken whatever their epoch is. */
cw__wire_fault cw__wire_open(cw__wire_reader *reader, cw__wire_link *link,
                             const void *bytes, size_t length);
/* Counts a batch that cannot even be opened, such as for lack of memory. */
void cw__wire_refuse(cw__wire_reader *reader, cw__wire_link *link,
                     cw__wire_fault fault);
/* The next frame of a batch that was taken; false after the last one. */
bool cw__wire_next(cw__wire_reader *reader, cw__wire_frame *frame);

/* Makes the answer to a batch that was refused. It has the capability that
 * came, so that who guesses learns nothing. False: there is nothing to answer.
 */
bool cw__wire_answer(uint8_t answer[CW__WIRE_ANSWER],
                     const cw__wire_reader *reader, const cw__wire_link *link);

/* What a fault means, as the end of a sentence about a batch. */
const char *cw__wire_why(cw__wire_fault fault);

/* A batch that is being written. Begins zeroed. */
typedef struct cw__wire_batch {
    uint8_t *at;
    uint32_t bytes, room; /* used, and allocated */
    uint32_t count;       /* of frames */
} cw__wire_batch;

/* Where the next frame's payload may be written to before cw__wire_add(): at a
 * multiple of 8, until then. NULL: no memory, or more than any batch has. */
uint8_t *cw__wire_room(cw__wire_batch *batch, uint32_t bytes);
/* Adds a frame. The payload is copied, unless it stands where cw__wire_room()
 * said. What the other side would refuse is not added; CW__WIRE_BAD_COUNT and
 * _BIG: this batch is full, and the next one has room for it. */
cw__wire_fault cw__wire_add(cw__wire_batch *batch, const cw__wire_link *link,
                            const cw__wire_frame *frame);
/* Completes a batch with frames in it: `bytes` from `at` are to be sent. */
void cw__wire_seal(cw__wire_batch *batch, const cw__wire_link *link);
/* Empties it for the next one; keeps memory that most batches need. */
void cw__wire_clear(cw__wire_batch *batch);
void cw__wire_free(cw__wire_batch *batch);

#endif /* CW_WIRE_H */
