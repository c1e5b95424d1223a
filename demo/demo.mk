# The demo's own WebAssembly module: its C, linked as users link theirs. Once
# with threads, and once without, for pages whose memory cannot be shared.

DEMO_BUILD := $(BUILD)/demo
DEMO_SOURCES := $(wildcard demo/*.c)
DEMO_MODULES := $(DEMO_BUILD)/demo.mjs $(DEMO_BUILD)/demo-solo.mjs
DEMO_CFLAGS := -std=c11 -O3 $(WARNINGS) -Iinclude -MMD -MP
DEMO_LINK := --no-entry -sFILESYSTEM=0 -sENVIRONMENT=web,worker

$(DEMO_BUILD)/%.o: demo/%.c $(PUBLIC_HEADERS) $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(DEMO_CFLAGS) -pthread -c $< -o $@

$(DEMO_BUILD)/solo/%.o: demo/%.c $(PUBLIC_HEADERS) $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(DEMO_CFLAGS) -c $< -o $@

$(DEMO_BUILD)/demo.mjs: $(DEMO_SOURCES:demo/%.c=$(DEMO_BUILD)/%.o) lib/libcoworker.a lib/coworker.link
	$(Q)$(EMCC) @lib/coworker.link $(DEMO_LINK) $(filter %.o %.a,$^) -o $@

$(DEMO_BUILD)/demo-solo.mjs: $(DEMO_SOURCES:demo/%.c=$(DEMO_BUILD)/solo/%.o) lib/libcoworker-solo.a \
    lib/coworker-solo.link
	$(Q)$(EMCC) @lib/coworker-solo.link $(DEMO_LINK) $(filter %.o %.a,$^) -o $@

# For the page that `make demo` serves, and for tests/demo/.
.PHONY: demo-modules
demo-modules: $(DEMO_MODULES)
demo test: demo-modules

-include $(wildcard $(DEMO_BUILD)/*.d $(DEMO_BUILD)/solo/*.d)
