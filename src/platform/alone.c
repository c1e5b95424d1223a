/* alone.c: the platform layer where there is one thread and no other, for
 * modules that are linked without threads.
 *
 * SPDX-License-Identifier: MIT
 *
 * The thread has an event loop and must get back to it, so it never waits. Who
 * could wake it? All that becomes ready does so by calls from that loop.
 */
#include "../platform.h"

#include "../coworker.h"

#include <stdlib.h>

int cw__thread_start(cw__thread *thread, void (*entry)(void *), void *arg)
{
    (void)thread, (void)entry, (void)arg;
    return CW_ESTART;
}

/* Never called: there is no thread to wait for. */
void cw__thread_join(cw__thread *thread) { (void)thread; }
void cw__thread_detach(cw__thread *thread) { (void)thread; }

/* Nor one that is to end without the program. */
bool cw__thread_may_exit(void) { return false; }

void cw__thread_exit(void) { abort(); }

void *cw__thread_argument(void (*entry)(void *), void *arg)
{
    (void)entry, (void)arg;
    return NULL;
}

void *cw__thread_locals(void) { return NULL; }

void cw__thread_locals_free(void *locals) { (void)locals; }

bool cw__thread_may_block(void) { return false; }

uint32_t cw__processors(void) { return 1; }

/* Only who meets another thread at a lock comes here. */
void cw__thread_pause(void) {}

/* It may return early at any time. */
void cw__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t timeout_ns)
{
    (void)word, (void)expected, (void)timeout_ns;
}

void cw__futex_wake(_Atomic uint32_t *word) { (void)word; }
