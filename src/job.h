/* job.h: one job, its place in the tree, its state.
 *
 * SPDX-License-Identifier: MIT
 *
 * A job is a coroutine or function in execution, a scope inside of one (whose
 * frame belongs to the job whose body runs in it), or a bare supervisor that
 * only holds children together.
 *
 * Two words decide everything:
 *
 * `state` is the job's place in its life. LOCKED guards the child list, the
 * waiter list and `error`; every other change is either made by the holder of
 * LOCKED (who stores the new word on release) or by one compare-and-swap from
 * an unlocked word. No user code runs under LOCKED.
 *
 *      NEW (lazy) --start--> 0
 *      0 (active) --body over, children left--> BODY_DONE
 *      0 or BODY_DONE --cancel or failure--> + CANCELLING
 *      NEW --cancel--> CANCELLING + BODY_DONE, and on as below
 *      any, body over and no child left --> + SEALED --> + FINAL
 *
 *   SEALED means that the outcome is fixed and only the parent has to be told;
 *   FINAL is visible to everybody and never changes.
 *
 * `fresh` is a stack of children that the job's own body has launched and that
 * are not in the child list yet, linked through `before`, newest first. The
 * body pushes without taking the lock; whoever holds LOCKED and wants to see
 * the children moves them to the list first. Only the body pushes, so a body
 * that is over has left nothing there that it does not know of.
 *
 * `park` belongs to the body: whether it is suspended and what has happened to
 * it meanwhile. See coroutine.c.
 */
#ifndef CW_JOB_H
#define CW_JOB_H

#include "atomic.h"
#include "copy.h"
#include "coworker.h"
#include "waiter.h"

enum {
    CW__JOB_LOCKED = 1,
    CW__JOB_CHILDREN = 2,   /* the child list is not empty */
    CW__JOB_WAITERS = 4,    /* the waiter list is not empty */
    CW__JOB_CANCELLING = 8, /* `error` is the root cause; for good */
    CW__JOB_BODY_DONE = 16,
    CW__JOB_SEALED = 32,
    CW__JOB_FINAL = 64,
    CW__JOB_EXTRA = 128,  /* `extra` is there; for good */
    CW__JOB_NEW = 256,    /* lazy, and nobody has started it */
    CW__JOB_VALUED = 512, /* bare: its value is there, so it is complete next */
    CW__JOB_EARLY = 1024, /* some waiters want to hear of cancelling */
    CW__JOB_QUEUED = 2048, /* it may end where it stands, see withdraw.h ... */
    CW__JOB_WITHDRAWN = 4096, /* ... and does, or has */
    CW__JOB_LISTED = 8192     /* made with CW__JOB_TOP; for good */
};

/* Bits of a job's `visited`. */
enum {
    CW__VISITED = 1, /* a cancel of the parent has seen it */
    CW__FOLLOWED = 2 /* a handler of the parent's comes next, see handler.c */
};

/* What a job's `last` consists of. */
enum { CW__LAST = 127, CW__LEFT = 128 };

/* What a job is; fixed when it is made. */
enum {
    CW__JOB_ASYNC = 1,      /* its failure waits for whoever awaits it */
    CW__JOB_SUPERVISOR = 2, /* children's failures do not cancel it */
    CW__JOB_SCOPE = 4,      /* made by CW_SCOPE: `task` runs in it */
    CW__JOB_FOREIGN = 8,    /* its body is the host's: nothing to resume */
    CW__JOB_NOTIFY = 16,    /* tell the host when it is final */
    CW__JOB_BARE = 32,      /* has no body */
    CW__JOB_LONELY = 64,    /* its failure is its caller's, not its parent's */
    CW__JOB_ATOMIC = 128,   /* its body begins even if it is cancelled before */
    CW__JOB_OWNERLESS =
        256,              /* a bare job with nobody above who takes failures */
    CW__JOB_INSIDE = 512, /* runs in place of a body of the host's that waits,
                             or around a part of one: counts for nothing */
    CW__JOB_LEAF = 1024,  /* such a wait: no child for those who look at them */
    CW__JOB_PINNED = 2048,    /* only the worker where it belongs may run it */
    CW__JOB_FRAMELESS = 4096, /* nothing stands behind it, not even a type */
    CW__JOB_WATCHED = 8192,   /* it has a record, see watch.h */
    CW__JOB_KILLABLE = 16384, /* it, or one above it, may be killed: kill.h */
    CW__JOB_BOOKED = 32768,   /* its `booking` says how it begins */
    CW__JOB_TOP = 65536       /* for cw__job_new(): it has an entry for the
                                 roster of its context, see roster.h */
};

