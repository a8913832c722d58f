/* rcf-rdb-diff: which keys of dumps are the same, and which are not. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli/cli.h"
#include "tools/cli/key_options.h"
#include "tools/render/keydiff_output.h"

enum { OPTION_ALSO, OPTION_IGNORE };

struct config {
    const char **also; /* dumps of A besides the first operand */
    size_t also_count;
    bool counts_only;
    bool ignore_only_a, ignore_only_b, ignore_expiry;
    struct selection selection;
};

static const char *const ignore_words[] = {"only-a", "only-b", "expiry", NULL};

static const struct cli_option options[] = {
    {0, "also", "FILE", "one more dump of side A (repeatable)", CLI_TAKE, 0, NULL, 0, 0, OPTION_ALSO},
    {0, "ignore", "WHAT", "no difference is what this names (repeatable)", CLI_TAKE, .words = ignore_words,
     .id = OPTION_IGNORE},
    {'c', "counts", NULL, "the counts alone: each FILE is read once", CLI_FLAG, offsetof(struct config, counts_only)},
    {0, "match", "GLOB", "only keys whose name fits, as in SCAN: * ? [a-z] [^a-z] \\x (repeatable)", CLI_TAKE,
     .id = KEY_OPTION_MATCH},
    {0, "slot", "SLOTS", "only keys in these hash slots: 5, 0-5460, 1,3,10-20", CLI_TAKE, .id = KEY_OPTION_SLOT},
    {0, "db", "DBS", "only keys in these databases: 0, 1-15", CLI_TAKE, .id = KEY_OPTION_DB},
    {0},
};

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    if (id == OPTION_ALSO) {
        config->also[config->also_count++] = value;
        return NULL;
    }
    if (id != OPTION_IGNORE)
        return key_options_take(&config->selection, id, value);
    bool *const targets[] = {&config->ignore_only_a, &config->ignore_only_b, &config->ignore_expiry};
    for (size_t i = 0; ignore_words[i]; i++)
        if (strcmp(value, ignore_words[i]) == 0) {
            *targets[i] = true;
            return NULL;
        }
    return "only-a, only-b or expiry";
}

static const struct record_type *const records[] = {&keydiff_record, NULL};

static const struct cli_command command = {
    .name = "rcf-rdb-diff",
    .synopsis = (const char *const[]){"[OPTION]... A B...", NULL},
    .summary = "Compares the keys of RDB dumps: only in A, only in B, in both with another type, value or expiry.",
    .options = options,
    .least_operands = 2,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = records,
    .take = take,
    .notes = "The first FILE is side A, all others together are side B, such as the dumps of one cluster; --also adds\n"
             "to A. A FILE may be compressed with gzip, lz4 or zstd; - is standard input, with --counts.\n"
             "\n"
             "Values are compared element by element, as a user sees them: encoding, compression, server version,\n"
             "the order of members and fields, idle times and frequencies are no difference. Scores are compared\n"
             "as numbers, and so are expiries, those of hash fields too. A key in another database is another key.\n"
             "\n"
             "Where several dumps of a side hold a key, each value of A is looked for, and any dump of B will do. So\n"
             "\"rcf-rdb-diff --ignore=only-b OLD CLUSTER...\" answers whether all of OLD is still in the cluster.\n"
             "\n"
             "Keys are named in a second reading of the files: those only in A in the order of A, then the others in\n"
             "the order of B. Text names fifty of a kind, and all with -v. Memory: at most 48 bytes for each key of\n"
             "A, 32 for each that B alone has, 100 more for each to be named, whatever the values are. Names are\n"
             "told apart by 106 bits of a hash: what differs is never taken for equal but by an accident of 1 in\n"
             "10^13, or by somebody who makes keys for it.\n"
             "\n"
             "A dump that is damaged is compared as far as it can be read. Behind damage that loses the position the\n"
             "next records are searched, as rcf-rdb-check --help tells, but not in standard input. Only in A means\n"
             "then that B does not show it: it may be in what was skipped. Nothing is proved, so the exit code is 2\n"
             "whatever was found.",
    .exit_codes = {"no difference", "the dumps differ",
                   "cannot tell: a dump is damaged, could not be read, or changed meanwhile"},
    .examples = (const char *const[]){
        "rcf-rdb-diff --counts fixtures/story-redis-4.0.1/0[68]*/hosts/127.0.0.6/7000/dump_7000.rdb",
        "rcf-rdb-diff --ignore=only-b fixtures/story-redis-4.0.1/0[69]*/hosts/127.0.0.6/7000/*.rdb",
        NULL},
};

struct work {
    struct cli *cli;
    const struct config *config;
    struct compare *compare;
    struct keydiff_file *files;
    struct source_facts *facts; /* of the first reading */
    size_t count;
    bool failed; /* a file that could not be read, or changed */
};

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static struct source *open_dump(const char *path)
{
    return is_standard_input(path) ? source_descriptor_with(STDIN_FILENO, SOURCE_UNHASHED)
                                   : source_open(AT_FDCWD, path, SOURCE_FOLLOW | SOURCE_UNHASHED);
}

