/* context.c: a fixed set of workers, from its opening to its end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "context.h"

#include "alloc.h"
#include "check.h"
#include "closing.h"
#include "entrance.h"
#include "error.h"
#include "host.h"
#include "kill_gate.h"
#include "limit.h"
#include "losses.h"
#include "roster.h"
#include "text.h"
#include "threads.h"
#include "worker_scope.h"

#include <string.h>

cw__host cw__the_host;

static cw_context *context_new(uint32_t workers, const char *name, size_t more)
{
    size_t bytes = sizeof(cw_context) + workers * sizeof(cw__worker) + more;
    void *memory = cw__alloc(bytes + CW_CACHE_LINE);
    if (!memory) return NULL;
    /* The allocator's alignment is less than a cache line. */
    uintptr_t aligned =
        ((uintptr_t)memory + CW_CACHE_LINE) & ~(uintptr_t)(CW_CACHE_LINE - 1);
    cw_context *context = (cw_context *)aligned;
    memset(context, 0, bytes);
    context->memory = memory;
    context->bytes = bytes + CW_CACHE_LINE;
    CW__MARK(context, CONTEXT);
    cw__text text = cw__text_begin(context->name, sizeof context->name);
    cw__text_add(&text, name);
    context->count = context->limit = workers;
    context->home = context->timekeeper = context;
    context->backlog.alone = context->single = workers == 1;
    atomic_init(&context->refs, 1);
    cw__timers_init(&context->timers);
    for (uint32_t i = 0; i < workers; i++)
        cw__worker_init(&context->workers[i], context, i);
    return context;
}

void cw__context_hold(cw_context *context)
{
    cw_add_relaxed(&context->refs, 1); /* the caller holds a reference */
}

cw_context *cw_context_retain(cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    cw_add_relaxed(&context->handles, 1);
    cw__context_hold(context);
    return context;
}

void cw__context_drop(cw_context *context)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&context->refs, 1) != 1) return;
    if (!context->adopted && !cw_load_acquire(&context->joined))
        cw__context_never_join(context);
    if (cw__the_host.context_free) cw__the_host.context_free(context);
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker_scope_end(&context->workers[i]);
        cw__system_free(context->workers[i].trace.events);
    }
    cw__timers_free(&context->timers);
    cw__entrance *entrance = cw_load_relaxed(&context->entrance);
    if (entrance) cw__free(entrance, sizeof *entrance);
    cw__losses_free(context);
    cw__closing_free(context);
    cw__roster_free(context);
    if (context->route && context->route->drop) context->route->drop(context);
    cw__clock *clock = context->clock;
    cw__free(context->memory, context->bytes);
    if (clock) clock->calls->drop(clock);
}

void cw_context_release(cw_context *context)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CONTEXT, context);
    if (!context) return;
    /* Threads hold references of their own: without handles nobody could ever
     * close it. acq_rel: comes after all use of the other handles. */
    if (cw_sub_acq_rel(&context->handles, 1) == 1) cw_context_close(context);
    cw__context_drop(context);
}

const char *cw_context_name(const cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    return context->name;
}

int cw_context_workers(const cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    return (int)context->limit;
}

/* ---- opening */

/* A new context whose workers have no threads yet. */
static int prepare(uint32_t workers, const char *name, cw_context **out)
{
    *out = NULL;
    if (workers < 1 || workers > CW_MAX_WORKERS || !name || !*name)
        return CW_EINVAL;
    cw_context *context = context_new(workers, name, 0);
    if (!context) return CW_ENOMEM;
    if (!cw__roster_make(context)) {
        cw__free(context->memory, context->bytes);
        return CW_ENOMEM;
    }
    atomic_init(&context->handles, 1);
    atomic_init(&context->running, workers);
    /* A worker whose thread has not begun looks like one that sleeps in its
     * event loop, so that jobs can be handed to it. Set before any begins. */
    for (uint32_t i = 0; i < workers; i++) {
        atomic_init(&context->workers[i].asleep_in_loop, 1);
        atomic_init(&context->workers[i].free, 1);
        cw_or_seq_cst(&context->idle_bits[i / 32], 1u << i % 32);
    }
    atomic_init(&context->idle, workers << 16);
    *out = context;
    return CW_OK;
}

int cw__context_open(uint32_t workers, const char *name,
                     bool (*setup)(cw__worker *, void *), void *arg,
                     cw_context **out)
{
    cw_context *context;
    int status = prepare(workers, name, &context);
    if (status == CW_OK)
        status = cw__context_start(context, workers, setup, arg);
    *out = status == CW_OK ? context : NULL;
    return status;
}

