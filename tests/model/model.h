/* model.h: runs small scenarios of the core in every order that matters.
 *
 * SPDX-License-Identifier: MIT
 *
 * A scenario is a function that sets something up, starts two to five threads,
 * and says what has to hold when they have ended. The checker runs it again and
 * again, each time with another interleaving of these threads, until it has
 * seen all of them.
 *
 * How. The core is compiled with -fsanitize=thread, but linked with functions
 * of our own in place of ThreadSanitizer's: so each atomic operation, with its
 * memory order, and each access to memory calls the checker, and the core needs
 * no change. The "threads" are contexts on one system thread. Before an atomic
 * operation another one may go on; which one does is a choice, and the choices
 * are gone through depth first. Waiting and the clock are the checker's, too:
 * time passes only when a sleeper's time-out is chosen.
 *
 * What is found: broken invariants (CHECK, CW_ASSERT); threads that wait for
 * each other or for a wake-up that was lost; loops without an end; data races,
 * by the memory orders that the code asks for; use of freed memory and leaks.
 *
 * What is not:
 *   - Atomic operations take effect at once and for all (sequential
 *     consistency). A weaker order is found out only where it makes plain data
 *     race. A load that might see an older value, and two words that two
 *     threads see change in different orders, are not tried.
 *   - Interleavings with more pre-emptions (a thread stops though it could go
 *     on) than the scenario's bound. Switches away from threads that wait or
 *     have ended are not counted.
 *   - More threads, jobs and steps than the scenario has; a compare-and-swap
 *     that fails for no reason; an address that is used again after free().
 *
 * What is left out since it makes no difference: switches before operations on
 * words that no other thread changes in any interleaving.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- scenarios */

struct model_scenario {
    const char *name;
    void (*run)(void);
    int bound; /* pre-emptions */
    struct model_scenario *next;
};

/* SCENARIO(name, 2) { ... }: with at most two pre-emptions. */
#define SCENARIO(NAME, BOUND)                                                  \
    static void NAME(void);                                                    \
    static struct model_scenario NAME##_scenario = {#NAME, NAME, BOUND, NULL}; \
    __attribute__((constructor)) static void NAME##_add(void)                  \
    {                                                                          \
        model_add_scenario(&NAME##_scenario);                                  \
    }                                                                          \
    static void NAME(void)

/* Adds a thread that begins to run in model_run(), or in model_settle(). */
void model_thread(void (*entry)(void *), void *arg);
/* Runs all threads to their ends, in an order to be explored. */
void model_run(void);
/* Runs them in one order until all of them sleep. */
void model_settle(void);
/* Lets so many sleeps, as a system is free to do, end early. */
void model_allow_early_wakes(unsigned count);
/* Lets time pass. */
void model_advance(int64_t ns);
/* From now on time passes with each pause of a thread that waits for a change,
 * of which there need not be one. */
void model_pauses_take(int64_t ns);
/* From now on no time-out ends a sleep as long as anybody else can go on. */
void model_time_passes_last(void);
/* What follows is run in one order only: not what the scenario is about. */
void model_calm_down(void);
/* Waits until a word is not 0. */
void model_await(_Atomic uint32_t *word);

/* ---- threads that are killed, named by what they were started with */

/* Notes that it is killed where it is now: told in the result, with the number
 * of different places. */
void model_killed(const void *arg);
/* It makes no further step. */
void model_terminate(const void *arg);
/* From now on threads do not end by themselves when they are at the gate. */
void model_keep_threads(void);

/* Memory of zeros that the checker watches; statics it does not. */
void *model_new(size_t bytes);
void model_delete(void *block);

/* Ends the interleaving with an error. */
_Noreturn void model_fail(const char *file, int line, const char *what);
#define CHECK(condition)                                                       \
    ((condition) ? (void)0 : model_fail(__FILE__, __LINE__, #condition))

/* ---- mutants
 *
 * MUTANT(scenario, "what is broken") { ... }: is called before each operation
 * of the scenario's threads, may change it, and has to make some interleaving
 * of the scenario fail. This shows that the scenario sees what it is there to
 * see. */

enum model_kind {
    MODEL_LOAD,
    MODEL_STORE,
    MODEL_SWAP,
    MODEL_ADD,
    MODEL_SUB,
    MODEL_AND,
    MODEL_OR,
    MODEL_CAS,
    MODEL_FUTEX_WAIT,
    MODEL_FUTEX_WAKE
};

struct model_op {
    enum model_kind kind;
    int thread; /* in the order of their creation, from 1 on */
    uintptr_t address;
    unsigned size;
    uint64_t value;    /* what is stored, added ... */
    uint64_t expected; /* CAS, FUTEX_WAIT */
    uint64_t now;      /* what is in memory */
    int order;         /* __ATOMIC_RELAXED ... */
    const void *pc;
};

enum model_change {
    MODEL_AS_IS,
    MODEL_CHANGED, /* `value` or `order` was */
    MODEL_SKIP,    /* nothing is written and nobody woken; a CAS reports success
                      all the same, others return what was there */
    MODEL_FORCE    /* a load gives `value`, a CAS does not compare */
};

struct model_mutant {
    const struct model_scenario *scenario;
    const char *name;
    enum model_change (*change)(struct model_op *op);
    struct model_mutant *next;
};

#define MODEL__PASTE(a, b) a##b
#define MODEL__NAME(a, b)  MODEL__PASTE(a, b)
#define MUTANT(SCENARIO_, TEXT)                                                \
    MODEL__MUTANT(SCENARIO_, TEXT, MODEL__NAME(mutant_, __LINE__))
#define MODEL__MUTANT(SCENARIO_, TEXT, NAME)                                   \
    static enum model_change NAME(struct model_op *op);                        \
    static struct model_mutant MODEL__NAME(NAME, _entry) = {                   \
        &SCENARIO_##_scenario, TEXT, NAME, NULL};                              \
    __attribute__((constructor)) static void MODEL__NAME(NAME, _add)(void)     \
    {                                                                          \
        model_add_mutant(&MODEL__NAME(NAME, _entry));                          \
    }                                                                          \
    static enum model_change NAME(struct model_op *op)

/* True for an operation of this kind on this word. */
#define MODEL_IS(op, KIND, word)                                               \
    ((op)->kind == (KIND) && (op)->address == (uintptr_t)(word))

/* What is in the 32 bits at this address, which nobody notices. */
uint32_t model_peek(const volatile void *word);

void model_add_scenario(struct model_scenario *scenario);
void model_add_mutant(struct model_mutant *mutant);

#endif /* MODEL_H */
