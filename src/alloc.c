/* alloc.c: memory for jobs, frames and errors.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each thread keeps, per size class, a stack of pointers to free blocks and the
 * rest of the chunk that it cuts new blocks from. Threads exchange batches
 * through a depot: a batch is one of its own blocks, which holds the pointers
 * to the others. So a block that changes hands is not touched before its next
 * use, and reading the pointers does not wait for one block after the other.
 */
#include "alloc.h"

#include "atomic.h"
#include "base.h"
#include "check.h"
#include "coworker.h"
#include "lock.h"
#include "platform.h"

#include <string.h>

static _Atomic size_t system_bytes;

size_t cw_memory_used(void) { return cw_load_relaxed(&system_bytes); }

#ifdef CW_PLAIN_ALLOC /* sanitizers and valgrind want to see every block */

void *cw__alloc(size_t bytes) { return cw__system_alloc(bytes); }

static void give_back(void *memory, size_t bytes)
{
    (void)bytes;
    cw__system_free(memory);
}

void cw__alloc_flush(void) {}
void *cw__alloc_blocks(void) { return NULL; }
void cw__alloc_inherit(void *blocks) { (void)blocks; }

#else

enum {
    GRAIN = 16,    /* small classes are multiples of this many bytes ... */
    SMALL = 192,   /* ... up to this, larger ones are whole cache lines ... */
    LARGEST = 512, /* ... up to this; beyond it malloc() serves */
    SMALL_CLASSES = SMALL / GRAIN,
    CLASSES = SMALL_CLASSES + (LARGEST - SMALL) / CW_CACHE_LINE,
    BATCH = 32,        /* blocks that change hands together, at most */
    CHUNK = 32 * 1024, /* what is asked from the system at a time */
    AHEAD = 4          /* blocks are fetched so many allocations before use */
};

/* Free blocks on their way between threads: lies in one of them. */
struct batch {
    struct batch *next;
    void *blocks[]; /* the others, then NULL unless there is no room for it */
};

struct cache {
    uint32_t count;
    void *blocks[2 * BATCH]; /* free ones, the last one freed on top */
    char *fresh, *end;       /* never used so far */
};

static _Thread_local struct cache caches[CLASSES];

static struct depot { /* protected by `lock` */
    cw__lock lock;
    struct batch *batches;
} depots[CLASSES];

/* The chunks, linked, so that leak checkers see them as reachable. */
static cw__lock chunks_lock;
static struct chunk {
    struct chunk *next;
} * chunks;

static unsigned class_of(size_t bytes)
{
    if (bytes > SMALL)
        return SMALL_CLASSES + (unsigned)((bytes - SMALL - 1) / CW_CACHE_LINE);
    return bytes ? (unsigned)((bytes - 1) / GRAIN) : 0;
}

static size_t size_of(unsigned class)
{
    if (class < SMALL_CLASSES) return ((size_t) class + 1) * GRAIN;
    return SMALL + (size_t)(class - SMALL_CLASSES + 1) * CW_CACHE_LINE;
}

/* How many blocks a batch of this class has. */
static uint32_t batch_of(unsigned class)
{
    size_t room = (size_of(class) - sizeof(struct batch)) / sizeof(void *);
    return room + 1 < BATCH ? (uint32_t)room + 1 : BATCH;
}

/* Gives the `count` oldest free blocks away, at most a batch. */
static void give(struct cache *cache, unsigned class, uint32_t count)
{
    struct batch *batch = cache->blocks[0];
    for (uint32_t i = 1; i < count; i++)
        batch->blocks[i - 1] = cache->blocks[i];
    if (count < batch_of(class)) batch->blocks[count - 1] = NULL;
    cache->count -= count;
    memmove(cache->blocks, cache->blocks + count,
            cache->count * sizeof cache->blocks[0]);
    struct depot *depot = &depots[class];
    cw__lock_acquire(&depot->lock);
    batch->next = depot->batches;
    depot->batches = batch;
    cw__lock_release(&depot->lock);
}

