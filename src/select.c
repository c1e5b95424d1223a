/* select.c: waiting for the first of several things.
 *
 * SPDX-License-Identifier: MIT
 *
 * A select takes the locks of all its channels and mutexes, in the order of
 * their addresses, and looks for a clause that is ready. Without one it queues
 * a party for each clause, still under all the locks; then it registers with
 * jobs and the clock. From then on the `winner` word decides: whoever has
 * something for a clause claims the select by a compare-and-swap from 0. The
 * body goes on, takes back what is left of its registrations, and completes the
 * clause that won. A body that was cancelled claims its select itself, so that
 * nobody hands it anything any more.
 *
 * While a select looks at what is ready it is in no queue. So it claims others,
 * but nobody claims it, and two selects that meet need no agreement.
 */
#include "select.h"

#include "context.h"
#include "frame.h"
#include "kill_gate.h"
#include "suspend.h"

/* ---- preparing */

static bool is_valid(const cw_clause *clause)
{
    if (clause->kind < CW__ON_SEND || clause->kind > CW__ON_TIMEOUT)
        return false;
    return clause->object || clause->kind == CW__ON_TIMEOUT;
}

static void check_object(const cw_clause *clause)
{
    if (cw__clause_is_channel(clause))
        CW__CHECK_AS(CHANNEL, (cw_channel *)clause->object, "CW_SELECT",
                     "a clause's channel");
    else if (cw__clause_is_job(clause))
        CW__CHECK_AS(JOB, (cw_job *)clause->object, "CW_SELECT",
                     "a clause's job");
    else if (clause->kind == CW__ON_LOCK)
        CW__CHECK_AS(MUTEX, (cw__gate *)clause->object, "CW_SELECT",
                     "a clause's mutex");
}

/* Sorts the objects by address. CW_ESTATE if one is there twice. */
static int sort_objects(cw__selecting *select)
{
    uintptr_t objects[CW_MAX_CLAUSES];
    uint8_t clauses[CW_MAX_CLAUSES];
    uint32_t count = 0;
    for (uint32_t i = 0; i < select->count; i++) {
        const cw_clause *clause = &select->clauses[i];
        if (!is_valid(clause)) return CW_EINVAL;
        check_object(clause);
        if (clause->kind == CW__ON_TIMEOUT) continue;
        uintptr_t object = (uintptr_t)clause->object;
        uint32_t at = count++;
        for (; at > 0 && objects[at - 1] >= object; at--) {
            if (objects[at - 1] == object) return CW_ESTATE;
            objects[at] = objects[at - 1];
            clauses[at] = clauses[at - 1];
        }
        objects[at] = object;
        clauses[at] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!cw__clause_is_job(&select->clauses[clauses[i]]))
            select->locks[select->lock_count++] = clauses[i];
    return CW_OK;
}

static void shuffle(cw__selecting *select)
{
    for (uint32_t i = select->count - 1; i > 0; i--) {
        uint32_t j = (cw__worker_random(cw__self) >> 8) % (i + 1);
        uint8_t other = select->order[j];
        select->order[j] = select->order[i];
        select->order[i] = other;
    }
}

static void lock_all(const cw__selecting *select)
{
    for (uint32_t i = 0; i < select->lock_count; i++)
        cw__clause_lock(&select->clauses[select->locks[i]]);
}

static void unlock_all(const cw__selecting *select)
{
    for (uint32_t i = select->lock_count; i > 0; i--)
        cw__clause_unlock(&select->clauses[select->locks[i - 1]]);
}

/* ---- what is ready */

/* What to raise for a clause that failed: owned. */
static cw_error *channel_error(const cw_clause *clause)
{
    return clause->kind == CW__ON_SEND
               ? cw__channel_send_error(clause->object)
               : cw__channel_receive_error(clause->object);
}

enum readiness { NOT_READY, READY, READY_CLOSED, READY_DROPPED, UNPREPARED };

/* Tries one clause under the locks. */
static enum readiness try_clause(cw__selecting *select, cw_clause *clause)
{
    enum cw__sending how;
    int status;
    cw__segment *none;
    switch (clause->kind) {
    case CW__ON_SEND:
        how = cw__channel_put(clause->object, clause->value,
                              cw__segment_for(select, clause->object, &none),
                              &select->after);
        break;
    case CW__ON_RECEIVE:
    case CW__ON_RECEIVE_CATCHING:
        how = cw__channel_get(clause->object, clause->value, &select->after);
        break;
    case CW__ON_LOCK:
        status =
            cw__gate_try(clause->object, clause->value, select->frame->job);
        if (status == CW_OK) return READY;
        if (status == CW_EAGAIN) return NOT_READY;
        clause->status = status; /* for complete_at_once() */
        return READY_CLOSED;
    case CW__ON_TIMEOUT:
        return clause->ms <= 0 ? READY : NOT_READY;
    default:
        return cw_is_completed(clause->object) ? READY : NOT_READY;
    }
    switch (how) {
    case CW__SENT:
    case CW__RECEIVED:
        return READY;
    case CW__SENT_DROPPED:
    case CW__DROPPED:
        return READY_DROPPED;
    case CW__CLOSED:
        return READY_CLOSED;
    case CW__NEEDS_SEGMENT:
        return UNPREPARED;
    default:
        return NOT_READY;
    }
}

