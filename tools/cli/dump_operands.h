/* What every command that reads dumps does with its operands: opens FILE or - (standard input), runs a scan over it,
 * and says what was wrong with the file.
 *
 *     struct dump_operands operands = dump_operands_of(&cli);
 *     for (int i = 0; i < cli.operand_count; i++)
 *         if (dump_operands_scan(&operands, i, &job) == DUMP_OPERAND_ENDED)
 *             break;
 *     return cli_finish(&cli, dump_operands_exit(&operands, CLI_OK));
 *
 * A dump that is damaged or stops is said on standard error, with the file and the offset; what was read of it has been
 * given to the job all the same. Files are not hashed.
 */
#ifndef RCF_DUMP_OPERANDS_H
#define RCF_DUMP_OPERANDS_H

#include "tools/cli/cli.h"
#include "tools/evidence/dump_scan.h"

enum dump_operand {
    DUMP_OPERAND_WHOLE,   /* read to its end; defects that leave every key to be believed are no matter here */
    DUMP_OPERAND_DAMAGED, /* what was read is given, but it is not all, or not all sound */
    DUMP_OPERAND_LOST,    /* not a dump, not readable, or changed meanwhile: what was given does not count */
    DUMP_OPERAND_ENDED    /* the job ended the scan, or there is no memory (which is said) */
};

struct dump_operands {
    struct cli *cli;
    unsigned threads; /* as in struct scan_options */
    bool damaged, failed, atime_moved;
    void (*opened)(void *context, struct source *source); /* NULL, or called before a scan: it may peek */
    void *opened_context;
    struct scan_end end; /* of the last scan; its `why` says also why a file was lost */
};

struct dump_operands dump_operands_of(struct cli *cli);

/* How the operand is called in messages and records: its path as named, "<stdin>" for -. */
const char *dump_operands_name(const struct dump_operands *operands, int index);

/* Scans operand `index` and says what has to be said. `job->damage` may be NULL: damage is counted here anyway. */
enum dump_operand dump_operands_scan(struct dump_operands *operands, int index, const struct scan_job *job);

/* The exit code, after the note on access times: CLI_FAILED when a file was lost or there was no memory, CLI_FOUND when
 * one was damaged, else `otherwise`. */
int dump_operands_exit(struct dump_operands *operands, int otherwise);

#endif
