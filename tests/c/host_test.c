/* host_test.c: what an embedding language hooks into the core.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "context.h"
#include "host.h"
#include "limit.h"
#include "trace.h"

#include <sched.h>

/* ---- a host that counts */

static _Atomic int ended, ended_unhandled, freed;
static _Atomic int threads_started, threads_ended;

enum { ROOM = 48 }; /* bytes behind a frame */

static void job_final(cw_job *job, bool unhandled)
{
    ASSERT(cw_is_completed(job));
    atomic_fetch_add(&ended, 1);
    atomic_fetch_add(&ended_unhandled, unhandled);
}

static size_t job_free(cw_job *job)
{
    ASSERT(cw_is_completed(job));
    atomic_fetch_add(&freed, 1);
    return ROOM;
}

static bool worker_start(cw__worker *self)
{
    ASSERT(self == cw__self);
    atomic_fetch_add(&threads_started, 1);
    return false; /* it runs the worker itself */
}

static void worker_end(cw__worker *self)
{
    ASSERT(self == cw__self);
    atomic_fetch_add(&threads_ended, 1);
}

/* What was delivered, as numbers; a few at a time. */
struct message {
    struct message *next; /* first, as in all inboxes */
    int number;
};

static _Atomic int delivered;

static uintptr_t deliver(cw__worker *self, uintptr_t chain)
{
    ASSERT(self == cw__self);
    while (chain) {
        struct message *message = (struct message *)chain;
        chain = cw__inbox_next(chain);
        ASSERT_EQ(message->number, atomic_fetch_add(&delivered, 1));
        free(message);
    }
    return 0;
}

static void use_host(void)
{
    cw__the_host = (cw__host){.job_final = job_final,
                              .deliver = deliver,
                              .job_free = job_free,
                              .worker_start = worker_start,
                              .worker_end = worker_end};
}

static cw_job *new_job(cw_context *context, const cw_coroutine *type,
                       unsigned flags, int arg)
{
    cw_job *job = cw__job_new(context, type, CW__JOB_NOTIFY | flags, 1, ROOM);
    ASSERT(job);
    memset((char *)job + sizeof *job + type->frame_size, 0xab, ROOM);
    if (type->arg_size == sizeof arg)
        memcpy((char *)job->top + type->arg_offset, &arg, sizeof arg);
    return job;
}

/* ---- ends */

TEST(the_host_hears_of_the_end_once)
{
    use_host();
    cw_set_unhandled_handler(count_unhandled);
    cw_context *context = new_context(1);
    struct {
        const cw_coroutine *type;
        unsigned flags;
        int arg, code, unhandled;
    } cases[] = {{&give, 0, 1, CW_OK, 0},
                 {&fail_with, 0, CW_EBUSY, CW_EBUSY, 1},
                 {&fail_with, CW__JOB_ASYNC, CW_EBUSY, CW_EBUSY, 0},
                 {&fail_with, 0, CW_ECANCELED, CW_ECANCELED, 0}};
    int unhandled = 0;
    for (int i = 0; i < 4; i++) {
        cw_job *job =
            new_job(context, cases[i].type, cases[i].flags, cases[i].arg);
        cw__context_launch(NULL, job, CW__SPAWNED);
        wait_for(job);
        unhandled += cases[i].unhandled;
        ASSERT_EQ(cw_error_code(cw_job_error(job)), cases[i].code);
        ASSERT_EQ(ended, i + 1);
        ASSERT_EQ(ended_unhandled, unhandled);
        cw_job_release(job);
    }
    shut_down(context);
    ASSERT_EQ(freed, 4);
    ASSERT_EQ(unhandled_count, 0); /* the host was told instead */
    ASSERT_EQ(threads_started, 1);
    ASSERT_EQ(threads_ended, 1);
}

TEST(the_host_hears_of_a_refused_job)
{
    use_host();
    cw_context *context = new_context(1);
    cw_context_close(context);
    cw_job *job = new_job(context, &give, 0, 1);
    cw__context_launch(NULL, job, CW__SPAWNED);
    ASSERT(cw_is_completed(job) && cw_is_cancelled(job));
    ASSERT_EQ(ended, 1);
    cw_job_release(job);
    ASSERT_EQ(freed, 1);
    shut_down(context);
}

