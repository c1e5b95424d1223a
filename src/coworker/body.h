/* coworker/body.h: what the body of a coroutine can do.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_BODY_H
#define COWORKER_BODY_H

#include "coroutine.h"
#include "elements.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- inside a body -------------------------------------------------------
 * All take `self` first. Where one waits, the coroutine gives its worker free.
 * "Raises" means: the body goes on at the innermost CW_CATCH, else at
 * CW_FINALLY, else it ends, with that error. Every waiting call raises
 * CW_ECANCELED if the job is cancelled before or while it waits. */

#define CW_BEGIN(self)                                                         \
cw__again:                                                                     \
    CW__UNUSED;                                                                \
    switch ((self)->frame.at) {                                                \
    case 0:

/* Ends the body. The result is zeroed unless CW_RETURN set it. */
#define CW_END(self)                                                           \
    CW__FALLTHROUGH;                                                           \
case CW__AT_END:                                                               \
    break;                                                                     \
default:                                                                       \
    if (cw__lost(&(self)->frame)) goto cw__again;                              \
    }                                                                          \
    return cw__leave(&(self)->frame)

/* What follows, up to CW_END, runs however the body ends: by its last line, by
 * CW_RETURN, by an error or by cancellation. An error goes on afterwards,
 * unless another one is raised in there. Waiting in there raises CW_ECANCELED
 * at once if the job is cancelled. */
#define CW_FINALLY(self)                                                       \
    CW__FALLTHROUGH;                                                           \
case CW__AT_FINALLY:                                                           \
    cw__finally(&(self)->frame)

/* Ends the body with a value (by way of CW_FINALLY). */
#define CW_RETURN(self, value)                                                 \
    do {                                                                       \
        (self)->result = (value);                                              \
        cw__return(&(self)->frame);                                            \
        goto cw__again;                                                        \
    } while (0)

/* Raises an error. CW_RAISE takes over one owned reference to `error_`. */
#define CW_RAISE(self, error_)                                                 \
    do {                                                                       \
        cw__raise(&(self)->frame, (error_));                                   \
        goto cw__again;                                                        \
    } while (0)
#define CW_FAIL(self, code, message)                                           \
    CW_RAISE(self, cw_error_new((code), (message), NULL))

/* CW_TRY(self, 1); ... CW_CATCH(self, 1) { ... }
 * An error raised between the two runs the block, with the error in
 * cw_caught(self) (borrowed until the next raise); without one the block is
 * passed over. The number tells apart several in one body (1..1000). They may
 * be nested, three deep. */
#define CW_TRY(self, id)                                                       \
    ((void)sizeof(char[(id) >= 1 && (id) <= 1000 ? 1 : -1]),                   \
     cw__try(&(self)->frame, (id)))
#define CW_CATCH(self, id)                                                     \
    cw__end_try(&(self)->frame, (id));                                         \
    if (0) case -(id):                                                         \
        if (cw__catch(&(self)->frame))
#define cw_caught(self) ((self)->frame.error)

/* Waits `ms` milliseconds; returns at once, without a look at cancellation,
 * for ms <= 0. INT64_MAX waits for ever. */
#define CW_DELAY(self, ms)                                                     \
    CW__SUSPEND(self, cw__delay(&(self)->frame, (ms)),                         \
                cw__delayed(&(self)->frame))

/* Lets every other coroutine that is ready on this worker go first. */
#define CW_YIELD(self)                                                         \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        return CW_STEP_YIELDED;                                                \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__ensure_active(&(self)->frame));                    \
    } while (0)

/* Raises CW_ECANCELED if the job is cancelled; never waits. */
#define CW_ENSURE_ACTIVE(self)                                                 \
    CW__CHECK(self, cw__ensure_active(&(self)->frame))

/* Waits until the job has ended; does not raise its error. */
#define CW_JOIN(self, job_)                                                    \
    CW__SUSPEND(self, cw__join(&(self)->frame, (job_)),                        \
                cw__joined(&(self)->frame))
