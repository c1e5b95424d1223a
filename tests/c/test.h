/* test.h: a small harness for the C tests.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it first, once per program. TEST(name) { ... } defines a test that
 * registers itself. Each test runs in a process of its own, so that a failure,
 * a crash, a hang or a leak is that test's alone, and none sees what another
 * one left behind. `program WORD` runs only the tests with WORD in their name.
 *
 * The link step wraps the few functions of the platform that a test can make
 * fail: see fail_alloc_at() and fail_thread_at().
 */
#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __EMSCRIPTEN__
#    include <emscripten.h>
#endif

#include "platform.h"

#define MAYBE_UNUSED __attribute__((unused))

/* ---- checks */

/* Works in every build and on every thread: prints what does not hold and ends
 * the test. */
#define ASSERT(condition)                                                      \
    ((condition) ? (void)0                                                     \
                 : test_failed(__FILE__, __LINE__, #condition, "is false"))

#define ASSERT_EQ(actual, expected)                                            \
    test_equal(__FILE__, __LINE__, #actual " == " #expected,                   \
               (long long)(actual), (long long)(expected))

#define ASSERT_STR(actual, expected)                                           \
    test_same_text(__FILE__, __LINE__, #actual " is " #expected, (actual),     \
                   (expected))

_Noreturn MAYBE_UNUSED static void
test_failed(const char *file, int line, const char *what, const char *why)
{
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, why);
    fflush(NULL);
#ifdef __EMSCRIPTEN__ /* its _exit() waits for threads that may wait for us */
    MAIN_THREAD_EM_ASM({process.exit(1)});
    __builtin_trap();
#else
    _exit(1); /* other threads may be in any state: no exit handlers */
#endif
}

MAYBE_UNUSED static void test_equal(const char *file, int line,
                                    const char *what, long long actual,
                                    long long expected)
{
    if (actual == expected) return;
    char why[80];
    snprintf(why, sizeof why, "%lld is not %lld", actual, expected);
    test_failed(file, line, what, why);
}

MAYBE_UNUSED static void test_same_text(const char *file, int line,
                                        const char *what, const char *actual,
                                        const char *expected)
{
    if (actual && strcmp(actual, expected) == 0) return;
    test_failed(file, line, what, actual ? actual : "NULL");
}

/* ---- order of events */

MAYBE_UNUSED static _Atomic int test_marks;

/* Asserts that this is the `n`th mark that the test passes, from 1 on. */
#define MARK(n) ASSERT_EQ(atomic_fetch_add(&test_marks, 1) + 1, n)

/* ---- events between threads */

static inline sem_t *event_new(void)
{
    sem_t *event = malloc(sizeof *event);
    if (!event || sem_init(event, 0, 0) != 0) abort();
    return event;
}

static inline void event_free(sem_t *event)
{
    sem_destroy(event);
    free(event);
}

static inline void event_set(sem_t *event) { sem_post(event); }

static inline void event_await(sem_t *event)
{
    while (sem_wait(event) != 0) {
    }
}

/* ---- making the platform fail */

MAYBE_UNUSED static _Atomic long test_allocs_left = -1, test_threads_left = -1;
MAYBE_UNUSED static _Atomic bool test_alloc_failed, test_allocs_end;

/* Lets the `n`th allocation from the system from now on fail, counted from 1;
 * 0: none. */
MAYBE_UNUSED static void fail_alloc_at(long n)
{
    atomic_store(&test_alloc_failed, false);
    atomic_store(&test_allocs_end, false);
    atomic_store(&test_allocs_left, n > 0 ? n - 1 : -1);
}

/* The same for that one and all that follow. */
MAYBE_UNUSED static void fail_allocs_from(long n)
{
    fail_alloc_at(n);
    atomic_store(&test_allocs_end, n > 0);
}

/* True if a failure that was asked for has happened. */
MAYBE_UNUSED static bool alloc_has_failed(void)
{
    return atomic_load(&test_alloc_failed);
}

/* The same for starting threads; once one has failed, all do. */
MAYBE_UNUSED static void fail_thread_at(long n)
{
    atomic_store(&test_threads_left, n > 0 ? n - 1 : -1);
}

void *__real_cw__system_alloc(size_t bytes);
void *__wrap_cw__system_alloc(size_t bytes);
void *__wrap_cw__system_alloc(size_t bytes)
{
    long left = atomic_load(&test_allocs_left);
    if (left >= 0) left = atomic_fetch_sub(&test_allocs_left, 1);
    bool later =
        atomic_load(&test_alloc_failed) && atomic_load(&test_allocs_end);
    if (left != 0 && !later) return __real_cw__system_alloc(bytes);
    atomic_store(&test_alloc_failed, true);
    return NULL;
}

/* How many blocks the library has asked its own allocator for. */
MAYBE_UNUSED static _Atomic long test_allocs;

void *__real_cw__alloc(size_t bytes);
void *__wrap_cw__alloc(size_t bytes);
void *__wrap_cw__alloc(size_t bytes)
{
    atomic_fetch_add(&test_allocs, 1);
    return __real_cw__alloc(bytes);
}

int __real_cw__thread_start(cw__thread *thread, void (*entry)(void *),
                            void *arg);
int __wrap_cw__thread_start(cw__thread *thread, void (*entry)(void *),
                            void *arg);
int __wrap_cw__thread_start(cw__thread *thread, void (*entry)(void *),
                            void *arg)
{
    if (atomic_load(&test_threads_left) == 0) return -7; /* CW_ESTART */
    if (atomic_load(&test_threads_left) > 0)
        atomic_fetch_sub(&test_threads_left, 1);
    return __real_cw__thread_start(thread, entry, arg);
}

/* ---- the clock */

MAYBE_UNUSED static _Atomic int64_t test_clock_ns = -1; /* -1: the real one */

int64_t __real_cw__now_ns(void);
int64_t __wrap_cw__now_ns(void);
int64_t __wrap_cw__now_ns(void)
{
    int64_t stopped = atomic_load(&test_clock_ns);
    return stopped < 0 ? __real_cw__now_ns() : stopped;
}

/* Stops the clock that the library reads, until start_clock(). */
MAYBE_UNUSED static void stop_clock(void)
{
    atomic_store(&test_clock_ns, __real_cw__now_ns());
}

MAYBE_UNUSED static void advance_clock(int64_t ns)
{
    atomic_fetch_add(&test_clock_ns, ns);
}

MAYBE_UNUSED static void start_clock(void) { atomic_store(&test_clock_ns, -1); }

/* ---- looking in between */

/* Called whenever somebody has found that a job is not over, before he goes on
 * with that: what a test does here comes between. */
struct cw_job;
MAYBE_UNUSED static void (*_Atomic test_found_not_over)(const struct cw_job *);

bool __real_cw_is_completed(const struct cw_job *job);
bool __wrap_cw_is_completed(const struct cw_job *job);
bool __wrap_cw_is_completed(const struct cw_job *job)
{
    bool completed = __real_cw_is_completed(job);
    void (*look)(const struct cw_job *) = atomic_load(&test_found_not_over);
    if (!completed && look) look(job);
    return completed;
}

/* Called whenever somebody is about to make sure that a worker is up. */
struct cw__worker;
MAYBE_UNUSED static void (*_Atomic test_before_unpark)(struct cw__worker *);

void __real_cw__worker_unpark(struct cw__worker *worker);
void __wrap_cw__worker_unpark(struct cw__worker *worker);
void __wrap_cw__worker_unpark(struct cw__worker *worker)
{
    void (*look)(struct cw__worker *) = atomic_load(&test_before_unpark);
    if (look) look(worker);
    __real_cw__worker_unpark(worker);
}

/* ---- tests */

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *test_first, **test_end = &test_first;

#define TEST(name_)                                                            \
    static void name_(void);                                                   \
    __attribute__((constructor)) static void name_##_register(void)            \
    {                                                                          \
        static struct test test = {#name_, name_, NULL};                       \
        *test_end = &test;                                                     \
        test_end = &test.next;                                                 \
    }                                                                          \
    static void name_(void)

/* A test that takes longer hangs. */
enum { TEST_SECONDS = 60 };

/* test_in_child(body, output, room) runs `body` in a child process and returns
 * its wait status. What the child prints to stderr goes to `output` if that is
 * not NULL. */
#ifdef __EMSCRIPTEN__

/* Node starts the same program once more, which calls the function with this
 * number. Returns what waitpid() would tell. */
/* clang-format off */
EM_JS_DEPS(test_spawn, "$ENV,$stringToUTF8")
EM_JS(int, test_spawn, (int body, char *output, int room), {
    const { error, signal, status, stderr } = require('child_process').spawnSync(
        process.execPath, [__filename, '--body', String(body)],
        { stdio: ['ignore', 'inherit', output ? 'pipe' : 'inherit'] });
    if (error) throw error;
    if (output) stringToUTF8(String(stderr), output, room);
    const { signals } = require('os').constants;
    if (signal) return signals[signal];
    if (status > 128) return status - 128; /* a signal of Emscripten's own */
    /* What abort() throws ends Node like any other exception. */
    if (output && String(stderr).includes('Aborted(')) return signals.SIGABRT;
    return status << 8;
})
/* clang-format on */

static int test_in_child(void (*body)(void), char *output, size_t room)
{
    fflush(NULL);
    return test_spawn((int)(intptr_t)body, output, (int)room);
}

/* In that program: does not return. */
static void test_be_child(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "--body") != 0) return;
    void (*body)(void) = (void (*)(void))(intptr_t)atoi(argv[2]);
    alarm(TEST_SECONDS);
    body();
    exit(0);
}

