/* ticket.c: what is kept for a job that JavaScript launched, and its data.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ticket.h"

#include "alloc.h"
#include "values.h"

#include <string.h>

static uint32_t round_up(uint32_t bytes) { return (bytes + 7) & ~7u; }

/* Where a ticket stands, in bytes from the job: behind its frame. */
static uint32_t ticket_offset(const cw_coroutine *type)
{
    return round_up((uint32_t)sizeof(cw_job) + type->frame_size);
}

cwb_ticket *cwb_ticket_of(cw_job *job)
{
    return (cwb_ticket *)(void *)((char *)job +
                                  ticket_offset(cw__job_type(job)));
}

/* Where data stand, behind the ticket. */
static uint32_t data_offset(const cw_coroutine *type)
{
    return ticket_offset(type) + round_up((uint32_t)sizeof(cwb_ticket));
}

uint32_t cwb_ticket_bytes(const cw_coroutine *type, uint32_t capacity)
{
    return data_offset(type) + capacity - (uint32_t)sizeof(cw_job) -
           type->frame_size;
}

/* The data are either in the room behind the ticket, `capacity` bytes, or in a
 * block of their own. */
static uint8_t *room_of(cwb_ticket *ticket)
{
    return (uint8_t *)ticket + round_up((uint32_t)sizeof *ticket);
}

void cwb_ticket_clear(cwb_ticket *ticket)
{
    if (ticket->refers) cwb_references_drop(ticket->data, ticket->length);
    ticket->refers = 0;
    if (ticket->data != room_of(ticket)) cw__free(ticket->data, ticket->length);
    ticket->data = room_of(ticket);
    ticket->length = 0;
}

bool cwb_ticket_set(cwb_ticket *ticket, const void *data, uint32_t length,
                    bool refers)
{
    cwb_ticket_clear(ticket);
    if (length > ticket->capacity) {
        uint8_t *block = cw__alloc(length);
        if (!block) return false;
        ticket->data = block;
    }
    if (length) memcpy(ticket->data, data, length);
    ticket->length = length;
    ticket->refers = refers;
    if (refers) cwb_references_keep(ticket->data, length);
    return true;
}

uint32_t cwb_ticket_values(const cwb_ticket *ticket)
{
    if (!ticket->refers) return ticket->length;
    return cwb_references_at(ticket->data, ticket->length);
}

cwb_ticket *cwb_ticket_init(cw_job *job, uint32_t capacity)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    memset(ticket, 0, sizeof *ticket);
    ticket->job = job;
    ticket->home = cwb_here;
    ticket->capacity = capacity;
    ticket->data = room_of(ticket);
    return ticket;
}

size_t cwb_job_free(cw_job *job)
{
    cwb_ticket *ticket = cwb_ticket_of(job);
    cwb_ticket_clear(ticket);
    return cwb_ticket_bytes(cw__job_type(job), ticket->capacity);
}
