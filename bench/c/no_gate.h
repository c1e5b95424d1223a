/* no_gate.h: the core without the kill gate, to measure what that costs.
 *
 * SPDX-License-Identifier: MIT
 *
 * Included in front of each file of the core, see `make bench-gate`: the gate
 * is neither opened nor closed any more. Nothing may be killed in such a build.
 */
#define _GNU_SOURCE /* as files that include this after it */
#include "kill_gate.h"

#define cw__user_begin(self) ((void)(self))
#define cw__user_ends(self)  ((void)(self), true)
#define cw__user_end(self)   ((void)(self))
#define cw__is_special(self, job)                                              \
    ((void)(self), ((job)->flags & CW__JOB_WATCHED) != 0)
#undef CW__RUNTIME
#define CW__RUNTIME                                                            \
    cw__worker *const cw__entered __attribute__((unused)) = cw__self
