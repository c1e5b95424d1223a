/* check.h: builds for debugging (CW_DEBUG) look at the handles they are given.
 *
 * SPDX-License-Identifier: MIT
 *
 * There each object that programs have handles to carries a word that tells
 * what it is, and memory that is freed is overwritten and kept out of use for a
 * while. A function of coworker.h that is given NULL, or what is freed, or
 * something else, says so and aborts. Other builds have nothing of this.
 */
#ifndef CW_CHECK_H
#define CW_CHECK_H

#ifdef CW_DEBUG

#    include <stdbool.h>
#    include <stddef.h>
#    include <stdint.h>

/* What an object's `magic` says. */
enum cw__magic {
    CW__MAGIC_JOB = 0x6a6f6200,
    CW__MAGIC_CONTEXT,
    CW__MAGIC_ERROR,
    CW__MAGIC_ELEMENTS,
    CW__MAGIC_HANDLER,
    CW__MAGIC_CONTINUATION,
    CW__MAGIC_CHANNEL,
    CW__MAGIC_BROADCAST,
    CW__MAGIC_MUTEX,
    CW__MAGIC_SEMAPHORE,
    CW__MAGIC_END
};

/* Aborts unless `magic`, which was read from `handle` if it is not NULL, is the
 * one that is wanted. */
void cw__check_handle(const void *handle, uint32_t magic, enum cw__magic wanted,
                      const char *function, const char *argument);

/* Overwrites a block that is being freed and keeps it. True: an older one is in
 * its place now, and is to be freed. */
bool cw__quarantine(void **block, size_t *bytes);

#    define CW__MARK(object, KIND) ((object)->magic = CW__MAGIC_##KIND)
/* The handle `argument` of the public function or macro `function`. */
#    define CW__CHECK_AS(KIND, handle, function, argument)                     \
        cw__check_handle((handle), (handle) ? (handle)->magic : 0,             \
                         CW__MAGIC_##KIND, (function), (argument))

#else
#    define CW__MARK(object, KIND)                         ((void)0)
#    define CW__CHECK_AS(KIND, handle, function, argument) ((void)0)
#endif

/* In the function itself. */
#define CW__CHECK_HANDLE(KIND, handle)                                         \
    CW__CHECK_AS(KIND, handle, __func__, #handle)
/* One that may be NULL. */
#define CW__CHECK_IF_ANY(KIND, handle)                                         \
    ((handle) ? CW__CHECK_HANDLE(KIND, handle) : (void)0)

#endif /* CW_CHECK_H */
