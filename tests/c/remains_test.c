/* remains_test.c: what is left in a closed context whose last thread is lost.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"
#include "killing.h"

#include "context.h"
#include "kill_gate.h"
#include "lost.h"
#include "remains.h"

CW_CHANNEL_TYPE(ints, int)

static ints empty, full;
static cw_mutex *mutex;
static cw_semaphore *semaphore;
static cw_job *never;
static cw_continuation *continuation;
static int cleaned, undelivered;

/* No thread is left for what comes after the wait. */
#define WAITS(NAME, LOCALS, ...)                                               \
    CW_COROUTINE(NAME, cw_none, cw_none, LOCALS)                               \
    {                                                                          \
        CW_BEGIN(self);                                                        \
        __VA_ARGS__;                                                           \
        CW_FINALLY(self);                                                      \
        cleaned++;                                                             \
        CW_END(self);                                                          \
    }

static cw_error *note_undelivered(int *element, void *arg)
{
    (void)arg;
    ASSERT_EQ(*element, 2);
    undelivered++;
    return NULL;
}

static void keep(cw_continuation *given, void *arg)
{
    (void)arg;
    continuation = given;
}

WAITS(delays, CW_NO_LOCALS, CW_DELAY(self, 60 * 1000))
WAITS(joins, CW_NO_LOCALS, CW_JOIN(self, never))
WAITS(receives, int got;, CW_RECEIVE(self, ints, empty, &self->got))
WAITS(sends, CW_NO_LOCALS, CW_SEND(self, ints, full, 2))
WAITS(locks, CW_NO_LOCALS, CW_LOCK(self, mutex, NULL))
WAITS(acquires, CW_NO_LOCALS, CW_ACQUIRE(self, semaphore))
WAITS(acquires_own, CW_NO_LOCALS, CW_ACQUIRE_OWN(self, semaphore))
WAITS(calls, cw_none out;, CW_SUSPEND_WITH(self, keep, NULL, &self->out))
WAITS(joins_within, cw_none out;, CW_SCOPE(self, joins, CW_NONE, &self->out))

WAITS(selects, cw_clause clauses[4]; int which; int got; int value;
      , self->value = 2; self->clauses[0] = ints_on_receive(empty, &self->got);
      self->clauses[1] = ints_on_send(full, &self->value);
      self->clauses[2] = cw_on_lock(mutex, NULL);
      self->clauses[3] = cw_on_timeout(60 * 1000);
      CW_SELECT(self, self->clauses, 4, &self->which))

CW_COROUTINE(launches, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_job_release(cw_launch(NULL, delays, CW_NONE));
    CW_END(self);
}
WAITS(has_children, cw_none out;, CW_SCOPE(self, launches, CW_NONE, &self->out))

static const struct {
    const cw_coroutine *type;
    cw_dump_doing doing;
} waits[] = {
    {&delays, CW_DUMP_DELAY},      {&joins, CW_DUMP_JOIN},
    {&receives, CW_DUMP_RECEIVE},  {&sends, CW_DUMP_SEND},
    {&locks, CW_DUMP_LOCK},        {&acquires, CW_DUMP_ACQUIRE},
    {&calls, CW_DUMP_CALL},        {&selects, CW_DUMP_SELECT},
    {&joins_within, CW_DUMP_JOIN}, {&acquires_own, CW_DUMP_ACQUIRE},
    {&has_children, CW_DUMP_JOIN},
};
enum { WAITS_COUNT = sizeof waits / sizeof *waits };

static void lose_last(cw_context *context)
{
    static const cw__loss loss = {"was killed", NULL};
    cw__worker *worker = &context->workers[0];
    while (!cw__gate_hold(worker))
        cw__thread_pause();
    cw__gate_doom(worker);
    ASSERT(cw__worker_lose(worker, &loss) != NULL);
    cw__worker_gone(worker);
}

static cw_job *launch(cw_context *context, const cw_coroutine *type)
{
    const cw_none none = CW_NONE;
    cw_job *job = cw__start(context, type, CW__START_HANDLE, &none);
    ASSERT(job);
    return job;
}

TEST(whatever_its_bodies_wait_for_they_end)
{
    cw_context *context = new_context(1);
    empty = ints_new(0);
    full = ints_new_with(1, CW_OVERFLOW_SUSPEND, note_undelivered, NULL);
    ASSERT_EQ(ints_try_send(full, 1), CW_OK);
    mutex = cw_mutex_new(true);
    semaphore = cw_semaphore_new(1, 1);
    never = cw_job_new(NULL);
    cw_job *jobs[WAITS_COUNT];
    for (int i = 0; i < WAITS_COUNT; i++)
        jobs[i] = launch(context, waits[i].type);
    for (int i = 0; i < WAITS_COUNT; i++)
        await_doing(jobs[i], waits[i].doing);
    struct hold *hold = hold_new();
    cw_job *lost = holding(LAUNCH_KILLABLE(context, hold_worker, hold), hold);
    cw_job *queued = launch(context, &delays);
    cw_context_close(context);
    cw_cancel(queued, NULL);
    for (int i = 0; i < WAITS_COUNT; i++)
        cw_cancel(jobs[i], NULL);
    lose_last(context);
    while (cw__context_end_remains(context)) {
    }
    ASSERT(cw__context_quiet(context));
    assert_lost(lost, NULL);
    cw_job_release(lost);
    for (int i = 0; i < WAITS_COUNT; i++) {
        ASSERT(cw_is_completed(jobs[i]));
        ASSERT_EQ(cw_error_code(cw_job_error(jobs[i])), CW_ECANCELED);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(cw_error_code(cw_job_error(queued)), CW_ECANCELED);
    cw_job_release(queued);
    ASSERT_EQ(cleaned, 0);
    ASSERT_EQ(undelivered, 2); /* the sender's, and the select's */

    /* Nobody stands in a line any more. */
    int got;
    ASSERT_EQ(ints_try_send(empty, 3), CW_EAGAIN);
    ASSERT_EQ(ints_try_receive(full, &got), CW_OK);
    ASSERT_EQ(ints_try_receive(full, &got), CW_EAGAIN);
    ASSERT_EQ(cw_unlock(mutex, NULL), CW_OK);
    ASSERT_EQ(cw_try_lock(mutex, NULL), CW_OK);
    ASSERT_EQ(cw_give_back(semaphore), CW_OK);
    ASSERT_EQ(cw_semaphore_available(semaphore), 1);
    ASSERT_EQ(cw_job_complete(never), 1);
    cw_continuation_release(continuation);

    let_zombies_go(context, hold, 1);
    cw_job_release(never);
    cw_channel_release(empty.channel);
    cw_channel_release(full.channel);
    cw_mutex_release(mutex);
    cw_semaphore_release(semaphore);
    cw_elements_release(killable(context));
    cw_context_release(context);
}
