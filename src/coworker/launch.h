/* coworker/launch.h: starting coroutines and functions.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_LAUNCH_H
#define COWORKER_LAUNCH_H

#include "coroutine.h"
#include "elements.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starting. `context` NULL means the calling job's or worker's, and elsewhere
 * cw_default_context(). Called inside a job, these make a child of that job;
 * elsewhere the new job has no parent. Returns an owned handle; NULL with
 * cw_last_error() = CW_ENOMEM, that of cw_default_context(), CW_EQUEUEFULL (see
 * cw_context_limit_queue()), or what an executor says. On a closed context the
 * job is returned cancelled.
 *
 * cw_launch: a failure that no parent takes goes to the unhandled handler.
 * cw_async: the same, but the failure waits for whoever awaits the job.
 * cw_spawn: cw_launch without a handle; returns 0 or the error code. */
#define cw_launch(context, NAME, ...)                                          \
    NAME##__start(context, CW__START_HANDLE, __VA_ARGS__)
#define cw_async(context, NAME, ...)                                           \
    NAME##__start(context, CW__START_HANDLE | CW__START_ASYNC, __VA_ARGS__)
#define cw_spawn(context, NAME, ...) NAME##__spawn(context, __VA_ARGS__)

/* cw_launch() in cw_main_context(); CW_ENOTSUP without a main thread. */
#define cw_launch_on_main(NAME, ...) NAME##__start_on_main(__VA_ARGS__)

/* How a job begins. */
typedef enum cw_start {
    CW_START_DEFAULT,     /* queued; not at all if it is cancelled before */
    CW_START_LAZY,        /* see cw_job_start() */
    CW_START_ATOMIC,      /* queued; if it is cancelled before, its body runs up
                             to where it first waits */
    CW_START_UNDISPATCHED /* in place: its body runs up to where it first waits
                             within this call, cancelled or not. Only on
                             workers: elsewhere it is refused with CW_ENOTSUP.
                           */
} cw_start;

/* The same with a way to begin, and with elements (NULL: none) that go before
 * the caller's. A job among the elements is the new job's parent instead of the
 * caller. Errors as above, and CW_ENOTSUP. */
#define cw_launch_with(elements, start, NAME, ...)                             \
    NAME##__launch(elements, start, CW__START_HANDLE, __VA_ARGS__)
#define cw_async_with(elements, start, NAME, ...)                              \
    NAME##__launch(elements, start, CW__START_HANDLE | CW__START_ASYNC,        \
                   __VA_ARGS__)

/* CW_DEFERRED(NAME, TYPE) defines a kind of job without a body that ends with a
 * value of TYPE, to be awaited as the coroutine NAME. cw_deferred_new(NAME,
 * parent) makes one (owned; NULL with CW_ENOMEM); it fails, is cancelled and
 * waits for its children as a cw_job_new() does. cw_deferred_complete(NAME,
 * job, value) returns as cw_job_complete() does, and CW_ETYPE for a job of
 * another kind. */
#define CW_DEFERRED(NAME, TYPE)                                                \
    CW__FRAME(NAME, cw_none, TYPE, CW_NO_LOCALS)                               \
    static const cw_coroutine NAME;                                            \
    CW__TYPED(CW__ANY, NAME, cw_none, TYPE)                                    \
    CW__UNUSED static inline cw_job *NAME##__deferred(cw_job *parent)          \
    {                                                                          \
        return cw__deferred_new(&NAME, parent);                                \
    }                                                                          \
    CW__UNUSED static inline int NAME##__complete(cw_job *job, TYPE value)     \
    {                                                                          \
        return cw__deferred_complete(job, &NAME, &value);                      \
    }                                                                          \
    CW__UNUSED static cw_step NAME##__step(cw_frame *frame)                    \
    {                                                                          \
        (void)frame;                                                           \
        return CW_STEP_DONE;                                                   \
    }                                                                          \
    CW__DESCRIPTOR(static, NAME, cw_none, TYPE)
#define cw_deferred_new(NAME, parent)          NAME##__deferred(parent)
#define cw_deferred_complete(NAME, job, value) NAME##__complete(job, value)

/* Copies the result of a completed job of coroutine NAME. Returns 0; the code
 * of the error it ended with; CW_EBUSY if it has not completed; CW_ETYPE if
 * it belongs to another coroutine. */
#define cw_result(NAME, job, out) NAME##__result(job, out)

/* Runs coroutine NAME to its end on the calling thread, which serves as the
 * only worker of a private event loop meanwhile; nested calls on one thread
 * share the loop. It is a child of the calling job, if any, but its failure is
 * only returned here. `out` gets the result; `error`, unless NULL, an owned
 * error. Returns 0 or the error's code; CW_EDEADLK at once on a browser's main
 * thread; CW_ENOMEM. */
#define cw_run_blocking(NAME, arg, out, error)                                 \
    NAME##__run_blocking(arg, out, error)

/* ------------------------------------------------- used by the macros only */

enum { CW__START_HANDLE = 1, CW__START_ASYNC = 2, CW__START_WAIT = 4 };

cw_job *cw__start(cw_context *, const cw_coroutine *, unsigned, const void *);
cw_job *cw__start_on_main(const cw_coroutine *, const void *);
int cw__spawn(cw_context *, const cw_coroutine *, const void *);
int cw__result(const cw_job *, const cw_coroutine *, void *);
int cw__run_blocking(const cw_coroutine *, const void *, void *, cw_error **);
cw_job *cw__launch_with(const cw_elements *, cw_start, const cw_coroutine *,
                        unsigned, const void *);
int cw__launch_wait(cw_frame *, cw_job *);
int cw__launched(cw_frame *);
cw_job *cw__deferred_new(const cw_coroutine *, cw_job *);
int cw__deferred_complete(cw_job *, const cw_coroutine *, const void *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_LAUNCH_H */
