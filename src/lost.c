/* lost.c: what becomes of a worker whose thread is gone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lost.h"

#include "alloc.h"
#include "context.h"
#include "error.h"
#include "gate.h"
#include "host.h"
#include "in_place.h"
#include "kill_gate.h"
#include "lock.h"
#include "platform.h"
#include "remains.h"
#include "scope.h"
#include "sleep.h"
#include "text.h"
#include "view.h"
#include "worker_scope.h"

_Thread_local cw__life *cw__own_life;

/* A job whose memory a dead thread may still touch. */
struct cw__lost {
    struct cw__lost *next;
    cw_job *job; /* a reference */
};

enum { DECLARED = 1, PROVED = 2 };

cw__life *cw__life_new(cw__worker *worker)
{
    cw__life *life = cw__alloc(sizeof *life);
    if (!life) return NULL;
    *life = (cw__life){.worker = worker, .context = worker->context};
    cw__context_hold(life->context);
    worker->life = life;
    return life;
}

void cw__life_end(cw__life *life)
{
    cw_context *context = life->context;
    cw__free(life, sizeof *life);
    cw__context_drop(context);
}

/* ---- proof of death */

static void forget_errors(cw_frame *frame)
{
    cw_error_release(frame->error);
    cw_error_release(frame->leaving);
    frame->error = frame->leaving = NULL;
}

static void bury(cw__life *life)
{
    while (life->lost) {
        struct cw__lost *lost = life->lost;
        life->lost = lost->next;
        forget_errors(cw__job_frame(lost->job));
        cw__job_drop(lost->job);
        cw__free(lost, sizeof *lost);
    }
    while (life->frames) {
        cw_frame *frame = life->frames;
        life->frames = frame->callee;
        forget_errors(frame);
        cw__free(frame, frame->type->frame_size);
    }
    if (life->host_data) cw__the_host.life_over(life->host_data);
    if (life->locals) cw__thread_locals_free(life->locals);
    cw_sub_seq_cst(&life->context->zombies, 1);
    cw__life_end(life);
}

/* True if that was the second of both, and all is over. */
static bool over(cw__life *life, uint32_t how)
{
    uint32_t before = cw_load_relaxed(&life->over);
    /* acq_rel: whoever comes second has seen what the other one did */
    while (!cw_cas_weak_acq_rel(&life->over, &before, before | how)) {
    }
    bool last = before && before != (before | how);
    if (last) bury(life);
    return last;
}

void cw__life_proved(cw__life *life) { (void)over(life, PROVED); }

void cw__thread_lost(void)
{
    cw__life *life = cw__own_life;
    cw__self = NULL;
    cw__gate_left = 0;
    cw__own_life = NULL;
    if (cw__the_host.thread_gone) cw__the_host.thread_gone();
    if (life && cw__thread_may_exit()) {
        /* Up to then others read this thread's stack and variables, and inherit
         * its memory. acquire: pairs with over() */
        for (unsigned spins = 0; !(cw_load_acquire(&life->over) & DECLARED);)
            cw__spin(&spins);
        cw__life_proved(life);
        cw__alloc_flush();
    }
    cw__thread_exit();
}

/* ---- what was running */

static void keep(cw__life *life, cw_job *job)
{
    struct cw__lost *lost = life ? cw__alloc(sizeof *lost) : NULL;
    if (!lost) { /* its memory is leaked, if the thread may touch it */
        if (life) cw_job_retain(job);
        return;
    }
    *lost = (struct cw__lost){life->lost, cw_job_retain(job)};
    life->lost = lost;
}

/* Begins to tell what has become of a worker. */
static cw__text tell(char *buffer, size_t room, const char *worker,
                     const cw__loss *loss)
{
    cw__text text = cw__text_begin(buffer, room);
    cw__text_add(&text, "worker '");
    cw__text_add(&text, worker);
    cw__text_add(&text, "' ");
    cw__text_add(&text, loss->how);
    return text;
}

cw_error *cw__loss_of_scope(const cw__worker *worker, const cw__loss *loss)
{
    char buffer[240];
    cw__text text = tell(buffer, sizeof buffer, worker->name, loss);
    cw__text_add(&text, " and its scope ended with it");
    return cw_error_new(CW_ELOST, buffer, loss->cause);
}

cw_error *cw__loss_error(const char *worker, cw_job *job, const cw__loss *loss)
{
    char buffer[240];
    cw__text text = tell(buffer, sizeof buffer, worker, loss);
    cw__text_add(&text, " while it ran '");
    cw__text_add(&text, cw_job_name(job));
    cw__text_add(&text, "'");
    cw_error *cause = cw_error_retain(loss->cause);
    if (!cause && cw__job_cancelling(job)) cause = cw__job_cancellation(job);
    cw_error *lost = cw_error_new(CW_ELOST, buffer, cause);
    cw_error *error = cw__error_cancelled(lost);
    cw_error_release(lost);
    cw_error_release(cause);
    return error;
}

