/* error.c: error objects, shared by reference count.
 *
 * SPDX-License-Identifier: MIT
 */
#include "error.h"

#include "alloc.h"
#include "atomic.h"
#include "check.h"
#include "host.h"
#include "kill_gate.h"
#include "lock.h"

#include <string.h>

/* An error that was met while another one was being dealt with. */
struct suppressed {
    struct suppressed *next;
    cw_error *error; /* owned */
};

struct cw_error {
    cw_error *next_dead;   /* first, for inbox.h: link while being freed */
    _Atomic uint32_t refs; /* 0 marks the static one, which is never freed */
    int code;
    cw_error *cause;     /* owned, or NULL */
    const char *message; /* stands behind the struct, and behind it ... */
    uint32_t payload;    /* ... at this offset, what a host keeps with it */
    uint32_t payload_bytes;
    uint32_t bytes; /* of this allocation */
    cw__lock lock;  /* guards the list: things are only added to it */
    struct suppressed *suppressed, **suppressed_end;
    cw__error_origin origin;
    _Atomic uint32_t crash; /* see cw__error_is_crash() */
#ifdef CW_DEBUG
    uint32_t magic; /* see check.h */
#endif
};

/* What cw_error_new() returns when there is no memory for an error. */
static cw_error out_of_memory = {.code = CW_ENOMEM,
#ifdef CW_DEBUG
                                 .magic = CW__MAGIC_ERROR,
#endif
                                 .message = "out of memory"};
/* The same for a cancellation: it must not turn into a failure, which would
 * cancel the parent, too. */
static cw_error cancelled = {.code = CW_ECANCELED,
#ifdef CW_DEBUG
                             .magic = CW__MAGIC_ERROR,
#endif
                             .message = "the job was cancelled"};

static _Thread_local int last_error;

struct entry {
    int code;
    const char *name, *text;
};
static const struct entry entries[] = {{CW_OK, "CW_OK", "success"},
#define ENTRY(name, value, text) {value, "CW_" #name, text},
                                       CW_ERROR_MAP(ENTRY)
#undef ENTRY
};

static const struct entry *find(int code)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].code == code) return &entries[i];
    return NULL;
}

const char *cw_status_text(int code)
{
    const struct entry *entry = find(code);
    return entry ? entry->text : "unknown error";
}

const char *cw_status_name(int code)
{
    const struct entry *entry = find(code);
    return entry ? entry->name : "CW_E?";
}

int cw_last_error(void) { return last_error; }

int cw__set_last_error(int code)
{
    last_error = code;
    return code;
}

cw_error *cw_error_new(int code, const char *message, cw_error *cause)
{
    CW__RUNTIME;
    return cw__error_carrying(code, message, cause, NULL, 0);
}

cw_error *cw__error_carrying(int code, const char *message, cw_error *cause,
                             const void *payload, uint32_t payload_bytes)
{
    if (!message) message = cw_status_text(code);
    size_t length = strlen(message) + 1;
    size_t offset = (sizeof(cw_error) + length + 7) & ~(size_t)7;
    size_t bytes = offset + payload_bytes;
    cw_error *error = cw__alloc(bytes);
    if (!error) return &out_of_memory;
    atomic_init(&error->refs, 1);
    CW__MARK(error, ERROR);
    error->code = code;
    error->cause = cw_error_retain(cause);
    error->message = memcpy(error + 1, message, length);
    error->payload = (uint32_t)offset;
    error->payload_bytes = payload_bytes;
    error->bytes = (uint32_t)bytes;
    atomic_init(&error->lock.word, 0);
    error->suppressed = NULL;
    error->suppressed_end = &error->suppressed;
    error->origin = (cw__error_origin){NULL, 0};
    atomic_init(&error->crash, 0);
    if (payload_bytes) memcpy((char *)error + offset, payload, payload_bytes);
    return error;
}

const void *cw__error_payload(const cw_error *error, uint32_t *bytes)
{
    *bytes = error->payload_bytes;
    return error->payload_bytes ? (const char *)error + error->payload : NULL;
}

void cw__error_mark_crash(cw_error *error)
{
    /* The static ones are everybody's. relaxed, all: whoever asks has got the
     * error after that. */
    if (cw_load_relaxed(&error->refs)) cw_store_relaxed(&error->crash, 1);
}

bool cw__error_is_crash(const cw_error *error)
{
    return cw_load_relaxed(&error->crash) != 0;
}

