/* deadlock.c: a look whether jobs wait for what will never happen.
 *
 * SPDX-License-Identifier: MIT
 *
 * Made whenever a thread has nothing to do. Two pictures of the jobs are taken.
 * If in both every one waits, and none has run in between, then there was a
 * moment when all of them waited: from each one's first picture to its second
 * it did nothing else. So one that was woken behind our back is not overlooked.
 */
#include "deadlock.h"

#include "alloc.h"
#include "context.h"
#include "dump.h"
#include "kill_gate.h"
#include "text.h"
#include "watch.h"

#include <string.h>

enum { LINE = 512, MOST_IN_CIRCLE = 16 };

static struct {
    cw__lock lock;
    cw_line_fn *write;
    void *arg;
    bool told;
} hints;

/* ---- whether all wait */

struct verdict {
    uint64_t turns; /* of all jobs together */
    bool stuck;     /* every job waits for others, or is not begun */
    bool blocking;  /* a thread waits for some of them */
};

/* A body that the calling thread has interrupted to wait in here. */
static bool is_interrupted(const cw_job *job)
{
    for (const cw__worker *self = cw__self; self; self = self->outer)
        if (self->current == job) return true;
    return false;
}

static bool waits(const cw__node *node)
{
    switch (node->entry.doing) {
    case CW_DUMP_READY:
    case CW_DUMP_RUNNING:
        return is_interrupted(node->job);
    case CW_DUMP_OUTSIDE:
    case CW_DUMP_CALL: /* somebody outside may have it */
        return false;
    default:
        return true;
    }
}

/* Something will happen in time. */
static bool is_timed(const cw__node *node)
{
    const cw_context *keeper = node->context->timekeeper;
    /* seq_cst: comes after whatever has set it */
    if (keeper) return cw_load_seq_cst(&keeper->timers.next_ns) != CW__NEVER;
    /* The one who keeps its time need not even be there. */
    const cw__extra *extra = cw__job_has_extra(node->job);
    uint32_t state = cw__job_lock(node->job);
    bool limited =
        extra && (extra->limits[CW__TIMEOUT] || extra->limits[CW__DEADLINE]);
    cw__job_unlock(node->job, state);
    return limited || node->entry.doing == CW_DUMP_DELAY ||
           node->entry.doing == CW_DUMP_SELECT;
}

static struct verdict judge(const cw__dump *dump)
{
    struct verdict verdict = {0, dump->count > 0, false};
    for (uint32_t i = 0; i < dump->count && verdict.stuck; i++) {
        const cw__node *node = &dump->nodes[i];
        verdict.turns += node->turns;
        if (node->over) continue;
        verdict.stuck = waits(node);
        if (!node->context) continue;
        if (is_timed(node)) verdict.stuck = false;
        if (node->context->adopted || node->context->clock)
            verdict.blocking = true;
    }
    return verdict;
}

/* ---- why */

/* What has to end before this node's job can go on: number `n` of it. */
static uint32_t needed(const cw__dump *dump, uint32_t i, uint32_t n)
{
    const cw__node *node = &dump->nodes[i];
    if (node->entry.doing == CW_DUMP_CHILDREN)
        return n < node->count ? node->children + n : CW__NO_NODE;
    if (n > 0) return CW__NO_NODE;
    return node->entry.doing == CW_DUMP_IN_SCOPE ? node->body : node->waits_for;
}

/* Finds nodes that need each other in a circle, depth first. Returns one of
 * them; `next[]` then leads from each to what it needs. `next` and `asked` are
 * zero at first. CW__NO_NODE if there is none. */
static uint32_t find_circle(const cw__dump *dump, uint32_t *next,
                            uint32_t *asked, uint32_t *back)
{
    for (uint32_t start = 0; start < dump->count; start++) {
        if (asked[start]) continue;
        uint32_t i = start;
        back[i] = CW__NO_NODE;
        for (;;) {
            uint32_t other = needed(dump, i, asked[i]++);
            if (other == CW__NO_NODE) {
                asked[i] = UINT32_MAX; /* done with it */
                i = back[i];
                if (i == CW__NO_NODE) break;
                continue;
            }
            next[i] = other;
            if (asked[other] == UINT32_MAX || dump->nodes[other].over) continue;
            if (asked[other]) return other; /* is on the way here */
            back[other] = i;
            i = other;
        }
    }
    return CW__NO_NODE;
}

static void add_node(cw__text *text, const cw__node *node)
{
    cw__text_add(text, "#");
    cw__text_add_number(text, node->entry.number);
    cw__text_add(text, " ");
    cw__text_add(text, node->entry.name);
}

