/* A dump that is damaged because it was moved as if it were text. */
#ifndef RCF_DUMP_TRANSFER_H
#define RCF_DUMP_TRANSFER_H

#include "tools/evidence/dump.h"

/* For a dump that cannot be read on somewhere: looks at its bytes once more, and tells the builder RDB_TEXT_TRANSFER
 * where they show it. Where nothing was lost by it, all of the file is read, so that the checksum proves it. False
 * without memory. */
bool dump_transfer(const struct dump_how *how, struct dump_builder *builder);

#endif
