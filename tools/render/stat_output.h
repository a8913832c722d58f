/* Totals of dumps as people and programs read them. */
#ifndef RCF_STAT_OUTPUT_H
#define RCF_STAT_OUTPUT_H

#include "tools/keyspace/stat.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

enum stat_table {
    STAT_TABLE_TYPES,
    STAT_TABLE_ENCODINGS,
    STAT_TABLE_PREFIXES,
    STAT_TABLE_SLOTS,
    STAT_TABLE_DBS,
    STAT_TABLE_EXPIRY,
    STAT_TABLE_SIZES,
    STAT_TABLE_BIGGEST,
    STAT_TABLE_FILES,
    STAT_TABLES
};

/* One a table, in this order; their arrays are the words of --table. */
extern const struct record_type stat_records[STAT_TABLES];

struct stat_writing {
    struct out *out;
    struct key_stat *stat; /* after key_stat_finish() */
    size_t top;            /* of the biggest keys, so many are shown */
    bool brief;            /* without the biggest by elements where no key has more than one */
};

/* For people: what the dumps hold, at a glance and as tables. `whole` shortens none. */
void stat_write_overview(const struct stat_writing *writing, bool whole);

/* One table in any format; in JSON it is the document. */
void stat_write_table(const struct stat_writing *writing, enum stat_table which, enum format format);

/* One JSON document with the totals and all tables. */
void stat_write_document(const struct stat_writing *writing);

/* The document that tools/keyspace/partial.h reads back. After key_stat_finish(). */
void stat_write_partial(struct out *out, const struct key_stat *stat);

/* The rows of one table, the first `most`; gives how many there are. */
size_t stat_rows(const struct stat_writing *writing, struct table *table, enum stat_table which, size_t most);

/* By how many percent the model is off, rounded. `used` is not 0. */
int64_t stat_error_percent(uint64_t modelled, uint64_t used);

#endif
