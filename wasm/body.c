/* body.c: bodies of jobs in JavaScript.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ticket.h"

#include "error.h"
#include "handlers.h"
#include "kill_gate.h"

#include <string.h>

cw_error *cwb_take_error(cw_job *job, uint32_t code)
{
    cw_error *error = NULL;
    if ((code & 7) == CWB_CANCELLED)
        error = cw__job_cancellation(job);
    else if ((code & 7) == CWB_ERROR)
        memcpy(&error, cwb_scratch(0), sizeof error);
    return error;
}

cw_error *cwb_take_outcome(cw_job *job, uint32_t code)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    ticket->outcome = code & 7;
    cw_error *error = cwb_take_error(job, code);
    /* A value of a function of the same realm never leaves it. */
    if (error || ticket->local) return error;
    /* Of a message it is the parcel's number. */
    bool refers = (code & CWB_REFERS) != 0;
    uint32_t length = (code & ~CWB_REFERS) >> 3;
    if (cwb_ticket_set(ticket, cwb_scratch(0), length, refers)) return NULL;
    return cw_error_new(CW_ENOMEM, NULL, NULL);
}

/* The function itself, at an open gate. What comes before and after it is ours:
 * a thread that is taken for dead meanwhile must not touch its worker, which
 * may be another thread's already. */
static uint32_t call_javascript(cw_job *job, const cwb_ticket *ticket,
                                cw__worker *const *entered)
{
    cw__runtime_leave(entered);
    uint32_t code =
        (uint32_t)cw_js_run(job, ticket->task, ticket->outcome, ticket->data,
                            cwb_ticket_values(ticket), job->context->home);
    (void)cw__runtime_enter();
    return code;
}

static cw_step run_in_javascript(cw_frame *frame)
{
    CW__RUNTIME;
    cw__worker *self = cwb_realm;
    cw_job *job = frame->job;
    cwb_ticket *ticket = cwb_ticket_of(job);
    if (ticket->local && cw_unlikely(ticket->home != cwb_here)) {
        frame->error = cwb_homeless_error(job, ticket->home);
        return CW_STEP_DONE;
    }
    bool owes_call = ticket->tells && ticket->tells_late;
    if (cw_unlikely(ticket->tells)) {
        ticket->tells = false;
        cwb_tell_begins(ticket->home, ticket->token, !owes_call);
    }
    bool called = self->host_called;
    self->host_ran = self->host_called = true;
    if (cw_unlikely(job->flags & CW__JOB_KILLABLE)) cwb_become_killable();
    uint32_t code = call_javascript(job, ticket, &cw__entered);
    /* Otherwise its end is told in a moment, and that it began with it. */
    if (cw_unlikely(owes_call) && (code & 7) == CWB_PENDING)
        cwb_rouse(ticket->home);
    if (code == (CWB_PENDING | CWB_KEEPS_PLACE)) {
        self->keeps_place = true;
        self->host_called = called; /* it waits for nothing on this thread */
        return CW_STEP_FOREIGN;
    }
    if ((code & 7) == CWB_PENDING) {
        self->foreign++;
        cwb_open_add(&ticket->open, job);
        /* What stands in line waits until the function has come to where it
         * waits. Tasks, which are independent, gain from running in batches. */
        if (ticket->local && self->running) self->host_goes_on = true;
        return CW_STEP_FOREIGN;
    }
    frame->error = cwb_take_outcome(job, code);
    return CW_STEP_DONE;
}

const cw_coroutine cwb_javascript = {
    .name = "javascript",
    .step = run_in_javascript,
    .frame_size = sizeof(cw_frame),
};

void cwb_complete(cw_job *job, uint32_t code)
{
    cwb_realm->foreign--;
    cwb_open_remove(&cwb_ticket_of(job)->open);
    cw__job_finish(cw__self, job, cwb_take_outcome(job, code));
}
