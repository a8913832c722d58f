/* Going on behind damage that lost the position: dump_scan() does so where it may read the evidence once more. */
#ifndef RCF_DUMP_SALVAGE_H
#define RCF_DUMP_SALVAGE_H

#include "parsers/rdb/rdb_resync.h"
#include "tools/evidence/dump_scan.h"

enum {
    SALVAGE_LOSSES = 1000, /* of one dump */
    SALVAGE_REREAD = 32,   /* of one that has to be decoded from its start each time */
    SALVAGE_TEXT = 320,
};

/* What was lost and where reading goes on. The key is that of the record that could not be read. */
struct salvage_loss {
    struct damage damage;
    struct bytes key;
    char found[SALVAGE_TEXT];
};

struct salvage {
    const struct scan_options *options;
    struct source *searched; /* by `resync` */
    struct source *read;     /* by the reader, since the last loss */
    struct rdb_resync *resync;
    uint64_t losses, lost_bytes;
    struct scan_end first; /* the first stop that was got over */
};

/* Moves the stopped reader to where records begin again. False when there is no such place, or none may be looked for;
 * then nothing has changed. */
bool salvage_next(struct salvage *salvage, struct rdb *reader, const struct rdb_stopped *stopped,
                  const struct scan_end *end, struct salvage_loss *loss);

/* Adds what was lost to what ended the scan. */
void salvage_tell(const struct salvage *salvage, struct scan_end *end);

/* When the reader is not used any more. */
void salvage_close(struct salvage *salvage);

#endif
