/* cancel.c: cancelling a tree of jobs, from above and by a failure below.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tree.h"

#include "context.h"
#include "coroutine.h"
#include "error.h"

bool cw__outweighs(const cw_error *error, const cw_error *other)
{
    return !cw__error_is_cancel(error) && cw__error_is_cancel(other);
}

cw_job *cw__told_of_failure(cw_job *job)
{
    cw_job *parent = job->parent;
    if (!parent || job->flags & (CW__JOB_SCOPE | CW__JOB_LONELY) ||
        parent->flags & CW__JOB_SUPERVISOR)
        return NULL;
    return cw_job_retain(parent);
}

/* Makes the job cancelling, with `error` (taken over) as root cause. False if
 * it is that already or its outcome is fixed. Wakes its body and those who
 * want to hear of it early. `above`, unless NULL, gets cw__told_of_failure().
 */
static bool begin_cancelling(cw__worker *self, cw_job *job, cw_error *error,
                             cw_job **above)
{
    uint32_t state = cw__job_lock(job);
    if (state & (CW__JOB_CANCELLING | CW__JOB_SEALED)) {
        cw_error *unused = error;
        if (!(state & CW__JOB_SEALED) && cw__outweighs(error, job->error)) {
            unused = job->error;
            job->error = error;
        }
        cw__job_unlock(job, state);
        cw_error_release(unused);
        return false;
    }
    if (above) *above = cw__told_of_failure(job);
    job->error = error;
    state |= CW__JOB_CANCELLING;
    /* Those who want to hear of it early stand in front. */
    cw__woken woken;
    cw__woken_init(&woken);
    while (job->waiters && job->waiters->early)
        cw__fire_first(job, &woken);
    state = cw__waiters_bit(job, state);
    /* The body cannot end, and so not be freed, before the bit is set: up to
     * then it would have to take this lock. Its park word is ordered behind the
     * bit by the unlock (seq_cst); a body that is about to suspend looks at
     * both in the other order. */
    cw_job *task = job->flags & (CW__JOB_FOREIGN | CW__JOB_BARE)
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