/* ---- bodies of the host */

static _Atomic int steps;

static cw_step run_elsewhere(cw_frame *frame)
{
    ASSERT(cw_current_job() == frame->job);
    atomic_fetch_add(&steps, 1);
    return CW_STEP_FOREIGN;
}

static const cw_coroutine foreign = {
    .name = "foreign", .step = run_elsewhere, .frame_size = sizeof(cw_frame)};

static cw_job *start_foreign(cw_context *context)
{
    cw_job *job = new_job(context, &foreign, CW__JOB_FOREIGN, 0);
    int before = atomic_load(&steps);
    cw__context_launch(NULL, job, CW__SPAWNED);
    while (atomic_load(&steps) == before)
        sched_yield();
    return job;
}

TEST(an_outside_party_completes_a_foreign_job)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = start_foreign(context);
    struct hold *hold = hold_all(context); /* the worker goes on without it */
    let_go(context, hold);
    ASSERT(cw_is_active(job));
    cw_job *child = new_job(context, &give, 0, 1);
    cw__job_attach(job, child);
    cw__job_finish(NULL, job, NULL);
    ASSERT(!cw_is_completed(job)); /* it waits for its children as well */
    cw__context_launch(NULL, child, CW__SPAWNED);
    wait_for(job);
    ASSERT(cw_job_error(job) == NULL);
    cw_job_release(child);
    cw_job_release(job);
    shut_down(context);
    ASSERT_EQ(freed, 2);
    hold_free(hold);
}

TEST(cancelling_a_foreign_job_leaves_its_body_to_the_host)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = start_foreign(context);
    cw_cancel(job, NULL);
    ASSERT(cw_is_cancelled(job) && !cw_is_completed(job));
    cw__job_finish(NULL, job, NULL);
    ASSERT(cw_is_completed(job));
    ASSERT_CANCELLED(cw_job_error(job), NULL);
    cw_job_release(job);
    shut_down(context);
    ASSERT_EQ(steps, 1);
}

/* ---- messages */

TEST(messages_arrive_in_order_even_if_the_worker_sleeps)
{
    use_host();
    cw_context *context = new_context(2);
    cw__worker *worker = &context->workers[1];
    for (int i = 0; i < 3000; i++) {
        struct message *message = malloc(sizeof *message);
        ASSERT(message);
        message->number = i;
        cw__inbox_push(&worker->inbox, (uintptr_t)message);
        cw__worker_unpark(worker);
        if (i % 100 == 0)
            while (atomic_load(&delivered) <= i)
                sched_yield();
    }
    while (atomic_load(&delivered) < 3000)
        sched_yield();
    shut_down(context);
}

/* ---- time limits */

static cw_job *limited(cw_context *context, const cw_coroutine *type,
                       int64_t ms, cw_error *error)
{
    cw_job *job = new_job(context, type, 0, 7);
    int added = cw__limit_set(context, job, ms, error);
    ASSERT(added >= 0);
    cw__context_timer_added(NULL, context, added == 1);
    cw__context_launch(NULL, job, CW__SPAWNED);
    return job;
}

TEST(a_limit_that_runs_out_cancels)
{
    use_host();
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    cw_job *job = limited(context, &wait_for_ever, 5, error);
    wait_for(job);
    ASSERT_CANCELLED(cw_job_error(job), error);
    cw_job_release(job);
    cw_error_release(error);
    shut_down(context);
    ASSERT_EQ(freed, 1);
}

TEST(a_limit_ends_with_its_job)
{
    use_host();
    cw_context *context = new_context(1);
    cw_error *error = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    cw_job *jobs[2] = {limited(context, &give, INT64_MAX, error),
                       limited(context, &give, 100000, error)};
    for (int i = 0; i < 2; i++) {
        wait_for(jobs[i]);
        ASSERT(cw_job_error(jobs[i]) == NULL);
        cw_job_release(jobs[i]);
    }
    ASSERT_EQ(context->timers.count, 0);
    cw_error_release(error);
    shut_down(context);
    ASSERT_EQ(freed, 2);
}

