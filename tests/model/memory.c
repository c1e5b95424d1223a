/* memory.c: blocks, words, and who knows of whose changes.
 *
 * SPDX-License-Identifier: MIT
 *
 * Memory comes from an arena that begins anew with each interleaving and never
 * gives an address out twice in one. So the same allocation has the same
 * address wherever the threads do the same, and each use after free is seen.
 *
 * Data races are found with vector clocks, as ThreadSanitizer does it: a thread
 * knows up to which moment it has seen each other thread's doings. An atomic
 * operation that releases leaves this knowledge with its word, one that
 * acquires takes it from there. Two accesses of which one writes and which are
 * not both atomic have to be known to each other. That free() counts as a write
 * finds uses after free that happen only in another interleaving.
 */
#include "checker.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    ARENA = 1 << 20,
    CELL = 4, /* bytes whose accesses are noted together */
    CELLS = ARENA / CELL,
    REDZONE = 16,
    WORDS = 1 << 12
};

enum { PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE, ACCESSES };
enum { NONE, USED, FREED };

/* The last access of each kind by each thread. */
struct cell {
    uint32_t round; /* of an earlier one nothing counts any more */
    uint32_t users; /* a bit for each thread that was here */
    uint32_t moment[ACCESSES][MODEL_THREADS];
    uint8_t bytes[ACCESSES][MODEL_THREADS];
};

struct clock {
    uint32_t of[MODEL_THREADS];
};

/* A word that atomic operations use. */
struct word {
    uintptr_t address;
    uint32_t round;
    struct clock left; /* by those who released, in this round */
    uint8_t readers, writers;
    bool shared, will_be_shared;
};

static _Alignas(64) char arena[ARENA];
static uint8_t states[CELLS];
static struct cell cells[CELLS];
static size_t used, blocks;
static uint32_t current_round;

static struct clock clocks[MODEL_THREADS];
static struct word words[WORDS];
static size_t words_used;
static bool news;

uintptr_t model_watched;

static bool in_arena(uintptr_t address)
{
    return address - (uintptr_t)arena < ARENA;
}

static size_t cell_of(uintptr_t address)
{
    return (address - (uintptr_t)arena) / CELL;
}

/* ---- blocks */

/* Stands before each block. */
struct head {
    size_t bytes;
    size_t unused;
};

void model_memory_reset(void)
{
    memset(states, NONE, used / CELL);
    used = blocks = 0;
    current_round++;
    memset(clocks, 0, sizeof clocks);
    for (int i = 0; i < MODEL_THREADS; i++)
        clocks[i].of[i] = 1;
}

void *model_alloc(size_t bytes)
{
    size_t whole = (bytes + REDZONE - 1) / REDZONE * REDZONE + REDZONE;
    if (used + sizeof(struct head) + whole > ARENA)
        model_fail(__FILE__, __LINE__, "the arena is too small");
    struct head *head = (struct head *)(void *)(arena + used);
    head->bytes = bytes;
    memset(states + cell_of((uintptr_t)(head + 1)), USED,
           (bytes + CELL - 1) / CELL);
    used += sizeof *head + whole;
    blocks++;
    return head + 1;
}

void model_free(void *block, const void *pc)
{
    if (!block) return;
    uintptr_t address = (uintptr_t)block;
    struct head *head = (struct head *)block - 1;
    if (!in_arena(address) || states[cell_of(address)] != USED)
        model_fault("freed twice, or never allocated", address, pc);
    model_access(address, head->bytes, true, false, pc);
    memset(block, 0xdd, head->bytes);
    memset(states + cell_of(address), FREED, (head->bytes + CELL - 1) / CELL);
    blocks--;
}

void *model_new(size_t bytes)
{
    void *block = model_alloc(bytes);
    memset(block, 0, bytes);
    return block;
}

void model_delete(void *block)
{
    model_free(block, __builtin_return_address(0));
}

size_t model_blocks(void) { return blocks; }

/* ---- races */

/* For each kind of access those that it must not meet: of two one writes, and
 * not both are atomic. */
static const bool conflicts[ACCESSES][ACCESSES] = {
    [PLAIN_READ] = {[PLAIN_WRITE] = true, [ATOMIC_WRITE] = true},
    [PLAIN_WRITE] = {true, true, true, true},
    [ATOMIC_READ] = {[PLAIN_WRITE] = true},
    [ATOMIC_WRITE] = {[PLAIN_READ] = true, [PLAIN_WRITE] = true}};

_Noreturn static void race(int other, uintptr_t address, const void *pc)
{
    char line[80];
    snprintf(line, sizeof line, "threads %d and %d: ", other, model_current);
    model_say(line);
    model_fault("data race", address, pc);
}

