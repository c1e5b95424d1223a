/* values.h: values of JavaScript that the core keeps.
 *
 * SPDX-License-Identifier: MIT
 *
 * Encoded values may contain handles: to channels, mutexes and so on. Then the
 * data end with a list of what these refer to, so that the objects live as long
 * as the data do, whether or not anybody decodes them.
 *
 * An element is one value in 16 bytes, which channels copy as they like. It is
 * owned by whoever has it. JavaScript gives one as a word: its head, where
 *     CWB_NOTHING      stands for what is encoded in the scratch buffer; with
 *                      CWB_PARCEL that is the name of a parcel (web/parcels.ts)
 *     CWB_LOCAL_VALUE  for what the calling realm has itself and knows by a
 *                      token, which is in place of the length; the number is
 *                      in the scratch buffer
 */
#ifndef CWB_VALUES_H
#define CWB_VALUES_H

#include "bridge.h"

/* ---- references */

/* Kinds of objects that encoded values may refer to. */
enum cwb_kind { CWB_CHANNEL, CWB_MUTEX, CWB_SEMAPHORE, CWB_BROADCAST };

/* Where the list begins, in bytes. It is of pairs of words, a kind and an
 * address, and a word with their number, the last of the data. */
uint32_t cwb_references_at(const uint8_t *data, uint32_t length);
/* Takes a reference to each object, or gives it back. */
void cwb_references_keep(const uint8_t *data, uint32_t length);
void cwb_references_drop(const uint8_t *data, uint32_t length);

/* The same for a single object; keeping returns it. */
void *cwb_object_keep(uint32_t kind, void *object);
void cwb_object_drop(uint32_t kind, void *object);

/* ---- elements */

enum {
    CWB_NOTHING = 0,
    CWB_SMALL = 1, /* encoded in `bytes` */
    CWB_BLOCK = 2, /* encoded in a block of its own */
    CWB_LOCAL_VALUE = 3,
    CWB_ELEMENT_KIND = 3,
    CWB_PARCEL = 4,
    CWB_WITH_REFERENCES = 8,
    CWB_COUNTED = 16, /* one of several copies of what `counted` points to */
    CWB_LENGTH_SHIFT = 5,
    CWB_SMALL_BYTES = 12
};

struct cwb_element {
    union {
        /* Aligned as the codec has it. */
        _Alignas(8) uint8_t bytes[CWB_SMALL_BYTES];
        uint8_t *block;
        struct cwb_counted *counted;
        struct {
            cwb_home *home; /* its context is held */
            uint32_t token;
            uint32_t number; /* one of its own for each value of that realm */
        } local;
    };
    uint32_t head; /* the above, and the length of what is encoded */
};

/* Takes one over from JavaScript. False without memory. */
bool cwb_element_take(cwb_element *element, uint32_t head);

/* Gives it back, unread. */
void cwb_element_drop(cwb_element *element);

/* Makes it one that can have copies. False without memory. */
bool cwb_element_count(cwb_element *element);
/* There is one copy more, or one less: for the last one they give what the
 * caller is to free with cwb_counted_free(), once it holds no lock. */
void cwb_counted_keep(struct cwb_counted *counted);
struct cwb_counted *cwb_counted_drop(struct cwb_counted *counted);
void cwb_counted_free(struct cwb_counted *counted);

typedef struct cwb_counted {
    cwb_element element; /* first, for JavaScript, which reads it in place */
    _Atomic uint32_t refs;
    struct cwb_counted *next; /* for who collects them */
} cwb_counted;

#endif /* CWB_VALUES_H */
