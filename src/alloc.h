/* alloc.h: memory for jobs, frames and errors.
 *
 * SPDX-License-Identifier: MIT
 *
 * Blocks come in size classes from caches of the calling thread, so that the
 * usual allocation takes no lock and no atomic operation. Threads exchange
 * whole batches of free blocks through a depot: a worker that frees what
 * another one allocates gives the batches back that way. Larger blocks come
 * from malloc().
 */
#ifndef CW_ALLOC_H
#define CW_ALLOC_H

#include <stddef.h>

/* Uninitialized memory, aligned as malloc()'s; NULL if there is none. */
void *cw__alloc(size_t bytes);
/* `bytes` is what the block was asked with. */
void cw__free(void *block, size_t bytes);

/* Hands the calling thread's free blocks to the depot; before a thread ends. */
void cw__alloc_flush(void);

/* The calling thread's free blocks, as others may inherit them ... */
void *cw__alloc_blocks(void);
/* ... when it is dead, and was not in here when it died: hands them to the
 * depot. NULL is allowed. */
void cw__alloc_inherit(void *blocks);

#endif /* CW_ALLOC_H */
