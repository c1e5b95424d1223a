/* wire_fuzz.c: whatever may come over a port to another page, by libFuzzer.
 *
 * SPDX-License-Identifier: MIT
 *
 * An input is a batch and one more byte, which says who gets it. Most of what
 * can be made of nothing fails at the head, so inputs begin as good batches.
 */
#include "../c/wires.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    cw__wire_link link =
        wire_link(data[size - 1] & 1 ? CW__WIRE_HOST : CW__WIRE_CLIENT);
    /* Of its very size, so that each byte too far is found. */
    uint8_t *bytes = malloc(size - 1);
    WIRE_ASSERT(bytes);
    memcpy(bytes, data, size - 1);
    wire_check(&link, bytes, size - 1);
    free(bytes);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed)
{
    struct rng rng = {seed};
    if (size > CW__WIRE_HEAD + 1 && rng_below(&rng, 4)) {
        if (rng_below(&rng, 2)) return LLVMFuzzerMutate(data, size, most);
        uint8_t to = data[size - 1];
        uint32_t left = wire_mutate(&rng, data, (uint32_t)size - 1);
        data[left] = to;
        return left + 1;
    }
    bool to_host = rng_below(&rng, 2);
    cw__wire_batch batch =
        wire_batch(&rng, to_host ? CW__WIRE_CLIENT : CW__WIRE_HOST);
    if (batch.bytes < most) {
        memcpy(data, batch.at, batch.bytes);
        data[batch.bytes] = to_host;
        size = batch.bytes + 1;
    }
    cw__wire_free(&batch);
    return size;
}
