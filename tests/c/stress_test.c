/* stress_test.c: races, again and again.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each test runs for CW_STRESS_ROUNDS rounds with 2, 4 and 8 workers; if it is
 * not set for 500, or 125 where rounds are long. What it does is random;
 * CW_STRESS_SEED repeats the choices, though not the timing. A round that never
 * ends is a failure like any other: it is what a lost wake-up looks like.
 */
#include "test.h"

#include "helpers.h"

#include "context.h"

#define USUAL_ROUNDS 500
#include "stress.h"

/* ---- rounds, threads that meet */

static int long_round_count = 125;

__attribute__((constructor)) static void set_long_rounds(void)
{
    if (rounds_are_given) long_round_count = round_count;
}

static void tell_time(const char *name, int workers, int64_t began_ns)
{
    printf("%s, %d workers: %.1f s\n", name, workers,
           (double)(cw__now_ns() - began_ns) / 1e9);
    fflush(stdout);
}

/* A test with a context of 2, 4 and 8 workers. */
#define STRESS(NAME)                                                           \
    static void NAME##_with(cw_context *context);                              \
    TEST(NAME)                                                                 \
    {                                                                          \
        alarm(TEST_SECONDS + (unsigned)round_count / 10);                      \
        cw_set_unhandled_handler(count_unhandled);                             \
        for (int workers = 2; workers <= 8; workers *= 2) {                    \
            int64_t began_ns = cw__now_ns();                                   \
            cw_context *context = new_context(workers);                        \
            NAME##_with(context);                                              \
            shut_down(context);                                                \
            tell_time(#NAME, workers, began_ns);                               \
        }                                                                      \
    }                                                                          \
    static void NAME##_with(cw_context *context)

/* Threads that act at the same time, once a round; the caller is one of them.
 */
enum { ACTORS = 4 };

typedef void act(void *);

static struct team {
    sem_t start[ACTORS], done;
    act *acts[ACTORS];
    void *arg;
    _Atomic int missing;
    bool running;
} team;

static void meet_and_act(int number)
{
    atomic_fetch_sub(&team.missing, 1);
    while (atomic_load(&team.missing) > 0)
        cw__thread_pause();
    dither();
    team.acts[number](team.arg);
}

static void *act_each_round(void *arg)
{
    int number = *(int *)arg;
    for (;;) {
        event_await(&team.start[number]);
        if (!team.acts[number]) return NULL;
        meet_and_act(number);
        event_set(&team.done);
    }
}

/* Lets `count` threads do `acts[]` with `arg` at the same time. */
static void act_together(int count, act *const *acts, void *arg)
{
    static int numbers[ACTORS];
    static pthread_t threads[ACTORS];
    if (!team.running) {
        team.running = true;
        sem_init(&team.done, 0, 0);
        for (int i = 1; i < ACTORS; i++) {
            numbers[i] = i;
            sem_init(&team.start[i], 0, 0);
            ASSERT(pthread_create(&threads[i], NULL, act_each_round,
                                  &numbers[i]) == 0);
        }
    }
    team.arg = arg;
    atomic_store(&team.missing, count);
    for (int i = 0; i < count; i++)
        team.acts[i] = acts[i];
    for (int i = 1; i < count; i++)
        event_set(&team.start[i]);
    meet_and_act(0);
    for (int i = 1; i < count; i++)
        event_await(&team.done);
}

/* CW_JOIN by a body that takes its time between registering with the job and
 * giving its worker free: what happens meanwhile has to be remembered. */
#define SLOW_JOIN(self, job_)                                                  \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (cw__join(&(self)->frame, (job_)) == CW__PENDING) {                 \
            for (uint32_t i_ = chance(8); i_ > 0; i_--)                        \
                dither();                                                      \
            return CW_STEP_SUSPENDED;                                          \
        }                                                                      \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__joined(&(self)->frame));                           \
    } while (0)

/* ---- start against cancel */

struct run {
    cw_job *job;
    _Atomic int began, ended, cleaned;
};

