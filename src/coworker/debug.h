/* coworker/debug.h: what jobs there are, and what they wait for.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_DEBUG_H
#define COWORKER_DEBUG_H

#include "error.h"
#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the library sees to from this call on, 0 (nothing) by default. Best set
 * before the first job is launched: jobs that are there already are not known
 * to CW_DEBUG_JOBS. Launching, suspending and going on take somewhat longer
 * then, and a job some more memory. */
enum {
    CW_DEBUG_JOBS = 1, /* it knows all jobs, and since when each waits */
    CW_DEBUG_DEADLOCKS =
        2 /* it tells when all jobs wait; sets the other, too */
};
typedef void cw_line_fn(void *arg, const char *line);
/* `write` gets the hints that CW_DEBUG_DEADLOCKS leads to, line by line, on the
 * thread that finds out; NULL: they go where the default handler for unhandled
 * failures writes to.
 *
 * A hint comes once after each call of this function, when nothing runs or is
 * queued, no timer is set, no callback is awaited, and either a thread waits
 * for this in cw_run_blocking() or a test, or jobs wait for each other in a
 * circle or for one that nobody has started. It says "may": the library cannot
 * know what threads of the program's own are going to do. */
void cw_debug_set(unsigned options, cw_line_fn *write, void *arg);

/* What a job is. */
typedef enum cw_dump_kind {
    CW_DUMP_LAUNCH,     /* a coroutine or function that was launched ... */
    CW_DUMP_ASYNC,      /* ... or started to be awaited */
    CW_DUMP_SCOPE,      /* a part of the body of another job, `body` */
    CW_DUMP_SUPERVISOR, /* the same, of CW_SUPERVISOR_SCOPE */
    CW_DUMP_BARE,       /* a job without a body */
    CW_DUMP_BARE_SUPERVISOR,
    CW_DUMP_WAIT /* one of the things that a body in JavaScript waits for */
} cw_dump_kind;

typedef enum cw_dump_state {
    CW_DUMP_NEW, /* lazy, and nobody has started it */
    CW_DUMP_ACTIVE,
    CW_DUMP_COMPLETING, /* its body is over, children are not */
    CW_DUMP_CANCELLING
} cw_dump_state;

/* What it does at the moment. */
typedef enum cw_dump_doing {
    CW_DUMP_NOTHING,  /* new, or a job without a body */
    CW_DUMP_READY,    /* queued; without CW_DEBUG_JOBS perhaps running */
    CW_DUMP_RUNNING,  /* of other jobs than the caller's: by CW_DEBUG_JOBS */
    CW_DUMP_IN_SCOPE, /* it is a scope: ask `body` */
    CW_DUMP_OUTSIDE,  /* its body is not of C */
    /* It waits: */
    CW_DUMP_DELAY,
    CW_DUMP_JOIN,     /* for a job, or its result: `waits_for` */
    CW_DUMP_JOIN_ALL, /* for the results of several, `count` of them */
    CW_DUMP_CHILDREN, /* its body is over: for the jobs below */
    CW_DUMP_SEND,     /* at a channel, `object` */
    CW_DUMP_RECEIVE,
    CW_DUMP_CLOSE,
    CW_DUMP_LOCK,    /* for a mutex, `object`; `waits_for`: who holds it, if its
                        owner is a job, or the first part of a coroutine's frame */
    CW_DUMP_ACQUIRE, /* for a semaphore, `object` */
    CW_DUMP_SELECT,  /* for the first of several things, `count` of them */
    CW_DUMP_CALL     /* for somebody to resume its continuation */
} cw_dump_doing;

/* One job. Numbers count the jobs of one dump, from 1 on; 0: none, or one that
 * is not in it. Everything is borrowed for the call that gets it. */
typedef struct cw_dump_entry {
    uint32_t number;
    uint32_t parent; /* its number */
    uint32_t depth;  /* how many are above it in the dump */
    const char *name;
    cw_dump_kind kind;
    cw_dump_state state;
    cw_dump_doing doing;
    uint32_t body;       /* of a scope: the job whose body runs in it */
    uint32_t waits_for;  /* the job that this one waits for */
    const void *object;  /* what it waits at */
    uint32_t count;      /* CHILDREN, JOIN_ALL, SELECT: how many; SEND, RECEIVE:
                            elements in the channel */
    uint32_t capacity;   /* of that channel */
    bool closed;         /* that channel is */
    const char *context; /* its context's name; "": none, or not known */
    uint32_t worker;     /* RUNNING: which of the context's workers runs it,
                            from 1 on; 0: not known */
    int64_t for_ms;      /* how long it has done this; -1: not known */
    const char *at; /* where it waits: the innermost coroutine's name, ... */
    int line;       /* ... and the line in its source; 0: not known */
} cw_dump_entry;
typedef void cw_dump_fn(void *arg, const cw_dump_entry *entry);

/* Tells of a job and all jobs below it, each one before those below; with NULL
 * of all jobs, which takes CW_DEBUG_JOBS. May be called at any time, from any
 * thread, in a body, too; but what it tells of different jobs need not be of
 * the same moment. Returns CW_OK; CW_ENOMEM, then nothing was told; CW_ESTATE:
 * NULL without CW_DEBUG_JOBS. Never blocks. */
int cw_dump_visit(cw_job *root, cw_dump_fn *visit, void *arg);
/* The same as text, a line for each job. */
int cw_dump_job(cw_job *root, cw_line_fn *write, void *arg);
int cw_dump_coroutines(cw_line_fn *write, void *arg); /* all; NULL: as above */

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_DEBUG_H */
