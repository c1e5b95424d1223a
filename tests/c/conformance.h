/* conformance.h: what the tests of jobs, case by case, share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "coworker.h"

/* ---- launching with elements that are made on the spot */

MAYBE_UNUSED static _Thread_local struct {
    const cw_elements *sets[16];
    int count;
} given_elements;

MAYBE_UNUSED static const cw_elements *give_elements(const cw_elements *owned)
{
    ASSERT(owned);
    ASSERT(given_elements.count < 16);
    given_elements.sets[given_elements.count++] = owned;
    return owned;
}

MAYBE_UNUSED static cw_job *launched(cw_job *job)
{
    ASSERT(job);
    cw_elements_release(given_elements.sets[--given_elements.count]);
    return job;
}

/* Launch with elements (owned, taken over). */
#define LAUNCH(elements, START, NAME, arg)                                     \
    launched(cw_launch_with(give_elements(elements), START, NAME, arg))
#define ASYNC(elements, START, NAME, arg)                                      \
    launched(cw_async_with(give_elements(elements), START, NAME, arg))

/* The same without a handle. */
#define SPAWN(elements, START, NAME, arg)                                      \
    cw_job_release(LAUNCH(elements, START, NAME, arg))

#define UNDER(job) cw_elements_with_job(NULL, (job))
#define DETACHED   cw_elements_with_job(NULL, NULL)
#define PLAIN      cw_elements_plus(NULL, NULL)

/* ---- failures that somebody is told of */

struct failures {
    cw_error *errors[16];
    int count;
};

MAYBE_UNUSED static void note_failure(void *arg, const char *name,
                                      cw_error *error)
{
    struct failures *failures = arg;
    ASSERT(name);
    ASSERT(failures->count < 16);
    failures->errors[failures->count++] = cw_error_retain(error);
}

MAYBE_UNUSED static void forget_failures(struct failures *failures)
{
    for (int i = 0; i < failures->count; i++)
        cw_error_release(failures->errors[i]);
    failures->count = 0;
}

/* `base` (taken over) with a handler that notes failures. */
MAYBE_UNUSED static const cw_elements *noting(const cw_elements *base,
                                              struct failures *failures)
{
    const cw_elements *set =
        cw_elements_with_handler(base, note_failure, failures);
    cw_elements_release(base);
    ASSERT(set);
    return set;
}

/* ---- common bodies */

/* Marks, and ends with, its argument. */
CW_COROUTINE(marks, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    MARK(self->arg);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

/* Must not run. */
CW_COROUTINE(never, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    ASSERT(false);
    CW_END(self);
}

/* Ends after so long. */
CW_COROUTINE(takes_time, int64_t, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, self->arg);
    CW_RETURN(self, 1);
    CW_END(self);
}

/* ---- errors */

MAYBE_UNUSED static cw_error *failure(const char *message)
{
    return cw_error_new(CW_EFAILED, message, NULL);
}

MAYBE_UNUSED static cw_error *cancellation(void)
{
    return cw_error_new(CW_ECANCELED, "a cancellation of its own", NULL);
}

/* Raises what it is given. */
CW_COROUTINE(raises, cw_error *, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RAISE(self, cw_error_retain(self->arg));
    CW_END(self);
}

/* Runs a coroutine that ends with an error, which is owned. */
#define RUN_FAILS(NAME, error)                                                 \
    do {                                                                       \
        cw_none none_;                                                         \
        ASSERT(cw_run_blocking(NAME, CW_NONE, &none_, (error)) != CW_OK);      \
    } while (0)

#endif /* CONFORMANCE_H */
