/* worker_scope.c: coroutines that are bound to one worker.
 *
 * SPDX-License-Identifier: MIT
 *
 * Two things make up the scope of a worker: a supervisor, which is cancelled
 * when the worker's thread is lost, and a context without workers, which gives
 * what it is to run to that one worker. The supervisor is there once for each
 * thread, from when somebody asks for it; the worker's next thread gets another
 * one, but takes over what is queued: so what is cancelled cleans up there.
 */
#include "worker_scope.h"

#include "base.h"
#include "check.h"
#include "context.h"
#include "error.h"
#include "host.h"
#include "kill_gate.h"
#include "lock.h"
#include "remains.h"

/* Guards which supervisor a worker has: it is asked for, and lost, by any
 * thread. One for all, since both are rare. */
static cw__lock lock;

/* ---- the place */

typedef struct place {
    cw__worker *worker; /* of the home, whose memory it keeps */
} place;

static cw__worker *worker_of(cw_context *context)
{
    return ((place *)cw__context_data(context))->worker;
}

static void dispatch(cw_context *context, cw__worker *self, cw_job *job,
                     enum cw__hint hint)
{
    (void)hint; /* all stand in one line */
    cw__worker *worker = worker_of(context);
    if (self == worker) {
        cw__worker_pin(worker, job);
        if (!worker->running) cw__worker_unpark(worker);
        return;
    }
    cw_context *home = worker->context;
    cw__context_hold(home); /* once queued, the job may end */
    cw__inbox_push(&worker->inbox, (uintptr_t)job | CW__INBOX_JOB);
    cw__worker_unpark(worker);
    /* seq_cst: pairs with cw__worker_nobody() */
    if (!cw__the_host.deliver && cw_unlikely(cw_load_seq_cst(&worker->deaf)))
        cw__worker_end_pinned(worker);
    cw__context_drop(home);
}

static void drop(cw_context *context)
{
    cw__context_drop(worker_of(context)->context);
}

static const cw__route route = {.dispatch = dispatch, .drop = drop};

static cw_context *place_new(cw__worker *worker)
{
    cw_context *made = cw__context_routed(&route, worker->name, sizeof(place));
    if (!made) return NULL;
    cw_context *home = worker->context;
    cw__context_hold(home);
    made->home = home;
    made->timekeeper = home->timekeeper;
    made->limit = 1;
    made->single = made->permanent = true;
    ((place *)cw__context_data(made))->worker = worker;
    return made;
}

/* ---- the supervisor */

/* The one of the worker's present thread, with a reference; NULL without
 * memory. */
static cw_job *supervisor_of(cw__worker *worker)
{
    cw_job *made = cw_supervisor_job_new(NULL);
    if (!made) return NULL;
    cw_job *before = NULL, *found = made;
    cw__lock_acquire(&lock);
    if (worker->scope && cw_is_active(worker->scope)) {
        found = worker->scope;
    } else {
        before = worker->scope; /* somebody has cancelled it */
        worker->scope = made;
        made = NULL;
    }
    cw_job_retain(found);
    cw__lock_release(&lock);
    cw_job_release(before);
    if (made) cw_job_complete(made);
    cw_job_release(made);
    return found;
}

static cw_job *take_supervisor(cw__worker *worker)
{
    cw__lock_acquire(&lock);
    cw_job *found = worker->scope;
    worker->scope = NULL;
    cw__lock_release(&lock);
    return found;
}

void cw__worker_scope_lost(cw__worker *worker, const cw__loss *loss)
{
    cw_job *scope = take_supervisor(worker);
    if (!scope) return;
    cw_error *error = cw__loss_of_scope(worker, loss);
    cw_cancel(scope, error);
    cw_error_release(error);
    cw_job_release(scope);
}

void cw__worker_scope_end(cw__worker *worker)
{
    cw_job *scope = take_supervisor(worker);
    if (!scope) return;
    cw_job_complete(scope);
    cw_job_release(scope);
}

/* ---- the scope */

static const cw_elements *make(cw__worker *worker)
{
    cw_job *scope = supervisor_of(worker);
    cw_context *where = scope ? place_new(worker) : NULL;
    const cw_elements *there =
        where ? cw_elements_with_context(NULL, where) : NULL;
    const cw_elements *both = there ? cw_elements_with_job(there, scope) : NULL;
    cw_elements_release(there);
    cw_context_release(where);
    cw_job_release(scope);
    return both;
}

const cw_elements *cw_worker_scope(cw_context *context, int worker)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(CONTEXT, context);
    int status = CW_OK;
    if (!context || worker < 0)
        status = CW_EINVAL;
    else if (context->count == 0 || context->clock || context->grows ||
             context->adopted)
        status = CW_ENOTSUP;
    else if ((uint32_t)worker >= context->count)
        status = CW_EINVAL;
    const cw_elements *scope =
        status == CW_OK ? make(&context->workers[worker]) : NULL;
    if (status == CW_OK && !scope) status = CW_ENOMEM;
    cw__set_last_error(status);
    return scope;
}
