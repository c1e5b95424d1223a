/* closing.c: when closing a context goes on to cancelling, and to killing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "closing.h"

#include "alloc.h"
#include "check.h"
#include "end_workers.h"
#include "error.h"
#include "host.h"
#include "kill.h"
#include "kill_gate.h"
#include "lock.h"
#include "roster.h"
#include "text.h"

#include <string.h>

enum { RETRY_MS = 4, LAST = -1 };
/* How long workers may take to be killed: for code that is hardly ever out of
 * the runtime, and for what is left to be ended after them. */
static const int64_t kill_at_most_ns = (int64_t)1000 * CW__NS_PER_MS;

struct cw__closing {
    cw__lock lock;                        /* guards these: */
    int64_t cancel_ns, kill_ns, grace_ns; /* CW__NEVER: there is no limit */
    bool cancels;                         /* it has been, or is just */
    bool over;
    cw_job *keeper; /* keeps the times: a reference, or NULL */
    /* The keeper's own: */
    bool kills;
    int64_t give_up_ns;
};

static cw__closing *closing_of(cw_context *context)
{
    /* seq_cst: see is_over() */
    cw__closing *found = cw_load_seq_cst(&context->closing);
    if (found) return found;
    cw__closing *made = cw__alloc(sizeof *made);
    if (!made) return NULL;
    memset(made, 0, sizeof *made);
    made->cancel_ns = made->kill_ns = made->grace_ns = CW__NEVER;
    if (cw_cas_seq_cst(&context->closing, &found, made)) return made;
    cw__free(made, sizeof *made); /* somebody else was faster */
    return found;
}

/* Of a closed context, after its times are known to those who end it. */
static bool is_over(cw_context *context)
{
    if (context->count == 0) return cw__context_quiet(context);
    /* seq_cst: who counts the last one out and sees no times comes before */
    return cw_load_seq_cst(&context->running) == 0;
}

void cw__closing_over(cw_context *context)
{
    cw__closing *closing = cw_load_seq_cst(&context->closing);
    if (!closing) return;
    cw__lock_acquire(&closing->lock);
    cw_job *keeper = closing->keeper;
    closing->keeper = NULL;
    closing->over = true;
    cw__lock_release(&closing->lock);
    if (!keeper) return;
    cw_cancel(keeper, NULL);
    cw_job_release(keeper);
}

void cw__closing_free(cw_context *context)
{
    /* acquire: pairs with closing_of(); the keeper has kept the context */
    cw__closing *closing = cw_load_acquire(&context->closing);
    if (!closing) return;
    cw_job_release(closing->keeper);
    cw__free(closing, sizeof *closing);
}

/* ---- what is done when */

static void cancel_all(cw_context *context)
{
    char buffer[96];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "context '");
    cw__text_add(&text, context->name);
    cw__text_add(&text, "' was closed");
    /* acquire: pairs with cw__losses_fail() */
    cw_error *closed =
        cw_error_new(CW_ECLOSED, buffer, cw_load_acquire(&context->failure));
    cw__roster_cancel(context, closed);
    cw_error_release(closed);
}

/* Cancels if it is time. Tells when killing begins. */
static int64_t cancel_if_due(cw_context *context, cw__closing *closing,
                             int64_t now)
{
    cw__lock_acquire(&closing->lock);
    bool due = now >= closing->cancel_ns && !closing->cancels;
    if (due) closing->cancels = true;
    int64_t kill_ns = closing->kill_ns;
    cw__lock_release(&closing->lock);
    if (due) cancel_all(context);
    return kill_ns;
}

/* In how many milliseconds the keeper is to look again; LAST: not at all. */
static int64_t kill(cw_context *context, cw__closing *closing, int64_t now)
{
    if (cw__the_host.end_context) {
        if (!closing->kills) cw__the_host.end_context(context);
        closing->kills = true;
        return LAST;
    }
    if (!closing->kills) closing->give_up_ns = now + kill_at_most_ns;
    closing->kills = true;
    bool gives_up = now >= closing->give_up_ns;
    return cw__end_workers(context, gives_up) || gives_up ? LAST : RETRY_MS;
}

/* The keeper looks at its clock. */
static int64_t look(cw_context *context)
{
    cw__closing *closing = cw_load_acquire(&context->closing);
    int64_t now = cw__now_ns();
    int64_t kill_ns = cancel_if_due(context, closing, now);
    cw__lock_acquire(&closing->lock);
    bool cancels = closing->cancels;
    int64_t next = cancels ? kill_ns : closing->cancel_ns;
    bool over = closing->over;
    cw__lock_release(&closing->lock);
    if (over || next == CW__NEVER) return LAST;
    if (cancels && now >= kill_ns) return kill(context, closing, now);
    int64_t ms = (next - now + CW__NS_PER_MS - 1) / CW__NS_PER_MS;
    return ms > 0 ? ms : 1;
}

