/* interleaving.c: whose turn it is: choices, and switching between threads.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "interleaving.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHOICES = 4096 };

struct choice {
    int count, taken;
    int threads[MODEL_THREADS];
};

int model_current = -1;
bool model_exploring, model_threads_stay;
struct interleaving model_this;

static ucontext_t checker; /* where to go when it is over */
static char said[256];

static struct choice choices[MAX_CHOICES];
static int choices_known, choices_made;

/* ---- thread-local variables
 *
 * Those of the program are exchanged with each switch: all threads are one for
 * the system. So one must not have the address of another one's. */

static struct {
    char *now;         /* those of whoever runs */
    const void *first; /* what they begin with */
    size_t bytes, initialized;
} locals;

static int find_locals(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_TLS) continue;
        locals.now = info->dlpi_tls_data;
        locals.first =
            (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        locals.bytes = info->dlpi_phdr[i].p_memsz;
        locals.initialized = info->dlpi_phdr[i].p_filesz;
    }
    return 1; /* the program itself comes first */
}

size_t model_locals_find(void)
{
    dl_iterate_phdr(find_locals, NULL);
    return locals.bytes;
}

void model_locals_begin(char *of)
{
    memset(of, 0, LOCALS);
    memcpy(of, locals.first, locals.initialized);
}

/* ---- failures */

_Noreturn void model_give_up(const char *why)
{
    snprintf(model_this.failure, sizeof model_this.failure, "%s", why);
    model_this.failed = true;
    setcontext(&checker);
    abort();
}

void model_say(const char *line)
{
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s", line);
}

_Noreturn void model_fail(const char *file, int line, const char *what)
{
    char why[sizeof model_this.failure];
    snprintf(why, sizeof why, "%s:%d: %s%s%s", file, line, said,
             *said ? ": " : "", what);
    model_give_up(why);
}

_Noreturn void model_fault(const char *what, uintptr_t address, const void *pc)
{
    char why[sizeof model_this.failure];
    snprintf(why, sizeof why, "%s%s at %p", said, what, (void *)address);
    model_this.fault_address = address;
    struct model_op op = {.thread = model_current, .pc = pc};
    op.kind = MODEL_LOAD;
    op.address = address;
    model_log(&op, 0);
    model_give_up(why);
}

/* ---- who may go on */

/* What others than this thread have written. */
static uint64_t others_writes(const struct thread *thread)
{
    return model_this.writes - thread->writes;
}

void model_wrote(void)
{
    model_this.writes++;
    model_this.threads[model_current].writes++;
}

static bool all_done(void)
{
    for (int i = 1; i < model_this.thread_count; i++)
        if (model_this.threads[i].state != DONE) return false;
    return true;
}

static bool may_run(int index)
{
    const struct thread *thread = &model_this.threads[index];
    switch (thread->state) {
    case READY:
        return true;
    case PAUSED:
        return others_writes(thread) != thread->seen;
    case SLEEPING:
        return thread->woken || (thread->until != never && model_exploring &&
                                 !model_this.time_last);
    case AWAITING:
        return *(volatile uint32_t *)thread->word != 0;
    case JOINING:
        return model_this.threads[thread->target].state == DONE;
    case JOINING_ALL:
        return all_done();
    case SETTLING:
    case DONE:
        break;
    }
    return false;
}

/* All that may go on, except the present one. */
static int others(int *list)
{
    int count = 0;
    for (int i = 0; i < model_this.thread_count; i++)
        if (i != model_current && may_run(i)) list[count++] = i;
    return count;
}

/* Those of whom the system may end the sleep though nobody has woken them. */
static int early_ones(int *list)
{
    int count = 0;
    for (int i = 0; model_this.early_wakes && i < model_this.thread_count; i++)
        if (i != model_current && model_this.threads[i].state == SLEEPING &&
            !may_run(i))
            list[count++] = i;
    return count;
}

/* The one whose sleep ends first. */
static int first_time_out(int *list)
{
    int count = 0;
    for (int i = 0; i < model_this.thread_count; i++) {
        const struct thread *thread = &model_this.threads[i];
        if (thread->state != SLEEPING || thread->until == never) continue;
        if (count == 0 || thread->until < model_this.threads[list[0]].until)
            list[0] = i;
        count = 1;
    }
    return count;
}

/* ---- choices and switches */