CW_COROUTINE(count_run, struct run *, int, int i;)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->began, 1);
    for (self->i = 0; self->i < 3; self->i++)
        CW_YIELD(self);
    atomic_fetch_add(&self->arg->ended, 1);
    CW_RETURN(self, 42);
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->cleaned, 1);
    CW_END(self);
}

static cw_context *pool; /* of the round, for actors */

static void launch_run(void *arg)
{
    struct run *run = arg;
    cw_job *job = cw_async(pool, count_run, run);
    __atomic_store_n(&run->job, job, __ATOMIC_RELEASE);
}

static void cancel_run(void *arg)
{
    struct run *run = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&run->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    dither();
    cw_cancel(job, NULL);
}

STRESS(start_against_two_cancels)
{
    act *const acts[] = {launch_run, cancel_run, cancel_run};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct run run = {NULL, 0, 0, 0};
        act_together(3, acts, &run);
        wait_for(run.job);
        ASSERT(run.began <= 1);
        ASSERT_EQ(run.cleaned, run.began);
        ASSERT(run.ended <= run.began);
        int out = 0, status = cw_result(count_run, run.job, &out);
        if (status == CW_OK) {
            ASSERT_EQ(run.ended, 1);
            ASSERT_EQ(out, 42);
        } else {
            ASSERT_EQ(status, CW_ECANCELED);
        }
        cw_job_release(run.job);
    }
}

/* ---- a child that is attached while its parent ends or is cancelled */

struct family {
    cw_job *parent, *child;
    cw_error *cause;
};

static void attach_child(void *arg)
{
    struct family *family = arg;
    cw__job_attach(family->parent, family->child);
}

static void end_parent(void *arg)
{
    struct family *family = arg;
    cw__job_finish(NULL, family->parent, NULL);
}

static void cancel_parent(void *arg)
{
    struct family *family = arg;
    cw_cancel(family->parent, family->cause);
}

STRESS(attach_against_the_parents_end_and_cancellation)
{
    act *const acts[] = {attach_child, end_parent, cancel_parent};
    cw_error *cause = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        struct family family = {cw__job_new(context, NULL, CW__JOB_BARE, 1, 0),
                                cw__job_new(context, NULL, CW__JOB_BARE, 1, 0),
                                cause};
        int count = 2 + (int)chance(2);
        act_together(count, acts, &family);
        cw_job *parent = family.parent, *child = family.child;
        /* Either listed, so awaited, or cancelled at once. */
        ASSERT(cw_is_completed(parent) != (child->parent != NULL));
        if (cw_is_completed(parent)) ASSERT(cw_is_cancelled(child));
        if (cw_is_cancelled(parent)) {
            ASSERT(count == 3 && cw_is_cancelled(child));
            ASSERT(cw_error_cause(child->error) == cause);
        }
        cw__job_finish(NULL, child, NULL);
        ASSERT(cw_is_completed(child) && cw_is_completed(parent));
        cw_job_release(parent);
        cw_job_release(child);
    }
    cw_error_release(cause);
}

/* The same by a body that launches while it is cancelled. */
struct brood {
    cw_job *job;
    _Atomic int launched, began, ended;
};

CW_COROUTINE(be_born, struct brood *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->began, 1);
    CW_YIELD(self);
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->ended, 1);
    CW_END(self);
}

CW_COROUTINE(bear, struct brood *, cw_none, int i; cw_job * child;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 50; self->i++) {
        self->child = cw_launch(NULL, be_born, self->arg);
        atomic_fetch_add(&self->arg->launched, 1);
        cw_job_release(self->child);
        if (self->i % 8 == 7) CW_YIELD(self);
    }
    CW_END(self);
}

static void launch_brood(void *arg)
{
    struct brood *brood = arg;
    cw_job *job = cw_async(pool, bear, brood);
    __atomic_store_n(&brood->job, job, __ATOMIC_RELEASE);
}

static void cancel_brood(void *arg)
{
    struct brood *brood = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&brood->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    for (uint32_t i = chance(20); i > 0; i--)
        dither();
    cw_cancel(job, NULL);
}

