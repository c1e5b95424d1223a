/* core_bench.c: what the core's own operations cost.
 *
 * SPDX-License-Identifier: MIT
 *
 * usage: core_bench [NAME-PART]
 *
 * Prints one JSON object per line: the median of several repetitions. All
 * times are taken by the coroutines themselves, on the workers. Rows whose
 * goal is a ratio to something else measure both in turns, so that a noisy
 * machine hits both.
 */
#define _GNU_SOURCE
#include "coworker.h"
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __EMSCRIPTEN__
#    include <emscripten.h>
#endif

enum { MILLION = 1000 * 1000, REPETITIONS = 7, CUTOFF = 12 };

static double now_ns(void) { return (double)cw__now_ns(); }

/* Processor time of all threads. */
static double cpu_ns(void)
{
#ifdef __EMSCRIPTEN__
    return 1e3 * emscripten_run_script_int(
                     "process.cpuUsage().user + process.cpuUsage().system");
#else
    return 1e9 * (double)clock() / CLOCKS_PER_SEC;
#endif
}

static const char *wanted = "";

static bool is_wanted(const char *name) { return strstr(name, wanted) != NULL; }

static void row(const char *name, const char *unit, double value)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.4g}\n", name,
           unit, value);
    fflush(stdout);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *samples, int count)
{
    qsort(samples, (size_t)count, sizeof *samples, ascending);
    return samples[count / 2];
}

/* ---- launching: a scope with many children that do nothing */

CW_COROUTINE(empty, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_END(self);
}

CW_COROUTINE(launcher, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg; i++)
        cw_spawn(NULL, empty, CW_NONE);
    CW_END(self);
}

/* A million of them, `arg` at a time; ns each. */
CW_COROUTINE(launch_row, int, double, double start; int done; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->done = 0; self->done < MILLION; self->done += self->arg)
        CW_SCOPE(self, launcher, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / MILLION);
    CW_END(self);
}

/* ---- scopes */

CW_COROUTINE(two_asyncs, cw_none, cw_none, cw_job *jobs[2]; cw_none none;)
{
    CW_BEGIN(self);
    self->jobs[0] = cw_async(NULL, empty, CW_NONE);
    self->jobs[1] = cw_async(NULL, empty, CW_NONE);
    CW_AWAIT(self, empty, self->jobs[0], &self->none);
    CW_AWAIT(self, empty, self->jobs[1], &self->none);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_END(self);
}

/* `arg` scopes, one after the other, in each of which two jobs are awaited; ns
 * each. */
CW_COROUTINE(scope_row, int, double, double start; int i; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_SCOPE(self, two_asyncs, CW_NONE, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg);
    CW_END(self);
}

/* ---- fork and join */

static int plain_fib(int n)
{
    return n < 2 ? n : plain_fib(n - 1) + plain_fib(n - 2);
}

CW_COROUTINE(fib, int, int, cw_job *jobs[2]; int results[2];)
{
    CW_BEGIN(self);
    if (self->arg < CUTOFF) CW_RETURN(self, plain_fib(self->arg));
    self->jobs[0] = cw_async(NULL, fib, self->arg - 1);
    self->jobs[1] = cw_async(NULL, fib, self->arg - 2);
    CW_AWAIT(self, fib, self->jobs[0], &self->results[0]);
    CW_AWAIT(self, fib, self->jobs[1], &self->results[1]);
    cw_job_release(self->jobs[0]);
    cw_job_release(self->jobs[1]);
    CW_RETURN(self, self->results[0] + self->results[1]);
    CW_END(self);
}

CW_COROUTINE(fib_row, int, double, double start; int sum;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_CALL(self, fib, self->arg, &self->sum);
    CW_RETURN(self, now_ns() - self->start);
    CW_END(self);
}

CW_FUNCTION(plain_fib_row, int, double)
{
    double start = now_ns();
    volatile int n = *arg;
    if (plain_fib(n) < 0) return CW_EFAILED;
    *result = now_ns() - start;
    return CW_OK;
}

