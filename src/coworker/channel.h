/* coworker/channel.h: channels and their producers.
 *
 * SPDX-License-Identifier: MIT
 *
 * A part of coworker.h, which is what programs include.
 */
#ifndef COWORKER_CHANNEL_H
#define COWORKER_CHANNEL_H

#include "body.h"
#include "launch.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A channel takes elements of one type from those who send to those who
 * receive, first in, first out; each element goes to one receiver, and those
 * who wait are served in the order in which they came. Reference-counted:
 * whoever uses a channel holds a reference for as long as the call takes.
 *
 * A channel that is *closed* takes no more elements; what it holds, and what
 * suspended senders offer, can still be received. One that is *cancelled* is
 * closed and loses all of that. It may be closed with a cause: an error that is
 * then raised, the same object, by those who send and by those who receive
 * after the last element. Without a cause they get CW_ESENDCLOSED and
 * CW_ERECVCLOSED. */
typedef struct cw_channel cw_channel;

/* Capacities: how many elements a channel holds for receivers to come. Any
 * number >= 0, or one of these. */
enum {
    CW_RENDEZVOUS = 0,        /* none: sender and receiver meet */
    CW_CONFLATED = -1,        /* one: a new element replaces the one in it */
    CW_BUFFERED = -2,         /* 64; 1 if elements may be dropped */
    CW_UNLIMITED = 0x7fffffff /* as many as memory allows */
};

/* What becomes of an element for which there is no room. A channel that drops
 * some holds at least one. */
typedef enum cw_overflow {
    CW_OVERFLOW_SUSPEND,     /* its sender waits */
    CW_OVERFLOW_DROP_OLDEST, /* the oldest one makes room for it */
    CW_OVERFLOW_DROP_LATEST  /* it is dropped */
} cw_overflow;

/* CW_CHANNEL_TYPE(NAME, TYPE): defines channels of TYPE. With ints for NAME and
 * int for TYPE:
 *
 *     ints                 a channel: a struct with one field, `channel`, which
 *                          the functions take that know nothing of types
 *     ints_undelivered     cw_error *(int *element, void *arg): gets elements
 *                          that were sent and that nobody will receive, so that
 *                          it can free what they own: dropped for want of room;
 *                          sent to a closed channel; their sender, or their
 *                          receiver, cancelled while it waited; in a channel
 *                          that is cancelled. Not what a try function refuses.
 *                          Called once for each, on the thread where that
 *                          happens, never under a lock. Returns NULL, or an
 *                          owned error, which the call that lost the element
 *                          raises as cause of CW_EUNDELIVERED; where
 *                          cancellation is raised, that goes to the job's
 *                          handler of failures, else to the unhandled handler.
 *     ints_new(capacity)   makes one; an owned reference. `channel` is NULL,
 *                          with cw_last_error() = CW_EINVAL (capacity < -2, or
 *                          an overflow with CW_CONFLATED) or CW_ENOMEM, if it
 *                          fails
 *     ints_new_with(capacity, overflow, undelivered, arg)
 *                          the same with all choices; `undelivered` may be NULL
 *     ints_try_send(ints, int)
 *                          sends if that needs no waiting. Returns CW_OK;
 *                          CW_EAGAIN; CW_ESENDCLOSED (cw_channel_cause() tells
 *                          why); CW_ENOMEM; CW_EUNDELIVERED: it was sent, but
 *                          the hook failed for the one it replaced
 *     ints_try_receive(ints, int *out)
 *                          CW_OK, CW_EAGAIN or CW_ERECVCLOSED
 *
 * and what the macros below need. The try functions can be called from every
 * thread, those of no context included. An element is copied as memcpy() does;
 * it may have up to CW_MAX_ELEMENT bytes. */
#define CW_CHANNEL_TYPE(NAME, TYPE) CW__CHANNEL_TYPE(NAME, TYPE)
#define CW_MAX_ELEMENT              65536

cw_channel *cw_channel_retain(cw_channel *channel);
void cw_channel_release(cw_channel *channel); /* NULL is allowed */

/* Closes the channel: receivers that wait go on, senders that wait stay.
 * `cause` may be NULL; the channel takes its own reference. Returns true for
 * the call that closed it. Then the close handler, if any, has run; if that
 * failed, its error is in `*failure`, owned, which is else NULL; without
 * `failure` it goes to the unhandled handler. Never blocks. */
bool cw_channel_close(cw_channel *channel, cw_error *cause, cw_error **failure);

