/* text.h: short texts, put together in a fixed buffer.
 *
 * SPDX-License-Identifier: MIT
 *
 * In place of snprintf(), which alone would make the WebAssembly a sixth larger
 * for a name and a few lines of diagnosis.
 */
#ifndef CW_TEXT_H
#define CW_TEXT_H

#include <stddef.h>

typedef struct cw__text {
    char *at;
    size_t room; /* left, with the final zero */
} cw__text;

/* An empty text in `buffer`, of `size` bytes. */
cw__text cw__text_begin(char *buffer, size_t size);
/* Appends what fits; the buffer always ends with a zero. */
void cw__text_add(cw__text *text, const char *more);
void cw__text_add_number(cw__text *text, unsigned number);

#endif /* CW_TEXT_H */
