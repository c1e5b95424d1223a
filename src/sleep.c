/* sleep.c: how workers fall asleep and are woken.
 *
 * SPDX-License-Identifier: MIT
 *
 * Sleeping. A worker that finds nothing counts itself out of the searchers and
 * into the sleepers, with its bit in `idle_bits` set before, and then looks
 * everywhere once more. Whoever queues a job looks at these counters after the
 * job is visible. All of this is sequentially consistent, so either the one who
 * queues sees the sleeper and wakes it, or the sleeper's last look sees the
 * job. Nobody is woken while somebody searches: a searcher that finds work and
 * was the last one wakes the next. Whoever clears a sleeper's bit moves it from
 * the sleepers to the searchers and owes it a wake-up.
 *
 * Napping. Bodies that resume each other mostly take turns on one worker, and
 * what one of them has to do is done before another worker is awake. So where
 * that happens workers do not sleep for good at once but nap: for a short time,
 * after which they look around. As long as somebody naps, nobody is woken for a
 * single job that a running body resumes; should that body go on for long, the
 * napper takes the job. A nap after which there was none is the last.
 * The same goes for bodies that launch a job or two and wait for them, where a
 * worker that was woken for that sleeps again at once: as long as it naps,
 * nobody wakes it for so few. When it has more to do it naps no more. Where
 * jobs come from outside naps would help nobody: these wake a worker anyway.
 *
 * Time. While anybody sleeps and a timer is set, one sleeper, the keeper,
 * sleeps only until the earliest deadline. Whoever is to be woken for work is
 * chosen among the others first. Running workers look at the clock now and
 * then.
 */
#include "sleep.h"

#include "context.h"
#include "host.h"

/* How long a nap is: about what it takes to fall asleep and be woken. */
static const int64_t nap_ns = 100 * 1000;
/* Who was awake for less than this was woken for nothing. */
static const int64_t blink_ns = 20 * 1000;
/* How long a worker looks around for what it expects: somewhat longer than
 * another one takes to wake up and run a short job. */
static const int64_t expected_ns = 50 * 1000;
/* How many expectations are left out at most after one in vain. */
enum { MOST_LEFT_OUT = 1023, LOOKS_PER_CLOCK = 16 };

/* ---- waking */

bool cw__clear_idle_bit(cw_context *context, uint32_t index)
{
    uint32_t bit = 1u << index % 32;
    /* seq_cst: decides who owes the wake-up */
    return (cw_and_seq_cst(&context->idle_bits[index / 32], ~bit) & bit) != 0;
}

void cw__wake(cw__worker *worker)
{
    cw_context *context = worker->context;
    cw_add_relaxed(&context->wakes, 1);
    /* seq_cst: release for what the worker will find; it may be about to wait,
     * then the futex compares */
    cw_store_seq_cst(&worker->word, 1);
    if (cw_unlikely(context->grows) && !cw__worker_begin(worker)) {
        /* It is out of the sleepers and will not come back. Somebody else may
         * be there for what it was to do, if only one that is busy now. */
        cw_sub_seq_cst(&context->idle, CW__ONE_SEARCHER);
        cw__context_notify(context);
        return;
    }
    if (!worker->has_loop || !cw__the_host.wake || !cw__the_host.wake(worker))
        cw__futex_wake(&worker->word);
}

/* Takes any sleeper's bit, the keeper's last. */
static cw__worker *pick_sleeper(cw_context *context)
{
    uint32_t keeper = cw_load_relaxed(&context->keeper);
    uint32_t words = (context->count + 31) / 32;
    for (unsigned round = 0; round < 2; round++) {
        for (uint32_t w = 0; w < words; w++) {
            uint32_t bits = cw_load_relaxed(&context->idle_bits[w]);
            while (bits) {
                uint32_t index = w * 32 + (uint32_t)__builtin_ctz(bits);
                bits &= bits - 1;
                if (round == 0 && index + 1 == keeper) continue;
                if (cw__clear_idle_bit(context, index))
                    return &context->workers[index];
            }
        }
    }
    return NULL;
}

void cw__context_notify(cw_context *context)
{
    /* seq_cst: comes after the job was made visible */
    uint32_t idle = cw_load_seq_cst(&context->idle);
    if (idle < CW__ONE_SLEEPER || idle % CW__ONE_SLEEPER != 0) return;
    cw__worker *worker = pick_sleeper(context);
    /* A counted sleeper without a bit has got up by itself, or somebody else
     * wakes it: it is about to look for work, and before it sleeps again it
     * looks for this one. Waiting for it here could take as long as its job. */
    if (!worker) return;
    cw_sub_seq_cst(&context->idle, CW__ONE_SLEEPER - CW__ONE_SEARCHER);
    cw__wake(worker);
}