STRESS(launching_children_against_cancellation)
{
    act *const acts[] = {launch_brood, cancel_brood};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct brood brood = {NULL, 0, 0, 0};
        act_together(2, acts, &brood);
        wait_for(brood.job);
        ASSERT_EQ(brood.began, brood.ended); /* nobody is left */
        ASSERT(brood.began <= brood.launched);
        if (!cw_job_error(brood.job)) ASSERT_EQ(brood.began, 50);
        cw_job_release(brood.job);
    }
}

/* ---- waiters against the end */

struct waiters {
    cw_job *job;
    _Atomic int woken, cancelled;
};

CW_COROUTINE(end_after, uint32_t, int, uint32_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_RETURN(self, 42);
    CW_END(self);
}

CW_COROUTINE(wait_for_end, struct waiters *, cw_none, uint32_t how; int out;)
{
    CW_BEGIN(self);
    if (chance(2)) CW_YIELD(self);
    self->how = chance(3);
    if (self->how == 0) {
        CW_JOIN(self, self->arg->job);
    } else if (self->how == 1) {
        SLOW_JOIN(self, self->arg->job);
    } else {
        CW_AWAIT(self, end_after, self->arg->job, &self->out);
        ASSERT_EQ(self->out, 42);
    }
    ASSERT(cw_is_completed(self->arg->job));
    atomic_fetch_add(&self->arg->woken, 1);
    CW_END(self);
}

STRESS(waiting_against_the_end)
{
    enum { COUNT = 20 };
    for (int round = 0; round < round_count; round++) {
        struct waiters waiters = {NULL, 0, 0};
        cw_job *jobs[COUNT];
        waiters.job = cw_async(context, end_after, chance(8));
        for (int i = 0; i < COUNT; i++)
            jobs[i] = cw_launch(context, wait_for_end, &waiters);
        for (int i = 0; i < COUNT; i++) {
            wait_for(jobs[i]);
            ASSERT(cw_job_error(jobs[i]) == NULL);
            cw_job_release(jobs[i]);
        }
        ASSERT_EQ(waiters.woken, COUNT);
        cw_job_release(waiters.job);
    }
}

/* ---- the end, cancellation and a timer against each other */

CW_COROUTINE(wait_or_be_cancelled, struct waiters *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    if (chance(2)) {
        CW_JOIN(self, self->arg->job);
    } else {
        SLOW_JOIN(self, self->arg->job);
    }
    atomic_fetch_add(&self->arg->woken, 1);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_ECANCELED);
        atomic_fetch_add(&self->arg->cancelled, 1);
    }
    CW_END(self);
}

struct duel {
    struct waiters waiters;
    cw_job *waiting[8];
};

static void end_awaited(void *arg)
{
    struct duel *duel = arg;
    cw_cancel(duel->waiters.job, NULL);
}

static void cancel_waiting(void *arg)
{
    struct duel *duel = arg;
    for (int i = 0; i < 8; i++) {
        cw_cancel(duel->waiting[i], NULL);
        dither();
    }
}

STRESS(resumption_against_cancellation)
{
    act *const acts[] = {end_awaited, cancel_waiting};
    for (int round = 0; round < round_count; round++) {
        struct duel duel = {.waiters = {NULL, 0, 0}};
        duel.waiters.job = cw_launch(context, wait_for_ever, CW_NONE);
        for (int i = 0; i < 8; i++)
            duel.waiting[i] =
                cw_launch(context, wait_or_be_cancelled, &duel.waiters);
        for (uint32_t i = chance(30); i > 0; i--)
            dither();
        act_together(2, acts, &duel);
        int skipped = 0;
        for (int i = 0; i < 8; i++)
            wait_for(duel.waiting[i]);
        /* Each one that has begun went on in one way. */
        skipped = 8 - duel.waiters.woken - duel.waiters.cancelled;
        ASSERT(skipped >= 0);
        for (int i = 0; i < 8; i++) {
            ASSERT(skipped == 0 || cw_is_cancelled(duel.waiting[i]) ||
                   duel.waiters.woken > 0);
            cw_job_release(duel.waiting[i]);
        }
        wait_for(duel.waiters.job);
        cw_job_release(duel.waiters.job);
    }
}

struct delay_run {
    _Atomic int over, cancelled;
};

