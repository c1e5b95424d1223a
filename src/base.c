/* base.c: how the core stops when an invariant does not hold.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base.h"

#include "platform.h"
#include "text.h"

#include <stdlib.h>

void cw__panic(const char *message, const char *file, int line)
{
    char buffer[256];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "coworker: ");
    cw__text_add(&text, message);
    cw__text_add(&text, " (");
    cw__text_add(&text, file);
    cw__text_add(&text, " ");
    cw__text_add_number(&text, (unsigned)line);
    cw__text_add(&text, ")");
    cw__log_line(buffer);
    abort();
}
