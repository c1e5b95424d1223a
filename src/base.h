/* base.h: the few macros that every file of the core uses.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_BASE_H
#define CW_BASE_H

#include <stddef.h>

#define cw_likely(x)   __builtin_expect(!!(x), 1)
#define cw_unlikely(x) __builtin_expect(!!(x), 0)

/* The struct that holds `member` at address `ptr`. */
#define cw_container_of(ptr, type, member)                                     \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* One cache line, so that words of different owners do not share one. */
#define CW_CACHE_LINE 64

/* Our own bugs stop the program in every build: an invariant that does not
 * hold has no good way on. Wrong use by callers gets an error code instead. */
#define CW_ASSERT(condition)                                                   \
    (cw_likely(condition) ? (void)0                                            \
                          : cw__panic("internal check failed: " #condition,    \
                                      __FILE__, __LINE__))

_Noreturn void cw__panic(const char *message, const char *file, int line);

#endif /* CW_BASE_H */
