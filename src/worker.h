/* worker.h: one worker of a context, its run loop and its sleep.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_WORKER_H
#define CW_WORKER_H

#include "base.h"
#include "inbox.h"
#include "job.h"
#include "platform.h"
#include "rank.h"
#include "ring.h"
#include "trace.h"

/* Why cw__worker_run() came back. */
typedef enum cw__run {
    CW__RUN_END,   /* the context is closed and empty, or `until` is final */
    CW__RUN_SLEEP, /* nothing to do: wait in the host's event loop, on `word`,
                      until `wake_at_ns` */
    CW__RUN_VISIT, /* the host's event loop wants a turn; come back then */
    CW__RUN_GO_ON, /* code of the host was told to go on: come back when it
                      has done so */
    CW__RUN_MORE   /* only inside of worker.c */
} cw__run;

typedef struct cw__worker {
    cw_context *context;
    uint32_t index;
    uint8_t mark; /* in `last` of the jobs that it ran last, see job.h */
    char name[59];

    /* Written by others; each on a line of its own. */
    _Alignas(CW_CACHE_LINE) _Atomic uint32_t word; /* 1: woken; the futex */
    cw__inbox inbox;                               /* from the host's threads */
    _Atomic uint32_t deaf;    /* its thread has ended: nobody reads the inbox */
    _Atomic(cw_job *) handed; /* given to it while it was free: goes first */
    _Atomic uint32_t free;    /* it has nothing to do: sleeps or looks for work;
                                 written by the owner */
    _Alignas(CW_CACHE_LINE) cw__ring ring;

    /* The owner's. */
    _Alignas(CW_CACHE_LINE) cw_job *current; /* runs now */
    _Atomic uint32_t gate;       /* see kill_gate.h; others change it, too */
    uint32_t gate_turn;          /* of the last killable step */
    _Atomic uint32_t wanted;     /* somebody wants to hold it at its gate */
    _Atomic uintptr_t thread_id; /* of its present thread, see platform.h */
    uint64_t progress;           /* of who wants to kill it, see there */
    bool ended;            /* it was killed, and gets no other thread, though it
                              still counts as running: see end_workers.c */
    bool host_killable;    /* the host's own code here may be killed as well */
    bool guarded;          /* that, or a killable job's step is under way here:
                              else no look is needed at what the gate opens for */
    struct cw__life *life; /* of its present thread, see lost.h */
    cw_job *scope;         /* of that thread, or NULL: see worker_scope.c */
    struct cw__interrupted *interrupted; /* what `current` runs on top of */
    struct cw__worker *outer; /* the worker of another context that the thread
                                 is as well, in a blocking call */
    cw_job *slot;      /* resumed last: goes next; empty while a job runs */
    cw_job *done;      /* ended jobs of one parent, not detached yet ... */
    cw_job *done_last; /* ... newest of them */
    uint32_t done_count;
    bool running;       /* inside of cw__worker_run() */
    uint32_t in_place;  /* jobs that began inside of others' steps, one in the
                           other */
    cw_job *beneath;    /* then: whose step `current` interrupts */
    uint32_t tick;      /* counts turns of the loop */
    uint32_t slot_hits; /* turns in a row that the slot was used */
    cw__turns turns;    /* of jobs that have not begun */
    uint32_t random;
    _Atomic int64_t slept_at_ns; /* when it last went to sleep ... */
    int64_t woke_at_ns;          /* ... and got up from a futex */
    int64_t wake_at_ns;          /* for CW__RUN_SLEEP */
    bool naps;                   /* counted in the context's `nappers` */
    cw_error *failure;           /* what cw_fail() left */

    /* The host's event loop on this thread. */
    bool has_loop;  /* the thread has one to go back to */
    bool may_futex; /* false on the page, which may not sleep in here */
    _Atomic uint32_t
        asleep_in_loop;   /* between CW__RUN_SLEEP and the next run */
    uint32_t foreign;     /* host operations that need the loop to proceed */
    bool host_ran;        /* code of the host has ever run here */
    bool host_called;     /* ... since the loop had its last turn */
    bool host_goes_on;    /* ... and wants to go on before the next job */
    bool keeps_place;     /* the job of this step keeps its place in its view */
    uint32_t sends;       /* steps that only sent a body elsewhere */
    uint32_t since_clock; /* jobs since the last look at the clock for it */
    int64_t last_visit_ns; /* when the loop had its last turn */
    bool expects;          /* see cw__worker_expect() ... */
    uint16_t in_vain;      /* a number that grows with each time it was ... */
    uint16_t left_out;     /* and how many are still to be left out for that */
    int64_t expects_until_ns;
    uintptr_t undelivered; /* taken from the inbox, for the next turn */
    cw__line pinned;       /* ready, and of this worker alone */
    void *host_data;
    bool begun;    /* has a thread, in a context that grows; of who wakes it */
    bool unjoined; /* has lost its first thread; of who declares that dead */
    struct cw__here *here;    /* what it runs in place, see in_place.c */
    struct cw__place *places; /* of views, where it runs something: view.c */

    /* Counters: written by the owner, read by everybody. */
    _Atomic uint64_t launched, completed, failed, cancelled, steps, steals,
        stolen, parks, timers_fired;
    _Atomic uint64_t left; /* `completed`, as cw__context_quiet() sees it */
    cw__trace trace;
    cw__thread thread;
} cw__worker;

