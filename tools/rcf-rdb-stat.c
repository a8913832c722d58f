/* rcf-rdb-stat: what dumps hold, added up. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/cli.h"
#include "tools/cli/dump_operands.h"
#include "tools/cli/key_options.h"
#include "tools/keyspace/partial.h"
#include "tools/render/stat_output.h"

enum {
    PARTIAL_TOP = 100, /* of the biggest keys, so many are saved at least */
    START = 64,        /* bytes that tell a partial from a dump */
    TAKE_TABLE = 1,
};

struct config {
    uint64_t top, depth;
    unsigned allocator; /* enum memory_allocator */
    bool merge, table_chosen;
    unsigned table; /* enum stat_table */
    const char *partial;
    struct selection selection;
    struct out *chosen; /* the options that choose keys, in words */
};

static const char *const table_words[] = {"types", "encodings", "prefixes", "slots",  "dbs", "expiry",
                                          "sizes", "biggest",   "files",    NULL};
static const char *const allocator_words[] = {"bundled", "system", "libc", NULL};

static const struct cli_option options[] = {
    {'t', "table", "TABLE", "one table; without it an overview in text, all in JSON, types in CSV", CLI_TAKE,
     .words = table_words, .id = TAKE_TABLE},
    {0, "top", "N", "so many of the biggest keys (default 10)", CLI_NUMBER, offsetof(struct config, top),
     .most = STAT_TOP_MOST},
    {0, "prefix-depth", "N", "so many words of a name make its prefix (default 2)", CLI_NUMBER,
     offsetof(struct config, depth), .least = 1, .most = PREFIX_DEEPEST},
    {0, "allocator", "WHICH", "jemalloc as it comes with servers, that of a distribution, or malloc", CLI_CHOICE,
     offsetof(struct config, allocator), .words = allocator_words},
    {0, "partial", "FILE", "save the totals for --merge; - writes them instead of an answer", CLI_STRING,
     offsetof(struct config, partial)},
    {0, "merge", NULL, "operands are saved totals, or dumps, in any order", CLI_FLAG, offsetof(struct config, merge)},
    KEY_OPTION_ROWS,
    {0},
};

/* The words of the options that choose keys, as they were given, so that totals of different choices are never merged. */
static bool note_choice(struct config *config, int id, const char *value)
{
    for (size_t i = 0; options[i].name; i++) {
        if (options[i].id != id || !config->chosen)
            continue;
        struct bytes held = out_held(config->chosen);
        out_format(config->chosen, "%s--%s=%s", held.len > 1 ? " " : "", options[i].name, value ? value : "");
    }
    return config->chosen && !out_error(config->chosen);
}

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    if (id != TAKE_TABLE) {
        const char *wrong = key_options_take(&config->selection, id, value);
        return wrong ? wrong : note_choice(config, id, value) ? NULL : "more memory";
    }
    for (unsigned i = 0; table_words[i]; i++) {
        if (strcmp(value, table_words[i]) != 0)
            continue;
        config->table = i;
        config->table_chosen = true;
        return NULL;
    }
    return "a table";
}

static const struct record_type *const records[] = {
    &stat_records[STAT_TABLE_TYPES], &stat_records[STAT_TABLE_ENCODINGS], &stat_records[STAT_TABLE_PREFIXES],
    &stat_records[STAT_TABLE_SLOTS], &stat_records[STAT_TABLE_DBS],       &stat_records[STAT_TABLE_EXPIRY],
    &stat_records[STAT_TABLE_SIZES], &stat_records[STAT_TABLE_BIGGEST],   &stat_records[STAT_TABLE_FILES],
    NULL,
};

