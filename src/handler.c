/* handler.c: functions that are called when a job ends.
 *
 * SPDX-License-Identifier: MIT
 *
 * A handler stands in the job's list of waiters like everything that waits for
 * the job. Both the list and the program's handle keep a reference.
 *
 * Who cancels a job goes through its children and its early handlers in the
 * order in which they came. The children are in a list of their own, so such a
 * handler remembers the child that it comes after, and that child says so by
 * CW__FOLLOWED: when it leaves the list, the one before it takes its place.
 */
#include "handler.h"

#include "alloc.h"
#include "base.h"
#include "check.h"
#include "error.h"
#include "kill_gate.h"

struct cw_handler {
    cw__waiter waiter;
    cw_handler *next; /* link in what a change has woken */
    _Atomic uint32_t refs;
    _Atomic uint32_t over; /* taken back */
    cw_completion_fn *call;
    void *arg;
    cw_error *error; /* for the call */
    cw_job *job;     /* keeps a reference */
    cw_job *after;   /* early: the child of `job` that it comes after, or NULL;
                        under that one's lock */
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
};

static void drop(cw_handler *handler)
{
    /* acq_rel: whoever frees it has seen the other's last use */
    if (cw_sub_acq_rel(&handler->refs, 1) != 1) return;
    cw_error_release(handler->error);
    cw__job_drop(handler->job);
    cw__free(handler, sizeof *handler);
}

cw_handler *cw_on_completion(cw_job *job, unsigned flags,
                             cw_completion_fn *call, void *arg)
{
    CW__RUNTIME;
    CW__CHECK_HANDLE(JOB, job);
    cw_handler *handler = cw__alloc(sizeof *handler);
    cw__set_last_error(handler ? CW_OK : CW_ENOMEM);
    if (!handler) return NULL;
    *handler =
        (cw_handler){.waiter = {.kind = CW__WAITER_HANDLER,
                                .early = (flags & CW_ON_CANCELLING) != 0},
                     .call = call,
                     .arg = arg,
                     .job = cw_job_retain(job)};
    CW__MARK(handler, HANDLER);
    handler->waiter.owner.pointer = handler;
    handler->waiter.target.job = job;
    atomic_init(&handler->refs, 2);
    atomic_init(&handler->over, 0);
    if (cw__job_wait(job, &handler->waiter) == CW__PENDING) return handler;
    if (!(flags & CW_NOT_LATE)) {
        uint32_t state = cw__job_lock(job);
        handler->error = cw_error_retain(job->error);
        cw__job_unlock(job, state);
        call(arg, handler->error);
    }
    drop(handler);
    return handler;
}

bool cw__handler_take_back(cw_handler *handler)
{
    bool mine = cw__job_unwait(&handler->waiter);
    if (mine) drop(handler);
    drop(handler);
    return mine;
}

void cw_handler_dispose(cw_handler *handler)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(HANDLER, handler);
    if (!handler) return;
    /* release: it may have fired and wait for its turn; pairs with the look at
     * it there */
    cw_store_release(&handler->over, 1);
    (void)cw__handler_take_back(handler);
}

void cw__handler_follow_last(cw_job *job, cw__waiter *waiter, uint32_t state)
{
    cw_handler *handler = cw_container_of(waiter, cw_handler, waiter);
    if (!(state & CW__JOB_CHILDREN)) return;
    handler->after = job->children->before;
    handler->after->visited |= CW__FOLLOWED;
}

void cw__handlers_follow(cw_job *job, const cw_job *child, cw_job *before)
{
    cw__waiter *waiter = job->waiters;
    if (before) before->visited |= CW__FOLLOWED;
    if (!waiter) return;
    do {
        if (waiter->kind == CW__WAITER_HANDLER) {
            cw_handler *handler = cw_container_of(waiter, cw_handler, waiter);
            if (handler->after == child) handler->after = before;
        }
        waiter = waiter->next;
    } while (waiter != job->waiters);
}

bool cw__handler_is_next(const cw__waiter *waiter)
{
    const cw_handler *handler = cw_container_of(waiter, cw_handler, waiter);
    return !handler->after || handler->after->visited & CW__VISITED;
}

void cw__handler_note(cw__woken *woken, cw_handler *handler)
{
    handler->error = cw_error_retain(handler->job->error);
    handler->next = NULL;
    *woken->handlers_end = handler;
    woken->handlers_end = &handler->next;
}

void cw__handlers_call(cw_handler *first)
{
    while (first) {
        cw_handler *handler = first;
        first = handler->next;
        /* acquire: pairs with cw_handler_dispose() */
        if (!cw_load_acquire(&handler->over))
            handler->call(handler->arg, handler->error);
        drop(handler);
    }
}
