/* chaos_test.c: workers that lose their threads at random, under load.
 *
 * SPDX-License-Identifier: MIT
 *
 * Trees of jobs that do a bit of everything are cancelled at random moments,
 * with no time of grace, while others that nobody touches use the same workers,
 * channels and mutexes. In the end nothing may be missing. COWORKER_KILLS sets
 * the number of kills, COWORKER_SEED repeats the choices, though not the
 * timing. With COWORKER_NO_GATE=1 threads are killed wherever they are: then it
 * has to fail.
 */
#include "test.h"

#include "helpers.h"
#include "kill_gate.h"

enum {
    USUAL_KILLS = 200,
    WORKERS = 4,
    TREES = 8,
    MUTEXES = 3,
    MOST_DEPTH = 3,
    MOST_BYSTANDERS = 200, /* under way */
    IDS = 1 << 24
};

/* ---- settings and chance */

static uint32_t seed;
static uint32_t kills_wanted = USUAL_KILLS;
static bool no_gate;

__attribute__((constructor)) static void read_settings(void)
{
    const char *kills = getenv("COWORKER_KILLS");
    if (kills && atoi(kills) > 0) kills_wanted = (uint32_t)atoi(kills);
    const char *given = getenv("COWORKER_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? (uint32_t)strtoul(given, NULL, 0)
                 : (uint32_t)now.tv_nsec ^ (uint32_t)now.tv_sec;
    no_gate = getenv("COWORKER_NO_GATE") != NULL;
    printf("COWORKER_SEED=%u COWORKER_KILLS=%u\n", seed, kills_wanted);
    fflush(stdout);
}

/* A random number, smaller than `below`. */
static uint32_t chance(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13; /* xorshift32 */
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (*state >> 4) % below;
}

bool __real_cw__gate_hold(cw__worker *worker);
bool __wrap_cw__gate_hold(cw__worker *worker);
bool __wrap_cw__gate_hold(cw__worker *worker)
{
    if (!no_gate) return __real_cw__gate_hold(worker);
    atomic_store(&worker->gate, CW__GATE_HELD);
    return true;
}

/* ---- the scene */

CW_CHANNEL_TYPE(numbers, uint32_t)

static cw_context *pool, *view;
static numbers meeting, buffered, own_channel;
static cw_mutex *mutexes[MUTEXES];
static _Atomic int inside[MUTEXES]; /* who has it locked: at most one */
static _Atomic uint32_t next_id;
static _Atomic uint8_t *begun, *arrived; /* of each job, of each element */
static _Atomic uint32_t settled, unhurt, poisonings;

/* A tree of jobs. Threads that were killed may still look at it. */
typedef struct plant {
    struct plant *before;
    cw_job *root;
    cw_handler *listener;
    cw_job *helper; /* somebody else's */
    cw_semaphore *semaphore;
    _Atomic bool heard; /* of its end */
} plant;

typedef struct branch {
    plant *tree;
    uint32_t seed, id, depth;
} branch;

static plant *last_planted;

static uint32_t new_id(void)
{
    uint32_t id = atomic_fetch_add(&next_id, 1);
    ASSERT(id < IDS);
    return id;
}

static branch below(const branch *above, uint32_t *state)
{
    return (branch){above->tree, chance(state, 1u << 27) | 1, new_id(),
                    above->depth + 1};
}

/* Does not call the library: here it is killed. */
static void keep_busy(uint32_t *state)
{
    int64_t ns = (int64_t)chance(state, chance(state, 2) ? 2000 : 400000);
    struct timespec from, now;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - from.tv_sec) * 1000000000 + now.tv_nsec -
                 from.tv_nsec <
             ns);
}

/* An element is not there twice. */
static void arrive(uint32_t id)
{
    ASSERT_EQ(atomic_fetch_add(&arrived[id], 1), 0);
}

static cw_error *undelivered(uint32_t *id, void *unused)
{
    (void)unused;
    arrive(*id);
    return NULL;
}

/* One at a time: by those who are not killed, since a thread that is goes on
 * by itself for a while. */
static void check_alone(int which)
{
    ASSERT_EQ(atomic_fetch_add(&inside[which], 1), 0);
    atomic_fetch_sub(&inside[which], 1);
}

/* Puts a mutex right whose holder was lost. */
static void recover(int which)
{
    if (cw_mutex_recover(mutexes[which], NULL) != CW_OK) return;
    atomic_fetch_add(&poisonings, 1);
    ASSERT_EQ(cw_unlock(mutexes[which], NULL), CW_OK);
}

/* ---- what a tree does */

CW_FUNCTION(block, branch, cw_none)
{
    uint32_t state = arg->seed;
    (void)result;
    ASSERT_EQ(atomic_fetch_add(&begun[arg->id], 1), 0);
    for (int i = 0; i < 3 && !cw_is_stopped(); i++)
        keep_busy(&state);
    return cw_fail(CW_ECANCELED, "had enough");
}

CW_COROUTINE(give_one, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_RETURN(self, 1);
    CW_END(self);
}

