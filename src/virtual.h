/* virtual.h: schedulers whose time is virtual.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_VIRTUAL_H
#define CW_VIRTUAL_H

#include "context.h"
#include "coworker_test.h"

/* A context's role is the enum cw_test_dispatcher that it is; these are bits of
 * it. */
enum { CW__UNCONFINED = 1, CW__BACKGROUND = 2, CW__ROLES = 4 };

struct cw_test_scheduler {
    cw__clock clock;
    _Atomic uint32_t refs; /* its owner's and its contexts' */
    cw_context *contexts[CW__ROLES];

    /* By all threads: */
    _Atomic uint32_t driven; /* 1: a thread drives it, or it is over */
    const void *bound;       /* the thread that alone may, or NULL; fixed */
    void (*changed)(cw_test_scheduler *scheduler); /* the host's, or NULL: as
                                                      `word`. Fixed */
    void *host;                                    /* for that */
    _Atomic uint32_t word; /* futex: 1 when there is something to look at */
    cw__inbox arrivals;    /* jobs that other threads made ready */
    cw__lock lock;         /* guards what follows */
    bool collects;         /* failures that nobody takes, for a test */
    struct cw__failure *failures, **failures_end;
    bool lost_failure; /* there was no memory for one */

    /* Of the thread that drives it: */
    cw__line ready;        /* events at the present moment, in order */
    uint32_t foreground;   /* of these: not in the background */
    cw__line later;        /* wait for the outermost job that runs in place */
    uint32_t in_place;     /* jobs that were begun like that and run now */
    cw_job *again;         /* has yielded in place: goes on at once */
    bool recursive;        /* in place at any depth */
    bool inclusive;        /* advancing includes the moment it leads to */
    uint32_t turns;        /* counts events */
    cw_job *background;    /* parent of what is launched in the background */
    int64_t real_limit_ns; /* when to call out_of_time(), or CW__NEVER */
    void (*out_of_time)(cw_test_scheduler *scheduler);
    void *test; /* for that */
};

/* What its contexts call; the last two are in scheduler.c. */
extern const cw__route cw__virtual_route;
extern const struct cw__clock_calls cw__virtual_calls;
bool cw__collect_failure(cw__clock *clock, cw_error *error);
void cw__scheduler_drop(cw__clock *clock);

static inline cw_test_scheduler *cw__of_clock(cw__clock *clock)
{
    return cw_container_of(clock, cw_test_scheduler, clock);
}

/* The scheduler that has this context; NULL if it is no test dispatcher. */
cw_test_scheduler *cw__scheduler_of(const cw_context *context);

/* Nobody but the calling thread may ever drive it, which runs what is
 * unconfined in place whatever else it does. Before it is used. */
void cw__bind(cw_test_scheduler *scheduler);

/* Makes the calling thread the one that drives the scheduler. CW_OK, or
 * CW_ESTATE: it drives one already (then `*nested`, if that is this one), or
 * another thread does. */
int cw__drive(cw_test_scheduler *scheduler, bool *nested);
void cw__drive_end(cw_test_scheduler *scheduler);
/* The same for good: nobody can drive it any more. */
void cw__drive_last(cw_test_scheduler *scheduler);
/* The one that the calling thread drives, or NULL. */
cw_test_scheduler *cw__driving(void);

/* All of these: by the thread that drives it. */

/* Queues a new job as an event, whatever its dispatcher. */
void cw__schedule(cw_test_scheduler *scheduler, cw_job *job);
/* Runs a job now. */
void cw__run_in_place(cw_test_scheduler *scheduler, cw_job *job);
/* Runs the next event unless it comes after `until_ns`. False: there is none.
 */
bool cw__run_event(cw_test_scheduler *scheduler, int64_t until_ns);
/* True if any event is left, the background ones only if `background`. */
bool cw__has_events(cw_test_scheduler *scheduler, bool background);
/* Waiting in real time: first this, then a look at what one waits for and at
 * the events, then cw__await_change(). */
void cw__expect_change(cw_test_scheduler *scheduler);
void cw__await_change(cw_test_scheduler *scheduler);
/* Notices if the real time is up. */
void cw__check_time(cw_test_scheduler *scheduler);
/* Closes its contexts: what suspends there is cancelled. */
void cw__close(cw_test_scheduler *scheduler);
/* True once all jobs of closed contexts have ended. */
bool cw__quiet(cw_test_scheduler *scheduler);

/* Advancing by one event at a time. */
typedef struct cw__advance {
    cw_test_scheduler *scheduler;
    int64_t until_ns; /* the last moment whose events are run */
    int64_t then_ns;  /* where the clock is moved at the end */
    bool idle;        /* only as long as there are foreground events */
} cw__advance;

cw__advance cw__advance_current(cw_test_scheduler *scheduler);
cw__advance cw__advance_by(cw_test_scheduler *scheduler, int64_t ms);
cw__advance cw__advance_until_idle(cw_test_scheduler *scheduler);
/* False: it is over, and no event was run. */
bool cw__advance_go_on(const cw__advance *advance);

static inline int64_t cw__virtual_now(const cw_test_scheduler *scheduler)
{
    return cw_load_relaxed(&scheduler->clock.now_ns);
}
/* Moves the clock, never back. */
void cw__set_clock(cw_test_scheduler *scheduler, int64_t now_ns);

/* Starts to collect failures; or stops, and puts what was collected behind
 * `error` (owned, or NULL). Returns the outcome, owned. */
void cw__collect_failures(cw_test_scheduler *scheduler);
cw_error *cw__take_failures(cw_test_scheduler *scheduler, cw_error *error);

/* Two errors (owned, or NULL) as one (owned): the first counts. */
cw_error *cw__put_behind(cw_error *first, cw_error *other);

#endif /* CW_VIRTUAL_H */