void cw__worker_unpark(cw__worker *worker)
{
    cw_context *context = worker->context;
    if (!cw__clear_idle_bit(context, worker->index)) return; /* it is awake */
    cw_sub_seq_cst(&context->idle, CW__ONE_SLEEPER - CW__ONE_SEARCHER);
    cw__wake(worker);
}

void cw__context_timer_added(cw__worker *self, cw_context *context, bool first)
{
    if (!first) return;
    if (cw_unlikely(context->clock)) {
        context->clock->calls->wake(context->clock);
        return;
    }
    /* seq_cst: after the deadline was published. The keeper sleeps too long
     * now; if there is none, a sleeper has to become it. */
    uint32_t keeper = cw_load_seq_cst(&context->keeper);
    if (keeper &&
        !(self && self->context == context && self->index + 1 == keeper)) {
        cw__worker_unpark(&context->workers[keeper - 1]);
    } else {
        cw__context_notify(context);
    }
}

/* ---- falling asleep */

/* True if there may be anything to do, anywhere. */
static bool any_work(cw__worker *self)
{
    cw_context *context = self->context;
    if (!cw__inbox_empty(&self->inbox) || !cw__inbox_empty(&context->inject) ||
        cw_load_seq_cst(&context->backlog.count) ||
        cw_load_seq_cst(&context->aside.waiting) ||
        cw_load_seq_cst(&self->handed))
        return true;
    for (uint32_t i = 0; i < context->count; i++)
        if (cw__ring_length(&context->workers[i].ring)) return true;
    return false;
}

void cw__worker_expect(cw__worker *self)
{
    if (self->left_out) {
        self->left_out--;
    } else if (!self->expects) {
        self->expects = true;
        self->expects_until_ns = cw__now_ns() + expected_ns;
    }
}

void cw__worker_expected(cw__worker *self)
{
    if (!self->expects) return;
    self->expects = false;
    self->in_vain = 0;
}

bool cw__await_expected(cw__worker *self)
{
    if (cw_likely(!self->expects)) return false;
    do {
        for (unsigned looks = 0; looks < LOOKS_PER_CLOCK; looks++)
            if (any_work(self)) return true;
    } while (cw__now_ns() < self->expects_until_ns);
    self->expects = false;
    if (self->in_vain < MOST_LEFT_OUT)
        self->in_vain = (uint16_t)(self->in_vain * 2 + 1);
    self->left_out = self->in_vain;
    return false;
}

static void stop_keeping(cw__worker *self)
{
    uint32_t mine = self->index + 1;
    if (cw_load_relaxed(&self->context->keeper) == mine)
        cw_store_seq_cst(&self->context->keeper, 0);
}

/* Somebody else has cleared this worker's bit. What he wants to hand over comes
 * with the wake-up that he owes; it must not be left lying while the worker
 * runs something else. This takes as long as a lock. */
static void await_wake(cw__worker *self)
{
    /* acquire: pairs with cw__wake() */
    while (cw_load_acquire(&self->word) == 0)
        cw__thread_pause();
}

/* Whether naps help where this worker is, which sleeps again. */
static void note_blink(cw__worker *self, int64_t now)
{
    cw_context *context = self->context;
    if (context->count == 1 || !self->woke_at_ns) return;
    /* relaxed: no more than advice */
    uint32_t before = cw_load_relaxed(&context->naps);
    if (before == CW__NAPS_USELESS) return;
    bool help = now - self->woke_at_ns < blink_ns;
    uint32_t after = help ? CW__NAPS_HELP : CW__NAPS_USELESS;
    if (before != after) cw_store_relaxed(&context->naps, after);
}

/* Before it is counted as a sleeper: what sleepers there are may all nap. */
static void begin_nap(cw__worker *self, int64_t now)
{
    cw_context *context = self->context;
    note_blink(self, now);
    self->naps = cw_load_relaxed(&context->naps) == CW__NAPS_HELP; /* advice */
    if (self->naps) cw_add_seq_cst(&context->nappers, 1);
}

/* seq_cst: either who queues a job sees that nobody naps any more, or the look
 * around that has to follow sees the job. */
static void end_nap(cw__worker *self)
{
    if (self->naps) cw_sub_seq_cst(&self->context->nappers, 1);
    self->naps = false;
}

