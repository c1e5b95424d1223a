/* imports.c: the calls from C into JavaScript.
 *
 * SPDX-License-Identifier: MIT
 *
 * Each forwards to the object that the embedding code handed to the module's
 * factory as `coworker` (web/realm.ts implements it). They are written with
 * EM_JS, so that they travel inside libcoworker.a and a user's own link needs
 * no JavaScript library. Without that object (a C program with no JavaScript
 * of its own) workers run in C for all of their life.
 */
#include "bridge.h"

#include <emscripten.h>

/* A linker takes from an archive only what something refers to, and EM_JS
 * defines nothing that it looks for. */
void cwb_imports(void) {}

/* clang-format off */
EM_JS(int, cw_js_run, (cw_job *job, uint32_t task, uint32_t outcome,
                       const void *data, uint32_t length,
                       const cw_context *context), {
    return Module["coworker"].run(job, task, outcome, data, length, context);
})

EM_JS(void, cw_js_job_ended, (uint32_t token, uint32_t outcome,
                              const void *data, uint32_t length,
                              const char *worker), {
    Module["coworker"].jobEnded(token, outcome, data, length, worker);
})

EM_JS(void, cw_js_settled, (uint32_t token, cw_error *error,
                            const void *data, uint32_t length), {
    Module["coworker"].settled(token, error, data, length);
})

EM_JS(void, cw_js_suspended, (uint32_t token, cw_continuation *continuation), {
    Module["coworker"].suspended(token, continuation);
})

EM_JS(void *, cw_js_handled, (uint32_t token, uint32_t news, void *data,
                              cwb_element *element), {
    return Module["coworker"].handled(token, news, data, element);
})

EM_JS(void, cw_js_report, (cw_error *error), {
    Module["coworker"].reported(error);
})

EM_JS(void, cw_js_discard, (cwb_element *element), {
    Module["coworker"].discarded(element);
})

EM_JS(void, cw_js_error_freed, (uint32_t slot), {
    Module["coworker"].errorFreed(slot);
})

EM_JS(int, cw_js_worker_start, (cw__worker *worker, const char *name), {
    if (!Module["coworker"]) return 0;
    Module["coworker"].workerStart(worker, name);
    return 1;
})

EM_JS(void, cw_js_worker_end, (cw__worker *worker), {
    if (Module["coworker"]) Module["coworker"].workerEnd(worker);
})

EM_JS(void, cw_js_gone, (void), {
    Module["coworker"].gone();
})

EM_JS(void, cw_js_worker_lost, (cw__worker *worker, cw__life *life), {
    Module["coworker"].workerLost(worker, life);
})

EM_JS(void, cw_js_end_context, (cw_context *context), {
    Module["coworker"].endContext(context);
})

EM_JS(int, cw_js_start_again, (void *argument), {
    return Module["coworker"].startAgain(argument);
})

EM_JS(void, cw_js_wake, (cw__worker *worker), {
    Module["coworker"].wake(worker);
})
/* clang-format on */
