/* rcf-rdb-check: whether dumps are whole and sound. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/cli.h"
#include "tools/evidence/dump_checksum.h"
#include "tools/findings/dump_verdict.h"
#include "tools/render/dump_output.h"

struct config {
    bool checksum_only, slots;
    unsigned fail_on; /* index in fail_words */
};

static const char *const fail_words[] = {"error", "warning", "info", NULL};
static const enum severity fail_severity[] = {SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFO};

static const struct cli_option options[] = {
    {0, "checksum-only", NULL, "read the header, compare the checksum, look at nothing else", CLI_FLAG,
     offsetof(struct config, checksum_only), NULL, 0, 0, 0},
    {0, "slots", NULL, "with json and jsonl: how many keys each hash slot holds", CLI_FLAG,
     offsetof(struct config, slots), NULL, 0, 0, 0},
    {0, "fail-on", "SEVERITY", "exit 1 for defects of this severity or above (default error)", CLI_CHOICE,
     offsetof(struct config, fail_on), fail_words, 0, 0, 0},
    {0},
};

static const struct cli_command command = {
    .name = "rcf-rdb-check",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Says whether RDB dumps are whole and sound, and what they hold, in one pass and little memory.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = dump_output_records,
    .notes = "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Offsets are those of the content.\n"
             "\n"
             "Checked: magic and version; each type, opcode, length and count, from the first byte to the last; that\n"
             "keys, aux fields and functions expand where they are compressed; that counts of keys which the dump\n"
             "states agree with its keys; that expiries have keys; the CRC-64; that nothing follows it.\n"
             "\n"
             "Not checked: what is inside values. They are stepped over, not decoded: no listpack, ziplist, intset,\n"
             "stream node or module value is opened, no compressed value is expanded, and neither keys nor members\n"
             "are compared with each other. A dump that is ok here may hold a value that a server refuses. Whether\n"
             "keys belong to their instance says rcf-check.\n"
             "\n"
             "--checksum-only takes the last 8 bytes for the checksum, so a dump that other bytes follow is damaged.\n"
             "A matching checksum says that the bytes are those that the server wrote, not that they are right.\n"
             "\n"
             "Defects carry the words of rcf-check --explain. At most 1,000 of a kind are listed, all are counted.",
    .exit_codes = {"no defect at or above --fail-on", "a file is damaged, or not supported",
                   "a file could not be read to its end, or changed meanwhile"},
    .examples = (const char *const[]){
        "rcf-rdb-check fixtures/story-redis-4.0.1/06-stale-restarted/hosts/*/*/*.rdb",
        "rcf-rdb-check --json --slots fixtures/story-valkey-8.0.1/10-recovered/hosts/127.0.4.6/7000/dump_7000.rdb",
        "rcf-rdb-check --checksum-only - < fixtures/story-redis-3.0.7/10-recovered/hosts/127.0.0.6/7000/dump_7000.rdb",
        NULL},
};

/* Reads and judges one file. Without memory `checked->cause` says so, as for any other file that cannot be read. */
static void check_file(struct dump_checked *checked, const char *path, bool checksum_only)
{
    bool standard = strcmp(path, "-") == 0;
    struct source *source =
        standard ? source_descriptor(STDIN_FILENO) : source_open(AT_FDCWD, path, SOURCE_FOLLOW);
    struct arena *arena = arena_new();
    *checked = (struct dump_checked){
        .path = standard ? "<stdin>" : path,
        .arena = arena,
        .verdict = {.state = DUMP_UNREADABLE, .worst = -1},
        .structure = !checksum_only,
        .cause = "out of memory",
    };
    if (source && arena) {
        const struct dump *dump = checksum_only ? dump_checksum(arena, source, 0) : dump_read(arena, source, 0);
        bool whole = source_finish(source, &checked->facts);
        const char *why = source_why(source);
        struct dump_verdict verdict;
        if (dump && dump->stop != RDB_STOP_MEMORY && dump_verdict(arena, dump, &verdict)) {
            checked->dump = dump;
            checked->verdict = verdict;
            checked->cause = whole ? NULL : why ? arena_string(arena, why) : "changed while it was read";
        }
    }
    if (checked->cause)
        checked->verdict.state = DUMP_UNREADABLE;
    source_close(source);
}

static int run(struct cli *cli, const struct config *config)
{
    struct dump_writing *writing = dump_output_open(cli->out, cli->format, config->slots, cli->verbose > 0);
    bool failed = false, found = false, atime_kept = true;
    for (int i = 0; writing && i < cli->operand_count; i++) {
        struct dump_checked checked;
        cli_progress(cli, "reading %d of %d: %s", i + 1, cli->operand_count, cli->operands[i]);
        check_file(&checked, cli->operands[i], config->checksum_only);
        dump_output_file(writing, &checked);
        if (checked.cause)
            cli_error_at(cli, checked.path, NULL, "%s", checked.cause);
        else if (strcmp(cli->operands[i], "-") != 0)
            atime_kept &= checked.facts.atime_kept;
        failed |= checked.cause != NULL;
        found |= checked.verdict.worst >= (int)fail_severity[config->fail_on];
        arena_free(checked.arena);
    }
    dump_output_close(writing);
    if (!atime_kept)
        cli_note(cli, "access times may have moved: O_NOATIME was refused, being the owner's right");
    return failed ? CLI_FAILED : found ? CLI_FOUND : CLI_OK;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    if (config.slots && config.checksum_only)
        return cli_finish(&cli, cli_usage(&cli, "--slots and --checksum-only exclude each other"));
    if (config.slots && cli.format != FORMAT_JSON && cli.format != FORMAT_JSONL)
        return cli_finish(&cli, cli_usage(&cli, "--slots goes with --format=json and --format=jsonl"));
    return cli_finish(&cli, run(&cli, &config));
}