int cw__context_open_growing(uint32_t workers, const char *name,
                             cw_context **out)
{
    cw_context *context;
    int status = prepare(workers, name, &context);
    if (status == CW_OK) {
        context->workers[0].begun = true;
        status = cw__context_start(context, 1, NULL, NULL);
    }
    *out = NULL;
    if (status != CW_OK) return status;
    cw__context_never_join(context);
    /* Nobody else knows it yet. */
    cw__roster_free(context);
    context->grows = context->permanent = true;
    context->timekeeper = NULL; /* all its workers may be blocked */
    *out = context;
    return CW_OK;
}

cw_context *cw_new_fixed_worker_context(int workers, const char *name)
{
    CW__RUNTIME;
    cw_context *context = NULL;
    int status = workers < 1 ? CW_EINVAL
                             : cw__context_open((uint32_t)workers, name, NULL,
                                                NULL, &context);
    cw__set_last_error(status);
    return context;
}

cw_context *cw__context_adopt(const char *name)
{
    cw_context *context = context_new(1, name, 0);
    if (context) {
        context->adopted = true;
        atomic_init(&context->handles, 1); /* the loop itself */
    }
    return context;
}

cw_context *cw__context_routed(const cw__route *route, const char *name,
                               size_t bytes)
{
    cw_context *context = context_new(0, name, bytes);
    if (context) {
        context->route = route;
        atomic_init(&context->handles, 1);
        atomic_init(&context->ended, CW__ENDED); /* there are no threads */
    }
    return context;
}

cw_context *cw__context_routed_closable(const cw__route *route,
                                        const char *name, size_t bytes)
{
    cw_context *context = cw__context_routed(route, name, bytes);
    if (!context || cw__roster_make(context)) return context;
    cw__free(context->memory, context->bytes);
    return NULL;
}

void cw__context_disown(cw_context *context)
{
    cw__alloc_flush();
    /* Nobody will ever run it again: that is its end. */
    cw_store_release(&context->ended, CW__ENDED);
    cw__futex_wake(&context->ended);
    cw__context_drop(context);
}

void cw_context_close(cw_context *context)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTEXT, context);
    if (context->permanent) return;
    /* What waits to be let in was launched before. acquire: pairs with
     * cw_context_limit_queue() */
    if (cw_load_acquire(&context->entrance)) cw__entrance_open(context);
    uint32_t open = 0;
    /* seq_cst: comes before every later look at the counters and timers */
    if (!cw_cas_seq_cst(&context->closed, &open, 1)) return;
    cw__context_hold(context); /* the last worker may end meanwhile */
    cw__worker *self = cw__self;
    for (;;) { /* delays end now: their coroutines could only be refused */
        cw__woken woken;
        cw__limit *limits;
        if (!cw__timers_due(&context->timers, CW__NEVER, 64, &woken, &limits))
            break;
        cw__dispatch_woken(self, &woken);
        cw__limits_expire(limits);
    }
    cw__context_wake_all(context);
    if (context->route && context->route->close) context->route->close(context);
    cw__context_drop(context);
}

int cw_context_join(cw_context *context)
{
    CW__CHECK_HANDLE(CONTEXT, context);
    if (!cw_load_acquire(&context->closed)) return CW_EINVAL;
    if (!cw__thread_may_block()) return CW_EDEADLK;
    for (cw__worker *self = cw__self; self; self = self->outer)
        if (self->context == context ||
            (context->clock && self->context->clock == context->clock))
            return CW_EDEADLK;
    /* acquire: pairs with the last thread's store */
    uint32_t ended;
    while ((ended = cw_load_acquire(&context->ended)) == CW__NOT_ENDED)
        cw__futex_wait(&context->ended, CW__NOT_ENDED, -1);
    cw__futex_wake(&context->ended); /* others may wait as well */
    if (ended == CW__GIVEN_UP) return CW_ETIMEDOUT;
    uint32_t first = 0;
    if (cw_cas_acq_rel(&context->joined, &first, 1))
        for (uint32_t i = 0; i < context->started; i++)
            if (!context->workers[i].unjoined)
                cw__thread_join(&context->workers[i].thread);
    return CW_OK;
}

/* ---- time */

cw_context *cw__timekeeper(const cw_context *context)
{
    return context->timekeeper ? context->timekeeper : cw_default_context();
}

int64_t cw__context_deadline(const cw_context *context, int64_t ms)
{
    int64_t at = cw__deadline(cw__context_now(context), ms);
    /* Only a virtual clock ever gets there. */
    bool last = at == CW__NEVER && context->clock && ms < INT64_MAX;
    return last ? CW__LAST_MOMENT : at;
}
