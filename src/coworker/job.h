/* coworker/job.h: jobs, and what can be done with all kinds of them.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_JOB_H
#define COWORKER_JOB_H

#include "base.h"
#include "context.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A handle to a launched coroutine or function. Reference-counted; releasing a
 * handle does not affect the job itself. */
typedef struct cw_job cw_job;

cw_job *cw_job_retain(cw_job *job);
void cw_job_release(cw_job *job); /* NULL is allowed */

/* Cancels the job and its children. `cause` (may be NULL; the job takes its
 * own reference) becomes the cause of the CW_ECANCELED error that the job's
 * suspension points raise. No effect on a job that has ended or is being
 * cancelled already. Never blocks. */
void cw_cancel(cw_job *job, cw_error *cause);

bool cw_is_active(const cw_job *job); /* neither cancelled nor ended */
bool cw_is_completed(
    const cw_job *job); /* ended: value, failure or cancelled */
bool cw_is_cancelled(const cw_job *job); /* cancelled or failed, ended or not */

/* The error that a completed job ended with: borrowed as long as the handle is
 * held, NULL if it ended with a value or has not completed. */
cw_error *cw_job_error(const cw_job *job);
/* The name that it was launched with, or its coroutine's or deferred's; "" if
 * it has neither. */
const char *cw_job_name(const cw_job *job);

/* The job that the calling thread runs at the moment, borrowed; or NULL. */
cw_job *cw_current_job(void);
/* The innermost scope of that job, which is what it launches children of: a
 * job, too, borrowed until the scope ends. The job itself if it is in none. */
cw_job *cw_current_scope(void);

/* The job above: owned, or NULL if it never had one or has ended. */
cw_job *cw_job_parent(cw_job *job);

/* Why the job is or was cancelled: its CW_ECANCELED error itself, or one with
 * its failure as cause. Owned; NULL if it is neither cancelled nor failed. */
cw_error *cw_job_cancellation(cw_job *job);

/* Starts a job that was launched with CW_START_LAZY. True for the call that did
 * it; false if it was started before, in whatever way, or is cancelled. Joining
 * or awaiting a lazy job, and launching a child under it, start it, too. A lazy
 * job that nobody ever starts has to be cancelled: its parent waits for it. */
bool cw_job_start(cw_job *job);

/* Cancels all jobs right below this one and what is below them; the job itself
 * goes on. Returns 0 or CW_ENOMEM, then nothing was cancelled. Never blocks. */
int cw_cancel_children(cw_job *job, cw_error *cause);

/* A job without a body: it holds others together and ends when it is told to
 * and all below it have ended. `parent` may be NULL. A failing child cancels
 * it, and it hands the failure on to its own parent. Cancelling completes it,
 * too. Returns an owned handle; NULL with cw_last_error() = CW_ENOMEM. */
cw_job *cw_job_new(cw_job *parent);
/* The same, but its children fail alone: a failure neither cancels it nor the
 * other children, and has no owner unless the child is an async one. */
cw_job *cw_supervisor_job_new(cw_job *parent);

/* Completes a job without a body. Returns 1 for the call that did it, 0 if that
 * was done before, CW_EINVAL for a job with a body. It takes children until the
 * last one has ended. */
int cw_job_complete(cw_job *job);
/* The same with a failure (the job takes its own reference), which cancels the
 * children. `error` must not be NULL. */
int cw_job_complete_exceptionally(cw_job *job, cw_error *error);

/* Calls `call` when the job has ended, once, on the thread that ended it, with
 * its error (borrowed; NULL if it ended with a value); if it has ended already,
 * at once. With CW_ON_CANCELLING already when it is cancelled or fails, with
 * what set that off, or at its end if it never is. With CW_NOT_LATE a handler
 * that comes too late is not called at all. `call` must be quick and must not
 * block. Returns a handle to be given back with cw_handler_dispose(); NULL with
 * cw_last_error() = CW_ENOMEM. */
typedef struct cw_handler cw_handler;
typedef void cw_completion_fn(void *arg, cw_error *error);
enum { CW_ON_CANCELLING = 1, CW_NOT_LATE = 2 };
cw_handler *cw_on_completion(cw_job *job, unsigned flags,
                             cw_completion_fn *call, void *arg);
/* Takes the handler back. It is not called any more after this, except that it
 * may be running on another thread at the moment. NULL is allowed. */
void cw_handler_dispose(cw_handler *handler);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_JOB_H */