static cw_context *somewhere(uint32_t *state)
{
    uint32_t where = chance(state, 5);
    return where == 0 ? view : where == 1 ? cw_unconfined_context() : NULL;
}

CW_COROUTINE(live, branch, cw_none, uint32_t state, left, element; int which;
             bool in_time, deep; cw_none nothing; cw_clause clauses[3];)
{
    CW_BEGIN(self);
    self->state = self->arg.seed;
    ASSERT_EQ(atomic_fetch_add(&begun[self->arg.id], 1), 0);
    for (self->left = 2 + chance(&self->state, 6); self->left > 0;
         self->left--) {
        keep_busy(&self->state);
        self->which = (int)chance(&self->state, 14);
        self->deep = self->arg.depth >= MOST_DEPTH;
        if (self->which == 0) CW_YIELD(self);
        if (self->which == 1) CW_DELAY(self, chance(&self->state, 3));
        if (self->which == 2) {
            self->clauses[0] = numbers_on_send(meeting, &self->element);
            self->clauses[1] = cw_on_timeout(1);
            self->element = new_id();
            CW_SELECT(self, self->clauses, 2, &self->which);
            self->which = 2;
        }
        if (self->which == 3) {
            self->clauses[0] = numbers_on_receive(meeting, &self->element);
            self->clauses[1] = numbers_on_receive(buffered, &self->element);
            self->clauses[2] = cw_on_timeout(1);
            CW_SELECT(self, self->clauses, 3, &self->which);
            if (self->which < 2) arrive(self->element);
        }
        if (self->which == 4) CW_SEND(self, numbers, buffered, new_id());
        if (self->which == 5) {
            self->which = (int)chance(&self->state, MUTEXES);
            CW_TRY(self, 1);
            CW_LOCK(self, mutexes[self->which], NULL);
            keep_busy(&self->state);
            ASSERT_EQ(cw_unlock(mutexes[self->which], NULL), CW_OK);
            CW_CATCH(self, 1)
            {
                if (cw_error_code(cw_caught(self)) == CW_EPOISONED)
                    recover(self->which);
            }
            CW_ENSURE_ACTIVE(self);
            self->which = 5;
        }
        if (self->which == 6) {
            CW_ACQUIRE(self, self->arg.tree->semaphore);
            keep_busy(&self->state);
            ASSERT_EQ(cw_give_back(self->arg.tree->semaphore), CW_OK);
        }
        if (self->which == 7) CW_JOIN(self, self->arg.tree->helper);
        if (self->which == 8 && !self->deep)
            CW_CALL(self, live, below(&self->arg, &self->state),
                    &self->nothing);
        if (self->which == 9 && !self->deep)
            CW_SCOPE(self, live, below(&self->arg, &self->state),
                     &self->nothing);
        if (self->which == 10 && !self->deep)
            CW_WITH_TIMEOUT_OR_NULL(self, 1, live,
                                    below(&self->arg, &self->state),
                                    &self->nothing, &self->in_time);
        if (self->which == 11 && !self->deep)
            ASSERT_EQ(cw_spawn(somewhere(&self->state), live,
                               below(&self->arg, &self->state)),
                      CW_OK);
        if (self->which == 12)
            ASSERT_EQ(cw_spawn(NULL, block, below(&self->arg, &self->state)),
                      CW_OK);
        if (self->which == 13) {
            int one;
            int status = cw_run_blocking(give_one, CW_NONE, &one, NULL);
            ASSERT(status == CW_OK || status == CW_ECANCELED);
        }
    }
    CW_END(self);
}

/* ---- those who are not to notice */

CW_COROUTINE(bystander, uint32_t, cw_none, uint32_t state, element, left;
             int which;)
{
    CW_BEGIN(self);
    self->state = self->arg;
    self->which = (int)chance(&self->state, MUTEXES);
    CW_DELAY(self, chance(&self->state, 3));
    CW_SEND(self, numbers, own_channel, self->arg);
    CW_YIELD(self);
    for (self->left = 3; self->left > 0; self->left--) {
        CW_TRY(self, 1);
        CW_LOCK(self, mutexes[self->which], NULL);
        check_alone(self->which);
        ASSERT_EQ(cw_unlock(mutexes[self->which], NULL), CW_OK);
        CW_CATCH(self, 1)
        {
            ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EPOISONED);
            recover(self->which);
        }
    }
    CW_RECEIVE(self, numbers, own_channel, &self->element);
    atomic_fetch_add(&unhurt, 1);
    CW_END(self);
}

/* ---- the one who kills */

static void note_end(void *arg, cw_error *error)
{
    if (error) ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    atomic_fetch_add(&settled, 1);
    atomic_store((_Atomic bool *)arg, true);
}

static cw_stats stats_of(const cw_context *context)
{
    cw_stats stats;
    cw_context_stats(context, &stats);
    return stats;
}