/* Takes a batch if there is one. */
static bool take(unsigned class)
{
    struct depot *depot = &depots[class];
    cw__lock_acquire(&depot->lock);
    struct batch *batch = depot->batches;
    if (batch) depot->batches = batch->next;
    cw__lock_release(&depot->lock);
    if (!batch) return false;
    struct cache *cache = &caches[class];
    uint32_t count = 1, most = batch_of(class);
    while (count < most && batch->blocks[count - 1])
        count++;
    /* The order in which they were freed, which follows their addresses. */
    for (uint32_t i = 1; i < count; i++)
        cache->blocks[i] = batch->blocks[i - 1];
    cache->blocks[0] = batch;
    cache->count = count;
    for (uint32_t i = 0; i < count; i++)
        for (size_t at = 0; at < size_of(class); at += CW_CACHE_LINE)
            __builtin_prefetch((char *)cache->blocks[i] + at, 1);
    return true;
}

/* A new chunk for this thread. */
static bool carve(unsigned class)
{
    size_t size = size_of(class);
    struct chunk *chunk = cw__system_alloc(CHUNK);
    if (!chunk) return false;
    cw_add_relaxed(&system_bytes, (size_t)CHUNK);
    cw__lock_acquire(&chunks_lock);
    chunk->next = chunks;
    chunks = chunk;
    cw__lock_release(&chunks_lock);

    /* Blocks that fill cache lines begin with one. */
    size_t alignment = size % CW_CACHE_LINE == 0 ? CW_CACHE_LINE : GRAIN;
    uintptr_t first =
        ((uintptr_t)(chunk + 1) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    size_t room = (uintptr_t)chunk + CHUNK - first;
    caches[class].fresh = (char *)first;
    caches[class].end = (char *)first + room / size * size;
    return true;
}

/* The way to a block when the stack is empty. */
static void *find_block(unsigned class)
{
    struct cache *cache = &caches[class];
    if (cache->fresh == cache->end) {
        if (take(class)) return cache->blocks[--cache->count];
        if (!carve(class)) return NULL;
    }
    char *block = cache->fresh;
    cache->fresh += size_of(class);
    return block;
}

void *cw__alloc(size_t bytes)
{
    if (cw_unlikely(bytes > LARGEST)) {
        void *memory = cw__system_alloc(bytes);
        if (memory) cw_add_relaxed(&system_bytes, bytes);
        return memory;
    }
    unsigned class = class_of(bytes);
    struct cache *cache = &caches[class];
    if (cw_unlikely(cache->count == 0)) return find_block(class);
    uint32_t count = --cache->count;
    if (cw_likely(count >= AHEAD))
        __builtin_prefetch(cache->blocks[count - AHEAD], 1);
    return cache->blocks[count];
}

static void give_back(void *memory, size_t bytes)
{
    if (cw_unlikely(bytes > LARGEST)) {
        cw_add_relaxed(&system_bytes, (size_t)0 - bytes);
        cw__system_free(memory);
        return;
    }
    unsigned class = class_of(bytes);
    struct cache *cache = &caches[class];
    if (cw_unlikely(cache->count == 2 * BATCH))
        give(cache, class, batch_of(class));
    cache->blocks[cache->count++] = memory;
}

static void flush(struct cache *from)
{
    for (unsigned class = 0; class < CLASSES; class ++) {
        struct cache *cache = &from[class];
        uint32_t most = batch_of(class);
        for (;;) {
            while (cache->count < most && cache->fresh != cache->end) {
                cache->blocks[cache->count++] = cache->fresh;
                cache->fresh += size_of(class);
            }
            if (cache->count == 0) break;
            give(cache, class, cache->count < most ? cache->count : most);
        }
    }
}

void cw__alloc_flush(void) { flush(caches); }

void *cw__alloc_blocks(void) { return caches; }

void cw__alloc_inherit(void *blocks)
{
    if (blocks) flush(blocks);
}

#endif /* CW_PLAIN_ALLOC */

void cw__free(void *memory, size_t bytes)
{
#ifdef CW_DEBUG
    if (!cw__quarantine(&memory, &bytes)) return;
#endif
    give_back(memory, bytes);
}
