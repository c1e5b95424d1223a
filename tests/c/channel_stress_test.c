/* channel_stress_test.c: races at channels, mutexes, semaphores and selects.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each test runs CW_STRESS_ROUNDS rounds (200 if it is not set) with 2, 4 and 8
 * workers; CW_STRESS_SEED repeats the choices, though not the timing. A round
 * that never ends is a failure like any other.
 */
#include "test.h"

#include "helpers.h"

#define USUAL_ROUNDS 200
#include "stress.h"

CW_CHANNEL_TYPE(longs, int64_t)

struct large {
    int64_t number;
    char rest[40];
};
CW_CHANNEL_TYPE(larges, struct large)

#define STRESS(NAME)                                                           \
    static void NAME##_with(cw_context *context);                              \
    TEST(NAME)                                                                 \
    {                                                                          \
        alarm(TEST_SECONDS + (unsigned)round_count / 5);                       \
        cw_set_unhandled_handler(count_unhandled);                             \
        for (int workers = 2; workers <= 8; workers *= 2) {                    \
            cw_context *context = new_context(workers);                        \
            for (int round = 0; round < round_count; round++)                  \
                NAME##_with(context);                                          \
            shut_down(context);                                                \
        }                                                                      \
        ASSERT_EQ(unhandled_count, 0);                                         \
    }                                                                          \
    static void NAME##_with(cw_context *context)

enum { PARTIES = 4, EACH = 25, ELEMENTS = PARTIES * EACH };

static void release_all(cw_job **jobs, int count)
{
    for (int i = 0; i < count; i++)
        cw_job_release(jobs[i]);
}

static int random_capacity(void)
{
    static const int some[] = {CW_RENDEZVOUS, CW_CONFLATED, 1, 3, 8,
                               CW_BUFFERED,   CW_UNLIMITED};
    return some[chance(sizeof some / sizeof some[0])];
}

/* ---- each element is received or undelivered, once */

/* What has become of each element: how often. */
static struct {
    _Atomic int sent[ELEMENTS], received[ELEMENTS], undelivered[ELEMENTS];
} fate;

static cw_error *lose_long(int64_t *element, void *arg)
{
    (void)arg;
    atomic_fetch_add(&fate.undelivered[*element], 1);
    return NULL;
}

static cw_error *lose_large(struct large *element, void *arg)
{
    ASSERT_EQ(element->rest[39], (char)element->number);
    return lose_long(&element->number, arg);
}

struct sender {
    longs channel;
    larges larger;
    int first;
};

CW_COROUTINE(send_longs, struct sender, cw_none, int64_t i; int64_t now;
             cw_clause clauses[1]; int which;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < EACH; self->i++) {
        self->now = self->arg.first + self->i;
        atomic_fetch_add(&fate.sent[self->now], 1);
        if (chance(3) == 0) {
            if (longs_try_send(self->arg.channel, self->now) == CW_OK) continue;
        } else if (chance(3) == 0) {
            self->clauses[0] = longs_on_send(self->arg.channel, &self->now);
            CW_SELECT(self, self->clauses, 1, &self->which);
            continue;
        }
        CW_SEND(self, longs, self->arg.channel, self->arg.first + self->i);
        if (chance(8) == 0) dither();
    }
    CW_END(self);
}

CW_COROUTINE(receive_longs, longs, cw_none, int64_t got; cw_clause clauses[2];
             int which;)
{
    CW_BEGIN(self);
    for (;;) {
        if (chance(3) == 0) {
            self->clauses[0] = longs_on_receive(self->arg, &self->got);
            self->clauses[1] = cw_on_timeout(1000);
            CW_SELECT(self, self->clauses, 2, &self->which);
            if (self->which == 1) continue;
        } else {
            CW_RECEIVE(self, longs, self->arg, &self->got);
        }
        atomic_fetch_add(&fate.received[self->got], 1);
        if (chance(8) == 0) dither();
    }
    CW_END(self);
}

CW_COROUTINE(send_larges, struct sender, cw_none, struct large now; int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < EACH; self->i++) {
        self->now.number = self->arg.first + self->i;
        self->now.rest[39] = (char)self->now.number;
        atomic_fetch_add(&fate.sent[self->now.number], 1);
        CW_SEND(self, larges, self->arg.larger, self->now);
    }
    CW_END(self);
}

