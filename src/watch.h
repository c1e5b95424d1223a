/* watch.h: what is kept of jobs while the program is debugged.
 *
 * SPDX-License-Identifier: MIT
 *
 * Off by default. When cw_debug_set() has switched it on, a new job gets a
 * record in front of itself: since when it waits, where it runs. Those that
 * nobody watched is above are in a list as well, so that all others can be
 * found below them. Jobs say by CW__JOB_WATCHED that they have a record, and
 * the rest of the core calls what is here by way of a table that is there only
 * then. So it costs others a look at flags that they have at hand, and a
 * program that never switches it on does not carry it.
 */
#ifndef CW_WATCH_H
#define CW_WATCH_H

#include "job.h"
#include "lock.h"

struct cw__worker;

/* In front of a watched job. */
typedef struct cw__watch {
    /* In the list, by its lock: */
    struct cw__watch *next, *prev;
    bool listed;
    cw__lock lock;       /* guards `context` */
    cw_context *context; /* of the job; NULL: it has none, or has ended */
    /* Written by who runs the body, read by everybody: */
    _Atomic int64_t since_ns; /* when it began to run, or ceased to */
    _Atomic uint32_t worker;  /* index + 1 of the worker that runs it now */
    _Atomic uint32_t turns;   /* how often it began to */
} cw__watch;

/* What the core calls, of watched jobs only. */
typedef struct cw__watch_calls {
    void (*made)(cw_job *job);
    /* It is going to run, and has its parent if it is to have one. */
    void (*launched)(cw_job *job);
    /* The worker begins a step of its body, or has come back from one with
     * which the body has not ended. */
    void (*runs)(const struct cw__worker *self, cw_job *job);
    void (*pauses)(cw_job *job);
    void (*moved)(cw_job *job); /* to another context */
    void (*ended)(cw_job *job);
    /* Adds references to all that nobody watched is above and puts them into
     * `jobs`, which has room for `*count`. False: there are more; `*count`
     * tells how many. */
    bool (*list)(cw_job **jobs, size_t *count);
    /* The calling thread is about to sleep: there is nothing to do for it. */
    void (*idle)(void);
} cw__watch_calls;

/* enum of coworker.h, as it was set last. What depends on it comes after a look
 * at it (acquire), the table among it. */
extern _Atomic uint32_t cw__debug_options;
extern const cw__watch_calls *cw__watching; /* NULL, then for good the table */

/* The room for the record, which keeps the job aligned. */
enum { CW__WATCH_BYTES = (sizeof(cw__watch) + 63) / 64 * 64 };

static inline cw__watch *cw__watch_of(cw_job *job)
{
    return (cw__watch *)(void *)((char *)job - CW__WATCH_BYTES);
}

static inline bool cw__is_watched(const cw_job *job)
{
    return cw_unlikely(job->flags & CW__JOB_WATCHED);
}

extern const cw__watch_calls cw__watch_table;

#endif /* CW_WATCH_H */