static const struct cli_command command = {
    .name = "rcf-rdb-stat",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", "--merge [OPTION]... PARTIAL|FILE...", NULL},
    .summary = "Adds up what RDB dumps hold: by type, encoding, prefix, slot, database, expiry and size.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = records,
    .notes = "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Several dumps add up as one cluster;\n"
             "a replica beside its primary is counted besides it, and that is said. Order and number of processors\n"
             "change nothing in the answer.\n"
             "\n"
             "Memory is an estimate: sizes of structures by server version, rounded as the allocator rounds them. Where\n"
             "a dump states what its server used, the error is shown. An error of a small dump is that of what a\n"
             "server needs without keys: buffers, connections. docs/formats/memory.md has the model and its error.\n"
             "\n"
             "Behind damage that loses the position the next records are searched, as rcf-rdb-check --help tells, but\n"
             "not in standard input: what is counted is then at least so much.\n"
             "\n"
             "A prefix is the first words of a name, cut behind : / . | and, where none of these is, behind - _. Digits\n"
             "become *, a {tag} is one word. Of each dump the first 65,536 prefixes are told apart and the 4,096\n"
             "largest kept; the rest is (other). Names without any are (none).\n"
             "\n"
             "Large fleets: run --partial where the dumps lie, and --merge what comes out. The answer is the same,\n"
             "byte for byte, as that of one run over all dumps with the same options.\n"
             "\n" KEY_OPTION_NOTES,
    .exit_codes = {"added up", "a dump is damaged: what was read of it is counted, and it is said",
                   "a file could not be read, or totals not be saved or merged"},
    .examples = (const char *const[]){
        "rcf-rdb-stat fixtures/story-redis-4.0.1/06-stale-restarted/hosts/*/*/*.rdb",
        "rcf-rdb-stat --csv --table=prefixes fixtures/story-valkey-8.0.1/10-recovered/hosts/127.0.4.6/7000/dump_7000.rdb",
        "rcf-rdb-stat --partial - fixtures/story-redis-3.0.7/10-recovered/hosts/127.0.0.6/7000/dump_7000.rdb",
        NULL},
    .take = take,
};

static int out_of_memory(struct cli *cli)
{
    cli_error(cli, "out of memory");
    return CLI_FAILED;
}

static int read_partial(struct cli *cli, struct key_stat *stat, const char *name, struct source *source)
{
    struct bytes text;
    char why[PARTIAL_WHY];
    if (!source_slurp(source, PARTIAL_LARGEST, &text)) {
        cli_error_at(cli, name, NULL, "%s", source_why(source) ? source_why(source) : "too large to be saved totals");
        return CLI_FAILED;
    }
    if (partial_add(stat, text, why))
        return CLI_OK;
    cli_error_at(cli, name, NULL, "not merged: %s", why);
    return CLI_FAILED;
}

static int read_dump(struct dump_operands *operands, struct key_stat *stat, int index)
{
    struct stat_scan *scan = stat_scan_new(stat, dump_operands_name(operands, index));
    if (!scan)
        return out_of_memory(operands->cli);
    operands->opened = stat_scan_look;
    operands->opened_context = scan;
    enum dump_operand read = dump_operands_scan(operands, index, stat_scan_job(scan));
    int code = CLI_OK;
    if (read == DUMP_OPERAND_ENDED)
        code = CLI_FAILED;
    else if (!stat_scan_end(scan, &operands->end, read == DUMP_OPERAND_LOST))
        code = out_of_memory(operands->cli);
    stat_scan_free(scan);
    return code;
}

/* Saved totals begin as JSON does. Standard input is looked at by whoever reads it, so there it is a dump without
 * --merge and totals with it. */
static int read_operand(struct dump_operands *operands, const struct config *config, struct key_stat *stat, int index)
{
    struct cli *cli = operands->cli;
    const char *path = cli->operands[index];
    bool standard = strcmp(path, "-") == 0;
    if (!config->merge && standard)
        return read_dump(operands, stat, index);
    struct source *source = standard ? source_descriptor(STDIN_FILENO) : source_open(AT_FDCWD, path, SOURCE_FOLLOW | SOURCE_UNHASHED);
    if (!source)
        return out_of_memory(cli);
    int code = CLI_OK;
    bool partial = standard || partial_likely(source_peek(source, START));
    if (partial && config->merge) {
        code = read_partial(cli, stat, dump_operands_name(operands, index), source);
    } else if (partial) {
        cli_error_at(cli, dump_operands_name(operands, index), NULL, "saved totals, no dump");
        cli_hint(cli, "--merge adds them up");
        code = CLI_FAILED;
    }
    source_close(source);
    return partial ? code : read_dump(operands, stat, index);
}

