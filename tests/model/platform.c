/* platform.c: the platform layer of a checked program.
 *
 * SPDX-License-Identifier: MIT
 */
#include "platform.h"

#include "checker.h"

#define PC __builtin_return_address(0)

int cw__thread_start(cw__thread *thread, void (*entry)(void *), void *arg)
{
    thread->handle = (uintptr_t)model_start(entry, arg);
    return 0;
}

void cw__thread_join(cw__thread *thread) { model_join((int)thread->handle); }

void cw__thread_detach(cw__thread *thread) { (void)thread; }

void *cw__thread_argument(void (*entry)(void *), void *arg)
{
    (void)entry;
    return arg;
}

void *cw__thread_locals(void) { return NULL; }

void cw__thread_locals_free(void *locals) { (void)locals; }

bool cw__thread_may_exit(void) { return !model_threads_stay; }

void cw__thread_exit(void)
{
    static _Atomic uint32_t never;
    if (model_threads_stay) model_await(&never);
    model_exit();
}

uint32_t cw__processors(void) { return 1; }

bool cw__thread_may_block(void) { return true; }

void cw__thread_pause(void) { model_pause(); }

uintptr_t cw__thread_id(void) { return (uintptr_t)model_current; }

bool cw__thread_goes_on(uintptr_t id, uint64_t *progress)
{
    return model_goes_on((int)id, progress);
}

void cw__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t timeout_ns)
{
    model_futex_wait(word, expected, timeout_ns, PC);
}

void cw__futex_wake(_Atomic uint32_t *word) { model_futex_wake(word, PC); }

int64_t cw__now_ns(void) { return model_now(); }

void *cw__system_alloc(size_t bytes) { return model_alloc(bytes); }

void cw__system_free(void *memory) { model_free(memory, PC); }

void cw__log_line(const char *line) { model_say(line); }

/* In place of abort(), in the core. */
_Noreturn void __wrap_abort(void);
_Noreturn void __wrap_abort(void) { model_fault("abort", 0, PC); }
