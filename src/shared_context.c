/* shared_context.c: the contexts that a whole program shares, Default and IO.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each is made when somebody first asks for it. Two who ask at the same time
 * may both make one, since nobody can be kept waiting for threads to start;
 * then one of the two is dropped.
 *
 * IO is a view of a context that starts a thread when there is work and nobody
 * who is free. It has more workers than IO has places: the rest is for the
 * parts of IO that cw_limited_parallelism() makes, which lie beside IO and not
 * in it. The workers are others than Default's, so that whatever blocks there
 * takes nothing from Default.
 */
#include "shared_context.h"

#include "error.h"
#include "in_place.h"
#include "kill_gate.h"
#include "roster.h"
#include "view.h"

enum {
    DEFAULT_WORKERS = 2, /* at least */
    IO_PLACES = 64,      /* at least */
    IO_WORKERS = 256     /* at least, and four times as many as places */
};

static _Atomic(cw_context *) the_default, io_workers, io;
static _Atomic uint32_t io_limit; /* 0: nobody has set it */
static _Atomic uint32_t hosted;   /* Default is the host's */

static uint32_t at_least(uint32_t least, uint32_t wanted)
{
    if (wanted < least) wanted = least;
    return wanted < CW_MAX_WORKERS ? wanted : CW_MAX_WORKERS;
}

/* Makes `fresh` (owned) what `place` holds unless it holds something. Returns
 * what it holds. */
static cw_context *settle_on(_Atomic(cw_context *) *place, cw_context *fresh)
{
    cw_context *made = NULL;
    /* acq_rel: whoever sees the context sees it whole */
    if (cw_cas_acq_rel(place, &made, fresh)) return fresh;
    fresh->permanent = fresh->grows = false;
    cw_context_release(fresh); /* closes it */
    return made;
}

/* ---- Default */

void cw__set_default_context(cw_context *context)
{
    context->permanent = true;
    cw_store_release(&the_default, context);
    cw_store_release(&hosted, 1);
}

cw_context *cw_default_context(void)
{
    CW__RUNTIME;
    cw_context *context = cw_load_acquire(&the_default);
    if (cw_likely(context)) return context;
    int status = cw__context_open(at_least(DEFAULT_WORKERS, cw__processors()),
                                  "default", NULL, NULL, &context);
    cw__set_last_error(status);
    if (status != CW_OK) return NULL;
    cw__roster_free(context);
    context->permanent = true;
    return settle_on(&the_default, context);
}

/* ---- IO */

void cw__set_io_workers(cw_context *context)
{
    context->permanent = true;
    context->timekeeper = NULL; /* all its workers may be blocked */
    cw_store_release(&io_workers, context);
}

int cw_set_io_limit(int limit)
{
    CW__RUNTIME;
    if (limit < 1 || limit > CW_MAX_WORKERS) return CW_EINVAL;
    if (cw_load_acquire(&io)) return CW_ESTATE;
    cw_store_relaxed(&io_limit, (uint32_t)limit);
    return CW_OK;
}

/* What is below IO. NULL with cw_last_error(). */
static cw_context *base_of_io(uint32_t places)
{
    cw_context *context = cw_load_acquire(&io_workers);
    if (context) return context;
    if (cw_load_acquire(&hosted))
        return settle_on(&io_workers, cw_context_retain(cw_default_context()));
    int status = cw__context_open_growing(at_least(IO_WORKERS, 4 * places),
                                          "io", &context);
    cw__set_last_error(status);
    return status == CW_OK ? settle_on(&io_workers, context) : NULL;
}

cw_context *cw_io_context(void)
{
    CW__RUNTIME;
    cw_context *context = cw_load_acquire(&io);
    if (context) return context;
    uint32_t places = cw_load_relaxed(&io_limit);
    if (!places) places = at_least(IO_PLACES, cw__processors());
    cw_context *base = base_of_io(places);
    if (!base) return NULL;
    context = cw__view_new(base, places, "io");
    cw__set_last_error(context ? CW_OK : CW_ENOMEM);
    return context ? settle_on(&io, context) : NULL;
}

cw_context *cw__io_base(const cw_context *context)
{
    return context && context == cw_load_acquire(&io)
               ? cw_load_acquire(&io_workers)
               : NULL;
}

/* ---- what others refuse */

void cw__dispatch_refused(cw__worker *self, cw_job *job)
{
    cw_context *workers = cw_io_context() ? cw_load_acquire(&io_workers) : NULL;
    if (workers)
        cw__dispatch_to(workers, self, job, CW__SPAWNED);
    else
        cw__in_place_turn(job); /* then here, rather than not at all */
}
