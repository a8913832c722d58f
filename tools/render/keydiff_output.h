/* The comparison of two keyspaces as people and programs read it. */
#ifndef RCF_KEYDIFF_OUTPUT_H
#define RCF_KEYDIFF_OUTPUT_H

#include "tools/keyspace/compare.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

/* A dump that was compared. */
struct keydiff_file {
    const char *path; /* as named */
    enum compare_side side;
    struct compare_end end;
};

/* What is known once all dumps are read: all but the keys. */
struct keydiff {
    const struct keydiff_file *files; /* by the numbers that the comparison was given */
    size_t file_count;
    struct compare_counts counts;
    bool ignore_only_a, ignore_only_b, ignore_expiry;
    bool partial; /* a dump was not compared whole */
    bool listed;  /* keys follow */
};

extern const struct record_type keydiff_record;

/* Keys that differ and are not ignored; and which are not. */
uint64_t keydiff_differences(const struct keydiff *diff);
bool keydiff_counts(const struct keydiff *diff, enum compare_how how);

struct keydiff_writing;

/* Begins the answer with the counts. Text names the first fifty keys of a kind unless `whole`. `diff` is borrowed. NULL
 * without memory, which `out` then knows. */
struct keydiff_writing *keydiff_output_open(struct out *out, enum format format, const struct keydiff *diff,
                                            bool whole);

/* One more key; those that are ignored are passed over. False when the output failed. */
bool keydiff_output_key(struct keydiff_writing *writing, const struct compare_key *key);

/* Ends the answer. NULL is allowed. */
void keydiff_output_close(struct keydiff_writing *writing);

#endif