/* Tries all; `*index` is the one that is ready. */
static enum readiness try_all(cw__selecting *select, uint32_t *index)
{
    for (uint32_t i = 0; i < select->count; i++) {
        *index = select->order[i];
        enum readiness ready = try_clause(select, &select->clauses[*index]);
        if (ready != NOT_READY) return ready;
    }
    return NOT_READY;
}

/* ---- completing */

/* The body's own waiter keeps the winner's index up to cw__select_end(). */
static void keep_winner(cw_job *job, uint32_t index)
{
    job->waiter.owner.index = index;
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

/* The clause takes effect without waiting: no look at cancellation. */
static void complete_at_once(cw__selecting *select, uint32_t index,
                             enum readiness ready)
{
    cw_clause *clause = &select->clauses[index];
    cw_frame *frame = select->frame;
    keep_winner(frame->job, index);
    int status = clause->status;
    clause->status = CW_OK;
    if (clause->kind == CW__ON_AWAIT) {
        take_await(frame, clause);
        return;
    }
    if (ready == READY) return;
    cw_error *error = NULL;
    if (clause->kind == CW__ON_SEND)
        error = cw__channel_undelivered(clause->object, clause->value);
    if (ready == READY_CLOSED) {
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

/* ---- cancellation */

/* The body raises cancellation: elements that have not been sent, and will not
 * be any more, are given to the hooks. `sent` is the clause that was. */
static void raise_cancelled(cw_frame *frame, cw_clause *clauses, uint32_t count,
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

/* ---- beginning */

static void drop_segment(cw__selecting *select)
{
    if (select->segment)
        cw__segment_free(&select->needs_it->buffer, select->segment);
    select->segment = NULL;
}

static bool bring_segment(cw__selecting *select, uint32_t index)
{
    drop_segment(select);
    select->needs_it = select->clauses[index].object;
    select->segment = cw__segment_new(&select->needs_it->buffer);
    return select->segment != NULL;
}

/* One attempt: looks for what is ready, else, if there is a `waiting`, queues
 * it. */
static enum readiness try_or_queue(cw__selecting *select, cw__select *waiting,
                                   uint32_t *index, bool *cancelled)
{
    cw_job *job = select->frame->job;
    lock_all(select);
    enum readiness ready = try_all(select, index);
    if (ready == NOT_READY && waiting) {
        *cancelled = cw__begin_wait(job, CW__WAIT_PROMPT);
        if (!*cancelled && !cw__select_queue(select, waiting, index))
            ready = UNPREPARED;
    }
    unlock_all(select);
    return ready;
}

static int refuse(cw_frame *frame, int status)
{
    const char *why = status == CW_ESTATE
                          ? "two clauses of a select are about the same object"
                          : NULL;
    cw__set_error(frame, cw_error_new(status, why, NULL));
    return CW__DONE;
}

/* Nothing is ready, and the select is queued. */
static int wait(cw__selecting *select, cw__select *waiting)
{
    cw_job *job = select->frame->job;
    job->waiter.owner.pointer = waiting;
    job->armed = CW__ARMED_SELECT;
    return cw__select_watch(select, waiting) ? CW__DONE : CW__PENDING;
}

int cw__select_begin(cw_frame *frame, cw_clause *clauses, size_t count,
                     int fair)
{
    CW__RUNTIME;
    keep_winner(frame->job, 0);
    if (count < 1 || count > CW_MAX_CLAUSES) return refuse(frame, CW_EINVAL);
    cw__selecting select;
    select.frame = frame;
    select.clauses = clauses;
    select.count = (uint32_t)count;
    select.lock_count = 0;
    select.segment = NULL;
    select.needs_it = NULL;
    cw__aftermath_init(&select.after);
    for (uint32_t i = 0; i < count; i++) {
        select.order[i] = (uint8_t)i;
        clauses[i].status = clauses[i].kind == CW__ON_SEND ? CW_EAGAIN : CW_OK;
    }
    int status = sort_objects(&select);
    if (status != CW_OK) return refuse(frame, status);
    if (fair) shuffle(&select);

    cw__select *waiting = NULL;
    bool cancelled = false, no_memory = false;
    uint32_t index = 0;
    enum readiness ready;
    for (;;) {
        ready = try_or_queue(&select, waiting, &index, &cancelled);
        if (ready == UNPREPARED) {
            no_memory = !bring_segment(&select, index);
        } else if (ready == NOT_READY && !waiting) {
            waiting = cw__select_new(&select);
            no_memory = !waiting;
        } else {
            break;
        }
        if (no_memory) break;
    }
    drop_segment(&select);
    if (ready == NOT_READY && !cancelled && !no_memory)
        return wait(&select, waiting);
    if (waiting) cw__select_free(waiting, clauses);
    if (no_memory) return refuse(frame, CW_ENOMEM);
    if (cancelled) {
        raise_cancelled(frame, clauses, select.count, NULL, CW__NOBODY);
    } else {
        if (cw__clause_is_channel(&clauses[index]))
            cw__aftermath_run(cw__self, clauses[index].object, &select.after);
        complete_at_once(&select, index, ready);
    }
    return CW__DONE;
}

/* ---- ending */

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
        raise_cancelled(frame, clauses, waiting->count, waiting, index);
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
