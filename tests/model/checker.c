/* checker.c: threads, choices, and the search through all of them.
 *
 * SPDX-License-Identifier: MIT
 *
 * usage: model [-v] [-b BOUND] [NAME...]
 *   -v   tell how each mutant fails, too
 *   -b   another bound on pre-emptions than each scenario's own
 *   NAME only the scenarios with this word in their name
 *
 * Each interleaving is a run from the beginning with the choices of the one
 * before, but for the last that has an alternative left. Nothing else may
 * differ between runs: no addresses, no time, no randomness.
 */
#define _GNU_SOURCE
#include "checker.h"

#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    STACK = 128 * 1024,
    LOCALS = 256,
    MAX_CHOICES = 4096,
    MAX_STEPS = 20000,   /* of one interleaving: more have no end */
    MAX_KILLED = 4096,   /* a thread that is killed has made fewer steps */
    SECONDS = 300,       /* of one scenario: a loop without operations */
    REPORTED_STEPS = 120 /* of a failed interleaving, its last ones */
};

enum state {
    READY,
    PAUSED,   /* until somebody else has written something */
    SLEEPING, /* on a futex */
    AWAITING, /* until a word is not 0 */
    JOINING,  /* until another thread is done */
    JOINING_ALL,
    SETTLING, /* until all others wait */
    DONE
};

struct thread {
    ucontext_t context;
    enum state state;
    void (*entry)(void *);
    void *arg;
    char locals[LOCALS]; /* thread-local variables, while it does not run */
    uint64_t writes;     /* its own */
    uint64_t seen;       /* others' writes when it was last paused */
    uintptr_t word;      /* SLEEPING, AWAITING */
    bool woken;          /* SLEEPING */
    int64_t until;       /* SLEEPING; `never`: without a time-out */
    int target;          /* JOINING */
    int steps;           /* operations so far */
    uint64_t pause;      /* number of its last one, of all threads\' */
};

struct choice {
    int count, taken;
    int threads[MODEL_THREADS];
};

struct step {
    struct model_op op;
    uint64_t after;
};

static const int64_t never = INT64_MAX;

int model_current = -1;
bool model_exploring, model_threads_stay;

static struct model_scenario *scenarios, **scenarios_end = &scenarios;
static struct model_mutant *mutants, **mutants_end = &mutants;

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

static void locals_begin(char *of)
{
    memset(of, 0, LOCALS);
    memcpy(of, locals.first, locals.initialized);
}

/* ---- one interleaving */

static struct thread threads[MODEL_THREADS];
static char stacks[MODEL_THREADS][STACK] __attribute__((aligned(64)));
static int thread_count;
static ucontext_t checker; /* where to go when it is over */

static struct choice choices[MAX_CHOICES];
static int choices_known, choices_made;

static int bound, preemptions;
static unsigned early_wakes;
static bool calm, time_last;  /* see model.h */
static int64_t now, pause_ns; /* how long a pause takes */
static uint64_t writes;

static bool endless; /* nobody waits for it */
static const struct model_scenario *scenario;
static const struct model_mutant *mutant;
static bool mutated;

static bool failed;
static char failure[1024], said[256];
static uintptr_t fault_address;

/* Interleavings with a kill, and after how many steps of the killed thread. */
static struct {
    bool now;
    unsigned long count;
    int places;
    bool after[MAX_KILLED];
} kills;

static struct step steps[MAX_STEPS];
static int step_count;
static bool telling; /* log everything, print it at the end */

_Noreturn static void give_up(void)
{
    failed = true;
    setcontext(&checker);
    abort();
}

void model_say(const char *line)
{
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s", line);
}

_Noreturn void model_fail(const char *file, int line, const char *what)
{
    snprintf(failure, sizeof failure, "%s:%d: %s%s%s", file, line, said,
             *said ? ": " : "", what);
    give_up();
}

_Noreturn void model_fault(const char *what, uintptr_t address, const void *pc)
{
    snprintf(failure, sizeof failure, "%s%s at %p", said, what,
             (void *)address);
    fault_address = address;
    struct model_op op = {.thread = model_current, .pc = pc};
    op.kind = MODEL_LOAD;
    op.address = address;
    model_log(&op, 0);
    give_up();
}

