/* roster.h: the jobs of a context to which no other job of it leads.
 *
 * SPDX-License-Identifier: MIT
 *
 * Cancelling goes down the tree of jobs. So to reach all jobs of a context it
 * takes those at the top only: the ones without a parent, or with one that runs
 * elsewhere. A job that was launched by another one of the same context, as
 * most are, has nothing to do with this.
 */
#ifndef CW_ROSTER_H
#define CW_ROSTER_H

#include "job.h"
#include "watch.h"

typedef struct cw__roster cw__roster;

/* Stands in front of a job with CW__JOB_TOP. */
typedef struct cw__listed {
    cw_job *next;
    cw_job **at; /* what points to the job; NULL: it is not in the roster */
} cw__listed;

/* The room for it, which keeps the job aligned. */
enum { CW__LISTED_BYTES = (sizeof(cw__listed) + 15) / 16 * 16 };

static inline cw__listed *cw__listed_of(cw_job *job)
{
    size_t watch = cw__is_watched(job) ? CW__WATCH_BYTES : 0;
    return (cw__listed *)(void *)((char *)job - watch - CW__LISTED_BYTES);
}

/* Gives a context that can be closed its roster. False: there is no memory. */
bool cw__roster_make(cw_context *context);
/* For one that cannot be closed, or that nobody uses any more. */
void cw__roster_free(cw_context *context);

/* The flag that a job of `context` needs for cw__job_new() that is going to
 * have this parent, or NULL: CW__JOB_TOP or 0. `own`: the caller runs in the
 * parent, so that this stays in its context meanwhile. */
unsigned cw__roster_flag(const cw_context *context, const cw_job *parent,
                         bool own);

/* Such a job, which may be a scope, begins to count for its context; before
 * anybody asks whether that is closed, so one that closes the context and then
 * cancels finds it, or else it finds the context closed. */
void cw__roster_enter(cw_job *job);
/* It has ended. Once more does no harm. */
void cw__roster_leave(cw_job *job);

/* Cancels all jobs of a closed context, and what is below them. */
void cw__roster_cancel(cw_context *context, cw_error *cause);

#endif /* CW_ROSTER_H */
