/* threads.c: what the threads of a scenario do, and what is done to them.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "interleaving.h"

#include <stdlib.h>
#include <string.h>

enum { STACK = 128 * 1024 };

struct kills model_kills;

static char stacks[MODEL_THREADS][STACK] __attribute__((aligned(64)));

/* ---- beginning, waiting for each other, being killed */

void model_exit(void)
{
    model_this.threads[model_current].state = DONE;
    model_wait();
    abort(); /* nobody comes back here */
}

static void thread_main(void)
{
    struct thread *thread = &model_this.threads[model_current];
    thread->entry(thread->arg);
    model_exit();
}

int model_start(void (*entry)(void *), void *arg)
{
    if (model_this.thread_count == MODEL_THREADS)
        model_fail(__FILE__, __LINE__, "too many threads");
    int index = model_this.thread_count++;
    struct thread *thread = &model_this.threads[index];
    memset(thread, 0, sizeof *thread);
    thread->entry = entry;
    thread->arg = arg;
    model_locals_begin(thread->locals);
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = stacks[index];
    thread->context.uc_stack.ss_size = STACK;
    makecontext(&thread->context, thread_main, 0);
    if (index > 0) model_clock_fork(model_current, index);
    return index;
}

void model_thread(void (*entry)(void *), void *arg) { model_start(entry, arg); }

void model_run(void)
{
    model_exploring = true;
    model_this.threads[0].state = JOINING_ALL;
    model_wait();
    model_exploring = false;
    for (int i = 1; i < model_this.thread_count; i++)
        model_clock_join(i, 0);
}

void model_settle(void)
{
    model_this.threads[0].state = SETTLING;
    model_wait();
}

void model_join(int index)
{
    model_this.threads[model_current].state = JOINING;
    model_this.threads[model_current].target = index;
    model_wait();
    model_clock_join(index, model_current);
}

/* See platform.h. A thread stores what it was about to with its next step, and
 * so long after all that it has stored before is known. */
bool model_goes_on(int index, uint64_t *progress)
{
    const struct thread *thread = &model_this.threads[index];
    uint64_t at = (uint64_t)thread->steps + 1;
    if (*progress == 0) {
        *progress = at;
        return false;
    }
    bool waits = thread->state == SLEEPING || thread->state == AWAITING;
    if (!waits && at == *progress) return false;
    model_clock_join(index, model_current);
    return true;
}

static struct thread *thread_with(const void *arg)
{
    for (int i = 1; i < model_this.thread_count; i++)
        if (model_this.threads[i].arg == arg) return &model_this.threads[i];
    model_fail(__FILE__, __LINE__, "there is no such thread");
}

void model_killed(const void *arg)
{
    int after = thread_with(arg)->steps;
    CHECK(after < MAX_KILLED);
    model_this.killed = true;
    model_kills.places += !model_kills.after[after];
    model_kills.after[after] = true;
}

void model_terminate(const void *arg)
{
    struct thread *thread = thread_with(arg);
    CHECK(thread != &model_this.threads[model_current]);
    thread->state = DONE;
    model_clock_join((int)(thread - model_this.threads), model_current);
}

void model_keep_threads(void) { model_threads_stay = true; }

/* ---- pauses and time */

void model_pauses_take(int64_t ns) { model_this.pause_ns = ns; }

void model_pause(void)
{
    static uint64_t pauses;
    model_this.now += model_this.pause_ns;
    model_this.threads[model_current].pause = ++pauses;
    model_this.threads[model_current].state = PAUSED;
    model_wait();
}

void model_await(_Atomic uint32_t *word)
{
    struct thread *thread = &model_this.threads[model_current];
    if (model_exploring && model_shared((uintptr_t)word, false)) model_point();
    while (*(volatile uint32_t *)(uintptr_t)word == 0) {
        thread->state = AWAITING;
        thread->word = (uintptr_t)word;
        model_wait();
    }
    model_acquire((uintptr_t)word, __ATOMIC_SEQ_CST);
}

void model_advance(int64_t ns) { model_this.now += ns; }

int64_t model_now(void) { return model_this.now; }

void model_time_passes_last(void) { model_this.time_last = true; }

void model_calm_down(void) { model_this.calm = true; }

void model_allow_early_wakes(unsigned count) { model_this.early_wakes = count; }

/* ---- sleeping */

/* An operation of the system on a word, as a mutant and the log see it. */
static enum model_change futex_op(enum model_kind kind, _Atomic uint32_t *word,
                                  uint32_t expected, const void *pc)
{
    struct model_op op = {.kind = kind,
                          .thread = model_current,
                          .address = (uintptr_t)word,
                          .size = sizeof *word,
                          .expected = expected,
                          .pc = pc};
    bool wakes = kind == MODEL_FUTEX_WAKE;
    /* Waking is a change for those who wait. */
    if (model_exploring && model_shared(op.address, wakes)) model_point();
    if (!wakes) model_access(op.address, op.size, false, true, pc);
    op.now = *(volatile uint32_t *)op.address;
    enum model_change change = model_mutate(&op);
    model_log(&op, op.now);
    return change;
}

void model_futex_wait(_Atomic uint32_t *word, uint32_t expected,
                      int64_t timeout_ns, const void *pc)
{
    enum model_change change = futex_op(MODEL_FUTEX_WAIT, word, expected, pc);
    if (change == MODEL_SKIP) return;
    if (*(volatile uint32_t *)(uintptr_t)word != expected &&
        change != MODEL_FORCE)
        return;
    struct thread *thread = &model_this.threads[model_current];
    thread->state = SLEEPING;
    thread->word = (uintptr_t)word;
    thread->woken = false;
    thread->until = timeout_ns < 0 ? never : model_this.now + timeout_ns;
    model_wait();
}

void model_futex_wake(_Atomic uint32_t *word, const void *pc)
{
    if (futex_op(MODEL_FUTEX_WAKE, word, 0, pc) == MODEL_SKIP) return;
    for (int i = 0; i < model_this.thread_count; i++) {
        struct thread *thread = &model_this.threads[i];
        if (thread->state != SLEEPING || thread->woken ||
            thread->word != (uintptr_t)word)
            continue;
        thread->woken = true;
        return;
    }
}