static void check_used(size_t index, uintptr_t address, const void *pc)
{
    if (states[index] == USED) return;
    model_fault(states[index] == FREED ? "use of freed memory"
                                       : "use of no block's memory",
                address, pc);
}

static void access_cell(size_t index, uint8_t bytes, int kind,
                        uintptr_t address, const void *pc)
{
    check_used(index, address, pc);
    int me = model_current;
    struct cell *cell = &cells[index];
    if (cell->round != current_round) {
        memset(cell, 0, sizeof *cell);
        cell->round = current_round;
    }
    const struct clock *mine = &clocks[me];
    uint32_t now = mine->of[me];
    if (cell->moment[kind][me] == now) {
        if ((cell->bytes[kind][me] & bytes) == bytes) return;
    } else {
        cell->bytes[kind][me] = 0;
    }
    cell->users |= 1u << me;
    bool alone = cell->users == 1u << me;
    for (int i = 0; !alone && i < ACCESSES; i++) {
        if (!conflicts[kind][i]) continue;
        for (int other = 1; other < MODEL_THREADS; other++)
            if (cell->moment[i][other] > mine->of[other] && other != me &&
                cell->bytes[i][other] & bytes)
                race(other, address, pc);
    }
    cell->moment[kind][me] = now;
    cell->bytes[kind][me] |= bytes;
}

void model_access(uintptr_t address, size_t bytes, bool write, bool atomic,
                  const void *pc)
{
    if (model_current < 0 || bytes == 0) return;
    if (!in_arena(address)) {
        if (address < 4096) model_fault("use of NULL", address, pc);
        return;
    }
    if (!atomic && model_watched - address < bytes)
        model_log_plain(address, bytes, write, pc);
    uintptr_t end = address + bytes;
    if (model_current == 0) { /* runs before all others, or after them */
        check_used(cell_of(address), address, pc);
        check_used(cell_of(end - 1), address, pc);
        return;
    }
    int kind = (atomic ? ATOMIC_READ : PLAIN_READ) + write;
    for (uintptr_t at = address; at < end;) {
        uintptr_t next = (at / CELL + 1) * CELL;
        if (next > end) next = end;
        unsigned mask = (1u << (next - at)) - 1;
        access_cell(cell_of(at), (uint8_t)(mask << at % CELL), kind, address,
                    pc);
        at = next;
    }
}

/* ---- clocks */

static void learn(struct clock *to, const struct clock *from)
{
    for (int i = 0; i < MODEL_THREADS; i++)
        if (to->of[i] < from->of[i]) to->of[i] = from->of[i];
}

void model_clock_fork(int from, int to)
{
    learn(&clocks[to], &clocks[from]);
    clocks[from].of[from]++;
}

void model_clock_join(int from, int to) { learn(&clocks[to], &clocks[from]); }

static struct word *word_at(uintptr_t address)
{
    size_t i = (size_t)(address >> 2) * 2654435761u % WORDS;
    while (words[i].address != address) {
        if (!words[i].address) {
            if (++words_used == WORDS)
                model_fail(__FILE__, __LINE__, "too many atomic words");
            words[i].address = address;
            break;
        }
        i = (i + 1) % WORDS;
    }
    if (words[i].round != current_round) {
        words[i].round = current_round;
        memset(&words[i].left, 0, sizeof words[i].left);
    }
    return &words[i];
}

void model_acquire(uintptr_t address, int order)
{
    if (order == __ATOMIC_RELAXED || order == __ATOMIC_RELEASE) return;
    learn(&clocks[model_current], &word_at(address)->left);
}

void model_release(uintptr_t address, int order, bool read_too)
{
    struct word *word = word_at(address);
    struct clock *mine = &clocks[model_current];
    bool releases = order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
                    order == __ATOMIC_SEQ_CST;
    /* A read-modify-write goes on with what was left before. */
    if (!read_too) memset(&word->left, 0, sizeof word->left);
    if (!releases) return;
    learn(&word->left, mine);
    mine->of[model_current]++;
}

/* ---- words */

bool model_shared(uintptr_t address, bool write)
{
    struct word *word = word_at(address);
    uint8_t me = (uint8_t)(1u << model_current);
    word->readers |= me;
    if (write) word->writers |= me;
    bool alone = (word->readers & (word->readers - 1)) == 0;
    if (!alone && word->writers && !word->will_be_shared)
        word->will_be_shared = news = true;
    return word->shared;
}

void model_words_forget(void)
{
    memset(words, 0, sizeof words);
    words_used = 0;
    news = false;
}

bool model_words_promote(void)
{
    if (!news) return false;
    news = false;
    for (size_t i = 0; i < WORDS; i++)
        words[i].shared = words[i].will_be_shared;
    return true;
}
