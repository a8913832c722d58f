/* Between dump_output.c, dump_records.c and dump_text.c. */
#ifndef RCF_DUMP_OUTPUT_PRIVATE_H
#define RCF_DUMP_OUTPUT_PRIVATE_H

#include "tools/render/dump_output.h"

struct dump_writing {
    struct out *out;
    struct table *table; /* NULL in text */
    bool json, slots, whole;
    bool structure; /* keys were looked for */
    uint64_t files[DUMP_STATES];
    uint64_t file_count, keys;
};

/* "Redis 4.0.1", the version as it is written. NULL when the dump does not say. */
const char *dump_writer(const struct dump_checked *checked);

/* When, in Unix milliseconds; false when the dump does not say, or a time that milliseconds cannot. */
bool dump_written(const struct dump *dump, int64_t *ms);

/* Hash slots with keys. */
unsigned dump_slots(const struct dump *dump);

/* Of the file, as 64 digits; NULL without memory. */
const char *dump_sha256(const struct dump_checked *checked);

struct table *dump_open_table(struct out *out, enum format format);
void dump_write_row(struct dump_writing *writing, const struct dump_checked *checked);
void dump_write_text(struct dump_writing *writing, const struct dump_checked *checked);
void dump_write_totals(struct dump_writing *writing);

#endif
