/* The checksum of a dump and nothing else: as fast as the evidence can be read. */
#ifndef RCF_DUMP_CHECKSUM_H
#define RCF_DUMP_CHECKSUM_H

#include "tools/evidence/dump.h"

/* Reads the source from its current position to its end as one dump whose last 8 bytes are its checksum. Of the result
 * only the header, the checksum, the stop and an RDB_BAD_CHECKSUM are filled; no record is looked at, so a dump that is
 * followed by other bytes has a wrong checksum here. A checksum of 0 counts as disabled only behind the end opcode: the
 * zeros at the end of a padded file are wrong. NULL without memory only. */
struct dump *dump_checksum(struct arena *arena, struct source *source, size_t file);

#endif
