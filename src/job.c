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

/* How many children may be fresh, and how many while others use the list. */
enum { FRESH = 32, FRESH_MOST = 4 * FRESH };

_Atomic uint32_t cw__debug_options;
const cw__watch_calls *cw__watching;

/* ---- making and freeing */

cw_job *cw__job_new(cw_context *context, const cw_coroutine *type,
                    unsigned flags, uint32_t handles, uint32_t extra)
{
    uint32_t frame_size = type ? type->frame_size : 0;
    size_t bytes = sizeof(cw_job) + frame_size + extra;
    size_t before = 0;
    /* relaxed, then acquire: the latter pairs with cw_debug_set() */
    if (cw_unlikely(cw_load_relaxed(&cw__debug_options)) &&
        cw_load_acquire(&cw__debug_options) & CW_DEBUG_JOBS) {
        before = CW__WATCH_BYTES;
        flags |= CW__JOB_WATCHED;
    }
    if (flags & CW__JOB_TOP) before += CW__LISTED_BYTES;
    char *memory = cw__alloc(before + bytes);
    if (cw_unlikely(!memory)) return NULL;
    cw_job *job = (cw_job *)(void *)(memory + before);
    /* Field by field, since this is what launching costs. What is not set here
     * is written before it is read. */
    atomic_init(&job->state, flags & CW__JOB_TOP ? CW__JOB_LISTED : 0);
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
    if (cw_unlikely(before)) {
        if (flags & CW__JOB_TOP) cw__listed_of(job)->at = NULL;
        if (flags & CW__JOB_WATCHED) cw__watching->made(job);
    }
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
    if (cw_unlikely(flags & (CW__JOB_NOTIFY | CW__JOB_WATCHED))) {
        if (flags & CW__JOB_NOTIFY) bytes += cw__the_host.job_free(job);
        if (flags & CW__JOB_WATCHED) before = CW__WATCH_BYTES;
    }
    /* relaxed: for good */
    if (cw_load_relaxed(&job->state) & CW__JOB_LISTED)
        before += CW__LISTED_BYTES;
    if (cw__job_has_extra(job)) destroy_extra(job->extra);
    cw_error_release(job->error);
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

static bool try_lock(cw_job *job, uint32_t *state)
{
    *state = cw_load_relaxed(&job->state);
    /* acquire: pairs with cw__job_unlock */
    return !(*state & CW__JOB_LOCKED) &&
           cw_cas_acq_rel(&job->state, state, *state | CW__JOB_LOCKED);
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

/* ---- children */

/* Puts a chain of children, linked through `before`, at the list's end. */
static void link_children(cw_job *parent, cw_job *newest, uint32_t state)
{
    cw_job *first = state & CW__JOB_CHILDREN ? parent->children : NULL;
    cw_job *last = first ? first->before : newest;
    cw_job *after = first ? first : NULL, *oldest = newest;
    for (cw_job *child = newest; child; child = child->before) {
        child->after = after;
        after = oldest = child;
    }
    if (!first) parent->children = first = oldest;
    oldest->before = last;
    last->after = oldest;
    newest->after = first;
    first->before = newest;
}

uint32_t cw__adopt_fresh(cw_job *parent, uint32_t state)
{
    /* seq_cst: comes after the CANCELLING bit, if that is set. acquire: pairs
     * with cw__job_attach_own(). */
    if (!cw_load_seq_cst(&parent->fresh)) return state;
    link_children(parent, cw_swap_acquire(&parent->fresh, NULL), state);
    return state | CW__JOB_CHILDREN;
}

/* False if it was the only one. */
static bool unlink_child(cw_job *parent, cw_job *child)
{
    bool alone = child->after == child;
    if (cw_unlikely(child->visited & CW__FOLLOWED)) {
        /* Its place in the order is taken by the one before it, if there is
         * one: before the first, which need not be `children` while they are
         * visited, the ring goes on with the last. */
        cw_job *before = alone ? NULL : child->before;
        if (before && !(before->visited & CW__VISITED) &&
            (child == parent->children || child->visited & CW__VISITED))
            before = NULL;
        cw__handlers_follow(parent, child, before);
    }
    if (alone) return false;
    child->before->after = child->after;
    child->after->before = child->before;
    if (parent->children == child) parent->children = child->after;
    return true;
}

uint32_t cw__unlink_one(cw_job *parent, cw_job *child, uint32_t state)
{
    /* Only if need be: the fresh ones are in another worker's cache. */
    if (!child->after) state = cw__adopt_fresh(parent, state);
    if (!unlink_child(parent, child)) state &= ~(uint32_t)CW__JOB_CHILDREN;
    return state;
}

uint32_t cw__unlink_chain(cw_job *parent, cw_job *child, uint32_t state)
{
    for (; child; child = child->next)
        state = cw__unlink_one(parent, child, state);
    return state;
}

/* What may be killed, may be with all below it. The child has not begun. */
static void inherit(const cw_job *parent, cw_job *child)
{
    if (cw_unlikely(parent->flags & ~child->flags & CW__JOB_KILLABLE))
        child->flags |= CW__JOB_KILLABLE;
}

void cw__job_attach(cw_job *parent, cw_job *child)
{
    if (cw_unlikely(cw_load_acquire(&parent->state) & CW__JOB_NEW))
        cw_job_start(parent);
    uint32_t state = cw__job_lock(parent);
    bool listed = !(state & CW__JOB_SEALED);
    if (listed) {
        child->parent = parent;
        inherit(parent, child);
        /* A cancelled parent's walk over its children may be over already. */
        child->visited = state & CW__JOB_CANCELLING ? CW__VISITED : 0;
        state = cw__adopt_fresh(parent, state);
        child->before = NULL;
        link_children(parent, child, state);
        state |= CW__JOB_CHILDREN;
    }
    cw_error *cause = NULL;
    bool cancel = (state & (CW__JOB_CANCELLING | CW__JOB_SEALED)) != 0;
    if (cancel) cause = cw_error_retain(parent->error);
    cw__job_unlock(parent, state);
    if (cancel) {
        cw_cancel(child, cause);
        cw_error_release(cause);
    }
}

void cw__job_attach_own(cw_job *parent, cw_job *child)
{
    if (cw_unlikely(parent->flags & CW__JOB_FOREIGN)) {
        cw__job_attach(parent, child); /* its body may be over already */
        return;
    }
    child->parent = parent;
    inherit(parent, child);
    child->after = NULL; /* not in the list yet */
    cw_job *newest = cw_load_relaxed(&parent->fresh);
    do {
        child->before = newest;
        /* seq_cst: release for the child; and comes before the look at the
         * state, so either we see CANCELLING or the canceller sees the child */
    } while (!cw_cas_weak_seq_cst(&parent->fresh, &newest, child));
    /* Its walk over the children may be over already, or meet this one. */
    if (cw_unlikely(cw__job_cancelling(parent))) {
        uint32_t state = cw__job_lock(parent);
        cw_error *cause = cw_error_retain(parent->error);
        cw__job_unlock(parent, state);
        cw_cancel(child, cause);
        cw_error_release(cause);
    }
    /* Not too many at once for those who hold the lock. A worker that takes
     * ended children off the list need not be waited for, except at last. */
    if (cw_unlikely(++parent->fresh_count % FRESH == 0)) {
        uint32_t state;
        if (parent->fresh_count == FRESH_MOST) {
            state = cw__job_lock(parent);
        } else if (!try_lock(parent, &state)) {
            return;
        }
        parent->fresh_count = 0;
        cw__job_unlock(parent, cw__adopt_fresh(parent, state));
    }
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
