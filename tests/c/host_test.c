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

static _Atomic(cw__op *) fired_op;
static _Atomic int fired_count;

static void op_fired(cw__op *op)
{
    atomic_store(&fired_op, op);
    atomic_fetch_add(&fired_count, 1);
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
                              .op_fired = op_fired,
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

/* ---- operations */

static void init_op(cw__waiter *waiter, cw__op *op, bool early)
{
    memset(waiter, 0, sizeof *waiter);
    waiter->kind = CW__WAITER_OP;
    waiter->early = early;
    waiter->owner.pointer = op;
}

TEST(an_operation_hears_of_the_end_or_early_of_cancellation)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = start_foreign(context);
    cw__op at_end = {NULL, 0}, early = {NULL, 0};
    cw__waiter waiters[2];
    init_op(&waiters[0], &at_end, false);
    init_op(&waiters[1], &early, true);
    ASSERT_EQ(cw__job_wait(job, &waiters[0]), CW__PENDING);
    ASSERT_EQ(cw__job_wait(job, &waiters[1]), CW__PENDING);
    cw_cancel(job, NULL);
    ASSERT_EQ(fired_count, 1);
    ASSERT(fired_op == &early);
    ASSERT_EQ(early.fired, CW__FIRED_EARLY);
    ASSERT_EQ(at_end.fired, 0);
    cw__job_finish(NULL, job, NULL);
    ASSERT_EQ(fired_count, 2);
    ASSERT(fired_op == &at_end);
    ASSERT_EQ(at_end.fired, CW__FIRED);
    /* Too late to register. */
    ASSERT_EQ(cw__job_wait(job, &waiters[0]), CW__DONE);
    ASSERT_EQ(cw__job_wait(job, &waiters[1]), CW__DONE);
    cw_job_release(job);
    shut_down(context);
}

TEST(an_operation_that_is_taken_back_is_not_fired)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = start_foreign(context);
    cw__op ops[3] = {{NULL, 0}};
    cw__waiter waiters[3];
    for (int i = 0; i < 3; i++) {
        init_op(&waiters[i], &ops[i], i == 1);
        ASSERT_EQ(cw__job_wait(job, &waiters[i]), CW__PENDING);
    }
    cw__job_unwait(&waiters[1]);
    cw__job_unwait(&waiters[0]);
    cw_cancel(job, NULL);
    cw__job_finish(NULL, job, NULL);
    ASSERT_EQ(fired_count, 1);
    ASSERT(fired_op == &ops[2]);
    cw_job_release(job);
    shut_down(context);
}

TEST(of_two_registrations_of_an_operation_the_first_counts)
{
    use_host();
    cw_context *context = new_context(1);
    cw_job *job = start_foreign(context);
    cw__op op = {NULL, 0};
    cw__waiter early, timer;
    init_op(&early, &op, true);
    init_op(&timer, &op, false);
    ASSERT_EQ(cw__job_wait(job, &early), CW__PENDING);
    int added = cw__timer_add(&context->timers, &timer, cw__now_ns());
    cw__context_timer_added(NULL, context, added == 1);
    while (atomic_load(&fired_count) == 0)
        sched_yield();
    cw_cancel(job, NULL);
    cw__job_finish(NULL, job, NULL);
    ASSERT_EQ(fired_count, 1);
    ASSERT_EQ(op.fired, CW__FIRED);
    cw_job_release(job);
    shut_down(context);
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
