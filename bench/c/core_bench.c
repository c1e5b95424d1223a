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
#include "measure.h"

#include "channel_rows.h"
#include "job_rows.h"
#include "remote_rows.h"
#include "waiting_rows.h"

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
    if (is_wanted("ping-pong, 2 contexts") ||
        is_wanted("ping-pong, 2 threads") ||
        is_wanted("ping-pong, contexts to threads"))
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