static int choose(const int *list, int count)
{
    if (count == 1 || !model_exploring || model_this.calm) return list[0];
    if (choices_made == MAX_CHOICES)
        model_fail(__FILE__, __LINE__, "too many choices");
    struct choice *choice = &choices[choices_made];
    if (choices_made++ == choices_known) {
        choices_known++;
        choice->count = count;
        choice->taken = 0;
        memcpy(choice->threads, list, (size_t)count * sizeof *list);
    } else if (choice->count != count ||
               memcmp(choice->threads, list, (size_t)count * sizeof *list)) {
        model_fail(__FILE__, __LINE__, "the scenario is not deterministic");
    }
    return list[choice->taken];
}

static void wake_up(struct thread *thread)
{
    if (thread->state == SLEEPING && !thread->woken) {
        if (thread->until == never)
            model_this.early_wakes--;
        else if (model_this.now < thread->until)
            model_this.now = thread->until;
    }
    if (thread->state == PAUSED) thread->seen = others_writes(thread);
    thread->state = READY;
}

static void switch_to(int index)
{
    if (model_this.threads[index].state != READY)
        wake_up(&model_this.threads[index]);
    if (index == model_current) return;
    struct thread *from = &model_this.threads[model_current],
                  *to = &model_this.threads[index];
    memcpy(from->locals, locals.now, locals.bytes);
    memcpy(locals.now, to->locals, locals.bytes);
    model_current = index;
    if (from->state == DONE)
        setcontext(&to->context);
    else
        swapcontext(&from->context, &to->context);
}

void model_point(void)
{
    if (model_this.preemptions == model_this.bound || model_this.calm) return;
    int list[MODEL_THREADS] = {model_current};
    int count = 1 + others(list + 1);
    count += early_ones(list + count);
    int next = choose(list, count);
    if (next == model_current) return;
    model_this.preemptions++;
    switch_to(next);
}

/* Nobody can go on but those who look at the clock between their pauses: who
 * has paused for longest does. */
static int let_time_pass(int *list)
{
    int count = 0;
    for (int i = 0; model_this.pause_ns && i < model_this.thread_count; i++) {
        const struct thread *thread = &model_this.threads[i];
        if (thread->state != PAUSED) continue;
        if (count == 0 || thread->pause < model_this.threads[list[0]].pause)
            list[0] = i;
        count = 1;
    }
    return count;
}

void model_wait(void)
{
    int list[MODEL_THREADS];
    int count = others(list);
    /* One that gives its processor away may get it back. */
    if (may_run(model_current)) list[count++] = model_current;
    if (count == 0 && model_this.threads[0].state == SETTLING)
        list[count++] = 0;
    if (count == 0 && model_this.time_last) count = first_time_out(list);
    if (count == 0) count = let_time_pass(list);
    if (count == 0)
        model_fail(__FILE__, __LINE__,
                   "all threads wait, and nobody is left to wake them");
    count += early_ones(list + count);
    switch_to(choose(list, count));
}

/* ---- one run */

static void (*scenario_run)(void);

static void scenario_main(void *unused)
{
    (void)unused;
    model_this.now = 1000 * 1000 * 1000;
    scenario_run();
    if (!all_done()) model_fail(__FILE__, __LINE__, "threads are left");
    if (model_blocks()) model_fail(__FILE__, __LINE__, "memory is left");
    setcontext(&checker);
}

void model_run_once(void (*scenario)(void))
{
    static volatile bool begun;
    scenario_run = scenario;
    model_memory_reset();
    model_log_clear();
    choices_made = model_this.preemptions = 0;
    model_this.early_wakes = 0;
    model_this.pause_ns = 0;
    model_this.writes = 0;
    model_this.failed = model_exploring = model_this.calm =
        model_this.time_last = false;
    model_threads_stay = false;
    model_this.killed = false;
    *model_this.failure = *said = 0;
    model_this.thread_count = 0;
    model_current = -1;
    model_start(scenario_main, NULL);
    memcpy(locals.now, model_this.threads[0].locals, locals.bytes);
    begun = false;
    getcontext(&checker);
    if (!begun) {
        begun = true;
        model_current = 0;
        setcontext(&model_this.threads[0].context);
    }
    model_current = -1;
    model_exploring = false;
}

void model_choices_forget(void) { choices_known = choices_made = 0; }

void model_choices_keep(void) { choices_known = choices_made; }

bool model_choices_next(void)
{
    model_choices_keep();
    while (choices_known > 0) {
        struct choice *last = &choices[choices_known - 1];
        if (++last->taken < last->count) return true;
        choices_known--;
    }
    return false;
}
