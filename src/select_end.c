/* select_end.c: what the clause brings by which a select is over.
 *
 * SPDX-License-Identifier: MIT
 *
 * One that was ready takes effect at once, whether the body is cancelled or
 * not. After waiting the body may have been cancelled: then what it got is
 * given back.
 */
#include "select.h"

#include "context.h"
#include "frame.h"
#include "kill_gate.h"

/* What to raise for a clause that failed: owned. */
static cw_error *channel_error(const cw_clause *clause)
{
    return clause->kind == CW__ON_SEND
               ? cw__channel_send_error(clause->object)
               : cw__channel_receive_error(clause->object);
}

static int take_await(cw_frame *frame, const cw_clause *clause)
{
    cw_error *error = cw_job_error(clause->object);
    if (error) {
        cw__set_error(frame, cw_error_retain(error));
        return 1;
    }
    if (!clause->type) return 0; /* a host's, which takes the result itself */
    int status = cw__result(clause->object, clause->type, clause->value);
    if (status == CW_OK) return 0;
    cw__set_error(frame, cw_error_new(status, NULL, NULL));
    return 1;
}

void cw__select_complete(cw_frame *frame, cw_clause *clause, uint32_t index,
                         enum cw__readiness ready)
{
    cw__select_keep(frame->job, index);
    int status = clause->status;
    clause->status = CW_OK;
    if (clause->kind == CW__ON_AWAIT) {
        take_await(frame, clause);
        return;
    }
    if (ready == CW__READY) return;
    cw_error *error = NULL;
    if (clause->kind == CW__ON_SEND)
        error = cw__channel_undelivered(clause->object, clause->value);
    if (ready == CW__READY_CLOSED) {
        if (clause->kind == CW__ON_RECEIVE_CATCHING) {
            clause->status = CW_ERECVCLOSED;
            return;
        }
        if (clause->kind == CW__ON_LOCK) {
            error = cw__gate_error(status);
        } else if (!error) {
            error = channel_error(clause);
        }
    }
    if (error) cw__set_error(frame, error);
}

void cw__select_cancelled(cw_frame *frame, cw_clause *clauses, uint32_t count,
                          cw__select *waiting, uint32_t sent)
{
    for (uint32_t i = 0; i < count; i++) {
        cw_clause *clause = &clauses[i];
        if (clause->kind != CW__ON_SEND || i == sent) continue;
        clause->status = CW_OK;
        void *element = clause->value;
        if (waiting)
            element = cw__stashed(&waiting->nodes[i].waiter,
                                  cw__clause_element_size(clause));
        cw__channel_lost(clause->object, frame->job, element);
    }
    cw__party_raise_cancelled(frame);
}

/* ---- after waiting */

/* The clause has won. 0: it is complete, 1: an error was raised, -1: the body
 * has to raise cancellation. */
static int complete(cw_frame *frame, cw_clause *clause, const cw__waiter *node,
                    bool cancelled)
{
    cw_channel *channel = clause->object;
    bool refused = node->early == CW__REFUSED;
    switch (clause->kind) {
    case CW__ON_RECEIVE_CATCHING:
        if (refused) {
            clause->status = CW_ERECVCLOSED;
            return cancelled ? -1 : 0;
        }
        CW__FALLTHROUGH;
    case CW__ON_SEND:
    case CW__ON_RECEIVE:
        clause->status = CW_OK;
        if (refused) {
            cw__set_error(frame, channel_error(clause));
            return 1;
        }
        if (cancelled && clause->kind != CW__ON_SEND)
            cw__channel_lost(channel, frame->job, clause->value);
        break;
    case CW__ON_LOCK:
        if (refused) {
            cw__set_error(frame, cw__gate_error(CW_EPOISONED));
            return 1;
        }
        if (cancelled) (void)cw__gate_leave(clause->object, clause->value);
        break;
    case CW__ON_AWAIT:
        if (cancelled && !cw_job_error(clause->object)) break;
        return take_await(frame, clause);
    case CW__ON_TIMEOUT:
        if (clause->status == CW_OK) break;
        cw__set_error(frame, cw_error_new(clause->status, NULL, NULL));
        return 1;
    default:
        break;
    }
    return cancelled ? -1 : 0;
}

static int end_waiting(cw_frame *frame, cw_clause *clauses, int *which)
{
    cw_job *job = frame->job;
    cw__select *waiting = job->waiter.owner.pointer;
    uint32_t winner = 0;
    job->armed = CW__UNARMED;
    /* acq_rel: pairs with the winner's own. Then nobody claims it any more, and
     * who has claimed it is done when its lock was taken. */
    bool nobody = cw_cas_acq_rel(&waiting->winner, &winner, CW__NOBODY);
    uint32_t index = nobody ? CW__NOBODY : winner - 1;
    cw__select_withdraw(waiting, clauses);
    if (index != CW__NOBODY && clauses[index].kind == CW__ON_TIMEOUT &&
        cw_unlikely(cw_load_seq_cst(&job->context->home->closed)))
        cw__cancel_closed(job); /* closing cuts delays short */
    bool cancelled = cw__job_cancelling(job->scope);
    int result = -1;
    if (index != CW__NOBODY) {
        *which = (int)index;
        result = complete(frame, &clauses[index], &waiting->nodes[index].waiter,
                          cancelled);
    }
    if (result < 0)
        cw__select_cancelled(frame, clauses, waiting->count, waiting, index);
    cw__select_free(waiting, clauses);
    return result != 0 || cw__raised(frame);
}

int cw__select_end(cw_frame *frame, cw_clause *clauses, int *which)
{
    CW__RUNTIME;
    cw_job *job = frame->job;
    if (job->armed != CW__UNARMED) return end_waiting(frame, clauses, which);
    *which = (int)job->waiter.owner.index;
    return cw__raised(frame);
}
