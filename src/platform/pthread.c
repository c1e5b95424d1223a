/* pthread.c: starting and joining threads, for all platforms with pthreads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../platform.h"

#include "../coworker.h"

#include <pthread.h>

/* Enough for user code that recurses a little; the system's default is 64 kB
 * with Emscripten and 8 MB on Linux. */
#ifndef CW_STACK_BYTES
#    define CW_STACK_BYTES (256 * 1024)
#endif

/* pthread_create() wants another signature; the pair travels on the heap. */
struct start {
    void (*entry)(void *);
    void *arg;
};

static void *trampoline(void *raw)
{
    struct start start = *(struct start *)raw;
    cw__system_free(raw);
    start.entry(start.arg);
    return NULL;
}

void *cw__thread_argument(void (*entry)(void *), void *arg)
{
    struct start *start = cw__system_alloc(sizeof *start);
    if (start) *start = (struct start){entry, arg};
    return start;
}

int cw__thread_start(cw__thread *thread, void (*entry)(void *), void *arg)
{
    struct start *start = cw__thread_argument(entry, arg);
    if (!start) return CW_ENOMEM;
#ifdef __wasm__
    /* Emscripten's pthread_create() does not look at what its malloc() gives.
     * Some more for the rest of what it keeps for a thread. */
    void *room = cw__system_alloc(CW_STACK_BYTES + 16 * 1024);
    if (!room) {
        cw__system_free(start);
        return CW_ENOMEM;
    }
    cw__system_free(room);
#endif
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#ifdef __wasm__ /* elsewhere unused stack costs no memory */
    pthread_attr_setstacksize(&attributes, CW_STACK_BYTES);
#endif
    pthread_t id;
    int failed = pthread_create(&id, &attributes, trampoline, start);
    pthread_attr_destroy(&attributes);
    if (failed) {
        cw__system_free(start);
        return CW_ESTART;
    }
    thread->handle = (uintptr_t)id;
    return CW_OK;
}

#ifdef __wasm__
void emscripten_builtin_free(void *block);

/* A thread's first ones lie in the block of its stack; those of another one on
 * that stack Emscripten allocates, and forgets. */
void *cw__thread_locals(void) { return __builtin_wasm_tls_base(); }

void cw__thread_locals_free(void *locals) { emscripten_builtin_free(locals); }
#else
void *cw__thread_locals(void) { return NULL; }

void cw__thread_locals_free(void *locals) { (void)locals; }
#endif

bool cw__thread_may_exit(void) { return true; }

void cw__thread_exit(void) { pthread_exit(NULL); }

void cw__thread_join(cw__thread *thread)
{
    pthread_join((pthread_t)thread->handle, NULL);
}

void cw__thread_detach(cw__thread *thread)
{
    pthread_detach((pthread_t)thread->handle);
}