bool cw__fall_asleep(cw__worker *self, bool searching, bool in_futex,
                     const cw_job *until)
{
    cw_context *context = self->context;
    /* Where there is one worker only, nobody asks. */
    int64_t now = context->count > 1 ? cw__now_ns() : 0;
    if (in_futex) begin_nap(self, now);
    cw_store_seq_cst(&self->word, 0);
    uint32_t bit = 1u << self->index % 32;
    cw_or_seq_cst(&context->idle_bits[self->index / 32], bit);
    cw_add_seq_cst(&context->idle,
                   searching ? (uint32_t)(CW__ONE_SLEEPER - CW__ONE_SEARCHER)
                             : (uint32_t)CW__ONE_SLEEPER);
    /* Somebody has to keep the time. seq_cst, before the deadline is read:
     * pairs with cw__context_timer_added. */
    self->wake_at_ns = CW__NEVER;
    uint32_t none = 0;
    if (cw_load_seq_cst(&context->timers.next_ns) != CW__NEVER &&
        cw_cas_seq_cst(&context->keeper, &none, self->index + 1))
        self->wake_at_ns = cw_load_seq_cst(&context->timers.next_ns);
    if (!any_work(self) && !cw__context_quiet(context) &&
        !(until && cw_is_completed(until))) {
        /* One that has run nothing yet has rested since ever. */
        if (context->count > 1 && cw_load_relaxed(&self->steps))
            cw_store_relaxed(&self->slept_at_ns, now);
        cw__count(&self->parks, 1);
        cw__traced(&self->trace, CW__TRACE_PARK, 0);
        return true;
    }
    end_nap(self); /* the caller goes on to look around */
    /* Or nobody would keep the time from now on, itself included. */
    stop_keeping(self);
    if (cw__clear_idle_bit(context, self->index)) {
        cw_sub_seq_cst(&context->idle, CW__ONE_SLEEPER - CW__ONE_SEARCHER);
    } else {
        await_wake(self);
    }
    return false;
}

void cw__get_up(cw__worker *self)
{
    if (cw__clear_idle_bit(self->context, self->index)) { /* by itself */
        cw_sub_seq_cst(&self->context->idle,
                       CW__ONE_SLEEPER - CW__ONE_SEARCHER);
    } else {
        await_wake(self);
    }
    stop_keeping(self);
    cw__traced(&self->trace, CW__TRACE_UNPARK, 0);
}

/* Waits until it is woken, its deadline comes, or the time is over. */
static void wait_for_word(cw__worker *self, int64_t at_most_ns)
{
    int64_t timeout = at_most_ns;
    if (self->wake_at_ns != CW__NEVER) {
        int64_t left = self->wake_at_ns - cw__now_ns();
        if (left < 0) left = 0;
        if (timeout < 0 || left < timeout) timeout = left;
    }
    /* acquire: pairs with cw__wake() */
    if (cw_load_acquire(&self->word) == 0)
        cw__futex_wait(&self->word, 0, timeout);
}

void cw__sleep_in_futex(cw__worker *self, int64_t at_most_ns)
{
    if (self->naps) {
        wait_for_word(self, nap_ns);
        end_nap(self);
        if (any_work(self)) return;
        cw_store_relaxed(&self->context->naps, CW__NAPS_USELESS);
    }
    wait_for_word(self, at_most_ns);
}

/* The last searcher that finds work passes the search on if there is more of
 * it: nobody was woken for what came while it searched. Also somebody has to
 * keep the time while this worker is busy. */
void cw__stop_searching(cw__worker *self)
{
    cw_context *context = self->context;
    uint32_t before = cw_sub_seq_cst(&context->idle, CW__ONE_SEARCHER);
    if (before % CW__ONE_SLEEPER != CW__ONE_SEARCHER ||
        before < CW__ONE_SLEEPER)
        return;
    bool keeperless = cw_load_seq_cst(&context->keeper) == 0 &&
                      cw_load_seq_cst(&context->timers.next_ns) != CW__NEVER;
    if (keeperless || any_work(self)) cw__context_notify(context);
}

bool cw__start_searching(cw__worker *self)
{
    uint32_t idle = cw_load_seq_cst(&self->context->idle);
    do {
        /* At most half of the workers search. */
        if (idle % CW__ONE_SLEEPER * 2 >= self->context->count &&
            self->context->count > 1)
            return false;
    } while (!cw_cas_weak_seq_cst(&self->context->idle, &idle,
                                  idle + CW__ONE_SEARCHER));
    return true;
}
