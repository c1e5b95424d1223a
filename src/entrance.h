/* entrance.h: a limit for how many jobs may wait in a context.
 *
 * SPDX-License-Identifier: MIT
 *
 * What is launched from outside of the context takes one of so many places and
 * gives it back when its body begins. What jobs of the context launch there
 * takes none: whoever waits for its own children would else wait for ever. So a
 * place is free again as soon as a worker is.
 *
 * A job that has to wait for a place is new, like a lazy one, and stands in
 * line at the entrance, which holds a reference. Places go straight to that
 * line; so while somebody stands there none is free. The line is ranked.
 */
#ifndef CW_ENTRANCE_H
#define CW_ENTRANCE_H

#include "context.h"

/* How a job comes in. */
enum cw__entry {
    CW__FREE_ENTRY, /* needs no place */
    CW__HAS_PLACE,  /* has one, or will ... */
    CW__IN_LINE,    /* ... stand in line for one, ... */
    CW__LATER       /* ... once somebody starts it */
};

struct cw__entrance {
    uint32_t max; /* fixed, as this: */
    cw_when_full when_full;
    cw__lock lock; /* guards what follows */
    uint32_t taken;
    bool open; /* the context closes: there is no limit any more */
    struct {
        cw_job *first, *last; /* linked by their bookings; hold references */
    } lines[CW__RANKS];
    cw__turns turns;
};

/* How what `scope` (NULL: nobody there) launches on the context is to come in;
 * it has a place when this says so. `when_full`: enum cw_when_full, -1: as the
 * context says. CW_OK or CW_EQUEUEFULL. */
int cw__entrance_ask(cw_context *context, const cw_job *scope, int when_full,
                     cw_start how, enum cw__entry *entry);
/* What was given with CW__HAS_PLACE is not used. */
void cw__entrance_give_back(cw_context *context);

/* A job, which is new, comes in, or stands in line from now on. */
void cw__entrance_enter(cw_job *job);

/* Lets in all that wait, and from now on everybody. */
void cw__entrance_open(cw_context *context);

#endif /* CW_ENTRANCE_H */
