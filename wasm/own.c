/* own.c: what the package's own module is spared of Emscripten's C; own.js is
 * the same for the glue, and says why. Users' modules get all of it.
 *
 * SPDX-License-Identifier: MIT
 *
 * Calls from thread to thread, which nobody makes: their queues bring mutexes,
 * conditions and keys. Weak, so that these give way where Emscripten's own ones
 * come nonetheless.
 */
#include <pthread.h>
#include <stddef.h>

#define INSTEAD __attribute__((weak))

struct em_proxying_queue;
struct em_proxying_queue *emscripten_proxy_get_system_queue(void);
void emscripten_proxy_execute_queue(struct em_proxying_queue *queue);
double _emscripten_run_js_on_main_thread(int function, void *code, int bytes,
                                         void *args, int mode);
void _emscripten_run_js_on_main_thread_done(void *call, void *args,
                                            double result);
void _emscripten_thread_mailbox_init(pthread_t thread);
void _emscripten_thread_mailbox_shutdown(pthread_t thread);

INSTEAD struct em_proxying_queue *emscripten_proxy_get_system_queue(void)
{
    return NULL;
}

INSTEAD void emscripten_proxy_execute_queue(struct em_proxying_queue *queue)
{
    (void)queue;
}

INSTEAD double _emscripten_run_js_on_main_thread(int function, void *code,
                                                 int bytes, void *args,
                                                 int mode)
{
    (void)function, (void)code, (void)bytes, (void)args, (void)mode;
    __builtin_trap();
}

INSTEAD void _emscripten_run_js_on_main_thread_done(void *call, void *args,
                                                    double result)
{
    (void)call, (void)args, (void)result;
    __builtin_trap();
}

/* When a thread begins, and ends. */
INSTEAD void _emscripten_thread_mailbox_init(pthread_t thread) { (void)thread; }

INSTEAD void _emscripten_thread_mailbox_shutdown(pthread_t thread)
{
    (void)thread;
}
