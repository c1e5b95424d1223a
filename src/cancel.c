/* cancel.c: cancelling a tree of jobs, from above and by a failure below.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kill_gate.h"
#include "tree.h"

#include "alloc.h"
#include "check.h"
#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "handler.h"

cw_job *cw__told_of_failure(cw_job *job)
{
    cw_job *parent = job->parent;
    if (!parent || job->flags & (CW__JOB_SCOPE | CW__JOB_LONELY) ||
        parent->flags & CW__JOB_SUPERVISOR)
        return NULL;
    return cw_job_retain(parent);
}

/* ---- further errors */

/* True if the job has met this error already, or will not tell it: one more
 * cancellation says nothing new, but a time limit may be whose turn it is, and
 * the loss of its worker is why a body has ended. With
 * the job's lock held. */
static bool is_known(const cw_job *job, const cw_error *error, uint32_t state)
{
    if (job->error == error) return true;
    if (cw__error_is_cancel(error) && !cw__error_is_timeout(error) &&
        !cw__error_is_lost(error))
        return true;
    const cw__report *report =
        state & CW__JOB_EXTRA ? job->extra->reports : NULL;
    while (report && report->error != error)
        report = report->next;
    return report != NULL;
}

void cw__job_report(cw_job *job, cw_error *error)
{
    uint32_t state = cw__job_lock(job);
    bool wanted = !(state & CW__JOB_SEALED) && !is_known(job, error, state);
    cw__job_unlock(job, state);
    /* Without memory the job still ends with one of its errors. */
    cw__extra *extra = wanted ? cw__job_extra(job) : NULL;
    cw__report *report = extra ? cw__alloc(sizeof *report) : NULL;
    if (!report) return;
    report->error = cw_error_retain(error);
    state = cw__job_lock(job);
    wanted = !(state & CW__JOB_SEALED) && !is_known(job, error, state);
    if (wanted) {
        report->next = extra->reports;
        extra->reports = report;
    }
    cw__job_unlock(job, state);
    if (wanted) return;
    cw_error_release(error);
    cw__free(report, sizeof *report);
}

/* ---- becoming cancelled */

uint32_t cw__fire_early(cw_job *job, uint32_t state, bool all, cw__woken *woken)
{
    bool left = false;
    cw__waiter *waiter = state & CW__JOB_EARLY ? job->waiters : NULL;
    cw__waiter *last = waiter ? waiter->prev : NULL;
    while (waiter && !left) {
        cw__waiter *next = waiter == last ? NULL : waiter->next;
        if (waiter->early) {
            left = !all && waiter->kind == CW__WAITER_HANDLER &&
                   !cw__handler_is_next(waiter);
            if (!left) cw__fire(job, waiter, woken);
        }
        waiter = next;
    }
    if (!left) state &= ~(uint32_t)CW__JOB_EARLY;
    return cw__waiters_bit(job, state);
}

/* Makes the job cancelling, with `error` (taken over) as root cause. False if
 * it is that already or its outcome is fixed; then the error only counts as one
 * more that was met. If it is true, the caller goes on with
 * cw__cancel_children() and wake_body().
 * `above`, unless NULL, gets cw__told_of_failure(). */
static bool make_cancelling(cw_job *job, cw_error *error, cw_job **above,
                            bool *begun)
{
    uint32_t state = cw__job_lock(job);
    if (state & (CW__JOB_CANCELLING | CW__JOB_SEALED)) {
        cw__job_unlock(job, state);
        cw__job_report(job, error);
        cw_error_release(error);
        return false;
    }
    if (above) *above = cw__told_of_failure(job);
    job->error = error;
    *begun = !(state & CW__JOB_NEW);
    state |= CW__JOB_CANCELLING;
    state &= ~(uint32_t)CW__JOB_NEW;
    /* As long as a scope has not ended, its task waits for it. */
    if (job->flags & CW__JOB_SCOPE) cw_job_retain(cw__job_task(job));
    cw__job_unlock_cancelling(job, state);
    return true;
}

