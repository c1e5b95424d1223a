/* log.c: the steps of an interleaving, and their report.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include "interleaving.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_STEPS = 20000,   /* of one interleaving: more have no end */
    REPORTED_STEPS = 120 /* of a failed interleaving, its last ones */
};

struct step {
    struct model_op op;
    uint64_t after;
};

bool model_telling;

static struct step steps[MAX_STEPS];
static int step_count;

void model_log_clear(void) { step_count = 0; }

void model_log(const struct model_op *op, uint64_t after)
{
    if (step_count == MAX_STEPS) {
        char why[40];
        snprintf(why, sizeof why, "more than %d operations", MAX_STEPS);
        model_give_up(why);
    }
    if (op->thread > 0) model_this.threads[op->thread].steps++;
    steps[step_count++] = (struct step){*op, after};
}

void model_log_plain(uintptr_t address, size_t bytes, bool write,
                     const void *pc)
{
    if (!model_telling) return;
    struct model_op op = {.kind = write ? MODEL_STORE : MODEL_LOAD,
                          .thread = model_current,
                          .address = address,
                          .size = 0, /* plain */
                          .value = bytes,
                          .pc = pc};
    model_log(&op, 0);
}

static const char *order_name(int order)
{
    static const char *const names[] = {"relaxed", "consume", "acquire",
                                        "release", "acq_rel", "seq_cst"};
    return order >= 0 && order < 6 ? names[order] : "";
}

void model_log_print(void)
{
    static const char *const names[] = {"load", "store", "swap", "add",
                                        "sub",  "and",   "or",   "cas",
                                        "wait", "wake"};
    int first = step_count > REPORTED_STEPS ? step_count - REPORTED_STEPS : 0;
    char *command = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&command, &length);
    if (!text) return;
    fprintf(text, "addr2line -s -e /proc/%d/exe", (int)getpid());
    for (int i = first; i < step_count; i++)
        fprintf(text, " %p", (const void *)((const char *)steps[i].op.pc - 1));
    fprintf(text, " 2>/dev/null");
    fclose(text);
    FILE *places = popen(command, "r");
    free(command);
    for (int i = first; i < step_count; i++) {
        const struct step *step = &steps[i];
        char place[200] = "?";
        if (places && fgets(place, sizeof place, places))
            place[strcspn(place, " \n")] = 0;
        char what[40] = "";
        const char *order = "";
        if (step->op.size) {
            snprintf(what, sizeof what, "%#llx -> %#llx",
                     (unsigned long long)step->op.now,
                     (unsigned long long)step->after);
            order = order_name(step->op.order);
        } else {
            snprintf(what, sizeof what, "plain");
        }
        printf("  %d  %-22s %-5s %-7s %p  %s\n", step->op.thread, place,
               names[step->op.kind], order, (void *)step->op.address, what);
    }
    if (places) pclose(places);
}
