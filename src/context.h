/* context.h: a fixed set of workers and what they share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_CONTEXT_H
#define CW_CONTEXT_H

#include "backlog.h"
#include "clock.h"
#include "rank.h"
#include "route.h"
#include "timer.h"
#include "worker.h"

enum { CW__IDLE_WORDS = CW_MAX_WORKERS / 32 };

typedef struct cw__entrance cw__entrance;
typedef struct cw__losses cw__losses;
typedef struct cw__closing cw__closing;

/* Whether those who wait for a context's end have to go on waiting. */
enum cw__ended {
    CW__NOT_ENDED,
    CW__ENDED,   /* the last thread has */
    CW__GIVEN_UP /* some do not end, see closing.h */
};

/* Whether it is of any use that a worker naps, see sleep.c. */
enum cw__naps {
    CW__NAPS_USELESS,
    CW__NAPS_MAY_HELP, /* a body has launched a job, and nobody napped */
    CW__NAPS_HELP
};

struct cw_context {
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    char name[48];
    uint32_t count;   /* workers; 0: others run its jobs */
    uint32_t started; /* threads; fixed once it is open */
    void *host_data;  /* the host's */
    /* Fixed once it is open: */
    const cw__route *route; /* NULL: to its own workers */
    cw_context *home;       /* where its jobs are counted and refused: itself,
                               or, of a view, the one at the bottom */
    cw_context *timekeeper; /* whose timers it uses; NULL: Default's */
    cw__clock *clock;       /* NULL: the platform's */
    uint32_t limit;         /* so many of its jobs run at the same time; 0: as
                               many as there are */
    bool single;            /* all its jobs run on one worker */
    bool permanent;         /* cannot be closed */
    bool away;              /* bodies run in other cores, which say when they
                               begin */
    bool grows;             /* its threads are started when they are needed */
    struct cw__roster *roster; /* NULL: it cannot be closed, or is not a home */
    _Atomic(cw__entrance *) entrance; /* NULL: its queue has no limit */
    void *memory; /* what was allocated; this struct is aligned in it */
    size_t bytes; /* of that */
    _Atomic uint32_t refs;    /* handles and threads */
    _Atomic uint32_t handles; /* the last one to go closes the context */
    _Atomic uint32_t up;      /* threads that run */
    _Atomic uint32_t closed;  /* 1 after cw_context_close() */
    _Atomic uint32_t running; /* threads that have not ended */
    _Atomic uint32_t joined;  /* somebody has joined or detached the threads */
    _Atomic uint32_t ended;   /* futex: enum cw__ended */
    _Atomic uint32_t lost;    /* threads that were declared dead ... */
    _Atomic uint32_t zombies; /* ... and of these, not proved to be */
    _Atomic uint64_t leaked;  /* bytes of jobs that were cut off */
    _Atomic(cw__losses *) losses;   /* NULL: it may lose any number of them */
    _Atomic(cw__closing *) closing; /* NULL: it is not closed within limits */
    _Atomic(cw_error *)
        failure;  /* owned: why it was closed, if it has failed */
    bool adopted; /* its one worker is somebody's own thread */
    uint8_t role; /* which of its clock's contexts it is */

    /* Work from outside and what rings cannot hold. */
    _Alignas(CW_CACHE_LINE) cw__inbox inject; /* jobs, by anybody */
    _Alignas(CW_CACHE_LINE) cw__backlog backlog;
    _Alignas(CW_CACHE_LINE) cw__aside aside; /* what is not of normal rank */

    /* Who sleeps and who searches: sleepers << 16 | searchers. A sleeper's bit
     * is set before it is counted; whoever clears the bit wakes it. */
    _Alignas(CW_CACHE_LINE) _Atomic uint32_t idle;
    /* Sleepers that soon look around, and whether there is reason to be one:
     * enum cw__naps. See sleep.c. */
    _Atomic uint32_t nappers, naps;
    _Atomic uint32_t idle_bits[CW__IDLE_WORDS];
    _Atomic uint32_t keeper;      /* index + 1 of the sleeper that keeps time */
    _Atomic uint32_t next_rested; /* whose turn it is to be given a job */
    cw__timers timers;

    /* Launched from elsewhere than its own workers, and ended there. */
    _Alignas(CW_CACHE_LINE) _Atomic uint64_t outside_launched;
    _Atomic uint64_t outside_completed;
    /* How jobs of a context without workers have ended. */
    _Atomic uint64_t outside_failed, outside_cancelled;
    _Atomic uint64_t wakes;

    cw__worker workers[];
};

/* A reference that keeps the memory, but does not keep the context open. */
void cw__context_hold(cw_context *context);
void cw__context_drop(cw_context *context);

/* What time it is for the context's jobs. */
static inline int64_t cw__context_now(const cw_context *context)
{
    if (cw_unlikely(context->clock))
        return cw_load_relaxed(&context->clock->now_ns);
    return cw__now_ns();
}
/* The moment `ms` milliseconds after `now_ns`, CW__NEVER if there is none. */
static inline int64_t cw__deadline(int64_t now_ns, int64_t ms)
{
    return ms > (CW__NEVER - now_ns) / CW__NS_PER_MS
               ? CW__NEVER
               : now_ns + ms * CW__NS_PER_MS;
}
/* The moment when `ms` milliseconds are over for the context's jobs. */
int64_t cw__context_deadline(const cw_context *context, int64_t ms);