CW_COROUTINE(delay_or_be_cancelled, struct delay_run *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_DELAY(self, 1);
    atomic_fetch_add(&self->arg->over, 1);
    CW_CATCH(self, 1) { atomic_fetch_add(&self->arg->cancelled, 1); }
    CW_END(self);
}

STRESS(timers_against_cancellation)
{
    enum { COUNT = 40 };
    for (int round = 0; round < long_round_count; round++) {
        struct delay_run run = {0, 0};
        cw_job *jobs[COUNT];
        for (int i = 0; i < COUNT; i++)
            jobs[i] = cw_launch(context, delay_or_be_cancelled, &run);
        /* They run out while they are cancelled one by one. */
        int64_t until = cw__now_ns() + 700000 + (int64_t)chance(500000);
        while (cw__now_ns() < until) {
        }
        for (int i = 0; i < COUNT; i++) {
            cw_cancel(jobs[i], NULL);
            dither();
        }
        int skipped = 0;
        for (int i = 0; i < COUNT; i++) {
            wait_for(jobs[i]);
            cw_job_release(jobs[i]);
        }
        skipped = COUNT - run.over - run.cancelled;
        ASSERT(skipped >= 0 && skipped <= COUNT);
        ASSERT_EQ(context->timers.count, 0);
    }
}

/* ---- failures */

struct failures {
    cw_error *errors[8];
    cw_job *jobs[8];
    uint32_t turns[8];
    bool fails[8];
};

struct failure {
    uint32_t turns;
    cw_error *error;
};

CW_COROUTINE(fail_after, struct failure, int, uint32_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_YIELD(self);
    if (self->arg.error) CW_RAISE(self, cw_error_retain(self->arg.error));
    CW_RETURN(self, (int)self->arg.turns);
    CW_END(self);
}

CW_COROUTINE(join_failing, cw_error *, cw_none, cw_job *job;)
{
    CW_BEGIN(self);
    self->job =
        cw_launch(NULL, fail_after, ((struct failure){chance(3), self->arg}));
    if (chance(2)) CW_YIELD(self);
    CW_JOIN(self, self->job);
    ASSERT(false); /* cancelled before the end of the child is visible */
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(await_failing, cw_error *, cw_none, cw_job *job; int out;)
{
    CW_BEGIN(self);
    self->job =
        cw_async(NULL, fail_after, ((struct failure){chance(3), self->arg}));
    CW_TRY(self, 1);
    CW_AWAIT(self, fail_after, self->job, &self->out);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT(cw_caught(self) == self->arg); }
    CW_FINALLY(self);
    cw_job_release(self->job);
    CW_END(self);
}

CW_COROUTINE(join_and_await_failing, cw_error *, cw_none, cw_none none;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SCOPE(self, join_failing, self->arg, &self->none);
    ASSERT(false);
    CW_CATCH(self, 1) { ASSERT(cw_caught(self) == self->arg); }
    CW_TRY(self, 2);
    CW_SCOPE(self, await_failing, self->arg, &self->none);
    ASSERT(false);
    CW_CATCH(self, 2) { ASSERT(cw_caught(self) == self->arg); }
    CW_ENSURE_ACTIVE(self);
    CW_END(self);
}

STRESS(a_childs_failure_against_its_parents_join)
{
    cw_error *error = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        cw_job *job = cw_async(context, join_and_await_failing, error);
        wait_for(job);
        ASSERT(cw_job_error(job) == NULL);
        cw_job_release(job);
    }
    cw_error_release(error);
}

CW_COROUTINE(launch_failing, struct failures *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < 8; i++) {
        struct failure failure = {self->arg->turns[i], self->arg->errors[i]};
        ASSERT_EQ(cw_spawn(NULL, fail_after, failure), CW_OK);
    }
    CW_END(self);
}

STRESS(many_failures_at_once)
{
    struct failures failures;
    for (int i = 0; i < 8; i++)
        failures.errors[i] = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        for (int i = 0; i < 8; i++)
            failures.turns[i] = chance(3);
        int told = atomic_load(&unhandled_count);
        cw_job *job = cw_launch(context, launch_failing, &failures);
        wait_for(job);
        int found = 0;
        for (int i = 0; i < 8; i++)
            found += cw_job_error(job) == failures.errors[i];
        ASSERT_EQ(found, 1);
        ASSERT_EQ(atomic_load(&unhandled_count), told + 1);
        cw_job_release(job);
    }
    for (int i = 0; i < 8; i++)
        cw_error_release(failures.errors[i]);
}

