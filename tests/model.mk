# The checker of tests/model and what it checks: the core as it is, compiled so
# that each access to memory calls the checker, with small queues. A deeper search
# in some of the scenarios: make model MODEL_FLAGS='-b 3 worker_'

MODEL := $(BUILD)/model
MODEL_CORE := $(CORE_SOURCES:src/%.c=$(MODEL)/src/%.o)
MODEL_SCENARIOS := $(patsubst %.c,$(MODEL)/%.o,$(wildcard tests/model/*_model.c))
MODEL_CHECKER := $(patsubst %,$(MODEL)/tests/model/%.o,checker hooks interleaving log memory platform threads)
MODEL_CFLAGS := -O2 -g -fno-pie -Itests/model -DCW_PLAIN_ALLOC -DCW_RING_SIZE=4 -DCW_BATCH_JOBS=2 -DCW_LEAST_PARTED=1 -DCW_SPINS=0
MODEL_LDFLAGS := -no-pie -Wl,--wrap=abort,--wrap=memcpy,--wrap=memset

$(MODEL_CORE) $(MODEL_SCENARIOS): MODEL_CFLAGS += -fsanitize=thread
$(MODEL_CORE): $(MODEL)/src/%.o: src/%.c tests/model.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(MODEL_CFLAGS) -c $< -o $@
$(MODEL_SCENARIOS) $(MODEL_CHECKER): $(MODEL)/%.o: %.c tests/model.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(MODEL_CFLAGS) -c $< -o $@

# Linked without -fsanitize=thread: the checker has the functions.
$(MODEL)/model: $(MODEL_CORE) $(MODEL_SCENARIOS) $(MODEL_CHECKER)
	$(Q)$(CC) $^ -o $@ $(MODEL_LDFLAGS)

-include $(wildcard $(MODEL)/src/*.d $(MODEL)/tests/model/*.d)