#define CW_CANCEL_AND_JOIN(self, job_)                                         \
    CW__SUSPEND(self, cw__cancel_and_join(&(self)->frame, (job_)),             \
                cw__joined(&(self)->frame))
/* Waits for `count` jobs, one after another. The array is borrowed until the
 * call is over. */
#define CW_JOIN_ALL(self, jobs, count)                                         \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        if (cw__join_all(&(self)->frame, (jobs), (count)) == CW__PENDING)      \
            return CW_STEP_SUSPENDED;                                          \
        CW__CHECK(self, cw__joined(&(self)->frame));                           \
    } while (0)

/* Waits for a job of coroutine NAME and copies its result to `out`, which is
 * a RESULT *; raises the job's own error if it failed. */
#define CW_AWAIT(self, NAME, job_, out)                                        \
    CW__SUSPEND(self, cw__await(&(self)->frame, (job_)),                       \
                NAME##__awaited(&(self)->frame, (job_), (out)))
/* Waits for all of `count` jobs and copies their results to `outs[]`, or
 * raises the error of the first one that fails, without waiting for the
 * others. The arrays are borrowed until the call is over. */
#define CW_AWAIT_ALL(self, NAME, jobs, count, outs)                            \
    CW__SUSPEND(self, cw__await_all(&(self)->frame, (jobs), (count)),          \
                NAME##__awaited_all(&(self)->frame, (jobs), (count), (outs)))

/* Calls another coroutine as a part of this one: same job, no new one. `arg`
 * is copied, `out` gets the result; raises what the callee raised. */
#define CW_CALL(self, NAME, arg_, out)                                         \
    CW__CALL(self, NAME##__call(&(self)->frame, 0, arg_), NAME, out)
/* The same inside a scope of its own: jobs that the callee launches are
 * children of that scope. Goes on when the callee and all of them have ended;
 * the first failure cancels the others and is raised here. */
#define CW_SCOPE(self, NAME, arg_, out)                                        \
    CW__CALL(self, NAME##__call(&(self)->frame, 1, arg_), NAME, out)

/* The same, but the jobs in it fail alone: a child's failure does not cancel
 * the others and is not raised here, but goes to the handler for failures that
 * have no owner. A failure of the callee itself cancels them all. */
#define CW_SUPERVISOR_SCOPE(self, NAME, arg_, out)                             \
    CW__CALL(self, NAME##__call(&(self)->frame, 2, arg_), NAME, out)
/* The same as CW_SCOPE, but cancelling this job does not reach into it: for
 * clean-up that has to wait. */
#define CW_NON_CANCELLABLE(self, NAME, arg_, out)                              \
    CW__CALL(self, NAME##__call(&(self)->frame, 3, arg_), NAME, out)
/* The same as CW_SCOPE with a time limit in milliseconds, which cancels the
 * scope. Then, and at once for ms <= 0, raises a CW_ECANCELED error whose cause
 * has the code CW_ETIMEDOUT. A callee that never waited is not interrupted, and
 * its result counts however long it took. */
#define CW_WITH_TIMEOUT(self, ms, NAME, arg_, out)                             \
    CW__CALL(self, NAME##__call_limited(&(self)->frame, (ms), arg_), NAME, out)
/* The same, but instead of raising sets *in_time (a bool *) to whether the
 * callee was in time. Other time limits than this one raise. */
#define CW_WITH_TIMEOUT_OR_NULL(self, ms, NAME, arg_, out, in_time)            \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__call_limited(&(self)->frame, (ms), arg_) == CW__PENDING)   \
            return CW_STEP_CALLED;                                             \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self,                                                        \
                  NAME##__returned_in_time(&(self)->frame, (out), (in_time))); \
    } while (0)
/* Calls another coroutine with other elements, and goes on with the present
 * ones: the callee runs in a scope of its own, on the elements' context if
 * there is one. Raises CW_ECANCELED without calling if the job is cancelled.
 * After a change of contexts a result is dropped if the job was cancelled
 * meanwhile. A job among the elements takes the scope over: cancelling that one
 * cancels the scope, and cancelling this job does not. The elements are
 * retained. */
#define CW_WITH_ELEMENTS(self, elements, NAME, arg_, out)                      \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__call_with(&(self)->frame, (elements), arg_) ==             \
            CW__PENDING)                                                       \
            return cw__called(&(self)->frame);                                 \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, NAME##__returned(&(self)->frame, (out)));              \
    } while (0)

/* cw_launch_with(elements, CW_START_DEFAULT, NAME, argument), which waits for
 * room if too many jobs wait in the context, whatever that says to it: goes on
 * when the job is let in. `*job` (a cw_job *) gets the owned handle before
 * that, NULL if there is none. Raises the launch's error; CW_ECANCELED if this
 * job is cancelled while it waits, when the new one is still there. */
#define CW_LAUNCH_WAIT(self, elements, job, NAME, ...)                         \
    CW__SUSPEND(self,                                                          \
                cw__launch_wait(                                               \
                    &(self)->frame,                                            \
                    *(job) = NAME##__launch(elements, CW_START_DEFAULT,        \
                                            CW__START_HANDLE | CW__START_WAIT, \
                                            __VA_ARGS__)),                     \
                cw__launched(&(self)->frame))

/* Waits until the job is cancelled, and raises that. */
#define CW_AWAIT_CANCELLATION(self) CW_DELAY(self, INT64_MAX)

/* ------------------------------------------------- used by the macros only */

#define CW__AT_FINALLY 0x7ffffffe
#define CW__AT_END     0x7fffffff
enum { CW__DONE = 0, CW__PENDING = 1 };

#define CW__CHECK(self, failed)                                                \
    do {                                                                       \
        if (failed) {                                                          \
            cw__unwind(&(self)->frame);                                        \
            goto cw__again;                                                    \
        }                                                                      \
    } while (0)

#define CW__SUSPEND(self, begin, finish)                                       \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if ((begin) == CW__PENDING) return CW_STEP_SUSPENDED;                  \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, finish);                                               \
    } while (0)

#define CW__CALL(self, call, NAME, out)                                        \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if ((call) == CW__PENDING) return CW_STEP_CALLED;                      \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, NAME##__returned(&(self)->frame, (out)));              \
    } while (0)

int cw__delay(cw_frame *, int64_t);
int cw__join(cw_frame *, cw_job *);
int cw__cancel_and_join(cw_frame *, cw_job *);
int cw__join_all(cw_frame *, cw_job *const *, size_t);
int cw__await(cw_frame *, cw_job *);
int cw__await_all(cw_frame *, cw_job *const *, size_t);
int cw__call(cw_frame *, const cw_coroutine *, int, const void *);
int cw__delayed(cw_frame *);
int cw__joined(cw_frame *);
int cw__ensure_active(cw_frame *);
int cw__awaited(cw_frame *, cw_job *, const cw_coroutine *, void *);
int cw__awaited_all(cw_frame *, cw_job *const *, size_t, const cw_coroutine *,
                    void *);
int cw__returned(cw_frame *, void *);
int cw__returned_in_time(cw_frame *, void *, bool *);
int cw__call_limited(cw_frame *, const cw_coroutine *, int64_t, const void *);
int cw__call_with(cw_frame *, const cw_coroutine *, const cw_elements *,
                  const void *);
cw_step cw__called(const cw_frame *);
int cw__lost(cw_frame *);
void cw__try(cw_frame *, unsigned);
void cw__end_try(cw_frame *, unsigned);
cw_step cw__leave(cw_frame *);
cw_step cw__function_done(cw_frame *, int);
void cw__finally(cw_frame *);
void cw__return(cw_frame *);
void cw__raise(cw_frame *, cw_error *);
void cw__unwind(cw_frame *);
int cw__catch(cw_frame *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_BODY_H */
