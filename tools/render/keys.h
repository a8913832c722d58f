/* The keys of dumps as rows, made by all threads of a scan.
 *
 *     struct keys_output *output = keys_output_open(out, FORMAT_CSV, &selection, flags);
 *     keys_output_file(output, "dump.rdb", &job);   ... dump_scan() with the job, for each file
 *     keys_output_close(output);
 *
 * Memory is that of the batches which the scan has on its way. A value that is larger is written while it is read.
 */
#ifndef RCF_KEYS_H
#define RCF_KEYS_H

#include "tools/evidence/dump_scan.h"
#include "tools/keyspace/selection.h"
#include "tools/render/table.h"

enum keys_flag {
    KEYS_FILES = 1, /* a column that says of which file */
    KEYS_VALUES = 2 /* with JSON and JSON lines: the whole value */
};

/* The columns without `file`, and with it. */
extern const struct record_type keys_record, keys_file_record;

struct keys_output;

/* NULL, and the output failed, without memory. The selection stays the caller's and must outlive the output. */
struct keys_output *keys_output_open(struct out *out, enum format format, const struct selection *selection,
                                     unsigned flags);

/* Begins a file, whose scan is to run with the job that this fills in. `path` stays valid during the scan. */
void keys_output_file(struct keys_output *output, const char *path, struct scan_job *job);

/* Damage inside values of the file that began last: how often, and the first of it. Borrowed until the next file. */
uint64_t keys_output_damages(const struct keys_output *output, struct place *place, const char **expected,
                             const char **found);

/* Ends the document. NULL is allowed. */
void keys_output_close(struct keys_output *output);

#endif
