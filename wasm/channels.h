/* channels.h: channels of JavaScript's values.
 *
 * SPDX-License-Identifier: MIT
 *
 * A channel begins on one realm. Until it is shared with others, its elements
 * may be the very values; from then on they are such that every realm can read
 * them.
 */
#ifndef CWB_CHANNELS_H
#define CWB_CHANNELS_H

#include "handlers.h"
#include "values.h"

CW_CHANNEL_TYPE(cwb_elements, cwb_element)

typedef struct cwb_channel {
    cwb_elements elements;
    _Atomic uint32_t refs;
    _Atomic uint32_t shared;   /* a handle to it was encoded */
    bool subscribed;           /* to a broadcast, which has it, too */
    cwb_function *undelivered; /* owned, or NULL */
    cwb_function *on_close;    /* owned, or NULL; set once */
} cwb_channel;

/* Ways to receive. */
enum cwb_receiving {
    CWB_RECEIVE,
    CWB_RECEIVE_CATCHING, /* a closed channel is told */
    CWB_RECEIVE_EACH      /* one that is closed without a cause is told */
};

/* What receiving gives. */
typedef struct cwb_received {
    cwb_element element; /* if `status` is CW_OK */
    int status;          /* else CW_ERECVCLOSED */
} cwb_received;

/* A handle's reference to a broadcast. */
void cwb_broadcast_drop(cw_broadcast *broadcast);
/* Frees what the last use of one on this thread has left. */
void cwb_broadcast_clean(void);

cwb_channel *cwb_channel_keep(cwb_channel *channel);
/* The last one frees it, and drops what is in it, of which nobody is told. */
void cwb_channel_drop(cwb_channel *channel);

#endif /* CWB_CHANNELS_H */
