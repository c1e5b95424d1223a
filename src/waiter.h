/* waiter.h: what waits for the end of a job, for a moment, or at a channel.
 *
 * SPDX-License-Identifier: MIT
 *
 * A waiter stands in one list or heap of what it waits for, and is guarded by
 * its lock. Most belong to a suspended body: then the job's own `waiter` does,
 * so that waiting allocates nothing. What a change wakes is taken off under the
 * lock and dispatched after it.
 */
#ifndef CW_WAITER_H
#define CW_WAITER_H

#include "coworker.h"

/* Kinds of things that can be waiting. */
enum cw__waiter_kind {
    CW__WAITER_NONE,
    CW__WAITER_TASK,    /* a suspended body: resume it */
    CW__WAITER_GROUP,   /* one of several registrations of one body */
    CW__WAITER_LIMIT,   /* a time limit: cancel the job */
    CW__WAITER_HANDLER, /* a function to call, see handler.c */
    /* Parties, see party.h: */
    CW__WAITER_PARTY,   /* a suspended body: its job's own `waiter` */
    CW__WAITER_CLAUSE,  /* one clause of a body's select */
    CW__WAITER_PRODUCER /* a channel that a job produces for: close it */
};

/* A registration on one job's end, or on a moment in time. */
typedef struct cw__waiter {
    struct cw__waiter *next, *prev; /* under the target's lock */
    union {
        void *pointer; /* GROUP, LIMIT, HANDLER: what to wake */
        size_t index;  /* TASK: which one of several jobs comes next */
        unsigned char bytes[sizeof(void *)]; /* a party's small element */
    } owner;
    union {
        cw_job *job;    /* waits for this job's end */
        uint32_t index; /* place in the timer heap */
        void *object;   /* a party: the channel or gate */
    } target;
    uint8_t kind;
    uint8_t armed;  /* enum cw__armed; the owner's, who keeps it for a TASK */
    uint8_t linked; /* in the target's list or heap; under the target's lock */
    uint8_t early;  /* on a job: fires when that is cancelled, too; on a timer:
                       was cut short by closing the context; a party: what has
                       become of it, enum cw__outcome */
} cw__waiter;

/* Waiters of one target: a ring, in order of arrival; under its lock. */
static inline void cw__waiters_add(cw__waiter **ring, cw__waiter *waiter)
{
    cw__waiter *first = *ring;
    waiter->linked = 1;
    if (!first) {
        *ring = waiter->next = waiter->prev = waiter;
        return;
    }
    waiter->next = first;
    waiter->prev = first->prev;
    first->prev->next = waiter;
    first->prev = waiter;
}

static inline void cw__waiters_remove(cw__waiter **ring, cw__waiter *waiter)
{
    waiter->linked = 0;
    if (waiter->next == waiter) {
        *ring = NULL;
        return;
    }
    waiter->prev->next = waiter->next;
    waiter->next->prev = waiter->prev;
    if (*ring == waiter) *ring = waiter->next;
}

enum cw__armed {
    CW__UNARMED,
    CW__ARMED_JOB,
    CW__ARMED_TIMER,
    CW__ARMED_GROUP,
    CW__ARMED_MOVE, /* not waiting: on its way to another context */
    /* These are ended by those who know what for: */
    CW__ARMED_SEND, /* its party is at a channel ... */
    CW__ARMED_RECEIVE,
    CW__ARMED_CLOSE,
    CW__ARMED_ENTER, /* ... or at a gate */
    CW__ARMED_SELECT,
    CW__ARMED_CALL /* somebody has its continuation */
};

/* How the body's present suspension takes cancellation. */
enum cw__wait_mode {
    CW__WAIT_PROMPT, /* ends it, before, while and after waiting */
    CW__WAIT_SHIELD, /* not at all: a scope waits for its children */
    CW__WAIT_VALUE   /* did not suspend: no look at cancellation */
};

/* What a change has woken, collected under a lock and dispatched after it. */
typedef struct cw__woken {
    cw_job *tasks, **tasks_end;
    cw_handler *handlers, **handlers_end;
    struct cw__waiter *producers; /* jobs that are final, linked by `next` */
} cw__woken;

static inline void cw__woken_init(cw__woken *woken)
{
    woken->tasks = NULL;
    woken->tasks_end = &woken->tasks;
    woken->handlers = NULL;
    woken->handlers_end = &woken->handlers;
    woken->producers = NULL;
}

static inline bool cw__any_woken(const cw__woken *woken)
{
    return woken->tasks || woken->handlers || woken->producers;
}

#endif /* CW_WAITER_H */
