/* worker_scope.h: coroutines that are bound to one worker.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_WORKER_SCOPE_H
#define CW_WORKER_SCOPE_H

#include "lost.h"
#include "worker.h"

/* The worker's thread is lost: so is all that is in its scope. By who acts as
 * that worker. */
void cw__worker_scope_lost(cw__worker *worker, const cw__loss *loss);
/* Nobody can launch anything in it any more. */
void cw__worker_scope_end(cw__worker *worker);

#endif /* CW_WORKER_SCOPE_H */
