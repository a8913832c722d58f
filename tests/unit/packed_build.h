/* Packed encodings made by hand, for tests: written from docs/formats/rdb.md, not from the readers. */
#ifndef RCF_PACKED_BUILD_H
#define RCF_PACKED_BUILD_H

#include "parsers/rdb/packed.h"
#include "tests/unit/rdb_build.h"

/* A word to be packed: a number, or a text. */
struct packed_word {
    bool integer;
    int64_t number;
    const char *text;
    size_t len;
};

#define PACKED_NUMBER(value) {.integer = true, .number = (value)}
#define PACKED_TEXT(literal) {.text = (literal), .len = sizeof(literal) - 1}

/* The blob of a form with the words in it, as servers write it. For an intset all are numbers and ascend; for a zipmap
 * all are texts, keys and values in turn. To be freed with rdb_build_free(). */
struct rdb_build packed_build(enum packed_form form, const struct packed_word *words, size_t n);

/* So many random words that a form can hold, of every width of number and of length; fewer where a form holds none
 * twice. To be freed by the caller, texts included, as one allocation. */
struct packed_word *packed_random(enum packed_form form, size_t *n, uint32_t seed);

#endif
