/* What every command that reads a case says about files that it could not read. */
#ifndef RCF_CLI_UNREAD_H
#define RCF_CLI_UNREAD_H

#include "tools/cli/cli.h"
#include "tools/evidence/evidence.h"

/* An error for each file that could not be read to its end or changed meanwhile; with -v a note for each that was
 * skipped by rule (symbolic links, FIFOs, devices); a note when access times may have moved. */
void cli_say_unread(struct cli *cli, const struct evidence *evidence);

/* A note for each file whose content is damaged: the answer rests on what could be read of it. For commands that do not
 * judge files themselves. */
void cli_say_damaged(struct cli *cli, const struct evidence *evidence);

#endif