typedef struct cw__limit cw__limit;
struct cw__worker;

/* What matters until the body of a job with CW__JOB_BOOKED begins; see
 * booking.h. Fixed before it is launched, but for what says LOCKED. */
typedef struct cw__booking {
    int8_t priority; /* enum cw_priority */
    bool counts;     /* takes a place at its context's entrance, ... */
    bool has_place;  /* ... which it has; of who dispatches and who runs it */
    bool held;       /* stands in line there, or is about to; LOCKED */
    cw_job *behind;  /* the next one in that line; of the entrance */
    cw_continuation *launcher;     /* waits for it to be let in; LOCKED */
    cw__limit *timeout, *deadline; /* not set yet */
    int64_t timeout_ms, deadline_ms;
} cw__booking;

/* The two time limits of a job. */
enum { CW__TIMEOUT, CW__DEADLINE, CW__LIMITS };

/* What few jobs have. Made before the job is launched, or with its lock held.
 */
typedef struct cw__extra {
    cw__limit *limits[CW__LIMITS];  /* its time limits; LOCKED */
    const cw_elements *elements;    /* its own; NULL: as its parent's. Fixed */
    bool named;                     /* by these elements, not by its parent's */
    struct cw__report *reports;     /* errors after the first, newest first;
                                       LOCKED */
    cw__booking booking;            /* if BOOKED */
    struct cw__listener *listeners; /* of its progress, in order; LOCKED */
    /* Of a scope: */
    cw_error *timeout; /* what its own time limit cancels it with */
    cw_context *back;  /* where its caller runs, if `moved` */
    uint8_t left;      /* limited: CW__LEFT, if its task had that before */
    bool moved;        /* its body runs, or ran, in another context */
    bool failed;       /* its body raised something */
    bool shielded;     /* from the cancelling of its caller */
} cw__extra;

/* One more error that a job has met. */
typedef struct cw__report {
    struct cw__report *next;
    cw_error *error;
} cw__report;

/* In three parts, so that a short life touches few cache lines: what a launch
 * and the end of a job without children need comes first and last, the latter
 * next to the frame. What is in the middle is not even initialized. */
struct cw_job {
    cw_job *next; /* first, for inbox.h: link in the queue that holds it */
    _Atomic uint32_t state;
    _Atomic uint32_t refs;
    uint16_t flags;
    _Atomic uint8_t park;
    uint8_t visited; /* CW__VISITED, CW__FOLLOWED; under the parent's lock */
    /* Written by who runs the body: */
    uint8_t last; /* 0 before it has begun, else a hint who ran it last: the
                     worker's index modulo CW__LAST, + 1; and CW__LEFT if the
                     body has given a worker back since somebody cleared that */
    uint8_t wait_mode;       /* enum cw__wait_mode */
    uint8_t armed;           /* enum cw__armed: of `waiter` */
    uint8_t fresh_count;     /* put on `fresh` in a row */
    cw_context *context;     /* where it runs */
    cw_job *parent;          /* NULL: none; valid until it has left the list */
    _Atomic(cw_job *) fresh; /* children that are not in the ring yet */
    cw_job *before, *after;  /* neighbours in the parent's ring; fresh children
                                have no `after` */

    cw__waiter waiter;   /* what the body waits for, if it is armed */
    cw__extra *extra;    /* if EXTRA */
    cw_job *cancel_next; /* link in a canceller's list of work */
    cw_job *children;    /* if CHILDREN: first of a ring, in order of launch;
                            LOCKED */

    cw__waiter *waiters; /* first of a ring, in order of arrival; LOCKED */
    cw_error *error;     /* root cause, at the end the outcome; LOCKED */
    cw_job *scope;       /* innermost scope of the body; itself if none */
    cw_frame *top;       /* innermost frame */
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
};

/* Jobs linked through `next`, first in, first out. */
typedef struct cw__line {
    cw_job *first, *last; /* `last` only if there is a first */
} cw__line;

static inline void cw__line_put(cw__line *line, cw_job *job)
{
    job->next = NULL;
    if (line->first)
        line->last->next = job;
    else
        line->first = job;
    line->last = job;
}

/* NULL: it is empty. */
static inline cw_job *cw__line_take(cw__line *line)
{
    cw_job *job = line->first;
    if (job) line->first = job->next;
    return job;
}