CW_COROUTINE(keep_times, cw_context *, cw_none, int64_t ms;)
{
    CW_BEGIN(self);
    while ((self->ms = look(self->arg)) != LAST)
        CW_DELAY(self, self->ms);
    CW_FINALLY(self);
    cw__context_drop(self->arg);
    CW_END(self);
}

/* ---- being told */

/* Makes a keeper that nobody has launched. CW_OK or an error. */
static int make_keeper(cw_context *context, cw_job **out)
{
    cw_context *place;
    int status = cw__find_keeper(&place);
    if (status != CW_OK) return status;
    /* Atomic: it gives the context back. */
    cw_job *job = cw__job_new(place, &keep_times, CW__JOB_ATOMIC, 1, 0);
    if (!job) return CW_ENOMEM;
    cw__context_hold(context);
    memcpy((char *)job->top + keep_times.arg_offset, &context, sizeof context);
    *out = job;
    return CW_OK;
}

static void forget_keeper(cw_context *context, cw_job *keeper)
{
    if (!keeper) return;
    cw__job_discard(keeper);
    cw__context_drop(context);
}

/* `ns` after that, which may be never. */
static int64_t after(int64_t from_ns, int64_t ns)
{
    return ns > CW__NEVER - from_ns ? CW__NEVER : from_ns + ns;
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* With the lock. True if something comes sooner by that. */
static bool hurry(cw__closing *closing, int64_t now, int64_t drain_ms,
                  int64_t grace_ms)
{
    int64_t cancel_ns = closing->cancel_ns, kill_ns = closing->kill_ns;
    int64_t no_later = cw__deadline(0, grace_ms);
    closing->cancel_ns = earlier(cancel_ns, cw__deadline(now, drain_ms));
    closing->grace_ns = earlier(closing->grace_ns, no_later);
    int64_t from = closing->cancel_ns > now ? closing->cancel_ns : now;
    closing->kill_ns = earlier(kill_ns, after(from, closing->grace_ns));
    return closing->cancel_ns < cancel_ns || closing->kill_ns < kill_ns;
}

/* With the lock. True if somebody has to keep these times. */
static bool has_to_wait(const cw__closing *closing, int64_t now)
{
    bool cancels = !closing->cancels && closing->cancel_ns > now &&
                   closing->cancel_ns != CW__NEVER;
    return cancels || closing->kill_ns != CW__NEVER;
}

/* Notes the times, and `keeper`, if there is one, as who keeps them, if they
 * have to be. Cancels if that is due. */
static void set(cw_context *context, cw__closing *closing, int64_t drain_ms,
                int64_t grace_ms, cw_job *keeper)
{
    int64_t now = cw__now_ns();
    cw__lock_acquire(&closing->lock);
    bool wanted = hurry(closing, now, drain_ms, grace_ms) && keeper &&
                  !closing->over && has_to_wait(closing, now);
    cw_job *before = NULL;
    if (wanted) {
        before = closing->keeper;
        closing->keeper = cw_job_retain(keeper);
    }
    cw__lock_release(&closing->lock);
    if (wanted) {
        cw__context_launch(cw__self, keeper, CW__SPAWNED);
        cw_job_release(keeper);
    } else {
        forget_keeper(context, keeper);
    }
    if (before) {
        cw_cancel(before, NULL);
        cw_job_release(before);
    }
    (void)cancel_if_due(context, closing, now);
    if (is_over(context)) cw__closing_over(context);
}

/* True if an earlier call has given limits that this one may bring forward. */
static bool has_grace(cw__closing *closing)
{
    cw__lock_acquire(&closing->lock);
    bool has = closing->grace_ns != CW__NEVER;
    cw__lock_release(&closing->lock);
    return has;
}

int cw_context_close_within(cw_context *context, int64_t drain_ms,
                            int64_t grace_ms)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(CONTEXT, context);
    if (drain_ms < 0 || grace_ms < 0) return CW_EINVAL;
    if (context->permanent || !context->roster) return CW_ENOTSUP;
    bool drains = cw__deadline(0, drain_ms) != CW__NEVER;
    bool kills = cw__deadline(0, grace_ms) != CW__NEVER;
    /* An executor's threads are not ours, nor known to us. */
    if (kills && context->count == 0 && !context->host_data) return CW_ENOTSUP;
    cw__closing *closing = NULL;
    cw_job *keeper = NULL;
    if (drains || kills) {
        closing = closing_of(context);
        if (!closing) return CW_ENOMEM;
        int status = CW_OK;
        if (kills || drain_ms > 0 || has_grace(closing))
            status = make_keeper(context, &keeper);
        if (status != CW_OK) return status;
    }
    cw_context_close(context);
    if (closing) set(context, closing, drain_ms, grace_ms, keeper);
    return CW_OK;
}
