/* sha256.c: see sha256.h. The names are those of FIPS 180-4.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sha256.h"

#include <string.h>

/* Section 4.2.2 */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static inline uint32_t load_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

static inline void store_be32(uint8_t *at, uint32_t x)
{
    at[0] = (uint8_t)(x >> 24);
    at[1] = (uint8_t)(x >> 16);
    at[2] = (uint8_t)(x >> 8);
    at[3] = (uint8_t)x;
}

/* Section 4.1.2. Ch and Maj are written with fewer operations than there. */
#define Ch(x, y, z)  ((z) ^ ((x) & ((y) ^ (z))))
#define Maj(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define SIGMA0(x)    (rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22))
#define SIGMA1(x)    (rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25))
#define sigma0(x)    (rotr(x, 7) ^ rotr(x, 18) ^ ((x) >> 3))
#define sigma1(x)    (rotr(x, 17) ^ rotr(x, 19) ^ ((x) >> 10))

/* One step of section 6.2.2, item 3. The variables do not move on; the next
 * round names them in another order. */
#define ROUND(a, b, c, d, e, f, g, h, t)                                       \
    do {                                                                       \
        uint32_t T1 = h + SIGMA1(e) + Ch(e, f, g) + K[t] + W[t];               \
        d += T1;                                                               \
        h = T1 + SIGMA0(a) + Maj(a, b, c);                                     \
    } while (0)

static void compress(uint32_t H[8], const uint8_t *data, size_t blocks)
{
    uint32_t W[64];
    for (; blocks > 0; blocks--, data += SHA256_BLOCK) {
        for (int t = 0; t < 16; t++)
            W[t] = load_be32(data + 4 * t);
        for (int t = 16; t < 64; t++)
            W[t] = sigma1(W[t - 2]) + W[t - 7] + sigma0(W[t - 15]) + W[t - 16];
        uint32_t a = H[0], b = H[1], c = H[2], d = H[3];
        uint32_t e = H[4], f = H[5], g = H[6], h = H[7];
        for (int t = 0; t < 64; t += 8) {
            ROUND(a, b, c, d, e, f, g, h, t);
            ROUND(h, a, b, c, d, e, f, g, t + 1);
            ROUND(g, h, a, b, c, d, e, f, t + 2);
            ROUND(f, g, h, a, b, c, d, e, t + 3);
            ROUND(e, f, g, h, a, b, c, d, t + 4);
            ROUND(d, e, f, g, h, a, b, c, t + 5);
            ROUND(c, d, e, f, g, h, a, b, t + 6);
            ROUND(b, c, d, e, f, g, h, a, t + 7);
        }
        H[0] += a, H[1] += b, H[2] += c, H[3] += d;
        H[4] += e, H[5] += f, H[6] += g, H[7] += h;
    }
}

void sha256_init(sha256 *hash)
{
    /* Section 5.3.3 */
    *hash = (sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(sha256 *hash, const void *data, size_t length)
{
    const uint8_t *at = data;
    size_t used = (size_t)(hash->length % SHA256_BLOCK);
    hash->length += length;
    if (used > 0) {
        size_t room = SHA256_BLOCK - used;
        size_t taken = length < room ? length : room;
        memcpy(hash->block + used, at, taken);
        if (taken < room) return;
        compress(hash->state, hash->block, 1);
        at += taken;
        length -= taken;
    }
    compress(hash->state, at, length / SHA256_BLOCK);
    size_t rest = length % SHA256_BLOCK;
    if (rest > 0) memcpy(hash->block, at + (length - rest), rest);
}

void sha256_final(sha256 *hash, uint8_t digest[SHA256_DIGEST])
{
    /* Section 5.1.1: a one bit, zeros, and the length in bits. */
    uint64_t bits = hash->length * 8;
    size_t used = (size_t)(hash->length % SHA256_BLOCK);
    hash->block[used++] = 0x80;
    if (used > SHA256_BLOCK - 8) {
        memset(hash->block + used, 0, SHA256_BLOCK - used);
        compress(hash->state, hash->block, 1);
        used = 0;
    }
    memset(hash->block + used, 0, SHA256_BLOCK - 8 - used);
    store_be32(hash->block + SHA256_BLOCK - 8, (uint32_t)(bits >> 32));
    store_be32(hash->block + SHA256_BLOCK - 4, (uint32_t)bits);
    compress(hash->state, hash->block, 1);
    for (int i = 0; i < 8; i++)
        store_be32(digest + 4 * i, hash->state[i]);
}
