/* rcf-identify: what each file of a collection is, whether it is whole, and whether it is still what it was. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parsers/bytes/hex.h"
#include "tools/cli/cli.h"
#include "tools/evidence/condition.h"
#include "tools/evidence/evidence.h"
#include "tools/evidence/verify.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"

enum { LIST_LIMIT = 1024 * 1024 * 1024 };

struct config {
    bool manifest;
    const char *verify;
    const char *collected_at, *timezone, *host;
};

static const struct cli_option options[] = {
    {0, "manifest", NULL, "write a list of hashes that sha256sum -c accepts", CLI_FLAG,
     offsetof(struct config, manifest), NULL, 0, 0, 0},
    {0, "collected-at", "TIME", "with --manifest: when, as 2026-11-22T15:00:00Z", CLI_STRING,
     offsetof(struct config, collected_at), NULL, 0, 0, 0},
    {0, "timezone", "ZONE", "with --manifest: the hosts' time zone, as +01:00 or a name", CLI_STRING,
     offsetof(struct config, timezone), NULL, 0, 0, 0},
    {0, "host", "NAME", "with --manifest: on which host", CLI_STRING, offsetof(struct config, host), NULL, 0, 0, 0},
    {0, "verify", "LIST", "compare with a list of --manifest or sha256sum", CLI_STRING,
     offsetof(struct config, verify), NULL, 0, 0, 0},
    {0},
};

enum {
    FILE_PATH,
    FILE_KIND,
    FILE_CODING,
    FILE_SIZE,
    FILE_DECODED,
    FILE_SHA256,
    FILE_VERSION,
    FILE_INSTANCE,
    FILE_COMPLETE,
    FILE_ATTRIBUTED,
    FILE_NOTE
};

static const struct column file_columns[] = {
    {"path", COLUMN_BYTES, NULL, 0, 0, "path below the CASE, or as named"},
    {"kind", COLUMN_TEXT, NULL, 0, 0, "what the content is"},
    {"coding", COLUMN_TEXT, NULL, 0, COLUMN_MACHINE, "plain, gzip, lz4, zstd, or vcs: Valkey's container"},
    {"size", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "bytes on disk"},
    {"decoded", COLUMN_U64, NULL, 0, COLUMN_MACHINE, "bytes after decompression"},
    {"sha256", COLUMN_TEXT, NULL, 15, 0, "of the bytes on disk"},
    {"version", COLUMN_TEXT, NULL, 0, 0, "of the format, and of the server that wrote it"},
    {"instance", COLUMN_BYTES, NULL, 0, 0, "to which the file belongs"},
    {"complete", COLUMN_BOOL, NULL, 0, 0, "whether the content is whole; absent for kinds without an end of their own"},
    {"attributed", COLUMN_TEXT, NULL, 0, COLUMN_MACHINE,
     "the rule by which it belongs to the instance, or why to none"},
    {"note", COLUMN_BYTES, NULL, 0, 0, "what is wrong, or worth knowing"},
};

static const struct record_type file_record = {"rcf-identify", 1, "files", file_columns,
                                               sizeof(file_columns) / sizeof(*file_columns)};

enum { ROW_STATE, ROW_PATH, ROW_LISTED, ROW_FOUND };

static const struct column verify_columns[] = {
    {"state", COLUMN_TEXT, NULL, 0, 0, "matched, changed, missing or new"},
    {"path", COLUMN_BYTES, NULL, 0, 0, "as listed, or of a new file as found"},
    {"listed", COLUMN_TEXT, NULL, 15, 0, "SHA-256 in the list"},
    {"found", COLUMN_TEXT, NULL, 15, 0, "SHA-256 of the file"},
};

static const struct record_type verify_record = {"rcf-identify-verify", 1, "files", verify_columns,
                                                 sizeof(verify_columns) / sizeof(*verify_columns)};

static const struct cli_command command = {
    .name = "rcf-identify",
    .synopsis = (const char *const[]){"[OPTION]... PATH...", "--manifest [OPTION]... PATH...",
                                      "--verify LIST [OPTION]... PATH...", NULL},
    .summary = "Says what each file is, by its content, with its hash and whether it is whole.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&file_record, &verify_record, NULL},
    .notes =
        "A PATH is a directory, which is walked without following symbolic links, or a file; - is standard input.\n"
        "Paths in a manifest are relative to the PATH when there is one and it is a directory: run sha256sum -c\n"
        "there. What a manifest does not say about time, time zone and host is not assumed by any command.\n"
        "Of the two lists of fields below, the second is that of --verify.",
    .exit_codes = {"all files are whole, or match the list", "a file is damaged, or differs from the list",
                   "a file could not be read to its end, or changed meanwhile"},
    .examples = (const char *const[]){"rcf-identify fixtures/seed-document",
                                      "rcf-identify --format=csv fixtures/story-redis-4.0.1/06-stale-restarted",
                                      "rcf-identify --manifest --timezone=+01:00 fixtures/seed-document", NULL},
};

static void progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "reading %zu of %zu files", done, total);
}

/* One text of several notes. */
static const char *add_note(struct arena *arena, const char *before, const char *what, const char *detail)
{
    const char *note = detail ? arena_format(arena, "%s: %s", what, detail) : what;
    return before && note ? arena_format(arena, "%s; %s", before, note) : note;
}

