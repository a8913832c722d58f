/* rcf-nodes: what one nodes.conf, one captured reply or one output of the cluster tools says about the nodes, and which
 * servers would start on a file. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "parsers/bytes/source.h"
#include "tools/cli/cli.h"
#include "tools/evidence/identify.h"
#include "tools/evidence/names.h"
#include "tools/render/nodes.h"

enum { TEXT_LIMIT = 256 * 1024 * 1024 };

enum which { TABLE_ALL, TABLE_NODES, TABLE_FILES, TABLE_CONDITIONS, TABLE_STARTUP };
static const char *const table_words[] = {"all", "nodes", "files", "conditions", "startup", NULL};

struct config {
    bool capture;
    unsigned table; /* enum which */
};

static const struct cli_option options[] = {
    {0, "capture", NULL, "take every FILE for a capture of CLUSTER NODES", CLI_FLAG, offsetof(struct config, capture),
     NULL, 0, 0, 0},
    {0, "table", "TABLE", "write one table (csv and jsonl: nodes when none is named)", CLI_CHOICE,
     offsetof(struct config, table), table_words, 0, 0, 0},
    {0},
};

static const struct cli_command command = {
    .name = "rcf-nodes",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Shows what a nodes.conf or a captured table of nodes says, and which servers would start on it.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&nodes_file_record, &nodes_node_record, &nodes_condition_record,
                                                     &nodes_startup_record, NULL},
    .notes = "A FILE is a nodes.conf, a capture of CLUSTER NODES, CLUSTER SLOTS or CLUSTER SHARDS as redis-cli\n"
             "shows it in any of its forms, or the output of redis-trib.rb or --cluster with a check in it.\n"
             "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Ids are cut\n"
             "on a screen: -v shows them whole. \"starts wrong\" is a server that starts without\n"
             "complaint and believes something else than the cluster knew: the dangerous case.",
    .exit_codes = {"every file is sound", "a file is damaged", "a file could not be read, or is something else"},
    .examples = (const char *const[]){
        "rcf-nodes fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/nodes_7002.conf",
        "rcf-nodes --csv fixtures/seed-document/06-restarted.cluster-nodes-7002.txt",
        "rcf-nodes --capture - <fixtures/seed-document/05-after-del-node.cluster-nodes-7000.txt", NULL},
};

/* One file, and what it takes to read it. */
struct reading {
    struct nodes_file file;
    struct source *source; /* owns the text */
};

static bool is_padding(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] && text.at[i] != '\n')
            return false;
    return true;
}

/* Which reading the content calls for; EVIDENCE_UNKNOWN, and said, when it holds no nodes. */
/* What a kind is read as; VIEW_SOURCES: it holds no nodes. */
static enum view_source source_of(enum evidence_kind kind)
{
    static const struct {
        enum evidence_kind kind;
        enum view_source source;
    } sources[] = {
        {EVIDENCE_NODESCONF, VIEW_NODESCONF},          {EVIDENCE_CLUSTER_NODES, VIEW_CLUSTER_NODES},
        {EVIDENCE_CLUSTER_SLOTS, VIEW_CLUSTER_SLOTS},  {EVIDENCE_CLUSTER_SHARDS, VIEW_CLUSTER_SHARDS},
        {EVIDENCE_TOOL_CHECK, VIEW_TOOL},              {EVIDENCE_TOOL_ADD_NODE, VIEW_TOOL},
        {EVIDENCE_TOOL_CREATE, VIEW_TOOL},             {EVIDENCE_TOOL_OTHER, VIEW_TOOL},
    };
    for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++)
        if (sources[i].kind == kind)
            return sources[i].source;
    return VIEW_SOURCES;
}

static enum evidence_kind kind_of(struct cli *cli, const char *path, struct bytes text)
{
    struct bytes head = {text.at, text.len < SOURCE_PEEK_MAX ? text.len : SOURCE_PEEK_MAX};
    struct bytes stem = names_split(path).stem;
    if (is_padding(text))
        return EVIDENCE_NODESCONF;
    enum evidence_kind kind = identify(head, stem).kind;
    if (kind == EVIDENCE_NODESCONF)
        return identify_nodes(text, stem);
    if (source_of(kind) != VIEW_SOURCES)
        return kind;
    if (kind == EVIDENCE_UNKNOWN)
        cli_error_at(cli, path, NULL, "neither a nodes.conf nor a captured table of nodes");
    else
        cli_error_at(cli, path, NULL, "%s, neither a nodes.conf nor a captured table of nodes",
                     evidence_kind_meaning(kind));
    return EVIDENCE_UNKNOWN;
}

