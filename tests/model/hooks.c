/* hooks.c: what compilers call with -fsanitize=thread, in our way.
 *
 * SPDX-License-Identifier: MIT
 *
 * The names and signatures are those of ThreadSanitizer's run-time library,
 * tsan_interface.h and tsan_interface_atomic.h; gcc and clang agree on them.
 */
#include "checker.h"

#include <string.h>

#define PC __builtin_return_address(0)

/* ---- atomic operations */

static uint64_t read_word(const struct model_op *op)
{
    const void *at = (const void *)op->address;
    uint64_t value = 0;
    if (op->size == 1)
        value = *(const volatile uint8_t *)at;
    else if (op->size == 2)
        value = *(const volatile uint16_t *)at;
    else if (op->size == 4)
        value = *(const volatile uint32_t *)at;
    else
        value = *(const volatile uint64_t *)at;
    return value;
}

static void write_word(const struct model_op *op, uint64_t value)
{
    void *at = (void *)op->address;
    if (op->size == 1)
        *(volatile uint8_t *)at = (uint8_t)value;
    else if (op->size == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else if (op->size == 4)
        *(volatile uint32_t *)at = (uint32_t)value;
    else
        *(volatile uint64_t *)at = value;
}

/* What is in the word after the operation. */
static uint64_t result(const struct model_op *op)
{
    switch (op->kind) {
    case MODEL_ADD:
        return op->now + op->value;
    case MODEL_SUB:
        return op->now - op->value;
    case MODEL_AND:
        return op->now & op->value;
    case MODEL_OR:
        return op->now | op->value;
    default:
        return op->value;
    }
}

/* Does it; returns what was there before. `*failed` is set if it was a CAS that
 * did not find what it expects. */
static uint64_t run(struct model_op *op, int failure_order, bool *failed)
{
    if (model_exploring && model_shared(op->address, op->kind != MODEL_LOAD))
        model_point();
    op->thread = model_current;
    model_access(op->address, op->size, op->kind != MODEL_LOAD, true, op->pc);
    op->now = read_word(op);
    enum model_change change = model_mutate(op);
    if (op->kind == MODEL_CAS) {
        if (change == MODEL_SKIP) return op->now;
        if (change != MODEL_FORCE && op->now != op->expected) {
            *failed = true;
            model_acquire(op->address, failure_order);
            model_log(op, op->now);
            return op->now;
        }
    }
    uint64_t before = op->now, after = op->now;
    if (op->kind != MODEL_STORE) model_acquire(op->address, op->order);
    if (op->kind == MODEL_LOAD) {
        if (change == MODEL_FORCE) before = op->value;
    } else if (change != MODEL_SKIP) {
        model_release(op->address, op->order, op->kind != MODEL_STORE);
        after = result(op);
        write_word(op, after);
        model_wrote();
    }
    model_log(op, after);
    return before;
}

#define OP(KIND, TYPE, VALUE, EXPECTED, ORDER)                                 \
    {                                                                          \
        .kind = KIND, .address = (uintptr_t)at, .size = sizeof(TYPE),          \
        .value = (uint64_t)(VALUE), .expected = (uint64_t)(EXPECTED),          \
        .order = ORDER, .pc = PC                                               \
    }

#define CHANGE(BITS, NAME, KIND)                                               \
    uint##BITS##_t __tsan_atomic##BITS##_##NAME(                               \
        volatile uint##BITS##_t *at, uint##BITS##_t value, int order);         \
    uint##BITS##_t __tsan_atomic##BITS##_##NAME(                               \
        volatile uint##BITS##_t *at, uint##BITS##_t value, int order)          \
    {                                                                          \
        struct model_op op = OP(KIND, *at, value, 0, order);                   \
        return (uint##BITS##_t)run(&op, 0, NULL);                              \
    }

#define COMPARE(BITS, NAME)                                                    \
    int __tsan_atomic##BITS##_compare_exchange_##NAME(                         \
        volatile uint##BITS##_t *at, uint##BITS##_t *expected,                 \
        uint##BITS##_t value, int order, int failure_order);                   \
    int __tsan_atomic##BITS##_compare_exchange_##NAME(                         \
        volatile uint##BITS##_t *at, uint##BITS##_t *expected,                 \
        uint##BITS##_t value, int order, int failure_order)                    \
    {                                                                          \
        struct model_op op = OP(MODEL_CAS, *at, value, *expected, order);      \
        bool failed = false;                                                   \
        uint64_t before = run(&op, failure_order, &failed);                    \
        if (failed) *expected = (uint##BITS##_t)before;                        \
        return !failed;                                                        \
    }

/* What clang calls: the value is returned, not whether it was the expected. */
#define COMPARE_VALUE(BITS)                                                    \
    uint##BITS##_t __tsan_atomic##BITS##_compare_exchange_val(                 \
        volatile uint##BITS##_t *at, uint##BITS##_t expected,                  \
        uint##BITS##_t value, int order, int failure_order);                   \
    uint##BITS##_t __tsan_atomic##BITS##_compare_exchange_val(                 \
        volatile uint##BITS##_t *at, uint##BITS##_t expected,                  \
        uint##BITS##_t value, int order, int failure_order)                    \
    {                                                                          \
        struct model_op op = OP(MODEL_CAS, *at, value, expected, order);       \
        bool failed = false;                                                   \
        uint64_t before = run(&op, failure_order, &failed);                    \
        return failed ? (uint##BITS##_t)before : expected;                     \
    }

#define ATOMICS(BITS)                                                          \
    uint##BITS##_t __tsan_atomic##BITS##_load(                                 \
        const volatile uint##BITS##_t *at, int order);                         \
    uint##BITS##_t __tsan_atomic##BITS##_load(                                 \
        const volatile uint##BITS##_t *at, int order)                          \
    {                                                                          \
        struct model_op op = OP(MODEL_LOAD, *at, 0, 0, order);                 \
        return (uint##BITS##_t)run(&op, 0, NULL);                              \
    }                                                                          \
    void __tsan_atomic##BITS##_store(volatile uint##BITS##_t *at,              \
                                     uint##BITS##_t value, int order);         \
    void __tsan_atomic##BITS##_store(volatile uint##BITS##_t *at,              \
                                     uint##BITS##_t value, int order)          \
    {                                                                          \
        struct model_op op = OP(MODEL_STORE, *at, value, 0, order);            \
        run(&op, 0, NULL);                                                     \
    }                                                                          \
    CHANGE(BITS, exchange, MODEL_SWAP)                                         \
    CHANGE(BITS, fetch_add, MODEL_ADD)                                         \
    CHANGE(BITS, fetch_sub, MODEL_SUB)                                         \
    CHANGE(BITS, fetch_and, MODEL_AND)                                         \
    CHANGE(BITS, fetch_or, MODEL_OR)                                           \
    COMPARE(BITS, strong)                                                      \
    COMPARE(BITS, weak)                                                        \
    COMPARE_VALUE(BITS)

ATOMICS(8)
ATOMICS(16)
ATOMICS(32)
ATOMICS(64)

/* ---- plain accesses */

#define ACCESS(NAME, BYTES, WRITE)                                             \
    void NAME(void *at);                                                       \
    void NAME(void *at)                                                        \
    {                                                                          \
        model_access((uintptr_t)at, BYTES, WRITE, false, PC);                  \
    }

#define ACCESSES(BYTES)                                                        \
    ACCESS(__tsan_read##BYTES, BYTES, false)                                   \
    ACCESS(__tsan_write##BYTES, BYTES, true)                                   \
    ACCESS(__tsan_read_write##BYTES, BYTES, true)                              \
    ACCESS(__tsan_unaligned_read##BYTES, BYTES, false)                         \
    ACCESS(__tsan_unaligned_write##BYTES, BYTES, true)

ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

#define RANGE(NAME, WRITE)                                                     \
    void NAME(void *at, size_t bytes);                                         \
    void NAME(void *at, size_t bytes)                                          \
    {                                                                          \
        model_access((uintptr_t)at, bytes, WRITE, false, PC);                  \
    }

RANGE(__tsan_read_range, false)
RANGE(__tsan_write_range, true)

/* Calls of these, from the core, are bent to here by the linker (gcc) or by the
 * compiler (clang). */
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
    model_access((uintptr_t)from, bytes, false, false, PC);
    model_access((uintptr_t)to, bytes, true, false, PC);
    return memmove(to, from, bytes);
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    model_access((uintptr_t)from, bytes, false, false, PC);
    model_access((uintptr_t)to, bytes, true, false, PC);
    return memmove(to, from, bytes);
}

void *__real_memset(void *at, int byte, size_t bytes);
void *__wrap_memset(void *at, int byte, size_t bytes);
void *__wrap_memset(void *at, int byte, size_t bytes)
{
    model_access((uintptr_t)at, bytes, true, false, PC);
    return __real_memset(at, byte, bytes);
}

void *__tsan_memset(void *at, int byte, size_t bytes);
void *__tsan_memset(void *at, int byte, size_t bytes)
{
    model_access((uintptr_t)at, bytes, true, false, PC);
    return __real_memset(at, byte, bytes);
}

/* ---- the rest */

void __tsan_init(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc) { (void)pc; }
void __tsan_func_exit(void);
void __tsan_func_exit(void) {}
