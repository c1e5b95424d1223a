/* platform_test.c: what the core asks of an operating system.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#ifdef __EMSCRIPTEN__
/* What Emscripten leaves behind when a thread ends: an asynchronous wait on its
 * memory, which may be a futex by now. */
/* clang-format off */
EM_JS(void, leave_stale_wait, (void *word), {
    Atomics.waitAsync(HEAP32, word >> 2, 0);
})
/* clang-format on */
#else
static void leave_stale_wait(void *word) { (void)word; }
#endif

static _Atomic uint32_t word;
static sem_t *begun;

static void *sleep_until_woken(void *arg)
{
    (void)arg;
    leave_stale_wait(&word);
    event_set(begun);
    while (atomic_load(&word) == 0)
        cw__futex_wait(&word, 0, -1);
    return NULL;
}

static void pause_ms(int64_t ms)
{
    int64_t until = cw__now_ns() + ms * 1000 * 1000;
    while (cw__now_ns() < until)
        cw__thread_pause();
}

TEST(who_sleeps_on_a_futex_is_woken)
{
    begun = event_new();
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, sleep_until_woken, NULL) == 0);
    event_await(begun);
    pause_ms(100); /* it sleeps by then, or finds the word changed */
    atomic_store(&word, 1);
    cw__futex_wake(&word);
    pthread_join(thread, NULL);
    event_free(begun);
}

TEST(a_futex_is_slept_on_only_as_long_as_asked)
{
    int64_t began = cw__now_ns();
    while (cw__now_ns() < began + 20 * 1000 * 1000)
        cw__futex_wait(&word, 0, 20 * 1000 * 1000);
    cw__futex_wait(&word, 1, -1); /* it is 0: not at all */
}
