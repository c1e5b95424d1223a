/* trace.h: what workers did lately, for drawings and debugging.
 *
 * SPDX-License-Identifier: MIT
 *
 * Off by default: then it costs one test of a flag per event. When on, each
 * worker writes events into its own ring, from which anybody may copy. A copy
 * may contain events that were overwritten meanwhile; readers drop those whose
 * number does not fit.
 */
#ifndef CW_TRACE_H
#define CW_TRACE_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>

enum cw__trace_kind {
    CW__TRACE_BEGIN = 1, /* a step begins; what: the coroutine's descriptor */
    CW__TRACE_END,       /* the step is over */
    CW__TRACE_STEAL,     /* took work from a worker; what: its index */
    CW__TRACE_PARK,      /* goes to sleep */
    CW__TRACE_UNPARK     /* was woken */
};

typedef struct cw__trace_event {
    double time_ms; /* the platform's clock */
    uint32_t kind;
    uint32_t what;
} cw__trace_event;

enum { CW__TRACE_EVENTS = 2048 };

typedef struct cw__trace {
    cw__trace_event *events; /* NULL: off */
    _Atomic uint32_t next;   /* number of the next event */
} cw__trace;

void cw__trace_write(cw__trace *trace, enum cw__trace_kind kind, uint32_t what);

static inline void cw__traced(cw__trace *trace, enum cw__trace_kind kind,
                              uintptr_t what)
{
    if (__builtin_expect(trace->events != 0, 0))
        cw__trace_write(trace, kind, (uint32_t)what);
}

#endif /* CW_TRACE_H */