/* ---- taking turns */

CW_COROUTINE(yielder, int, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg; self->i++)
        CW_YIELD(self);
    CW_END(self);
}

struct crowd {
    int members, turns;
};

CW_COROUTINE(yielders, struct crowd, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg.members; i++)
        cw_spawn(NULL, yielder, self->arg.turns);
    CW_END(self);
}

/* The time in which each member has one turn. */
CW_COROUTINE(yield_row, struct crowd, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, yielders, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.turns);
    CW_END(self);
}

/* ---- from one context to another and back */

struct remote {
    cw_context *context;
    int turns;
};

CW_COROUTINE(remote_row, struct remote, double, double start; int i;
             cw_job * job; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    for (self->i = 0; self->i < self->arg.turns; self->i++) {
        self->job = cw_async(self->arg.context, empty, CW_NONE);
        CW_AWAIT(self, empty, self->job, &self->none);
        cw_job_release(self->job);
    }
    CW_RETURN(self, (now_ns() - self->start) / self->arg.turns);
    CW_END(self);
}

static _Alignas(64) _Atomic uint32_t ping, pong;

static void await_word(_Atomic uint32_t *word, uint32_t value)
{
    for (;;) {
        uint32_t seen = *word;
        if (seen == value) return;
        cw__futex_wait(word, seen, -1);
    }
}

static void answer_pings(void *arg)
{
    uint32_t turns = *(uint32_t *)arg;
    for (uint32_t i = 1; i <= turns; i++) {
        await_word(&ping, i);
        pong = i;
        cw__futex_wake(&pong);
    }
}

/* What two bare threads need that wake each other through futexes. */
CW_FUNCTION(futex_row, uint32_t, double)
{
    uint32_t turns = *arg;
    cw__thread thread;
    ping = pong = 0;
    if (cw__thread_start(&thread, answer_pings, &turns) != 0) return CW_ESTART;
    double start = now_ns();
    for (uint32_t i = 1; i <= turns; i++) {
        if (i == turns / 10) start = now_ns(); /* the thread runs by now */
        ping = i;
        cw__futex_wake(&ping);
        await_word(&pong, i);
    }
    *result = (now_ns() - start) / (turns - turns / 10);
    cw__thread_join(&thread);
    return CW_OK;
}

/* ---- time */

CW_COROUTINE(sleeper, struct crowd, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.turns; self->i++)
        CW_DELAY(self, self->arg.turns == 1 ? 1000 : 1);
    CW_END(self);
}

CW_COROUTINE(sleepers, struct crowd, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg.members; i++)
        cw_spawn(NULL, sleeper, self->arg);
    CW_END(self);
}

/* Delays of 1 s if there is one turn, of 1 ms if there are more; ns for all. */
CW_COROUTINE(delay_row, struct crowd, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, sleepers, self->arg, &self->none);
    CW_RETURN(self, now_ns() - self->start);
    CW_END(self);
}

/* ---- tiny tasks */

CW_COROUTINE(tiny, int, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, plain_fib(self->arg));
    CW_END(self);
}

CW_COROUTINE(fan, int, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    for (int i = 0; i < self->arg; i++)
        cw_spawn(NULL, tiny, 12);
    CW_END(self);
}

CW_COROUTINE(fan_row, int, double, double start; cw_none none;)
{
    CW_BEGIN(self);
    self->start = now_ns();
    CW_SCOPE(self, fan, self->arg, &self->none);
    CW_RETURN(self, (now_ns() - self->start) / self->arg);
    CW_END(self);
}

/* ---- channels */

CW_CHANNEL_TYPE(ints, int)

struct stream {
    ints channel, back;
    int items;
};

CW_COROUTINE(producer, struct stream, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++)
        CW_SEND(self, ints, self->arg.channel, self->i);
    CW_END(self);
}

CW_COROUTINE(consumer, struct stream, cw_none, int i; int got; int64_t sum;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_RECEIVE(self, ints, self->arg.channel, &self->got);
        self->sum += self->got;
    }
    CW_END(self);
}