/* ---- await_all with random failures */

CW_COROUTINE(await_them, struct failures *, int, int outs[8];)
{
    CW_BEGIN(self);
    CW_AWAIT_ALL(self, fail_after, self->arg->jobs, 8, self->outs);
    for (int i = 0; i < 8; i++) {
        ASSERT(!self->arg->fails[i]);
        ASSERT_EQ(self->outs[i], self->arg->turns[i]);
    }
    CW_RETURN(self, 1);
    CW_END(self);
}

STRESS(await_all_against_failures_and_cancellation)
{
    cw_error *errors[8];
    for (int i = 0; i < 8; i++)
        errors[i] = cw_error_new(CW_EBUSY, NULL, NULL);
    for (int round = 0; round < round_count; round++) {
        struct failures failures;
        bool any = false;
        for (int i = 0; i < 8; i++) {
            failures.fails[i] = chance(10) == 0;
            any = any || failures.fails[i];
            failures.turns[i] = chance(6);
            struct failure failure = {failures.turns[i],
                                      failures.fails[i] ? errors[i] : NULL};
            failures.jobs[i] = cw_async(context, fail_after, failure);
        }
        cw_job *job = cw_async(context, await_them, &failures);
        bool cancelled = chance(4) == 0;
        if (cancelled) {
            dither();
            cw_cancel(job, NULL);
        }
        wait_for(job);
        cw_error *error = cw_job_error(job);
        if (!error) ASSERT(!any);
        if (error && cw_error_code(error) == CW_ECANCELED) ASSERT(cancelled);
        if (error && cw_error_code(error) != CW_ECANCELED) {
            int found = 0;
            for (int i = 0; i < 8; i++)
                found += failures.fails[i] && error == errors[i];
            ASSERT_EQ(found, 1);
        }
        for (int i = 0; i < 8; i++) {
            wait_for(failures.jobs[i]);
            ASSERT(cw_job_error(failures.jobs[i]) ==
                   (failures.fails[i] ? errors[i] : NULL));
            cw_job_release(failures.jobs[i]);
        }
        cw_job_release(job);
    }
    for (int i = 0; i < 8; i++)
        cw_error_release(errors[i]);
}

/* ---- closing */

struct closing {
    cw_context *context;
    _Atomic int ran, cleaned;
    int launched[ACTORS];
    cw_job *jobs[ACTORS][32];
};

CW_COROUTINE(run_in_closing, struct closing *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    atomic_fetch_add(&self->arg->ran, 1);
    if (chance(2)) CW_YIELD(self);
    if (chance(4) == 0) CW_DELAY(self, 10000); /* closing ends it */
    CW_FINALLY(self);
    atomic_fetch_add(&self->arg->cleaned, 1);
    CW_END(self);
}

static void launch_some(struct closing *closing, int actor)
{
    for (int i = 0; i < 32; i++) {
        closing->jobs[actor][i] =
            cw_launch(closing->context, run_in_closing, closing);
        ASSERT(closing->jobs[actor][i]);
    }
}

static void launch_first(void *arg) { launch_some(arg, 0); }
static void launch_second(void *arg) { launch_some(arg, 1); }

static void close_it(void *arg)
{
    struct closing *closing = arg;
    for (uint32_t i = chance(40); i > 0; i--)
        dither();
    cw_context_close(closing->context);
}

