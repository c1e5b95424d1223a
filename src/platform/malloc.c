/* malloc.c: malloc() and its kin on the web, behind the kill gate.
 *
 * SPDX-License-Identifier: MIT
 *
 * A thread that is killed inside of the allocator would leave it locked, for
 * all threads. Emscripten lets programs replace these functions and has the
 * allocator that was chosen for the link under names of its own.
 *
 * The page goes first: it cannot sleep, so it spins for the allocator's lock as
 * long as others take turns with it, or hold the processor that the one with
 * the lock needs.
 */
#include "../kill_gate.h"
#include "../lock.h"

#include <errno.h>
#include <stdlib.h>

void *emscripten_builtin_malloc(size_t bytes);
void *emscripten_builtin_calloc(size_t count, size_t bytes);
void *emscripten_builtin_realloc(void *block, size_t bytes);
void *emscripten_builtin_memalign(size_t alignment, size_t bytes);
void emscripten_builtin_free(void *block);

/* The page is in the allocator, or at its door. */
static _Atomic uint32_t page_allocates;

/* relaxed, all: this orders nothing, it only lets others go first */
static inline bool go_in(void)
{
    if (cw_unlikely(!cw__thread_may_block())) {
        cw_store_relaxed(&page_allocates, 1);
        return true;
    }
    for (unsigned spins = 0; cw_load_relaxed(&page_allocates);)
        cw__spin(&spins);
    return false;
}

static inline void come_out(const bool *is_page)
{
    if (*is_page) cw_store_relaxed(&page_allocates, 0);
}

/* First in each of these functions. */
#define ALLOCATOR                                                              \
    CW__RUNTIME;                                                               \
    const bool is_page __attribute__((cleanup(come_out), unused)) = go_in()

void *malloc(size_t bytes)
{
    ALLOCATOR;
    return emscripten_builtin_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    ALLOCATOR;
    return emscripten_builtin_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    ALLOCATOR;
    return emscripten_builtin_realloc(block, bytes);
}

void free(void *block)
{
    ALLOCATOR;
    emscripten_builtin_free(block);
}

void *memalign(size_t alignment, size_t bytes)
{
    ALLOCATOR;
    return emscripten_builtin_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    if (alignment < sizeof(void *) || alignment & (alignment - 1))
        return EINVAL;
    void *block = memalign(alignment, bytes);
    if (!block) return ENOMEM;
    *out = block;
    return 0;
}
