/* emscripten.c: the platform layer on the web and in Node: clock, memory and
 * messages. With threads, waiting.c and pthread.c are the rest of it; without,
 * alone.c is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "../platform.h"

#include <emscripten.h>
#include <stdlib.h>

/* clang-format off */
/* As emscripten_get_now(), which looks for the clock and asks for its origin
 * each time; in Node both take longer than to read it. */
EM_JS(double, cw_js_now, (void), {
    let clock = cw_js_now.clock;
    if (!clock) {
        clock = cw_js_now.clock = performance;
        cw_js_now.origin = clock.timeOrigin;
    }
    return cw_js_now.origin + clock.now();
})

EM_JS(void, cw_js_log, (const char *line), {
    let end = line;
    while (HEAPU8[end]) end++;
    console.error(String.fromCharCode(...HEAPU8.slice(line, end)));
})
/* clang-format on */

int64_t cw__now_ns(void) { return (int64_t)(cw_js_now() * 1e6); }

void *cw__system_alloc(size_t bytes) { return malloc(bytes); }

void cw__system_free(void *memory) { free(memory); }

void cw__log_line(const char *line) { cw_js_log(line); }

/* Engines tell nothing of other threads. */
uintptr_t cw__thread_id(void) { return 0; }

bool cw__thread_goes_on(uintptr_t id, uint64_t *progress)
{
    (void)id, (void)progress;
    return false;
}
