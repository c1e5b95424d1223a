/* realms.c: JavaScript's worlds, one on each thread, and how they end.
 *
 * SPDX-License-Identifier: MIT
 *
 * A realm whose thread is lost takes along all bodies in JavaScript that have
 * begun there, also those that wait: nobody else could go on with them. What
 * the core itself does for them, their waits and children, ends as always.
 */
#include "bridge.h"

#include "alloc.h"
#include "error.h"
#include "gate.h"
#include "kill.h"
#include "kill_gate.h"
#include "remains.h"
#include "waits.h"

_Thread_local cwb_home *cwb_here;

bool cwb_home_new(cw__worker *worker)
{
    cwb_home *home = cw__alloc(sizeof *home);
    if (!home) return false;
    *home = (cwb_home){.worker = worker, .older = worker->host_data};
    cwb_open_init(&home->open);
    cwb_open_init(&home->abandoned);
    worker->host_data = home;
    return true;
}

void cwb_homes_free(cw_context *context)
{
    for (uint32_t i = 0; i < context->count; i++) {
        cwb_home *home = context->workers[i].host_data;
        while (home) {
            cwb_home *older = home->older;
            cw__free(home, sizeof *home);
            home = older;
        }
    }
}

/* What JavaScript knows the calling realm by. */
cwb_home *cwb_home_address(void) { return cwb_here; }

/* ---- what has begun */

void cwb_open_init(cwb_open *ring) { ring->next = ring->before = ring; }

void cwb_open_put(cwb_open *ring, cwb_open *open, cw_job *job)
{
    *open = (cwb_open){ring->next, ring, job};
    ring->next->before = open;
    ring->next = open;
}

void cwb_open_add(cwb_open *open, cw_job *job)
{
    cwb_open_put(&cwb_here->open, open, job);
}

void cwb_open_remove(cwb_open *open)
{
    if (!open->next) return;
    open->next->before = open->before;
    open->before->next = open->next;
    open->next = NULL;
}

/* ---- being killed */

/* From here on, code of the realm may be killed wherever it is, its event loop
 * included. */
void cwb_become_killable(void)
{
    if (cwb_realm->host_killable || cwb_realm->context == cwb_main) return;
    cwb_realm->host_killable = cwb_realm->guarded = true;
}

/* Around each call of a worker's realm, see web/gate.ts. */
uint32_t cwb_enter(void)
{
    if (cw_unlikely(!cwb_realm)) return CWB_GATE_GONE;
    return cw__runtime_enter() ? CWB_GATE_WAS_OPEN : CWB_GATE_WAS_CLOSED;
}

void cwb_leave(void)
{
    cw__worker *self = cw__self;
    cw__runtime_leave(&self);
}

/* Chromium ends a thread that is busy 2 s after it was told to; others do at
 * once, or when it comes back to its event loop. */
static const int64_t stay_ns = (int64_t)5000 * 1000 * 1000;

/* Whoever ends threads finds this one here. But an engine may have done that
 * already, and let run what the thread was to do next (Chromium): such a one
 * has to come back to its event loop to be over. */
void cwb_thread_gone(void)
{
    static _Atomic uint32_t never;
    cwb_realm = NULL;
    int64_t until = cw__now_ns() + stay_ns;
    for (int64_t left; (left = until - cw__now_ns()) > 0;)
        cw__futex_wait(&never, 0, left);
    cw_js_gone();
}

bool cwb_runs_below(const cw__worker *worker, const cw_job *above)
{
    const cwb_home *home = worker->host_data;
    if (!home) return false;
    const cwb_open *open = home->open.next;
    for (; open != &home->open; open = open->next)
        if (cw__job_is_below(open->job, above)) return true;
    return false;
}

cw_error *cwb_homeless_error(cw_job *job, const cwb_home *home)
{
    static const cw__loss loss = {"was lost", NULL};
    return cw__loss_error(home->worker->name, job, &loss);
}

void cwb_leave_behind(cw_job *job, const cwb_home *home)
{
    if (!(job->flags & CW__JOB_PINNED)) { /* it is in the worker's scope */
        cw__worker_pin(home->worker, job);
        return;
    }
    if (job->flags & CW__JOB_FOREIGN) {
        cw__job_finish(cw__self, job, cwb_homeless_error(job, home));
        return;
    }
    job->flags &= (uint16_t)~CW__JOB_PINNED;
    cw__dispatch(cw__self, job, CW__SPAWNED);
}

static void empty_inbox(uintptr_t chain, const cwb_home *home)
{
    while (chain) {
        uintptr_t item = chain;
        chain = cw__inbox_next(chain);
        if ((item & CW__INBOX_MARK) == CWB_MARK_JOB)
            cwb_leave_behind((cw_job *)(item & ~(uintptr_t)CW__INBOX_MARK),
                             home);
        else
            cwb_discard(item);
    }
}

void cwb_worker_lost(cw__worker *worker, cw__life *life, const cw__loss *loss)
{
    cwb_home *home = worker->host_data;
    if (!home) return;
    /* seq_cst: comes before the look at what was sent to it. What comes later
     * the next realm throws away. */
    cw_store_seq_cst(&home->gone, 1);
    empty_inbox(worker->undelivered, home);
    worker->undelivered = 0;
    empty_inbox(cw__inbox_take(&worker->inbox), home);
    cw_job *job;
    cw__line pinned = worker->pinned;
    worker->pinned = (cw__line){NULL, NULL};
    while ((job = cw__line_take(&pinned)) != NULL)
        cwb_leave_behind(job, home);
    /* The innermost first. */
    while (home->open.next != &home->open) {
        cwb_open *open = home->open.next;
        job = open->job;
        cwb_open_remove(open);
        bool scope = (job->flags & CW__JOB_INSIDE) != 0;
        cw__held_lost(job);
        cw__job_finish(cw__self, job, cw__loss_error(worker->name, job, loss));
        if (scope) cw__job_drop(job); /* the realm's own handle */
    }
    life->host_data = home;
}