static bool read_text(struct cli *cli, struct reading *reading, struct bytes *text)
{
    const char *path = reading->file.path;
    if (!reading->source) {
        cli_error(cli, "out of memory");
        return false;
    }
    bool whole = source_slurp(reading->source, TEXT_LIMIT, text);
    if (!whole && !source_why(reading->source)) {
        cli_error_at(cli, path, NULL, "more than 256 MiB, too long for a text of this kind");
        return false;
    }
    if (!source_finish(reading->source, &reading->file.facts)) {
        const char *why = source_why(reading->source);
        cli_error_at(cli, path, NULL, "%s", why ? why : "changed while it was read");
        return false;
    }
    if (!reading->file.facts.atime_kept && strcmp(path, "<stdin>") != 0)
        cli_note(cli, "%s: its access time may have moved: opening files without that is their owner's right", path);
    return true;
}

/* False without memory. */
static bool judge(struct nodes_file *file, struct bytes text, enum view_source source)
{
    file->arena = arena_new();
    struct view_store *store = file->arena ? view_store_new(file->arena) : NULL;
    file->store = store;
    file->view = store ? view_read_as(store, source, text, 0) : NULL;
    if (!file->view)
        return false;
    file->damaged = file->view->defect_total > 0;
    if (source != VIEW_NODESCONF)
        return true;
    file->startup = startup_of(file->view, store, text, file->arena);
    file->damaged = file->startup && startup_damaged(file->startup);
    return file->startup;
}

/* False, and said, when the file cannot be judged. */
static bool read_file(struct cli *cli, const struct config *config, struct reading *reading)
{
    bool standard = strcmp(reading->file.path, "-") == 0;
    struct bytes text = {NULL, 0};
    reading->source =
        standard ? source_descriptor(STDIN_FILENO) : source_open(AT_FDCWD, reading->file.path, SOURCE_FOLLOW);
    if (standard)
        reading->file.path = "<stdin>";
    if (!read_text(cli, reading, &text))
        return false;
    enum evidence_kind kind = config->capture ? EVIDENCE_CLUSTER_NODES : kind_of(cli, reading->file.path, text);
    if (kind == EVIDENCE_UNKNOWN)
        return false;
    reading->file.kind = kind;
    if (!judge(&reading->file, text, source_of(kind))) {
        cli_error(cli, "out of memory");
        return false;
    }
    return true;
}

static void end_file(struct reading *reading)
{
    arena_free(reading->file.arena);
    source_close(reading->source);
}

/* What each word of --table writes. */
static const struct {
    const struct record_type *record;
    void (*rows)(struct table *table, const struct nodes_file *file);
} tables[] = {
    [TABLE_ALL] = {&nodes_file_record, nodes_all_row},
    [TABLE_NODES] = {&nodes_node_record, nodes_node_rows},
    [TABLE_FILES] = {&nodes_file_record, nodes_file_row},
    [TABLE_CONDITIONS] = {&nodes_condition_record, nodes_condition_rows},
    [TABLE_STARTUP] = {&nodes_startup_record, nodes_startup_rows},
};

static int run(struct cli *cli, const struct config *config)
{
    unsigned which = config->table;
    if (which == TABLE_ALL && (cli->format == FORMAT_CSV || cli->format == FORMAT_JSONL))
        which = TABLE_NODES;
    bool text = which == TABLE_ALL && cli->format == FORMAT_TEXT, damaged = false, failed = false, first = true;
    struct table *table = text ? NULL : table_open(cli->out, tables[which].record, cli->format);
    for (int i = 0; i < cli->operand_count; i++) {
        struct reading reading = {.file.path = cli->operands[i]};
        if (!read_file(cli, config, &reading)) {
            failed = true;
        } else if (text) {
            if (!first)
                out_byte(cli->out, '\n');
            nodes_text(cli->out, &reading.file, cli->verbose);
            first = false;
        } else if (table) {
            tables[which].rows(table, &reading.file);
        }
        damaged |= reading.file.damaged;
        end_file(&reading);
    }
    table_close(table);
    return failed ? CLI_FAILED : damaged ? CLI_FOUND : CLI_OK;
}

int main(int argc, char **argv)
{
    struct config config = {.capture = false};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    return cli_finish(&cli, run(&cli, &config));
}
