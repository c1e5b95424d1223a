/* channels.c: channels of JavaScript's values.
 *
 * SPDX-License-Identifier: MIT
 *
 * An error that a call may leave besides its result (that of a hook or handler
 * of the user's) stands afterwards in the scratch buffer: owned, or NULL.
 */
#include "channels.h"

#include "alloc.h"
#include "channel.h"
#include "waits.h"

#include <string.h>

static void leave_error(cw_error *error)
{
    memcpy(cwb_scratch(sizeof(error)), &error, sizeof error);
}

static void leave_element(const cwb_element *element)
{
    memcpy(cwb_scratch(sizeof *element), element, sizeof *element);
}

/* ---- making and freeing */

static cw_error *undelivered(cwb_element *element, void *arg)
{
    const cwb_channel *channel = arg;
    cwb_element lost = *element;
    if (channel->undelivered)
        return cwb_function_call(channel->undelivered, CWB_UNDELIVERED, NULL,
                                 &lost);
    cwb_element_drop(&lost);
    return NULL;
}

/* A channel: owned. `hook` is the token of a function that is given what nobody
 * will receive, or negative. NULL: the reason is the last error. */
cwb_channel *cwb_channel_new(int capacity, uint32_t overflow, int hook)
{
    cwb_channel *channel = cw__alloc(sizeof *channel);
    if (!channel) return NULL;
    memset(channel, 0, sizeof *channel);
    atomic_init(&channel->refs, 1);
    channel->elements = cwb_elements_new_with(capacity, (cw_overflow)overflow,
                                              undelivered, channel);
    bool made = channel->elements.channel != NULL;
    if (made && hook >= 0) {
        channel->undelivered = cwb_function_new((uint32_t)hook);
        made = channel->undelivered != NULL;
    }
    if (made) return channel;
    cw_channel_release(channel->elements.channel);
    cw__free(channel, sizeof *channel);
    return NULL;
}

cwb_channel *cwb_channel_keep(cwb_channel *channel)
{
    cw_add_relaxed(&channel->refs, 1); /* the caller has one */
    return channel;
}

static void drop_function(cwb_function *function)
{
    if (function) cw__shared_drop(&function->shared);
}

void cwb_channel_drop(cwb_channel *channel)
{
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&channel->refs, 1) != 1) return;
    /* It leaves the broadcast. */
    if (channel->subscribed)
        cw_channel_cancel(channel->elements.channel, NULL, NULL);
    cwb_element left;
    while (cwb_elements_try_receive(channel->elements, &left) == CW_OK)
        cwb_element_drop(&left);
    cw_channel_release(channel->elements.channel);
    if (channel->subscribed) cwb_broadcast_clean();
    drop_function(channel->undelivered);
    drop_function(channel->on_close);
    cw__free(channel, sizeof *channel);
}

/* From now on others may have it. */
void cwb_channel_share(cwb_channel *channel)
{
    /* relaxed: whatever carries the handle to others orders it */
    cw_store_relaxed(&channel->shared, 1);
}

uint32_t cwb_channel_is_shared(cwb_channel *channel)
{
    return cw_load_relaxed(&channel->shared);
}

/* ---- waiting */

typedef struct send_arg {
    cwb_wait wait;
    cwb_channel *channel; /* owned */
    cwb_element element;
} send_arg;

CW_COROUTINE(sending, send_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, cwb_elements, self->arg.channel->elements, self->arg.element);
    CW_FINALLY(self);
    cwb_channel_drop(self->arg.channel);
    CW_END(self);
}
CWB_LEAF(sending, "send", send_arg, cw_none);

/* As CW_SEND; for the element see values.h. */
int cwb_send(cw_job *scope, uint32_t token, cwb_channel *channel, uint32_t head)
{
    send_arg arg = {.wait = {.token = token}, .channel = channel};
    if (!cwb_element_take(&arg.element, head)) return CW_ENOMEM;
    cwb_channel_keep(channel);
    int status = cwb_leaf_begin(scope, &sending_leaf, &arg);
    if (status == CW_OK) return CW_OK;
    cwb_element_drop(&arg.element);
    cwb_channel_drop(channel);
    return status;
}