/* Closes the channel, unless it is closed, and drops all that it holds; who
 * waits to send or to receive goes on with the error that it was closed with.
 * That is `cause` if it is one of cancellation, else a CW_ECANCELED around it.
 * Cancels the channel's producer, too. `*failure` gets CW_EUNDELIVERED, or the
 * close handler's error, as above; what further elements and the handler fail
 * with is suppressed by the first of these. Never blocks. */
void cw_channel_cancel(cw_channel *channel, cw_error *cause,
                       cw_error **failure);

/* What it was closed with: borrowed from the channel; NULL if it is open or was
 * closed without a cause. */
cw_error *cw_channel_cause(cw_channel *channel);

bool cw_channel_is_closed_for_send(cw_channel *channel);
bool cw_channel_is_closed_for_receive(cw_channel *channel); /* and empty */
bool cw_channel_is_empty(cw_channel *channel); /* a receiver would wait */

/* Called once the channel is closed, with the cause (borrowed, or NULL), on the
 * thread that closes it, or at once if it is closed already. Returns NULL or an
 * owned error. */
typedef cw_error *cw_close_fn(cw_error *cause, void *arg);
/* Sets the close handler. `failure` as for cw_channel_close(), for a handler
 * that is called at once. Returns CW_OK; CW_ESTATE if it has one, or a producer
 * that waits in CW_AWAIT_CLOSE, or had one. */
int cw_channel_on_close(cw_channel *channel, cw_close_fn *handler, void *arg,
                        cw_error **failure);

/* In a body. NAME is the one of CW_CHANNEL_TYPE, `channel_` a NAME. Those that
 * need not wait do not look at cancellation. A body that is cancelled before it
 * goes on raises CW_ECANCELED, even if it was handed an element meanwhile or
 * its element was received. */

/* Sends a TYPE, waiting for room. Raises the cause or CW_ESENDCLOSED;
 * CW_ENOMEM; CW_EUNDELIVERED. Whatever it raises, the element has been received
 * or was given to the hook: it is not the caller's any more. */
#define CW_SEND(self, NAME, channel_, value)                                   \
    CW__SUSPEND(self, NAME##__send(&(self)->frame, (channel_), (value)),       \
                cw__sent(&(self)->frame))

/* Receives into `out`, a TYPE * to memory that lives until then, such as a
 * field of `self`. Raises the cause or CW_ERECVCLOSED. */
#define CW_RECEIVE(self, NAME, channel_, out)                                  \
    CW__SUSPEND(self, NAME##__receive(&(self)->frame, (channel_), (out)),      \
                cw__received(&(self)->frame))

/* The same, but a closed channel raises nothing: `*status` (an int, evaluated
 * afterwards) is CW_OK or CW_ERECVCLOSED. */
#define CW_RECEIVE_CATCHING(self, NAME, channel_, out, status)                 \
    CW__SUSPEND(self,                                                          \
                NAME##__receive_catching(&(self)->frame, (channel_), (out)),   \
                cw__received_catching(&(self)->frame, (status)))

/* CW_RECEIVE_EACH(self, NAME, channel, out) { body }
 * A loop over all elements, up to the end of a channel that is closed without a
 * cause; a cause is raised. `break` and `continue` work as usual. Does not
 * cancel the channel: let CW_FINALLY do it if nobody else receives. */
#define CW_RECEIVE_EACH(self, NAME, channel_, out)                             \
    for (;;)                                                                   \
        if ((self)->frame.at = __LINE__,                                       \
            NAME##__receive_each(&(self)->frame, (channel_), (out)) ==         \
                CW__PENDING) {                                                 \
            return CW_STEP_SUSPENDED;                                          \
        case __LINE__:                                                         \
            continue;                                                          \
        } else if (cw__each_raised(&(self)->frame)) {                          \
            cw__unwind(&(self)->frame);                                        \
            goto cw__again;                                                    \
        } else if (cw__each_is_over(&(self)->frame)) {                         \
            break;                                                             \
        } else

/* Calls `consumer` (an ints_consumer: int (int element, void *arg)) with each
 * element, up to the end, and cancels the channel however that comes about.
 * `consumer` returns 0 to go on, 1 to stop, or a negative code to fail with. It
 * must not wait. While elements are ready there is no look at cancellation. */
#define CW_CONSUME_EACH(self, NAME, channel_, consumer, arg_)                  \
    do {                                                                       \
        (self)->frame.at = __LINE__;                                           \
        if (NAME##__consume(&(self)->frame, (channel_), (consumer), (arg_)) == \
            CW__PENDING)                                                       \
            return CW_STEP_CALLED;                                             \
        CW__FALLTHROUGH;                                                       \
    case __LINE__:                                                             \
        CW__CHECK(self, cw__consumed(&(self)->frame));                         \
    } while (0)

