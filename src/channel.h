/* channel.h: elements on their way from senders to receivers.
 *
 * SPDX-License-Identifier: MIT
 *
 * All of a channel but its count of references is guarded by its lock. Under
 * it, elements change hands and parties are claimed and woken; what has to be
 * done without it (dispatching who was woken, calling hooks, freeing) is
 * collected in an aftermath.
 *
 * The lock is that of the lane `in` of the buffer; a *parted* channel's is that
 * and then that of the lane `out`. As long as nobody waits there and the buffer
 * is neither full nor empty, one who sends makes do with `in` and one who
 * receives with `out`. Since all else is changed with both held, either sees
 * who waits, and whether it is closed, as it is.
 *
 * Invariants, between two holders of the lock, not counting parties that have
 * been cancelled: receivers wait only if the buffer is empty and no sender
 * waits; senders wait only if the buffer is full; nobody waits to receive from
 * a closed channel, and nobody at all at a cancelled one, whose buffer is
 * empty.
 */
#ifndef CW_CHANNEL_H
#define CW_CHANNEL_H

#include "buffer.h"
#include "check.h"

struct cw__worker;

struct cw_channel {
    cw__buffer buffer; /* and the lock */
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
    uint32_t capacity;
    uint32_t room;    /* the same, as lanes count */
    bool parted;      /* there is room enough for two to pass each other */
    uint8_t overflow; /* enum cw_overflow */
    uint8_t closed, cancelled;
    uint8_t has_handler; /* has or had a close handler, or who awaits closing */
    uint8_t handler_ran; /* or is about to */
    uint8_t produced;    /* has or had a producer */
    cw__waiter *senders, *receivers;
    _Atomic uint32_t refs;
    cw__hook undelivered; /* `fn` is NULL if there is none */
    cw_error *cause;      /* owned; fixed once it is closed */
    cw_close_fn *handler;
    void *handler_arg;
    cw__waiter *closers;  /* a body that awaits closing */
    cw_job *producer;     /* owned, until it ends */
    cw__waiter producing; /* in the producer's list */
    cw_broadcast *source; /* keeps it; NULL: none */
    /* The next one of the same broadcast, and what points to this one; under
     * the broadcast's lock. */
    cw_channel *subscriber, **subscriber_at;
};

static inline void cw__channel_lock(cw_channel *channel)
{
    cw__lane_lock(&channel->buffer.in);
    if (channel->parted) cw__lane_lock(&channel->buffer.out);
}

static inline void cw__channel_unlock(cw_channel *channel)
{
    cw__lane *in = &channel->buffer.in, *out = &channel->buffer.out;
    if (channel->parted) {
        in->seen = out->position;
        out->seen = in->position;
        /* Whoever gets `out` may look at `in` before that is free, and must not
         * see less of it than was taken already. */
        cw__lane_tell(in);
        cw__lane_unlock(out);
    }
    cw__lane_unlock(in);
}

/* What a section under the lock leaves to be done. */
typedef struct cw__aftermath {
    cw__woken woken;
    cw__segment *garbage;
} cw__aftermath;

static inline void cw__aftermath_init(cw__aftermath *after)
{
    cw__woken_init(&after->woken);
    after->garbage = NULL;
}

/* Without the lock. `self` is the calling worker, or NULL. */
void cw__aftermath_run(struct cw__worker *self, cw_channel *channel,
                       cw__aftermath *after);

/* ---- without the lock: as far as one lane will do */

/* False, with nothing done, if it will not. */
static inline bool cw__channel_put_in(cw_channel *channel, const void *element)
{
    cw__lane *in = &channel->buffer.in;
    if (!channel->parted) return false;
    cw__lane_lock(in);
    bool puts = !channel->receivers && !channel->closed;
    if (puts && in->position - in->seen == channel->room) {
        cw__lane_look(in, &channel->buffer.out);
        puts = in->position - in->seen != channel->room;
    }
    if (cw_likely(puts)) cw__buffer_put(&channel->buffer, element);
    cw__lane_unlock(in);
    return puts;
}

