/* coworker/continuation.h: waiting for what calls back.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_CONTINUATION_H
#define COWORKER_CONTINUATION_H

#include "body.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CW_SUSPEND_WITH(self, begin, arg, out)
 *
 * Turns an interface of callbacks into a waiting call. Calls `begin` with a
 * continuation and `arg`, and waits until somebody resumes it, from whatever
 * thread, perhaps within `begin` already. The value is copied to `out`, a
 * pointer to memory that lives until then, such as a field of `self`. Raises
 * the error that it was resumed with, CW_ECANCELED, or CW_ENOMEM, when `begin`
 * is not called. If the job is cancelled already, `begin` is called all the
 * same, with a continuation that is not active.
 *
 * `begin` owns one reference, to be given back with cw_continuation_release()
 * by whoever is the last to use it. */
#define CW_SUSPEND_WITH(self, begin, arg, out)                                 \
    CW__SUSPEND(                                                               \
        self, cw__suspend_with(&(self)->frame, (begin), (arg), sizeof *(out)), \
        cw__suspended(&(self)->frame, (out)))

typedef struct cw_continuation cw_continuation;
typedef void cw_begin_fn(cw_continuation *continuation, void *arg);
/* Takes a value back that did not reach the body; `value` is borrowed. */
typedef void cw_undelivered_fn(void *arg, void *value);

cw_continuation *cw_continuation_retain(cw_continuation *continuation);
void cw_continuation_release(cw_continuation *continuation); /* NULL allowed */

/* Resumes with a value, of which `value` points to as many bytes as `out` has
 * (NULL: zeros). Returns CW_OK, also if the body was cancelled before: then it
 * has no effect. CW_ESTATE if it was resumed before. Never waits.
 * With cw_resume_with(), `undelivered` gets the value if it does not reach the
 * body, because that is cancelled before, or before it goes on. */
int cw_resume(cw_continuation *continuation, const void *value);
int cw_resume_with(cw_continuation *continuation, const void *value,
                   cw_undelivered_fn *undelivered, void *arg);
/* The same with an error (the continuation takes its own reference), which is
 * raised even if the body is cancelled meanwhile. CW_EINVAL for NULL. */
int cw_resume_error(cw_continuation *continuation, cw_error *error);

/* Calls `call` with the cancellation if the body is cancelled before it goes
 * on: once, on the thread that cancels, or, if it was resumed before, on the
 * worker when the body would go on. At once if that has happened. Must not
 * block. Returns CW_OK; CW_ESTATE for a second one, or if the body went on. */
int cw_on_cancel(cw_continuation *continuation, cw_completion_fn *call,
                 void *arg);
/* True until it is resumed or cancelled. */
bool cw_continuation_is_active(cw_continuation *continuation);

/* ------------------------------------------------- used by the macros only */

int cw__suspend_with(cw_frame *, cw_begin_fn *, void *, size_t);
int cw__suspended(cw_frame *, void *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_CONTINUATION_H */
