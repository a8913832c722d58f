/* One pass over a dump on all cores.
 *
 * One thread reads, sums and cuts the dump into batches of whole records; workers read the records of a batch, with
 * everything that is asked of values; what they make of it comes back in the order of the file. Damage, counts that the
 * dump states about itself, and where reading stops are the same as with one reader from front to back: what the cutter
 * does not know for certain (the header, the end, records larger than a batch, unknown bytes) a single reader reads.
 * Memory is constant: a few blocks of some hundred kilobytes, and what the job itself keeps. A dump that fits into one
 * block is read without a thread.
 */
#ifndef RCF_DUMP_SCAN_H
#define RCF_DUMP_SCAN_H

#include "parsers/rdb/rdb.h"
#include "parsers/rdb/rdb_plain.h"
#include "parsers/rdb/value.h"

/* What is done with the records. A batch is an object of the job's own. begin(), item(), plain() and damage() of one batch are
 * called by one thread, of several batches at the same time; merge() is called for one batch at a time, in the order
 * of the file, and ends the batch. Functions that return bool give false, begin() NULL, to end the scan (no memory, or
 * enough seen). */
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
    /* NULL, or takes many keys at once, which are then not given as items. */
    bool (*plain)(void *batch, const struct rdb_plain *run);
};

/* The name of the key in whose record reading stopped; empty when that is not known. */
enum { SCAN_KEY_KEPT = 1024 }; /* bytes; of a longer name so many */
struct scan_key {
    size_t len;
    uint8_t at[SCAN_KEY_KEPT];
};

struct scan_end {
    enum rdb_stop stop;
    char why[256];
    uint64_t offset;  /* of the stop, or the end of the dump */
    struct scan_key key;
    bool interrupted; /* by the job */
    uint64_t losses;     /* damage that lost the position, and that was got over: RDB_LOST_BYTES and RDB_UNREAD_BYTES */
    uint64_t lost_bytes; /* skipped there */
    enum rdb_stop first_stop; /* with losses: what would have ended the scan */
    char first_why[256];
    uint64_t first_offset;
    struct scan_key first_key;
};

struct scan_options {
    unsigned threads; /* that read, the caller's included; 0 takes the cores there are, at most 8 */
    bool expect_end;  /* nothing may follow the dump */
    /* Opens the evidence once more, as it stood when the scan began; closed by the scan. With it the scan goes on behind
     * damage that lost the position (rdb_resync.h), and gives that as damage; without it, it ends there. */
    struct source *(*reopen)(void *context);
    void *reopen_context;
    /* NULL, or how many keys of each hash slot have been merged so far (NULL while there are none): keys in other slots
     * are then no proof that a record was found. */
    const uint32_t *(*slot_keys)(void *context);
    void *slots_context;
};

/* How many threads `threads` of the options means. */
unsigned dump_scan_threads(unsigned asked);

/* Reads the dump from where the source stands. False without memory, or when the job ended it; `end` is filled in any
 * case. */
bool dump_scan(struct source *source, const struct scan_options *options, const struct scan_job *job,
               struct scan_end *end);

/* The same with blocks of `size` bytes (at least 16), for tests of their borders. */
bool dump_scan_sized(struct source *source, const struct scan_options *options, const struct scan_job *job,
                     struct scan_end *end, size_t size);

#endif
