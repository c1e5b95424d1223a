/* coworker/stats.h: counters.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_STATS_H
#define COWORKER_STATS_H

#include "context.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counters of one context since its start, of a view those of the context that
 * it is a view of; a snapshot that need not be consistent between fields while
 * workers run. A job is counted as ended only
 * after those who wait for it have been told, since the count lets a closed
 * context end: they may read one less. After cw_context_join() all are exact.
 */
typedef struct cw_stats {
    uint64_t launched;  /* jobs started */
    uint64_t completed; /* jobs ended, in whatever way */
    uint64_t failed;    /* of these: with an error of their own */
    uint64_t cancelled; /* of these: cancelled */
    uint64_t steps;     /* times a worker ran a job */
    uint64_t steals;    /* times a worker took work from another one */
    uint64_t stolen;    /* jobs that moved this way */
    uint64_t parks;     /* times a worker went to sleep */
    uint64_t wakes;     /* times somebody woke a sleeping worker */
    uint64_t timers;    /* delays that ran out */
    uint32_t workers;   /* workers that are up */
    uint32_t idle;      /* of these: asleep */
    uint32_t lost;      /* workers whose thread was lost, each time */
    uint32_t undead;    /* of these threads: not proved to be dead. Memory that
                           they used, stacks above all, is not used again */
    uint64_t leaked;    /* bytes that are not used again besides: of jobs that a
                           thread may have been in the middle of when their
                           context was lost, and of such contexts */
} cw_stats;

void cw_context_stats(const cw_context *context, cw_stats *out);

/* Bytes that the library took from malloc() for contexts, jobs and frames.
 * Those of jobs and frames are reused for later ones and not given back. */
size_t cw_memory_used(void);
/* Bytes that a suspended coroutine takes besides its own frame struct. */
size_t cw_job_overhead(void);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_STATS_H */
