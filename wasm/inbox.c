/* inbox.c: what comes to a realm from other threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "context.h"
#include "handlers.h"

/* What a realm hears of in one turn of its event loop: about a millisecond of
 * promises. */
enum { DELIVERIES_PER_TURN = 1024 };

static void deliver(cw__worker *self, uintptr_t item, unsigned mark)
{
    switch (mark) {
    case CWB_MARK_NOTE:
        cwb_note_deliver((cwb_note *)item);
        return;
    case CWB_MARK_TICKET:
        cwb_ticket_deliver((cwb_ticket *)item);
        return;
    case CWB_MARK_JOB:
        cw__worker_pin(self, (cw_job *)item);
        return;
    case CWB_MARK_ERROR:
        cwb_error_freed((cw_error *)item);
        return;
    }
}

uintptr_t cwb_deliver(cw__worker *self, uintptr_t chain)
{
    for (unsigned n = 0; chain && n < DELIVERIES_PER_TURN; n++) {
        uintptr_t item = chain & ~(uintptr_t)CW__INBOX_MARK;
        unsigned mark = chain & CW__INBOX_MARK;
        chain = cw__inbox_next(chain); /* delivering frees the item */
        deliver(self, item, mark);
    }
    return chain;
}

/* Throws away what nobody will read any more. */
static void discard_all(cw__worker *home)
{
    uintptr_t chain = cw__inbox_take(&home->inbox);
    while (chain) {
        uintptr_t item = chain & ~(uintptr_t)CW__INBOX_MARK;
        unsigned mark = chain & CW__INBOX_MARK;
        chain = cw__inbox_next(chain);
        if (mark == CWB_MARK_NOTE)
            cwb_note_discard((cwb_note *)item);
        else if (mark == CWB_MARK_TICKET)
            cwb_job_drop(((cwb_ticket *)item)->job);
        else if (mark == CWB_MARK_ERROR)
            cwb_error_discard((cw_error *)item);
    }
}

void cwb_post_quietly(cw__worker *home, uintptr_t item)
{
    cw_context *context = home->context;
    cw__context_hold(context); /* the item may be what keeps it */
    cw__inbox_push(&home->inbox, item);
    /* seq_cst: comes after the push, which cwb_inbox_close() sees otherwise */
    if (cw_load_seq_cst(&home->deaf)) discard_all(home);
    cw__context_drop(context);
}

void cwb_post(cw__worker *home, uintptr_t item)
{
    cw_context *context = home->context;
    cw__context_hold(context);
    cwb_post_quietly(home, item);
    cw__worker_unpark(home);
    cw__context_drop(context);
}

void cwb_inbox_close(cw__worker *self)
{
    /* seq_cst: comes before the last look; see cwb_post_quietly() */
    cw_store_seq_cst(&self->deaf, 1);
    discard_all(self);
}
