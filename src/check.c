/* check.c: builds for debugging (CW_DEBUG) look at the handles they are given.
 *
 * SPDX-License-Identifier: MIT
 */
#include "check.h"

#ifdef CW_DEBUG

#    include "lock.h"
#    include "text.h"

#    include <stdlib.h>
#    include <string.h>

enum { KEPT = 4096, FREED_BYTE = 0xdd };
static const uint32_t freed_word = 0xdddddddd;

static const char *const kinds[] = {
    "job",          "context", "error",     "set of elements", "handler",
    "continuation", "channel", "broadcast", "mutex",           "semaphore",
};

void cw__check_handle(const void *handle, uint32_t magic, enum cw__magic wanted,
                      const char *function, const char *argument)
{
    if (magic == (uint32_t)wanted) return;
    char buffer[256];
    cw__text text = cw__text_begin(buffer, sizeof buffer);
    cw__text_add(&text, "coworker: ");
    cw__text_add(&text, function);
    cw__text_add(&text, "(): ");
    cw__text_add(&text, argument);
    if (!handle) {
        cw__text_add(&text, " is NULL");
    } else if (magic == freed_word) {
        cw__text_add(&text, " is freed");
    } else {
        cw__text_add(&text, " is no ");
        cw__text_add(&text, kinds[wanted - CW__MAGIC_JOB]);
        if (magic >= CW__MAGIC_JOB && magic < CW__MAGIC_END) {
            cw__text_add(&text, ", but a ");
            cw__text_add(&text, kinds[magic - CW__MAGIC_JOB]);
        }
    }
    cw__log_line(buffer);
    abort();
}

/* The blocks that were freed last. */
static struct {
    cw__lock lock;
    uint32_t next;
    struct {
        void *block;
        size_t bytes;
    } kept[KEPT];
} quarantine;

bool cw__quarantine(void **block, size_t *bytes)
{
    memset(*block, FREED_BYTE, *bytes);
    cw__lock_acquire(&quarantine.lock);
    uint32_t at = quarantine.next++ % KEPT;
    void *old = quarantine.kept[at].block;
    size_t old_bytes = quarantine.kept[at].bytes;
    quarantine.kept[at].block = *block;
    quarantine.kept[at].bytes = *bytes;
    cw__lock_release(&quarantine.lock);
    *block = old;
    *bytes = old_bytes;
    return old != NULL;
}

#else
typedef int cw__nothing_to_check; /* no empty file */
#endif