/* A circle as text; false if there is none, or no memory to look for it. */
static bool print_circle(const cw__dump *dump, char *line, size_t size)
{
    size_t bytes = 3 * dump->count * sizeof(uint32_t);
    uint32_t *memory = cw__alloc(bytes);
    if (!memory) return false;
    memset(memory, 0, bytes);
    uint32_t *next = memory;
    uint32_t first =
        find_circle(dump, next, memory + dump->count, memory + 2 * dump->count);
    if (first != CW__NO_NODE) {
        cw__text text = cw__text_begin(line, size);
        cw__text_add(&text, "coworker: in a circle: ");
        uint32_t i = first;
        for (uint32_t n = 0; n < MOST_IN_CIRCLE && (!n || i != first); n++) {
            add_node(&text, &dump->nodes[i]);
            cw__text_add(&text, " needs ");
            i = next[i];
        }
        add_node(&text, &dump->nodes[i]);
    }
    cw__free(memory, bytes);
    return first != CW__NO_NODE;
}

/* A job that nobody has started and that another one needs. */
static bool print_unstarted(const cw__dump *dump, char *line, size_t size)
{
    for (uint32_t i = 0; i < dump->count; i++) {
        const cw__node *node = &dump->nodes[i];
        if (node->over || node->entry.state != CW_DUMP_NEW ||
            node->parent == CW__NO_NODE)
            continue;
        const cw__node *parent = &dump->nodes[node->parent];
        if (parent->over || parent->entry.doing != CW_DUMP_CHILDREN) continue;
        cw__text text = cw__text_begin(line, size);
        cw__text_add(&text, "coworker: nobody has started ");
        add_node(&text, node);
        cw__text_add(&text, ", which keeps ");
        add_node(&text, parent);
        cw__text_add(&text, " from ending");
        return true;
    }
    return false;
}

/* ---- telling */

static void log_line(void *arg, const char *line)
{
    (void)arg;
    cw__log_line(line);
}

/* True for the first one who asks, and where to write to. */
static bool may_tell(cw_line_fn **write, void **arg)
{
    cw__lock_acquire(&hints.lock);
    bool first = !hints.told;
    hints.told = true;
    *write = hints.write ? hints.write : log_line;
    *arg = hints.arg;
    cw__lock_release(&hints.lock);
    return first;
}

static void tell(const cw__dump *dump, const char *circle,
                 const char *unstarted)
{
    cw_line_fn *write;
    void *arg;
    if (!may_tell(&write, &arg)) return;
    char line[LINE];
    write(arg, "coworker: may be deadlocked: all jobs wait");
    uint32_t i = CW__NO_NODE;
    while ((i = cw__dump_next(dump, i)) != CW__NO_NODE) {
        if (dump->nodes[i].over) continue;
        cw__dump_print(&dump->nodes[i].entry, line, sizeof line);
        write(arg, line);
    }
    if (*circle) write(arg, circle);
    if (*unstarted) write(arg, unstarted);
}

static void look(void)
{
    cw__dump dump;
    struct verdict before = {0}, after = {0};
    if (cw__dump_take(&dump, NULL) == CW_OK) before = judge(&dump);
    cw__dump_drop(&dump);
    if (!before.stuck) return;
    bool taken = cw__dump_take(&dump, NULL) == CW_OK;
    if (taken) after = judge(&dump);
    if (after.stuck && after.turns == before.turns) {
        char circle[LINE] = "", unstarted[LINE] = "";
        bool known = print_circle(&dump, circle, sizeof circle);
        known |= print_unstarted(&dump, unstarted, sizeof unstarted);
        if (known || after.blocking) tell(&dump, circle, unstarted);
    }
    cw__dump_drop(&dump);
}

/* Who comes while somebody looks lets that one look once more: each would find
 * bodies that the other one has borrowed, and take them for running. */
static _Atomic uint32_t lookers;

void cw__look_for_deadlock(void)
{
    cw__lock_acquire(&hints.lock);
    bool told = hints.told;
    cw__lock_release(&hints.lock);
    if (told) return;
    /* acq_rel: what a looker has seen to before comes before the next look */
    uint32_t count = cw_add_acq_rel(&lookers, 1) + 1;
    if (count > 1) return;
    do {
        look();
    } while (!cw_cas_acq_rel(&lookers, &count, 0));
}

void cw_debug_set(unsigned options, cw_line_fn *write, void *arg)
{
    CW__RUNTIME;
    if (options & CW_DEBUG_DEADLOCKS) options |= CW_DEBUG_JOBS;
    cw__lock_acquire(&hints.lock);
    hints.write = write;
    hints.arg = arg;
    hints.told = false;
    if (!cw__watching && options) cw__watching = &cw__watch_table;
    cw__lock_release(&hints.lock);
    /* release: whoever sees the options sees the table */
    cw_store_release(&cw__debug_options, options);
}
