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

static inline cw__text cw__text_begin(char *buffer, size_t size)
{
    *buffer = 0;
    return (cw__text){buffer, size};
}

/* Appends what fits; the buffer always ends with a zero. */
static inline void cw__text_add(cw__text *text, const char *more)
{
    while (text->room > 1 && *more) {
        *text->at++ = *more++;
        text->room--;
    }
    *text->at = 0;
}

static inline void cw__text_add_number(cw__text *text, unsigned number)
{
    char digits[12], *first = digits + sizeof digits - 1;
    *first = 0;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    cw__text_add(text, first);
}

#endif /* CW_TEXT_H */