typedef struct receive_arg {
    cwb_wait wait;
    enum cwb_receiving how;
    cwb_channel *channel; /* owned */
} receive_arg;

CW_COROUTINE(receiving, receive_arg, cwb_received, cwb_elements_iterator it;
             bool more;)
{
    CW_BEGIN(self);
    if (self->arg.how == CWB_RECEIVE) {
        CW_RECEIVE(self, cwb_elements, self->arg.channel->elements,
                   &self->result.element);
    } else if (self->arg.how == CWB_RECEIVE_CATCHING) {
        CW_RECEIVE_CATCHING(self, cwb_elements, self->arg.channel->elements,
                            &self->result.element, &self->result.status);
    } else {
        self->it = cwb_elements_iterate(self->arg.channel->elements);
        CW_HAS_NEXT(self, cwb_elements, &self->it, &self->more);
        self->result.status = CW_ERECVCLOSED;
        if (self->more)
            self->result.status =
                cwb_elements_next(&self->it, &self->result.element);
    }
    CW_FINALLY(self);
    cwb_channel_drop(self->arg.channel);
    CW_END(self);
}
CWB_LEAF(receiving, "receive", receive_arg, cwb_received);

/* Receives as enum cwb_receiving says; gives a cwb_received. */
int cwb_receive(cw_job *scope, uint32_t token, cwb_channel *channel,
                uint32_t how)
{
    receive_arg arg = {{.token = token}, (enum cwb_receiving)how, channel};
    cwb_channel_keep(channel);
    int status = cwb_leaf_begin(scope, &receiving_leaf, &arg);
    if (status != CW_OK) cwb_channel_drop(channel);
    return status;
}

typedef struct close_arg {
    cwb_wait wait;
    cwb_channel *channel; /* owned */
} close_arg;

CW_COROUTINE(awaiting_close, close_arg, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_AWAIT_CLOSE(self, self->arg.channel->elements.channel);
    CW_FINALLY(self);
    cwb_channel_drop(self->arg.channel);
    CW_END(self);
}
CWB_LEAF(awaiting_close, "awaitClose", close_arg, cw_none);

/* As CW_AWAIT_CLOSE; `scope` is the producer's body. */
int cwb_await_close(cw_job *scope, uint32_t token, cwb_channel *channel)
{
    close_arg arg = {{.token = token}, channel};
    cwb_channel_keep(channel);
    int status = cwb_leaf_begin(scope, &awaiting_close_leaf, &arg);
    if (status != CW_OK) cwb_channel_drop(channel);
    return status;
}

/* ---- iterators */

typedef struct cwb_iterator {
    _Atomic uint32_t refs;
    cwb_channel *channel; /* owned */
    cwb_elements_iterator it;
    bool has_element;
} cwb_iterator;

/* Owned; NULL without memory. */
cwb_iterator *cwb_iterator_new(cwb_channel *channel)
{
    cwb_iterator *self = cw__alloc(sizeof *self);
    if (!self) return NULL;
    atomic_init(&self->refs, 1);
    self->channel = cwb_channel_keep(channel);
    self->it = cwb_elements_iterate(channel->elements);
    self->has_element = false;
    return self;
}

void cwb_iterator_drop(cwb_iterator *self)
{
    /* acq_rel: as for channels */
    if (cw_sub_acq_rel(&self->refs, 1) != 1) return;
    if (self->has_element) cwb_element_drop(&self->it.element);
    cwb_channel_drop(self->channel);
    cw__free(self, sizeof *self);
}

typedef struct next_arg {
    cwb_wait wait;
    cwb_iterator *iterator; /* owned */
} next_arg;

CW_COROUTINE(asking_for_next, next_arg, uint32_t, bool more;)
{
    CW_BEGIN(self);
    CW_HAS_NEXT(self, cwb_elements, &self->arg.iterator->it, &self->more);
    self->arg.iterator->has_element = self->more;
    self->result = self->more;
    CW_FINALLY(self);
    cwb_iterator_drop(self->arg.iterator);
    CW_END(self);
}
CWB_LEAF(asking_for_next, "hasNext", next_arg, uint32_t);

