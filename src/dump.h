/* dump.h: a picture of the jobs there are.
 *
 * SPDX-License-Identifier: MIT
 *
 * Taken in three steps. First the jobs are collected, from above to below, each
 * with a reference, so that they stay valid. Then each one is looked at by
 * itself: a suspended body is borrowed for that, so that nobody runs it while
 * it is read what it waits for. Jobs that it waits for are only looked up among
 * those collected, since others may be gone. Last, those that have not ended
 * are numbered, from above to below. Nothing is told before all that is over.
 */
#ifndef CW_DUMP_H
#define CW_DUMP_H

#include "job.h"

#define CW__NO_NODE UINT32_MAX

/* One job of the picture. */
typedef struct cw__node {
    cw_job *job;              /* keeps a reference */
    cw_context *context;      /* and one to this; NULL: not known */
    uint32_t parent;          /* node, or CW__NO_NODE */
    uint32_t children, count; /* nodes of its children: the first, how many */
    uint32_t waits_for, body; /* nodes, or CW__NO_NODE */
    uint32_t turns;           /* if it is watched: how often it has run */
    bool over;                /* has ended meanwhile: not to be told of */
    cw_dump_entry entry;
} cw__node;

typedef struct cw__dump {
    cw__node *nodes; /* each level of the tree behind the one above it */
    uint32_t count, room;
    uint32_t roots;              /* the first so many have no parent in it */
    uint32_t *table, table_size; /* finds them by their addresses */
} cw__dump;

/* What cw_dump_visit() says about `root` and its result. */
int cw__dump_take(cw__dump *dump, cw_job *root);
/* Also after it has failed. */
void cw__dump_drop(cw__dump *dump);

/* The node of a job that need not exist any more, or CW__NO_NODE. */
uint32_t cw__dump_find(const cw__dump *dump, const void *job);
/* The node that comes after this one in the order of a dump; CW__NO_NODE
 * first gives the first one, and it ends with that. */
uint32_t cw__dump_next(const cw__dump *dump, uint32_t node);

/* Looks at a node's job: fills its entry but for the numbers. */
void cw__dump_look(cw__dump *dump, cw__node *node);

/* The entry as text, cut off at the buffer's end. */
void cw__dump_print(const cw_dump_entry *entry, char *buffer, size_t size);
/* What a job waits for, or does, as a few words without numbers. */
struct cw__text;
void cw__dump_print_wait(const cw_dump_entry *entry, struct cw__text *text);

#endif /* CW_DUMP_H */