/* Makes a context with one worker, the calling thread. NULL without memory. */
cw_context *cw__context_adopt(const char *name);
/* Makes a context without workers, which has one handle, is its own home and
 * has `bytes` of zeros behind it, see cw__context_data(). NULL without memory.
 */
cw_context *cw__context_routed(const cw__route *route, const char *name,
                               size_t bytes);
/* The same for one that can be closed. */
cw_context *cw__context_routed_closable(const cw__route *route,
                                        const char *name, size_t bytes);
static inline void *cw__context_data(cw_context *context)
{
    return context->workers;
}
/* Drops an adopted context, which must be empty. */
void cw__context_disown(cw_context *context);

/* Starts a context with hooks set first; what cw_new_fixed_worker_context()
 * does. `setup` (may be NULL) is called for each worker before its thread
 * starts; false: there is no memory. Returns 0 and the context in `*out`, or an
 * error code. */
int cw__context_open(uint32_t workers, const char *name,
                     bool (*setup)(cw__worker *, void *), void *arg,
                     cw_context **out);
/* Detaches the threads of one that is open; nobody will join them. */
void cw__context_never_join(cw_context *context);
/* Opens one that is permanent and starts one thread; the others only
 * when there is work for them and nobody else who is free. */
int cw__context_open_growing(uint32_t workers, const char *name,
                             cw_context **out);
/* Starts the thread of a worker of such a context if it has none. Only for who
 * owes the worker a wake-up. False: there is no thread to be had. */
bool cw__worker_begin(cw__worker *worker);
/* Starts the thread of a worker with a new `life`. CW_OK or an error. */
int cw__worker_start(cw__worker *worker);
/* A worker that has lost its thread gets no other; so do several. */
void cw__worker_gone(cw__worker *worker);
void cw__workers_gone(cw_context *context, uint32_t count);

/* The context whose timers those of `context` are. NULL with cw_last_error() if
 * that is Default and cannot be started. */
cw_context *cw__timekeeper(const cw_context *context);

/* Before a job is made that is launched on `*context`: CW_OK, or an error code.
 * A clock may choose another context, or, in `*parent`, whose child it becomes
 * in place of the launching job's. */
static inline int cw__context_may_launch(cw__worker *self, cw_context **context,
                                         cw_job **parent)
{
    cw__clock *clock = (*context)->clock;
    if (cw_likely(!clock)) return CW_OK;
    return clock->calls->launch(clock, self, context, parent);
}
/* A job of `context` (which may be NULL) has failed and nobody takes it. True:
 * the context's clock does. */
static inline bool cw__context_takes_failure(cw_context *context,
                                             cw_error *error)
{
    cw__clock *clock = context ? context->clock : NULL;
    return clock && clock->calls->unhandled(clock, error);
}

/* Where what the worker launches runs, unless it is told otherwise. NULL on a
 * thread that is a worker only for as long as it runs a job, after that. */
static inline cw_context *cw__worker_place(const cw__worker *self)
{
    return self->current ? self->current->context : self->context->home;
}

/* Counts a job in, to be counted out when it ends. False: the context is
 * closed and the job must not be dispatched, but has to end at once. */
bool cw__context_admit(cw__worker *self, cw_context *context);
/* Admits a new job and queues it; on a closed context it ends cancelled. CW_OK,
 * or an error code that the job has ended with. */
int cw__context_launch(cw__worker *self, cw_job *job, enum cw__hint hint);
/* Counts one out. */
void cw__context_leave(cw__worker *self, cw_context *context);

/* The last thing that a worker's thread does with its context: also for a host
 * that runs the worker from its event loop, after CW__RUN_END. */
void cw__worker_thread_end(cw__worker *self);

/* Takes a job with CW__JOB_PINNED to the one worker that may run it. */
void cw__dispatch_pinned(cw_job *job);
/* Queues a job that is ready to run in `context`: its own, or one that its own
 * gives it away to. */
void cw__dispatch_to(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint);
static inline void cw__dispatch(cw__worker *self, cw_job *job,
                                enum cw__hint hint)
{
    cw__dispatch_to(job->context, self, job, hint);
}
/* Queues jobs, linked through `next`, that were waited for. One whose context
 * is closed is cancelled first. */
void cw__dispatch_resumed(cw__worker *self, cw_job *first);
/* Dispatches all that a change has woken, in order. */
void cw__dispatch_woken(cw__worker *self, cw__woken *woken);

/* Takes the caller's share, at most `max`: what stands in the backlog first,
 * then what was injected. Returns how many. */
uint32_t cw__context_take(cw_context *context, cw_job **jobs, uint32_t max);

/* Cancels what of a job runs in its present context, because that does not take
 * it any more. By its body, or whoever is to dispatch it. `cause` may be NULL.
 */
void cw__cancel_refused(cw_job *job, cw_error *cause);
static inline void cw__cancel_closed(cw_job *job)
{
    cw__cancel_refused(job, NULL);
}
/* The same if that is so, for a job that has begun and is to be dispatched. */
static inline void cw__cancel_if_closed(cw_job *job)
{
    /* acquire: pairs with cw_context_close() */
    if (cw_unlikely(cw_load_acquire(&job->context->home->closed)))
        cw__cancel_closed(job);
}

/* Wakes one sleeper if there is one and nobody is searching. */
void cw__context_notify(cw_context *context);
/* True if the last job of a closed context has ended. */
bool cw__context_quiet(cw_context *context);

/* A timer was added: see to it that somebody keeps the time. */
void cw__context_timer_added(cw__worker *self, cw_context *context, bool first);

#endif /* CW_CONTEXT_H */