/* As CW_HAS_NEXT; gives a word, 1 or 0. */
int cwb_has_next(cw_job *scope, uint32_t token, cwb_iterator *iterator)
{
    next_arg arg = {{.token = token}, iterator};
    cw_add_relaxed(&iterator->refs, 1); /* the caller has one */
    int status = cwb_leaf_begin(scope, &asking_for_next_leaf, &arg);
    if (status != CW_OK) cwb_iterator_drop(iterator);
    return status;
}

/* As NAME_next(); the element is in the scratch buffer. */
int cwb_next(cwb_iterator *iterator)
{
    cwb_element element;
    int status = cwb_elements_next(&iterator->it, &element);
    if (status != CW_OK) return status;
    iterator->has_element = false;
    leave_element(&element);
    return CW_OK;
}

/* ---- without waiting */

/* CW_OK, CW_EAGAIN, CW_ESENDCLOSED, CW_ENOMEM or CW_EUNDELIVERED, for which
 * there is an error. */
int cwb_try_send(cwb_channel *channel, uint32_t head)
{
    cwb_element element;
    if (!cwb_element_take(&element, head)) return CW_ENOMEM;
    cw_error *failure;
    enum cw__sending how =
        cw__channel_try_send(channel->elements.channel, &element, &failure);
    leave_error(failure);
    switch (how) {
    case CW__CLOSED:
        cwb_element_drop(&element);
        return CW_ESENDCLOSED;
    case CW__FULL:
        cwb_element_drop(&element);
        return CW_EAGAIN;
    case CW__NEEDS_SEGMENT:
        cwb_element_drop(&element);
        return CW_ENOMEM;
    case CW__DROPPED:
        cwb_element_drop(&element);
        return CW_OK;
    default:
        return failure ? CW_EUNDELIVERED : CW_OK;
    }
}

/* CW_OK, and the element is in the scratch buffer; CW_EAGAIN, CW_ERECVCLOSED */
int cwb_try_receive(cwb_channel *channel)
{
    cwb_element element;
    int status = cwb_elements_try_receive(channel->elements, &element);
    if (status == CW_OK) leave_element(&element);
    return status;
}

/* Bits: closed for those who send, for those who receive, empty. */
uint32_t cwb_channel_state(cwb_channel *channel)
{
    cw_channel *base = channel->elements.channel;
    return (cw_channel_is_closed_for_send(base) ? 1u : 0u) |
           (cw_channel_is_closed_for_receive(base) ? 2u : 0u) |
           (cw_channel_is_empty(base) ? 4u : 0u);
}

/* What it was closed with: borrowed, or NULL. */
cw_error *cwb_channel_cause(cwb_channel *channel)
{
    return cw_channel_cause(channel->elements.channel);
}

/* ---- closing */

/* True for the call that closed it; leaves an error. */
uint32_t cwb_channel_close(cwb_channel *channel, cw_error *cause)
{
    cw_error *failure = NULL;
    bool first = cw_channel_close(channel->elements.channel, cause, &failure);
    leave_error(failure);
    return first;
}

/* Leaves an error. */
void cwb_channel_cancel(cwb_channel *channel, cw_error *cause)
{
    cw_error *failure = NULL;
    cw_channel_cancel(channel->elements.channel, cause, &failure);
    leave_error(failure);
}

static cw_error *tell_closed(cw_error *cause, void *arg)
{
    return cwb_function_call(arg, CWB_FIRED, cause, NULL);
}

/* As cw_channel_on_close(); leaves an error. */
int cwb_channel_on_close(cwb_channel *channel, uint32_t token)
{
    cw_error *failure = NULL;
    cwb_function *handler = cwb_function_new(token);
    if (!handler) return CW_ENOMEM;
    int status = cw_channel_on_close(channel->elements.channel, tell_closed,
                                     handler, &failure);
    leave_error(failure);
    if (status == CW_OK)
        channel->on_close = handler;
    else
        drop_function(handler);
    return status;
}

/* ---- producers: see cw_produce() */

/* 0: the channel has, or had, one. */
uint32_t cwb_produce_begin(cwb_channel *channel)
{
    return cw__produce_begin(channel->elements.channel);
}

/* `job` may be NULL: it was not launched. */
void cwb_produce_end(cwb_channel *channel, cw_job *job)
{
    cw__produce_end(channel->elements.channel, job);
}
