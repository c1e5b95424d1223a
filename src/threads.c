/* threads.c: the threads of a context's workers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "threads.h"

#include "alloc.h"
#include "closing.h"
#include "host.h"
#include "kill_gate.h"
#include "lost.h"

void cw__context_wake_all(cw_context *context)
{
    for (uint32_t i = 0; i < context->count; i++)
        cw__worker_unpark(&context->workers[i]);
    if (cw_unlikely(context->clock))
        context->clock->calls->wake(context->clock);
}

/* So many of its threads have ended. */
static void end_running(cw_context *context, uint32_t count)
{
    /* acq_rel: the last one has seen all that the others did */
    if (cw_sub_acq_rel(&context->running, count) != count) return;
    cw__closing_over(context);
    cw_store_release(&context->ended, CW__ENDED);
    cw__futex_wake(&context->ended);
}

void cw__worker_thread_end(cw__worker *self)
{
    cw_context *context = self->context;
    cw__worker_flush(self);
    cw__context_wake_all(context);
    if (cw__the_host.worker_end) cw__the_host.worker_end(self);
    cw_error_release(self->failure);
    self->failure = NULL;
    cw__self = NULL;
    cw__alloc_flush();
    cw_sub_seq_cst(&context->up, 1);
    cw__own_life = NULL;
    cw__life *life = self->life; /* keeps the context up to here */
    end_running(context, 1);
    if (life)
        cw__life_end(life);
    else
        cw__context_drop(context);
    cw__alloc_flush();
}

static void thread_main(void *arg)
{
    cw__life *life = arg;
    cw__worker *self = life->worker;
    cw__own_life = life;
    life->blocks = cw__alloc_blocks();
    if (life->again) life->locals = cw__thread_locals();
    cw__self = self;
    /* relaxed, both: whoever looks comes after what was launched here */
    cw_store_relaxed(&self->thread_id, cw__thread_id());
    cw_store_relaxed(&self->gate, CW__GATE_CLOSED);
    cw_add_seq_cst(&self->context->up, 1);
    /* A host that has an event loop on this thread runs the worker from
     * there, and ends it with cw__worker_thread_end(). */
    if (cw__the_host.worker_start && cw__the_host.worker_start(self)) return;
    cw__worker_run(self, 0, NULL);
    cw__worker_thread_end(self);
}

void cw__context_never_join(cw_context *context)
{
    cw_store_release(&context->joined, 1);
    for (uint32_t i = 0; i < context->started; i++)
        if (!context->workers[i].unjoined)
            cw__thread_detach(&context->workers[i].thread);
}

/* True: a thread of the host's runs in the memory of a dead one. */
static bool start_again(cw__life *life)
{
    if (!cw__the_host.start_again) return false;
    void *argument = cw__thread_argument(thread_main, life);
    if (!argument) return false;
    life->again = true;
    if (cw__the_host.start_again(argument)) return true;
    life->again = false;
    cw__system_free(argument);
    return false;
}

/* Starts the first thread of a worker. */
static int start_first(cw__worker *worker, cw__life *life)
{
    if (!start_again(life))
        return cw__thread_start(&worker->thread, thread_main, life);
    worker->unjoined = true; /* it was detached in its first life */
    return CW_OK;
}

int cw__context_start(cw_context *context, uint32_t count,
                      bool (*setup)(cw__worker *, void *), void *arg)
{
    for (uint32_t i = 0; i < count; i++) {
        cw__worker *worker = &context->workers[i];
        bool ready = !setup || setup(worker, arg);
        cw__life *life = ready ? cw__life_new(worker) : NULL;
        int status = life ? start_first(worker, life) : CW_ENOMEM;
        if (status != CW_OK) {
            /* Those that run end at once; the rest never was. Nobody can join
             * them. */
            cw__context_never_join(context);
            if (life) cw__life_end(life);
            cw_sub_acq_rel(&context->running, context->count - i);
            cw_context_release(context);
            return status;
        }
        context->started = i + 1;
    }
    return CW_OK;
}

int cw__worker_start(cw__worker *worker)
{
    cw__life *life = worker->life;
    if (start_again(life)) return CW_OK;
    /* Detached: who joins the others may be at it already. */
    cw__thread thread;
    int status = cw__thread_start(&thread, thread_main, life);
    if (status == CW_OK) cw__thread_detach(&thread);
    return status;
}

void cw__workers_gone(cw_context *context, uint32_t count)
{
    cw__context_hold(context);
    end_running(context, count);
    cw__context_drop(context);
}

void cw__worker_gone(cw__worker *worker)
{
    cw__workers_gone(worker->context, 1);
}

bool cw__worker_begin(cw__worker *worker)
{
    if (worker->begun) return true;
    worker->begun = true; /* before its thread can fall asleep again */
    cw__life *life = cw__life_new(worker);
    if (!life) return false;
    if (cw__thread_start(&worker->thread, thread_main, life) != CW_OK) {
        cw__life_end(life);
        return false;
    }
    cw__thread_detach(&worker->thread);
    return true;
}