/* What others than this thread have written. */
static uint64_t others_writes(const struct thread *thread)
{
    return writes - thread->writes;
}

void model_wrote(void)
{
    writes++;
    threads[model_current].writes++;
}

static bool all_done(void)
{
    for (int i = 1; i < thread_count; i++)
        if (threads[i].state != DONE) return false;
    return true;
}

static bool may_run(int index)
{
    const struct thread *thread = &threads[index];
    switch (thread->state) {
    case READY:
        return true;
    case PAUSED:
        return others_writes(thread) != thread->seen;
    case SLEEPING:
        return thread->woken ||
               (thread->until != never && model_exploring && !time_last);
    case AWAITING:
        return *(volatile uint32_t *)thread->word != 0;
    case JOINING:
        return threads[thread->target].state == DONE;
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
    for (int i = 0; i < thread_count; i++)
        if (i != model_current && may_run(i)) list[count++] = i;
    return count;
}

/* Those of whom the system may end the sleep though nobody has woken them. */
static int early_ones(int *list)
{
    int count = 0;
    for (int i = 0; early_wakes && i < thread_count; i++)
        if (i != model_current && threads[i].state == SLEEPING && !may_run(i))
            list[count++] = i;
    return count;
}

/* The one whose sleep ends first. */
static int first_time_out(int *list)
{
    int count = 0;
    for (int i = 0; i < thread_count; i++) {
        const struct thread *thread = &threads[i];
        if (thread->state != SLEEPING || thread->until == never) continue;
        if (count == 0 || thread->until < threads[list[0]].until) list[0] = i;
        count = 1;
    }
    return count;
}

static int choose(const int *list, int count)
{
    if (count == 1 || !model_exploring || calm) return list[0];
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
            early_wakes--;
        else if (now < thread->until)
            now = thread->until;
    }
    if (thread->state == PAUSED) thread->seen = others_writes(thread);
    thread->state = READY;
}

static void switch_to(int index)
{
    if (threads[index].state != READY) wake_up(&threads[index]);
    if (index == model_current) return;
    struct thread *from = &threads[model_current], *to = &threads[index];
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
    if (preemptions == bound || calm) return;
    int list[MODEL_THREADS] = {model_current};
    int count = 1 + others(list + 1);
    count += early_ones(list + count);
    int next = choose(list, count);
    if (next == model_current) return;
    preemptions++;
    switch_to(next);
}

/* Nobody can go on but those who look at the clock between their pauses: who
 * has paused for longest does. */
static int let_time_pass(int *list)
{
    int count = 0;
    for (int i = 0; pause_ns && i < thread_count; i++) {
        const struct thread *thread = &threads[i];
        if (thread->state != PAUSED) continue;
        if (count == 0 || thread->pause < threads[list[0]].pause) list[0] = i;
        count = 1;
    }
    return count;
}

/* The present thread waits. */
static void wait_here(void)
{
    int list[MODEL_THREADS];
    int count = others(list);
    /* One that gives its processor away may get it back. */
    if (may_run(model_current)) list[count++] = model_current;
    if (count == 0 && threads[0].state == SETTLING) list[count++] = 0;
    if (count == 0 && time_last) count = first_time_out(list);
    if (count == 0) count = let_time_pass(list);
    if (count == 0)
        model_fail(__FILE__, __LINE__,
                   "all threads wait, and nobody is left to wake them");
    count += early_ones(list + count);
    switch_to(choose(list, count));
}

/* ---- what threads do */

void model_exit(void)
{
    threads[model_current].state = DONE;
    wait_here();
    abort(); /* nobody comes back here */
}

static void thread_main(void)
{
    struct thread *thread = &threads[model_current];
    thread->entry(thread->arg);
    model_exit();
}

int model_start(void (*entry)(void *), void *arg)
{
    if (thread_count == MODEL_THREADS)
        model_fail(__FILE__, __LINE__, "too many threads");
    int index = thread_count++;
    struct thread *thread = &threads[index];
    memset(thread, 0, sizeof *thread);
    thread->entry = entry;
    thread->arg = arg;
    locals_begin(thread->locals);
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
    threads[0].state = JOINING_ALL;
    wait_here();
    model_exploring = false;
    for (int i = 1; i < thread_count; i++)
        model_clock_join(i, 0);
}

