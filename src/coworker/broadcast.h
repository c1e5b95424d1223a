/* coworker/broadcast.h: the latest element for everybody.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_BROADCAST_H
#define COWORKER_BROADCAST_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A broadcast gives the latest element to everybody: each subscriber has a
 * conflated channel of its own, which has the latest one from the start, and
 * one that is slow misses what came between. Sending never waits.
 * Reference-counted. CW_BROADCAST_TYPE(BNAME, NAME, TYPE) defines, for a
 * NAME and TYPE given to CW_CHANNEL_TYPE, a struct BNAME with the field
 * `broadcast`, and
 *
 *     BNAME_new()              an owned one; `broadcast` is NULL without memory
 *     BNAME_send(b, value)     CW_OK; CW_ESENDCLOSED; CW_ENOMEM
 *     BNAME_value(b, &value)   the latest one: CW_OK; CW_ESTATE before the
 *                              first, and once it is closed
 *     BNAME_subscribe(b)       an owned NAME, whose `channel` is NULL without
 *                              memory. To unsubscribe, cancel it; until then
 *                              the broadcast keeps it, too. Of a closed
 *                              broadcast it is closed.
 *
 * The last reference to go closes the broadcast. */
#define CW_BROADCAST_TYPE(BNAME, NAME, TYPE)                                   \
    CW__BROADCAST_TYPE(BNAME, NAME, TYPE)
typedef struct cw_broadcast cw_broadcast;
cw_broadcast *cw_broadcast_retain(cw_broadcast *broadcast);
void cw_broadcast_release(cw_broadcast *broadcast); /* NULL is allowed */
/* Closes it and, with the same cause, all subscribers' channels, where what is
 * in them can still be received. True for the call that closed it. */
bool cw_broadcast_close(cw_broadcast *broadcast, cw_error *cause);
/* Closes it and cancels the channels of all who are subscribed. */
void cw_broadcast_cancel(cw_broadcast *broadcast, cw_error *cause);
bool cw_broadcast_is_closed(cw_broadcast *broadcast);

/* ------------------------------------------------- used by the macros only */

#define CW__BROADCAST_TYPE(BNAME, NAME, TYPE)                                  \
    typedef struct BNAME {                                                     \
        cw_broadcast *broadcast;                                               \
    } BNAME;                                                                   \
    CW__UNUSED static inline BNAME BNAME##_new(void)                           \
    {                                                                          \
        BNAME made = {cw__broadcast_new(sizeof(TYPE))};                        \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline int BNAME##_send(BNAME broadcast, TYPE value)     \
    {                                                                          \
        return cw__broadcast_send(broadcast.broadcast, &value);                \
    }                                                                          \
    CW__UNUSED static inline int BNAME##_value(BNAME broadcast, TYPE *value)   \
    {                                                                          \
        return cw__broadcast_value(broadcast.broadcast, value);                \
    }                                                                          \
    CW__UNUSED static inline NAME BNAME##_subscribe(BNAME broadcast)           \
    {                                                                          \
        NAME made = {cw__broadcast_subscribe(broadcast.broadcast)};            \
        return made;                                                           \
    }

cw_broadcast *cw__broadcast_new(size_t);
int cw__broadcast_send(cw_broadcast *, void *);
int cw__broadcast_value(cw_broadcast *, void *);
cw_channel *cw__broadcast_subscribe(cw_broadcast *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_BROADCAST_H */
