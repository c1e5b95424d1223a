/* interleaving.h: one run of a scenario: its threads, and what becomes of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MODEL_INTERLEAVING_H
#define MODEL_INTERLEAVING_H

#include "checker.h"

#include <ucontext.h>

enum {
    LOCALS = 256,
    MAX_KILLED = 4096 /* a thread that is killed has made fewer steps */
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
    uint64_t pause;      /* number of its last one, of all threads' */
};

static const int64_t never = INT64_MAX;

/* The one that is run, or was last. */
struct interleaving {
    struct thread threads[MODEL_THREADS];
    int thread_count;
    int bound, preemptions;
    unsigned early_wakes;
    bool calm, time_last;  /* see model.h */
    int64_t now, pause_ns; /* how long a pause takes */
    uint64_t writes;
    bool killed; /* a thread was */
    bool failed;
    char failure[1024];
    uintptr_t fault_address;
};
extern struct interleaving model_this;

/* ---- interleaving.c */

/* Runs a scenario from the beginning, with the choices that are known. */
void model_run_once(void (*scenario)(void));
void model_choices_forget(void);
/* Knows all that were made in the last run. */
void model_choices_keep(void);
/* The next interleaving in order of depth; false if that was the last. */
bool model_choices_next(void);
/* The present thread waits. */
void model_wait(void);
/* Ends the interleaving, which has failed for the reason given. */
_Noreturn void model_give_up(const char *why);

/* Thread-local variables: finds the program's, and returns how many bytes they
 * are. */
size_t model_locals_find(void);
void model_locals_begin(char *of);

/* ---- threads.c: interleavings with a kill, and after how many steps of the
 * killed thread */

struct kills {
    unsigned long count;
    int places;
    bool after[MAX_KILLED];
};
extern struct kills model_kills;

/* ---- log.c */

void model_log_clear(void);
/* Prints the last steps, with the places in the source. */
void model_log_print(void);
/* Log everything, to be printed at the end. */
extern bool model_telling;

#endif /* MODEL_INTERLEAVING_H */
