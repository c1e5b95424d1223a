/* kill_sync_model.c: a worker loses its thread: channels, mutexes, semaphores.
 *
 * SPDX-License-Identifier: MIT
 */
#include "killing.h"

#include "channel.h"
#include "gate.h"

CW_CHANNEL_TYPE(ints, int)

static ints channel;
static cw_mutex *mutex;
static cw_semaphore *semaphore;

/* ---- channels */

static cw_error *count_undelivered(int *element, void *unused)
{
    (void)element, (void)unused;
    cw_add_seq_cst(&words->ran[2], 1);
    return NULL;
}

CW_COROUTINE(sends_one, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_SEND(self, ints, channel, 7);
    own_step();
    CW_END(self);
}

/* Counts it when it has got one, or hears that there is none. */
CW_COROUTINE(receives_one, word_pointer, cw_none, int element; int status;)
{
    CW_BEGIN(self);
    own_step();
    CW_RECEIVE_CATCHING(self, ints, channel, &self->element, &self->status);
    own_step();
    if (self->status == CW_OK) {
        CHECK(self->element == 7);
        cw_add_seq_cst(self->arg, 1);
    }
    CW_END(self);
}

CW_COROUTINE(offers_one, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_SEND(self, ints, channel, 7);
    CW_CATCH(self, 1) {}
    CW_END(self);
}

static void close_channel(void)
{
    (void)cw_channel_close(channel.channel, NULL, NULL);
    /* Receives what is there, if nobody did. */
    int element;
    while (ints_try_receive(channel, &element) == CW_OK)
        cw_add_seq_cst(&words->ran[1], 1);
}

static void open_channel(int capacity)
{
    channel =
        ints_new_with(capacity, CW_OVERFLOW_SUSPEND, count_undelivered, NULL);
    CHECK(channel.channel);
    when_killed = close_channel;
}

static void check_channel(void)
{
    const cw__buffer *buffer = &channel.channel->buffer;
    CHECK(!(model_peek(&buffer->in.word) & 1));
    CHECK(!(model_peek(&buffer->out.word) & 1));
    CHECK(!channel.channel->senders && !channel.channel->receivers);
    cw_channel_release(channel.channel);
}

/* What the victim sent before it was lost is received, or goes to the hook. */
static void lose_sender(int capacity)
{
    begin(1);
    open_channel(capacity);
    CHECK(cw_spawn(pool, receives_one, &words->ran[0]) == CW_OK);
    model_settle();
    start_victim(&sends_one);
    run();
    check_lost();
    uint32_t went = words->ran[0] + words->ran[1] + words->ran[2];
    CHECK(went <= 1);
    CHECK(went == 1 || was_killed() || cw_job_error(victim));
    check_channel();
    end();
}

WAY(send, 2) { lose_sender(CW_RENDEZVOUS); }
WAY(put, 2) { lose_sender(2); }

CW_COROUTINE(takes_one, cw_none, cw_none, int element; int status;)
{
    CW_BEGIN(self);
    own_step();
    CW_RECEIVE_CATCHING(self, ints, channel, &self->element, &self->status);
    own_step();
    cw_add_seq_cst(&words->ran[0], 1);
    CW_END(self);
}

/* What is sent to it is received, goes to the hook, or is lost with it. */
static void lose_receiver(int capacity)
{
    begin(1);
    open_channel(capacity);
    CHECK(cw_spawn(pool, offers_one, CW_NONE) == CW_OK);
    model_settle();
    start_victim(&takes_one);
    run();
    check_lost();
    uint32_t went = words->ran[0] + words->ran[1] + words->ran[2];
    CHECK(went == 1 || (went == 0 && was_killed()));
    check_channel();
    end();
}

WAY(receive, 2) { lose_receiver(CW_RENDEZVOUS); }
WAY(take, 2) { lose_receiver(1); }

/* ---- mutexes */

CW_COROUTINE(locks, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_LOCK(self, mutex, NULL);
    own_step();
    CHECK(cw_unlock(mutex, NULL) == CW_OK);
    own_step();
    CW_END(self);
}

/* Locks it, or hears that it is poisoned. */
CW_COROUTINE(locks_as_well, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_LOCK(self, mutex, NULL);
    cw_add_seq_cst(&words->ran[0], 1);
    CHECK(cw_unlock(mutex, NULL) == CW_OK);
    CW_CATCH(self, 1)
    {
        CHECK(cw_error_code(cw_caught(self)) == CW_EPOISONED);
        cw_add_seq_cst(&words->ran[1], 1);
    }
    CW_END(self);
}

