/* coworker/base.h: the version, and what compilers call things.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_BASE_H
#define COWORKER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CW_VERSION_MAJOR 0
#define CW_VERSION_MINOR 1
#define CW_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#    define CW__UNUSED __attribute__((unused))
#    define CW__KEEP   __attribute__((used, visibility("default")))
#else
#    define CW__UNUSED
#    define CW__KEEP
#endif
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 7)
#    define CW__FALLTHROUGH __attribute__((fallthrough))
#else
#    define CW__FALLTHROUGH ((void)0)
#endif

#endif /* COWORKER_BASE_H */
