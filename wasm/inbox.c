/* inbox.c: what comes to a realm from other threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "context.h"
#include "error.h"
#include "handlers.h"

/* What a realm hears of in one turn of its event loop: about a millisecond of
 * promises. */
enum { DELIVERIES_PER_TURN = 1024 };

/* The realm that it is for; NULL for jobs. */
static const cwb_home *home_of_item(uintptr_t item)
{
    const void *at = (const void *)(item & ~(uintptr_t)CW__INBOX_MARK);
    switch (item & CW__INBOX_MARK) {
    case CWB_MARK_NOTE:
        return cwb_note_home(at);
    case CWB_MARK_TICKET:
        return ((const cwb_ticket *)at)->home;
    case CWB_MARK_ERROR:
        return cw__error_origin_of((cw_error *)(uintptr_t)at)->home;
    default:
        return NULL;
    }
}

void cwb_discard(uintptr_t marked)
{
    uintptr_t item = marked & ~(uintptr_t)CW__INBOX_MARK;
    switch (marked & CW__INBOX_MARK) {
    case CWB_MARK_NOTE:
        cwb_note_discard((cwb_note *)item);
        return;
    case CWB_MARK_TICKET:
        cwb_job_drop(((cwb_ticket *)item)->job);
        return;
    case CWB_MARK_ERROR:
        cwb_error_discard((cw_error *)item);
        return;
    }
}

static void deliver(cw__worker *self, uintptr_t marked)
{
    uintptr_t item = marked & ~(uintptr_t)CW__INBOX_MARK;
    if ((marked & CW__INBOX_MARK) == CWB_MARK_JOB) {
        cw__worker_pin(self, (cw_job *)item);
        return;
    }
    if (cw_unlikely(home_of_item(marked) != cwb_here)) {
        cwb_discard(marked); /* for the worker's realm before */
        return;
    }
    switch (marked & CW__INBOX_MARK) {
    case CWB_MARK_NOTE:
        cwb_note_deliver((cwb_note *)item);
        return;
    case CWB_MARK_TICKET:
        cwb_ticket_deliver((cwb_ticket *)item);
        return;
    case CWB_MARK_ERROR:
        cwb_error_freed((cw_error *)item);
        return;
    }
}

uintptr_t cwb_deliver(cw__worker *self, uintptr_t chain)
{
    for (unsigned n = 0; chain && n < DELIVERIES_PER_TURN; n++) {
        uintptr_t item = chain;
        chain = cw__inbox_next(chain); /* delivering frees the item */
        deliver(self, item);
    }
    return chain;
}

/* Throws away what nobody will read any more. */
static void discard_all(cw__worker *worker)
{
    uintptr_t chain = cw__inbox_take(&worker->inbox);
    while (chain) {
        uintptr_t item = chain;
        chain = cw__inbox_next(chain);
        cwb_discard(item);
    }
}

void cwb_post_quietly(cwb_home *home, uintptr_t item)
{
    cw__worker *worker = home->worker;
    cw_context *context = worker->context;
    cw__context_hold(context); /* the item may be what keeps it */
    cw__inbox_push(&worker->inbox, item);
    /* seq_cst: comes after the push, which cwb_inbox_close() sees otherwise */
    if (cw_load_seq_cst(&worker->deaf)) discard_all(worker);
    cw__context_drop(context);
}

void cwb_post(cwb_home *home, uintptr_t item)
{
    cw_context *context = home->worker->context;
    cw__context_hold(context);
    cwb_post_quietly(home, item);
    cw__worker_unpark(home->worker);
    cw__context_drop(context);
}

void cwb_rouse(const cwb_home *home)
{
    cw_context *context = home->worker->context;
    cw__context_hold(context);
    cw__worker_unpark(home->worker);
    cw__context_drop(context);
}

void cwb_inbox_close(cw__worker *self)
{
    /* seq_cst: comes before the last look; see cwb_post_quietly() */
    cw_store_seq_cst(&self->deaf, 1);
    discard_all(self);
}
