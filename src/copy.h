/* copy.h: copying and clearing a few bytes whose number the compiler does not
 * know, such as a coroutine's argument.
 *
 * SPDX-License-Identifier: MIT
 *
 * Of memcpy() and memset() compilers make WebAssembly's instructions for whole
 * blocks, and for those engines call out of the compiled code: for a few words
 * that takes longer than all the rest of an await. The empty instruction in the
 * loops keeps compilers from recognizing them and doing so after all.
 */
#ifndef CW_COPY_H
#define CW_COPY_H

#include <stdint.h>
#include <string.h>

enum { CW__FEW_BYTES = 64 };

#define cw__not_a_block(count) __asm__ volatile("" : "+r"(count))

static inline void cw__copy(void *to, const void *from, size_t bytes)
{
    char *out = to;
    const char *in = from;
    if (bytes > CW__FEW_BYTES) {
        memcpy(out, in, bytes);
        return;
    }
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t)) {
        memcpy(out, in, sizeof(uint64_t));
        out += sizeof(uint64_t);
        in += sizeof(uint64_t);
        cw__not_a_block(bytes);
    }
    if (bytes & sizeof(uint32_t)) {
        memcpy(out, in, sizeof(uint32_t));
        out += sizeof(uint32_t);
        in += sizeof(uint32_t);
    }
    for (bytes %= sizeof(uint32_t); bytes; bytes--) {
        *out++ = *in++;
        cw__not_a_block(bytes);
    }
}

static inline void cw__clear(void *memory, size_t bytes)
{
    char *out = memory;
    if (bytes > CW__FEW_BYTES) {
        memset(out, 0, bytes);
        return;
    }
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t)) {
        memset(out, 0, sizeof(uint64_t));
        out += sizeof(uint64_t);
        cw__not_a_block(bytes);
    }
    if (bytes & sizeof(uint32_t)) {
        memset(out, 0, sizeof(uint32_t));
        out += sizeof(uint32_t);
    }
    for (bytes %= sizeof(uint32_t); bytes; bytes--) {
        *out++ = 0;
        cw__not_a_block(bytes);
    }
}

#endif /* CW_COPY_H */
