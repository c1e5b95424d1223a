/* scope.h: scopes inside of a body.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_SCOPE_H
#define CW_SCOPE_H

#include "job.h"
#include "worker.h"

/* The scope whose body `frame` is; NULL if it is a plain call's or a job's. */
static inline cw_job *cw__scope_of(cw_job *job, const cw_frame *frame)
{
    return job->scope != job && frame == cw__job_frame(job->scope) ? job->scope
                                                                   : NULL;
}

/* The body of the job's innermost scope is over, with `error` (taken over) or a
 * value. True: it ran in another context than its caller, whose context is the
 * job's again. */
bool cw__scope_leave(cw__worker *self, cw_job *job, cw_error *error);

/* The body waits for the end of a scope that is over: gives that up. False: it
 * is not over; true also if there is none. */
bool cw__scope_forget(cw_job *job);

/* The job has just called a scope of another context: makes that the job's own.
 * False: it is closed; then the scope is over without having begun. */
bool cw__scope_move(cw__worker *self, cw_job *job);
/* The job has arrived there. True: its scope was cancelled meanwhile and is
 * over without having begun. */
bool cw__scope_refused(cw_job *job);

#endif /* CW_SCOPE_H */
