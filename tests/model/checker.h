/* checker.h: what the checker's own files share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MODEL_CHECKER_H
#define MODEL_CHECKER_H

#include "model.h"

enum { MODEL_THREADS = 6 }; /* the scenario's own, number 0, and five more */

/* ---- interleaving.c: whose turn it is */

/* The thread that runs; -1 in the checker itself. */
extern int model_current;
/* True between the beginning of model_run() and its end. */
extern bool model_exploring;
/* See model_keep_threads(). */
extern bool model_threads_stay;

/* Before each operation: another thread may go on instead. */
void model_point(void);
/* A word was changed: whoever waits for a change may look again. */
void model_wrote(void);
/* The same as model_fail(), where the operation itself is at fault. */
_Noreturn void model_fault(const char *what, uintptr_t address, const void *pc);
void model_say(const char *line); /* the text of a failure that follows */

/* ---- checker.c: the search */

/* Gives a mutant the chance to change an operation. */
enum model_change model_mutate(struct model_op *op);

/* ---- threads.c: what threads do */

int model_start(void (*entry)(void *), void *arg);
_Noreturn void model_exit(void);
void model_pause(void);
void model_join(int thread);
bool model_goes_on(int thread, uint64_t *progress);
void model_futex_wait(_Atomic uint32_t *word, uint32_t expected,
                      int64_t timeout_ns, const void *pc);
void model_futex_wake(_Atomic uint32_t *word, const void *pc);
int64_t model_now(void);

/* ---- memory.c: blocks, words, and who knows of whose changes */

void model_memory_reset(void);
void *model_alloc(size_t bytes);
void model_free(void *block, const void *pc);
size_t model_blocks(void); /* in use */

/* A new thread knows what its maker knows; a joined one tells what it knows. */
void model_clock_fork(int from, int to);
void model_clock_join(int from, int to);

/* An access to memory: faults if it is not allowed. */
void model_access(uintptr_t address, size_t bytes, bool write, bool atomic,
                  const void *pc);
/* What an atomic operation makes the thread know, and others later. */
void model_acquire(uintptr_t word, int order);
void model_release(uintptr_t word, int order, bool read_too);

/* Notes who uses a word. True if its order matters: another thread does, too,
 * and one of them writes. */
bool model_shared(uintptr_t word, bool write);
/* Forgets all words, before another scenario. */
void model_words_forget(void);
/* True if a word has turned out to be shared since the last call: what was
 * explored up to now is not all. */
bool model_words_promote(void);

/* Plain accesses to these bytes are logged, too. */
extern uintptr_t model_watched;

/* ---- log.c: what has happened */

/* Notes an operation, for the report of a failure. */
void model_log(const struct model_op *op, uint64_t after);
void model_log_plain(uintptr_t address, size_t bytes, bool write,
                     const void *pc);

#endif /* MODEL_CHECKER_H */
