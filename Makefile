# coworker: `make` lists what there is to make.
#
# Two of the targets are all that a fresh machine needs: `make demo` and
# `make test`. They set up what is missing by themselves.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
EMCC := tools/emcc
EMAR := tools/emar
NODE := node
BIN := node_modules/.bin
BUILD := build
DIST := dist
V ?=
Q := $(if $(V),,@)

# ---------------------------------------------------------------- files

CORE_SOURCES := $(wildcard src/*.c)
PUBLIC_HEADERS := $(patsubst src/%,include/%,$(wildcard src/coworker*.h src/coworker/*.h))
CORE_HEADERS := $(wildcard src/*.h src/coworker/*.h)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Werror
# Included in front of each file of the core.
BEFORE ?=
CFLAGS_ALL := -std=c11 $(WARNINGS) -Isrc -MMD -MP $(BEFORE)

# One native build per flavour, each in its own folder under build/.
FLAVOURS := native asan tsan
CFLAGS_native := -O2 -g
CFLAGS_asan := -O1 -g -DCW_PLAIN_ALLOC -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -DCW_PLAIN_ALLOC -fsanitize=thread -fno-omit-frame-pointer

# One more looks at the handles that it is given, see src/check.h: for programs
# to be linked with, `make DEBUG=1 native`. The tests of that are run anyway.
CFLAGS_debug := -O1 -g -DCW_DEBUG
DEBUG ?=
NATIVE := $(if $(DEBUG),debug,native)

# What a test can make fail; see tests/c/test.h.
TEST_LDFLAGS := -Wl,--wrap=cw__alloc,--wrap=cw__system_alloc,--wrap=cw__thread_start,--wrap=cw__now_ns,--wrap=cw_is_completed,--wrap=cw__worker_unpark

%/chaos_test %/chaos_test.cjs: TEST_LDFLAGS += -Wl,--wrap=cw__gate_hold

C_TESTS := $(filter-out debug_test,$(patsubst tests/c/%.c,%,$(wildcard tests/c/*_test.c)))
STRESS_TESTS := $(filter stress_%,$(C_TESTS))
C_BENCHES := $(patsubst bench/c/%.c,%,$(wildcard bench/c/*_bench.c))
C_EXAMPLES := $(patsubst examples/%/main.c,%,$(wildcard examples/*/main.c))

