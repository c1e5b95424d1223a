/* dump.c: a picture of the jobs there are, and telling of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "dump.h"

#include "alloc.h"
#include "context.h"
#include "kill_gate.h"
#include "tree.h"
#include "watch.h"

#include <string.h>

/* ---- finding jobs by their addresses */

static uint32_t slot_of(const cw__dump *dump, const void *job)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)job >> 4) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> 32) & (dump->table_size - 1);
}

uint32_t cw__dump_find(const cw__dump *dump, const void *job)
{
    if (!job || !dump->table_size) return CW__NO_NODE;
    for (uint32_t slot = slot_of(dump, job);;
         slot = (slot + 1) & (dump->table_size - 1)) {
        uint32_t node = dump->table[slot];
        if (node == CW__NO_NODE || dump->nodes[node].job == job) return node;
    }
}

static void enter(cw__dump *dump, uint32_t node)
{
    uint32_t slot = slot_of(dump, dump->nodes[node].job);
    while (dump->table[slot] != CW__NO_NODE)
        slot = (slot + 1) & (dump->table_size - 1);
    dump->table[slot] = node;
}

/* ---- collecting */

/* Makes room for one more node: half of the table stays empty. */
static bool grow(cw__dump *dump)
{
    if (dump->count < dump->room) return true;
    uint32_t room = dump->room ? 2 * dump->room : 32, size = 2 * room;
    cw__node *nodes = cw__alloc(room * sizeof *nodes);
    uint32_t *table = cw__alloc(size * sizeof *table);
    if (!nodes || !table) {
        if (nodes) cw__free(nodes, room * sizeof *nodes);
        if (table) cw__free(table, size * sizeof *table);
        return false;
    }
    if (dump->room) {
        memcpy(nodes, dump->nodes, dump->count * sizeof *nodes);
        cw__free(dump->nodes, dump->room * sizeof *nodes);
        cw__free(dump->table, dump->table_size * sizeof *table);
    }
    memset(table, 0xff, size * sizeof *table); /* CW__NO_NODE */
    dump->nodes = nodes;
    dump->room = room;
    dump->table = table;
    dump->table_size = size;
    for (uint32_t i = 0; i < dump->count; i++)
        enter(dump, i);
    return true;
}

/* Adds a job unless it is there already. */
static int add(cw__dump *dump, cw_job *job, uint32_t parent)
{
    if (cw__dump_find(dump, job) != CW__NO_NODE) return CW_OK;
    if (!grow(dump)) return CW_ENOMEM;
    dump->nodes[dump->count] = (cw__node){.job = cw_job_retain(job),
                                          .parent = parent,
                                          .waits_for = CW__NO_NODE,
                                          .body = CW__NO_NODE};
    enter(dump, dump->count++);
    return CW_OK;
}

/* Adds the one above it that has nobody above. */
static int add_top(cw__dump *dump, cw_job *job)
{
    cw_job *above;
    (void)cw_job_retain(job);
    while ((above = cw_job_parent(job)) != NULL) {
        cw_job_release(job);
        job = above;
    }
    int status = add(dump, job, CW__NO_NODE);
    cw_job_release(job);
    return status;
}

static int add_all_tops(cw__dump *dump)
{
    /* acquire: pairs with cw_debug_set() */
    if (!(cw_load_acquire(&cw__debug_options) & CW_DEBUG_JOBS))
        return CW_ESTATE;
    size_t count = 0, room = 0;
    cw_job **jobs = NULL;
    while (!cw__watching->list(jobs, &count)) {
        if (jobs) cw__free(jobs, room * sizeof *jobs);
        room = count;
        jobs = cw__alloc(room * sizeof *jobs);
        if (!jobs) return CW_ENOMEM;
    }
    int status = CW_OK;
    for (size_t i = 0; i < count; i++) {
        if (status == CW_OK) status = add_top(dump, jobs[i]);
        cw_job_release(jobs[i]);
    }
    if (jobs) cw__free(jobs, room * sizeof *jobs);
    return status;
}

static int add_children(cw__dump *dump, uint32_t parent)
{
    cw__children children;
    int status = cw__children_take(dump->nodes[parent].job,
                                   CW__CHILDREN_LAUNCHED | CW__CHILDREN_WAITS |
                                       CW__CHILDREN_PARTS,
                                   &children);
    if (status != CW_OK) return status;
    uint32_t first = dump->count;
    for (size_t i = 0; i < children.count && status == CW_OK; i++)
        status = add(dump, children.jobs[i], parent);
    dump->nodes[parent].children = first;
    dump->nodes[parent].count = dump->count - first;
    cw__children_drop(&children);
    return status;
}

/* ---- numbering */

uint32_t cw__dump_next(const cw__dump *dump, uint32_t node)
{
    if (node == CW__NO_NODE) return dump->count ? 0 : CW__NO_NODE;
    if (dump->nodes[node].count) return dump->nodes[node].children;
    for (;;) {
        uint32_t parent = dump->nodes[node].parent;
        uint32_t end = dump->roots;
        if (parent != CW__NO_NODE)
            end = dump->nodes[parent].children + dump->nodes[parent].count;
        if (node + 1 < end) return node + 1;
        if (parent == CW__NO_NODE) return CW__NO_NODE;
        node = parent;
    }
}

static uint32_t number_of(const cw__dump *dump, uint32_t node)
{
    return node == CW__NO_NODE ? 0 : dump->nodes[node].entry.number;
}

static void number_all(cw__dump *dump)
{
    uint32_t number = 0, i = CW__NO_NODE;
    while ((i = cw__dump_next(dump, i)) != CW__NO_NODE) {
        cw__node *node = &dump->nodes[i];
        if (node->over) continue;
        node->entry.number = ++number;
        if (node->parent == CW__NO_NODE) continue;
        node->entry.parent = number_of(dump, node->parent);
        node->entry.depth = dump->nodes[node->parent].entry.depth + 1;
    }
    for (i = 0; i < dump->count; i++) {
        cw__node *node = &dump->nodes[i];
        node->entry.waits_for = number_of(dump, node->waits_for);
        node->entry.body = number_of(dump, node->body);
    }
}

/* ---- the whole */

int cw__dump_take(cw__dump *dump, cw_job *root)
{
    *dump = (cw__dump){0};
    int status = root ? add(dump, root, CW__NO_NODE) : add_all_tops(dump);
    dump->roots = dump->count;
    for (uint32_t i = 0; i < dump->count && status == CW_OK; i++)
        status = add_children(dump, i);
    if (status != CW_OK) return status;
    for (uint32_t i = 0; i < dump->count; i++)
        cw__dump_look(dump, &dump->nodes[i]);
    number_all(dump);
    return CW_OK;
}

void cw__dump_drop(cw__dump *dump)
{
    for (uint32_t i = 0; i < dump->count; i++) {
        cw_job_release(dump->nodes[i].job);
        if (dump->nodes[i].context) cw__context_drop(dump->nodes[i].context);
    }
    if (!dump->room) return;
    cw__free(dump->nodes, dump->room * sizeof *dump->nodes);
    cw__free(dump->table, dump->table_size * sizeof *dump->table);
}

int cw_dump_visit(cw_job *root, cw_dump_fn *visit, void *arg)
{
    CW__RUNTIME;
    cw__dump dump;
    int status = cw__dump_take(&dump, root);
    uint32_t i = CW__NO_NODE;
    while (status == CW_OK && (i = cw__dump_next(&dump, i)) != CW__NO_NODE)
        if (!dump.nodes[i].over) visit(arg, &dump.nodes[i].entry);
    cw__dump_drop(&dump);
    return status;
}
