/* surroundings.c: what jobs are surrounded by: elements, as JavaScript makes
 * and reads them.
 *
 * SPDX-License-Identifier: MIT
 *
 * The values among them are encoded, and the core knows nothing of what is in
 * them; the keys are names.
 */
#include "bridge.h"

#include "alloc.h"
#include "atomic.h"
#include "elements.h"
#include "lock.h"

#include <string.h>

/* ---- names and terms */

/* Elements like `base` with a name, `length` bytes in the scratch buffer. */
const cw_elements *cwb_elements_name(const cw_elements *base, uint32_t length)
{
    return cw_elements_with_name(base, cwb_scratch_string(length));
}

/* Gives up a set for the one that was made of it, or for NULL. */
static const cw_elements *replacing(const cw_elements **set,
                                    const cw_elements *made)
{
    if (made != *set) cw_elements_release(*set);
    *set = made;
    return made;
}

/* Elements like `base` with what counts for one launch: milliseconds, or -1, of
 * timeout and deadline, enum cw_priority, and enum cw_when_full, or -1. */
const cw_elements *cwb_elements_terms(const cw_elements *base, double timeout,
                                      double deadline, int priority,
                                      int when_full)
{
    const cw_elements *given =
        cw_elements_with_priority(base, (cw_priority)priority);
    const cw_elements *set = given;
    if (set && timeout >= 0)
        set = cw_elements_with_timeout(given, cwb_whole_ms(timeout));
    set = replacing(&given, set);
    if (set && deadline >= 0)
        set = cw_elements_with_deadline(given, cwb_whole_ms(deadline));
    set = replacing(&given, set);
    if (set && when_full >= 0)
        set = cw_elements_with_when_full(given, (cw_when_full)when_full);
    return replacing(&given, set);
}

/* ---- values */

typedef struct value {
    cw__shared shared; /* first */
    uint32_t length;
    uint8_t bytes[];
} value;

static void free_value(cw__shared *shared)
{
    value *self = (value *)(void *)shared;
    cw__free(self, sizeof *self + self->length);
}

/* Keys that JavaScript uses, which are the same for the same name. */
typedef struct key {
    cw_key key; /* first */
    struct key *next;
    char name[];
} key;
static cw__lock keys_lock;
static key *keys; /* they are never freed: programs have few */

/* The key whose name stands in the scratch buffer; NULL without memory. */
const cw_key *cwb_key(uint32_t length)
{
    const char *name = (const char *)cwb_scratch(0);
    key *made = cw__system_alloc(sizeof *made + length + 1);
    if (!made) return NULL;
    memcpy(made->name, name, length);
    made->name[length] = 0;
    made->key.name = made->name;
    cw__lock_acquire(&keys_lock);
    key *found = keys;
    while (found && strcmp(found->name, made->name) != 0)
        found = found->next;
    if (!found) {
        made->next = keys;
        keys = made;
    }
    cw__lock_release(&keys_lock);
    if (found) cw__system_free(made);
    return found ? &found->key : &made->key;
}

/* Elements like `base` with a value, encoded in the scratch buffer. */
const cw_elements *cwb_elements_value(const cw_elements *base,
                                      const cw_key *key, uint32_t length)
{
    value *self = cw__alloc(sizeof *self + length);
    if (!self) return NULL;
    self->shared.free = free_value;
    atomic_init(&self->shared.refs, 1);
    self->length = length;
    memcpy(self->bytes, cwb_scratch(0), length);
    const cw_elements *set =
        cw__elements_with_shared_value(base, key, &self->shared);
    cw__shared_drop(&self->shared);
    return set;
}

/* Copies the value that is in force for a running job to the scratch buffer.
 * Returns its length, -1 if there is none, CW_ENOMEM is -2. */
int cwb_job_value(const cw_job *job, const cw_key *key)
{
    const value *found = cw_elements_value(cw__job_elements(job), key);
    if (!found) return -1;
    uint8_t *at = cwb_scratch(found->length);
    if (!at) return CW_ENOMEM;
    memcpy(at, found->bytes, found->length);
    return (int)found->length;
}

static uint8_t *put_bytes(uint8_t *to, const void *from, uint32_t bytes)
{
    memcpy(to, from, bytes);
    return to + bytes;
}

/* Copies all values of JavaScript's that are in force for a running job to the
 * scratch buffer. Each is a record: the lengths of key and value, 32 bits each,
 * and the two. Returns how many bytes that is, or CW_ENOMEM. */
int cwb_job_values(const cw_job *job)
{
    const cw_elements *set = cw__job_elements(job);
    uint32_t bytes = 0;
    for (uint32_t i = 0; set && i < set->count; i++) {
        const cw__shared *shared = set->values[i].shared;
        if (!shared || shared->free != free_value) continue;
        bytes += (uint32_t)strlen(set->values[i].key->name) + 8 +
                 ((const value *)(const void *)shared)->length;
    }
    if (!bytes) return 0;
    uint8_t *at = cwb_scratch(bytes);
    if (!at) return CW_ENOMEM;
    for (uint32_t i = 0; i < set->count; i++) {
        const cw__shared *shared = set->values[i].shared;
        if (!shared || shared->free != free_value) continue;
        const value *one = (const value *)(const void *)shared;
        const char *name = set->values[i].key->name;
        uint32_t length = (uint32_t)strlen(name);
        at = put_bytes(at, &length, sizeof length);
        at = put_bytes(at, &one->length, sizeof one->length);
        at = put_bytes(at, name, length);
        at = put_bytes(at, one->bytes, one->length);
    }
    return (int)bytes;
}
