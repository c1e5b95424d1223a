/* op.c: what a body in JavaScript can wait for.
 *
 * SPDX-License-Identifier: MIT
 *
 * An op has two registrations: on what it waits for, and on its scope being
 * cancelled or over. The first to fire puts it into its realm's inbox; the
 * realm takes back the other one before it frees the op.
 */
#include "bridge.h"

#include "alloc.h"
#include "coroutine.h"

#include <string.h>

typedef struct op {
    cw__op head; /* first, for inbox.h */
    cw__worker *home;
    uint32_t token;
    cw_job *scope;    /* keeps a reference */
    cw__waiter timer; /* armed unless it only waits for cancellation */
    cw__waiter early;
    cw_context *context; /* whose timers */
} op;

void cwb_op_fired(cw__op *head)
{
    op *self = cw_container_of(head, op, head);
    cw__worker *home = self->home; /* the op is its realm's afterwards */
    cw__inbox_push(&home->inbox, (uintptr_t)head | CWB_MARK_OP);
    cw__worker_unpark(home);
}

static void destroy(op *self)
{
    cw__job_drop(self->scope);
    cw__free(self, sizeof *self);
}

void cwb_op_deliver(cw__op *head)
{
    op *self = cw_container_of(head, op, head);
    if (self->early.armed) cw__job_unwait(&self->early);
    if (self->timer.armed)
        cw__timer_remove(&self->context->timers, &self->timer);
    uint32_t token = self->token, how = cw_load_acquire(&head->fired);
    cw_job *scope = self->scope;
    cw_job_retain(scope);
    /* As for coroutines of C: what is resumed by then is cancelled. Closing
     * itself ends delays before their time. */
    if (cw_load_seq_cst(&self->context->closed)) cw__cancel_closed(scope);
    destroy(self);
    cw_js_op_fired(token, how);
    cw__job_drop(scope);
}

/* True if the op is registered; otherwise it has been fired already. */
static bool watch_scope(op *self, cw_job *scope)
{
    self->early.kind = CW__WAITER_OP;
    self->early.early = 1;
    self->early.owner.pointer = &self->head;
    if (cw__job_wait(scope, &self->early) == CW__PENDING) {
        self->early.armed = CW__ARMED_JOB;
        return true;
    }
    uint32_t fresh = 0;
    if (cw_cas_acq_rel(&self->head.fired, &fresh, (uint32_t)CW__FIRED_EARLY))
        cwb_op_fired(&self->head);
    return false;
}

static op *make(cw_job *scope, uint32_t token)
{
    op *self = cw__alloc(sizeof *self);
    if (!self) return NULL;
    memset(self, 0, sizeof *self);
    self->home = cw__self;
    self->token = token;
    self->scope = cw_job_retain(scope);
    self->context = cw__self->context;
    return self;
}

/* Fires with CW__FIRED after `ms` milliseconds, or with CW__FIRED_EARLY when
 * the scope is cancelled or over. */
int cwb_op_delay(cw_job *scope, double ms, uint32_t token)
{
    op *self = make(scope, token);
    if (!self) return CW_ENOMEM;
    cw_context *context = self->context;
    if (cw_load_seq_cst(&context->closed)) cw__cancel_closed(scope);
    if (!watch_scope(self, scope)) return CW_OK;
    self->timer.kind = CW__WAITER_OP;
    self->timer.owner.pointer = &self->head;
    self->timer.armed = CW__ARMED_TIMER;
    int64_t now = cw__now_ns();
    bool forever = ms >= (double)(CW__NEVER - now) / 1e6;
    int64_t deadline = forever ? CW__NEVER : now + (int64_t)(ms * 1e6);
    /* The clock or a cancel may fire it from here on, but only this realm, so
     * not before this function is over, frees it. */
    int added = cw__timer_add(&context->timers, &self->timer, deadline);
    if (added < 0) {
        self->timer.armed = CW__UNARMED;
        uint32_t fresh = 0;
        if (!cw_cas_acq_rel(&self->head.fired, &fresh, (uint32_t)CW__FIRED))
            return CW_OK; /* the cancellation is on its way */
        cw__job_unwait(&self->early);
        destroy(self);
        return added;
    }
    cw__context_timer_added(cw__self, context, added == 1);
    if (cw_load_seq_cst(&context->closed)) cw__cancel_closed(scope);
    return CW_OK;
}

/* Fires with CW__FIRED_EARLY when the scope is cancelled or over. */
int cwb_op_cancelled(cw_job *scope, uint32_t token)
{
    op *self = make(scope, token);
    if (!self) return CW_ENOMEM;
    watch_scope(self, scope);
    return CW_OK;
}
