# The WebAssembly build. Each flag stands with its reason.

WASM_BUILD := $(BUILD)/wasm
WASM_HEADERS := $(CORE_HEADERS) $(wildcard wasm/*.h)
BRIDGE_SOURCES := wasm/bridge.c wasm/task.c wasm/op.c wasm/imports.c

WASM_CFLAGS := -std=gnu11 -O3 -pthread -Isrc -MMD -MP \
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror
# gnu11 and no -Wpedantic: EM_JS is an extension. The core itself is checked
# as plain C11 by the native builds.

WASM_OBJECTS := $(CORE_SOURCES:src/%.c=$(WASM_BUILD)/%.o) \
  $(WASM_BUILD)/emscripten.o $(WASM_BUILD)/pthread.o \
  $(BRIDGE_SOURCES:wasm/%.c=$(WASM_BUILD)/%.o)

# What everybody links with who wants the JavaScript interface: this is also
# shipped as lib/coworker.link for users' own modules.
WASM_LINK := -O3 -pthread -sMODULARIZE -sEXPORT_ES6 \
  -sEXPORTED_FUNCTIONS=@wasm/exports.txt \
  -sEXPORTED_RUNTIME_METHODS=wasmMemory,PThread,wasmExports \
  -sINCOMING_MODULE_JS_API=wasmMemory,wasmBinary,locateFile,instantiateWasm,mainScriptUrlOrBlob,print,printErr \
  -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sINITIAL_MEMORY=1MB -sSTACK_SIZE=64KB \
  -sABORTING_MALLOC=0 -Wno-pthreads-mem-growth
# INITIAL_MEMORY and MAXIMUM_MEMORY are only the limits of what the loader may
# pass as wasmMemory; it makes a fixed one unless asked for growth.

# The core's own module: the smallest allocator, since jobs and frames have
# their own pools above it; no entry point, no file system.
WASM_OWN := -sMALLOC=emmalloc --no-entry -sFILESYSTEM=0

WASM_OUTPUTS := $(DIST)/coworker.mjs $(DIST)/coworker.node.mjs $(DIST)/lib/libcoworker.a web/layout.gen.ts

$(WASM_BUILD)/%.o: src/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@
$(WASM_BUILD)/%.o: src/platform/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@
$(WASM_BUILD)/%.o: wasm/%.c $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(WASM_CFLAGS) -c $< -o $@

$(DIST)/lib/libcoworker.a: $(WASM_OBJECTS)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(EMAR) rcs $@ $(WASM_OBJECTS)

# Two files of glue, since bundlers stop at Node's modules in the browser's one.
$(DIST)/coworker.mjs: $(DIST)/lib/libcoworker.a wasm/exports.txt wasm/emscripten.mk
	$(Q)$(EMCC) $(WASM_LINK) $(WASM_OWN) -sENVIRONMENT=web,worker $(WASM_OBJECTS) -o $@
$(DIST)/coworker.node.mjs: $(DIST)/lib/libcoworker.a wasm/exports.txt wasm/emscripten.mk
	$(Q)$(EMCC) $(WASM_LINK) $(WASM_OWN) -sENVIRONMENT=node,worker $(WASM_OBJECTS) -o $@

web/layout.gen.ts: wasm/layout.c $(WASM_HEADERS) $(BUILD)/.emscripten $(BUILD)/.npm
	$(Q)mkdir -p $(WASM_BUILD)
	$(Q)$(EMCC) -std=gnu11 -pthread -Isrc -Iwasm -sENVIRONMENT=node $< -o $(WASM_BUILD)/layout.cjs
	$(Q)$(NODE) $(WASM_BUILD)/layout.cjs > $(WASM_BUILD)/layout.ts
	$(Q)$(BIN)/prettier --log-level warn --write $(WASM_BUILD)/layout.ts
	$(Q)cmp -s $(WASM_BUILD)/layout.ts $@ || cp $(WASM_BUILD)/layout.ts $@

-include $(wildcard $(WASM_BUILD)/*.d)
