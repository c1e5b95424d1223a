/* entrance.c: a limit for how many jobs may wait in a context.
 *
 * SPDX-License-Identifier: MIT
 */
#include "entrance.h"

#include "alloc.h"
#include "base.h"
#include "booking.h"
#include "check.h"
#include "context.h"
#include "frame.h"
#include "kill_gate.h"
#include "suspend.h"
#include "view.h"

#include <string.h>

int cw_context_limit_queue(cw_context *context, int max, cw_when_full when_full)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTEXT, context);
    bool known = when_full == CW_FULL_FAIL || when_full == CW_FULL_WAIT;
    if (max < 1 || !known) return CW_EINVAL;
    if (context->count == 0 && !cw__view_is_apart(context)) return CW_ENOTSUP;
    if (context->clock) return CW_ENOTSUP;
    cw__entrance *made = cw__alloc(sizeof *made);
    if (!made) return CW_ENOMEM;
    memset(made, 0, sizeof *made);
    made->max = (uint32_t)max;
    made->when_full = when_full;
    cw__entrance *none = NULL;
    /* acq_rel: who sees it sees what is in it */
    if (cw_cas_acq_rel(&context->entrance, &none, made)) return CW_OK;
    cw__free(made, sizeof *made);
    return CW_ESTATE;
}

/* ---- places */

static bool take_place(cw__entrance *entrance)
{
    bool room = entrance->open || entrance->taken < entrance->max;
    if (room) entrance->taken++;
    return room;
}

int cw__entrance_ask(cw_context *context, const cw_job *scope, int when_full,
                     cw_start how, enum cw__entry *entry)
{
    *entry = CW__FREE_ENTRY;
    /* acquire: pairs with cw_context_limit_queue() */
    cw__entrance *entrance = cw_load_acquire(&context->entrance);
    bool inside = scope && scope->context && scope->context->home == context;
    if (!entrance || inside || how == CW_START_UNDISPATCHED) return CW_OK;
    if (how == CW_START_LAZY) {
        *entry = CW__LATER;
    } else if ((when_full < 0 ? (int)entrance->when_full : when_full) ==
               CW_FULL_WAIT) {
        *entry = CW__IN_LINE;
    } else {
        cw__lock_acquire(&entrance->lock);
        bool room = take_place(entrance);
        cw__lock_release(&entrance->lock);
        if (!room) return CW_EQUEUEFULL;
        *entry = CW__HAS_PLACE;
    }
    return CW_OK;
}

/* ---- the line */

static void put(cw__entrance *entrance, cw_job *job)
{
    cw__booking *booking = &job->extra->booking;
    enum cw__rank rank = cw__rank_of(booking->priority);
    booking->behind = NULL;
    if (entrance->lines[rank].first)
        entrance->lines[rank].last->extra->booking.behind = job;
    else
        entrance->lines[rank].first = job;
    entrance->lines[rank].last = job;
}

static cw_job *take(cw__entrance *entrance)
{
    unsigned waiting = 0;
    for (unsigned rank = 0; rank < CW__RANKS; rank++)
        if (entrance->lines[rank].first) waiting |= 1u << rank;
    if (!waiting) return NULL;
    enum cw__rank rank = cw__turns_next(&entrance->turns, waiting);
    cw__turns_taken(&entrance->turns, rank, waiting);
    cw_job *job = entrance->lines[rank].first;
    entrance->lines[rank].first = job->extra->booking.behind;
    return job;
}

/* Lets a job in that has got a place. False: it has ended meanwhile, or does
 * at once, and the place is free again. */
static bool let_in(cw_job *job)
{
    cw__booking *booking = &job->extra->booking;
    uint32_t state = cw__job_lock(job);
    /* One that is cancelled is not new any more, but may have to begin. */
    bool begins = state & CW__JOB_NEW || job->flags & CW__JOB_ATOMIC;
    cw_continuation *launcher = booking->launcher;
    booking->launcher = NULL;
    booking->held = false;
    booking->has_place = begins;
    cw__job_unlock(job, state & ~(uint32_t)CW__JOB_NEW);
    if (begins) {
        cw_context *context = job->context;
        /* Behind what waits there already, wherever this worker belongs. */
        cw__context_hold(context);
        cw__context_launch(NULL, job, CW__QUEUED);
        cw__context_notify(context);
        cw__context_drop(context);
    }
    if (launcher) {
        cw_none none = CW_NONE;
        cw_resume(launcher, &none);
        cw_continuation_release(launcher);
    }
    return begins;
}

void cw__entrance_enter(cw_job *job)
{
    /* acquire: pairs with cw_context_limit_queue() */
    cw__entrance *entrance = cw_load_acquire(&job->context->entrance);
    cw_context *context = job->context;
    cw_job_retain(job); /* the line's; let in, it may end */
    cw__context_hold(context);
    cw__lock_acquire(&entrance->lock);
    bool room = take_place(entrance);
    if (!room) put(entrance, job);
    cw__lock_release(&entrance->lock);
    if (room) {
        if (!let_in(job)) cw__entrance_give_back(context);
        cw__job_drop(job);
    }
    cw__context_drop(context);
}

void cw__entrance_give_back(cw_context *context)
{
    cw__entrance *entrance = cw_load_acquire(&context->entrance);
    for (;;) { /* those that were cancelled in the line take none */
        cw__lock_acquire(&entrance->lock);
        cw_job *job = take(entrance);
        if (!job) entrance->taken--;
        cw__lock_release(&entrance->lock);
        if (!job) return;
        bool taken = let_in(job);
        cw__job_drop(job);
        if (taken) return;
    }
}

void cw__entrance_open(cw_context *context)
{
    cw__entrance *entrance = cw_load_acquire(&context->entrance);
    for (;;) {
        cw__lock_acquire(&entrance->lock);
        entrance->open = true;
        cw_job *job = take(entrance);
        if (job) entrance->taken++;
        cw__lock_release(&entrance->lock);
        if (!job) return;
        if (!let_in(job)) cw__entrance_give_back(context);
        cw__job_drop(job);
    }
}

/* ---- waiting to be let in */

/* Keeps the body that has launched a job until that is let in. */
static void keep_launcher(cw_continuation *continuation, void *arg)
{
    cw_job *job = arg;
    uint32_t state = cw__job_lock(job);
    bool held = job->extra->booking.held;
    if (held) job->extra->booking.launcher = continuation;
    cw__job_unlock(job, state);
    if (held) return;
    cw_none none = CW_NONE;
    cw_resume(continuation, &none);
    cw_continuation_release(continuation);
}

int cw__launch_wait(cw_frame *frame, cw_job *job)
{
    CW__RUNTIME;
    if (!job) {
        cw__set_error(frame, cw_error_new(cw_last_error(), NULL, NULL));
        return CW__DONE;
    }
    cw__extra *extra = cw__job_has_extra(job);
    bool held = false;
    if (extra && job->flags & CW__JOB_BOOKED) {
        uint32_t state = cw__job_lock(job);
        held = extra->booking.held;
        cw__job_unlock(job, state);
    }
    if (!held) {
        frame->job->wait_mode = CW__WAIT_VALUE;
        return CW__DONE;
    }
    return cw__suspend_with(frame, keep_launcher, job, sizeof(cw_none));
}

int cw__launched(cw_frame *frame)
{
    CW__RUNTIME;
    cw_none none;
    if (frame->job->armed == CW__ARMED_CALL) return cw__suspended(frame, &none);
    return cw__raised(frame);
}
