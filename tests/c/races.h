/* races.h: what the stress tests share: rounds, and threads that meet.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h. Each test runs for CW_STRESS_ROUNDS rounds with
 * 2, 4 and 8 workers; if it is not set for 500, or 125 where rounds are long.
 * What it does is random; CW_STRESS_SEED repeats the choices, though not the
 * timing. A round that never ends is a failure like any other: it is what a
 * lost wake-up looks like.
 */
#ifndef RACES_H
#define RACES_H

#define USUAL_ROUNDS 500
#include "stress.h"

/* ---- rounds */

MAYBE_UNUSED static int long_round_count = 125;

__attribute__((constructor)) static void set_long_rounds(void)
{
    if (rounds_are_given) long_round_count = round_count;
}

static void tell_time(const char *name, int workers, int64_t began_ns)
{
    printf("%s, %d workers: %.1f s\n", name, workers,
           (double)(cw__now_ns() - began_ns) / 1e9);
    fflush(stdout);
}

/* A test with a context of 2, 4 and 8 workers. */
#define STRESS(NAME)                                                           \
    static void NAME##_with(cw_context *context);                              \
    TEST(NAME)                                                                 \
    {                                                                          \
        alarm(TEST_SECONDS + (unsigned)round_count / 10);                      \
        cw_set_unhandled_handler(count_unhandled);                             \
        for (int workers = 2; workers <= 8; workers *= 2) {                    \
            int64_t began_ns = cw__now_ns();                                   \
            cw_context *context = new_context(workers);                        \
            NAME##_with(context);                                              \
            shut_down(context);                                                \
            tell_time(#NAME, workers, began_ns);                               \
        }                                                                      \
    }                                                                          \
    static void NAME##_with(cw_context *context)

/* ---- threads that meet */

/* Threads that act at the same time, once a round; the caller is one of them.
 */
enum { ACTORS = 4 };

typedef void act(void *);

static struct team {
    sem_t start[ACTORS], done;
    act *acts[ACTORS];
    void *arg;
    _Atomic int missing;
    bool running;
} team;

static void meet_and_act(int number)
{
    atomic_fetch_sub(&team.missing, 1);
    while (atomic_load(&team.missing) > 0)
        cw__thread_pause();
    dither();
    team.acts[number](team.arg);
}

static void *act_each_round(void *arg)
{
    int number = *(int *)arg;
    for (;;) {
        event_await(&team.start[number]);
        if (!team.acts[number]) return NULL;
        meet_and_act(number);
        event_set(&team.done);
    }
}

/* Lets `count` threads do `acts[]` with `arg` at the same time. */
MAYBE_UNUSED static void act_together(int count, act *const *acts, void *arg)
{
    static int numbers[ACTORS];
    static pthread_t threads[ACTORS];
    if (!team.running) {
        team.running = true;
        sem_init(&team.done, 0, 0);
        for (int i = 1; i < ACTORS; i++) {
            numbers[i] = i;
            sem_init(&team.start[i], 0, 0);
            ASSERT(pthread_create(&threads[i], NULL, act_each_round,
                                  &numbers[i]) == 0);
        }
    }
    team.arg = arg;
    atomic_store(&team.missing, count);
    for (int i = 0; i < count; i++)
        team.acts[i] = acts[i];
    for (int i = 1; i < count; i++)
        event_set(&team.start[i]);
    meet_and_act(0);
    for (int i = 1; i < count; i++)
        event_await(&team.done);
}

#endif /* RACES_H */
