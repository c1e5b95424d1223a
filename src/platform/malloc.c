/* malloc.c: malloc() and its kin on the web, behind the kill gate.
 *
 * SPDX-License-Identifier: MIT
 *
 * A thread that is killed inside of the allocator would leave it locked, for
 * all threads. Emscripten lets programs replace these functions and has the
 * allocator that was chosen for the link under names of its own.
 */
#include "../kill_gate.h"

#include <errno.h>
#include <stdlib.h>

void *emscripten_builtin_malloc(size_t bytes);
void *emscripten_builtin_calloc(size_t count, size_t bytes);
void *emscripten_builtin_realloc(void *block, size_t bytes);
void *emscripten_builtin_memalign(size_t alignment, size_t bytes);
void emscripten_builtin_free(void *block);

void *malloc(size_t bytes)
{
    CW__RUNTIME;
    return emscripten_builtin_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    CW__RUNTIME;
    return emscripten_builtin_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    CW__RUNTIME;
    return emscripten_builtin_realloc(block, bytes);
}

void free(void *block)
{
    CW__RUNTIME;
    emscripten_builtin_free(block);
}

void *memalign(size_t alignment, size_t bytes)
{
    CW__RUNTIME;
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
