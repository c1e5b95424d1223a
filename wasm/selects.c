/* selects.c: select for JavaScript.
 *
 * SPDX-License-Identifier: MIT
 *
 * JavaScript makes a select, adds its clauses and lets it wait, all in one go.
 * It hears which clause won, and calls that one's function.
 */
#include "selects.h"

#include "alloc.h"
#include "gate.h"
#include "waits.h"

/* One clause, and what it is about. */
typedef struct part {
    enum cwb_kind kind;  /* of `object`; for jobs it has no meaning */
    void *object;        /* owned; NULL for a time limit */
    cwb_element element; /* to be sent, or received */
} part;

struct cwb_select {
    uint32_t count, capacity;
    bool fair;
    part *parts; /* behind the clauses */
    cw_clause clauses[];
};

static size_t bytes_of(uint32_t capacity)
{
    return sizeof(cwb_select) + capacity * (sizeof(part) + sizeof(cw_clause));
}

/* A select for so many clauses: owned, until cwb_select_wait() takes it over.
 * NULL without memory. `fair`: any one that is ready may win, not the first. */
cwb_select *cwb_select_new(uint32_t capacity, uint32_t fair)
{
    cwb_select *self = cw__alloc(bytes_of(capacity));
    if (!self) return NULL;
    self->count = 0;
    self->capacity = capacity;
    self->fair = fair != 0;
    self->parts = (part *)(void *)(self->clauses + capacity);
    return self;
}

static bool is_job(const cw_clause *clause)
{
    return clause->kind == CW__ON_JOIN || clause->kind == CW__ON_AWAIT;
}

void cwb_select_drop(cwb_select *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        part *one = &self->parts[i];
        const cw_clause *clause = &self->clauses[i];
        /* What was not sent is ours; what nobody received is nothing. */
        if (clause->kind == CW__ON_SEND && clause->status == CW_EAGAIN)
            cwb_element_drop(&one->element);
        if (is_job(clause))
            cw_job_release(one->object);
        else if (one->object)
            cwb_object_drop(one->kind, one->object);
    }
    cw__free(self, bytes_of(self->capacity));
}

static void add(cwb_select *self, cw_clause clause, enum cwb_kind kind,
                void *object)
{
    uint32_t index = self->count++;
    self->clauses[index] = clause;
    self->parts[index].kind = kind;
    self->parts[index].object = object;
}

/* CW__ON_JOIN, or CW__ON_AWAIT, after which JavaScript takes the result. */
void cwb_select_on_job(cwb_select *self, cw_job *job, uint32_t kind)
{
    add(self, cw__clause((int)kind, job, NULL, NULL, 0), CWB_CHANNEL,
        cw_job_retain(job));
}

/* `ms` is a whole number, or INFINITY. */
void cwb_select_on_timeout(cwb_select *self, double ms)
{
    add(self, cw_on_timeout(ms > 0 ? cwb_whole_ms(ms) : 0), CWB_CHANNEL, NULL);
}

void cwb_select_on_lock(cwb_select *self, cw_mutex *mutex, const void *owner)
{
    add(self, cw_on_lock(mutex, owner), CWB_MUTEX,
        cwb_object_keep(CWB_MUTEX, mutex));
}

/* For the element see values.h. CW_OK or CW_ENOMEM. */
int cwb_select_on_send(cwb_select *self, cwb_channel *channel, uint32_t head)
{
    cwb_element *element = &self->parts[self->count].element;
    if (!cwb_element_take(element, head)) return CW_ENOMEM;
    cw_clause clause = cwb_elements_on_send(channel->elements, element);
    clause.status = CW_EAGAIN;
    add(self, clause, CWB_CHANNEL, cwb_object_keep(CWB_CHANNEL, channel));
    return CW_OK;
}

/* CW__ON_RECEIVE or CW__ON_RECEIVE_CATCHING. */
void cwb_select_on_receive(cwb_select *self, cwb_channel *channel,
                           uint32_t kind)
{
    cwb_element *element = &self->parts[self->count].element;
    cw_clause clause = cwb_elements_on_receive(channel->elements, element);
    clause.kind = (int)kind;
    add(self, clause, CWB_CHANNEL, cwb_object_keep(CWB_CHANNEL, channel));
}

/* ---- waiting */

typedef struct select_arg {
    cwb_wait wait;
    cwb_select *select; /* owned */
} select_arg;

static void take_result(const cwb_select *self, uint32_t which,
                        cwb_selected *result)
{
    const cw_clause *clause = &self->clauses[which];
    result->which = which;
    result->received.status = clause->status;
    bool received = clause->kind == CW__ON_RECEIVE ||
                    clause->kind == CW__ON_RECEIVE_CATCHING;
    if (received && clause->status == CW_OK)
        result->received.element = self->parts[which].element;
}

CW_COROUTINE(selecting, select_arg, cwb_selected, int which;)
{
    CW_BEGIN(self);
    CW__SELECT(self, self->arg.select->clauses, self->arg.select->count,
               &self->which, self->arg.select->fair);
    take_result(self->arg.select, (uint32_t)self->which, &self->result);
    CW_FINALLY(self);
    cwb_select_drop(self->arg.select);
    CW_END(self);
}
CWB_LEAF(selecting, "select", select_arg, cwb_selected);

/* Waits for the first clause; gives a cwb_selected. The select is taken over in
 * any case. */
int cwb_select_wait(cw_job *scope, uint32_t token, cwb_select *select)
{
    select_arg arg = {{.token = token}, select};
    int status = cwb_leaf_begin(scope, &selecting_leaf, &arg);
    if (status != CW_OK) cwb_select_drop(select);
    return status;
}
