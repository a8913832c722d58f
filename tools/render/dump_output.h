/* Checked dumps as people and programs read them. */
#ifndef RCF_DUMP_OUTPUT_H
#define RCF_DUMP_OUTPUT_H

#include "parsers/bytes/source.h"
#include "tools/findings/dump_verdict.h"
#include "tools/findings/loaders.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

/* One file as far as it was read. */
struct dump_checked {
    const char *path;        /* as named */
    struct arena *arena;     /* for texts; NULL only without memory */
    const struct dump *dump; /* NULL when nothing is known */
    struct dump_verdict verdict;
    struct source_facts facts; /* not of a file with a `cause` */
    const struct loader *loaders; /* loaders_count() of them, where servers were asked for; else NULL */
    bool structure;    /* false: only the checksum was looked at */
    const char *cause; /* why the file is unreadable, or NULL */
};

/* The files, and what a JSON document adds to each: databases, defects and slots. NULL-terminated. */
extern const struct record_type *const dump_output_records[];

struct dump_writing;

/* Begins the answer. `slots`: JSON gets the keys of each slot; `whole`: text shortens nothing. NULL without memory,
 * which `out` then knows. */
struct dump_writing *dump_output_open(struct out *out, enum format format, bool slots, bool whole);

void dump_output_file(struct dump_writing *writing, const struct dump_checked *checked);

/* Ends the answer; in text with a line of totals when there were several files. NULL is allowed. */
void dump_output_close(struct dump_writing *writing);

#endif
