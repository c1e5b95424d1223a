/* base.c: how the core stops when an invariant does not hold.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base.h"

#include "platform.h"

#include <stdio.h>
#include <stdlib.h>

void cw__panic(const char *message, const char *file, int line)
{
    char text[256];
    snprintf(text, sizeof text, "coworker: %s (%s %d)", message, file, line);
    cw__log_line(text);
    abort();
}