static plant *put_up(const cw_elements *elements, uint32_t *state)
{
    plant *tree = calloc(1, sizeof *tree);
    ASSERT(tree);
    tree->before = last_planted;
    last_planted = tree;
    tree->semaphore = cw_semaphore_new(2, 0);
    tree->helper = cw_async(pool, wait_for_ever, CW_NONE);
    const branch trunk = {tree, chance(state, 1u << 27) | 1, new_id(), 0};
    tree->root = cw_launch_with(elements, CW_START_DEFAULT, live, trunk);
    ASSERT(tree->root);
    tree->listener = cw_on_completion(tree->root, 0, note_end, &tree->heard);
    if (chance(state, 2)) cw_cancel(tree->helper, NULL);
    return tree;
}

static void fell(plant *tree)
{
    cw_cancel(tree->helper, NULL);
    wait_for(tree->root);
    wait_for(tree->helper);
    while (!atomic_load(&tree->heard))
        cw__thread_pause();
    cw_handler_dispose(tree->listener);
    cw_job_release(tree->root);
    cw_job_release(tree->helper);
    cw_semaphore_release(tree->semaphore);
}

static void set_scene(void)
{
    begun = calloc(IDS, 1);
    arrived = calloc(IDS, 1);
    ASSERT(begun && arrived);
    pool = new_context(WORKERS);
    view = cw_limited_parallelism(pool, 1, "view");
    meeting = numbers_new_with(0, CW_OVERFLOW_SUSPEND, undelivered, NULL);
    buffered = numbers_new_with(8, CW_OVERFLOW_DROP_OLDEST, undelivered, NULL);
    own_channel = numbers_new(MOST_BYSTANDERS);
    for (int i = 0; i < MUTEXES; i++)
        mutexes[i] = cw_mutex_new(false);
}

/* Everything is as it was, and all workers are there. */
static void check_scene(void)
{
    while (stats_of(pool).undead || stats_of(pool).workers != WORKERS)
        cw__thread_pause();
    struct hold *hold = hold_all(pool);
    let_go(pool, hold);
    for (int i = 0; i < MUTEXES; i++) {
        recover(i);
        ASSERT_EQ(cw_try_lock(mutexes[i], NULL), CW_OK);
        cw_mutex_release(mutexes[i]);
    }
    cw_channel_cancel(meeting.channel, NULL, NULL);
    cw_channel_cancel(buffered.channel, NULL, NULL);
    cw_channel_release(meeting.channel);
    cw_channel_release(buffered.channel);
    ASSERT(cw_channel_is_empty(own_channel.channel));
    cw_channel_release(own_channel.channel);
    cw_job *last = cw_async(view, give, 1);
    wait_for(last);
    cw_job_release(last);
    cw_context_close(pool);
    ASSERT_EQ(cw_context_join(pool), CW_OK);
    hold_free(hold);
    cw_stats stats = stats_of(pool);
    ASSERT_EQ(stats.launched, stats.completed);
    ASSERT_EQ(stats.failed, 0);
    cw_context_release(view);
    cw_context_release(pool);
    while (last_planted) {
        plant *tree = last_planted;
        last_planted = tree->before;
        free(tree);
    }
    free((void *)begun);
    free((void *)arrived);
}

TEST(nothing_is_missing_after_random_kills)
{
    plant *trees[TREES];

    alarm(TEST_SECONDS + kills_wanted / 20);
    set_scene();
    const cw_elements *place = cw_elements_with_context(NULL, pool);
    const cw_elements *elements = cw_elements_with_grace(place, 0);
    uint32_t state = seed | 1, bystanders = 0, felled = 0;
    size_t memory = 0;
    for (int i = 0; i < TREES; i++)
        trees[i] = put_up(elements, &state);
    for (uint32_t lost = 0; lost < kills_wanted; lost = stats_of(pool).lost) {
        uint32_t which = chance(&state, TREES);
        plant *tree = trees[which];
        if (cw_is_completed(tree->root)) {
            fell(tree);
            felled++;
            trees[which] = put_up(elements, &state);
        } else if (chance(&state, 4) == 0) {
            cw_cancel(tree->root, NULL);
        }
        if (bystanders - atomic_load(&unhurt) < MOST_BYSTANDERS) {
            ASSERT_EQ(cw_spawn(pool, bystander, ++bystanders), CW_OK);
        } else {
            cw__thread_pause();
        }
        keep_busy(&state);
        if (lost > kills_wanted / 2 && !memory) memory = cw_memory_used();
    }
    for (int i = 0; i < TREES; i++) {
        cw_cancel(trees[i]->root, NULL);
        fell(trees[i]);
    }
    while (atomic_load(&unhurt) < bystanders)
        cw__thread_pause();
    cw_elements_release(elements);
    cw_elements_release(place);
    cw_stats stats = stats_of(pool);
    printf("%u kills, %u trees, %llu jobs, %u bystanders, %u mutexes put "
           "right, memory %zu kB after half of it and %zu kB now\n",
           stats.lost, felled, (unsigned long long)stats.launched, bystanders,
           atomic_load(&poisonings), memory / 1024, cw_memory_used() / 1024);
    check_scene();
    ASSERT_EQ(settled, felled + TREES);
}