/* Tells those whose turn is before the first child. */
static void tell_first(cw__worker *self, cw_job *job)
{
    cw__woken woken;
    cw__woken_init(&woken);
    uint32_t state = cw__job_lock(job);
    cw__job_unlock(job, cw__fire_early(job, state, false, &woken));
    cw__dispatch_woken(self, &woken);
}

/* The same for any job but one whose body is just ending. One without a body,
 * or whose body has not begun, completes by that. */
static bool begin_cancelling(cw__worker *self, cw_job *job, cw_error *error,
                             cw_job **above)
{
    bool begun;
    if (!make_cancelling(job, error, above, &begun)) return false;
    bool ends = !begun || job->flags & CW__JOB_BARE;
    if (!ends) return true;
    tell_first(self, job);
    if (!begun) /* it never will: to be counted out */
        (void)cw__context_admit(self, job->context);
    cw__job_finish(self, job, NULL);
    return true;
}

/* Wakes the body of a job that has become cancelling. What it has launched
 * before it suspended has come before. */
static void wake_body(cw__worker *self, cw_job *job)
{
    if (job->flags & (CW__JOB_FOREIGN | CW__JOB_BARE)) return;
    cw_job *task = cw__job_task(job);
    /* The park word is ordered behind the CANCELLING bit, which was set with
     * seq_cst; a body that is about to suspend looks at both in the other
     * order. One that has ended has nothing to be woken from. */
    if (!(cw_load_acquire(&job->state) & CW__JOB_BODY_DONE) &&
        cw__task_kick(task)) {
        task->next = NULL;
        cw__dispatch_resumed(self, task);
    }
    if (job->flags & CW__JOB_SCOPE) cw__job_drop(task);
}

/* Takes the next child that no cancel has seen, with a reference, and the
 * error to cancel it with (owned). NULL if there is none, or if handlers come
 * before it: these are in `woken` then. */
static cw_job *take_unvisited(cw_job *job, cw_error **cause, cw__woken *woken)
{
    cw__woken_init(woken);
    uint32_t state = cw__adopt_fresh(job, cw__job_lock(job));
    if (cw_unlikely(state & CW__JOB_EARLY)) {
        state = cw__fire_early(job, state, false, woken);
        if (cw__any_woken(woken)) {
            cw__job_unlock(job, state);
            return NULL;
        }
    }
    cw_job *child = state & CW__JOB_CHILDREN ? job->children : NULL;
    if (child && !(child->visited & CW__VISITED)) {
        child->visited |= CW__VISITED;
        cw_add_relaxed(&child->refs, 1);
        job->children = child->after; /* rotate: the order stays */
        *cause = cw_error_retain(job->error);
    } else {
        child = NULL;
    }
    cw__job_unlock(job, state);
    return child;
}

/* Cancels all below a job that has just become cancelling: each child with
 * everything below it before its younger siblings, and each body after what is
 * below it. The way back up is kept in `cancel_next` of the jobs on it; that
 * field belongs to whoever took the job from its parent's list, so walks that
 * meet do not disturb each other. */
void cw__cancel_children(cw__worker *self, cw_job *root)
{
    cw_error *wrapped = cw__job_cancellation(root);
    cw_job *job = root;
    for (;;) {
        cw_error *cause = NULL;
        cw__woken woken;
        cw_job *child = take_unvisited(job, &cause, &woken);
        if (cw__any_woken(&woken)) {
            cw__dispatch_woken(self, &woken);
        } else if (child) {
            if (!cw__error_is_cancel(cause)) { /* a failure: tell it as cause */
                cw_error *failure = cause;
                cause = job == root ? cw_error_retain(wrapped)
                                    : cw__error_cancelled(failure);
                cw_error_release(failure);
            }
            if (begin_cancelling(self, child, cause, NULL)) {
                child->cancel_next = job;
                job = child;
            } else {
                cw__job_drop(child);
            }
        } else {
            if (job == root) break;
            cw_job *up = job->cancel_next;
            wake_body(self, job);
            cw__job_drop(job);
            job = up;
        }
    }
    cw_error_release(wrapped);
}

