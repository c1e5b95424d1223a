/* job.c: one job, its place in the tree, its state.
 *
 * SPDX-License-Identifier: MIT
 *
 * Lock order: a job's LOCKED bit is a leaf. Nobody holds two of them, and what
 * a change sets off in other jobs (children, parent, waiters) happens after it
 * was released. Nothing here recurses: trees and waiter lists may be as deep
 * and as long as memory allows.
 */
#include "kill_gate.h"
#include "tree.h"

#include "alloc.h"
#include "base.h"
#include "check.h"
#include "coroutine.h"
#include "error.h"
#include "handler.h"
#include "host.h"
#include "limit.h"
#include "roster.h"
#include "watch.h"

#include <string.h>

_Atomic uint32_t cw__debug_options;
const cw__watch_calls *cw__watching;

/* ---- making and freeing */

/* The room in front of a job, which few have. */
static size_t room_before(bool listed, unsigned flags)
{
    size_t listing = listed ? CW__LISTED_BYTES : 0;
    return listing + (flags & CW__JOB_WATCHED ? CW__WATCH_BYTES : 0U);
}

__attribute__((noinline, cold)) static void init_before(cw_job *job,
                                                        unsigned flags)
{
    if (flags & CW__JOB_TOP) {
        cw_store_relaxed(&job->state, CW__JOB_LISTED); /* nobody knows it yet */
        cw__listed_of(job)->at = NULL;
    }
    if (flags & CW__JOB_WATCHED) cw__watching->made(job);
}

cw_job *cw__job_new(cw_context *context, const cw_coroutine *type,
                    unsigned flags, uint32_t handles, uint32_t extra)
{
    uint32_t frame_size = type ? type->frame_size : 0;
    size_t bytes = sizeof(cw_job) + frame_size + extra;
    size_t before = 0;
    /* relaxed, then acquire: the latter pairs with cw_debug_set() */
    if (cw_unlikely(cw_load_relaxed(&cw__debug_options)) &&
        cw_load_acquire(&cw__debug_options) & CW_DEBUG_JOBS)
        flags |= CW__JOB_WATCHED;
    if (cw_unlikely(flags & (CW__JOB_TOP | CW__JOB_WATCHED)))
        before = room_before((flags & CW__JOB_TOP) != 0, flags);
    char *memory = cw__alloc(before + bytes);
    if (cw_unlikely(!memory)) return NULL;
    cw_job *job = (cw_job *)(void *)(memory + before);
    /* Field by field, since this is what launching costs. What is not set here
     * is written before it is read. */
    atomic_init(&job->state, 0);
    atomic_init(&job->refs, 1 + handles);
    atomic_init(&job->park, 0);
    CW__MARK(job, JOB);
    job->flags = (uint16_t)flags;
    job->visited = 0;
    job->last = 0;
    job->wait_mode = CW__WAIT_PROMPT;
    job->armed = CW__UNARMED;
    job->fresh_count = 0;
    job->context = context;
    job->parent = NULL;
    atomic_init(&job->fresh, NULL);
    job->waiters = NULL;
    job->error = NULL;
    job->scope = job;
    job->top = NULL;
    if (frame_size) {
        cw_frame *frame = cw__job_frame(job);
        cw__frame_init(frame, type);
        frame->job = job;
        job->top = frame;
    } else {
        job->flags |= CW__JOB_FRAMELESS;
    }
    if (cw_unlikely(before)) init_before(job, flags);
    return job;
}

cw__extra *cw__job_extra(cw_job *job)
{
    if (cw__job_has_extra(job)) return job->extra;
    cw__extra *extra = cw__alloc(sizeof *extra);
    if (!extra) return NULL;
    memset(extra, 0, sizeof *extra);
    uint32_t state = cw__job_lock(job);
    bool first = !(state & CW__JOB_EXTRA);
    if (first) job->extra = extra;
    cw__job_unlock(job, state | CW__JOB_EXTRA);
    if (!first) cw__free(extra, sizeof *extra);
    return job->extra;
}

static void destroy_extra(cw__extra *extra)
{
    while (extra->reports) {
        cw__report *report = extra->reports;
        extra->reports = report->next;
        cw_error_release(report->error);
        cw__free(report, sizeof *report);
    }
    cw_error_release(extra->timeout);
    cw__limit_free(extra->booking.timeout);
    cw__limit_free(extra->booking.deadline);
    cw_elements_release(extra->elements);
    cw__free(extra, sizeof *extra);
}

static void destroy(cw_job *job)
{
    size_t bytes = sizeof *job, before = 0;
    uint32_t flags = job->flags;
    if (!(flags & CW__JOB_FRAMELESS)) bytes += cw__job_type(job)->frame_size;
    if (flags & CW__JOB_NOTIFY) bytes += cw__the_host.job_free(job);
    /* relaxed: for good */
    bool listed = (cw_load_relaxed(&job->state) & CW__JOB_LISTED) != 0;
    if (cw_unlikely(listed || flags & CW__JOB_WATCHED))
        before = room_before(listed, flags);
    if (cw__job_has_extra(job)) destroy_extra(job->extra);
    if (cw_unlikely(job->error)) cw_error_release(job->error);
    cw__free((char *)job - before, before + bytes);
}