/* The frame stands right behind the job. */
static inline cw_frame *cw__job_frame(cw_job *job)
{
    return (cw_frame *)(void *)(job + 1);
}

/* The job whose body runs in this one. */
static inline cw_job *cw__job_task(cw_job *job)
{
    return job->flags & CW__JOB_SCOPE ? cw__job_frame(job)->job : job;
}

/* The index, modulo CW__LAST, of the worker that ran the job last; if it has
 * not begun, one that there is not. Only for who may dispatch it. */
static inline uint32_t cw__job_last_worker(const cw_job *job)
{
    return (job->last & (uint32_t)CW__LAST) - 1;
}

/* Fetches what running the job touches first; it may be gone already. */
static inline void cw__job_prefetch(const cw_job *job)
{
    const char *at = (const char *)job;
    __builtin_prefetch(at, 1);
    __builtin_prefetch(at + sizeof *job, 1);
    __builtin_prefetch(at + sizeof *job + sizeof(cw_frame), 1);
}

/* Makes a new frame of zeros. */
static inline void cw__frame_init(cw_frame *frame, const cw_coroutine *type)
{
    *frame = (cw_frame){.type = type};
    cw__clear(frame + 1, type->frame_size - sizeof *frame);
}

/* What it runs; not for bare jobs. The frame knows, so the job need not. */
static inline const cw_coroutine *cw__job_type(const cw_job *job)
{
    return ((const cw_frame *)(const void *)(job + 1))->type;
}

/* The job's `extra`, made if it has none: NULL without memory. Before the job
 * is launched, or by the body of a scope for that scope. */
cw__extra *cw__job_extra(cw_job *job);
/* The same for a look at it: NULL if it has none. */
static inline cw__extra *cw__job_has_extra(const cw_job *job)
{
    /* acquire: pairs with the release that set the bit */
    return cw_load_acquire(&job->state) & CW__JOB_EXTRA ? job->extra : NULL;
}

/* Makes a job with one reference of its own (the tree's) plus `handles`.
 * `extra` bytes stand behind the frame. NULL without memory. */
cw_job *cw__job_new(cw_context *context, const cw_coroutine *type,
                    unsigned flags, uint32_t handles, uint32_t extra);

/* Puts a new job under `parent`. If the parent is cancelled or over, the child
 * is cancelled with the parent's cause; if it is over, it is not listed. */
void cw__job_attach(cw_job *parent, cw_job *child);
/* The same, cheaper, for the body that runs in `parent`. */
void cw__job_attach_own(cw_job *parent, cw_job *child);

/* The body is over: with a value, or with `error` (takes the reference over).
 * `self` is the calling worker, or NULL. The caller may not touch the job any
 * more unless it holds a reference. False: it was over already, as bare jobs
 * may be, which anybody can complete. */
bool cw__job_finish(struct cw__worker *self, cw_job *job, cw_error *error);

/* Drops one reference. */
void cw__job_drop(cw_job *job);
/* Gives up a new job with one handle, which nobody else knows. */
static inline void cw__job_discard(cw_job *job)
{
    cw__job_drop(job); /* the handle's reference ... */
    cw__job_drop(job); /* ... and the job's own */
}

/* Registers `waiter` for the job's end: CW__PENDING, or CW__DONE if it has
 * ended already. A registered waiter fires once, unless it is disposed of. */
int cw__job_wait(cw_job *job, cw__waiter *waiter);
/* Takes it off again. After this call it will not fire any more. False if it
 * has fired. */
bool cw__job_unwait(cw__waiter *waiter);

/* The error that the body raises at its next suspension point: owned. */
cw_error *cw__job_cancellation(cw_job *job);

static inline bool cw__job_cancelling(const cw_job *job)
{
    /* seq_cst: pairs with the canceller's change of the word, see coroutine.c
     */
    return (cw_load_seq_cst(&job->state) & CW__JOB_CANCELLING) != 0;
}

/* Locks the word; returns it as it was, without LOCKED. */
uint32_t cw__job_lock(cw_job *job);
static inline void cw__job_unlock(cw_job *job, uint32_t state)
{
    /* release: what was written under the lock is seen by the next holder */
    cw_store_release(&job->state, state);
}
/* The same for one who sets CANCELLING. */
static inline void cw__job_unlock_cancelling(cw_job *job, uint32_t state)
{
    /* seq_cst: also ordered with the bodies' park words and fresh children */
    cw_store_seq_cst(&job->state, state);
}

#endif /* CW_JOB_H */