/* What an append-only file holds, and of when, where it says so. */
static const char *journal_note(struct arena *arena, const struct journal *journal)
{
    char text[TIME_SIZE];
    const char *note = arena_format(arena, "%llu command%s", (unsigned long long)journal->commands,
                                    journal->commands == 1 ? "" : "s");
    if (!journal->has_time || journal->last_time_s > INT64_MAX / 1000 || journal->last_time_s < INT64_MIN / 1000)
        return note;
    return arena_format(arena, "%s, last dated %s", note, time_write(text, journal->last_time_s * 1000));
}

/* Gives one row. True when the file is damaged. */
static bool file_row(struct table *table, const struct evidence *evidence, size_t number)
{
    const struct evidence_file *file = &evidence->files[number];
    const char *why;
    enum completeness condition = condition_of(evidence, number, &why);
    bool damaged = condition == CONDITION_DAMAGED;
    const char *note = file->note;
    if (file->unread)
        note = add_note(evidence->arena, note, file->skipped ? "skipped" : "unreadable", file->unread);
    if (file->changed)
        note = add_note(evidence->arena, note, "changed while it was read", NULL);
    if (file->journal && (file->journal->commands || file->journal->has_time))
        note = add_note(evidence->arena, note, journal_note(evidence->arena, file->journal), NULL);
    if (why)
        note = add_note(evidence->arena, note, damaged ? "damaged" : "not supported", why);
    bool read = file->sha256[0];
    table_bytes(table, FILE_PATH, escape_string(file->path));
    table_text(table, FILE_KIND, read ? evidence_kind_name(file->kind) : NULL);
    if (read) {
        table_text(table, FILE_CODING, source_coding_name(file->facts.coding));
        table_u64(table, FILE_SIZE, file->facts.size);
        table_u64(table, FILE_DECODED, file->facts.decoded);
        table_text(table, FILE_SHA256, file->sha256);
        table_text(table, FILE_VERSION, condition_version(evidence, number));
    }
    if (file->instance != SIZE_MAX)
        table_bytes(table, FILE_INSTANCE, escape_string(evidence->instances[file->instance].name));
    if (condition != CONDITION_UNKNOWN)
        table_bool(table, FILE_COMPLETE, !damaged);
    table_text(table, FILE_ATTRIBUTED, file->attributed ? file->attributed : file->unattributed);
    if (note)
        table_bytes(table, FILE_NOTE, escape_string(note));
    table_row(table);
    return damaged && !file->temporary;
}

static bool list_files(struct cli *cli, const struct evidence *evidence)
{
    bool damaged = false;
    struct table *table = table_open(cli->out, &file_record, cli->format);
    for (size_t i = 0; i < evidence->file_count; i++)
        damaged |= file_row(table, evidence, i);
    table_close(table);
    return damaged;
}

/* The file that standard output goes to may lie among those that are listed. */
static bool is_output(const struct evidence_file *file)
{
    struct stat out, found;
    return fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) && stat(file->where, &found) == 0 &&
           out.st_dev == found.st_dev && out.st_ino == found.st_ino;
}

/* As sha256sum escapes names that would break its lines. */
static void write_hash_line(struct out *out, const struct evidence_file *file)
{
    bool escaped = strpbrk(file->path, "\\\n\r");
    out_format(out, "%s%s  ", escaped ? "\\" : "", file->sha256);
    for (const char *at = file->path; *at; at++) {
        if (*at == '\\')
            out_text(out, "\\\\");
        else if (*at == '\n')
            out_text(out, "\\n");
        else if (*at == '\r')
            out_text(out, "\\r");
        else
            out_byte(out, *at);
    }
    out_byte(out, '\n');
}

static void write_comment(struct out *out, const char *key, const char *value)
{
    if (value)
        out_format(out, "# %s: %s\n", key, value);
}

static void write_manifest(struct cli *cli, const struct evidence *evidence, const struct config *config)
{
    out_text(cli->out, "# rcf-collection 1\n");
    write_comment(cli->out, "collected-at", config->collected_at);
    write_comment(cli->out, "timezone", config->timezone);
    write_comment(cli->out, "host", config->host);
    for (size_t i = 0; i < evidence->file_count; i++)
        if (evidence->files[i].sha256[0] && !is_output(&evidence->files[i]))
            write_hash_line(cli->out, &evidence->files[i]);
}

static void write_summary(struct cli *cli, const struct verify *result)
{
    for (int state = 0; state < VERIFY_STATES; state++)
        out_format(cli->out, "%s%zu %s", state ? ", " : "", result->counts[state],
                   verify_state_name((enum verify_state)state));
    out_text(cli->out, "\n");
}