cw_error *cw_error_retain(cw_error *error)
{
    CW__CHECK_IF_ANY(ERROR, error);
    if (error && cw_load_relaxed(&error->refs) != 0)
        cw_add_relaxed(&error->refs, 1); /* the caller holds a reference */
    return error;
}

/* Gives a reference back; the last one puts the error on a list of dead ones.
 */
static void drop(cw_error *error, cw_error **dead)
{
    if (!error || cw_load_relaxed(&error->refs) == 0) return;
    /* acq_rel: whoever frees it has seen everybody's last use */
    if (cw_sub_acq_rel(&error->refs, 1) != 1) return;
    error->next_dead = *dead;
    *dead = error;
}

void cw_error_release(cw_error *error)
{
    CW__RUNTIME;
    CW__CHECK_IF_ANY(ERROR, error);
    cw_error *dead = NULL;
    drop(error, &dead);
    while (dead) { /* a loop, so that long chains need no stack */
        error = dead;
        dead = error->next_dead;
        drop(error->cause, &dead);
        while (error->suppressed) {
            struct suppressed *entry = error->suppressed;
            error->suppressed = entry->next;
            drop(entry->error, &dead);
            cw__free(entry, sizeof *entry);
        }
        if (error->origin.home)
            cw__the_host.error_free(error);
        else
            cw__error_free(error);
    }
}

void cw__error_free(cw_error *error) { cw__free(error, error->bytes); }

cw__error_origin *cw__error_origin_of(cw_error *error)
{
    /* Those that stand for a lack of memory are everybody's. */
    bool shared = error == &out_of_memory || error == &cancelled;
    return shared ? NULL : &error->origin;
}

bool cw__error_revive(cw_error *error)
{
    uint32_t refs = cw_load_relaxed(&error->refs);
    while (refs != 0)
        /* acq_rel: as little as the library has; who calls has seen it before
         */
        if (cw_cas_weak_acq_rel(&error->refs, &refs, refs + 1)) return true;
    return false;
}

/* ---- what came on top of an error */

/* How deep errors are looked through for themselves. */
enum { DEEPEST = 16 };

/* True if `error` is `part`, or carries it. Too deep counts as true. */
static bool carries(cw_error *error, const cw_error *part, unsigned depth)
{
    if (error == part || depth == DEEPEST) return true;
    if (error->cause && carries(error->cause, part, depth + 1)) return true;
    for (size_t i = 0;; i++) {
        cw_error *other = cw_error_suppressed(error, i);
        if (!other) return false;
        if (carries(other, part, depth + 1)) return true;
    }
}

cw_error *cw_error_suppressed(cw_error *error, size_t index)
{
    CW__CHECK_IF_ANY(ERROR, error);
    if (!error || cw_load_relaxed(&error->refs) == 0) return NULL;
    cw__lock_acquire(&error->lock);
    const struct suppressed *entry = error->suppressed;
    for (; entry && index > 0; index--)
        entry = entry->next;
    cw_error *other = entry ? entry->error : NULL;
    cw__lock_release(&error->lock);
    return other;
}

void cw__error_suppress(cw_error *error, cw_error *other)
{
    if (cw_load_relaxed(&error->refs) == 0 || cw__error_is_cancel(other) ||
        carries(other, error, 0))
        return; /* a circle of references would never be freed */
    struct suppressed *entry = cw__alloc(sizeof *entry);
    if (!entry) return; /* it only tells more about another error */
    entry->next = NULL;
    entry->error = cw_error_retain(other);
    cw__lock_acquire(&error->lock);
    struct suppressed *twin = error->suppressed;
    while (twin && twin->error != other)
        twin = twin->next;
    if (!twin) {
        *error->suppressed_end = entry;
        error->suppressed_end = &entry->next;
    }
    cw__lock_release(&error->lock);
    if (twin) {
        cw_error_release(other);
        cw__free(entry, sizeof *entry);
    }
}

int cw_error_code(const cw_error *error)
{
    CW__CHECK_IF_ANY(ERROR, error);
    return error ? error->code : CW_OK;
}

const char *cw_error_message(const cw_error *error)
{
    CW__CHECK_IF_ANY(ERROR, error);
    return error ? error->message : cw_status_text(CW_OK);
}

cw_error *cw_error_cause(const cw_error *error)
{
    CW__CHECK_IF_ANY(ERROR, error);
    return error ? error->cause : NULL;
}

cw_error *cw__error_cancelled(cw_error *cause)
{
    if (cause && cw__error_is_cancel(cause)) return cw_error_retain(cause);
    cw_error *error = cw_error_new(CW_ECANCELED, NULL, cause);
    return error == &out_of_memory ? &cancelled : error;
}
