/* closing.h: when closing a context goes on to cancelling, and to killing.
 *
 * SPDX-License-Identifier: MIT
 *
 * A context that is closed within limits has a coroutine that keeps the times:
 * where nothing can hold it up, see cw__find_keeper(). It ends with the
 * context, or after the last of the times.
 */
#ifndef CW_CLOSING_H
#define CW_CLOSING_H

#include "context.h"

/* The context has ended, or somebody else looks after it from here on. */
void cw__closing_over(cw_context *context);
void cw__closing_free(cw_context *context);

#endif /* CW_CLOSING_H */
