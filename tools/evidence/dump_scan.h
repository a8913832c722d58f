/* One pass over a dump on all cores.
 *
 * One thread reads, sums and cuts the dump into batches of whole records; workers read the records of a batch, with
 * everything that is asked of values; what they make of it comes back in the order of the file. Damage, counts that the
 * dump states about itself, and where reading stops are the same as with one reader from front to back: what the cutter
 * does not know for certain (the header, the end, records larger than a batch, unknown bytes) a single reader reads.
 * Memory is constant: a few batches of a megabyte, and what the job itself keeps.
 */
#ifndef RCF_DUMP_SCAN_H
#define RCF_DUMP_SCAN_H

#include "parsers/rdb/rdb.h"
#include "parsers/rdb/value.h"

/* What is done with the records. A batch is an object of the job's own. begin() to done() of one batch are called by one
 * thread each, several batches at the same time; merge() is called for one batch at a time, in the order of the file, and ends the
 * batch. Functions that return bool give false to end the scan (no memory, or enough seen). */
struct scan_job {
    unsigned flags; /* enum rdb_flags of the readers */
    void *context;
    void *(*begin)(void *context);
    /* An item. With RDB_VALUES the job may read the elements of a key from `reader`, and damage among them is its to
     * take. */
    bool (*item)(void *batch, struct rdb *reader, const struct rdb_item *item);
    bool (*damage)(void *batch, const struct damage *damage, struct bytes key);
    bool (*merge)(void *context, void *batch);
    /* Ends a batch that is not to be merged: the scan ended early. */
    void (*drop)(void *context, void *batch);
};

struct scan_end {
    enum rdb_stop stop;
    char why[256];
    uint64_t offset;  /* of the stop, or the end of the dump */
    bool interrupted; /* by the job */
};

struct scan_options {
    unsigned threads; /* workers; 0 takes the cores there are, at most 8 */
    bool expect_end;  /* nothing may follow the dump */
};

/* Reads the dump from where the source stands. False without memory, or when the job ended it; `end` is filled in any
 * case. */
bool dump_scan(struct source *source, const struct scan_options *options, const struct scan_job *job,
               struct scan_end *end);

#endif
