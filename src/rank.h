/* rank.h: whose turn it is among jobs of different priority.
 *
 * SPDX-License-Identifier: MIT
 *
 * High goes before normal, normal before low. So that nobody starves, after
 * CW__HIGH_RUN high ones in a row a normal one goes if there is one, and while
 * a low one waits it goes after CW__OVER_LOW others. Who takes jobs counts for
 * himself: what one worker takes is in an order that is known beforehand.
 *
 * Priority is only about jobs that have not begun. Those of a context are kept
 * beside its queue, which knows nothing of them: it is what the normal ones,
 * and all that have begun, stand in.
 */
#ifndef CW_RANK_H
#define CW_RANK_H

#include "job.h"
#include "lock.h"

enum cw__rank { CW__HIGH, CW__NORMAL, CW__LOW, CW__RANKS };
enum { CW__HIGH_RUN = 4, CW__OVER_LOW = 8 };

/* Sets of ranks. */
enum {
    CW__ANY_HIGH = 1 << CW__HIGH,
    CW__ANY_NORMAL = 1 << CW__NORMAL,
    CW__ANY_LOW = 1 << CW__LOW
};

/* What somebody who takes jobs remembers. */
typedef struct cw__turns {
    uint8_t high;     /* taken in a row */
    uint8_t over_low; /* taken while a low one waited */
} cw__turns;

/* Whose turn it is, if jobs of these ranks wait, one at least. */
enum cw__rank cw__turns_next(const cw__turns *turns, unsigned waiting);
/* One was taken, of those that waited. */
void cw__turns_taken(cw__turns *turns, enum cw__rank rank, unsigned waiting);

static inline enum cw__rank cw__rank_of(int priority)
{
    return priority > 0 ? CW__HIGH : priority < 0 ? CW__LOW : CW__NORMAL;
}

/* The rank of a job that is ready to run. */
static inline enum cw__rank cw__job_rank(const cw_job *job)
{
    if (cw_likely(!(job->flags & CW__JOB_BOOKED)) || job->last != 0)
        return CW__NORMAL;
    return cw__rank_of(job->extra->booking.priority);
}

/* Jobs of all ranks that wait in one place; under a lock of its owner's. */
typedef struct cw__ranked {
    cw__line lines[CW__RANKS];
    cw__turns turns;
} cw__ranked;

void cw__ranked_put(cw__ranked *ranked, cw_job *job);
/* NULL: it is empty. */
cw_job *cw__ranked_take(cw__ranked *ranked);

/* The jobs of a context that are ready and not of normal rank. */
typedef struct cw__aside {
    cw__lock lock;
    cw__line lines[CW__RANKS]; /* LOCKED; the normal one is empty */
    /* Which ranks are there: a set. Written under the lock; seq_cst, as the
     * backlog's count: who puts a job there looks for sleepers after it. */
    _Atomic uint32_t waiting;
} cw__aside;

void cw__aside_put(cw__aside *aside, cw_job *job, enum cw__rank rank);
/* NULL: somebody was faster. */
cw_job *cw__aside_take(cw__aside *aside, enum cw__rank rank);

#endif /* CW_RANK_H */
