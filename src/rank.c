/* rank.c: whose turn it is among jobs of different priority.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rank.h"

enum cw__rank cw__turns_next(const cw__turns *turns, unsigned waiting)
{
    if (waiting & CW__ANY_LOW && turns->over_low >= CW__OVER_LOW)
        return CW__LOW;
    if (waiting & CW__ANY_HIGH &&
        !(waiting & CW__ANY_NORMAL && turns->high >= CW__HIGH_RUN))
        return CW__HIGH;
    return waiting & CW__ANY_NORMAL ? CW__NORMAL : CW__LOW;
}

void cw__turns_taken(cw__turns *turns, enum cw__rank rank, unsigned waiting)
{
    if (rank == CW__LOW || !(waiting & CW__ANY_LOW))
        turns->over_low = 0;
    else if (turns->over_low < CW__OVER_LOW)
        turns->over_low++;
    if (rank != CW__HIGH)
        turns->high = 0;
    else if (turns->high < CW__HIGH_RUN)
        turns->high++;
}

void cw__ranked_put(cw__ranked *ranked, cw_job *job)
{
    cw__line_put(&ranked->lines[cw__job_rank(job)], job);
}

cw_job *cw__ranked_take(cw__ranked *ranked)
{
    unsigned waiting = 0;
    for (unsigned rank = 0; rank < CW__RANKS; rank++)
        if (ranked->lines[rank].first) waiting |= 1u << rank;
    if (!waiting) return NULL;
    enum cw__rank rank = cw__turns_next(&ranked->turns, waiting);
    cw__turns_taken(&ranked->turns, rank, waiting);
    return cw__line_take(&ranked->lines[rank]);
}

void cw__aside_put(cw__aside *aside, cw_job *job, enum cw__rank rank)
{
    cw__lock_acquire(&aside->lock);
    cw__line_put(&aside->lines[rank], job);
    uint32_t waiting = cw_load_relaxed(&aside->waiting);
    /* seq_cst: the caller looks for sleepers after this */
    cw_store_seq_cst(&aside->waiting, waiting | 1u << rank);
    cw__lock_release(&aside->lock);
}

cw_job *cw__aside_take(cw__aside *aside, enum cw__rank rank)
{
    cw__lock_acquire(&aside->lock);
    cw_job *job = cw__line_take(&aside->lines[rank]);
    uint32_t waiting = cw_load_relaxed(&aside->waiting);
    /* seq_cst: part of others' last look before sleeping */
    if (job && !aside->lines[rank].first)
        cw_store_seq_cst(&aside->waiting, waiting & ~(1u << rank));
    cw__lock_release(&aside->lock);
    return job;
}
