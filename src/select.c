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
 * clause that won (select_end.c). A body that was cancelled claims its select
 * itself, so that nobody hands it anything any more.
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

/* Tries one clause under the locks. */
static enum cw__readiness try_clause(cw__selecting *select, cw_clause *clause)
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
        if (status == CW_OK) return CW__READY;
        if (status == CW_EAGAIN) return CW__NOT_READY;
        clause->status = status; /* for cw__select_complete() */
        return CW__READY_CLOSED;
    case CW__ON_TIMEOUT:
        return clause->ms <= 0 ? CW__READY : CW__NOT_READY;
    default:
        return cw_is_completed(clause->object) ? CW__READY : CW__NOT_READY;
    }
    switch (how) {
    case CW__SENT:
    case CW__RECEIVED:
        return CW__READY;
    case CW__SENT_DROPPED:
    case CW__DROPPED:
        return CW__READY_DROPPED;
    case CW__CLOSED:
        return CW__READY_CLOSED;
    case CW__NEEDS_SEGMENT:
        return CW__UNPREPARED;
    default:
        return CW__NOT_READY;
    }
}

/* Tries all; `*index` is the one that is ready. */
static enum cw__readiness try_all(cw__selecting *select, uint32_t *index)
{
    for (uint32_t i = 0; i < select->count; i++) {
        *index = select->order[i];
        enum cw__readiness ready = try_clause(select, &select->clauses[*index]);
        if (ready != CW__NOT_READY) return ready;
    }
    return CW__NOT_READY;
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
static enum cw__readiness try_or_queue(cw__selecting *select,
                                       cw__select *waiting, uint32_t *index,
                                       bool *cancelled)
{
    cw_job *job = select->frame->job;
    lock_all(select);
    enum cw__readiness ready = try_all(select, index);
    if (ready == CW__NOT_READY && waiting) {
        *cancelled = cw__begin_wait(job, CW__WAIT_PROMPT);
        if (!*cancelled && !cw__select_queue(select, waiting, index))
            ready = CW__UNPREPARED;
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
    cw__select_keep(frame->job, 0);
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
    enum cw__readiness ready;
    for (;;) {
        ready = try_or_queue(&select, waiting, &index, &cancelled);
        if (ready == CW__UNPREPARED) {
            no_memory = !bring_segment(&select, index);
        } else if (ready == CW__NOT_READY && !waiting) {
            waiting = cw__select_new(&select);
            no_memory = !waiting;
        } else {
            break;
        }
        if (no_memory) break;
    }
    drop_segment(&select);
    if (ready == CW__NOT_READY && !cancelled && !no_memory)
        return wait(&select, waiting);
    if (waiting) cw__select_free(waiting, clauses);
    if (no_memory) return refuse(frame, CW_ENOMEM);
    if (cancelled) {
        cw__select_cancelled(frame, clauses, select.count, NULL, CW__NOBODY);
    } else {
        if (cw__clause_is_channel(&clauses[index]))
            cw__aftermath_run(cw__self, clauses[index].object, &select.after);
        cw__select_complete(frame, &clauses[index], index, ready);
    }
    return CW__DONE;
}
