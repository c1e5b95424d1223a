/* alloc.c: memory for jobs, frames and errors.
 *
 * SPDX-License-Identifier: MIT
 *
 * Per thread and size class there are two stacks of free blocks: `loaded`, from
 * which blocks come and to which they go, and `spare`, which is either empty or
 * a full batch. So a thread that swings around a batch boundary does not visit
 * the depot each time. A batch is BATCH blocks linked through their first word;
 * the depot links batches through the second word of their first block.
 */
#include "alloc.h"

#include "atomic.h"
#include "base.h"
#include "coworker.h"
#include "lock.h"
#include "platform.h"

static _Atomic size_t system_bytes;

size_t cw_memory_used(void) { return cw_load_relaxed(&system_bytes); }

#ifdef CW_PLAIN_ALLOC /* sanitizers and valgrind want to see every block */

void *cw__alloc(size_t bytes) { return cw__system_alloc(bytes); }

void cw__free(void *memory, size_t bytes)
{
    (void)bytes;
    cw__system_free(memory);
}

void cw__alloc_flush(void) {}

#else

enum {
    GRAIN = 16,     /* classes are multiples of this many bytes ... */
    LARGEST = 1024, /* ... up to this; beyond it malloc() serves */
    CLASSES = LARGEST / GRAIN,
    BATCH = 32,       /* blocks that change hands together */
    CHUNK = 32 * 1024 /* what is asked from the system at a time */
};

struct block {
    struct block *next;
    struct block *next_batch;
};

struct stack {
    struct block *top;
    unsigned count;
};

struct cache {
    struct stack loaded[CLASSES];
    struct block *spare[CLASSES]; /* NULL or a batch */
};

static struct depot { /* protected by `lock` */
    cw__lock lock;
    struct block *batches;
    struct stack loose; /* less than a batch, from threads that have ended */
} depots[CLASSES];

static _Thread_local struct cache cache;

/* The chunks, linked, so that leak checkers see them as reachable. */
static cw__lock chunks_lock;
static struct chunk {
    struct chunk *next;
    size_t padding; /* keeps the blocks behind it aligned to GRAIN */
} * chunks;

static unsigned class_of(size_t bytes)
{
    return bytes ? (unsigned)((bytes - 1) / GRAIN) : 0;
}

/* A batch, or less if there is none. */
static struct stack depot_take(unsigned class)
{
    struct depot *depot = &depots[class];
    cw__lock_acquire(&depot->lock);
    struct stack taken = {depot->batches, BATCH};
    if (taken.top) {
        depot->batches = taken.top->next_batch;
    } else {
        taken = depot->loose;
        depot->loose = (struct stack){NULL, 0};
    }
    cw__lock_release(&depot->lock);
    return taken;
}

static void depot_give(unsigned class, struct block *batch)
{
    struct depot *depot = &depots[class];
    cw__lock_acquire(&depot->lock);
    batch->next_batch = depot->batches;
    depot->batches = batch;
    cw__lock_release(&depot->lock);
}

/* Leaves single blocks, fewer than a batch, with the depot. */
static void depot_leave(unsigned class, struct stack *left)
{
    struct depot *depot = &depots[class];
    cw__lock_acquire(&depot->lock);
    struct stack *loose = &depot->loose;
    while (left->top) {
        struct block *block = left->top;
        left->top = block->next;
        block->next = loose->top;
        loose->top = block;
        if (++loose->count == BATCH) {
            block->next_batch = depot->batches;
            depot->batches = block;
            *loose = (struct stack){NULL, 0};
        }
    }
    cw__lock_release(&depot->lock);
    left->count = 0;
}

/* Cuts a new chunk into free blocks for this thread. */
static bool carve(unsigned class)
{
    size_t size = ((size_t) class + 1) * GRAIN;
    size_t blocks = size * BATCH < CHUNK ? CHUNK / size : BATCH;
    size_t bytes = GRAIN + blocks * size;
    struct chunk *chunk = cw__system_alloc(bytes);
    if (!chunk) return false;
    cw_add_relaxed(&system_bytes, bytes);
    cw__lock_acquire(&chunks_lock);
    chunk->next = chunks;
    chunks = chunk;
    cw__lock_release(&chunks_lock);

    struct stack *loaded = &cache.loaded[class];
    char *at = (char *)chunk + GRAIN;
    for (size_t i = blocks; i-- > 0;) { /* lowest address on top */
        struct block *block = (struct block *)(void *)(at + i * size);
        block->next = loaded->top;
        loaded->top = block;
    }
    loaded->count += (unsigned)blocks;
    return true;
}

static bool refill(unsigned class)
{
    struct stack *loaded = &cache.loaded[class];
    struct stack more = {cache.spare[class], BATCH};
    cache.spare[class] = NULL;
    if (!more.top) more = depot_take(class);
    if (!more.top) return carve(class);
    *loaded = more;
    return true;
}

/* Splits a batch off a `loaded` stack that has grown past two of them. */
static void spill(unsigned class)
{
    struct stack *loaded = &cache.loaded[class];
    struct block *first = loaded->top, *last = first;
    for (unsigned i = 1; i < BATCH; i++)
        last = last->next;
    loaded->top = last->next;
    loaded->count -= BATCH;
    last->next = NULL;
    if (!cache.spare[class]) {
        cache.spare[class] = first;
    } else {
        depot_give(class, first);
    }
}

void *cw__alloc(size_t bytes)
{
    if (cw_unlikely(bytes > LARGEST)) {
        void *memory = cw__system_alloc(bytes);
        if (memory) cw_add_relaxed(&system_bytes, bytes);
        return memory;
    }
    unsigned class = class_of(bytes);
    struct stack *loaded = &cache.loaded[class];
    if (cw_unlikely(!loaded->top) && !refill(class)) return NULL;
    struct block *block = loaded->top;
    loaded->top = block->next;
    loaded->count--;
    return block;
}

void cw__free(void *memory, size_t bytes)
{
    if (cw_unlikely(bytes > LARGEST)) {
        cw_add_relaxed(&system_bytes, (size_t)0 - bytes);
        cw__system_free(memory);
        return;
    }
    unsigned class = class_of(bytes);
    struct stack *loaded = &cache.loaded[class];
    struct block *block = memory;
    block->next = loaded->top;
    loaded->top = block;
    if (cw_unlikely(++loaded->count >= 2 * BATCH) && loaded->count % BATCH == 0)
        spill(class);
}

void cw__alloc_flush(void)
{
    for (unsigned class = 0; class < CLASSES; class ++) {
        struct stack *loaded = &cache.loaded[class];
        if (cache.spare[class]) depot_give(class, cache.spare[class]);
        cache.spare[class] = NULL;
        while (loaded->count >= BATCH) {
            spill(class);
            if (cache.spare[class]) depot_give(class, cache.spare[class]);
            cache.spare[class] = NULL;
        }
        if (loaded->top) depot_leave(class, loaded);
    }
}

#endif /* CW_PLAIN_ALLOC */