CW_COROUTINE(stream_one, struct stream, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(NULL, producer, self->arg);
    cw_spawn(NULL, consumer, self->arg);
    CW_END(self);
}

struct flow {
    int capacity, items;
};

/* From one producer to one consumer; ns per item. */
CW_COROUTINE(stream_row, struct flow, double, double start; cw_none none;
             struct stream stream;)
{
    CW_BEGIN(self);
    self->stream.channel = ints_new(self->arg.capacity);
    self->stream.items = self->arg.items;
    self->start = now_ns();
    CW_SCOPE(self, stream_one, self->stream, &self->none);
    cw_channel_release(self->stream.channel.channel);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.items);
    CW_END(self);
}

CW_COROUTINE(echo, struct stream, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_RECEIVE(self, ints, self->arg.channel, &self->got);
        CW_SEND(self, ints, self->arg.back, self->got);
    }
    CW_END(self);
}

CW_COROUTINE(ping_pong, struct stream, cw_none, int i; int got;)
{
    CW_BEGIN(self);
    cw_spawn(NULL, echo, self->arg);
    for (self->i = 0; self->i < self->arg.items; self->i++) {
        CW_SEND(self, ints, self->arg.channel, self->i);
        CW_RECEIVE(self, ints, self->arg.back, &self->got);
    }
    CW_END(self);
}

/* There and back through two channels; ns for both ways. */
CW_COROUTINE(ping_pong_row, struct flow, double, double start; cw_none none;
             struct stream stream;)
{
    CW_BEGIN(self);
    self->stream.channel = ints_new(self->arg.capacity);
    self->stream.back = ints_new(self->arg.capacity);
    self->stream.items = self->arg.items;
    self->start = now_ns();
    CW_SCOPE(self, ping_pong, self->stream, &self->none);
    cw_channel_release(self->stream.channel.channel);
    cw_channel_release(self->stream.back.channel);
    CW_RETURN(self, (now_ns() - self->start) / self->arg.items);
    CW_END(self);
}

/* ---- a million that wait */

CW_COROUTINE(waiter, cw_job *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_JOIN(self, self->arg);
    CW_END(self);
}

struct tree {
    cw_job *gate;         /* what the leaves wait for */
    int branches, leaves; /* of the root, of each branch */
};

CW_COROUTINE(branch, struct tree, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.leaves; self->i++)
        cw_spawn(NULL, waiter, self->arg.gate);
    CW_END(self);
}

CW_COROUTINE(tree_root, struct tree, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < self->arg.branches; self->i++) {
        cw_spawn(NULL, branch, self->arg);
        CW_YIELD(self);
    }
    CW_END(self);
}

/* From the cancelling of a tree of suspended jobs to its end; ns. */
CW_COROUTINE(cancel_row, struct tree, double, double start; cw_job * root;)
{
    CW_BEGIN(self);
    self->arg.gate = cw_job_new(NULL);
    self->root = cw_launch(NULL, tree_root, self->arg);
    CW_DELAY(self, 1000); /* all of them are there and wait */
    self->start = now_ns();
    cw_cancel(self->root, NULL);
    CW_JOIN(self, self->root);
    self->start = now_ns() - self->start;
    cw_job_complete(self->arg.gate);
    cw_job_release(self->root);
    cw_job_release(self->arg.gate);
    CW_RETURN(self, self->start);
    CW_END(self);
}

/* From the end of a job that all wait for to the last one's own; ns. */
CW_COROUTINE(wake_row, struct tree, double, double start; cw_job * root;)
{
    CW_BEGIN(self);
    self->arg.gate = cw_job_new(NULL);
    self->root = cw_launch(NULL, tree_root, self->arg);
    CW_DELAY(self, 1000);
    self->start = now_ns();
    cw_job_complete(self->arg.gate);
    CW_JOIN(self, self->root);
    self->start = now_ns() - self->start;
    cw_job_release(self->root);
    cw_job_release(self->arg.gate);
    CW_RETURN(self, self->start);
    CW_END(self);
}

