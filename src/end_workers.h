/* end_workers.h: the end of a closed context whose workers do not come.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_END_WORKERS_H
#define CW_END_WORKERS_H

#include "context.h"

/* Ends the threads of all workers of a closed and cancelled context that are in
 * user code, as far as that can be done now, and nobody takes their places.
 * When none is left, also what stands in queues there. By the keeper, again and
 * again, the last time with `gives_up`: then those who wait for the context
 * need not wait any more. True: it is over. */
bool cw__end_workers(cw_context *context, bool gives_up);

#endif /* CW_END_WORKERS_H */