/* An iterator asks whether there is another element before it takes it:
 *
 *     self->it = ints_iterate(channel);              an ints_iterator
 *     for (;;) {
 *         CW_HAS_NEXT(self, ints, &self->it, &self->more);
 *         if (!self->more) break;
 *         ints_next(&self->it, &element);
 *     }
 *
 * CW_HAS_NEXT waits for an element; `*more` (a bool) is false at the end.
 * Raises the cause of a closed channel. Asking again before ints_next() changes
 * nothing. ints_next() returns CW_OK; after the end once CW_ERECVCLOSED, or the
 * code of the cause; CW_ESTATE without a CW_HAS_NEXT before it. The iterator,
 * which is a struct, lives in the frame. */
#define CW_HAS_NEXT(self, NAME, iterator, more)                                \
    CW__SUSPEND(self, NAME##__has_next(&(self)->frame, (iterator)),            \
                NAME##__has_nexted(&(self)->frame, (iterator), (more)))

/* A producer is a coroutine that fills a channel, which is closed when the
 * coroutine and all its children have ended: with its error as cause, if it
 * ended with one, else without. Cancelling the channel cancels it.
 *
 * cw_produce(context, COROUTINE, channel, argument) starts one as cw_async()
 * does. `channel` is a cw_channel * and evaluated twice; the coroutine gets it
 * by way of its argument, and the library keeps a reference of its own.
 * Returns an owned handle; NULL with cw_last_error() = CW_ESTATE if the channel
 * has, or had, a producer, else as cw_async(). A failure belongs to the
 * channel; it is reported as unhandled only if the channel was closed before
 * and nobody above takes it. */
#define cw_produce(context, NAME, channel, ...)                                \
    (cw__produce_begin(channel)                                                \
         ? cw__produce_end((channel), cw_async((context), NAME, __VA_ARGS__))  \
         : NULL)

/* Waits until the channel is closed or cancelled. Only in the body of its
 * producer, only once, and not with a close handler: else raises CW_ESTATE. */
#define CW_AWAIT_CLOSE(self, channel)                                          \
    CW__SUSPEND(self, cw__await_close(&(self)->frame, (channel)),              \
                cw__awaited_close(&(self)->frame))

/* ------------------------------------------------- used by the macros only */

/* Any function; cast back to what it is before it is called. */
typedef void cw__any_fn(void);

/* How the library calls a hook of the user's that knows the element's type. */
typedef struct cw__hook {
    void *(*call)(const struct cw__hook *hook, void *element);
    cw__any_fn *fn;
    void *arg;
} cw__hook;

typedef struct cw__iterator {
    cw_channel *channel;
    int state;
} cw__iterator;

#define CW__CHANNEL_TYPE(NAME, TYPE)                                           \
    typedef struct NAME {                                                      \
        cw_channel *channel;                                                   \
    } NAME;                                                                    \
    typedef cw_error *NAME##_undelivered(TYPE *element, void *arg);            \
    typedef int NAME##_consumer(TYPE element, void *arg);                      \
    typedef struct NAME##_iterator {                                           \
        cw__iterator base;                                                     \
        TYPE element;                                                          \
    } NAME##_iterator;                                                         \
    CW__UNUSED static inline void *NAME##__call_undelivered(                   \
        const cw__hook *hook, void *element)                                   \
    {                                                                          \
        return ((NAME##_undelivered *)hook->fn)((TYPE *)element, hook->arg);   \
    }                                                                          \
    CW__UNUSED static inline NAME NAME##_new_with(                             \
        int capacity, cw_overflow overflow, NAME##_undelivered *undelivered,   \
        void *arg)                                                             \
    {                                                                          \
        cw__hook hook = {NAME##__call_undelivered, (cw__any_fn *)undelivered,  \
                         arg};                                                 \
        NAME made = {                                                          \
            cw__channel_new(capacity, overflow, sizeof(TYPE), &hook)};         \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline NAME NAME##_new(int capacity)                     \
    {                                                                          \
        return NAME##_new_with(capacity, CW_OVERFLOW_SUSPEND, 0, 0);           \
    }                                                                          \
    CW__UNUSED static inline int NAME##_try_send(NAME channel, TYPE element)   \
    {                                                                          \
        return cw__try_send(channel.channel, &element);                        \
    }                                                                          \
    CW__UNUSED static inline int NAME##_try_receive(NAME channel, TYPE *out)   \
    {                                                                          \
        return cw__try_receive(channel.channel, out);                          \
    }                                                                          \
    CW__UNUSED static inline int NAME##__send(cw_frame *frame, NAME channel,   \
                                              TYPE element)                    \
    {                                                                          \
        return cw__send(frame, channel.channel, &element);                     \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive(cw_frame *frame,              \
                                                 NAME channel, TYPE *out)      \
    {                                                                          \
        return cw__receive(frame, channel.channel, out);                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive_catching(                     \
        cw_frame *frame, NAME channel, TYPE *out)                              \
    {                                                                          \
        return cw__receive_catching(frame, channel.channel, out);              \
    }                                                                          \
    CW__UNUSED static inline int NAME##__receive_each(cw_frame *frame,         \
                                                      NAME channel, TYPE *out) \
    {                                                                          \
        return cw__receive_each(frame, channel.channel, out);                  \
    }                                                                          \
    CW__UNUSED static inline void *NAME##__call_consumer(const cw__hook *hook, \
                                                         void *element)        \
    {                                                                          \
        int status =                                                           \
            ((NAME##_consumer *)hook->fn)(*(TYPE *)element, hook->arg);        \
        return (void *)(intptr_t)status;                                       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__consume(                              \
        cw_frame *frame, NAME channel, NAME##_consumer *consumer, void *arg)   \
    {                                                                          \
        cw__hook hook = {NAME##__call_consumer, (cw__any_fn *)consumer, arg};  \
        return cw__consume(frame, channel.channel, &hook);                     \
    }                                                                          \
    CW__UNUSED static inline NAME##_iterator NAME##_iterate(NAME channel)      \
    {                                                                          \
        NAME##_iterator made;                                                  \
        made.base.channel = channel.channel;                                   \
        made.base.state = 0;                                                   \
        return made;                                                           \
    }                                                                          \
    CW__UNUSED static inline int NAME##__has_next(cw_frame *frame,             \
                                                  NAME##_iterator *iterator)   \
    {                                                                          \
        return cw__has_next(frame, &iterator->base, &iterator->element);       \
    }                                                                          \
    CW__UNUSED static inline int NAME##__has_nexted(                           \
        cw_frame *frame, NAME##_iterator *iterator, bool *more)                \
    {                                                                          \
        return cw__has_nexted(frame, &iterator->base, more);                   \
    }                                                                          \
    CW__UNUSED static inline int NAME##_next(NAME##_iterator *iterator,        \
                                             TYPE *out)                        \
    {                                                                          \
        int status = cw__next(&iterator->base);                                \
        if (status == CW_OK) *out = iterator->element;                         \
        return status;                                                         \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_send(NAME channel,            \
                                                      TYPE *value)             \
    {                                                                          \
        return cw__clause(CW__ON_SEND, channel.channel, value, 0, 0);          \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_receive(NAME channel,         \
                                                         TYPE *out)            \
    {                                                                          \
        return cw__clause(CW__ON_RECEIVE, channel.channel, out, 0, 0);         \
    }                                                                          \
    CW__UNUSED static inline cw_clause NAME##_on_receive_catching(             \
        NAME channel, TYPE *out)                                               \
    {                                                                          \
        return cw__clause(CW__ON_RECEIVE_CATCHING, channel.channel, out, 0,    \
                          0);                                                  \
    }

cw_channel *cw__channel_new(int, cw_overflow, size_t, const cw__hook *);
int cw__try_send(cw_channel *, void *);
int cw__try_receive(cw_channel *, void *);
int cw__send(cw_frame *, cw_channel *, void *);
int cw__sent(cw_frame *);
int cw__receive(cw_frame *, cw_channel *, void *);
int cw__received(cw_frame *);
int cw__receive_catching(cw_frame *, cw_channel *, void *);
int cw__received_catching(cw_frame *, int *);
int cw__receive_each(cw_frame *, cw_channel *, void *);
int cw__each_raised(cw_frame *);
int cw__each_is_over(cw_frame *);
int cw__consume(cw_frame *, cw_channel *, const cw__hook *);
int cw__consumed(cw_frame *);
int cw__has_next(cw_frame *, cw__iterator *, void *);
int cw__has_nexted(cw_frame *, cw__iterator *, bool *);
int cw__next(cw__iterator *);
bool cw__produce_begin(cw_channel *);
cw_job *cw__produce_end(cw_channel *, cw_job *);
int cw__await_close(cw_frame *, cw_channel *);
int cw__awaited_close(cw_frame *);

#ifdef __cplusplus
}
#endif

#endif /* COWORKER_CHANNEL_H */
