/* dump_text.c: a picture of the jobs there are, as text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "dump.h"

#include "kill_gate.h"
#include "text.h"

enum { LINE = 512, INDENT = 2, DEEPEST = 32 };

static const char *const kinds[] = {
    [CW_DUMP_LAUNCH] = "launch", [CW_DUMP_ASYNC] = "async",
    [CW_DUMP_SCOPE] = "scope",   [CW_DUMP_SUPERVISOR] = "supervisor scope",
    [CW_DUMP_BARE] = "job",      [CW_DUMP_BARE_SUPERVISOR] = "supervisor job",
    [CW_DUMP_WAIT] = "wait",
};

static const char *const states[] = {
    [CW_DUMP_NEW] = "new",
    [CW_DUMP_ACTIVE] = "active",
    [CW_DUMP_COMPLETING] = "completing",
    [CW_DUMP_CANCELLING] = "cancelling",
};

static void add_count(cw__text *text, uint32_t count, const char *one,
                      const char *more)
{
    cw__text_add_number(text, count);
    cw__text_add(text, count == 1 ? one : more);
}

static void add_address(cw__text *text, const void *address)
{
    char digits[2 * sizeof address + 1];
    char *first = digits + sizeof digits - 1;
    uintptr_t left = (uintptr_t)address;
    *first = 0;
    do {
        *--first = "0123456789abcdef"[left % 16];
        left /= 16;
    } while (left);
    cw__text_add(text, " 0x");
    cw__text_add(text, first);
}

static void add_channel(cw__text *text, const cw_dump_entry *entry)
{
    add_address(text, entry->object);
    if (entry->capacity && entry->capacity != CW_UNLIMITED) {
        cw__text_add(text, " (");
        cw__text_add_number(text, entry->count);
        cw__text_add(text, " of ");
        cw__text_add_number(text, entry->capacity);
        cw__text_add(text, ")");
    }
    if (entry->closed) cw__text_add(text, " (closed)");
}

void cw__dump_print_wait(const cw_dump_entry *entry, cw__text *text)
{
    switch (entry->doing) {
    case CW_DUMP_NOTHING:
        cw__text_add(text, entry->state == CW_DUMP_NEW ? "not started"
                                                       : "not completed");
        return;
    case CW_DUMP_READY:
        cw__text_add(text, "ready");
        return;
    case CW_DUMP_RUNNING:
        cw__text_add(text, "runs");
        return;
    case CW_DUMP_IN_SCOPE:
        cw__text_add(text, "its body runs");
        return;
    case CW_DUMP_OUTSIDE:
        cw__text_add(text, "runs outside");
        return;
    case CW_DUMP_DELAY:
        cw__text_add(text, "waits for time to pass");
        return;
    case CW_DUMP_JOIN:
        cw__text_add(text, "waits for a job");
        return;
    case CW_DUMP_JOIN_ALL:
        cw__text_add(text, "waits for ");
        add_count(text, entry->count, " job", " jobs");
        return;
    case CW_DUMP_CHILDREN:
        cw__text_add(text, "waits for ");
        add_count(text, entry->count, " child", " children");
        return;
    case CW_DUMP_SEND:
        cw__text_add(text, "sends to channel");
        add_channel(text, entry);
        return;
    case CW_DUMP_RECEIVE:
        cw__text_add(text, "receives from channel");
        add_channel(text, entry);
        return;
    case CW_DUMP_CLOSE:
        cw__text_add(text, "waits for the end of channel");
        add_channel(text, entry);
        return;
    case CW_DUMP_LOCK:
        cw__text_add(text, "locks mutex");
        add_address(text, entry->object);
        return;
    case CW_DUMP_ACQUIRE:
        cw__text_add(text, "acquires semaphore");
        add_address(text, entry->object);
        return;
    case CW_DUMP_SELECT:
        cw__text_add(text, "selects among ");
        cw__text_add_number(text, entry->count);
        return;
    case CW_DUMP_CALL:
        cw__text_add(text, "waits to be resumed");
        return;
    }
}

static void add_number(cw__text *text, const char *before, uint32_t number)
{
    if (!number) return;
    cw__text_add(text, before);
    cw__text_add(text, "#");
    cw__text_add_number(text, number);
}

void cw__dump_print(const cw_dump_entry *entry, char *buffer, size_t size)
{
    cw__text text = cw__text_begin(buffer, size);
    uint32_t depth = entry->depth < DEEPEST ? entry->depth : DEEPEST;
    for (uint32_t i = 0; i < depth * INDENT; i++)
        cw__text_add(&text, " ");
    add_number(&text, "", entry->number);
    cw__text_add(&text, " ");
    cw__text_add(&text, *entry->name ? entry->name : "(no name)");
    cw__text_add(&text, ": ");
    cw__text_add(&text, kinds[entry->kind]);
    cw__text_add(&text, ", ");
    cw__text_add(&text, states[entry->state]);
    cw__text_add(&text, "; ");
    cw__dump_print_wait(entry, &text);
    add_number(&text, " in ", entry->body);
    add_number(&text, entry->doing == CW_DUMP_LOCK ? ", held by " : ", ",
               entry->waits_for);
    if (entry->line) {
        cw__text_add(&text, ", at ");
        cw__text_add(&text, entry->at);
        cw__text_add(&text, ":");
        cw__text_add_number(&text, (unsigned)entry->line);
    }
    if (*entry->context) {
        cw__text_add(&text, ", on ");
        cw__text_add(&text, entry->context);
    }
    if (entry->worker) {
        cw__text_add(&text, " worker ");
        cw__text_add_number(&text, entry->worker);
    }
    if (entry->for_ms >= 0) {
        cw__text_add(&text, ", for ");
        cw__text_add_number(&text, entry->for_ms < UINT32_MAX
                                       ? (unsigned)entry->for_ms
                                       : UINT32_MAX);
        cw__text_add(&text, " ms");
    }
}

/* ---- all of it */

struct writer {
    cw_line_fn *write;
    void *arg;
};

static void write_entry(void *arg, const cw_dump_entry *entry)
{
    const struct writer *writer = arg;
    char line[LINE];
    cw__dump_print(entry, line, sizeof line);
    writer->write(writer->arg, line);
}

int cw_dump_job(cw_job *root, cw_line_fn *write, void *arg)
{
    CW__RUNTIME;
    struct writer writer = {write, arg};
    return cw_dump_visit(root, write_entry, &writer);
}

int cw_dump_coroutines(cw_line_fn *write, void *arg)
{
    CW__RUNTIME;
    return cw_dump_job(NULL, write, arg);
}