include $(wildcard wasm/*.mk tests/*.mk examples/*.mk demo/*.mk)

##@ Everyday

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-zA-Z_-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all
all: native wasm web ## Build everything

# As tools/serve.mjs calls the sets that it knows.
HEADERS ?= isolated

.PHONY: demo
demo: web ## Set up, build, and serve the demo page; HEADERS=none as most servers do
	$(Q)$(NODE) tools/serve.mjs --root . --port 8080 --headers $(HEADERS) --open /demo/

.PHONY: test
test: all examples setup-browsers ## Set up, build, and run every test
	$(Q)$(NODE) tools/test-all.mjs

##@ Building

.PHONY: native
native: $(BUILD)/$(NATIVE)/libcoworker.a $(C_EXAMPLES:%=$(BUILD)/$(NATIVE)/examples/%) ## The C core and the C examples for this machine

.PHONY: wasm
wasm: $(WASM_OUTPUTS) ## The C core as WebAssembly with its glue

.PHONY: web
web: wasm $(DIST)/index.js ## The package: WebAssembly and JavaScript, in dist/

.PHONY: dist
dist: web ## The npm tarball, checked
	$(Q)$(NODE) tools/pack.mjs

##@ Testing

.PHONY: test-native
test-native: $(foreach f,$(FLAVOURS),run-$(f)) ## C tests: plain, under ASan+UBSan and under TSan

.PHONY: asan
asan: run-asan ## C tests under ASan and UBSan

.PHONY: tsan
tsan: run-tsan ## C tests under TSan

.PHONY: model
model: $(MODEL)/model ## Small scenarios of the core in every interleaving
	$(Q)$< $(MODEL_FLAGS)

.PHONY: test-node
test-node: web examples ## JavaScript tests in Node, on the built package
	$(Q)$(NODE) tools/test-all.mjs node

.PHONY: test-browser
test-browser: web setup-browsers ## The same suite in Chromium, Firefox and WebKit
	$(Q)$(NODE) tests/browser/run.mjs

CW_STRESS_ROUNDS ?= 10000

.PHONY: stress
stress: $(foreach f,$(FLAVOURS),$(STRESS_TESTS:%=$(BUILD)/$(f)/tests/%)) $(STRESS_TESTS:%=$(BUILD)/wasm-node/tests/%.cjs) web ## Races, CW_STRESS_ROUNDS (10000) of each: takes hours
	$(Q)CW_STRESS_ROUNDS=$(CW_STRESS_ROUNDS) COWORKER_STRESS_ROUNDS=$(CW_STRESS_ROUNDS) \
	  $(NODE) tools/test-all.mjs stress

COWORKER_KILLS ?= 10000

.PHONY: chaos
chaos: $(FLAVOURS:%=$(BUILD)/%/tests/chaos_test) $(BUILD)/wasm-node/tests/chaos_test.cjs ## Threads killed at random, COWORKER_KILLS (10000) of them
	$(Q)for flavour in $(FLAVOURS); do \
	  echo "== $$flavour"; \
	  COWORKER_KILLS=$(COWORKER_KILLS) TSAN_OPTIONS=halt_on_error=1 ASAN_OPTIONS=detect_leaks=1 \
	    $(BUILD)/$$flavour/tests/chaos_test; \
	done
	$(Q)echo "== wasm"; COWORKER_KILLS=$(COWORKER_KILLS) $(NODE) $(BUILD)/wasm-node/tests/chaos_test.cjs
	$(Q)echo "== without the gate"; \
	if COWORKER_NO_GATE=1 timeout 20 $(BUILD)/native/tests/chaos_test >$(BUILD)/no-gate.log 2>&1; \
	then echo "passes, and should not"; exit 1; else echo "fails, as it should"; fi

##@ Quality

.PHONY: check
check: lint types format-check test ## All that a change has to pass

.PHONY: lint
lint: $(BUILD)/.npm web/layout.gen.ts ## Lint JavaScript and TypeScript
	$(Q)$(BIN)/eslint .
	$(Q)$(NODE) tools/cycles.mjs

.PHONY: types
types: web ## Type-check sources, tests and the published declarations
	$(Q)$(BIN)/tsc -p web/tsconfig.json --noEmit
	$(Q)$(BIN)/tsc -p tests/types/tsconfig.json

.PHONY: format
format: $(BUILD)/.npm ## Format all sources
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')
	$(Q)$(BIN)/prettier --log-level warn --write .

.PHONY: format-check
format-check: $(BUILD)/.npm ## Check the formatting
	$(Q)clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	$(Q)$(BIN)/prettier --log-level warn --check .

.PHONY: bench
bench: web $(C_BENCHES:%=$(BUILD)/native/bench/%) $(C_BENCHES:%=$(BUILD)/wasm-node/bench/%.cjs) ## Benchmarks against other packages
	$(Q)$(NODE) bench/run.mjs

.PHONY: memory
memory: web ## What contexts and kills leave behind, drawn in docs/memory.svg
	$(Q)$(NODE) bench/memory.mjs 10000 1000 docs/memory.svg

.PHONY: bench-gate
bench-gate: $(BUILD)/native/bench/core_bench $(BUILD)/wasm-node/bench/core_bench.cjs ## What it costs that threads may be killed
	$(Q)$(MAKE) BUILD=$(BUILD)/no-gate BEFORE='-include bench/c/no_gate.h' \
	  $(BUILD)/no-gate/native/bench/core_bench $(BUILD)/no-gate/wasm-node/bench/core_bench.cjs
	$(Q)$(NODE) bench/gate.mjs $(BUILD) $(BUILD)/no-gate

.PHONY: size
size: web ## What users download
	$(Q)$(NODE) tools/size.mjs

.PHONY: clean
clean: ## Remove what was built
	$(Q)rm -rf $(BUILD) $(DIST) include lib

# ---------------------------------------------------------------- set-up

# Each step leaves a stamp, so that a second run does nothing.
$(BUILD)/.npm: package-lock.json package.json
	$(Q)command -v $(NODE) >/dev/null || { echo "make: Node.js 20 or newer is needed: https://nodejs.org or 'apt-get install nodejs npm'"; exit 1; }
	$(Q)npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	$(Q)mkdir -p $(BUILD) && touch $@

$(BUILD)/.emscripten: tools/versions.sh tools/em tools/setup-emscripten.sh
	$(Q)tools/setup-emscripten.sh
	$(Q)mkdir -p $(BUILD) && touch $@

.PHONY: setup-browsers
setup-browsers: $(BUILD)/.npm
	$(Q)tools/setup-browsers.sh

# ---------------------------------------------------------------- native

# $(1): flavour
define FLAVOUR_RULES
$(BUILD)/$(1)/src/%.o: src/%.c
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS_ALL) $$(CFLAGS_$(1)) -c $$< -o $$@

$(BUILD)/$(1)/libcoworker.a: $$(CORE_SOURCES:src/%.c=$(BUILD)/$(1)/src/%.o) $(BUILD)/$(1)/src/platform/posix.o $(BUILD)/$(1)/src/platform/pthread.o
	$(Q)rm -f $$@
	$(Q)ar rcs $$@ $$^

$(BUILD)/$(1)/tests/%: tests/c/%.c $(wildcard tests/c/*.h) $(BUILD)/$(1)/libcoworker.a
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS_ALL) $$(CFLAGS_$(1)) $$< $(BUILD)/$(1)/libcoworker.a -o $$@ $$(TEST_LDFLAGS) -lpthread

$(BUILD)/$(1)/bench/%: bench/c/%.c $(BUILD)/$(1)/libcoworker.a
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS_ALL) $$(CFLAGS_$(1)) $$< $(BUILD)/$(1)/libcoworker.a -o $$@ -lpthread

$(BUILD)/$(1)/examples/%: examples/%/main.c $(BUILD)/$(1)/libcoworker.a
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(CFLAGS_ALL) $$(CFLAGS_$(1)) $$< $(BUILD)/$(1)/libcoworker.a -o $$@ -lpthread

.PHONY: run-$(1)
run-$(1): $$(C_TESTS_$(1):%=$(BUILD)/$(1)/tests/%)
	$(Q)tools/test-c.sh $(1) $$^
endef
# Blocks that are freed are not used again at once in the debug one.
$(foreach f,$(FLAVOURS),$(eval C_TESTS_$(f) := $(C_TESTS)))
C_TESTS_debug := $(filter-out alloc_test,$(C_TESTS)) debug_test
$(foreach f,$(FLAVOURS) debug,$(eval $(call FLAVOUR_RULES,$(f))))

run-native: | run-checks
.PHONY: run-checks
run-checks: $(BUILD)/debug/tests/debug_test
	$(Q)tools/test-c.sh debug $^

# The same benchmark programs in Node, with the core as it is shipped:
# node build/wasm-node/bench/NAME.cjs
WASM_BENCH_OBJECTS := $(CORE_SOURCES:src/%.c=$(WASM_BUILD)/%.o) $(addprefix $(WASM_BUILD)/,emscripten.o waiting.o pthread.o)
$(BUILD)/wasm-node/bench/%.cjs: bench/c/%.c $(wildcard bench/c/*.h) $(WASM_BENCH_OBJECTS)
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -O3 -pthread -Isrc $< $(WASM_BENCH_OBJECTS) -sENVIRONMENT=node \
	  -sINITIAL_MEMORY=512MB -sPTHREAD_POOL_SIZE=12 -sPROXY_TO_PTHREAD -sEXIT_RUNTIME -o $@

.SECONDARY:
-include $(wildcard $(BUILD)/*/src/*.d $(BUILD)/*/src/platform/*.d $(BUILD)/*/tests/*.d $(BUILD)/*/bench/*.d)

# ---------------------------------------------------------------- JavaScript

WEB_SOURCES := $(wildcard web/*.ts)
WEB_GLUE_TYPES := $(wildcard web/*.d.mts)

# Declarations of the glue are written by hand; what has no source any more goes,
# and then the entry points for Node are made anew of what was compiled.
$(DIST)/index.js: $(WEB_SOURCES) $(WEB_GLUE_TYPES) web/tsconfig.json tools/bundle.mjs web/layout.gen.ts $(BUILD)/.npm
	$(Q)$(BIN)/tsc -p web/tsconfig.json
	$(Q)cp $(WEB_GLUE_TYPES) $(@D)
	$(Q)for file in $(@D)/*.js; do \
	  name=$$(basename $$file .js); \
	  [ -e web/$$name.ts ] || rm -f $(@D)/$$name.{js,js.map,d.ts,d.ts.map}; \
	done
	$(Q)$(NODE) tools/bundle.mjs
	$(Q)touch $@
