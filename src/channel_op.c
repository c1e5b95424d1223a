/* channel_op.c: operations of the host that wait at a channel.
 *
 * SPDX-License-Identifier: MIT
 */
#include "channel.h"

#include "context.h"

int cw__channel_op_send(cw_channel *channel, cw__party_op *party, void *element)
{
    cw__segment *segment = NULL;
    cw__aftermath after;
    cw__aftermath_init(&after);
    uint32_t size = channel->buffer.size;
    party->waiter.kind = CW__WAITER_PARTY_OP;
    party->waiter.target.object = channel;
    if (!cw__stash(&party->waiter, element, size)) return CW_ENOMEM;
    enum cw__sending how;
    do {
        cw__channel_lock(channel);
        how = cw__channel_put(channel, element, &segment, &after);
        if (how == CW__FULL) {
            if (cw__channel_admits_sender(channel, &segment)) {
                cw__queue_add(&channel->senders, &party->waiter);
            } else {
                how = CW__NEEDS_SEGMENT;
            }
        }
        cw__channel_unlock(channel);
        if (how != CW__NEEDS_SEGMENT) break;
        segment = cw__segment_new(&channel->buffer);
    } while (segment);
    cw__aftermath_run(cw__self, channel, &after);
    if (segment) cw__segment_free(&channel->buffer, segment);
    if (how == CW__FULL) return CW__PENDING;
    cw__stash_free(&party->waiter, size);
    if (how == CW__NEEDS_SEGMENT) return CW_ENOMEM;
    cw_error *error = NULL;
    if (how != CW__SENT) error = cw__channel_undelivered(channel, element);
    cw_error_release(error);
    if (how == CW__CLOSED) return CW_ESENDCLOSED;
    return error ? CW_EUNDELIVERED : CW_OK;
}

int cw__channel_op_receive(cw_channel *channel, cw__party_op *party, void *out)
{
    cw__aftermath after;
    cw__aftermath_init(&after);
    party->waiter.kind = CW__WAITER_PARTY_OP;
    party->waiter.target.object = channel;
    party->waiter.owner.pointer = out;
    cw__channel_lock(channel);
    enum cw__sending how = cw__channel_get(channel, out, &after);
    if (how == CW__EMPTY) cw__queue_add(&channel->receivers, &party->waiter);
    cw__channel_unlock(channel);
    cw__aftermath_run(cw__self, channel, &after);
    if (how == CW__EMPTY) return CW__PENDING;
    return how == CW__CLOSED ? CW_ERECVCLOSED : CW_OK;
}

int cw__channel_op_send_end(cw_channel *channel, cw__party_op *party,
                            bool cancelled)
{
    cw__waiter *waiter = &party->waiter;
    uint32_t size = channel->buffer.size;
    enum cw__outcome outcome =
        cw__channel_withdraw(channel, &channel->senders, waiter);
    if (outcome == CW__WAITING)
        cw__channel_lost(channel, NULL, cw__stashed(waiter, size));
    cw__stash_free(waiter, size);
    if (outcome == CW__REFUSED) return CW_ESENDCLOSED;
    return outcome == CW__WAITING || cancelled ? CW_ECANCELED : CW_OK;
}

int cw__channel_op_receive_end(cw_channel *channel, cw__party_op *party,
                               bool cancelled)
{
    cw__waiter *waiter = &party->waiter;
    enum cw__outcome outcome =
        cw__channel_withdraw(channel, &channel->receivers, waiter);
    if (outcome == CW__REFUSED) return CW_ERECVCLOSED;
    if (outcome == CW__WAITING) return CW_ECANCELED;
    if (!cancelled) return CW_OK;
    cw__channel_lost(channel, NULL, waiter->owner.pointer);
    return CW_ECANCELED;
}
