/* thread.c: the ends of workers' threads. Not in modules without threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include <pthread.h>

/* After CW__RUN_END: ends this worker's thread. Does not return. */
void cwb_thread_end(void)
{
    cw__worker_thread_end(cw__self);
    cwb_realm = NULL; /* what bodies have left behind may still come */
    pthread_exit(NULL);
}