CW_COROUTINE(receive_larges, larges, cw_none, struct large got;)
{
    CW_BEGIN(self);
    CW_RECEIVE_EACH(self, larges, self->arg, &self->got)
    {
        ASSERT_EQ(self->got.rest[39], (char)self->got.number);
        atomic_fetch_add(&fate.received[self->got.number], 1);
    }
    CW_END(self);
}

/* Checks and clears. */
static void check_fate(void)
{
    for (int i = 0; i < ELEMENTS; i++) {
        int sent = atomic_exchange(&fate.sent[i], 0);
        int received = atomic_exchange(&fate.received[i], 0);
        int undelivered = atomic_exchange(&fate.undelivered[i], 0);
        ASSERT(sent <= 1);
        ASSERT_EQ(received + undelivered, sent);
    }
}

/* Lets them run, cancels some, then all, then the channel. */
static void disturb_and_wait(cw_job **jobs, cw_channel *channel)
{
    dither();
    for (uint32_t n = chance(4); n > 0; n--) {
        cw_cancel(jobs[chance(2 * PARTIES)], NULL);
        dither();
    }
    if (chance(4) == 0) cw_channel_close(channel, NULL, NULL);
    if (chance(3) == 0) cw_channel_cancel(channel, NULL, NULL);
    for (int i = 0; i < PARTIES; i++)
        if (chance(3) == 0) cw_cancel(jobs[i], NULL);
    if (chance(2) == 0) sched_yield();
    cw_channel_cancel(channel, NULL, NULL);
    for (int i = 0; i < 2 * PARTIES; i++)
        wait_for(jobs[i]);
    release_all(jobs, 2 * PARTIES);
}

STRESS(small_elements_are_received_or_undelivered)
{
    longs channel =
        longs_new_with(random_capacity(), CW_OVERFLOW_SUSPEND, lose_long, NULL);
    cw_job *jobs[2 * PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        struct sender arg = {channel, {NULL}, i * EACH};
        jobs[i] = cw_async(context, send_longs, arg);
        jobs[PARTIES + i] = cw_async(context, receive_longs, channel);
    }
    disturb_and_wait(jobs, channel.channel);
    check_fate();
    cw_channel_release(channel.channel);
}

STRESS(large_elements_are_received_or_undelivered)
{
    larges channel = larges_new_with(random_capacity(), CW_OVERFLOW_SUSPEND,
                                     lose_large, NULL);
    cw_job *jobs[2 * PARTIES];
    for (int i = 0; i < PARTIES; i++) {
        struct sender arg = {{NULL}, channel, i * EACH};
        jobs[i] = cw_async(context, send_larges, arg);
        jobs[PARTIES + i] = cw_async(context, receive_larges, channel);
    }
    disturb_and_wait(jobs, channel.channel);
    check_fate();
    cw_channel_release(channel.channel);
}

/* ---- without cancellation, nothing is lost and order is kept */

CW_COROUTINE(receive_in_order, longs, int64_t, int64_t got;
             int64_t last[PARTIES]; int64_t sum;)
{
    CW_BEGIN(self);
    for (int i = 0; i < PARTIES; i++)
        self->last[i] = -1;
    CW_RECEIVE_EACH(self, longs, self->arg, &self->got)
    {
        int64_t from = self->got / EACH;
        ASSERT(self->got > self->last[from]);
        self->last[from] = self->got;
        self->sum += self->got;
    }
    CW_RETURN(self, self->sum);
    CW_END(self);
}

CW_COROUTINE(send_all, struct sender, cw_none, int64_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < EACH; self->i++)
        CW_SEND(self, longs, self->arg.channel, self->arg.first + self->i);
    CW_END(self);
}

