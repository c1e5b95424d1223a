/* frame.c: errors in a body, and how it ends.
 *
 * SPDX-License-Identifier: MIT
 *
 * A raised error sends the body to the innermost open CW_TRY's handler, else to
 * its CW_FINALLY, else to its end.
 */
#include "frame.h"

#include "base.h"
#include "error.h"
#include "kill_gate.h"
#include "text.h"
#include "worker.h"

void cw__set_error(cw_frame *frame, cw_error *error)
{
    cw_error_release(frame->error);
    frame->error = error;
    frame->caught = 0;
}

/* `handlers` is a stack of the numbers of the open CW_TRYs. */
enum { HANDLER_BITS = 10, HANDLER_MASK = (1 << HANDLER_BITS) - 1 };
#define HANDLERS_MASK 0x3fffffffu /* room for three */

void cw__end_try(cw_frame *frame, unsigned id)
{
    uint32_t open = frame->handlers;
    while (open) {
        bool found = (open & HANDLER_MASK) == id;
        open >>= HANDLER_BITS;
        if (!found) continue;
        frame->handlers = open & HANDLERS_MASK;
        return;
    }
}

/* A body is written in a way that cannot work. */
_Noreturn static void panic_about(const cw_frame *frame, const char *what,
                                  const char *unit, int number)
{
    char buffer[160];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "coroutine '");
    cw__text_add(&text, frame->type->name);
    cw__text_add(&text, "' ");
    cw__text_add(&text, what);
    cw__panic(buffer, unit, number);
}

void cw__try(cw_frame *frame, unsigned id)
{
    /* The body may have jumped out of this one and of those in it. */
    cw__end_try(frame, id);
    uint32_t open = frame->handlers;
    if (open >> 2 * HANDLER_BITS) {
        panic_about(frame, "nests CW_TRY more than three deep", "number",
                    (int)id);
    }
    frame->handlers = (open << HANDLER_BITS | id) & HANDLERS_MASK;
}

/* Sends the body to where its raised error is dealt with. */
void cw__unwind(cw_frame *frame)
{
    if (frame->handlers) {
        uint32_t open = frame->handlers;
        frame->at = -(int)(open & HANDLER_MASK);
        open >>= HANDLER_BITS;
        frame->handlers = open & HANDLERS_MASK;
    } else {
        frame->at = frame->ending ? CW__AT_END : CW__AT_FINALLY;
    }
}

int cw__catch(cw_frame *frame)
{
    frame->caught = 1;
    return 1;
}

void cw__raise(cw_frame *frame, cw_error *error)
{
    CW__RUNTIME;
    cw__set_error(frame, error ? error : cw_error_new(CW_EFAILED, NULL, NULL));
    cw__unwind(frame);
}

/* An error that was caught is over with. */
static void forget_caught(cw_frame *frame)
{
    if (!frame->caught) return;
    cw_error_release(frame->error);
    frame->error = NULL;
    frame->caught = 0;
}

void cw__return(cw_frame *frame)
{
    frame->handlers = 0;
    frame->at = frame->ending ? CW__AT_END : CW__AT_FINALLY;
}

void cw__finally(cw_frame *frame)
{
    CW__RUNTIME;
    frame->ending = 1;
    frame->handlers = 0;
    forget_caught(frame);
    /* Out of the way, so that the clean-up can wait, raise and catch. */
    frame->leaving = frame->error;
    frame->error = NULL;
}

void cw__wrong_thread(const cw_frame *frame)
{
    panic_about(frame, "runs on the wrong thread", "at", frame->at);
}

int cw__lost(cw_frame *frame)
{
    if (frame->at != CW__AT_FINALLY) { /* else: a body without CW_FINALLY */
        panic_about(frame,
                    "suspended inside of a switch statement of its own, so it "
                    "cannot be resumed",
                    "line", frame->at);
    }
    frame->at = CW__AT_END;
    return 1;
}

static void settle_errors(cw_frame *frame)
{
    CW__RUNTIME;
    forget_caught(frame);
    if (frame->leaving) {
        cw_error *other = frame->error;
        /* Also here a failure counts for more than cancellation. */
        if (!other || (cw__error_is_cancel(other) &&
                       !cw__error_is_cancel(frame->leaving))) {
            frame->error = frame->leaving;
        } else {
            other = frame->leaving;
        }
        frame->leaving = NULL;
        cw_error_release(other);
    }
}

cw_step cw__leave(cw_frame *frame)
{
    /* Without errors it is all in the body's own frame, which needs no gate. */
    if (cw_unlikely(frame->caught || frame->leaving)) settle_errors(frame);
    return CW_STEP_DONE;
}

cw_step cw__function_done(cw_frame *frame, int status)
{
    CW__RUNTIME;
    cw_error *failure = cw__self->failure;
    cw__self->failure = NULL;
    if (status < 0) {
        if (failure && cw_error_code(failure) == status) {
            frame->error = failure;
            return CW_STEP_DONE;
        }
        frame->error = cw_error_new(status, NULL, NULL);
    }
    cw_error_release(failure);
    return CW_STEP_DONE;
}

int cw_fail(int code, const char *message)
{
    CW__RUNTIME;
    if (!cw__self) return code;
    cw_error_release(cw__self->failure);
    cw__self->failure = cw_error_new(code, message, NULL);
    return code;
}