static void write_verify(struct cli *cli, const struct evidence *evidence, const struct verify *result)
{
    struct table *table = table_open(cli->out, &verify_record, cli->format);
    for (size_t i = 0; i < result->count; i++) {
        const struct verify_row *row = &result->rows[i];
        if (cli->format == FORMAT_TEXT && row->state == VERIFY_MATCHED && !cli->verbose)
            continue;
        table_text(table, ROW_STATE, verify_state_name(row->state));
        table_bytes(table, ROW_PATH, escape_string(row->path));
        table_text(table, ROW_LISTED, row->listed ? row->listed->sha256 : NULL);
        table_text(table, ROW_FOUND, row->file != SIZE_MAX ? evidence->files[row->file].sha256 : NULL);
        table_row(table);
    }
    table_close(table);
    if (cli->format == FORMAT_TEXT)
        write_summary(cli, result);
}

/* Reads the list; NULL when it could not be, which has been said. */
static struct collection *read_list(struct cli *cli, const char *path, struct arena *arena, char sha256[65])
{
    struct source *source = source_open(AT_FDCWD, path, SOURCE_FOLLOW);
    struct collection *list = NULL;
    struct bytes text;
    struct source_facts facts;
    if (!source) {
        cli_error(cli, "no memory");
        return NULL;
    }
    if (source_slurp(source, LIST_LIMIT, &text) && source_finish(source, &facts))
        list = collection_read(arena, text, SIZE_MAX);
    if (!list)
        cli_error(cli, "%s: %s", path, source_why(source) ? source_why(source) : "cannot be read as a whole");
    else
        hex_encode(sha256, (struct bytes){facts.sha256, sizeof(facts.sha256)});
    source_close(source);
    if (list && !list->count) {
        cli_error(cli, "%s: no hashes in it", path);
        cli_hint(cli, "lists are written by rcf-identify --manifest and by sha256sum");
        return NULL;
    }
    return list;
}

static int compare(struct cli *cli, const struct evidence *evidence, const char *path)
{
    struct verify result;
    char sha256[65] = "";
    struct collection *list = read_list(cli, path, evidence->arena, sha256);
    if (!list)
        return CLI_FAILED;
    if (list->unread_lines)
        cli_note(cli, "%s: %zu lines are neither comments nor hashes", path, list->unread_lines);
    if (!verify(evidence, list, sha256, evidence->arena, &result)) {
        cli_error(cli, "no memory");
        return CLI_FAILED;
    }
    write_verify(cli, evidence, &result);
    return result.count == result.counts[VERIFY_MATCHED] ? CLI_OK : CLI_FOUND;
}

static bool is_one_line(const char *text)
{
    for (const char *at = text; at && *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return true;
}

/* Facts for a manifest that could not be read back are refused. False when that was said. */
static bool check_facts(struct cli *cli, const struct config *config)
{
    int64_t ms;
    if (config->manifest && config->verify)
        return cli_usage(cli, "--manifest and --verify exclude each other") == CLI_OK;
    if (!config->manifest && (config->collected_at || config->timezone || config->host))
        return cli_usage(cli, "--collected-at, --timezone and --host go with --manifest") == CLI_OK;
    if (config->collected_at && !collection_time(escape_string(config->collected_at), &ms))
        return cli_usage(cli, "--collected-at: a time such as 2026-11-22T15:00:00Z is expected") == CLI_OK;
    if (!is_one_line(config->timezone) || !is_one_line(config->host))
        return cli_usage(cli, "--timezone and --host: one line without control characters is expected") == CLI_OK;
    return true;
}

static void say_unread(struct cli *cli, const struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->file_count; i++) {
        const struct evidence_file *file = &evidence->files[i];
        if (file->changed)
            cli_error(cli, "%s: changed while it was read", file->path);
        else if (file->unread && !file->skipped)
            cli_error(cli, "%s: %s", file->path, file->unread);
        else if (file->skipped)
            cli_note(cli, "%s: %s", file->path, file->unread);
    }
    if (!evidence->atime_kept)
        cli_note(cli, "access times may have moved: O_NOATIME was refused, being the owner's right");
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    if (!check_facts(&cli, &config))
        return cli_finish(&cli, CLI_FAILED);
    struct evidence_options reading = {
        .facts_only = config.manifest || config.verify,
        .progress = progress,
        .context = &cli,
    };
    struct evidence *evidence = evidence_open(cli.operands, (size_t)cli.operand_count, &reading);
    if (!evidence) {
        cli_error(&cli, "no memory");
        return cli_finish(&cli, CLI_FAILED);
    }
    int code = CLI_OK;
    if (config.verify)
        code = compare(&cli, evidence, config.verify);
    else if (config.manifest)
        write_manifest(&cli, evidence, &config);
    else
        code = list_files(&cli, evidence) ? CLI_FOUND : CLI_OK;
    say_unread(&cli, evidence);
    if (evidence->problem)
        cli_error(&cli, "%s", evidence->problem);
    if (evidence->unreadable || evidence->problem)
        code = CLI_FAILED;
    evidence_close(evidence);
    return cli_finish(&cli, code);
}