STRESS(nothing_is_lost)
{
    static const int capacities[] = {CW_RENDEZVOUS, 1,           7, 8,
                                     CW_BUFFERED,   CW_UNLIMITED};
    longs channel = longs_new(capacities[chance(6)]);
    cw_job *senders[PARTIES], *receivers[2];
    for (int i = 0; i < 2; i++)
        receivers[i] = cw_async(context, receive_in_order, channel);
    for (int i = 0; i < PARTIES; i++) {
        struct sender arg = {channel, {NULL}, i * EACH};
        senders[i] = cw_async(context, send_all, arg);
    }
    for (int i = 0; i < PARTIES; i++)
        wait_for(senders[i]);
    cw_channel_close(channel.channel, NULL, NULL);
    int64_t sum = 0;
    for (int i = 0; i < 2; i++) {
        int64_t part;
        wait_for(receivers[i]);
        ASSERT_EQ(cw_result(receive_in_order, receivers[i], &part), CW_OK);
        sum += part;
    }
    ASSERT_EQ(sum, ELEMENTS * (ELEMENTS - 1) / 2);
    release_all(senders, PARTIES);
    release_all(receivers, 2);
    cw_channel_release(channel.channel);
}

/* ---- permits are conserved */

static _Atomic int inside;

struct gates {
    cw_mutex *mutex;
    cw_semaphore *semaphore;
};

CW_COROUTINE(use_mutex, struct gates, cw_none, int i; cw_clause clauses[1];
             int which;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < EACH; self->i++) {
        if (chance(3) == 0) {
            self->clauses[0] = cw_on_lock(self->arg.mutex, self);
            CW_SELECT(self, self->clauses, 1, &self->which);
        } else {
            CW_LOCK(self, self->arg.mutex, self);
        }
        ASSERT_EQ(atomic_fetch_add(&inside, 1), 0);
        ASSERT_EQ(cw_unlock(self->arg.mutex, &inside), CW_EOWNER);
        if (chance(8) == 0) dither();
        atomic_fetch_sub(&inside, 1);
        ASSERT_EQ(cw_unlock(self->arg.mutex, self), CW_OK);
    }
    CW_END(self);
}

CW_COROUTINE(use_semaphore, struct gates, cw_none, int i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < EACH; self->i++) {
        CW_ACQUIRE(self, self->arg.semaphore);
        ASSERT(atomic_fetch_add(&inside, 1) < 3);
        if (chance(8) == 0) dither();
        atomic_fetch_sub(&inside, 1);
        ASSERT_EQ(cw_give_back(self->arg.semaphore), CW_OK);
    }
    CW_END(self);
}

enum { USERS = 12 };

static void cancel_some_and_wait(cw_job **jobs)
{
    for (uint32_t n = chance(USERS); n > 0; n--) {
        dither();
        cw_cancel(jobs[chance(USERS)], NULL);
    }
    for (int i = 0; i < USERS; i++)
        wait_for(jobs[i]);
    release_all(jobs, USERS);
}

STRESS(a_mutex_survives_cancellation)
{
    struct gates gates = {cw_mutex_new(false), NULL};
    cw_job *jobs[USERS];
    for (int i = 0; i < USERS; i++)
        jobs[i] = cw_async(context, use_mutex, gates);
    cancel_some_and_wait(jobs);
    ASSERT(!cw_mutex_is_locked(gates.mutex));
    cw_mutex_release(gates.mutex);
}

STRESS(a_semaphore_survives_cancellation)
{
    struct gates gates = {NULL, cw_semaphore_new(3, 0)};
    cw_job *jobs[USERS];
    for (int i = 0; i < USERS; i++)
        jobs[i] = cw_async(context, use_semaphore, gates);
    cancel_some_and_wait(jobs);
    ASSERT_EQ(cw_semaphore_available(gates.semaphore), 3);
    ASSERT_EQ(cw_give_back(gates.semaphore), CW_ESTATE);
    cw_semaphore_release(gates.semaphore);
}

/* ---- selects that meet */

struct crossing {
    longs to, from;
    bool turned;
};

