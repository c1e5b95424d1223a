/* bridge.h: how JavaScript reaches the core.
 *
 * SPDX-License-Identifier: MIT
 *
 * Every export is a function of numbers and pointers named cwb_*, called on the
 * thread (the "realm") that JavaScript runs on: the page's or Node's main
 * thread, or a worker's. Results: >= 0, or a negative CW_E... code.
 *
 * Two kinds of things come back to a realm through its worker's inbox:
 *   a ticket   a job that this realm launched has ended
 *   an op      something that this realm waits for has happened
 * Both carry a token, a number that the realm chose.
 *
 * Larger data pass through the realm's scratch buffer: JavaScript writes there
 * before a call and reads there after one; each call may overwrite it.
 *
 * Ownership. cwb_launch*() gives the caller a handle to the job; it is given
 * back with cwb_job_drop() once the job's ticket has come. An op belongs to the
 * core until it comes back, and is then freed by it.
 */
#ifndef CW_BRIDGE_H
#define CW_BRIDGE_H

#include "context.h"
#include "host.h"
#include "job.h"
#include "worker.h"

/* Grows with each change of what JavaScript and C expect of each other, so that
 * a module linked with another version is refused instead of failing later. */
enum { CWB_ABI = 1 };

/* How a body of JavaScript ended, and what its data are. The lowest three bits
 * of the number that says so; the rest is the length of the data. */
enum cwb_outcome {
    CWB_VALUE = 0,     /* encoded in the scratch buffer */
    CWB_MESSAGE = 1,   /* on its way as a message of its own */
    CWB_ERROR = 2,     /* a cwb_error_record in the scratch buffer */
    CWB_CANCELLED = 3, /* the body raised its own cancellation */
    CWB_PENDING = 7    /* not yet: cwb_complete() will tell */
};

/* What an error looks like in the scratch buffer. */
typedef struct cwb_error_record {
    uint32_t message_bytes; /* with its final zero; stands behind this */
    uint32_t payload_bytes; /* behind the message, aligned to 8 */
} cwb_error_record;

/* What is kept for a job that JavaScript launched: stands behind its frame. */
typedef struct cwb_ticket {
    struct cwb_ticket *next; /* first, for inbox.h */
    cw_job *job;
    cw__worker *home; /* whose realm launched it */
    uint32_t token;
    uint32_t unhandled; /* it failed and there is nobody else to tell */
    /* Argument, then result, of a body in JavaScript. */
    uint8_t *data;
    uint32_t length;
    uint32_t capacity;  /* of the room for small data behind this */
    uint32_t outcome;   /* enum cwb_outcome */
    uint32_t task;      /* which function of the task module */
    const char *worker; /* name of who ended it, if it failed; lives as its
                           context, which is freed after all tickets */
} cwb_ticket;

/* What is kept for a context that JavaScript opened. */
typedef struct cwb_context {
    cw_job *root; /* parent of what is launched outside of any job */
    cw__lock lock;
    uint32_t names_count;
    uint32_t names_capacity;
    char **names; /* task names; the index is the task's number */
} cwb_context;

/* Marks in the lowest bits of what lies in an inbox. */
enum { CWB_MARK_OP = 0, CWB_MARK_TICKET = 1 };

/* The page's or main thread's own context, which runs on its event loop. */
extern cw_context *cwb_main;

cwb_ticket *cwb_ticket_of(cw_job *job);
uint8_t *cwb_scratch(uint32_t bytes);
/* Builds the error that a record in the scratch buffer describes: owned. */
cw_error *cwb_error_from_scratch(int code);

/* Hooks of cw__host, see there. */
void cwb_job_final(cw_job *job, bool unhandled);
size_t cwb_job_free(cw_job *job);
void cwb_op_fired(cw__op *op);
void cwb_op_deliver(cw__op *op);
uintptr_t cwb_deliver(cw__worker *self, uintptr_t chain);

/* Makes the linker take up imports.c. */
void cwb_imports(void);
/* Implemented in JavaScript, see imports.c. */
int cw_js_run(cw_job *job, uint32_t task, uint32_t outcome, const void *data,
              uint32_t length);
void cw_js_job_ended(uint32_t token, uint32_t outcome, const void *data,
                     uint32_t length, const char *worker);
void cw_js_op_fired(uint32_t token, uint32_t how);
int cw_js_worker_start(cw__worker *worker, const char *name);
void cw_js_worker_end(cw__worker *worker);
void cw_js_wake(cw__worker *worker);

#endif /* CW_BRIDGE_H */