STRESS(launching_against_closing)
{
    act *const acts[] = {launch_first, launch_second, close_it};
    for (int round = 0; round < round_count; round++) {
        struct closing closing = {.context =
                                      new_context(cw_context_workers(context))};
        act_together(3, acts, &closing);
        ASSERT_EQ(cw_context_join(closing.context), CW_OK);
        ASSERT_EQ(closing.ran, closing.cleaned);
        int ended_well = 0, cancelled = 0;
        for (int a = 0; a < 2; a++) {
            for (int i = 0; i < 32; i++) {
                cw_job *job = closing.jobs[a][i];
                ASSERT(cw_is_completed(job));
                cw_error *error = cw_job_error(job);
                if (!error) {
                    ended_well++;
                } else {
                    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
                    ASSERT_EQ(cw_error_code(cw_error_cause(error)), CW_ECLOSED);
                    cancelled++;
                }
                cw_job_release(job);
            }
        }
        ASSERT_EQ(ended_well + cancelled, 64);
        ASSERT(closing.ran >= ended_well);
        cw_context_release(closing.context);
    }
}

/* Cancelling by a handle while the last reference to the context goes. */
struct last_use {
    cw_context *context;
    cw_job *job;
};

static void release_context(void *arg)
{
    struct last_use *use = arg;
    cw_context_release(use->context);
}

static void cancel_last_job(void *arg)
{
    struct last_use *use = arg;
    cw_cancel(use->job, NULL);
}

STRESS(cancelling_against_the_contexts_end)
{
    act *const acts[] = {release_context, cancel_last_job};
    for (int round = 0; round < round_count; round++) {
        struct last_use use;
        use.context = new_context(1 + (int)chance(2));
        cw_job *forever = cw_launch(context, wait_for_ever, CW_NONE);
        use.job = chance(2) ? cw_launch(use.context, wait_for_ever, CW_NONE)
                            : cw_launch(use.context, join_one, forever);
        dither();
        act_together(2, acts, &use);
        wait_for(use.job);
        ASSERT(cw_is_cancelled(use.job));
        cw_cancel(forever, NULL);
        wait_for(forever);
        cw_job_release(use.job);
        cw_job_release(forever);
    }
}

/* ---- nothing is lost: wake-ups, jobs, time */

CW_COROUTINE(ping, cw_context *, int, cw_job *job; int i, out;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < 10; self->i++) {
        self->job = cw_async(self->arg, give, self->i);
        CW_AWAIT(self, give, self->job, &self->out);
        ASSERT_EQ(self->out, self->i);
        cw_job_release(self->job);
        self->job = NULL;
    }
    CW_RETURN(self, 10);
    CW_END(self);
}

STRESS(ping_pong_between_contexts)
{
    cw_context *other = new_context(cw_context_workers(context) / 2);
    for (int round = 0; round < long_round_count; round++) {
        cw_job *jobs[4];
        for (int i = 0; i < 4; i++)
            jobs[i] = i % 2 ? cw_async(context, ping, other)
                            : cw_async(other, ping, context);
        for (int i = 0; i < 4; i++) {
            wait_for(jobs[i]);
            ASSERT(cw_job_error(jobs[i]) == NULL);
            cw_job_release(jobs[i]);
        }
    }
    shut_down(other);
}

/* As many jobs as workers, which block until all of them run: they need all
 * workers, asleep or just falling asleep as they may be. */
struct burst {
    _Atomic int missing;
    sem_t *all_there;
};

CW_FUNCTION(need_all, struct burst *, cw_none)
{
    if (atomic_fetch_sub(&(*arg)->missing, 1) == 1)
        event_set((*arg)->all_there);
    event_await((*arg)->all_there);
    event_set((*arg)->all_there); /* the next one, too */
    return CW_OK;
}

CW_COROUTINE(launch_burst, struct burst *, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = atomic_load(&self->arg->missing); self->i > 0; self->i--)
        ASSERT_EQ(cw_spawn(NULL, need_all, self->arg), CW_OK);
    CW_END(self);
}

STRESS(bursts_wake_all_workers)
{
    int workers = cw_context_workers(context);
    struct burst burst = {0, event_new()};
    for (int round = 0; round < round_count; round++) {
        atomic_store(&burst.missing, workers);
        if (chance(2)) {
            cw_job *job = cw_launch(context, launch_burst, &burst);
            wait_for(job);
            cw_job_release(job);
        } else {
            cw_job *jobs[8];
            for (int i = 0; i < workers; i++) {
                jobs[i] = cw_launch(context, need_all, &burst);
                if (chance(4) == 0) dither();
            }
            for (int i = 0; i < workers; i++) {
                wait_for(jobs[i]);
                cw_job_release(jobs[i]);
            }
        }
        event_await(burst.all_there);
        if (chance(4) == 0) { /* let them fall asleep, or begin to */
            for (uint32_t i = chance(50); i > 0; i--)
                dither();
        }
    }
    event_free(burst.all_there);
}

