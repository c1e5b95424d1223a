/* strays.c: errors that nobody caught, of something that a body has begun.
 *
 * SPDX-License-Identifier: MIT
 *
 * What throws in a timer, in a callback, or by a promise that nobody looks at
 * has come from some body, and the event loop does not tell from which. If only
 * one is under way on the thread, it is taken to be from that. What that body
 * waits for may now never come, so the job is over without it: the body is
 * abandoned. It may go on all the same, as what a task has left behind, and
 * comes to an end that nobody is told.
 */
#include "bridge.h"

#include "error.h"
#include "gate.h"
#include "kill.h"

/* A scope is a part of a body. */
static bool is_body(const cwb_open *open)
{
    return !(open->job->flags & CW__JOB_INSIDE);
}

/* The only body that is under way on this realm, those below it not counted;
 * NULL if there is none, or more than one. */
cw_job *cwb_only_body(void)
{
    if (cwb_realm->current) return NULL; /* another one is just being run */
    const cwb_open *ring = &cwb_here->open, *open;
    cw_job *top = NULL;
    /* They stand in any order: a function may begin before its caller waits. */
    for (open = ring->next; open != ring; open = open->next)
        if (is_body(open) && (!top || cw__job_is_below(top, open->job)))
            top = open->job;
    for (open = ring->next; open != ring; open = open->next)
        if (is_body(open) && !cw__job_is_below(open->job, top)) return NULL;
    return top;
}

/* The newest of what is open at or below a job; NULL if nothing is. */
static cwb_open *newest_below(const cw_job *above)
{
    cwb_open *ring = &cwb_here->open;
    for (cwb_open *open = ring->next; open != ring; open = open->next)
        if (cw__job_is_below(open->job, above)) return open;
    return NULL;
}

static void put_aside(cwb_open *open)
{
    cwb_open *ring = &cwb_here->abandoned;
    cw_job *job = open->job;
    cwb_open_remove(open);
    *open = (cwb_open){ring->next, ring, job};
    ring->next->before = open;
    ring->next = open;
    /* A scope is kept by JavaScript's own handle. */
    if (job->flags & CW__JOB_INSIDE) return;
    cw_job_retain(job);
    cwb_ticket_of(job)->abandoned = true;
    cwb_realm->foreign--;
}

/* Ends a body, and those here that are below it, with an error (borrowed) that
 * none of them has thrown. */
void cwb_abandon(cw_job *body, cw_error *error)
{
    cw_job_retain(body);
    cw__error_mark_crash(error);
    put_aside(&cwb_ticket_of(body)->open);
    cw__held_lost(body);
    cw__job_finish(cw__self, body, cw_error_retain(error));
    /* These are cancelled by that. */
    cwb_open *open;
    while ((open = newest_below(body)) != NULL) {
        cw_job *job = open->job;
        put_aside(open);
        cw__held_lost(job);
        cw__job_finish(cw__self, job, cw__job_cancellation(job));
    }
    cw__worker_flush(cw__self);
    cw__job_drop(body);
}

/* A body has come to its end. True if its job had ended without it: then the
 * job is not to be used any more. */
uint32_t cwb_is_abandoned(cw_job *job)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    if (!ticket->abandoned) return 0;
    cwb_open_remove(&ticket->open);
    cw__job_drop(job);
    return 1;
}

/* What they still have to say nobody will hear. */
void cwb_forget_abandoned(cwb_home *home)
{
    while (home->abandoned.next != &home->abandoned) {
        cwb_open *open = home->abandoned.next;
        cw_job *job = open->job;
        cwb_open_remove(open);
        cw__job_drop(job);
    }
}
