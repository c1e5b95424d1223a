/* coworker/context.h: contexts, which run jobs.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_CONTEXT_H
#define COWORKER_CONTEXT_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A fixed set of workers that run jobs. Reference-counted; jobs keep the
 * context they run on. */
typedef struct cw_context cw_context;

/* Starts `workers` workers, called `name` if there is one and `name-1` ..
 * `name-N` otherwise, and returns an owned context. Does not wait for them.
 * `name` is copied. Returns NULL with cw_last_error() = CW_EINVAL (workers < 1
 * or > CW_MAX_WORKERS, name NULL or empty), CW_ENOMEM, CW_ESTART. */
cw_context *cw_new_fixed_worker_context(int workers, const char *name);

#define CW_MAX_WORKERS 1024

/* Refuses new work. What was accepted before still runs; a coroutine that
 * suspends or is resumed afterwards, and a job launched afterwards, is
 * cancelled with CW_ECLOSED as cause and still runs its clean-up there; of one
 * that runs there only in CW_WITH_ELEMENTS, that part is cancelled. The workers
 * end when the last job has ended. Idempotent; never blocks. Without effect on
 * the contexts that are shared or part of another one: Default, IO, Unconfined,
 * those of the main thread and views. */
void cw_context_close(cw_context *context);

/* The same in a limited time, in three phases:
 *
 * - for `drain_ms` milliseconds at most what was accepted goes on, as above;
 * - then all jobs that are left in the context, or have a part there, are
 *   cancelled with CW_ECLOSED as cause, with all that is below them, wherever
 *   that runs; those that have not begun never do;
 * - `grace_ms` milliseconds later the workers that still run something are
 *   killed. What they run ends, cancelled with CW_ELOST as cause and without
 *   clean-up; what is left besides is ended, too. Their threads go on until
 *   they come back into the library, and stay there. Who neither comes back,
 *   nor can be killed, because it is in cw_run_blocking() or in code that the
 *   library has called in the middle of something, or where the system does not
 *   tell about threads, is given up one second later: see cw_context_join().
 *
 * INT64_MAX is no limit: then it stays in that phase until the last job has
 * ended. 0 is at once; cancelling is done by the time the call returns. It
 * never blocks, and may be called from anywhere, also by a job of the context,
 * and again: that brings each moment forward, never puts it off. Of one that
 * was closed by cw_context_close() nothing has a limit before.
 *
 * CW_OK, also if all is over; CW_EINVAL (a negative limit); CW_ENOTSUP: it
 * cannot be closed, see above, or there is a `grace_ms` for an executor, whose
 * threads are not ours to kill; CW_ENOMEM, CW_ESTART: nobody can keep the time.
 * After an error nothing has changed. */
int cw_context_close_within(cw_context *context, int64_t drain_ms,
                            int64_t grace_ms);

/* Waits until every worker of a closed context has ended, or was killed; an
 * executor's has none. Returns 0; CW_EINVAL if it is not closed; CW_EDEADLK at
 * once on a browser's main thread and on one of the context's own workers;
 * CW_ETIMEDOUT if workers go on that could not be killed in time, and 0 again
 * once they have ended after all. */
int cw_context_join(cw_context *context);

/* Gives the reference back; the last one also closes the context. */
void cw_context_release(cw_context *context);
cw_context *cw_context_retain(cw_context *context);

/* Borrowed from the context. */
const char *cw_context_name(const cw_context *context);
/* How many of its jobs can run at the same time: its workers, a view's limit.
 * 0 for one that does not limit them: Unconfined and executors. */
int cw_context_workers(const cw_context *context);

/* The context of the calling job; outside of jobs, that whose worker calls
 * this. Borrowed; NULL on other threads. */
cw_context *cw_current_context(void);
/* The context of the program's main thread, borrowed until somebody replaces
 * it; NULL with cw_last_error() = CW_ENOTSUP if the program has none. Tests put
 * one of theirs in its place, see coworker_test.h. */
cw_context *cw_main_context(void);
/* The same for jobs that need not wait for their turn: launched or resumed by a
 * job on the main thread, they run in place, as in cw_unconfined_context(),
 * with which they share the line; otherwise, and when they yield, they are
 * queued there. A test's main context is given as it is. Borrowed; NULL with
 * cw_last_error() = CW_ENOTSUP or CW_ENOMEM. */
cw_context *cw_main_immediate_context(void);
/* True on the main thread, that is, on the worker of cw_main_context(). */
bool cw_is_on_main(void);
/* The calling worker's name, "" on other threads; lives as the context. */
const char *cw_worker_name(void);

/* ---- how many jobs may wait */

/* What becomes of a launch when no more jobs may wait. */
typedef enum cw_when_full {
    CW_FULL_FAIL, /* it fails with CW_EQUEUEFULL, and nothing has happened */
    CW_FULL_WAIT  /* the job is new, as a lazy one, until there is room */
} cw_when_full;

/* Limits how many jobs of the context wait that have not begun; for good. It
 * counts what is launched by others than jobs of that context, from the launch
 * until a worker begins with it, on an idle context for a moment, too. Children
 * that its own jobs launch there are neither counted nor refused, so that a job
 * can wait for them however full the queue is.
 *
 * Those that wait for room are let in, by priority and then in order of their
 * launches, each as soon as another job begins. Such a job is not active,
 * cannot be started, and ends at once when it is cancelled; with
 * CW_START_ATOMIC, in its turn. A lazy job that is started when there is no
 * room waits in any case. cw_context_close() lets all of them in.
 *
 * Jobs of views are not counted. CW_OK; CW_EINVAL (max < 1, an unknown
 * `when_full`); CW_ESTATE: it has a limit; CW_ENOTSUP: it has no workers of its
 * own (views, executors, Unconfined), or is a test's; CW_ENOMEM. */