/* ---- memory */

CW_COROUTINE(for_ever, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, INT64_MAX);
    CW_END(self);
}

/* Bytes that `arg` suspended coroutines take, each. */
CW_COROUTINE(memory_row, int, double, size_t before; double each; cw_job * gate;
             int i;)
{
    CW_BEGIN(self);
    self->gate = cw_async(NULL, for_ever, CW_NONE);
    self->before = cw_memory_used();
    for (self->i = 0; self->i < self->arg; self->i++) {
        cw_spawn(NULL, waiter, self->gate);
        if (self->i % 100 == 0) CW_YIELD(self);
    }
    CW_YIELD(self);
    self->each = (double)(cw_memory_used() - self->before) / self->arg;
    cw_cancel(self->gate, NULL);
    cw_job_release(self->gate);
    CW_RETURN(self, self->each);
    CW_END(self);
}

/* ---- all of it */

/* Repeats a row's coroutine and prints the median of what it returns. */
#define REPEAT(label, unit, scale, times, context, NAME, ...)                  \
    if (is_wanted(label)) {                                                    \
        for (self->i = 0; self->i < (times); self->i++) {                      \
            self->job = cw_async(context, NAME, __VA_ARGS__);                  \
            CW_AWAIT(self, NAME, self->job, &self->samples[self->i]);          \
            cw_job_release(self->job);                                         \
        }                                                                      \
        row(label, unit, median(self->samples, times) * (scale));              \
    }

struct contexts {
    cw_context *one, *other, *two;
};

/* Back and forth between two contexts, and the same with bare futexes: in
 * turns, so that a noisy machine hits both. */
CW_COROUTINE(remote_rows, struct contexts, cw_none, cw_job *job; int i;
             double contexts[REPETITIONS]; double futexes[REPETITIONS];
             double ratios[REPETITIONS];)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < REPETITIONS; self->i++) {
        self->job = cw_async(self->arg.one, remote_row,
                             ((struct remote){self->arg.other, 20 * 1000}));
        CW_AWAIT(self, remote_row, self->job, &self->contexts[self->i]);
        cw_job_release(self->job);
        self->job = cw_async(self->arg.one, futex_row, 20 * 1000);
        CW_AWAIT(self, futex_row, self->job, &self->futexes[self->i]);
        cw_job_release(self->job);
        self->ratios[self->i] =
            self->contexts[self->i] / self->futexes[self->i];
    }
    row("ping-pong, 2 contexts", "ns", median(self->contexts, REPETITIONS));
    row("ping-pong, 2 threads", "ns", median(self->futexes, REPETITIONS));
    row("ping-pong, contexts to threads", "x",
        median(self->ratios, REPETITIONS));
    CW_END(self);
}