void cwb_life_over(void *host_data)
{
    cwb_home *home = host_data;
    cwb_forget_abandoned(home);
    cw__system_free(home->scratch);
    home->scratch = NULL;
}

/* The thread is known not to run any more. */
void cwb_life_proved(cw__life *life) { cw__life_proved(life); }

/* What is to be freed after the calling thread, which is about to end. */
void *cwb_own_locals(void) { return cw__own_life->locals; }

/* ---- what the main realm does about it */

/* A worker's thread has ended by itself, in user code or in its event loop.
 * `how` stands in the scratch buffer, `length` bytes. Returns its life; NULL if
 * it has died inside of the core, which may be in any state now. */
cw__life *cwb_worker_died(cw__worker *worker, uint32_t length)
{
    const cw__loss loss = {cwb_scratch_string(length), NULL};
    /* acquire: what it has done is seen */
    uint32_t gate = cw_load_acquire(&worker->gate);
    if ((gate & CW__GATE_STATE) == CW__GATE_CLOSED || !worker->life)
        return NULL;
    return cw__worker_lose(worker, &loss);
}

/* As cw_elements_with_grace(). */
const cw_elements *cwb_elements_grace(const cw_elements *base, double ms)
{
    return cw_elements_with_grace(base, cwb_whole_ms(ms));
}

/* Starts another thread for it. CW_OK or an error. */
int cwb_worker_replace(cw__worker *worker)
{
    if (cwb_home_new(worker)) return cw__worker_replace(worker);
    cw__worker_gone(worker);
    return CW_ENOMEM;
}

/* The same as cwb_worker_died() for one that was terminated because its context
 * is over. Unless its thread is known not to run any more, it has to be held at
 * its gate first, so that it cannot come back in. */
cw__life *cwb_worker_end(cw__worker *worker, uint32_t is_proved,
                         uint32_t length)
{
    if (!is_proved) {
        if (!worker->life || !cw__gate_hold(worker)) return NULL;
        cw__gate_doom(worker);
    }
    cw__life *life = cwb_worker_died(worker, length);
    if (life) cw__worker_gone(worker);
    return life;
}

/* For one that is going to be terminated, again and again: 1 if no harm is done
 * by that, since it sleeps, or is in user code and cannot get out of that. */
uint32_t cwb_worker_is_calm(cw__worker *worker)
{
    const cw_context *context = worker->context;
    uint32_t bits = cw_load_seq_cst(&context->idle_bits[worker->index / 32]);
    return bits >> worker->index % 32 & 1 || cw__gate_doom_open(worker);
}

/* The same for one that has died inside of the core: what it was in the middle
 * of there stays half done. NULL: that was known before. */
cw__life *cwb_worker_broken(cw__worker *worker, uint32_t length)
{
    const cw__loss loss = {cwb_scratch_string(length), NULL};
    if (!worker->life) return NULL;
    cw__life *life = cw__worker_lose(worker, &loss);
    cw__worker_gone(worker);
    return life;
}

/* For one that was terminated without proof and could not be held: twice, with
 * some time in between. 1 if it can be ended by now as if there was proof. */
uint32_t cwb_worker_doom(cw__worker *worker)
{
    return cw__gate_doom_open(worker);
}

/* What came for the realms of a context after they were gone. */
static void empty_inboxes(cw_context *context)
{
    for (uint32_t i = 0; i < context->count; i++) {
        cw__worker *worker = &context->workers[i];
        const cwb_home *home = worker->host_data;
        if (home) empty_inbox(cw__inbox_take(&worker->inbox), home);
    }
}

/* Ends the jobs that are left in a closed context whose workers are all gone.
 * Returns 1 if none is left. */
uint32_t cwb_context_end_remains(cw_context *context)
{
    do
        empty_inboxes(context);
    while (cw__context_end_remains(context));
    return cw__context_quiet(context);
}

/* ---- traps */

/* Where the stack was when the core was called, and goes back to that after a
 * trap. These have no frames of their own. */
static _Thread_local void *stack_at_entry;

void cwb_stack_save(void)
{
    void *at;
    __asm__ volatile("global.get __stack_pointer\n"
                     "local.set %0"
                     : "=r"(at));
    stack_at_entry = at;
}

void cwb_stack_restore(void)
{
    void *at = stack_at_entry;
    __asm__ volatile("local.get %0\n"
                     "global.set __stack_pointer"
                     :
                     : "r"(at));
}

/* What this thread is running, by name; NULL if that is nothing. */
const char *cwb_running_name(void)
{
    const cw_job *job = cwb_realm->current;
    return job ? cw_job_name(job) : NULL;
}

/* A trap has thrown this thread out of a step, or of whatever it was in. True:
 * that was user code; the jobs whose steps it was in have failed with the error
 * (borrowed), and the worker can go on. */
uint32_t cwb_trapped(cw_error *error)
{
    cw__worker *self = cwb_realm;
    if (cw__gate_left)
        cw__gate_close_killable(self);
    else if (cw_load_relaxed(&self->gate) == CW__GATE_CLOSED)
        return 0;
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    cw__self = self;
    cw__error_mark_crash(error);
    cw__worker_drop_steps(self, NULL, error);
    cw__user_begin(self);
    return 1;
}
