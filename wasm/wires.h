/* wires.h: frames for other pages, as JavaScript reads and writes them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_WIRES_H
#define CWB_WIRES_H

#include "wire.h"

/* One end of a connection; web/wire.ts reads it where layout.c says. */
typedef struct cwb_wire {
    cw__wire_frame frame; /* that cwb_wire_next() found */
    cw__wire_link link;
    cw__wire_reader reader;
    cw__wire_batch out;
    uint8_t *in; /* the batch that came */
    uint32_t in_room;
    uint8_t answer[CW__WIRE_ANSWER];
} cwb_wire;

#endif /* CWB_WIRES_H */