/* Standard input cannot be opened again. */
static struct source *reopen(void *context)
{
    struct source *source = open_dump(context);
    if (source && !source_why(source))
        return source;
    source_close(source);
    return NULL;
}

/* Opens it for the comparison to read. */
static struct source *open_compared(struct compare *compare, const char *path)
{
    compare_salvage(compare, is_standard_input(path) ? NULL : reopen, (void *)(uintptr_t)path);
    return open_dump(path);
}

static bool is_selected(const void *context, const struct rdb_key *key)
{
    return selection_takes_key(context, key, keyslot(key->name));
}

/* A of the operands and options, then B. */
static bool collect_files(struct work *work)
{
    const struct config *config = work->config;
    struct cli *cli = work->cli;
    work->count = (size_t)cli->operand_count + config->also_count;
    work->files = calloc(work->count, sizeof(*work->files));
    work->facts = calloc(work->count, sizeof(*work->facts));
    if (!work->files || !work->facts)
        return false;
    size_t of_a = 1 + config->also_count;
    for (size_t f = 0; f < work->count; f++)
        work->files[f] = (struct keydiff_file){
            .path = f == 0 ? cli->operands[0] : f < of_a ? config->also[f - 1] : cli->operands[f - config->also_count],
            .side = f < of_a ? COMPARE_A : COMPARE_B,
        };
    return true;
}

/* What was wrong with a dump, and that the answer is partial. */
static void say_partial(struct work *work, const struct keydiff_file *file, const char *fault)
{
    struct cli *cli = work->cli;
    const struct compare_end *end = &file->end;
    const struct scan_end *scan = &end->scan;
    struct place stop = {.offset = scan->offset}, lost = {.offset = scan->first_offset};
    if (fault)
        cli_error_at(cli, file->path, NULL, "%s", fault);
    else if (scan->losses)
        cli_error_at(cli, file->path, &lost, "%" PRIu64 " byte%s skipped in %" PRIu64 " stretch%s: %s", scan->lost_bytes,
                     scan->lost_bytes == 1 ? "" : "s", scan->losses, scan->losses == 1 ? "" : "es", scan->first_why);
    else if (end->corrupt)
        cli_error_at(cli, file->path, &end->first, "damaged: %" PRIu64 " defect%s in keys or values", end->corrupt,
                     end->corrupt == 1 ? "" : "s");
    if (!fault && scan->stop != RDB_STOP_NONE)
        cli_error_at(cli, file->path, &stop, "nothing after this can be read: %s", scan->why);
    cli_detail(cli, "%" PRIu64 " key%s of it compared", end->keys, end->keys == 1 ? "" : "s");
    if (end->corrupt)
        cli_hint(cli, "rcf-rdb-check lists all defects");
}

static bool read_dump(struct work *work, size_t number)
{
    struct keydiff_file *file = &work->files[number];
    struct source *source = open_compared(work->compare, file->path);
    if (!source)
        return false;
    cli_progress(work->cli, "reading %zu of %zu: %s", number + 1, work->count, file->path);
    if (is_standard_input(file->path))
        file->path = "<stdin>";
    bool done = compare_read(work->compare, file->side, source, &file->end);
    bool intact = source_finish(source, &work->facts[number]);
    const char *fault = intact ? NULL : source_why(source) ? source_why(source) : "changed while it was read";
    if (done && (fault || !file->end.whole))
        say_partial(work, file, fault);
    work->failed |= fault != NULL;
    source_close(source);
    return done;
}

/* Within one dump a key cannot be twice; what a server makes of that depends on the server. */
static bool has_twins(struct work *work, const struct compare_counts *counts, enum compare_side side)
{
    size_t dumps = 0, last = 0;
    for (size_t f = 0; f < work->count; f++)
        if (work->files[f].side == side) {
            dumps++;
            last = f;
        }
    if (dumps != 1 || !counts->repeated[side])
        return false;
    bool one = counts->repeated[side] == 1;
    cli_error_at(work->cli, work->files[last].path, NULL, "%" PRIu64 " key%s stand%s there again: the first counts",
                 counts->repeated[side], one ? "" : "s", one ? "s" : "");
    return true;
}

static bool write_key(void *context, const struct compare_key *key)
{
    return keydiff_output_key(context, key);
}

/* The differences that a second reading of this side can name. */
static uint64_t wanted_of(const struct keydiff *diff, enum compare_side side)
{
    /* COMPARE_EQUAL, which never counts, fills the shorter row. */
    static const enum compare_how hows[COMPARE_SIDES][4] = {
        {COMPARE_ONLY_A}, {COMPARE_ONLY_B, COMPARE_TYPE, COMPARE_VALUE, COMPARE_EXPIRY}};
    uint64_t count = 0;
    for (size_t i = 0; i < 4; i++)
        if (keydiff_counts(diff, hows[side][i]))
            count += diff->counts.keys[hows[side][i]];
    return count;
}