static void check_mutex(void)
{
    CHECK(!model_peek(&mutex->gate.lock) && !mutex->gate.waiting);
    CHECK(words->ran[0] + words->ran[1] == 1);
    if (words->ran[1]) CHECK(mutex->gate.poisoned);
    if (mutex->gate.poisoned) CHECK(was_killed() && mutex->gate.free == 0);
    if (!mutex->gate.poisoned) CHECK(mutex->gate.free == 1);
    cw_mutex_release(mutex);
}

/* Another one comes before, while or after it has the mutex. */
WAY(lock, 2)
{
    begin(1);
    mutex = cw_mutex_new(false);
    start_victim(&locks);
    CHECK(cw_spawn(pool, locks_as_well, CW_NONE) == CW_OK);
    run();
    check_lost();
    check_mutex();
    end();
}

MUTANT(lose_lock, "nobody looks for what it held")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &mutex->gate.holder))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}

CW_COROUTINE(locks_for_long, cw_none, cw_none, bool locked;)
{
    CW_BEGIN(self);
    self->locked = cw_try_lock(mutex, NULL) == CW_OK;
    CHECK(self->locked);
    own_step();
    CW_YIELD(self); /* the other one begins to wait */
    own_step();
    CW_FINALLY(self);
    if (self->locked) CHECK(cw_unlock(mutex, NULL) == CW_OK);
    CW_END(self);
}

/* The other one waits for it. */
WAY(held_lock, 2)
{
    begin(1);
    mutex = cw_mutex_new(false);
    start_victim(&locks_for_long);
    CHECK(cw_spawn(pool, locks_as_well, CW_NONE) == CW_OK);
    run();
    check_lost();
    check_mutex();
    end();
}

/* ---- semaphores */

CW_COROUTINE(acquires, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_ACQUIRE(self, semaphore);
    own_step();
    CHECK(cw_give_back(semaphore) == CW_OK);
    own_step();
    CW_END(self);
}

CW_COROUTINE(acquires_as_well, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE(self, semaphore);
    cw_add_seq_cst(&words->ran[0], 1);
    CHECK(cw_give_back(semaphore) == CW_OK);
    CW_END(self);
}

/* Nobody knows whose permit it was: it stays away. */
WAY(acquire, 2)
{
    begin(1);
    semaphore = cw_semaphore_new(2, 0);
    start_victim(&acquires);
    CHECK(cw_spawn(pool, acquires_as_well, CW_NONE) == CW_OK);
    run();
    check_lost();
    CHECK(words->ran[0] == 1);
    CHECK(!model_peek(&semaphore->gate.lock));
    uint32_t there = semaphore->gate.free;
    CHECK(there == 2 || (there == 1 && was_killed()));
    cw_semaphore_release(semaphore);
    end();
}

CW_COROUTINE(acquires_own, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    own_step();
    CW_ACQUIRE_OWN(self, semaphore);
    own_step();
    CHECK(cw_give_back_own(semaphore) == CW_OK);
    own_step();
    CW_END(self);
}

CW_COROUTINE(acquires_own_as_well, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_ACQUIRE_OWN(self, semaphore);
    cw_add_seq_cst(&words->ran[0], 1);
    CHECK(cw_give_back_own(semaphore) == CW_OK);
    CW_END(self);
}

/* The only permit, which the other one gets in any case. */
WAY(acquire_own, 2)
{
    begin(1);
    semaphore = cw_semaphore_new(1, 0);
    start_victim(&acquires_own);
    CHECK(cw_spawn(pool, acquires_own_as_well, CW_NONE) == CW_OK);
    run();
    check_lost();
    CHECK(words->ran[0] == 1);
    CHECK(!model_peek(&semaphore->gate.lock) && !semaphore->gate.waiting);
    CHECK(!model_peek(&semaphore->gate.leases));
    CHECK(semaphore->gate.free == 1);
    cw_semaphore_release(semaphore);
    end();
}

MUTANT(lose_acquire_own, "nobody looks for permits")
{
    if (op->thread != 2 || !MODEL_IS(op, MODEL_LOAD, &semaphore->gate.leases))
        return MODEL_AS_IS;
    op->value = 0;
    return MODEL_FORCE;
}
