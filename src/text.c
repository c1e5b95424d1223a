/* text.c: short texts, put together in a fixed buffer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "text.h"

cw__text cw__text_begin(char *buffer, size_t size)
{
    *buffer = 0;
    return (cw__text){buffer, size};
}

void cw__text_add(cw__text *text, const char *more)
{
    while (text->room > 1 && *more) {
        *text->at++ = *more++;
        text->room--;
    }
    *text->at = 0;
}

void cw__text_add_number(cw__text *text, unsigned number)
{
    char digits[12], *first = digits + sizeof digits - 1;
    *first = 0;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    cw__text_add(text, first);
}
