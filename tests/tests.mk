# What the suite of tests/suite needs besides the package: a module of its own,
# linked as users link theirs, for browsers and for Node.
#   STACK_OVERFLOW_CHECK  a stack that overflows traps instead of writing elsewhere

SUITE_SHARED := $(BUILD)/tests/native.mjs $(BUILD)/tests/native.node.mjs
SUITE_SOLO := $(BUILD)/tests/native-solo.mjs $(BUILD)/tests/native-solo.node.mjs
SUITE_MODULES := $(SUITE_SHARED) $(SUITE_SOLO)

$(filter-out %.node.mjs,$(SUITE_MODULES)): SUITE_ENVIRONMENT := web,worker
$(filter %.node.mjs,$(SUITE_MODULES)): SUITE_ENVIRONMENT := node,worker
$(SUITE_SOLO): tests/suite/helpers/native.c lib/libcoworker-solo.a $(SOLO_EXPORTS) wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -Isrc -Wall -Wextra -Werror $(SOLO_LINK) -sFILESYSTEM=0 --no-entry \
	  -sENVIRONMENT=$(SUITE_ENVIRONMENT) -sSTACK_OVERFLOW_CHECK=2 \
	  $< lib/libcoworker-solo.a -o $@
$(SUITE_SHARED): tests/suite/helpers/native.c lib/libcoworker.a wasm/exports.txt wasm/emscripten.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -Isrc -Wall -Wextra -Werror $(WASM_LINK) -sFILESYSTEM=0 --no-entry \
	  -sENVIRONMENT=$(SUITE_ENVIRONMENT) -sSTACK_OVERFLOW_CHECK=2 \
	  $< lib/libcoworker.a -o $@

.PHONY: suite-modules
suite-modules: $(SUITE_MODULES)

test test-node test-browser stress: $(SUITE_MODULES)

.PHONY: roles
roles: ## What may run on which thread, as clang checks it
	$(Q)tests/roles/run.sh

# The C tests as WebAssembly in Node, on the objects that users link:
# node build/wasm-node/tests/NAME.cjs [WORD]
#   PROXY_TO_PTHREAD  main() blocks, and threads start only from an event loop
#   EXIT_RUNTIME      the process ends with main()
#   STACK_SIZE        of main() and of threads that tests start themselves
#   ABORTING_MALLOC   no memory is told, as on every other platform
#   INITIAL_MEMORY    enough for all of them: memory that grows is slower
WASM_TESTS := $(C_TESTS:%=$(BUILD)/wasm-node/tests/%.cjs)

$(BUILD)/wasm-node/tests/%.cjs: tests/c/%.c $(wildcard tests/c/*.h) tests/c/environment.js \
  $(CORE_HEADERS) lib/libcoworker.a tests/tests.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=gnu11 -O2 -pthread -Isrc -Wall -Wextra -Werror $< lib/libcoworker.a \
	  --pre-js tests/c/environment.js $(TEST_LDFLAGS) -sENVIRONMENT=node -sPROXY_TO_PTHREAD \
	  -sEXIT_RUNTIME -sSTACK_SIZE=256KB -sABORTING_MALLOC=0 -sINITIAL_MEMORY=256MB -o $@

.PHONY: run-wasm
run-wasm: $(WASM_TESTS)
	$(Q)tools/test-c.sh wasm $^

# The same from JavaScript. ENGINES as tests/browser/run.mjs knows them; a
# thousand kills are some two minutes in Node and twelve in an engine.
JS_KILLS = $(if $(filter file,$(origin COWORKER_KILLS)),1000,$(COWORKER_KILLS))
ENGINES ?= chromium,firefox,webkit

.PHONY: chaos chaos-node chaos-browser
chaos: chaos-node chaos-browser

chaos-node: web $(SUITE_MODULES) ## Workers killed at random in Node, COWORKER_KILLS (1000) of them
	$(Q)COWORKER_KILLS=$(JS_KILLS) $(NODE) --test --test-reporter=spec tests/suite/chaos.test.js

chaos-browser: web setup-browsers $(SUITE_MODULES) ## The same in each of ENGINES
	$(Q)COWORKER_KILLS=$(JS_KILLS) $(NODE) tests/browser/run.mjs --engine $(ENGINES) \
	  --suite chaos --watchdog 1800

# Hosts of one pool for several tabs: two to six minutes in an engine. A million
# messages are some seven minutes.
COWORKER_HOSTS ?= 200
COWORKER_JOBS ?= 10000
COWORKER_FORGERIES ?= 1000000

.PHONY: chaos-tabs
chaos-tabs: web setup-browsers ## Tabs that go and lie at random: COWORKER_HOSTS (200), COWORKER_JOBS (10000), COWORKER_FORGERIES (1000000)
	$(Q)COWORKER_HOSTS=$(COWORKER_HOSTS) COWORKER_JOBS=$(COWORKER_JOBS) \
	  $(NODE) tests/tabs/tabs.test.mjs --engine $(ENGINES) --only 'go at random'
	$(Q)COWORKER_FORGERIES=$(COWORKER_FORGERIES) \
	  $(NODE) --test --test-reporter=spec tests/tabs/forged-at-random.test.js

FUZZ_RUNS ?= 1000000
FUZZ := $(BUILD)/fuzz/wire_fuzz

.PHONY: fuzz
fuzz: $(FUZZ) ## What pages may be sent, by libFuzzer: FUZZ_RUNS (1000000); needs clang
	$(Q)$< -runs=$(FUZZ_RUNS) -max_len=2048 -print_final_stats=1

$(FUZZ): tests/fuzz/wire_fuzz.c $(CORE_SOURCES) src/platform/posix.c src/platform/pthread.c $(CORE_HEADERS) tests/c/wires.h
	@mkdir -p $(@D)
	@command -v clang >/dev/null || { echo 'make fuzz: clang not found; install clang and libclang-rt-dev' >&2; exit 1; }
	$(Q)clang -std=c11 $(WARNINGS) -Isrc -O1 -g -DCW_PLAIN_ALLOC -fsanitize=fuzzer,address,undefined \
	  -fno-sanitize-recover=all -o $@ $(filter %.c,$^) -lpthread
