/* waiting.c: waiting and waking on the web and in Node, by WebAssembly's own
 * instructions. For builds with threads.
 *
 * SPDX-License-Identifier: MIT
 *
 * The futex calls are instructions, not Emscripten's functions: a thread of
 * ours that sleeps is nobody else's business, and on a page, where Emscripten
 * would spin instead of sleeping, ours is never called.
 */
#include "../platform.h"

#include <emscripten.h>
#include <emscripten/threading.h>

/* 1 if this thread may sleep: no browser's main thread may. Asked by trying,
 * since Node's main thread and workers may. */
/* clang-format off */
EM_JS(int, cw_js_may_block, (void), {
    try {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
        return 1;
    } catch (error) {
        return 0;
    }
})
/* clang-format on */

bool cw__thread_may_block(void)
{
    static _Thread_local int answer = -1;
    if (answer < 0) answer = cw_js_may_block();
    return answer != 0;
}

uint32_t cw__processors(void)
{
    int count = emscripten_num_logical_cores();
    return count > 1 ? (uint32_t)count : 1;
}

/* V8's baseline compiler (seen in Node 20) loses local variables that live
 * across a wait instruction. So it stands alone in a function that has none,
 * and is called by way of a volatile pointer, which no compiler or linker can
 * look through to inline it into its callers. */
static void wait_alone(int *word, int expected, int64_t timeout_ns)
{
    __builtin_wasm_memory_atomic_wait32(word, expected, timeout_ns);
}

static void (*volatile wait_word)(int *, int, int64_t) = wait_alone;

void cw__thread_pause(void)
{
    static int nothing;
    /* There is no yield on the web: a very short sleep gives way. The page
     * may not even do that and goes on trying. */
    if (cw__thread_may_block()) wait_word(&nothing, 0, 20 * 1000);
}

void cw__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t timeout_ns)
{
    wait_word((int *)(void *)word, (int)expected, timeout_ns);
}

/* All, since one may be the wrong one: Emscripten leaves an asynchronous wait
 * on the memory of each thread that ends, which goes on after it is freed. */
void cw__futex_wake(_Atomic uint32_t *word)
{
    __builtin_wasm_memory_atomic_notify((int *)(void *)word, (uint32_t)-1);
}
