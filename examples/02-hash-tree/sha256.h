/* sha256.h: the hash function SHA-256 of FIPS 180-4, for data that come in
 * pieces.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK = 64, SHA256_DIGEST = 32 };

/* A hash under way. It may be copied. */
typedef struct sha256 {
    uint32_t state[8];
    uint64_t length;             /* bytes so far */
    uint8_t block[SHA256_BLOCK]; /* the last length % 64 of them */
} sha256;

void sha256_init(sha256 *hash);
void sha256_update(sha256 *hash, const void *data, size_t length);
/* Leaves nothing to go on with but sha256_init(). */
void sha256_final(sha256 *hash, uint8_t digest[SHA256_DIGEST]);

#endif /* SHA256_H */
