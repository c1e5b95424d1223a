# The examples' own WebAssembly; the native programs are built by the Makefile.

EXAMPLES_BUILD := $(BUILD)/examples
HASH_TREE := examples/02-hash-tree
WASM_LIBRARY := lib/libcoworker.a lib/coworker.link $(PUBLIC_HEADERS)

.PHONY: examples
examples: web $(EXAMPLES_BUILD)/01-hello.cjs $(EXAMPLES_BUILD)/02-hash-tree/hash-tree.mjs \
  $(C_EXAMPLES:%=$(BUILD)/native/examples/%) $(BUILD)/native/examples/sha256_test ## The examples

.PHONY: test-examples
test-examples: examples ## Run the examples and check what they do
	$(Q)$(NODE) --test examples/examples.test.mjs

# A program all in C, as anybody builds one: main() runs on a thread of its own,
# since it blocks, and the process ends with it.
$(EXAMPLES_BUILD)/01-hello.cjs: examples/01-hello/main.c $(WASM_LIBRARY)
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -O2 -pthread -Iinclude $< -Llib -lcoworker \
	  -sENVIRONMENT=node -sPROXY_TO_PTHREAD -sEXIT_RUNTIME -o $@

# A module with C of its own for the JavaScript interface, also as anybody links
# one; the last line is only for a small one.
$(EXAMPLES_BUILD)/02-hash-tree/hash-tree.mjs: $(HASH_TREE)/hash_tree.c $(HASH_TREE)/sha256.c \
  $(HASH_TREE)/sha256.h $(WASM_LIBRARY)
	$(Q)mkdir -p $(@D)
	$(Q)$(EMCC) -std=c11 $(WARNINGS) -Iinclude $(filter %.c,$^) -Llib -lcoworker @lib/coworker.link \
	  -sENVIRONMENT=node,worker --no-entry -sFILESYSTEM=0 -sMALLOC=emmalloc -o $@

$(BUILD)/native/examples/sha256_test: $(HASH_TREE)/sha256_test.c $(HASH_TREE)/sha256.c $(HASH_TREE)/sha256.h
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(CFLAGS_native) $(filter %.c,$^) -o $@
