/* checker.c: the search through all interleavings of all scenarios.
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
#include "interleaving.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SECONDS = 300, /* of one scenario: a loop without operations */
    MOST_AT_ONCE = 64
};

static struct model_scenario *scenarios, **scenarios_end = &scenarios;
static struct model_mutant *mutants, **mutants_end = &mutants;

static const struct model_scenario *scenario;
static const struct model_mutant *mutant;
static bool mutated;
static bool endless; /* nobody waits for it */

/* ---- mutants */

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

/* ---- all interleavings */

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
    model_choices_forget();
    memset(&model_kills, 0, sizeof model_kills);
    do {
        model_run_once(scenario->run);
        outcome.last++;
        outcome.total++;
        model_kills.count += model_this.killed;
        if (model_this.failed) break;
        if (model_words_promote()) {
            model_choices_forget();
            outcome.last = 0;
            memset(&model_kills, 0, sizeof model_kills);
            continue;
        }
        if (!model_choices_next()) break;
    } while (true);
    return outcome;
}

/* Runs the failed interleaving once more and prints it. */
static void tell(void)
{
    model_telling = true;
    model_watched = model_this.fault_address;
    model_choices_keep();
    model_run_once(scenario->run);
    model_log_print();
    model_telling = false;
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
    if (!model_this.failed) {
        printf("%s: %s interleavings", scenario->name,
               with_commas(outcome.last));
        if (model_kills.count)
            printf(", %s kills after %d different steps",
                   with_commas(model_kills.count), model_kills.places);
        printf(", ok\n");
        return true;
    }
    printf("FAILED %s: in interleaving %s: %s\n", scenario->name,
           with_commas(outcome.total), model_this.failure);
    tell();
    return false;
}

static bool check_mutant(bool verbose)
{
    struct outcome outcome = explore();
    if (model_this.failed) {
        printf("%s mutant \"%s\": caught after %s\n", scenario->name,
               mutant->name, with_commas(outcome.total));
        if (!verbose) return true;
        printf("  %s\n", model_this.failure);
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

/* ---- processes */

/* One search each, in a process of its own: what has failed leaves the core's
 * own variables in any state. As many at a time as there are processors. */
static struct search {
    pid_t process; /* 0: none */
    const struct model_scenario *scenario;
    const struct model_mutant *mutant;
} searches[MOST_AT_ONCE];
static int at_once;
static int passed, not_passed;

static void await_search(void)
{
    int status;
    pid_t process = wait(&status);
    if (process < 0) return;
    for (int i = 0; i < at_once; i++) {
        const struct search *search = &searches[i];
        if (search->process != process) continue;
        if (WIFSIGNALED(status))
            printf("FAILED %s%s%s: %s\n", search->scenario->name,
                   search->mutant ? " mutant " : "",
                   search->mutant ? search->mutant->name : "",
                   strsignal(WTERMSIG(status)));
        searches[i].process = 0;
    }
    *(status == 0 ? &passed : &not_passed) += 1;
}

static void await_searches(void)
{
    for (int i = 0; i < at_once; i++)
        while (searches[i].process)
            await_search();
}

static struct search *free_place(void)
{
    for (;;) {
        for (int i = 0; i < at_once; i++)
            if (!searches[i].process) return &searches[i];
        await_search();
    }
}

/* Begins one for `scenario` and `mutant`. */
static void search(bool (*check)(bool), bool verbose)
{
    struct search *place = free_place();
    fflush(NULL);
    pid_t process = fork();
    if (process == 0) {
        if (!endless) alarm(SECONDS);
        bool passes = check(verbose);
        fflush(NULL);
        _exit(!passes);
    }
    if (process < 0) {
        printf("FAILED %s: no process\n", scenario->name);
        not_passed++;
        return;
    }
    *place = (struct search){process, scenario, mutant};
}

static void crashed(int signal_number)
{
    if (model_current < 0) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    model_give_up(strsignal(signal_number));
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
    size_t bytes = model_locals_find();
    if (bytes > LOCALS) {
        fprintf(stderr, "model: make LOCALS at least %zu\n", bytes);
        return 2;
    }
    catch_crashes();
    endless = other_bound >= 0;
    at_once = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (at_once < 1 || verbose) at_once = 1; /* told one after the other */
    if (at_once > MOST_AT_ONCE) at_once = MOST_AT_ONCE;
    for (scenario = scenarios; scenario; scenario = scenario->next) {
        bool wanted = optind == argc;
        for (int i = optind; i < argc; i++)
            if (strstr(scenario->name, argv[i])) wanted = true;
        if (!wanted) continue;
        model_this.bound = other_bound >= 0 ? other_bound : scenario->bound;
        mutant = NULL;
        search(check_scenario, verbose);
        for (mutant = mutants; mutant; mutant = mutant->next) {
            if (mutant->scenario != scenario) continue;
            search(check_mutant, verbose);
        }
    }
    await_searches();
    printf("%d passed, %d failed\n", passed, not_passed);
    return not_passed != 0;
}
