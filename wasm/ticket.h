/* ticket.h: what is kept for a job that JavaScript launched, and its data.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CWB_TICKET_H
#define CWB_TICKET_H

#include "bridge.h"

/* Bodies in JavaScript. */
extern const cw_coroutine cwb_javascript;

/* What a job of that type takes behind its frame, with room for so many bytes
 * of data; and its ticket there, which is all zeros but for the room. */
uint32_t cwb_ticket_bytes(const cw_coroutine *type, uint32_t capacity);
cwb_ticket *cwb_ticket_init(cw_job *job, uint32_t capacity);

/* Copies data there, or into a block of their own: false without memory. */
bool cwb_ticket_set(cwb_ticket *ticket, const void *data, uint32_t length,
                    bool refers);
void cwb_ticket_clear(cwb_ticket *ticket);
/* How long the data are without what C alone reads. */
uint32_t cwb_ticket_values(const cwb_ticket *ticket);

#endif /* CWB_TICKET_H */