/* Sends EACH and receives EACH, whichever comes first. */
CW_COROUTINE(cross, struct crossing, cw_none, int64_t out; int64_t in; int sent;
             int received; cw_clause clauses[2]; int which;)
{
    CW_BEGIN(self);
    while (self->sent < EACH || self->received < EACH) {
        self->out = self->sent;
        if (self->sent == EACH) {
            CW_RECEIVE(self, longs, self->arg.from, &self->in);
            self->which = !self->arg.turned;
        } else if (self->received == EACH) {
            CW_SEND(self, longs, self->arg.to, self->out);
            self->which = self->arg.turned;
        } else {
            self->clauses[self->arg.turned] =
                longs_on_send(self->arg.to, &self->out);
            self->clauses[!self->arg.turned] =
                longs_on_receive(self->arg.from, &self->in);
            CW_SELECT(self, self->clauses, 2, &self->which);
        }
        if (self->which == (int)self->arg.turned) {
            self->sent++;
        } else {
            ASSERT_EQ(self->in, self->received);
            self->received++;
        }
    }
    CW_END(self);
}

STRESS(selects_in_opposite_order_meet)
{
    longs one = longs_new(CW_RENDEZVOUS), other = longs_new(CW_RENDEZVOUS);
    struct crossing here = {one, other, false}, there = {other, one, true};
    cw_job *jobs[2] = {cw_async(context, cross, here),
                       cw_async(context, cross, there)};
    wait_for(jobs[0]);
    wait_for(jobs[1]);
    ASSERT(!cw_is_cancelled(jobs[0]));
    ASSERT(!cw_is_cancelled(jobs[1]));
    release_all(jobs, 2);
    cw_channel_release(one.channel);
    cw_channel_release(other.channel);
}

/* ---- philosophers */

enum { SEATS = 5, MEALS = 10 };

struct seat {
    cw_mutex *left, *right;
};

/* Takes one fork, either; then tries the other, else puts the first back. */
CW_COROUTINE(dine, struct seat, cw_none, int meals; cw_clause clauses[2];
             int which;)
{
    CW_BEGIN(self);
    while (self->meals < MEALS) {
        self->clauses[0] = cw_on_lock(self->arg.left, self);
        self->clauses[1] = cw_on_lock(self->arg.right, self);
        CW_SELECT(self, self->clauses, 2, &self->which);
        cw_mutex *mine = self->which == 0 ? self->arg.left : self->arg.right;
        cw_mutex *other = self->which == 0 ? self->arg.right : self->arg.left;
        if (cw_try_lock(other, self) == CW_OK) {
            self->meals++;
            ASSERT_EQ(cw_unlock(other, self), CW_OK);
        }
        ASSERT_EQ(cw_unlock(mine, self), CW_OK);
        CW_YIELD(self);
    }
    CW_END(self);
}

STRESS(philosophers_do_not_starve)
{
    cw_mutex *forks[SEATS];
    cw_job *jobs[SEATS];
    for (int i = 0; i < SEATS; i++)
        forks[i] = cw_mutex_new(false);
    for (int i = 0; i < SEATS; i++) {
        struct seat seat = {forks[i], forks[(i + 1) % SEATS]};
        jobs[i] = cw_async(context, dine, seat);
    }
    for (int i = 0; i < SEATS; i++)
        wait_for(jobs[i]);
    release_all(jobs, SEATS);
    for (int i = 0; i < SEATS; i++) {
        ASSERT(!cw_mutex_is_locked(forks[i]));
        cw_mutex_release(forks[i]);
    }
}

/* ---- from outside */

static void *send_from_outside(void *arg)
{
    longs channel = *(longs *)arg;
    for (int64_t i = 0; i < ELEMENTS; i++)
        while (longs_try_send(channel, i) != CW_OK)
            sched_yield();
    return NULL;
}

CW_COROUTINE(receive_all_of_them, longs, cw_none, int64_t got; int64_t i;)
{
    CW_BEGIN(self);
    for (self->i = 0; self->i < ELEMENTS; self->i++) {
        CW_RECEIVE(self, longs, self->arg, &self->got);
        ASSERT_EQ(self->got, self->i);
    }
    CW_END(self);
}

STRESS(other_threads_send)
{
    longs channel = longs_new((int)chance(3));
    cw_job *job = cw_async(context, receive_all_of_them, channel);
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, send_from_outside, &channel) == 0);
    pthread_join(thread, NULL);
    wait_for(job);
    ASSERT(!cw_is_cancelled(job));
    cw_job_release(job);
    cw_channel_release(channel.channel);
}
