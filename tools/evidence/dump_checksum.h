/* The checksum of a dump and nothing else: as fast as the evidence can be read. */
#ifndef RCF_DUMP_CHECKSUM_H
#define RCF_DUMP_CHECKSUM_H

#include "tools/evidence/dump.h"

/* Reads the source from its current position to its end as one dump whose last 8 bytes are its checksum. Of the result
 * only the header, the checksum, the stop and an RDB_BAD_CHECKSUM are filled; no record is looked at. Where the end
 * opcode is not in its place, in a dump that was cut or is followed by other bytes, the stop is RDB_STOP_CORRUPT. NULL
 * without memory only. */
struct dump *dump_checksum(struct arena *arena, struct source *source, size_t file);

#endif