#else

static int test_in_child(void (*body)(void), char *output, size_t room)
{
    int ends[2] = {-1, -1};
    if (output && pipe(ends) != 0) abort();
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
        if (output) dup2(ends[1], STDERR_FILENO);
        alarm(TEST_SECONDS);
        body();
        exit(0); /* with exit handlers: leaks are looked for there */
    }
    if (output) {
        close(ends[1]);
        size_t used = 0;
        ssize_t got;
        while ((got = read(ends[0], output + used, room - 1 - used)) > 0)
            used += (size_t)got;
        output[used] = '\0';
        close(ends[0]);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static void test_be_child(int argc, char **argv) { (void)argc, (void)argv; }

#endif

/* Asserts that `body` aborts and says `text`. Before the test has threads. */
MAYBE_UNUSED static void assert_aborts(void (*body)(void), const char *text)
{
    char output[4096];
    int status = test_in_child(body, output, sizeof output);
    ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (!strstr(output, text)) test_failed(__FILE__, __LINE__, text, output);
}

static bool test_passes(const struct test *test)
{
    int status = test_in_child(test->run, NULL, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        printf("FAILED %s: %s\n", test->name,
               number == SIGALRM ? "took too long" : strsignal(number));
    } else {
        printf("FAILED %s: exit status %d\n", test->name, WEXITSTATUS(status));
    }
    return false;
}

int main(int argc, char **argv)
{
    test_be_child(argc, argv);
    int passed = 0, failed = 0;
    for (struct test *test = test_first; test; test = test->next) {
        if (argc > 1 && !strstr(test->name, argv[1])) continue;
        if (test_passes(test)) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}

#endif /* TEST_H */