CW_COROUTINE(all_rows, struct contexts, cw_none, cw_job *job; int i;
             double samples[REPETITIONS]; cw_none none;)
{
    CW_BEGIN(self);
    REPEAT("memory of a suspended coroutine", "bytes", 1, 1, self->arg.one,
           memory_row, MILLION);
    if (is_wanted("memory of a suspended coroutine"))
        row("the same, its own frame not counted", "bytes",
            self->samples[0] -
                (double)(sizeof(struct waiter) - sizeof(cw_frame)));
    REPEAT("launch 1m, 2 workers", "ns", 1, REPETITIONS, self->arg.two,
           launch_row, MILLION);
    REPEAT("launch 1m, 1 worker", "ns", 1, REPETITIONS, self->arg.one,
           launch_row, MILLION);
    REPEAT("launch 100 at a time, 2 workers", "ns", 1, REPETITIONS,
           self->arg.two, launch_row, 100);
    REPEAT("launch 100 at a time, 1 worker", "ns", 1, REPETITIONS,
           self->arg.one, launch_row, 100);
    REPEAT("scope of two asyncs, 1 worker", "ns", 1, REPETITIONS, self->arg.one,
           scope_row, 500 * 1000);
    REPEAT("scope of two asyncs, 2 workers", "ns", 1, REPETITIONS,
           self->arg.two, scope_row, 500 * 1000);
    REPEAT("cancelling a tree of 1m jobs", "ns", 1, 3, self->arg.one,
           cancel_row, ((struct tree){NULL, 1000, 999}));
    REPEAT("waking 1m that wait for one job", "ns", 1, 3, self->arg.one,
           wake_row, ((struct tree){NULL, 1000, 1000}));
    REPEAT("fib(30), 2 workers", "ns", 1, REPETITIONS, self->arg.two, fib_row,
           30);
    REPEAT("fib(30), 1 worker", "ns", 1, REPETITIONS, self->arg.one, fib_row,
           30);
    REPEAT("fib(30), plain C", "ns", 1, REPETITIONS, self->arg.one,
           plain_fib_row, 30);
    REPEAT("yield round trip, 1 worker", "ns", 1, REPETITIONS, self->arg.one,
           yield_row, ((struct crowd){2, MILLION}));
    REPEAT("yield of 10000, 1 worker", "ns", 1e-4, REPETITIONS, self->arg.one,
           yield_row, ((struct crowd){10 * 1000, 100}));
    REPEAT("yield of 10000, 2 workers", "ns", 1e-4, REPETITIONS, self->arg.two,
           yield_row, ((struct crowd){10 * 1000, 100}));
    REPEAT("fan-out of tiny tasks, 2 workers", "ns", 1, REPETITIONS,
           self->arg.two, fan_row, 100 * 1000);
    REPEAT("fan-out of tiny tasks, 1 worker", "ns", 1, REPETITIONS,
           self->arg.one, fan_row, 100 * 1000);
    REPEAT("channel of 64, 2 workers", "ns", 1, REPETITIONS, self->arg.two,
           stream_row, ((struct flow){64, MILLION}));
    REPEAT("channel of 64, 1 worker", "ns", 1, REPETITIONS, self->arg.one,
           stream_row, ((struct flow){64, MILLION}));
    REPEAT("rendezvous there and back, 1 worker", "ns", 1, REPETITIONS,
           self->arg.one, ping_pong_row,
           ((struct flow){CW_RENDEZVOUS, 500 * 1000}));
    REPEAT("100000 delays of 1 s", "ns", 1, 3, self->arg.two, delay_row,
           ((struct crowd){100 * 1000, 1}));
    REPEAT("1000 coroutines, 100 delays of 1 ms", "ns", 1, REPETITIONS,
           self->arg.two, delay_row, ((struct crowd){1000, 100}));
    if (is_wanted("ping-pong"))
        CW_CALL(self, remote_rows, self->arg, &self->none);
    CW_END(self);
}

/* What a context costs that has nothing to do. */
static void idle_row(void)
{
    const char *name = "processor use of 4 idle workers";
    if (!is_wanted(name)) return;
    cw_context *context = cw_new_fixed_worker_context(4, "idle");
    usleep(200 * 1000); /* up by now */
    double start = now_ns(), used = cpu_ns();
    usleep(5 * MILLION);
    row(name, "%", (cpu_ns() - used) / (now_ns() - start) * 100);
    cw_context_close(context);
    cw_context_join(context);
    cw_context_release(context);
}

int main(int argc, char **argv)
{
    if (argc > 1) wanted = argv[1];
    struct contexts contexts = {cw_new_fixed_worker_context(1, "one"),
                                cw_new_fixed_worker_context(1, "other"),
                                cw_new_fixed_worker_context(2, "two")};
    row("job overhead", "bytes", (double)cw_job_overhead());
    cw_none none;
    int status = cw_run_blocking(all_rows, contexts, &none, NULL);
    cw_context *all[] = {contexts.one, contexts.other, contexts.two};
    for (int i = 0; i < 3; i++) {
        cw_context_close(all[i]);
        cw_context_join(all[i]);
        cw_context_release(all[i]);
    }
    idle_row();
    return status == CW_OK ? 0 : 1;
}
