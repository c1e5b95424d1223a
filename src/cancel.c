/* cancel.c: cancelling a tree of jobs, from above and by a failure below.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tree.h"

#include "alloc.h"
#include "context.h"
#include "coroutine.h"
#include "error.h"

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
 * cancellation says nothing new, but a time limit may be whose turn it is. With
 * the job's lock held. */
static bool is_known(const cw_job *job, const cw_error *error, uint32_t state)
{
    if (job->error == error) return true;
    if (cw__error_is_cancel(error) && !cw__error_is_timeout(error)) return true;
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

void cw__fire_early(cw_job *job, cw__woken *woken)
{
    cw__waiter *oldest = NULL, *waiter = job->waiters;
    if (!waiter || !waiter->early) return;
    do {
        oldest = waiter;
        waiter = waiter->next;
    } while (waiter->early && waiter != job->waiters);
    for (;;) {
        waiter = oldest;
        oldest = waiter->prev;
        bool last = waiter == job->waiters;
        cw__fire(job, waiter, woken);
        if (last) return;
    }
}

/* Makes the job cancelling, with `error` (taken over) as root cause. False if
 * it is that already or its outcome is fixed; then the error only counts as one
 * more that was met. Wakes its body and those who want to hear of it early.
 * `above`, unless NULL, gets cw__told_of_failure(). */
static bool begin_cancelling(cw__worker *self, cw_job *job, cw_error *error,
                             cw_job **above)
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
    bool begun = !(state & CW__JOB_NEW);
    state |= CW__JOB_CANCELLING;
    state &= ~(uint32_t)CW__JOB_NEW;
    cw__woken woken;
    cw__woken_init(&woken);
    cw__fire_early(job, &woken);
    state = cw__waiters_bit(job, state);
    /* The body cannot end, and so not be freed, before the bit is set: up to
     * then it would have to take this lock. Its park word is ordered behind the
     * bit by the unlock (seq_cst); a body that is about to suspend looks at
     * both in the other order. */
    cw_job *task = job->flags & (CW__JOB_FOREIGN | CW__JOB_BARE) || !begun
                       ? NULL
                       : cw__job_task(job);
    if (task) cw_add_relaxed(&task->refs, 1);
    cw__job_unlock_cancelling(job, state);
    if (task) {
        if (!(state & CW__JOB_BODY_DONE) && cw__task_kick(task)) {
            task->next = NULL;
            cw__dispatch_resumed(self, task);
        }
        cw__job_drop(task);
    }
    cw__dispatch_woken(self, &woken);
    if (!begun) {                                    /* it never will */
        (void)cw__context_admit(self, job->context); /* to be counted out */
        cw__job_finish(self, job, NULL);
    } else if (job->flags & CW__JOB_BARE) {
        cw__job_finish(self, job, NULL);
    }
    return true;
}

/* Takes the next child that no cancel has seen, with a reference, and the
 * error to cancel it with (owned). NULL if there is none. */
static cw_job *take_unvisited(cw_job *job, cw_error **cause)
{
    uint32_t state = cw__adopt_fresh(job, cw__job_lock(job));
    cw_job *child = state & CW__JOB_CHILDREN ? job->children : NULL;
    if (child && !child->visited) {
        child->visited = 1;
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
 * everything below it before its younger siblings. The way back up is kept in
 * `cancel_next` of the jobs on it; that field belongs to whoever took the job
 * from its parent's list, so walks that meet do not disturb each other. */
void cw__cancel_children(cw__worker *self, cw_job *root)
{
    cw_error *wrapped = cw__job_cancellation(root);
    cw_job *job = root;
    for (;;) {
        cw_error *cause;
        cw_job *child = take_unvisited(job, &cause);
        if (child) {
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
            cw__job_drop(job);
            job = up;
        }
    }
    cw_error_release(wrapped);
}

void cw_cancel(cw_job *job, cw_error *cause)
{
    cw__worker *self = cw__self;
    cw_job_retain(job);
    if (begin_cancelling(self, job, cw__error_cancelled(cause), NULL))
        cw__cancel_children(self, job);
    cw__job_drop(job);
}

/* Takes references to all such children. False: there was no room for all of
 * them; `*count` tells how many there are. */
static bool take_children(cw_job *job, bool parts, cw_job **children,
                          size_t *count)
{
    size_t room = *count, found = 0;
    uint32_t state = cw__job_lock(job);
    state = cw__adopt_fresh(job, state);
    cw_job *first = state & CW__JOB_CHILDREN ? job->children : NULL;
    for (cw_job *child = first; child; child = child->after) {
        bool counts = parts ? (child->flags & CW__JOB_LONELY) != 0
                            : !(child->flags & CW__JOB_LEAF);
        if (counts && found++ < room) children[found - 1] = child;
        if (child->after == first) break;
    }
    for (size_t i = 0; found <= room && i < found; i++)
        cw_add_relaxed(&children[i]->refs, 1);
    cw__job_unlock(job, state);
    *count = found;
    return found <= room;
}

/* Cancels the direct children that are parts of the body, or those that are not
 * its waits. */
static int cancel_some(cw_job *job, bool parts, cw_error *cause)
{
    size_t count = 0, room = 0;
    cw_job **children = NULL;
    while (!take_children(job, parts, children, &count)) {
        if (children) cw__free(children, room * sizeof *children);
        room = count;
        children = cw__alloc(room * sizeof *children);
        if (!children) return CW_ENOMEM;
    }
    cw_error *error = cw__error_cancelled(cause);
    for (size_t i = 0; i < count; i++) {
        cw_cancel(children[i], error);
        cw__job_drop(children[i]);
    }
    cw_error_release(error);
    if (children) cw__free(children, room * sizeof *children);
    return CW_OK;
}

int cw_cancel_children(cw_job *job, cw_error *cause)
{
    return cancel_some(job, false, cause);
}

int cw__cancel_parts(cw_job *job) { return cancel_some(job, true, NULL); }

void cw__tell_failure(cw__worker *self, cw_job *job, cw_error *error)
{
    while (job) {
        cw_job *above = NULL;
        if (begin_cancelling(self, job, cw_error_retain(error), &above))
            cw__cancel_children(self, job);
        cw__job_drop(job);
        job = above;
    }
}