/* The second reading; false without memory. */
static bool list_dumps(struct work *work, const struct keydiff *diff, struct keydiff_writing *writing)
{
    bool more = true;
    uint64_t missing = 0;
    for (size_t f = 0; more && f < work->count; f++) {
        const struct keydiff_file *file = &work->files[f];
        /* A tells how it stores what differs. */
        if (!wanted_of(diff, COMPARE_B) && (file->side == COMPARE_B || !wanted_of(diff, COMPARE_A)))
            continue;
        cli_progress(work->cli, "naming keys, %zu of %zu: %s", f + 1, work->count, file->path);
        struct source *source = open_compared(work->compare, file->path);
        struct scan_end end;
        more = source && compare_list(work->compare, file->side, (uint32_t)f, source, write_key, writing, &end);
        source_close(source);
        if (!more && !out_error(work->cli->out))
            return false;
    }
    for (int side = 0; more && side < COMPARE_SIDES; side++)
        if (wanted_of(diff, (enum compare_side)side))
            missing += compare_unlisted(work->compare, (enum compare_side)side);
    if (missing) {
        cli_error(work->cli, "a file changed between its two readings: %" PRIu64 " keys that differ are gone", missing);
        work->failed = true;
    }
    return true;
}

static int compare_files(struct work *work)
{
    struct cli *cli = work->cli;
    for (size_t f = 0; f < work->count; f++)
        if (!read_dump(work, f))
            return -1;
    if (!compare_settle(work->compare))
        return -1;
    struct keydiff diff = {
        .files = work->files,
        .file_count = work->count,
        .counts = compare_counts(work->compare),
        .ignore_only_a = work->config->ignore_only_a,
        .ignore_only_b = work->config->ignore_only_b,
        .ignore_expiry = work->config->ignore_expiry,
        .listed = !work->config->counts_only,
    };
    bool atime_kept = true;
    for (size_t f = 0; f < work->count; f++) {
        diff.partial |= !work->files[f].end.whole;
        atime_kept &= work->facts[f].atime_kept || strcmp(work->files[f].path, "<stdin>") == 0;
    }
    diff.partial |= work->failed;
    for (int side = 0; side < COMPARE_SIDES; side++)
        diff.partial |= has_twins(work, &diff.counts, (enum compare_side)side);
    struct keydiff_writing *writing = keydiff_output_open(cli->out, cli->format, &diff, cli->verbose > 0);
    bool done = writing && (!diff.listed || cli->quiet || list_dumps(work, &diff, writing));
    keydiff_output_close(writing);
    if (!done)
        return -1;
    if (diff.partial)
        cli_error(cli, "not all could be compared, so nothing is proved");
    if (!atime_kept)
        cli_note(cli, "access times may have moved: O_NOATIME was refused, being the owner's right");
    return diff.partial || work->failed ? CLI_FAILED : keydiff_differences(&diff) ? CLI_FOUND : CLI_OK;
}

static int run(struct cli *cli, const struct config *config)
{
    const struct compare_options how = {
        .wants = config->selection.narrow ? is_selected : NULL,
        .context = &config->selection,
        .ignore_expiry = config->ignore_expiry,
        .ignore_only_b = config->ignore_only_b,
    };
    struct work work = {.cli = cli, .config = config, .compare = compare_new(&how)};
    int code = work.compare && collect_files(&work) ? compare_files(&work) : -1;
    if (code < 0) {
        cli_error(cli, "out of memory");
        code = CLI_FAILED;
    }
    compare_free(work.compare);
    free(work.files);
    free(work.facts);
    return code;
}

/* Standard input is gone once it is read. */
static const char *refuse_standard_input(const struct cli *cli, const struct config *config)
{
    size_t times = 0;
    for (int i = 0; i < cli->operand_count; i++)
        times += is_standard_input(cli->operands[i]);
    for (size_t i = 0; i < config->also_count; i++)
        times += is_standard_input(config->also[i]);
    if (times > 1)
        return "standard input can be one dump only";
    if (times && !config->counts_only && !cli->quiet)
        return "standard input can be read once, and keys are named in a second reading: add --counts, or save it to a "
               "file";
    return NULL;
}

int main(int argc, char **argv)
{
    struct config config = {.also = calloc((size_t)argc, sizeof(*config.also))};
    struct cli cli;
    if (!config.also || !cli_start(&cli, &command, argc, argv, &config)) {
        free(config.also);
        return config.also ? cli_finish(&cli, cli.exit_code) : CLI_FAILED;
    }
    const char *refused = refuse_standard_input(&cli, &config);
    int code = cli_finish(&cli, refused ? cli_usage(&cli, "%s", refused) : run(&cli, &config));
    free(config.also);
    return code;
}