static bool nothing_was_read(const struct key_stat *stat)
{
    size_t unread = 0;
    for (size_t i = 0; i < stat->file_count; i++)
        unread += stat->files[i].unread;
    return unread == stat->file_count;
}

/* Zeros for people would look as if the dumps were empty; the messages have said why there is no answer. */
static void write_answer(struct cli *cli, const struct config *config, struct key_stat *stat)
{
    const struct stat_writing writing = {cli->out, stat, config->top};
    if (cli->format == FORMAT_JSON && !config->table_chosen)
        stat_write_document(&writing);
    else if (cli->format != FORMAT_TEXT || config->table_chosen)
        stat_write_table(&writing, (enum stat_table)config->table, cli->format);
    else if (!nothing_was_read(stat))
        stat_write_overview(&writing, cli->verbose > 0);
}

static int save_partial(struct cli *cli, const char *path, const struct key_stat *stat)
{
    char why[PARTIAL_WHY];
    if (strcmp(path, "-") == 0) {
        stat_write_partial(cli->out, stat);
        return CLI_OK;
    }
    struct out *out = out_open_memory();
    if (!out)
        return out_of_memory(cli);
    stat_write_partial(out, stat);
    int code = out_error(out) ? out_of_memory(cli) : CLI_OK;
    if (code == CLI_OK && !partial_save(path, out_held(out), why)) {
        cli_error_at(cli, path, NULL, "not saved: %s", why);
        code = CLI_FAILED;
    }
    out_close(out);
    return code;
}

static int run(struct cli *cli, struct config *config)
{
    bool saving = config->partial != NULL;
    out_byte(config->chosen, '\0');
    const struct stat_options how = {
        .selection = config->selection.narrow ? &config->selection : NULL,
        .selection_text = config->selection.narrow ? (const char *)out_held(config->chosen).at : NULL,
        .depth = (unsigned)config->depth,
        .top = saving && config->top < PARTIAL_TOP ? PARTIAL_TOP : config->top,
        .allocator = (enum memory_allocator)config->allocator,
    };
    struct key_stat *stat = key_stat_new(&how);
    struct dump_operands operands = dump_operands_of(cli);
    if (!stat)
        return out_of_memory(cli);
    int worst = CLI_OK;
    for (int i = 0; i < cli->operand_count; i++)
        if (read_operand(&operands, config, stat, i) != CLI_OK)
            worst = CLI_FAILED;
    key_stat_finish(stat);
    for (size_t i = 0; i < stat->file_count; i++)
        if (worst == CLI_OK && (stat->files[i].stopped || stat->files[i].damages))
            worst = stat->files[i].unread ? CLI_FAILED : CLI_FOUND;
    if (saving && save_partial(cli, config->partial, stat) != CLI_OK)
        worst = CLI_FAILED;
    if (!saving || strcmp(config->partial, "-") != 0)
        write_answer(cli, config, stat);
    key_stat_free(stat);
    int code = dump_operands_exit(&operands, worst);
    return code > worst ? code : worst;
}

int main(int argc, char **argv)
{
    struct config config = {.top = 10, .depth = 2, .chosen = out_open_memory()};
    struct cli cli;
    bool started = cli_start(&cli, &command, argc, argv, &config);
    int code = started ? CLI_OK : cli.exit_code;
    if (started)
        code = config.chosen ? run(&cli, &config) : out_of_memory(&cli);
    code = cli_finish(&cli, code);
    out_close(config.chosen);
    return code;
}
