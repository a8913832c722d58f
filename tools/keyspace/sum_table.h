/* Sums by name.
 *
 * Memory is bounded, and what is counted does not depend on how the names were dealt out: a table tells the first
 * `most` different names apart, in the order in which they come, and counts all others together. Tables of consecutive
 * parts, merged in their order, are the table of the whole.
 */
#ifndef RCF_SUM_TABLE_H
#define RCF_SUM_TABLE_H

#include <stdbool.h>

#include "parsers/parse.h"

enum { SUM_NAME_LONGEST = 64 };

/* What is counted of any group of keys. */
struct stat_sum {
    uint64_t keys, expires; /* expires: keys with an expiry */
    uint64_t elements;
    uint64_t bytes;  /* of the serialised values */
    uint64_t memory; /* by the model */
};

static inline void stat_sum_add(struct stat_sum *sum, const struct stat_sum *more)
{
    sum->keys += more->keys;
    sum->expires += more->expires;
    sum->elements += more->elements;
    sum->bytes += more->bytes;
    sum->memory += more->memory;
}

static inline void stat_sum_subtract(struct stat_sum *sum, const struct stat_sum *less)
{
    sum->keys -= less->keys;
    sum->expires -= less->expires;
    sum->elements -= less->elements;
    sum->bytes -= less->bytes;
    sum->memory -= less->memory;
}

struct sum_row {
    struct bytes name; /* borrowed from the table */
    struct stat_sum sum;
};

enum sum_order {
    SUM_BY_BYTES, /* most bytes first; of the same number, the first by name */
    SUM_BY_NAME,
};

struct sum_table;

/* An empty table that tells at most `most` names apart; 0 for any number. NULL without memory. */
struct sum_table *sum_table_new(size_t most);
void sum_table_free(struct sum_table *table);

/* Empties it, for reuse. */
void sum_table_clear(struct sum_table *table);

/* Counts under a name of at most SUM_NAME_LONGEST bytes, or with the others when the table is full. An empty name
 * counts by itself. False without memory. */
bool sum_table_count(struct sum_table *table, struct bytes name, const struct stat_sum *sum);

/* Adds another table: its names in the order in which they came, then its others. False without memory. */
bool sum_table_merge(struct sum_table *table, const struct sum_table *from);

/* Keeps the `most` names with most bytes and counts what falls away with the others. */
void sum_table_prune(struct sum_table *table, size_t most);

/* The names in order, the empty one apart; for tables to which nothing is added any more. Borrowed until the next call.
 * NULL without memory. */
const struct sum_row *sum_table_rows(struct sum_table *table, enum sum_order order, size_t *count);

/* Without name, and what was counted together because the table was full. */
const struct stat_sum *sum_table_none(const struct sum_table *table);
const struct stat_sum *sum_table_others(const struct sum_table *table);
void sum_table_count_others(struct sum_table *table, const struct stat_sum *sum);

#endif
