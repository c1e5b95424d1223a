/* select.h: the parts of a select.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_SELECT_H
#define CW_SELECT_H

#include "channel.h"
#include "gate.h"

/* A select that is under way, on the stack. */
typedef struct cw__selecting {
    cw_frame *frame;
    cw_clause *clauses;
    uint32_t count;
    uint8_t order[CW_MAX_CLAUSES]; /* in which clauses are looked at */
    uint8_t
        locks[CW_MAX_CLAUSES]; /* the same of those whose objects have locks,
                                  in the order of the objects' addresses */
    uint32_t lock_count;
    cw__segment *segment; /* brought along ... */
    cw_channel *needs_it; /* ... for this one */
    cw__aftermath after;
} cw__selecting;

static inline bool cw__clause_is_channel(const cw_clause *clause)
{
    return clause->kind >= CW__ON_SEND &&
           clause->kind <= CW__ON_RECEIVE_CATCHING;
}

static inline bool cw__clause_is_job(const cw_clause *clause)
{
    return clause->kind == CW__ON_JOIN || clause->kind == CW__ON_AWAIT;
}

/* Takes and releases the lock of a clause's channel or gate. */
void cw__clause_lock(const cw_clause *clause);
void cw__clause_unlock(const cw_clause *clause);

static inline uint32_t cw__clause_element_size(const cw_clause *clause)
{
    return ((cw_channel *)clause->object)->buffer.size;
}

/* What can be brought along to a channel; no other one's. */
static inline cw__segment **
cw__segment_for(cw__selecting *select, cw_channel *channel, cw__segment **none)
{
    *none = NULL;
    return select->needs_it == channel ? &select->segment : none;
}

/* All that waiting takes; NULL without memory. */
cw__select *cw__select_new(cw__selecting *select);
void cw__select_free(cw__select *waiting, const cw_clause *clauses);

/* Queues at the channels and mutexes, with their locks held. False if the
 * channel of clause `*index` needs a segment first. */
bool cw__select_queue(cw__selecting *select, cw__select *waiting,
                      uint32_t *index);
/* Registers with jobs and the clock. True if the body must not wait. */
bool cw__select_watch(cw__selecting *select, cw__select *waiting);
/* Takes back all registrations. */
void cw__select_withdraw(cw__select *waiting, cw_clause *clauses);

/* What a look at a clause has found. */
enum cw__readiness {
    CW__NOT_READY,
    CW__READY,
    CW__READY_CLOSED,  /* its channel is closed, or its mutex refuses */
    CW__READY_DROPPED, /* an element had to make room, or got none */
    CW__UNPREPARED     /* its channel needs a segment first */
};

/* The body's own waiter keeps the winner's index up to cw__select_end(). */
static inline void cw__select_keep(cw_job *job, uint32_t index)
{
    job->waiter.owner.index = index;
}

/* A clause takes effect without waiting: no look at cancellation. */
void cw__select_complete(cw_frame *frame, cw_clause *clause, uint32_t index,
                         enum cw__readiness ready);

/* The body raises cancellation: elements that have not been sent, and will not
 * be any more, are given to the hooks. `sent` is the clause that was. */
void cw__select_cancelled(cw_frame *frame, cw_clause *clauses, uint32_t count,
                          cw__select *waiting, uint32_t sent);

#endif /* CW_SELECT_H */