void cw__job_drop(cw_job *job)
{
    /* The last owner needs no atomic change: nobody else can come by. acquire:
     * pairs with the others' drops. */
    if (cw_load_acquire(&job->refs) == 1 || cw_sub_acq_rel(&job->refs, 1) == 1)
        destroy(job);
}

cw_job *cw_job_retain(cw_job *job)
{
    CW__CHECK_IF_ANY(JOB, job);
    if (job) cw_add_relaxed(&job->refs, 1); /* the caller holds a reference */
    return job;
}

void cw_job_release(cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(JOB, job);
    if (job) cw__job_drop(job);
}

/* ---- the word */

uint32_t cw__job_lock(cw_job *job)
{
    uint32_t state = cw_load_relaxed(&job->state);
    for (unsigned spins = 0;;) {
        if (state & CW__JOB_LOCKED) {
            cw__spin(&spins);
            state = cw_load_acquire(&job->state);
        } else if (cw_cas_weak_acquire(&job->state, &state,
                                       state | CW__JOB_LOCKED)) {
            return state; /* acquire: pairs with cw__job_unlock */
        }
    }
}

bool cw_is_active(const cw_job *job)
{
    CW__CHECK_HANDLE(JOB, job);
    uint32_t state = cw_load_acquire(&job->state);
    return !(state & (CW__JOB_CANCELLING | CW__JOB_FINAL | CW__JOB_NEW));
}

bool cw_is_completed(const cw_job *job)
{
    CW__CHECK_HANDLE(JOB, job);
    return (cw_load_acquire(&job->state) & CW__JOB_FINAL) != 0;
}

bool cw_is_cancelled(const cw_job *job)
{
    CW__CHECK_HANDLE(JOB, job);
    return (cw_load_acquire(&job->state) & CW__JOB_CANCELLING) != 0;
}

cw_error *cw_job_error(const cw_job *job)
{
    CW__CHECK_HANDLE(JOB, job);
    return cw_is_completed(job) ? job->error : NULL;
}

const char *cw_job_name(const cw_job *job)
{
    CW__CHECK_HANDLE(JOB, job);
    const cw__extra *extra = cw__job_has_extra(job);
    if (extra && extra->named) return cw_elements_name(extra->elements);
    if (job->flags & CW__JOB_FRAMELESS) return "";
    const char *name =
        job->flags & CW__JOB_NOTIFY ? cw__the_host.name_of(job) : NULL;
    return name ? name : cw__job_type(job)->name;
}

cw_job *cw_job_parent(cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    /* Its parent is there as long as the job has not ended, and that it has not
     * is certain under its lock: what ends it has to take it. */
    uint32_t state = cw__job_lock(job);
    cw_job *parent = state & CW__JOB_SEALED ? NULL : job->parent;
    cw_job_retain(parent);
    cw__job_unlock(job, state);
    return parent;
}

cw_error *cw_job_cancellation(cw_job *job)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    if (!cw_is_cancelled(job)) return NULL;
    return cw__job_cancellation(job);
}

cw_error *cw__job_cancellation(cw_job *job)
{
    uint32_t state = cw__job_lock(job);
    cw_error *cause = cw_error_retain(job->error);
    cw__job_unlock(job, state);
    cw_error *error = cw__error_cancelled(cause);
    cw_error_release(cause);
    return error;
}

/* ---- waiters */

void cw__fire(cw_job *job, cw__waiter *waiter, cw__woken *woken)
{
    cw__waiters_remove(&job->waiters, waiter);
    cw__waiter_fire(waiter, woken);
}

uint32_t cw__waiters_bit(const cw_job *job, uint32_t state)
{
    if (job->waiters) return state | CW__JOB_WAITERS;
    return state & ~(uint32_t)(CW__JOB_WAITERS | CW__JOB_EARLY);
}

/* True if somebody waits for the job's end, and does not just want to hear of
 * it when it comes. */
static bool waits(const cw__waiter *waiter)
{
    return waiter->kind != CW__WAITER_HANDLER &&
           waiter->kind != CW__WAITER_PRODUCER;
}

int cw__job_wait(cw_job *job, cw__waiter *waiter)
{
    uint32_t over = CW__JOB_FINAL;
    if (waiter->early) over |= CW__JOB_CANCELLING | CW__JOB_SEALED;
    uint32_t state = cw_load_acquire(&job->state);
    if (state & over) return CW__DONE;
    if (cw_unlikely(state & CW__JOB_NEW) && waits(waiter)) cw_job_start(job);
    state = cw__job_lock(job);
    if (state & over) {
        cw__job_unlock(job, state);
        return CW__DONE;
    }
    if (cw_unlikely(waiter->early)) {
        state = cw__adopt_fresh(job, state);
        if (waiter->kind == CW__WAITER_HANDLER)
            cw__handler_follow_last(job, waiter, state);
        state |= CW__JOB_EARLY;
    }
    waiter->target.job = job;
    cw__waiters_add(&job->waiters, waiter);
    cw__job_unlock(job, state | CW__JOB_WAITERS);
    return CW__PENDING;
}

bool cw__job_unwait(cw__waiter *waiter)
{
    cw_job *job = waiter->target.job;
    uint32_t state = cw__job_lock(job);
    bool linked = waiter->linked;
    if (linked) cw__waiters_remove(&job->waiters, waiter);
    cw__job_unlock(job, cw__waiters_bit(job, state));
    return linked;
}
