/* rcf-rdb-check: whether dumps are whole and sound. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/cli.h"
#include "tools/evidence/dump_checksum.h"
#include "tools/findings/dump_verdict.h"
#include "tools/render/dump_output.h"

enum { MEMORY_MIB = 1024, MIB = 1024 * 1024 };

struct config {
    bool checksum_only, slots;
    bool servers;
    bool no_salvage;
    uint64_t memory; /* MiB */
    unsigned fail_on; /* index in fail_words */
};

static const char *const fail_words[] = {"error", "warning", "info", NULL};
static const enum severity fail_severity[] = {SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFO};

static const struct cli_option options[] = {
    {0, "memory", "MIB", "for finding keys that a database has twice; 8 bytes a key (default 1024)", CLI_NUMBER,
     offsetof(struct config, memory), NULL, 4, 1 << 20, 0},
    {0, "checksum-only", NULL, "read the header, compare the checksum, look at nothing else", CLI_FLAG,
     offsetof(struct config, checksum_only), NULL, 0, 0, 0},
    {0, "servers", NULL, "which server versions would load the dump, and with what result", CLI_FLAG,
     offsetof(struct config, servers), NULL, 0, 0, 0},
    {0, "no-salvage", NULL, "end at the first place from which reading cannot go on", CLI_FLAG,
     offsetof(struct config, no_salvage), NULL, 0, 0, 0},
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
    .notes = "A FILE may be compressed with gzip, lz4 or zstd, be in Valkey's container for dumps, or be a captured\n"
             "replication stream; - is standard input. Offsets are those of the content.\n"
             "\n"
             "Checked: magic and version; each type, opcode, length and count, from the first byte to the last; that\n"
             "keys, aux fields and functions expand where they are compressed; that counts of keys which the dump\n"
             "states agree with its keys; that expiries have keys; the CRC-64; that nothing follows it. Every value\n"
             "is opened: listpacks, ziplists, intsets, zipmaps, list nodes, streams with their groups, HyperLogLogs,\n"
             "scores, the order of what is sorted, expiries of fields, the envelopes of modules. Keys of a database,\n"
             "members and fields are compared with each other.\n"
             "\n"
             "Not checked: what the values of modules mean, and whether keys belong to their instance, which\n"
             "rcf-check says. Keys that come twice are found by a hash, then by name in a second look at the file;\n"
             "standard input has no second look. Without room in --memory for all keys the rest is not compared,\n"
             "which is said.\n"
             "\n"
             "A file that was transferred as text (CR LF, UTF-8, seven bits) is told in front of its defects, and proved\n"
             "by the checksum where that can be undone.\n"
             "\n"
             "Behind damage that loses the position the next place is searched where records begin again, and what was\n"
             "skipped is said in bytes. Several sound records in a row are asked for, so the last keys in front of\n"
             "other damage may be passed over, and what a value holds that looks like records may be taken for them.\n"
             "Counts are then at least so many, and a key that is not seen may have been lost: bytes that were read as\n"
             "records before the damage was noticed may have hidden keys, too. An end that its checksum does not\n"
             "confirm, with more behind it, is searched behind in the same way. Standard input cannot\n"
             "be searched; there, and with --no-salvage, reading ends at the first such place.\n"
             "\n"
             "--checksum-only takes the last 8 bytes for the checksum, so a dump that other bytes follow is damaged.\n"
             "A matching checksum says that the bytes are those that the server wrote, not that they are right.\n"
             "\n"
             "--servers judges by version and defects, with the settings that servers have by default and no modules.\n"
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

static struct source *reopen(void *context)
{
    const char *path = context;
    struct source *source = source_open(AT_FDCWD, path, SOURCE_FOLLOW | SOURCE_UNHASHED);
    if (source && !source_why(source))
        return source;
    source_close(source);
    return NULL;
}

/* NULL without memory. */
static const struct loader *judge_loaders(struct arena *arena, const struct dump *dump)
{
    struct loader *loaders = arena_array(arena, loaders_count(), sizeof(*loaders));
    return loaders && loaders_judge(arena, dump, loaders) ? loaders : NULL;
}

/* Reads and judges one file. Without memory `checked->cause` says so, as for any other file that cannot be read. */
static void check_file(struct dump_checked *checked, const char *path, const struct config *config, bool hashed)
{
    bool standard = strcmp(path, "-") == 0;
    unsigned flags = hashed ? 0 : SOURCE_UNHASHED;
    struct source *source = standard ? source_descriptor_with(STDIN_FILENO, flags)
                                     : source_open(AT_FDCWD, path, SOURCE_FOLLOW | flags);
    const struct dump_how how = {
        .duplicates = true,
        .memory = config->memory * MIB,
        .reopen = standard ? NULL : reopen,
        .context = (void *)(uintptr_t)path,
        .salvage = !config->no_salvage,
    };
    struct arena *arena = arena_new();
    *checked = (struct dump_checked){
        .path = standard ? "<stdin>" : path,
        .arena = arena,
        .verdict = {.state = DUMP_UNREADABLE, .worst = -1},
        .structure = !config->checksum_only,
        .cause = "out of memory",
    };
    if (source && arena) {
        const struct dump *dump =
            config->checksum_only ? dump_checksum(arena, source, 0) : dump_read_how(arena, source, 0, &how);
        bool whole = source_finish(source, &checked->facts);
        const char *why = source_why(source);
        struct dump_verdict verdict;
        if (dump && dump->stop != RDB_STOP_MEMORY && dump_verdict(arena, dump, &verdict)) {
            checked->dump = dump;
            checked->verdict = verdict;
            checked->loaders = config->servers ? judge_loaders(arena, dump) : NULL;
            checked->cause = whole ? NULL : why ? arena_string(arena, why) : "changed while it was read";
        }
    }
    if (checked->cause)
        checked->verdict.state = DUMP_UNREADABLE;
    source_close(source);
}

/* Reading stopped where records behind it might have been found. */
static bool was_not_searched(const struct dump *dump)
{
    return !dump->losses && (dump->stop == RDB_STOP_TRUNCATED || dump->stop == RDB_STOP_CORRUPT ||
                             dump->stop == RDB_STOP_UNSUPPORTED);
}

static int run(struct cli *cli, const struct config *config)
{
    struct dump_writing *writing = dump_output_open(cli->out, cli->format, config->slots, cli->verbose > 0);
    bool failed = false, found = false, atime_kept = true;
    bool hashed = cli->verbose > 0 || cli->format != FORMAT_TEXT; /* SHA-256 is shown */
    for (int i = 0; writing && i < cli->operand_count; i++) {
        struct dump_checked checked;
        cli_progress(cli, "reading %d of %d: %s", i + 1, cli->operand_count, cli->operands[i]);
        check_file(&checked, cli->operands[i], config, hashed);
        dump_output_file(writing, &checked);
        if (checked.cause)
            cli_error_at(cli, checked.path, NULL, "%s", checked.cause);
        else if (strcmp(cli->operands[i], "-") != 0)
            atime_kept &= checked.facts.atime_kept;
        if (checked.dump && was_not_searched(checked.dump) && strcmp(cli->operands[i], "-") == 0)
            cli_note(cli, "what is behind the stop was not searched: standard input cannot be read twice");
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
    struct config config = {.memory = MEMORY_MIB};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    if (config.servers && config.checksum_only)
        return cli_finish(&cli, cli_usage(&cli, "--servers and --checksum-only exclude each other"));
    if (config.servers && cli.format == FORMAT_CSV)
        return cli_finish(&cli, cli_usage(&cli, "--servers goes with --format=text, --format=json and --format=jsonl"));
    if (config.slots && config.checksum_only)
        return cli_finish(&cli, cli_usage(&cli, "--slots and --checksum-only exclude each other"));
    if (config.slots && cli.format != FORMAT_JSON && cli.format != FORMAT_JSONL)
        return cli_finish(&cli, cli_usage(&cli, "--slots goes with --format=json and --format=jsonl"));
    return cli_finish(&cli, run(&cli, &config));
}