void model_settle(void)
{
    threads[0].state = SETTLING;
    wait_here();
}

void model_join(int index)
{
    threads[model_current].state = JOINING;
    threads[model_current].target = index;
    wait_here();
    model_clock_join(index, model_current);
}

/* See platform.h. A thread stores what it was about to with its next step, and
 * so long after all that it has stored before is known. */
bool model_goes_on(int index, uint64_t *progress)
{
    const struct thread *thread = &threads[index];
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
    for (int i = 1; i < thread_count; i++)
        if (threads[i].arg == arg) return &threads[i];
    model_fail(__FILE__, __LINE__, "there is no such thread");
}

void model_killed(const void *arg)
{
    int after = thread_with(arg)->steps;
    CHECK(after < MAX_KILLED);
    kills.now = true;
    kills.places += !kills.after[after];
    kills.after[after] = true;
}

void model_terminate(const void *arg)
{
    struct thread *thread = thread_with(arg);
    CHECK(thread != &threads[model_current]);
    thread->state = DONE;
    model_clock_join((int)(thread - threads), model_current);
}

void model_keep_threads(void) { model_threads_stay = true; }

void model_pauses_take(int64_t ns) { pause_ns = ns; }

void model_pause(void)
{
    static uint64_t pauses;
    now += pause_ns;
    threads[model_current].pause = ++pauses;
    threads[model_current].state = PAUSED;
    wait_here();
}

void model_await(_Atomic uint32_t *word)
{
    struct thread *thread = &threads[model_current];
    if (model_exploring && model_shared((uintptr_t)word, false)) model_point();
    while (*(volatile uint32_t *)(uintptr_t)word == 0) {
        thread->state = AWAITING;
        thread->word = (uintptr_t)word;
        wait_here();
    }
    model_acquire((uintptr_t)word, __ATOMIC_SEQ_CST);
}

void model_advance(int64_t ns) { now += ns; }

int64_t model_now(void) { return now; }

void model_time_passes_last(void) { time_last = true; }

void model_calm_down(void) { calm = true; }

void model_allow_early_wakes(unsigned count) { early_wakes = count; }

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
    struct thread *thread = &threads[model_current];
    thread->state = SLEEPING;
    thread->word = (uintptr_t)word;
    thread->woken = false;
    thread->until = timeout_ns < 0 ? never : now + timeout_ns;
    wait_here();
}

void model_futex_wake(_Atomic uint32_t *word, const void *pc)
{
    if (futex_op(MODEL_FUTEX_WAKE, word, 0, pc) == MODEL_SKIP) return;
    for (int i = 0; i < thread_count; i++) {
        struct thread *thread = &threads[i];
        if (thread->state != SLEEPING || thread->woken ||
            thread->word != (uintptr_t)word)
            continue;
        thread->woken = true;
        return;
    }
}

enum model_change model_mutate(struct model_op *op)
{
    if (!mutant || !model_exploring) return MODEL_AS_IS;
    int thread = model_current;
    model_current = -1; /* its own accesses do not count */
    enum model_change change = mutant->change(op);
    model_current = thread;
    if (change != MODEL_AS_IS) mutated = true;
    return change;
}

uint32_t model_peek(const volatile void *word)
{
    return *(const volatile uint32_t *)word;
}

/* ---- logging */

void model_log(const struct model_op *op, uint64_t after)
{
    if (step_count == MAX_STEPS) {
        snprintf(failure, sizeof failure, "more than %d operations", MAX_STEPS);
        give_up();
    }
    if (op->thread > 0) threads[op->thread].steps++;
    steps[step_count++] = (struct step){*op, after};
}

void model_log_plain(uintptr_t address, size_t bytes, bool write,
                     const void *pc)
{
    if (!telling) return;
    struct model_op op = {.kind = write ? MODEL_STORE : MODEL_LOAD,
                          .thread = model_current,
                          .address = address,
                          .size = 0, /* plain */
                          .value = bytes,
                          .pc = pc};
    model_log(&op, 0);
}

