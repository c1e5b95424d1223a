/* coworker/elements.h: what surrounds a job.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_ELEMENTS_H
#define COWORKER_ELEMENTS_H

#include "base.h"
#include "context.h"
#include "error.h"
#include "job.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A set of elements says what surrounds a job: where it runs, what job it is a
 * child of, its name, who hears of its failures, and values of the program's
 * own. Sets are immutable and reference-counted. Jobs inherit the elements of
 * the job that launches them. */
typedef struct cw_elements cw_elements;

/* Tells values of different kinds apart, by its address. */
typedef struct cw_key {
    const char *name;
} cw_key;

/* Which jobs begin first. */
typedef enum cw_priority {
    CW_PRIORITY_LOW = -1,
    CW_PRIORITY_NORMAL,
    CW_PRIORITY_HIGH
} cw_priority;

/* Called with a failure that has no owner: that of a job launched (not async)
 * outside of any other job or right below a supervisor. After all its children
 * have ended and before anybody sees that it has. `name` and `error` are
 * borrowed. Must not block. */
typedef void cw_failure_fn(void *arg, const char *name, cw_error *error);

/* Each makes a new set: `base` (NULL: the empty set) with one element replaced.
 * Owned; NULL without memory. Contexts and jobs are kept by reference; the name
 * is copied; `arg` and `value` are the caller's and must outlive the set. With
 * job NULL what is launched has no parent. */
const cw_elements *cw_elements_with_context(const cw_elements *base,
                                            cw_context *context);
const cw_elements *cw_elements_with_job(const cw_elements *base, cw_job *job);
const cw_elements *cw_elements_with_name(const cw_elements *base,
                                         const char *name);
/* With this a job may be killed, with all that it launches. From when it is
 * cancelled, by whomever, a time limit included, it has `grace_ms` milliseconds
 * to end (less than 0 counts as 0). Then workers that still run something of it
 * lose their threads. What these were running, which need not be all of the
 * job, ends at once and without clean-up, cancelled, with a CW_ELOST error as
 * cause that names worker and job; each worker gets a new thread. What waits
 * goes on, as does clean-up that was begun.
 *
 * Code inside of a call of this library is killed when it comes out of it, so
 * what is in cw_run_blocking() cannot be killed; nor can code on threads that
 * are no workers. The C library knows nothing of this: a body that is killed
 * while it holds a lock of its own, as printf() does, keeps that. Natively no
 * thread can be ended from outside: it goes on by itself until it comes back to
 * the library, and nobody hears of it any more.
 *
 * This concerns one job: it is not handed on with the other elements. */
const cw_elements *cw_elements_with_grace(const cw_elements *base,
                                          int64_t grace_ms);
const cw_elements *cw_elements_with_handler(const cw_elements *base,
                                            cw_failure_fn *call, void *arg);
const cw_elements *cw_elements_with_value(const cw_elements *base,
                                          const cw_key *key, void *value);

/* The same with what counts for the one job that is launched with the set, and
 * is not inherited:
 *
 * priority: where it stands among the jobs that wait in its context (or view)
 * and have not begun. High goes before normal, normal before low; but after
 * four high ones in a row a normal one goes, and while a low one waits it goes
 * after eight others, as each worker counts them. Jobs that have begun are
 * normal. Without effect on executors, Unconfined and tests' dispatchers.
 *
 * timeout: cancels it so many milliseconds after its body has begun, with a
 * CW_ECANCELED error whose cause has the code CW_ETIMEDOUT.
 * deadline: the same after the launch, begun or not, with CW_EOVERDUE. Of both
 * the first one counts; at once for ms <= 0. Default notices that the time is
 * over (a test's own clock for its jobs); launching without it fails as
 * cw_default_context() does.
 *
 * when_full: in place of what the context's limit says. */
const cw_elements *cw_elements_with_priority(const cw_elements *base,
                                             cw_priority priority);
const cw_elements *cw_elements_with_timeout(const cw_elements *base,
                                            int64_t ms);
const cw_elements *cw_elements_with_deadline(const cw_elements *base,
                                             int64_t ms);
const cw_elements *cw_elements_with_when_full(const cw_elements *base,
                                              cw_when_full when_full);

/* The elements of both; where both have one, that of `right`. */
const cw_elements *cw_elements_plus(const cw_elements *left,
                                    const cw_elements *right);
const cw_elements *cw_elements_retain(const cw_elements *elements);
void cw_elements_release(const cw_elements *elements); /* NULL is allowed */

/* Looking into a set, which may be NULL: borrowed, NULL if there is none. */
cw_context *cw_elements_context(const cw_elements *elements);
cw_job *cw_elements_job(const cw_elements *elements);
const char *cw_elements_name(const cw_elements *elements);
void *cw_elements_value(const cw_elements *elements, const cw_key *key);

/* ---- the scope of a worker
 *
 * What is launched with these elements runs on that worker of the context only,
 * number 0 .. cw_context_workers() - 1, and so does what it launches. When the
 * worker's thread is lost, by a kill or otherwise, all of it ends as a unit:
 * what was running there as ever, the rest cancelled with a CW_ELOST error as
 * cause; what is owed clean-up does that on the thread that takes the place of
 * the lost one. Then, and after the job among the elements was cancelled, which
 * has the same effect, they are of no use any more; another call gives the
 * scope of the next thread.
 *
 * Failures do not spread from one coroutine there to another. All of them stand
 * in one line, whatever their priority. The scope does not keep the context
 * open.
 *
 * Owned; calls for the same thread give the same job. Never blocks. NULL with
 * cw_last_error() = CW_EINVAL (context NULL, no such worker), CW_ENOTSUP (the
 * context has no fixed workers of its own: views, executors, Unconfined, IO,
 * the main thread's, a test's), CW_ENOMEM.
 *
 *     const cw_elements *scope = cw_worker_scope(context, 0);
 *     cw_job *job = cw_launch_with(scope, CW_START_DEFAULT, hello, CW_NONE);
 *     cw_elements_release(scope);
 */
const cw_elements *cw_worker_scope(cw_context *context, int worker);

/* The elements of the calling job, borrowed until it suspends; NULL if there
 * are none. No job is among them: what is launched with them is its child. */
const cw_elements *cw_current_elements(void);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_ELEMENTS_H */
