/* platform.h: what the core asks of an operating system.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each platform implements this file once, in src/platform/. Preconditions for
 * all: pointers are not NULL. Return values: 0 is success, errors are -CW_E...
 * Included by the scheduler's files only (lock, alloc, timer, worker, context,
 * blocking).
 */
#ifndef CW_PLATFORM_H
#define CW_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- threads */

/* Room for the platform's own thread handle. */
typedef struct cw__thread {
    uintptr_t handle;
} cw__thread;

/* Starts a thread that runs `entry(arg)`. CW_ENOMEM or CW_ESTART on failure.
 * The thread may begin to run only after the calling thread has returned to
 * its event loop (web), so nobody may block until it has. */
int cw__thread_start(cw__thread *thread, void (*entry)(void *), void *arg);

/* Where a host starts threads in memory of dead ones (web): what such a thread
 * is to be given as its argument. NULL without memory. */
void *cw__thread_argument(void (*entry)(void *), void *arg);

/* The calling thread's _Thread_local variables, if nobody but us ever frees
 * them, for ... */
void *cw__thread_locals(void);
/* ... this, when the thread is gone. */
void cw__thread_locals_free(void *locals);

/* Waits for the thread's end and frees what the system keeps for it. Only where
 * cw__thread_may_block() is true. */
void cw__thread_join(cw__thread *thread);

/* The same for a thread that nobody will wait for. */
void cw__thread_detach(cw__thread *thread);

/* True if a thread can end itself; otherwise ... */
bool cw__thread_may_exit(void);
/* ... this keeps the calling thread from ever running again. It must not be one
 * that anybody joins. */
_Noreturn void cw__thread_exit(void);

/* By what others know the calling thread in the next function. */
uintptr_t cw__thread_id(void);

/* True if that thread, which has not ended, has run between an earlier call and
 * this one, or waits in the system: so whatever it was about to store when the
 * earlier call was made is stored. `*progress` is 0 at first, then the earlier
 * call's. False if it has not, or nobody can tell. */
bool cw__thread_goes_on(uintptr_t id, uint64_t *progress);

/* False on a browser's main thread: there nothing of ours ever waits. */
bool cw__thread_may_block(void);

/* How many threads can run at the same time here; at least 1. */
uint32_t cw__processors(void);

/* Gives the processor away for a moment; used when a lock stays taken. */
void cw__thread_pause(void);

/* ---- parking */

/* Sleeps while `*word == expected`, for at most `timeout_ns` (< 0: for ever).
 * May return early at any time, so callers loop. */
void cw__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t timeout_ns);
/* Wakes at least one thread that sleeps on `word`, if there is any. */
void cw__futex_wake(_Atomic uint32_t *word);

/* ---- clock, memory, messages */

/* A monotonic clock that all threads agree on, in nanoseconds. */
int64_t cw__now_ns(void);

/* malloc and free, or what a test puts in their place to make them fail. */
void *cw__system_alloc(size_t bytes);
void cw__system_free(void *memory);

/* Writes one line to where a developer looks (stderr, the console). */
void cw__log_line(const char *line);

#endif /* CW_PLATFORM_H */
