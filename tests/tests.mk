# What the suite of tests/suite needs besides the package: a module of its own,
# linked as users link theirs, for browsers and for Node.

SUITE_MODULES := $(BUILD)/tests/native.mjs $(BUILD)/tests/native.node.mjs

$(BUILD)/tests/native.mjs: SUITE_ENVIRONMENT := web,worker
$(BUILD)/tests/native.node.mjs: SUITE_ENVIRONMENT := node,worker
$(SUITE_MODULES): tests/suite/helpers/native.c lib/libcoworker.a wasm/exports.txt wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -Isrc -Wall -Wextra -Werror $(WASM_LINK) -sFILESYSTEM=0 --no-entry \
	  -sENVIRONMENT=$(SUITE_ENVIRONMENT) $< lib/libcoworker.a -o $@

.PHONY: suite-modules
suite-modules: $(SUITE_MODULES)

test test-node test-browser: $(SUITE_MODULES)
