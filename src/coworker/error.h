/* coworker/error.h: codes of errors, and errors.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_ERROR_H
#define COWORKER_ERROR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every code that a function of this library returns, with its message. */
#define CW_ERROR_MAP(X)                                                        \
    X(EINVAL, -1, "invalid argument")                                          \
    X(ENOMEM, -2, "out of memory")                                             \
    X(ECANCELED, -3, "the job was cancelled")                                  \
    X(ECLOSED, -4, "the context is closed")                                    \
    X(EDEADLK, -5, "this thread must not block")                               \
    X(EFAILED, -6, "the job failed")                                           \
    X(ESTART, -7, "a worker could not be started")                             \
    X(EBUSY, -8, "the job has not completed")                                  \
    X(ETYPE, -9, "the job is of another coroutine")                            \
    X(ENOTSUP, -10, "not supported here")                                      \
    X(ETIMEDOUT, -11, "the time limit ran out")                                \
    X(ESTATE, -12, "not allowed in this state")                                \
    X(EAGAIN, -13, "it would have to wait")                                    \
    X(ESENDCLOSED, -14, "the channel is closed: nothing can be sent")          \
    X(ERECVCLOSED, -15, "the channel is closed: nothing is left to receive")   \
    X(EUNDELIVERED, -16, "the hook for an undelivered element failed")         \
    X(EOWNER, -17, "the mutex is locked by another owner")                     \
    X(ELOST, -18, "the worker was lost")                                       \
    X(EPOISONED, -19, "who had the mutex locked was lost with its worker")     \
    X(EQUEUEFULL, -20, "too many jobs wait in the context")                    \
    X(EOVERDUE, -21, "the deadline has passed")                                \
    X(EHOSTLOST, -22, "the page that ran the job is gone")

enum cw_status {
    CW_OK = 0,
#define CW__ERROR_ENUM(name, value, text) CW_##name = value,
    CW_ERROR_MAP(CW__ERROR_ENUM)
#undef CW__ERROR_ENUM
};

/* The text that belongs to a code; "unknown error" for a number that is none.
 */
const char *cw_status_text(int code);
/* The name of a code, such as "CW_ECANCELED"; "CW_E?" for an unknown one. */
const char *cw_status_name(int code);

/* An error: a code, a message and what caused it. Reference-counted and, but
 * for what is added to its suppressed ones, immutable, so it may be shared
 * between threads. Its address is its identity: everyone who awaits a failed
 * job gets the same object. */
typedef struct cw_error cw_error;

/* Makes an error. `message` is copied; NULL takes the code's own text. `cause`
 * may be NULL; the error takes its own reference to it. Returns an owned
 * error. Never fails: without memory it returns a static CW_ENOMEM error. */
cw_error *cw_error_new(int code, const char *message, cw_error *cause);
cw_error *cw_error_retain(cw_error *error);
void cw_error_release(cw_error *error); /* NULL is allowed */
int cw_error_code(const cw_error *error);
const char *cw_error_message(const cw_error *error); /* lives as the error */
cw_error *cw_error_cause(const cw_error *error);     /* borrowed, or NULL */
/* Other failures that were met while this one ended a job, such as those of its
 * children, in order of arrival: number `index`, borrowed as long as the error
 * is held, or NULL if there are not so many. No cancellations are among them,
 * and none twice. */
cw_error *cw_error_suppressed(cw_error *error, size_t index);

/* Why the last failing call on this thread that returns a pointer failed. */
int cw_last_error(void);

/* Called with the error of a job that failed and has nobody to tell: a job
 * started with cw_launch() outside of any other job. `error` and `name` are
 * borrowed for the call. It runs on the worker that ran the job, must not
 * block and must not throw. The default prints the error and aborts. */
typedef void cw_unhandled_fn(const char *name, cw_error *error);
void cw_set_unhandled_handler(cw_unhandled_fn *handler); /* NULL: default */

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_ERROR_H */
