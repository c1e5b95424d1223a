/* errors.c: errors that were thrown in JavaScript, and their way there.
 *
 * SPDX-License-Identifier: MIT
 *
 * What a realm throws it gets back as the very same object, as long as the core
 * has the error: the realm keeps the object in a slot until the error is freed.
 * Other realms make an object of the parts that the error carries.
 */
#include "bridge.h"

#include "context.h"
#include "error.h"

#include <string.h>

/* Builds the error that the record in the scratch buffer describes: owned.
 * `slot`: where this realm keeps the thrown object, -1 for what it does not. */
cw_error *cwb_error_new(int code, int32_t slot)
{
    const char *scratch = (const char *)cwb_scratch(0);
    cwb_error_record record;
    memcpy(&record, scratch, sizeof record);
    const char *message = scratch + sizeof record;
    uint32_t offset =
        (uint32_t)sizeof record + ((record.message_bytes + 7) & ~7u);
    cw_error *error = cw__error_carrying(code, message, NULL, scratch + offset,
                                         record.payload_bytes);
    cw__error_origin *origin = cw__error_origin_of(error);
    if (origin && slot >= 0) {
        cw__context_hold(cwb_realm->context);
        *origin = (cw__error_origin){cwb_here, (uint32_t)slot};
    }
    return error;
}

/* The slot of an error that this realm has thrown, else -1. */
int32_t cwb_error_slot(cw_error *error)
{
    const cw__error_origin *origin = cw__error_origin_of(error);
    return origin && origin->home == cwb_here ? (int32_t)origin->slot : -1;
}

/* One more reference to an error whose object this realm still has. False: the
 * core has freed it. */
uint32_t cwb_error_revive(cw_error *error) { return cw__error_revive(error); }

uint32_t cwb_error_is_crash(const cw_error *error)
{
    return cw__error_is_crash(error);
}

void cwb_error_mark_crash(cw_error *error) { cw__error_mark_crash(error); }

const void *cwb_error_payload(const cw_error *error)
{
    uint32_t bytes;
    return cw__error_payload(error, &bytes);
}

uint32_t cwb_error_payload_bytes(const cw_error *error)
{
    uint32_t bytes;
    cw__error_payload(error, &bytes);
    return bytes;
}

void cwb_error_free(cw_error *error)
{
    cwb_home *home = cw__error_origin_of(error)->home;
    if (home == cwb_here)
        cwb_error_freed(error);
    else /* there is no hurry */
        cwb_post_quietly(home, (uintptr_t)error | CWB_MARK_ERROR);
}

void cwb_error_freed(cw_error *error)
{
    cw__error_origin origin = *cw__error_origin_of(error);
    cw__error_free(error);
    cw_js_error_freed(origin.slot);
    cw__context_drop(((cwb_home *)origin.home)->worker->context);
}

void cwb_error_discard(cw_error *error)
{
    const cwb_home *home = cw__error_origin_of(error)->home;
    cw__error_free(error);
    cw__context_drop(home->worker->context);
}