/* The worker that the calling thread is; NULL for other threads. */
extern _Thread_local cw__worker *cw__self;

void cw__worker_init(cw__worker *worker, cw_context *context, uint32_t index);

/* Runs jobs until there is nothing to do. A worker without an event loop
 * sleeps in here. `budget`: at most so many jobs, then CW__RUN_VISIT (0: no
 * limit). `until`: come back when this job is final (NULL: none). */
cw__run cw__worker_run(cw__worker *self, uint32_t budget, const cw_job *until);

/* Makes sure that `worker` looks at its inbox soon. */
void cw__worker_unpark(cw__worker *worker);

/* Queues a job with CW__JOB_PINNED on its own worker, the caller. */
void cw__worker_pin(cw__worker *self, cw_job *job);

/* What it finds for itself. `searching`: also with other workers; `lingered`:
 * also what was handed to those that sleep in their host's event loop.
 * `*stays`: nobody else may run it. NULL: nothing. */
cw_job *cw__worker_look(cw__worker *self, bool searching, bool lingered,
                        bool *stays);
/* Takes what others have sent to it. */
void cw__worker_read_inbox(cw__worker *self);
/* It has found nothing: sleeps until there is something. Returns a job, or NULL
 * with the reason to leave cw__worker_run() in `*why`. */
cw_job *cw__worker_idle(cw__worker *self, cw__run *why, const cw_job *until);

/* Takes the job that was handed to a free worker, if there is one. */
cw_job *cw__worker_take_handed(cw__worker *worker);

/* Runs a job that the worker has taken. */
void cw__worker_step(cw__worker *self, cw_job *job);
/* Others may have what is in the slot. */
void cw__worker_give_up_slot(cw__worker *self);
/* Detaches the ended jobs that the worker still holds. */
void cw__worker_flush(cw__worker *self);
/* Makes ready what is due by now. */
void cw__worker_fire_timers(cw__worker *self);

/* What a worker is at, to be put back after something that runs on top of it.
 * Linked, since all of it is lost with the thread. */
typedef struct cw__interrupted {
    struct cw__interrupted *outer;
    cw_job *current, *beneath;
    uint32_t in_place;
    cw_job *launching; /* what it is about to get the handle of, two references;
                          NULL: nothing */
    bool killable; /* it may be killed with what it runs on top: it has called
                      for that, and nothing of the runtime is half done */
} cw__interrupted;

static inline void cw__worker_interrupt(cw__worker *self, cw__interrupted *at)
{
    *at = (cw__interrupted){self->interrupted, self->current, self->beneath,
                            self->in_place,    NULL,          false};
    self->interrupted = at;
}

static inline void cw__worker_go_back(cw__worker *self,
                                      const cw__interrupted *to)
{
    self->interrupted = to->outer;
    self->current = to->current;
    self->beneath = to->beneath;
    self->in_place = to->in_place;
}

/* The worker's next random number. */
static inline uint32_t cw__worker_random(cw__worker *self)
{
    uint32_t x = self->random; /* xorshift32 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return self->random = x;
}

static inline void cw__count(_Atomic uint64_t *counter, uint64_t n)
{
    /* relaxed: one writer; readers want a recent value, no order */
    cw_store_relaxed(counter, cw_load_relaxed(counter) + n);
}

/* Lets cw__context_quiet() know of the jobs that have ended here. Not after
 * each one: as long as a worker is busy, the context is not quiet anyway. */
static inline void cw__worker_publish(cw__worker *self)
{
    /* release: whoever sees the count sees that these jobs were launched */
    cw_store_release(&self->left, cw_load_relaxed(&self->completed));
}

#endif /* CW_WORKER_H */
