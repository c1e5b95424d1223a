// own.js: what the glue of the package's own module is spared, as a library of
// Emscripten's.
//
// No C but the core runs in that module. It makes threads on the main thread
// only, never exits, and sends no calls from thread to thread; so these replace
// what a user's own module may need. They take as many parameters as Emscripten
// has in their signatures.

/* global abort, addToLibrary, spawnThread, updateMemoryViews, wasmMemory, ENVIRONMENT_IS_PTHREAD */

addToLibrary({
  // Elsewhere a thread asks the main one to make another.
  __pthread_create_js__deps: ['$spawnThread'],
  __pthread_create_js: (pthread_ptr, attr, startRoutine, arg) =>
    ENVIRONMENT_IS_PTHREAD ? 6 : spawnThread({ startRoutine, pthread_ptr, arg, transferList: [] }),

  $exitJS__deps: [],
  $exitJS: () => abort('exit'),

  // Elsewhere the process may end with a callback.
  $callUserCallback__deps: [],
  $callUserCallback: (callback) => callback(),

  // A fifth more than it has, if it may, so that it need not grow again soon.
  emscripten_resize_heap__deps: [],
  emscripten_resize_heap: (size) => {
    const has = wasmMemory.buffer.byteLength;
    if (size <= has) return 0;
    for (const extra of [Math.min(has / 5, 96 << 20), 0]) {
      try {
        wasmMemory.grow(((size - has + extra + 65535) / 65536) | 0);
        updateMemoryViews();
        return 1;
      } catch {
        continue;
      }
    }
    return 0;
  },

  // Calls from thread to thread.
  $checkMailbox__deps: ['$callUserCallback'],
  $checkMailbox: () => {},
  _emscripten_thread_mailbox_await__deps: ['$checkMailbox'],
  _emscripten_thread_mailbox_await: (_thread) => {},
  _emscripten_notify_mailbox_postmessage__deps: [],
  _emscripten_notify_mailbox_postmessage: (_to, _from) => {},
  _emscripten_receive_on_main_thread_js__deps: [],
  _emscripten_receive_on_main_thread_js: (_1, _2, _3, _4, _5, _6, _7) => {},
});
