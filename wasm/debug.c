/* debug.c: looking at what goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include "alloc.h"

#include <string.h>

/* Bits of what all realms look at. */
static _Atomic uint32_t flags;

/* Where that word is. Bit 0: put what runs into the timeline, bit 1: jobs are
 * looked at, so give them names. */
const void *cwb_flags(void) { return &flags; }

/* `options` as for cw_debug_set(); hints go to the log. */
void cwb_debug_set(uint32_t options, uint32_t timeline)
{
    /* relaxed: it may take a while until all see it */
    cw_store_relaxed(&flags, (timeline ? 1u : 0) | (options ? 2u : 0));
    cw_debug_set(options, NULL, NULL);
}

typedef struct text {
    char *at;
    uint32_t length, room;
} text;

static void add_line(void *arg, const char *line)
{
    text *self = arg;
    uint32_t bytes = (uint32_t)strlen(line) + 1;
    if (self->length + bytes > self->room) {
        uint32_t room = (self->length + bytes) * 2;
        char *at = cw__system_alloc(room);
        if (!at) return; /* a shorter text is better than none */
        if (self->length) memcpy(at, self->at, self->length);
        cw__system_free(self->at);
        self->at = at;
        self->room = room;
    }
    memcpy(self->at + self->length, line, bytes - 1);
    self->at[self->length + bytes - 1] = '\n';
    self->length += bytes;
}

/* The dump of a job with all below it, or (NULL) of all jobs, in the scratch
 * buffer. Returns its length or an error. */
int cwb_dump(cw_job *root)
{
    text lines = {0};
    int status = root ? cw_dump_job(root, add_line, &lines)
                      : cw_dump_coroutines(add_line, &lines);
    uint8_t *scratch = status == CW_OK ? cwb_scratch(lines.length) : NULL;
    if (scratch && lines.length) memcpy(scratch, lines.at, lines.length);
    cw__system_free(lines.at);
    if (status != CW_OK) return status;
    return scratch ? (int)lines.length : CW_ENOMEM;
}