static const char *order_name(int order)
{
    static const char *const names[] = {"relaxed", "consume", "acquire",
                                        "release", "acq_rel", "seq_cst"};
    return order >= 0 && order < 6 ? names[order] : "";
}

/* Prints the last steps, with the places in the source. */
static void print_steps(void)
{
    static const char *const names[] = {"load", "store", "swap", "add",
                                        "sub",  "and",   "or",   "cas",
                                        "wait", "wake"};
    int first = step_count > REPORTED_STEPS ? step_count - REPORTED_STEPS : 0;
    char *command = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&command, &length);
    if (!text) return;
    fprintf(text, "addr2line -s -e /proc/%d/exe", (int)getpid());
    for (int i = first; i < step_count; i++)
        fprintf(text, " %p", (const void *)((const char *)steps[i].op.pc - 1));
    fprintf(text, " 2>/dev/null");
    fclose(text);
    FILE *places = popen(command, "r");
    free(command);
    for (int i = first; i < step_count; i++) {
        const struct step *step = &steps[i];
        char place[200] = "?";
        if (places && fgets(place, sizeof place, places))
            place[strcspn(place, " \n")] = 0;
        char what[40] = "";
        const char *order = "";
        if (step->op.size) {
            snprintf(what, sizeof what, "%#llx -> %#llx",
                     (unsigned long long)step->op.now,
                     (unsigned long long)step->after);
            order = order_name(step->op.order);
        } else {
            snprintf(what, sizeof what, "plain");
        }
        printf("  %d  %-22s %-5s %-7s %p  %s\n", step->op.thread, place,
               names[step->op.kind], order, (void *)step->op.address, what);
    }
    if (places) pclose(places);
}

/* ---- all interleavings */

static void scenario_main(void *unused)
{
    (void)unused;
    now = 1000 * 1000 * 1000;
    scenario->run();
    if (!all_done()) model_fail(__FILE__, __LINE__, "threads are left");
    if (model_blocks()) model_fail(__FILE__, __LINE__, "memory is left");
    setcontext(&checker);
}

static void run_once(void)
{
    static volatile bool begun;
    model_memory_reset();
    choices_made = step_count = preemptions = 0;
    early_wakes = 0;
    pause_ns = 0;
    writes = 0;
    failed = model_exploring = calm = time_last = false;
    model_threads_stay = false;
    kills.now = false;
    *failure = *said = 0;
    thread_count = 0;
    model_current = -1;
    model_start(scenario_main, NULL);
    memcpy(locals.now, threads[0].locals, locals.bytes);
    begun = false;
    getcontext(&checker);
    if (!begun) {
        begun = true;
        model_current = 0;
        setcontext(&threads[0].context);
    }
    model_current = -1;
    model_exploring = false;
}

/* The next interleaving in order of depth; false if that was the last. */
static bool next_choices(void)
{
    choices_known = choices_made;
    while (choices_known > 0) {
        struct choice *last = &choices[choices_known - 1];
        if (++last->taken < last->count) return true;
        choices_known--;
    }
    return false;
}

struct outcome {
    unsigned long last;  /* interleavings of the last pass, which is whole */
    unsigned long total; /* with those of the passes before */
};

/* Each pass knows which words are shared from those before. The one that has
 * nothing to add to them has seen everything. */
static struct outcome explore(void)
{
    struct outcome outcome = {0, 0};
    model_words_forget();
    mutated = false;
    choices_known = 0;
    memset(&kills, 0, sizeof kills);
    do {
        run_once();
        outcome.last++;
        outcome.total++;
        kills.count += kills.now;
        if (failed) break;
        if (model_words_promote()) {
            choices_known = choices_made = 0;
            outcome.last = 0;
            memset(&kills, 0, sizeof kills);
            continue;
        }
        if (!next_choices()) break;
    } while (true);
    return outcome;
}

/* Runs the failed interleaving once more and prints it. */
static void tell(void)
{
    telling = true;
    model_watched = fault_address;
    choices_known = choices_made;
    run_once();
    print_steps();
    telling = false;
    model_watched = 0;
}

