/* selects.h: select for JavaScript.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_SELECTS_H
#define CWB_SELECTS_H

#include "channels.h"

/* The clauses of one select. */
typedef struct cwb_select cwb_select;

/* What a select gives. */
typedef struct cwb_selected {
    cwb_received received; /* first; if the clause receives */
    uint32_t which;        /* the clause that has won */
} cwb_selected;

void cwb_select_drop(cwb_select *select);

#endif /* CWB_SELECTS_H */