static inline bool cw__channel_take_out(cw_channel *channel, void *element)
{
    cw__lane *out = &channel->buffer.out;
    if (!channel->parted) return false;
    cw__lane_lock(out);
    bool takes = !channel->senders;
    if (takes && out->position == out->seen) {
        cw__lane_look(out, &channel->buffer.in);
        takes = out->position != out->seen;
    }
    if (cw_likely(takes)) (void)cw__buffer_take(&channel->buffer, element);
    cw__lane_unlock(out);
    return takes;
}

/* ---- under the lock; never wait */

enum cw__sending {
    CW__SENT,
    CW__SENT_DROPPED,  /* sent; what it replaced is in its place */
    CW__DROPPED,       /* there was no room */
    CW__FULL,          /* would have to wait */
    CW__CLOSED,        /* the channel is */
    CW__NEEDS_SEGMENT, /* bring one along ... */
    CW__NEEDS_STASH,   /* ... or memory for the element of who waits */
    CW__RECEIVED,
    CW__EMPTY /* would have to wait */
};

/* `*segment` may be NULL, and becomes that if it is used. */
enum cw__sending cw__channel_put(cw_channel *channel, void *element,
                                 cw__segment **segment, cw__aftermath *after);
/* CW__RECEIVED, CW__EMPTY or CW__CLOSED. */
enum cw__sending cw__channel_get(cw_channel *channel, void *out,
                                 cw__aftermath *after);

/* False if a sender must not be queued before a segment is brought along: a
 * chain that is full has one to spare as long as senders wait. While they do,
 * as many elements are put as taken, so that one is enough. */
bool cw__channel_admits_sender(cw_channel *channel, cw__segment **segment);

/* ---- the ends of waits */

/* Takes the party of a body that was resumed off its queue, if it is in it, and
 * tells what has become of it. */
enum cw__outcome cw__channel_waited(cw_channel *channel, cw__waiter **queue,
                                    cw_job *job);
/* Sends if that needs no waiting: CW__SENT; CW__SENT_DROPPED, and `*failure`
 * gets what came of the one that was replaced, owned; CW__FULL, CW__CLOSED or
 * CW__NEEDS_SEGMENT (there is no memory), and the element is still the
 * caller's; CW__DROPPED, and it is, too. */
enum cw__sending cw__channel_try_send(cw_channel *channel, void *element,
                                      cw_error **failure);

/* ---- errors */

/* What those raise who send, or receive, at a closed channel: owned. */
cw_error *cw__channel_send_error(cw_channel *channel);
cw_error *cw__channel_receive_error(cw_channel *channel);

/* Gives an element to the hook, if there is one. Returns NULL or an owned
 * CW_EUNDELIVERED. */
cw_error *cw__channel_undelivered(cw_channel *channel, void *element);
/* The same where cancellation is raised: a failure goes to the job's handler of
 * failures, or is reported. */
void cw__channel_lost(cw_channel *channel, cw_job *job, void *element);

/* ---- closing */

/* Closes the channel for whoever got the lock first. */
bool cw__channel_close(struct cw__worker *self, cw_channel *channel,
                       cw_error *cause, cw_error **failure);

/* The producer's job is final. Its failure is told if nobody has heard of it,
 * neither by way of the channel nor as its parent. */
void cw__producer_ended(struct cw__worker *self, cw_channel *channel,
                        bool has_parent);

/* What a broadcast does to elements that own something, of which there are as
 * many copies as subscribers. The first two are called with locks held. */
typedef struct cw__copies {
    void (*keep)(void *element); /* there is one more copy */
    void (*drop)(void *element); /* one less */
    cw__hook undelivered;        /* of the subscribers' channels */
} cw__copies;
cw_broadcast *cw__broadcast_new_of(size_t size, const cw__copies *copies);

/* A cancelled subscriber leaves its broadcast. */
void cw__broadcast_leave(cw_channel *channel);
/* Drops a subscriber's reference. */
void cw__broadcast_drop(cw_broadcast *source);

#endif /* CW_CHANNEL_H */