static const char *with_commas(unsigned long number)
{
    static char buffers[2][40];
    static int turn;
    char digits[32], *to = buffers[turn ^= 1];
    int length = snprintf(digits, sizeof digits, "%lu", number);
    for (int i = 0; i < length; i++) {
        *to++ = digits[i];
        if (i + 1 < length && (length - i - 1) % 3 == 0) *to++ = ',';
    }
    *to = 0;
    return buffers[turn];
}

static bool check_scenario(bool verbose)
{
    (void)verbose;
    struct outcome outcome = explore();
    if (!failed) {
        printf("%s: %s interleavings", scenario->name,
               with_commas(outcome.last));
        if (kills.count)
            printf(", %s kills after %d different steps",
                   with_commas(kills.count), kills.places);
        printf(", ok\n");
        return true;
    }
    printf("FAILED %s: in interleaving %s: %s\n", scenario->name,
           with_commas(outcome.total), failure);
    tell();
    return false;
}

static bool check_mutant(bool verbose)
{
    struct outcome outcome = explore();
    if (failed) {
        printf("%s mutant \"%s\": caught after %s\n", scenario->name,
               mutant->name, with_commas(outcome.total));
        if (!verbose) return true;
        printf("  %s\n", failure);
        tell();
        return true;
    }
    printf("FAILED %s mutant \"%s\": %s in %s interleavings\n", scenario->name,
           mutant->name, mutated ? "not caught" : "changes nothing",
           with_commas(outcome.total));
    return false;
}

void model_add_scenario(struct model_scenario *added)
{
    *scenarios_end = added;
    scenarios_end = &added->next;
}

void model_add_mutant(struct model_mutant *added)
{
    *mutants_end = added;
    mutants_end = &added->next;
}

/* In a process of its own: what has failed leaves the core's own variables in
 * any state. */
static bool passes(bool (*check)(bool), bool verbose)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!endless) alarm(SECONDS);
        bool passed = check(verbose);
        fflush(NULL);
        _exit(!passed);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) < 0) return false;
    if (WIFSIGNALED(status))
        printf("FAILED %s%s%s: %s\n", scenario->name, mutant ? " mutant " : "",
               mutant ? mutant->name : "", strsignal(WTERMSIG(status)));
    return status == 0;
}

static void crashed(int signal_number)
{
    if (model_current < 0) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    snprintf(failure, sizeof failure, "%s", strsignal(signal_number));
    give_up();
}

static void catch_crashes(void)
{
    static char stack[64 * 1024];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, NULL);
    struct sigaction action = {.sa_handler = crashed,
                               .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

int main(int argc, char **argv)
{
    bool verbose = false;
    int other_bound = -1, option;
    while ((option = getopt(argc, argv, "vb:")) != -1) {
        if (option == 'v') {
            verbose = true;
        } else if (option == 'b') {
            other_bound = atoi(optarg);
        } else {
            fprintf(stderr, "usage: model [-v] [-b BOUND] [NAME...]\n");
            return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    dl_iterate_phdr(find_locals, NULL);
    if (locals.bytes > LOCALS) {
        fprintf(stderr, "model: make LOCALS at least %zu\n", locals.bytes);
        return 2;
    }
    catch_crashes();
    endless = other_bound >= 0;
    int passed = 0, not_passed = 0;
    for (scenario = scenarios; scenario; scenario = scenario->next) {
        bool wanted = optind == argc;
        for (int i = optind; i < argc; i++)
            if (strstr(scenario->name, argv[i])) wanted = true;
        if (!wanted) continue;
        bound = other_bound >= 0 ? other_bound : scenario->bound;
        mutant = NULL;
        *(passes(check_scenario, verbose) ? &passed : &not_passed) += 1;
        for (mutant = mutants; mutant; mutant = mutant->next) {
            if (mutant->scenario != scenario) continue;
            *(passes(check_mutant, verbose) ? &passed : &not_passed) += 1;
        }
    }
    printf("%d passed, %d failed\n", passed, not_passed);
    return not_passed != 0;
}
