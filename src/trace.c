/* trace.c: what workers did lately, for drawings and debugging.
 *
 * SPDX-License-Identifier: MIT
 */
#include "trace.h"

#include "platform.h"

void cw__trace_write(cw__trace *trace, enum cw__trace_kind kind, uint32_t what)
{
    uint32_t number = cw_load_relaxed(&trace->next);
    cw__trace_event *event = &trace->events[number % CW__TRACE_EVENTS];
    event->time_ms = (double)cw__now_ns() / 1e6;
    event->kind = (uint32_t)kind;
    event->what = what;
    /* release: a reader that sees the number sees the event */
    cw_store_release(&trace->next, number + 1);
}
