/* losses.c: how many workers a context may lose, and in what time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "losses.h"

#include "alloc.h"
#include "check.h"
#include "error.h"
#include "kill_gate.h"
#include "lock.h"
#include "text.h"

typedef struct moment {
    int64_t at_ns;
    struct moment *next;
} moment;

/* Guarded by the lock, all but the lock. */
struct cw__losses {
    cw__lock lock;
    uint32_t most, count;
    int64_t period_ms;
    moment *oldest, **newest; /* the last losses: `count`, within a period */
};

/* Of a context that has a limit, else NULL. */
static cw__losses *losses_of(const cw_context *context)
{
    /* acquire: pairs with cw__losses_limit() */
    return cw_load_acquire(&context->losses);
}

int cw__losses_limit(cw_context *context, uint32_t count, int64_t period_ms)
{
    cw__losses *losses = losses_of(context);
    if (!losses) {
        cw__losses *fresh = cw__alloc(sizeof *fresh);
        if (!fresh) return CW_ENOMEM;
        *fresh = (cw__losses){.most = 0};
        fresh->newest = &fresh->oldest;
        /* seq_cst: publishes its contents */
        if (cw_cas_seq_cst(&context->losses, &losses, fresh))
            losses = fresh;
        else /* somebody else was faster */
            cw__free(fresh, sizeof *fresh);
    }
    cw__lock_acquire(&losses->lock);
    losses->most = count;
    losses->period_ms = period_ms;
    cw__lock_release(&losses->lock);
    return CW_OK;
}

int cw_context_limit_losses(cw_context *context, int count, int64_t period_ms)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTEXT, context);
    if (count < 0 || period_ms < 0) return CW_EINVAL;
    if (context->count == 0 || context->adopted) return CW_ENOTSUP;
    return cw__losses_limit(context, (uint32_t)count, period_ms);
}

static void free_all(moment *first)
{
    while (first) {
        moment *next = first->next;
        cw__free(first, sizeof *first);
        first = next;
    }
}

/* Takes out the oldest while it is older than the period, or one too many to
 * matter. With the lock. */
static moment *take_old(cw__losses *losses, int64_t now)
{
    moment *taken = NULL;
    for (moment *one; (one = losses->oldest) != NULL;) {
        int64_t end = cw__deadline(one->at_ns, losses->period_ms);
        if (end >= now && losses->count <= losses->most + UINT64_C(1)) break;
        losses->oldest = one->next;
        if (!losses->oldest) losses->newest = &losses->oldest;
        losses->count--;
        one->next = taken;
        taken = one;
    }
    return taken;
}

bool cw__losses_note(cw_context *context)
{
    cw__losses *losses = losses_of(context);
    if (!losses) return false;
    moment *now = cw__alloc(sizeof *now);
    if (!now) return true;
    *now = (moment){cw__context_now(context), NULL};
    cw__lock_acquire(&losses->lock);
    *losses->newest = now;
    losses->newest = &now->next;
    losses->count++;
    moment *old = take_old(losses, now->at_ns);
    bool many = losses->count > losses->most;
    cw__lock_release(&losses->lock);
    free_all(old);
    return many;
}

void cw__losses_inherit(cw_context *context, cw_context *from)
{
    cw__losses *losses = losses_of(context), *before = losses_of(from);
    if (!losses || !before || !before->oldest) return;
    *before->newest = losses->oldest;
    if (!losses->oldest) losses->newest = before->newest;
    losses->oldest = before->oldest;
    losses->count += before->count;
    before->oldest = NULL;
    before->newest = &before->oldest;
    before->count = 0;
}

void cw__losses_inherit_leaks(cw_context *context, const cw_context *from,
                              bool over)
{
    /* relaxed, all: counts. acquire: see cw_context_stats() */
    uint64_t leaked = cw_load_relaxed(&from->leaked);
    if (!over) {
        leaked += from->bytes;
        cw_add_relaxed(&context->zombies, cw_load_acquire(&from->zombies));
    }
    cw_add_relaxed(&context->leaked, leaked);
}

void cw__losses_fail(const cw__worker *worker, const cw__loss *loss)
{
    cw_context *context = worker->context;
    cw__losses *losses = losses_of(context);
    cw__lock_acquire(&losses->lock);
    uint32_t most = losses->most;
    int64_t period_ms = losses->period_ms;
    cw__lock_release(&losses->lock);
    char buffer[240];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "context '");
    cw__text_add(&text, context->name);
    cw__text_add(&text, "' is lost: more than ");
    cw__text_add_number(&text, most);
    cw__text_add(&text, " of its workers were lost within ");
    cw__text_add_number(&text, period_ms < UINT32_MAX ? (uint32_t)period_ms
                                                      : UINT32_MAX);
    cw__text_add(&text, " ms, the last one, '");
    cw__text_add(&text, worker->name);
    cw__text_add(&text, "', as it ");
    cw__text_add(&text, loss->how);
    cw_error *failure = cw_error_new(CW_ELOST, buffer, NULL);
    cw_error *none = NULL;
    /* seq_cst: publishes it, to cw__cancel_refused() */
    if (!cw_cas_seq_cst(&context->failure, &none, failure))
        cw_error_release(failure);
    cw_context_close(context);
}

void cw__losses_free(cw_context *context)
{
    cw__losses *losses = losses_of(context);
    if (losses) {
        free_all(losses->oldest);
        cw__free(losses, sizeof *losses);
    }
    /* acquire: pairs with cw__losses_fail() */
    cw_error_release(cw_load_acquire(&context->failure));
}
