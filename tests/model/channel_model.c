/* channel_model.c: senders and receivers that pass each other, or wait.
 *
 * SPDX-License-Identifier: MIT
 *
 * The buffers are small, so that each of the two meets the other one's end.
 */
#include "model.h"

#include "channel.h"
#include "context.h"
#include "coroutine.h"
#include "error.h"
#include "host.h"

CW_CHANNEL_TYPE(ints, int)

static cw_context *home;
static ints numbers;
static cw_job *body;
/* What the threads have done; each is one thread's. */
static int sent, received[2], arrived;

static void begin(int capacity, const cw_coroutine *type)
{
    cw__the_host = (cw__host){0};
    home = cw__context_adopt("home");
    numbers = ints_new(capacity);
    CHECK(numbers.channel->parted);
    body = type ? cw__job_new(home, type, CW__JOB_ASYNC, 1, 0) : NULL;
    sent = arrived = 0;
}

static void end(void)
{
    cw_job_release(body);
    cw_channel_release(numbers.channel);
    cw__context_disown(home);
}

/* Sends up to three more numbers, as far as there is room. */
static void send(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++)
        if (ints_try_send(numbers, sent + 1) == CW_OK) sent++;
}

static void receive(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++)
        if (ints_try_receive(numbers, &received[arrived]) == CW_OK) arrived++;
}

/* ---- passing each other */

SCENARIO(channel_pass, 2)
{
    begin(1, NULL);
    CHECK(ints_try_send(numbers, ++sent) == CW_OK);
    model_thread(send, NULL);
    model_thread(receive, NULL);
    model_run();
    int next = 0, got;
    for (int i = 0; i < arrived; i++)
        CHECK(received[i] == ++next);
    while (ints_try_receive(numbers, &got) == CW_OK)
        CHECK(got == ++next);
    CHECK(next == sent && arrived > 0);
    end();
}

MUTANT(channel_pass, "who sends looks without acquiring")
{
    if (op->thread != 1 ||
        !MODEL_IS(op, MODEL_LOAD, &numbers.channel->buffer.out.word))
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

MUTANT(channel_pass, "who receives looks without acquiring")
{
    if (op->thread != 2 ||
        !MODEL_IS(op, MODEL_LOAD, &numbers.channel->buffer.in.word))
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

MUTANT(channel_pass, "unlocking does not release")
{
    if (!MODEL_IS(op, MODEL_STORE, &numbers.channel->buffer.in.word))
        return MODEL_AS_IS;
    op->order = __ATOMIC_RELAXED;
    return MODEL_CHANGED;
}

MUTANT(channel_pass, "who finds no room does not await the other lane")
{
    return op->thread == 1 &&
                   MODEL_IS(op, MODEL_CAS, &numbers.channel->buffer.out.word)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- waiting */

static void run_body(void *unused)
{
    (void)unused;
    cw__self = &home->workers[0];
    cw__task_run(cw__self, body);
    cw__self = NULL;
}

/* The body has ended, or was queued once, and then ends. */
static void check_body(void)
{
    cw_job *jobs[2];
    if (!cw_is_completed(body)) {
        CHECK(cw__context_take(home, jobs, 2) == 1 && jobs[0] == body);
        run_body(NULL);
    }
    CHECK(cw_is_completed(body) && cw__context_take(home, jobs, 2) == 0);
}

CW_COROUTINE(receives, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RECEIVE(self, ints, numbers, &received[0]);
    CHECK(received[0] == 1);
    CW_END(self);
}

static void send_one(void *unused)
{
    (void)unused;
    CHECK(ints_try_send(numbers, 1) == CW_OK);
}

SCENARIO(channel_receive_wait, 3)
{
    begin(1, &receives);
    model_thread(run_body, NULL);
    model_thread(send_one, NULL);
    model_run();
    check_body();
    CHECK(cw_channel_is_empty(numbers.channel));
    end();
}

MUTANT(channel_receive_wait, "who queues does not await the senders' lane")
{
    return op->thread == 1 &&
                   MODEL_IS(op, MODEL_CAS, &numbers.channel->buffer.in.word)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

CW_COROUTINE(sends, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_SEND(self, ints, numbers, 2);
    CW_END(self);
}

static void receive_one(void *unused)
{
    (void)unused;
    CHECK(ints_try_receive(numbers, &received[0]) == CW_OK);
    CHECK(received[0] == 1);
}

SCENARIO(channel_send_wait, 3)
{
    begin(1, &sends);
    CHECK(ints_try_send(numbers, 1) == CW_OK);
    model_thread(run_body, NULL);
    model_thread(receive_one, NULL);
    model_run();
    check_body();
    CHECK(ints_try_receive(numbers, &received[1]) == CW_OK);
    CHECK(received[1] == 2);
    end();
}

MUTANT(channel_send_wait, "who queues does not await the receivers' lane")
{
    return op->thread == 1 &&
                   MODEL_IS(op, MODEL_CAS, &numbers.channel->buffer.out.word)
               ? MODEL_FORCE
               : MODEL_AS_IS;
}

/* ---- what comes from a sender that waits, while others receive */

static int first;

static void receive_first(void *unused)
{
    (void)unused;
    if (ints_try_receive(numbers, &first) != CW_OK) first = 0;
}

SCENARIO(channel_refill, 2)
{
    begin(1, &sends);
    CHECK(ints_try_send(numbers, 1) == CW_OK);
    run_body(NULL); /* and waits: there is no room */
    model_thread(receive_first, NULL);
    model_thread(receive, NULL);
    model_run();
    check_body();
    int count = arrived + (first != 0), sum = first, left;
    for (int i = 0; i < arrived; i++)
        sum += received[i];
    for (; ints_try_receive(numbers, &left) == CW_OK; count++)
        sum += left;
    CHECK(count == 2 && sum == 1 + 2);
    end();
}

MUTANT(channel_refill, "who holds both lanes does not tell how far it has come")
{
    const cw__lane *in = &numbers.channel->buffer.in;
    if (!MODEL_IS(op, MODEL_STORE, &in->word) || !(op->value & 1))
        return MODEL_AS_IS;
    return MODEL_SKIP;
}
