/* coworker.h: coroutines with structured concurrency on a fixed set of workers.
 *
 * SPDX-License-Identifier: MIT
 *
 * This is the public header; coworker_test.h is a second one, for tests. Its
 * parts: errors, contexts, jobs, elements,
 * coroutines, blocking functions, channels, mutexes and semaphores, select,
 * counters, debugging.
 *
 * A *context* is a fixed set of workers (threads; in a browser each one is a
 * Web Worker). A *job* is one running thing with a place in a tree: it ends
 * only after all its children have ended, a failing child cancels its parent
 * and its siblings, and cancelling a job cancels everything below it. A
 * *coroutine* is a job whose body can suspend without holding a worker.
 *
 * Threads: every function may be called from every thread unless its comment
 * says otherwise. Status codes: 0 (CW_OK) is success, errors are negative.
 * Ownership: "owned" means that the caller must give the reference back with
 * the matching release function; "borrowed" means that it must not.
 */
#ifndef COWORKER_H
#define COWORKER_H

#include "coworker/base.h"
#include "coworker/body.h"
#include "coworker/broadcast.h"
#include "coworker/channel.h"
#include "coworker/context.h"
#include "coworker/continuation.h"
#include "coworker/coroutine.h"
#include "coworker/debug.h"
#include "coworker/elements.h"
#include "coworker/error.h"
#include "coworker/job.h"
#include "coworker/launch.h"
#include "coworker/role.h"
#include "coworker/select.h"
#include "coworker/stats.h"
#include "coworker/sync.h"

#endif /* COWORKER_H */
