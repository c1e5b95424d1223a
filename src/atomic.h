/* atomic.h: C11 atomics under names that carry the memory order.
 *
 * SPDX-License-Identifier: MIT
 *
 * The order is part of every call, so that a reader sees it where it matters;
 * the comment at the call says what it pairs with. On WebAssembly every atomic
 * access is sequentially consistent whatever is asked for, and a store costs
 * as much as an exchange: hot paths there count stores, too.
 */
#ifndef CW_ATOMIC_H
#define CW_ATOMIC_H

#include <stdatomic.h>

/* Relaxed accesses are for words that one thread writes and others only look
 * at, such as counters. There WebAssembly's plain aligned accesses are enough
 * (they do not tear), and they are many times cheaper than its atomic ones. */
#ifdef __wasm__
#    define cw_load_relaxed(p)                                                 \
        (*(volatile __typeof__(atomic_load(p)) *)(void *)(p))
#    define cw_store_relaxed(p, v) ((void)(cw_load_relaxed(p) = (v)))
#else
#    define cw_load_relaxed(p) atomic_load_explicit((p), memory_order_relaxed)
#    define cw_store_relaxed(p, v)                                             \
        atomic_store_explicit((p), (v), memory_order_relaxed)
#endif
#define cw_load_acquire(p) atomic_load_explicit((p), memory_order_acquire)
#define cw_load_seq_cst(p) atomic_load_explicit((p), memory_order_seq_cst)

#define cw_store_release(p, v)                                                 \
    atomic_store_explicit((p), (v), memory_order_release)
#define cw_store_seq_cst(p, v)                                                 \
    atomic_store_explicit((p), (v), memory_order_seq_cst)

#define cw_swap_acquire(p, v)                                                  \
    atomic_exchange_explicit((p), (v), memory_order_acquire)
#define cw_swap_seq_cst(p, v)                                                  \
    atomic_exchange_explicit((p), (v), memory_order_seq_cst)

/* Weak compare-and-swap: only in loops. On failure `*expected` is reloaded. */
#define cw_cas_weak_acquire(p, expected, v)                                    \
    atomic_compare_exchange_weak_explicit(                                     \
        (p), (expected), (v), memory_order_acquire, memory_order_relaxed)
#define cw_cas_weak_acq_rel(p, expected, v)                                    \
    atomic_compare_exchange_weak_explicit(                                     \
        (p), (expected), (v), memory_order_acq_rel, memory_order_acquire)
#define cw_cas_weak_seq_cst(p, expected, v)                                    \
    atomic_compare_exchange_weak_explicit(                                     \
        (p), (expected), (v), memory_order_seq_cst, memory_order_seq_cst)
#define cw_cas_acq_rel(p, expected, v)                                         \
    atomic_compare_exchange_strong_explicit(                                   \
        (p), (expected), (v), memory_order_acq_rel, memory_order_acquire)
#define cw_cas_seq_cst(p, expected, v)                                         \
    atomic_compare_exchange_strong_explicit(                                   \
        (p), (expected), (v), memory_order_seq_cst, memory_order_seq_cst)

#define cw_add_relaxed(p, v)                                                   \
    atomic_fetch_add_explicit((p), (v), memory_order_relaxed)
#define cw_add_acq_rel(p, v)                                                   \
    atomic_fetch_add_explicit((p), (v), memory_order_acq_rel)
#define cw_add_seq_cst(p, v)                                                   \
    atomic_fetch_add_explicit((p), (v), memory_order_seq_cst)
#define cw_sub_acq_rel(p, v)                                                   \
    atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel)
#define cw_sub_seq_cst(p, v)                                                   \
    atomic_fetch_sub_explicit((p), (v), memory_order_seq_cst)
#define cw_or_seq_cst(p, v)                                                    \
    atomic_fetch_or_explicit((p), (v), memory_order_seq_cst)
#define cw_and_seq_cst(p, v)                                                   \
    atomic_fetch_and_explicit((p), (v), memory_order_seq_cst)

#endif /* CW_ATOMIC_H */