CW_COROUTINE(one_delay, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1);
    CW_END(self);
}

/* A delay whose keeper is woken, again and again, as it falls asleep. */
STRESS(delays_end_whatever_wakes_their_keeper)
{
    for (int round = 0; round < long_round_count; round++) {
        cw_job *delays[2];
        for (int i = 0; i < 2; i++)
            delays[i] = cw_launch(context, one_delay, CW_NONE);
        for (uint32_t i = chance(20); i > 0; i--) {
            ASSERT_EQ(cw_spawn(context, give, 1), CW_OK);
            dither();
        }
        for (int i = 0; i < 2; i++) {
            wait_for(delays[i]);
            cw_job_release(delays[i]);
        }
    }
}

/* Delays end while their workers find something else to do, which takes until
 * all delays are over. */
STRESS(delays_end_beside_blocking_jobs)
{
    int workers = cw_context_workers(context);
    struct hold hold = {event_new(), event_new()};
    for (int round = 0; round < long_round_count; round++) {
        cw_job *delays[8], *holds[8];
        for (int i = 0; i < workers; i++)
            delays[i] = cw_launch(context, one_delay, CW_NONE);
        int64_t until =
            cw__now_ns() + 1000 * (800 + (int64_t)chance(50) * (1 + workers));
        while (cw__now_ns() < until)
            cw__thread_pause();
        for (int i = 1; i < workers; i++) {
            holds[i] = cw_launch(context, hold_worker, &hold);
            dither();
        }
        for (int i = 0; i < workers; i++) {
            wait_for(delays[i]);
            cw_job_release(delays[i]);
        }
        for (int i = 1; i < workers; i++)
            event_set(hold.release);
        for (int i = 1; i < workers; i++) {
            wait_for(holds[i]);
            cw_job_release(holds[i]);
        }
    }
    event_free(hold.entered);
    event_free(hold.release);
}

/* Trees of jobs that are stolen from each other, more than rings hold. */
CW_COROUTINE(spread, int, cw_none, int i;)
{
    static _Atomic int ran;
    CW_BEGIN(self);
    if (self->arg < 0) { /* how many since the last time? */
        self->i = atomic_exchange(&ran, 0);
        ASSERT_EQ(self->i, -self->arg);
        CW_RETURN(self, CW_NONE);
    }
    atomic_fetch_add(&ran, 1);
    for (self->i = 0; self->i < self->arg; self->i++) {
        ASSERT_EQ(cw_spawn(NULL, spread, self->arg > 30 ? 0 : self->arg - 1),
                  CW_OK);
        if (chance(8) == 0) CW_YIELD(self);
    }
    CW_END(self);
}

STRESS(stolen_jobs_run_once)
{
    for (int round = 0; round < long_round_count; round++) {
        /* 1000 at once, or 1 + 5 + 5 * 4 + ... of a tree */
        bool wide = chance(2);
        cw_job *job = cw_launch(context, spread, wide ? 1000 : 5);
        wait_for(job);
        cw_job_release(job);
        job = cw_async(context, spread, wide ? -1001 : -326);
        wait_for(job);
        ASSERT(cw_job_error(job) == NULL);
        cw_job_release(job);
    }
}

/* ---- random trees */

static _Atomic int alive; /* bodies that have begun and not ended */