void cw__end_step(cw__worker *worker, cw__life *life, cw_job *job,
                  cw_error *error)
{
    keep(life, job);
    cw__held_lost(job);
    while (job->top->caller) {
        cw_frame *frame = job->top, *caller = frame->caller;
        cw_job *scope = cw__scope_of(job, frame);
        if (!life) forget_errors(frame);
        job->top = caller;
        caller->callee = NULL;
        if (scope) {
            keep(life, scope);
            (void)cw__scope_leave(worker, job, cw_error_retain(error));
            job->scope = scope->scope;
            cw__job_drop(scope);
        } else if (life) {
            frame->callee = life->frames;
            life->frames = frame;
        } else {
            cw__free(frame, frame->type->frame_size);
        }
    }
    if (!life) forget_errors(job->top);
    cw__job_finish(worker, job, cw_error_retain(error));
}

static void drop_steps(cw__worker *worker, cw__life *life, const cw__loss *loss,
                       cw_error *failure)
{
    cw_job *job = worker->current, *last = NULL;
    const cw__interrupted *outer = worker->interrupted;
    worker->current = worker->beneath = NULL;
    worker->interrupted = NULL;
    worker->in_place = 0;
    worker->running = false;
    worker->guarded = worker->host_killable;
    for (;;) { /* from the inside; one may be on top of itself */
        if (job && job != last) {
            cw_error *error = failure ? cw_error_retain(failure)
                                      : cw__loss_error(worker->name, job, loss);
            last = job;
            cw__end_step(worker, life, job, error);
            cw_error_release(error);
        }
        if (!outer) break;
        if (outer->launching) { /* its handle reaches nobody */
            cw__job_drop(outer->launching);
            cw__job_drop(outer->launching);
        }
        job = outer->current;
        outer = outer->outer;
    }
    cw__in_place_give_up(worker);
    cw__view_give_up(worker);
    cw__worker_flush(worker);
    cw__worker_give_up_slot(worker);
}

void cw__worker_drop_steps(cw__worker *worker, const cw__loss *loss,
                           cw_error *failure)
{
    drop_steps(worker, NULL, loss, failure);
}

/* ---- the worker */

/* It was waiting in its event loop. */
static void take_out_of_sleep(cw__worker *worker)
{
    cw_context *context = worker->context;
    if (!cw_load_relaxed(&worker->asleep_in_loop)) return;
    cw_store_relaxed(&worker->asleep_in_loop, 0);
    /* Whoever has cleared its bit has made it a searcher. */
    uint32_t counted = cw__clear_idle_bit(context, worker->index)
                           ? (uint32_t)CW__ONE_SLEEPER
                           : (uint32_t)CW__ONE_SEARCHER;
    cw_sub_seq_cst(&context->idle, counted);
    uint32_t keeper = cw_load_relaxed(&context->keeper);
    if (keeper == worker->index + 1) cw_store_seq_cst(&context->keeper, 0);
}

cw__life *cw__worker_lose(cw__worker *worker, const cw__loss *loss)
{
    cw_context *context = worker->context;
    cw__life *life = worker->life;
    cw__worker *self = cw__self;
    cw_add_seq_cst(&context->zombies, 1);
    cw_add_relaxed(&context->lost, 1);
    worker->life = NULL;
    /* Nobody else is this worker now. */
    cw__self = worker;
    cw__alloc_inherit(life->blocks);
    take_out_of_sleep(worker);
    drop_steps(worker, life, loss, NULL);
    if (cw__the_host.worker_lost) cw__the_host.worker_lost(worker, life, loss);
    cw__worker_scope_lost(worker, loss);
    cw_error_release(worker->failure);
    worker->failure = NULL;
    worker->host_killable = worker->guarded = false;
    worker->host_ran = worker->host_called = false;
    worker->host_goes_on = false;
    /* Who has woken it may be late with a look at this. */
    if (worker->has_loop) worker->has_loop = false;
    worker->foreign = 0;
    cw__worker_publish(worker);
    /* seq_cst, both: pairs with give_if_free() */
    cw_store_seq_cst(&worker->free, 0);
    cw_job *handed = cw_swap_seq_cst(&worker->handed, NULL);
    cw__self = self;
    if (handed) cw__dispatch_to(context, NULL, handed, CW__QUEUED);
    cw_sub_seq_cst(&context->up, 1);
    /* acquire: pairs with who says that nobody joins them */
    if (!worker->unjoined && !cw_load_acquire(&context->joined))
        cw__thread_detach(&worker->thread);
    worker->unjoined = true;
    cw__context_notify(context);
    (void)over(life, DECLARED);
    return life;
}

int cw__worker_replace(cw__worker *worker)
{
    cw__life *life = cw__life_new(worker);
    int status = life ? cw__worker_start(worker) : CW_ENOMEM;
    if (status == CW_OK) return CW_OK;
    worker->life = NULL;
    if (life) cw__life_end(life);
    if (!cw__the_host.deliver) cw__worker_nobody(worker);
    cw__worker_gone(worker);
    return status;
}
