/* stress.h: what the tests of races share: rounds, and chance.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after test.h, with USUAL_ROUNDS defined. CW_STRESS_ROUNDS asks for
 * another number of rounds; CW_STRESS_SEED repeats the choices, though not the
 * timing.
 */
#ifndef STRESS_H
#define STRESS_H

static uint32_t stress_seed;
static int round_count = USUAL_ROUNDS;
MAYBE_UNUSED static bool rounds_are_given;

__attribute__((constructor)) static void read_settings(void)
{
    const char *rounds = getenv("CW_STRESS_ROUNDS");
    rounds_are_given = rounds && atoi(rounds) > 0;
    if (rounds_are_given) round_count = atoi(rounds);
    const char *given = getenv("CW_STRESS_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    stress_seed = given ? (uint32_t)strtoul(given, NULL, 0)
                        : (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec;
    printf("CW_STRESS_SEED=%u CW_STRESS_ROUNDS=%d\n", stress_seed, round_count);
}

/* A random number, smaller than `below`. */
static uint32_t chance(uint32_t below)
{
    static _Atomic uint32_t threads;
    static _Thread_local uint32_t state;
    if (state == 0)
        state = (stress_seed + atomic_fetch_add(&threads, 1) * 2654435761u) | 1;
    state ^= state << 13; /* xorshift32 */
    state ^= state >> 17;
    state ^= state << 5;
    return (state >> 4) % below;
}

/* Takes a random moment, so that what follows comes at another point of what
 * others do. */
static void dither(void)
{
    if (chance(16) == 0) cw__thread_pause();
    for (volatile uint32_t i = chance(300); i > 0; i--) {
    }
}

#endif /* STRESS_H */