int cw_context_limit_queue(cw_context *context, int max,
                           cw_when_full when_full);

/* ---- how many workers may be lost */

/* Limits how many workers the context may lose, see cw_elements_with_grace():
 * if there are more than `count` within `period_ms` milliseconds, it fails.
 * That closes it, with a CW_ELOST error as the cause of CW_ECLOSED, which says
 * so. Threads still take the places of lost ones, to end what it had accepted.
 * Without a limit it goes on for ever. May be called again; what was lost
 * before counts, too.
 *
 * CW_OK; CW_EINVAL (count or period_ms < 0); CW_ENOTSUP: it has no workers of
 * its own (views, executors, Unconfined, those of the main thread); CW_ENOMEM.
 */
int cw_context_limit_losses(cw_context *context, int count, int64_t period_ms);

/* ---- contexts that the program shares
 *
 * Borrowed: they are there until the program ends, and need neither be closed
 * nor given back. */

/* "default": for computations, and for what is launched by nobody who runs
 * anywhere. As many workers as processors, but two at least, which start when
 * it is first asked for. NULL with cw_last_error() = CW_ENOMEM or CW_ESTART,
 * also where it is used without asking; asking again tries again. */
cw_context *cw_default_context(void);

/* "io": for functions that block. At most as many of its jobs run at the same
 * time as cw_set_io_limit() says, or there are processors, but 64 at least. Its
 * threads are others than Default's and start when there is work for them: what
 * blocks there never keeps Default from running. They all stay. NULL as above.
 *
 * Where threads cannot be started when they are needed, as in JavaScript, the
 * host lends it workers, or those of Default. */
cw_context *cw_io_context(void);
/* Before IO is first used. CW_OK; CW_EINVAL (< 1 or > CW_MAX_WORKERS);
 * CW_ESTATE if it is too late. */
int cw_set_io_limit(int limit);

/* "unconfined": its jobs run on whatever thread is at hand, inside of the call
 * that launches or resumes them, up to where they first wait. If that call is
 * made by a job that runs so itself, the new one runs when the outermost of
 * them waits or ends, and others after it in order, so that the stack does not
 * grow. To yield lets those go first, if there are any. Threads that are no
 * workers run them, too. Delays are counted by Default. */
cw_context *cw_unconfined_context(void);

/* ---- views
 *
 * A context that runs at most `limit` jobs of its own at a time on the workers
 * of another one, which it keeps open. What is more waits, first in, first out,
 * in the view and not with the workers. Owned: to be given back with
 * cw_context_release(); it cannot be closed, but refuses when `context` does.
 *
 * `name` is copied; NULL takes the context's. A limit that is no less than
 * `context` has itself gives the context back, retained, under its own name; so
 * does a context with one worker, such as Main. Of IO it gives a part of its
 * own, of any size, which takes nothing from IO: all of these together run at
 * most four times as many jobs as IO, and 256 at least. Of an executor or of
 * another view it is as of a context with workers.
 *
 * NULL with cw_last_error() = CW_EINVAL (limit < 1, context NULL), CW_ENOTSUP
 * (Unconfined), CW_ENOMEM. */
cw_context *cw_limited_parallelism(cw_context *context, int limit,
                                   const char *name);

/* ---- executors
 *
 * A context whose jobs run on threads, or on an event loop, of the
 * application's. */
typedef struct cw_executor {
    /* Sees to it that run(task) is called once, on a thread of its choice, soon
     * or from within this call, and returns 0. run() runs a job up to where it
     * next waits; then it comes here again when it goes on. Called from any
     * thread, by whoever makes the job ready, without locks. Must not block.
     *
     * Returns another code than 0, and does not call run(), to refuse: the job
     * is cancelled with CW_ECLOSED as cause, which has that code as cause. If
     * it has not begun its body never runs; what is left of one that has, its
     * CW_CATCH and CW_FINALLY, runs on IO. */
    int (*execute)(void *arg, void (*run)(void *task), void *task);
    /* 1: execute() it; 0: the job may run here and now, in place as in
     * cw_unconfined_context(). Not asked about those that yield. A negative
     * code is an error: who launches the job gets it, and the job fails with
     * it, too; one that has begun is refused. NULL: always 1. */
    int (*is_dispatch_needed)(void *arg);
    /* The context was closed: execute() is not called any more, except that it
     * may be running on another thread at the moment. NULL: nothing to do. */
    void (*close)(void *arg);
    /* Nobody uses `arg` any more: all jobs have ended and all handles are
     * back. The last call, from any thread. NULL: nothing to do. */
    void (*release)(void *arg);
} cw_executor;

/* Makes one; `calls` and `name` are copied. Returns an owned context; NULL with
 * cw_last_error() = CW_EINVAL (no execute, name NULL or empty) or CW_ENOMEM.
 * Delays are counted by Default. */
cw_context *cw_executor_context(const cw_executor *calls, void *arg,
                                const char *name);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_CONTEXT_H */
