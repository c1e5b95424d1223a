/* helpers.h: what most tests need of coroutines.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after test.h.
 */
#ifndef HELPERS_H
#define HELPERS_H

#include "coworker.h"

#include <pthread.h>

/* ---- scenarios */

/* Runs a coroutine without argument or result on a loop of this thread's own,
 * which is strictly first in, first out, and asserts that it succeeds. */
#define RUN(NAME)                                                              \
    do {                                                                       \
        cw_none none_;                                                         \
        cw_error *error_;                                                      \
        int status_ = cw_run_blocking(NAME, CW_NONE, &none_, &error_);         \
        if (status_ != CW_OK)                                                  \
            test_failed(__FILE__, __LINE__, #NAME, cw_error_message(error_));  \
    } while (0)

/* SCENARIO(name, locals...) { body }: a test that is a coroutine. */
#define SCENARIO(NAME, ...)                                                    \
    CW_DECLARE_COROUTINE(NAME##_main, cw_none, cw_none, __VA_ARGS__)           \
    TEST(NAME) { RUN(NAME##_main); }                                           \
    CW_DEFINE_COROUTINE(NAME##_main, cw_none, cw_none)

/* Asserts that an error is one of cancellation because of `cause`. */
#define ASSERT_CANCELLED(error, cause)                                         \
    do {                                                                       \
        ASSERT_EQ(cw_error_code(error), CW_ECANCELED);                         \
        ASSERT(cw_error_cause(error) == (cause));                              \
    } while (0)

/* Asserts what the flags of a job are. */
#define ASSERT_FLAGS(job, active, completed, cancelled)                        \
    do {                                                                       \
        ASSERT_EQ(cw_is_active(job), active);                                  \
        ASSERT_EQ(cw_is_completed(job), completed);                            \
        ASSERT_EQ(cw_is_cancelled(job), cancelled);                            \
    } while (0)

/* In a body: asserts that the call raises that very error, or one of that code.
 * `id` is that of CW_TRY(). */
#define ASSERT_RAISES(self, id, error, call)                                   \
    ASSERT_RAISING(self, id, call, ASSERT(cw_caught(self) == (error)))
#define ASSERT_RAISES_CODE(self, id, code, call)                               \
    ASSERT_RAISING(self, id, call,                                             \
                   ASSERT_EQ(cw_error_code(cw_caught(self)), code))
#define ASSERT_RAISING(self, id, call, assertion)                              \
    do {                                                                       \
        CW_TRY(self, id);                                                      \
        call;                                                                  \
        ASSERT(false);                                                         \
        CW_CATCH(self, id) { assertion; }                                      \
    } while (0)

/* Makes new threads have little stack: recursion that grows with the number of
 * jobs does not fit. */
MAYBE_UNUSED static void use_small_stacks(void)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#ifdef CW_PLAIN_ALLOC /* sanitizers need more for themselves */
    pthread_attr_setstacksize(&attributes, 1024 * 1024);
#else
    pthread_attr_setstacksize(&attributes, 256 * 1024);
#endif
    ASSERT(pthread_setattr_default_np(&attributes) == 0);
    pthread_attr_destroy(&attributes);
}

/* ---- waiting from outside */

CW_COROUTINE(join_one, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

/* Waits on the calling thread, which is no worker, until `job` has ended. */
MAYBE_UNUSED static void wait_for(cw_job *job)
{
    cw_none none;
    ASSERT_EQ(cw_run_blocking(join_one, job, &none, NULL), CW_OK);
    ASSERT(cw_is_completed(job));
}

MAYBE_UNUSED static void note_doing(void *arg, const cw_dump_entry *entry)
{
    if (entry->number == 1) *(cw_dump_doing *)arg = entry->doing;
}

/* Waits on the calling thread until the job waits in that way. */
MAYBE_UNUSED static void await_doing(cw_job *job, cw_dump_doing wanted)
{
    for (;;) {
        cw_dump_doing doing = CW_DUMP_NOTHING;
        ASSERT_EQ(cw_dump_visit(job, note_doing, &doing), CW_OK);
        if (doing == wanted) return;
        cw__thread_pause();
    }
}

/* Closes, joins and gives back. */
MAYBE_UNUSED static void shut_down(cw_context *context)
{
    cw_context_close(context);
    ASSERT_EQ(cw_context_join(context), CW_OK);
    cw_context_release(context);
}

MAYBE_UNUSED static cw_context *new_context(int workers)
{
    cw_context *context = cw_new_fixed_worker_context(workers, "test");
    ASSERT(context);
    return context;
}

/* ---- keeping workers busy */

struct hold {
    sem_t *entered; /* set when a worker is held */
    sem_t *release; /* set to let it go */
};

CW_FUNCTION(hold_worker, struct hold *, cw_none)
{
    event_set((*arg)->entered);
    event_await((*arg)->release);
    return CW_OK;
}

/* Occupies all workers of the context until let_go(). */
MAYBE_UNUSED static struct hold *hold_all(cw_context *context)
{
    struct hold *hold = malloc(sizeof *hold);
    ASSERT(hold);
    hold->entered = event_new();
    hold->release = event_new();
    int workers = cw_context_workers(context);
    for (int i = 0; i < workers; i++)
        ASSERT_EQ(cw_spawn(context, hold_worker, hold), CW_OK);
    for (int i = 0; i < workers; i++)
        event_await(hold->entered);
    return hold;
}

MAYBE_UNUSED static void let_go(cw_context *context, struct hold *hold)
{
    for (int i = cw_context_workers(context); i > 0; i--)
        event_set(hold->release);
}

/* Only once no worker can touch it any more. */
MAYBE_UNUSED static void hold_free(struct hold *hold)
{
    event_free(hold->entered);
    event_free(hold->release);
    free(hold);
}

/* ---- failures that nobody takes */

MAYBE_UNUSED static _Atomic int unhandled_count;
MAYBE_UNUSED static _Atomic int unhandled_code;

MAYBE_UNUSED static void count_unhandled(const char *name, cw_error *error)
{
    ASSERT(name);
    atomic_store(&unhandled_code, cw_error_code(error));
    atomic_fetch_add(&unhandled_count, 1);
}

/* ---- common bodies */

/* Waits until it is cancelled. */
CW_COROUTINE(wait_for_ever, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

/* Ends at once with its argument. */
CW_COROUTINE(give, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, self->arg);
    CW_END(self);
}

/* Fails at once with the code that it is given. */
CW_COROUTINE(fail_with, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_FAIL(self, self->arg, "on purpose");
    CW_END(self);
}

#endif /* HELPERS_H */
