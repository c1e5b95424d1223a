# The WebAssembly build. Each flag stands with its reason.

WASM_BUILD := $(BUILD)/wasm
WASM_HEADERS := $(CORE_HEADERS) $(wildcard wasm/*.h)
BRIDGE_SOURCES := $(filter-out wasm/layout.c wasm/own.c,$(wildcard wasm/*.c))

WASM_CFLAGS := -std=gnu11 -Oz -pthread -Isrc -MMD -MP $(BEFORE) \
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
# gnu11 and no -Wpedantic: EM_JS is an extension. The core itself is checked
# as plain C11 by the native builds.

# Everything is made small but what each job, each wait and each element of a
# channel passes through: small, that would take a fifth longer (bench/c).
WASM_HOT := alloc away await backlog body buffer cancel channel channel_wait children coroutine \
  dispatch due error finish frame idle inbox intake job jobs kill_gate launch launches party \
  ring scope sleep suspend ticket timer values worker
$(WASM_HOT:%=$(WASM_BUILD)/%.o): WASM_CFLAGS += -O3

WASM_OBJECTS := $(CORE_SOURCES:src/%.c=$(WASM_BUILD)/%.o) \
  $(addprefix $(WASM_BUILD)/,emscripten.o waiting.o pthread.o malloc.o) \
  $(BRIDGE_SOURCES:wasm/%.c=$(WASM_BUILD)/%.o)

# The same without threads, where memory cannot be shared: there atomic
# operations become plain ones.
SOLO_BUILD := $(BUILD)/solo
SOLO_CFLAGS = $(filter-out -pthread,$(WASM_CFLAGS))
$(WASM_HOT:%=$(SOLO_BUILD)/%.o): WASM_CFLAGS += -O3
SOLO_OBJECTS := $(CORE_SOURCES:src/%.c=$(SOLO_BUILD)/%.o) \
  $(addprefix $(SOLO_BUILD)/,emscripten.o alone.o) \
  $(patsubst wasm/%.c,$(SOLO_BUILD)/%.o,$(filter-out wasm/thread.c,$(BRIDGE_SOURCES)))

# What everybody links with who wants the JavaScript interface: this is also
# shipped as lib/coworker.link for users' own modules.
WASM_LINK := -O3 -pthread -sMODULARIZE -sEXPORT_ES6 \
  -sEXPORTED_FUNCTIONS=@wasm/exports.txt \
  -sEXPORTED_RUNTIME_METHODS=wasmMemory,PThread,wasmExports \
  -sINCOMING_MODULE_JS_API=wasmMemory,wasmBinary,locateFile,instantiateWasm,mainScriptUrlOrBlob,print,printErr \
  -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sINITIAL_MEMORY=1MB -sSTACK_SIZE=64KB \
  -sABORTING_MALLOC=0 -Wno-pthreads-mem-growth

# Both modules have one interface, but for what only threads need.
SOLO_EXPORTS := $(SOLO_BUILD)/exports.txt
SOLO_LINK := $(subst wasm/exports.txt,$(SOLO_EXPORTS),$(filter-out -pthread \
  -sEXPORTED_RUNTIME_METHODS=% -sINCOMING_MODULE_JS_API=% -Wno-pthreads-mem-growth,$(WASM_LINK))) \
  -sIMPORTED_MEMORY -sEXPORTED_RUNTIME_METHODS=wasmMemory,wasmExports \
  -sINCOMING_MODULE_JS_API=wasmMemory,wasmBinary,locateFile,instantiateWasm,print,printErr

# INITIAL_MEMORY and MAXIMUM_MEMORY are only the limits of what the loader may
# pass as wasmMemory; it makes a fixed one unless asked for growth.

# The core's own module: the smallest allocator, since jobs and frames have
# their own pools above it; no entry point, no file system; and of the glue only
# what web/ uses.
WASM_OWN := -sMALLOC=emmalloc --no-entry -sFILESYSTEM=0 --js-library wasm/own.js \
  -sEXPORTED_RUNTIME_METHODS= -sINCOMING_MODULE_JS_API=wasmMemory,locateFile,printErr

WASM_OUTPUTS := $(DIST)/coworker.mjs $(DIST)/coworker.node.mjs $(DIST)/coworker-solo.mjs \
  $(DIST)/coworker-solo.node.mjs web/layout.gen.ts lib/libcoworker.a lib/coworker.link \
  lib/libcoworker-solo.a lib/coworker-solo.link $(PUBLIC_HEADERS)

$(WASM_BUILD)/%.o: src/%.c wasm/emscripten.mk $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@
$(WASM_BUILD)/%.o: src/platform/%.c wasm/emscripten.mk $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@
$(WASM_BUILD)/%.o: wasm/%.c wasm/emscripten.mk $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@

$(SOLO_BUILD)/%.o: src/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(SOLO_CFLAGS) -c $< -o $@
$(SOLO_BUILD)/%.o: src/platform/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(SOLO_CFLAGS) -c $< -o $@
$(SOLO_BUILD)/%.o: wasm/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(SOLO_CFLAGS) -c $< -o $@

$(SOLO_EXPORTS): wasm/exports.txt
	$(Q)mkdir -p $(@D)
	$(Q)grep -vx _cwb_thread_end $< > $@

lib/libcoworker.a: $(WASM_OBJECTS)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(EMAR) rcs $@ $(WASM_OBJECTS)

lib/libcoworker-solo.a: $(SOLO_OBJECTS)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(EMAR) rcs $@ $(SOLO_OBJECTS)

# A response file of emcc. The list of exports is in it, since emcc would look
# for a file of its own from wherever it is called.
lib/coworker.link: wasm/exports.txt wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' $(subst @wasm/exports.txt,$$(paste -sd, wasm/exports.txt),$(WASM_LINK)) > $@

lib/coworker-solo.link: $(SOLO_EXPORTS) wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' $(subst @$(SOLO_EXPORTS),$$(paste -sd, $(SOLO_EXPORTS)),$(SOLO_LINK)) > $@

include/%.h: src/%.h
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

# Two files of glue, since bundlers stop at Node's modules in the browser's one.
# They share one WebAssembly file; web/node.ts tells Node's glue its name.
# Worker is a class of web/threads.ts when they make one, which needs no URL:
# bundlers would follow it and make a file of it that nobody loads.
NO_WORKER_URL := sed -i -E 's/(new Worker)\(new URL\("coworker[.a-z]*",import\.meta\.url\),\{[^}]*\}\)/\1/'

WASM_OWN_OBJECTS := $(WASM_OBJECTS) $(WASM_BUILD)/own.o

$(DIST)/coworker.mjs: lib/libcoworker.a $(WASM_BUILD)/own.o wasm/exports.txt wasm/own.js wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_LINK) $(WASM_OWN) -sENVIRONMENT=web,worker $(WASM_OWN_OBJECTS) -o $@
	$(Q)$(NO_WORKER_URL) $@
$(DIST)/coworker.node.mjs: $(DIST)/coworker.mjs
	$(Q)$(EMCC) $(WASM_LINK) $(WASM_OWN) -sENVIRONMENT=node,worker $(WASM_OWN_OBJECTS) -o $@
	$(Q)$(NO_WORKER_URL) $@
	$(Q)cmp $(DIST)/coworker.wasm $(DIST)/coworker.node.wasm
	$(Q)rm -f $(DIST)/coworker.node.wasm

$(DIST)/coworker-solo.mjs: lib/libcoworker-solo.a $(SOLO_EXPORTS) wasm/own.js wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(SOLO_LINK) $(WASM_OWN) -sENVIRONMENT=web,worker $(SOLO_OBJECTS) -o $@
$(DIST)/coworker-solo.node.mjs: $(DIST)/coworker-solo.mjs
	$(Q)$(EMCC) $(SOLO_LINK) $(WASM_OWN) -sENVIRONMENT=node,worker $(SOLO_OBJECTS) -o $@
	$(Q)cmp $(DIST)/coworker-solo.wasm $(DIST)/coworker-solo.node.wasm
	$(Q)rm -f $(DIST)/coworker-solo.node.wasm

$(WASM_BUILD)/layout.ts: wasm/layout.c $(WASM_HEADERS) $(BUILD)/.emscripten $(BUILD)/.npm
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -pthread -Isrc -Iwasm -sENVIRONMENT=node $< -o $(@D)/layout.cjs
	$(Q)$(NODE) $(@D)/layout.cjs > $@
	$(Q)$(BIN)/prettier --log-level warn --write $@

# Touched only when it changes, so that most changes of a header compile no
# TypeScript.
web/layout.gen.ts: $(WASM_BUILD)/layout.ts
	$(Q)cmp -s $< $@ || cp $< $@

-include $(wildcard $(WASM_BUILD)/*.d $(SOLO_BUILD)/*.d)
