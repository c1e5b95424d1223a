/* hash_tree.c: the part of hash-tree that computes, called as a job.
 *
 * SPDX-License-Identifier: MIT
 *
 * A worker's JavaScript reads files straight into a batch, one behind the
 * other, and then starts hash_pieces() as a child of its own job. A file that
 * is longer than the room goes on in the next filling of the same batch; that
 * is how files larger than the memory are hashed.
 */
#include "coworker.h"
#include "sha256.h"

#include <stdatomic.h>

enum { PIECES = 64, FIRST = 1, LAST = 2 };
/* So many bytes, about a fifth of a millisecond, and then a look at whether
 * the job is cancelled. */
enum { STRIDE = 64 * 1024 };

/* A file or a part of one. batch.js fills in all but the digest. */
typedef struct piece {
    uint32_t offset; /* in the batch's data */
    uint32_t length;
    uint32_t flags; /* FIRST piece of its file, LAST one, or both */
    uint32_t unused;
    uint8_t digest[SHA256_DIGEST]; /* after the LAST one */
} piece;

/* The head of a batch, in shared memory; its data follow. */
typedef struct batch {
    uint32_t count;          /* pieces that are filled in */
    uint32_t bytes;          /* of the data */
    _Atomic uint64_t hashed; /* ever: the progress bar adds them up */
    sha256 hash;             /* of a file that goes on in the next filling */
    piece pieces[PIECES];
} batch;

/* batch.js knows these. */
_Static_assert(offsetof(batch, hashed) == 8, "layout");
_Static_assert(offsetof(batch, pieces) == 120, "layout");
_Static_assert(offsetof(piece, digest) == 16, "layout");
_Static_assert(sizeof(batch) == 120 + PIECES * 48, "layout");

CW_FUNCTION(hash_pieces, void *, cw_none)
{
    batch *self = *arg;
    const uint8_t *data = (const uint8_t *)(self + 1);
    if (self->count > PIECES) return cw_fail(CW_EINVAL, "too many pieces");
    for (uint32_t i = 0; i < self->count; i++) {
        piece *at = &self->pieces[i];
        if (at->offset > self->bytes || at->length > self->bytes - at->offset)
            return cw_fail(CW_EINVAL, "a piece lies outside of its batch");
        if (at->flags & FIRST) sha256_init(&self->hash);
        for (uint32_t done = 0, n; done < at->length; done += n) {
            if (cw_is_stopped()) return CW_ECANCELED;
            n = at->length - done < STRIDE ? at->length - done : STRIDE;
            sha256_update(&self->hash, data + at->offset + done, n);
            atomic_fetch_add_explicit(&self->hashed, n, memory_order_relaxed);
        }
        if (at->flags & LAST) sha256_final(&self->hash, at->digest);
    }
    return CW_OK;
}
CW_EXPORT(hash_pieces)