bool cw__fail_early(cw__worker *self, cw_job *job, cw_error *error)
{
    bool begun;
    if (!make_cancelling(job, cw_error_retain(error), NULL, &begun))
        return false;
    cw__cancel_children(self, job);
    wake_body(self, job);
    return true;
}

void cw_cancel(cw_job *job, cw_error *cause)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    cw__worker *self = cw__self;
    cw_job_retain(job);
    if (begin_cancelling(self, job, cw__error_cancelled(cause), NULL)) {
        cw__cancel_children(self, job);
        wake_body(self, job);
    }
    cw__job_drop(job);
}

/* Takes references to all such children. False: there was no room for all of
 * them; `*count` tells how many there are. */
static bool take_children(cw_job *job, unsigned which, cw_job **children,
                          size_t *count)
{
    size_t room = *count, found = 0;
    uint32_t state = cw__job_lock(job);
    state = cw__adopt_fresh(job, state);
    cw_job *first = state & CW__JOB_CHILDREN ? job->children : NULL;
    for (cw_job *child = first; child; child = child->after) {
        bool counts =
            (which & CW__CHILDREN_LAUNCHED && !(child->flags & CW__JOB_LEAF)) ||
            (which & CW__CHILDREN_WAITS && child->flags & CW__JOB_LEAF) ||
            (which & CW__CHILDREN_PARTS && child->flags & CW__JOB_LONELY);
        if (counts && found++ < room) children[found - 1] = child;
        if (child->after == first) break;
    }
    for (size_t i = 0; found <= room && i < found; i++)
        cw_add_relaxed(&children[i]->refs, 1);
    cw__job_unlock(job, state);
    *count = found;
    return found <= room;
}

int cw__children_take(cw_job *job, unsigned which, cw__children *out)
{
    *out = (cw__children){0};
    size_t count = 0;
    while (!take_children(job, which, out->jobs, &count)) {
        if (out->jobs) cw__free(out->jobs, out->room * sizeof *out->jobs);
        out->room = count;
        out->jobs = cw__alloc(count * sizeof *out->jobs);
        if (!out->jobs) return CW_ENOMEM;
    }
    out->count = count;
    return CW_OK;
}

void cw__children_drop(cw__children *children)
{
    for (size_t i = 0; i < children->count; i++)
        cw__job_drop(children->jobs[i]);
    if (children->jobs)
        cw__free(children->jobs, children->room * sizeof *children->jobs);
}

/* Cancels some of the direct children. */
static int cancel_some(cw_job *job, unsigned which, cw_error *cause)
{
    cw__children children;
    if (cw__children_take(job, which, &children) != CW_OK) return CW_ENOMEM;
    cw_error *error = cw__error_cancelled(cause);
    for (size_t i = 0; i < children.count; i++)
        cw_cancel(children.jobs[i], error);
    cw_error_release(error);
    cw__children_drop(&children);
    return CW_OK;
}

int cw_cancel_children(cw_job *job, cw_error *cause)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    return cancel_some(job, CW__CHILDREN_LAUNCHED, cause);
}

int cw__cancel_parts(cw_job *job)
{
    return cancel_some(job, CW__CHILDREN_PARTS, NULL);
}

void cw__tell_failure(cw__worker *self, cw_job *job, cw_error *error)
{
    while (job) {
        cw_job *above = NULL;
        if (begin_cancelling(self, job, cw_error_retain(error), &above)) {
            cw__cancel_children(self, job);
            wake_body(self, job);
        }
        cw__job_drop(job);
        job = above;
    }
}
