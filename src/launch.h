/* launch.h: the steps of a launch, for the host's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CW_LAUNCH_H
#define CW_LAUNCH_H

#include "job.h"
#include "worker.h"

/* Gives a new job, to be launched in `scope` (or NULL), elements of its own if
 * `given` adds any, or if it does not inherit those of `scope`, which it does
 * as its child. False without memory. */
bool cw__job_set_elements(cw_job *job, const cw_job *scope,
                          const cw_elements *given, bool inherits);

/* A new job waits for somebody to start it; before it is attached. */
void cw__job_make_lazy(cw_job *job);

/* Runs the job up to where it first waits, inside of what the worker does at
 * the moment: user code, which has just called for it. */
void cw__job_run_in_place(cw__worker *self, cw_job *job);

#endif /* CW_LAUNCH_H */
