/* backlog.c: jobs that are ready to run and that no ring has room for.
 *
 * SPDX-License-Identifier: MIT
 *
 * A list of items, linked through their first member as in an inbox: an item is
 * a job, or, with a mark, a batch of pointers to jobs. Batches are the rule:
 * whoever moves them touches none of the jobs, which are long out of the caches
 * when there are many. Single jobs come from outside, and where there is no
 * memory for a batch.
 */
#include "backlog.h"

#include "alloc.h"
#include "inbox.h"
#include "job.h"

enum { BATCH_MARK = 1 };

struct batch {
    uintptr_t next; /* first, as in a job */
    uint32_t begin, end;
    cw_job *jobs[CW__BATCH_JOBS];
};

static struct batch *batch_of(uintptr_t item)
{
    return item & BATCH_MARK ? (struct batch *)(item - BATCH_MARK) : NULL;
}

static void lock(cw__backlog *backlog)
{
    if (!backlog->alone) cw__lock_acquire(&backlog->lock);
}

static void unlock(cw__backlog *backlog)
{
    if (!backlog->alone) cw__lock_release(&backlog->lock);
}

/* Appends a chain of items that stand for `count` jobs. */
static void append(cw__backlog *backlog, uintptr_t first, uintptr_t last,
                   uint32_t count)
{
    if (backlog->last) {
        cw__inbox_set_next(backlog->last, first);
    } else {
        backlog->first = first;
    }
    backlog->last = last;
    /* seq_cst: the caller looks for sleepers after this */
    cw_store_seq_cst(&backlog->count, cw_load_relaxed(&backlog->count) + count);
}

void cw__backlog_put_chain(cw__backlog *backlog, cw_job *first, cw_job *last,
                           uint32_t count)
{
    last->next = NULL;
    lock(backlog);
    append(backlog, (uintptr_t)first, (uintptr_t)last, count);
    unlock(backlog);
}

/* Puts one job into the batch at the end. */
static bool put_into_last(cw__backlog *backlog, cw_job *job)
{
    struct batch *batch = batch_of(backlog->last);
    if (!batch || batch->end == CW__BATCH_JOBS) return false;
    batch->jobs[batch->end++] = job;
    cw_store_relaxed(&backlog->count, cw_load_relaxed(&backlog->count) + 1);
    return true;
}

void cw__backlog_put(cw__backlog *backlog, cw_job *const *jobs, uint32_t count)
{
    if (backlog->alone && count == 1 && put_into_last(backlog, jobs[0])) return;
    while (count > 0) {
        uint32_t n = count < CW__BATCH_JOBS ? count : CW__BATCH_JOBS;
        struct batch *batch = cw__alloc(sizeof *batch);
        uintptr_t item;
        if (batch) {
            batch->next = 0;
            batch->begin = 0;
            batch->end = n;
            for (uint32_t i = 0; i < n; i++)
                batch->jobs[i] = jobs[i];
            item = (uintptr_t)batch + BATCH_MARK;
        } else {
            n = 1;
            jobs[0]->next = NULL;
            item = (uintptr_t)jobs[0];
        }
        lock(backlog);
        append(backlog, item, item, n);
        unlock(backlog);
        jobs += n;
        count -= n;
    }
}

uint32_t cw__backlog_take(cw__backlog *backlog, uint32_t parts, cw_job **jobs,
                          uint32_t max)
{
    struct batch *used = NULL;
    lock(backlog);
    uint32_t count = cw_load_relaxed(&backlog->count);
    uint32_t share = count / parts + (count % parts != 0);
    if (share > max) share = max;
    for (uint32_t taken = 0; taken < share;) {
        uintptr_t item = backlog->first;
        struct batch *batch = batch_of(item);
        if (batch) {
            while (taken < share && batch->begin < batch->end)
                jobs[taken++] = batch->jobs[batch->begin++];
            if (batch->begin < batch->end) break;
        } else {
            jobs[taken++] = (cw_job *)item;
        }
        backlog->first = cw__inbox_next(item);
        if (!backlog->first) backlog->last = 0;
        if (batch) {
            batch->next = (uintptr_t)used;
            used = batch;
        }
    }
    /* seq_cst: part of others' last look before sleeping */
    if (share) cw_store_seq_cst(&backlog->count, count - share);
    unlock(backlog);
    while (used) {
        struct batch *batch = used;
        used = (struct batch *)batch->next;
        cw__free(batch, sizeof *batch);
    }
    return share;
}
