/* jobs.c: what JavaScript hears of its jobs, and sees of all.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ticket.h"

#include "cut_off.h"
#include "error.h"
#include "tree.h"
#include "waits.h"

#include <string.h>

/* ---- ends */

void cwb_job_final(cw_job *job, bool unhandled)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    ticket->unhandled = unhandled;
    if (job->error) {
        ticket->outcome = CWB_ERROR;
        if (!ticket->worker) ticket->worker = cw_worker_name();
    }
    /* The ticket is its realm's afterwards. */
    cw__worker *home = ticket->home->worker;
    cw__inbox_push(&home->inbox, (uintptr_t)ticket | CWB_MARK_TICKET);
    cw__worker_unpark(home);
}

/* The context of a job is lost, with an error (borrowed) that its parent
 * elsewhere hears of by this: the job may not be able to tell any more. Returns
 * the job with a reference for cwb_job_cut_off(). */
cw_job *cwb_job_lost(cw_job *job, cw_error *error)
{
    cw_job *parent = cw_job_parent(job);
    if (parent && parent->context->home != job->context->home)
        cw__tell_failure(cw__self, cw__told_of_failure(job), error);
    if (parent) cw__job_drop(parent);
    return cw_job_retain(job);
}

/* The threads of its context are gone: see cw__job_cut_off(). Takes over the
 * reference. */
void cwb_job_cut_off(cw_job *job, cw_error *error)
{
    cw__job_cut_off(cw__self, job, error);
    cw__job_drop(job);
}

const char *cwb_name_of(const cw_job *job)
{
    const cwb_ticket *ticket = cwb_ticket_of((cw_job *)job);
    bool task = cw__job_type(job) == &cwb_javascript && !ticket->local;
    return task ? cwb_task_name(job->context, ticket->task) : NULL;
}

static cwb_home *home_of(const cw_job *job)
{
    if (job->flags & CW__JOB_LEAF) return cwb_leaf_home(job);
    return cwb_ticket_of((cw_job *)job)->home;
}

cw__worker *cwb_home_of(const cw_job *job)
{
    const cwb_home *home = home_of(job);
    return cwb_hears(home) ? home->worker : NULL;
}

bool cwb_runs_here(const cw_job *job) { return home_of(job) == cwb_here; }

void cwb_homeless(cw_job *job) { cwb_leave_behind(job, home_of(job)); }

void cwb_ticket_deliver(cwb_ticket *ticket)
{
    cw_job *job = ticket->job;
    uint32_t token = ticket->token;
    cw_error *error = cw_job_error(job);
    if (error) {
        uint32_t outcome =
            cw__error_is_cancel(error) ? CWB_CANCELLED : CWB_ERROR;
        if (ticket->unhandled) outcome |= CWB_UNHANDLED;
        if (cw__error_is_crash(error)) outcome |= CWB_CRASH;
        cw_js_job_ended(token, outcome, error, 0, ticket->worker);
    } else if (job->flags & CW__JOB_FOREIGN) {
        uint32_t outcome = ticket->outcome;
        if (ticket->refers) outcome |= CWB_REFERS;
        cw_js_job_ended(token, outcome, ticket->data, cwb_ticket_values(ticket),
                        NULL);
    } else {
        cw_js_job_ended(token, CWB_VALUE,
                        (char *)cw__job_frame(job) +
                            cw__job_type(job)->result_offset,
                        cw__job_type(job)->result_size, NULL);
    }
}

/* ---- handles */

void cwb_job_drop(cw_job *job) { cw__job_drop(job); }

/* The job above one that has not ended: owned. NULL if there is none; what is
 * launched outside of any job has none, though its context looks after it. */
cw_job *cwb_job_parent(cw_job *job)
{
    cw_job *parent = cw_job_parent(job);
    if (!parent) return NULL;
    const cw_context *context = parent->context;
    const cwb_context *data = context ? context->host_data : NULL;
    if (!data || data->root != parent) return parent;
    cw__job_drop(parent);
    return NULL;
}

/* The token that this realm has launched a job with; -1 for other jobs. */
int32_t cwb_job_token(cw_job *job)
{
    if (!(job->flags & CW__JOB_NOTIFY)) return -1;
    const cwb_ticket *ticket = cwb_ticket_of(job);
    return ticket->home == cwb_here ? (int32_t)ticket->token : -1;
}

/* How a job that this realm has launched has ended well, before its ticket
 * comes: as the number that cwb_complete() takes. The address of the data is in
 * the scratch buffer, where they live as long as the job. */
uint32_t cwb_job_outcome(cw_job *job)
{
    const cwb_ticket *ticket = cwb_ticket_of(job);
    const void *data = ticket->data;
    uint32_t outcome = ticket->outcome | ticket->length << 3;
    if (!(job->flags & CW__JOB_FOREIGN)) {
        const cw_coroutine *type = cw__job_type(job);
        data = (char *)cw__job_frame(job) + type->result_offset;
        outcome = CWB_VALUE | type->result_size << 3;
    }
    memcpy(cwb_scratch(0), &data, sizeof data);
    return outcome;
}

/* Bits of enum cwb_job_state. */
uint32_t cwb_job_state(const cw_job *job)
{
#ifndef __EMSCRIPTEN_SHARED_MEMORY__
    /* A body that asks again and again may be busy, and keep the only thread
     * that looks at the clock. */
    cw__worker_fire_timers(cwb_realm);
#endif
    return (uint32_t)((cw_is_cancelled(job) ? CWB_IS_CANCELLED : 0) |
                      (cw_is_completed(job) ? CWB_HAS_ENDED : 0) |
                      (cw_is_active(job) ? CWB_IS_ACTIVE : 0));
}