/* Does something random, `arg` levels deep. */
CW_COROUTINE(grow, int, int, cw_job *jobs[3]; int outs[3]; int i, out, what;)
{
    CW_BEGIN(self);
    atomic_fetch_add(&alive, 1);
    if (self->arg == 0) {
        self->what = (int)chance(8);
        if (self->what == 0) CW_FAIL(self, CW_EBUSY, "leaf");
        if (self->what < 4) CW_YIELD(self);
        if (self->what == 4) CW_DELAY(self, 1);
        if (self->what == 5) cw_cancel(cw_current_job(), NULL);
        CW_RETURN(self, 0);
    }
    for (self->i = 0; self->i < 3; self->i++) {
        self->what = (int)chance(5);
        CW_TRY(self, 1);
        if (self->what == 0) {
            CW_SCOPE(self, grow, self->arg - 1, &self->out);
        } else if (self->what == 1) {
            CW_CALL(self, grow, self->arg - 1, &self->out);
        } else {
            self->jobs[self->i] = chance(2)
                                      ? cw_async(NULL, grow, self->arg - 1)
                                      : cw_launch(NULL, grow, self->arg - 1);
            if (self->what == 2) {
                CW_AWAIT(self, grow, self->jobs[self->i], &self->out);
            } else if (self->what == 3) {
                if (chance(2)) CW_YIELD(self);
                CW_CANCEL_AND_JOIN(self, self->jobs[self->i]);
            }
        }
        CW_CATCH(self, 1)
        {
            ASSERT(cw_error_code(cw_caught(self)) == CW_ECANCELED ||
                   cw_error_code(cw_caught(self)) == CW_EBUSY);
            if (chance(2)) CW_RAISE(self, cw_error_retain(cw_caught(self)));
        }
    }
    CW_RETURN(self, self->arg);
    CW_FINALLY(self);
    for (int i = 0; i < 3; i++)
        cw_job_release(self->jobs[i]);
    atomic_fetch_sub(&alive, 1);
    CW_END(self);
}

struct gardener {
    cw_job *job;
};

static void launch_tree(void *arg)
{
    struct gardener *gardener = arg;
    cw_job *job = cw_async(pool, grow, 4);
    __atomic_store_n(&gardener->job, job, __ATOMIC_RELEASE);
}

static void cancel_tree(void *arg)
{
    struct gardener *gardener = arg;
    cw_job *job;
    while (!(job = __atomic_load_n(&gardener->job, __ATOMIC_ACQUIRE)))
        cw__thread_pause();
    for (uint32_t i = chance(60); i > 0; i--)
        dither();
    cw_cancel(job, NULL);
}

STRESS(random_trees_end_completely)
{
    act *const acts[] = {launch_tree, cancel_tree};
    pool = context;
    for (int round = 0; round < round_count; round++) {
        struct gardener gardener = {NULL};
        act_together(chance(2) ? 2 : 1, acts, &gardener);
        wait_for(gardener.job);
        int out = 0, status = cw_result(grow, gardener.job, &out);
        ASSERT(status == CW_OK || status == CW_EBUSY || status == CW_ECANCELED);
        if (status == CW_OK) ASSERT_EQ(out, 4);
        ASSERT_EQ(alive, 0);
        cw_job_release(gardener.job);
    }
}

/* ---- blocking calls */

static void block_on_pool(void *arg)
{
    (void)arg;
    int out = 0;
    ASSERT_EQ(cw_run_blocking(ping, pool, &out, NULL), CW_OK);
    ASSERT_EQ(out, 10);
}

STRESS(blocking_calls_of_many_threads)
{
    act *const acts[] = {block_on_pool, block_on_pool, block_on_pool,
                         block_on_pool};
    pool = context;
    for (int round = 0; round < long_round_count; round++)
        act_together(4, acts, NULL);
}

/* The last child of a blocking call ends elsewhere while its own thread runs
 * out of work and falls asleep. */
CW_COROUTINE(dither_a_little, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    dither();
    CW_END(self);
}

CW_COROUTINE(leave_child_on_pool, cw_none, cw_none, uint32_t i;)
{
    CW_BEGIN(self);
    ASSERT_EQ(cw_spawn(pool, dither_a_little, CW_NONE), CW_OK);
    for (self->i = chance(4); self->i > 0; self->i--)
        CW_YIELD(self);
    dither();
    CW_END(self);
}

STRESS(blocking_calls_that_end_elsewhere)
{
    pool = context;
    for (int round = 0; round < 20 * round_count; round++) {
        cw_none none;
        ASSERT_EQ(cw_run_blocking(leave_child_on_pool, CW_NONE, &none, NULL),
                  CW_OK);
    }
}