TEST(a_job_that_is_over_takes_no_limit)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = new_job(context, &give, 0, 1);
    cw__context_launch(NULL, job, CW__SPAWNED);
    wait_for(job);
    ASSERT_EQ(cw__limit_set(context, job, 5, NULL), CW_OK);
    cw_job_release(job);
    shut_down(context);
    ASSERT_EQ(freed, 1);
}

TEST(a_limit_without_memory_is_told)
{
    use_host();
    cw_context *context = new_context(1);
    for (int n = 1; n <= 3; n++) { /* of these the timers need at least two */
        cw_job *job = new_job(context, &give, 0, 1);
        fail_allocs_from(n);
        int status = cw__limit_set(context, job, 1000, NULL);
        ASSERT_EQ(status < 0, alloc_has_failed());
        if (status < 0) ASSERT_EQ(status, CW_ENOMEM);
        fail_alloc_at(0);
        cw__context_launch(NULL, job, CW__SPAWNED);
        wait_for(job);
        ASSERT(cw_job_error(job) == NULL);
        cw_job_release(job);
    }
    shut_down(context);
    ASSERT_EQ(freed, 3);
}

CW_COROUTINE(delay_a_little, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_END(self);
}

TEST(limits_that_race_with_the_end)
{
    use_host();
    cw_context *context = new_context(2);
    cw_error *error = cw_error_new(CW_ETIMEDOUT, NULL, NULL);
    enum { ROUNDS = 20, COUNT = 50 };
    for (int round = 0; round < ROUNDS; round++) {
        cw_job *jobs[COUNT];
        for (int i = 0; i < COUNT; i++)
            jobs[i] = limited(context, &delay_a_little, 1, error);
        for (int i = 0; i < COUNT; i++) {
            wait_for(jobs[i]);
            cw_error *outcome = cw_job_error(jobs[i]);
            if (outcome) ASSERT_CANCELLED(outcome, error);
            cw_job_release(jobs[i]);
        }
    }
    cw_error_release(error);
    shut_down(context);
    ASSERT_EQ(ended, ROUNDS * COUNT);
    ASSERT_EQ(freed, ROUNDS * COUNT);
}

/* ---- traces */

SCENARIO(a_traced_worker_tells_what_it_runs, cw__trace *trace; int out;)
{
    CW_BEGIN(self);
    self->trace = &cw__self->trace;
    self->trace->events =
        cw__system_alloc(CW__TRACE_EVENTS * sizeof *self->trace->events);
    ASSERT(self->trace->events);
    ASSERT_EQ(atomic_load(&self->trace->next), 0);
    CW_YIELD(self);
    /* The end of the first step and the beginning of this one. */
    ASSERT_EQ(atomic_load(&self->trace->next), 2);
    ASSERT_EQ(self->trace->events[0].kind, CW__TRACE_END);
    ASSERT_EQ(self->trace->events[1].kind, CW__TRACE_BEGIN);
    ASSERT_EQ(self->trace->events[1].what,
              (uint32_t)(uintptr_t)&a_traced_worker_tells_what_it_runs_main);
    ASSERT(self->trace->events[0].time_ms <= self->trace->events[1].time_ms);
    CW_DELAY(self, 1);
    ASSERT_EQ(atomic_load(&self->trace->next), 6);
    ASSERT_EQ(self->trace->events[3].kind, CW__TRACE_PARK);
    ASSERT_EQ(self->trace->events[4].kind, CW__TRACE_UNPARK);
    /* The oldest are overwritten. */
    for (self->out = 0; self->out < CW__TRACE_EVENTS; self->out++)
        CW_YIELD(self);
    ASSERT_EQ(atomic_load(&self->trace->next), 6 + 2 * CW__TRACE_EVENTS);
    CW_END(self);
}
