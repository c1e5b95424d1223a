/* backlog.h: jobs that are ready to run and that no ring has room for.
 *
 * SPDX-License-Identifier: MIT
 *
 * One per context, oldest first. Workers move jobs there and back in batches.
 */
#ifndef CW_BACKLOG_H
#define CW_BACKLOG_H

#include "lock.h"

#include "coworker.h"

#ifndef CW_BATCH_JOBS /* tests/model wants few */
#    define CW_BATCH_JOBS 60
#endif
enum { CW__BATCH_JOBS = CW_BATCH_JOBS }; /* a batch has room for so many */

typedef struct cw__backlog {
    cw__lock lock; /* protects all but `count`, which is only written in it */
    bool alone;    /* one worker, which is the only thread that comes here */
    uintptr_t first, last;  /* see backlog.c */
    _Atomic uint32_t count; /* of jobs */
} cw__backlog;

/* Puts jobs at the end. */
void cw__backlog_put(cw__backlog *backlog, cw_job *const *jobs, uint32_t count);
/* The same with a chain, linked through `next`. */
void cw__backlog_put_chain(cw__backlog *backlog, cw_job *first, cw_job *last,
                           uint32_t count);

/* Takes the oldest ones: `1 / parts` of all, rounded up, but at most `max`.
 * Returns how many. */
uint32_t cw__backlog_take(cw__backlog *backlog, uint32_t parts, cw_job **jobs,
                          uint32_t max);

#endif /* CW_BACKLOG_H */
