/* progress.c: who hears of a job's progress.
 *
 * SPDX-License-Identifier: MIT
 */
#include "progress.h"

#include "alloc.h"
#include "base.h"

int cw__listen(cw_job *job, cw_channel *channel)
{
    cw__extra *extra = cw__job_extra(job);
    cw__listener *listener = extra ? cw__alloc(sizeof *listener) : NULL;
    if (!listener) return CW_ENOMEM;
    *listener = (cw__listener){NULL, cw_channel_retain(channel)};
    uint32_t state = cw__job_lock(job);
    bool ended = (state & CW__JOB_SEALED) != 0;
    if (!ended) {
        cw__listener **end = &extra->listeners;
        while (*end)
            end = &(*end)->next;
        *end = listener;
    }
    cw__job_unlock(job, state);
    if (!ended) return CW_OK;
    cw_channel_close(channel, NULL, NULL);
    cw_channel_release(channel);
    cw__free(listener, sizeof *listener);
    return CW_OK;
}

cw_channel *cw__next_listener(cw_job *job, const cw_channel *after)
{
    cw__extra *extra = cw__job_has_extra(job);
    if (!extra) return NULL;
    uint32_t state = cw__job_lock(job);
    cw__listener *listener = extra->listeners;
    while (after && listener && listener->channel != after)
        listener = listener->next;
    if (after && listener) listener = listener->next;
    cw_channel *channel =
        listener ? cw_channel_retain(listener->channel) : NULL;
    cw__job_unlock(job, state);
    return channel;
}

void cw__listeners_end(cw_job *job)
{
    cw__extra *extra = cw__job_has_extra(job);
    if (cw_likely(!extra)) return;
    uint32_t state = cw__job_lock(job);
    cw__listener *listener = extra->listeners;
    extra->listeners = NULL;
    cw__job_unlock(job, state);
    while (listener) {
        cw__listener *next = listener->next;
        cw_channel_close(listener->channel, NULL, NULL);
        cw_channel_release(listener->channel);
        cw__free(listener, sizeof *listener);
        listener = next;
    }
}
