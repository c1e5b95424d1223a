# The demo's own WebAssembly module: its C, linked as users link theirs.

DEMO_BUILD := $(BUILD)/demo
DEMO_MODULE := $(DEMO_BUILD)/demo.mjs
DEMO_CFLAGS := -std=c11 -O3 -pthread $(WARNINGS) -Iinclude -MMD -MP

$(DEMO_BUILD)/%.o: demo/%.c $(PUBLIC_HEADERS) $(BUILD)/.emscripten
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) $(DEMO_CFLAGS) -c $< -o $@

$(DEMO_MODULE): $(patsubst demo/%.c,$(DEMO_BUILD)/%.o,$(wildcard demo/*.c)) \
    lib/libcoworker.a lib/coworker.link
	$(Q)$(EMCC) @lib/coworker.link --no-entry -sFILESYSTEM=0 -sENVIRONMENT=web,worker \
	  $(filter %.o %.a,$^) -o $@

# For the page that `make demo` serves, and for tests/demo/.
demo test: $(DEMO_MODULE)

-include $(wildcard $(DEMO_BUILD)/*.d)
