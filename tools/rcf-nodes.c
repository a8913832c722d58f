/* rcf-nodes: what one nodes.conf or one capture of CLUSTER NODES says, and which servers would start on the file. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "parsers/bytes/hex.h"
#include "parsers/bytes/keyslot.h"
#include "tools/cli/cli.h"
#include "tools/cluster/startup.h"
#include "tools/evidence/identify.h"
#include "tools/evidence/names.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"

enum { TEXT_LIMIT = 256 * 1024 * 1024, SHOWN_CONDITIONS = 20 };

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

enum { NODE_FILE, NODE_LINE, NODE_ID, NODE_ADDRESS, NODE_IP, NODE_PORT, NODE_BUS_PORT, NODE_TLS_PORT, NODE_HOSTNAME,
       NODE_NODENAME, NODE_SHARD_ID, NODE_FLAGS, NODE_ROLE, NODE_PRIMARY_ID, NODE_EPOCH, NODE_LINK, NODE_PING, NODE_PONG,
       NODE_SLOT_COUNT, NODE_SLOTS, NODE_OPEN };

static const struct column node_columns[] = {
    {"file", COLUMN_BYTES, NULL, 0, COLUMN_MACHINE, "as named"},
    {"line", COLUMN_COUNT, NULL, 0, COLUMN_MACHINE, "in the file, from 1"},
    {"id", COLUMN_BYTES, NULL, 11, 0, "node id"},
    {"address", COLUMN_BYTES, NULL, 0, 0, "ip:port"},
    {"ip", COLUMN_BYTES, NULL, 0, COLUMN_MACHINE, "as written"},
    {"port", COLUMN_COUNT, NULL, 0, COLUMN_MACHINE, "of clients; absent for 0"},
    {"bus_port", COLUMN_COUNT, NULL, 0, COLUMN_MACHINE, "of the cluster bus; absent where it is not written"},
    {"tls_port", COLUMN_COUNT, NULL, 0, COLUMN_MACHINE, "absent for 0"},
    {"hostname", COLUMN_BYTES, NULL, 24, 0, "announced host name"},
    {"nodename", COLUMN_BYTES, NULL, 0, COLUMN_MACHINE, "human name of Redis 7.2+ and Valkey"},
    {"shard_id", COLUMN_BYTES, NULL, 0, COLUMN_MACHINE, "of Redis 7.2+ and Valkey"},
    {"flags", COLUMN_TEXT, NULL, 0, 0, "as servers write them"},
    {"role", COLUMN_TEXT, NULL, 0, 0, "primary or replica"},
    {"primary", COLUMN_BYTES, NULL, 11, 0, "node id of a replica's primary"},
    {"config_epoch", COLUMN_U64, "epoch", 0, 0, "version of the node's claim to its slots"},
    {"link", COLUMN_TEXT, NULL, 0, 0, "connected or disconnected"},
    {"ping", COLUMN_TIME, NULL, 0, COLUMN_MACHINE, "since when a ping is unanswered"},
    {"pong", COLUMN_TIME, NULL, 0, 0, "last sign of life"},
    {"slot_count", COLUMN_COUNT, "count", 0, COLUMN_GROUPED, "slots on this line"},
    {"slots", COLUMN_LIST, NULL, 0, 0, "ranges, ascending"},
    {"open_slots", COLUMN_LIST, "open", 0, 0, "migrating [N->-id], importing [N-<-id]"},
};

static const struct record_type node_record = {"rcf-nodes-nodes", 1, "nodes", node_columns,
                                               sizeof(node_columns) / sizeof(*node_columns)};

enum { FILE_FILE, FILE_KIND, FILE_SIZE, FILE_SHA256, FILE_NODES, FILE_OWN_ID, FILE_OWN_ADDRESS, FILE_SLOTS, FILE_CURRENT,
       FILE_VOTE, FILE_PONG, FILE_PADDING, FILE_DAMAGED };

static const struct column file_columns[] = {
    {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    {"kind", COLUMN_TEXT, NULL, 0, 0, "nodes.conf or cluster-nodes"},
    {"size", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "bytes on disk"},
    {"sha256", COLUMN_TEXT, NULL, 15, 0, "of the bytes on disk"},
    {"node_count", COLUMN_COUNT, "nodes", 0, COLUMN_GROUPED, "lines about nodes"},
    {"own_id", COLUMN_BYTES, NULL, 11, 0, "node id of the line with myself"},
    {"own_address", COLUMN_BYTES, NULL, 0, 0, "ip:port of that line"},
    {"slots_assigned", COLUMN_COUNT, NULL, 0, COLUMN_GROUPED, "different slots on all lines"},
    {"current_epoch", COLUMN_U64, NULL, 0, 0, "of the vars line"},
    {"last_vote_epoch", COLUMN_U64, NULL, 0, 0, "of the vars line"},
    {"newest_pong", COLUMN_TIME, NULL, 0, 0, "saved at this moment or later"},
    {"padding", COLUMN_U64, NULL, 0, COLUMN_MACHINE, "line feeds and NUL bytes beside lines"},
    {"damaged", COLUMN_BOOL, NULL, 0, 0, "see the conditions"},
};

static const struct record_type file_record = {"rcf-nodes", 1, "files", file_columns,
                                               sizeof(file_columns) / sizeof(*file_columns)};

enum { CONDITION_FILE, CONDITION_LINE, CONDITION_OFFSET, CONDITION_LENGTH, CONDITION_WORD, CONDITION_CLASS,
       CONDITION_MEANS, CONDITION_EXPECTED, CONDITION_FOUND, CONDITION_BEFORE };

static const struct column condition_columns[] = {
    {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    {"line", COLUMN_COUNT, NULL, 0, 0, "in the file, from 1"},
    {"offset", COLUMN_U64, NULL, 0, COLUMN_MACHINE, "in the decoded content"},
    {"length", COLUMN_U64, NULL, 0, COLUMN_MACHINE, "bytes"},
    {"condition", COLUMN_TEXT, NULL, 0, 0, "a permanent word; absent for a capture, which no server reads"},
    {"class", COLUMN_TEXT, NULL, 0, 0, "cut, broken, odd, state or newer"},
    {"means", COLUMN_TEXT, NULL, 0, 0, "the condition in words"},
    {"expected", COLUMN_TEXT, NULL, 0, 0, "instead"},
    {"found", COLUMN_TEXT, NULL, 0, 0, "in words"},
    {"before", COLUMN_COUNT, NULL, 0, 0, "the line that this one contradicts"},
};

static const struct record_type condition_record = {"rcf-nodes-conditions", 1, "conditions", condition_columns,
                                                    sizeof(condition_columns) / sizeof(*condition_columns)};

enum { STARTUP_FILE, STARTUP_SERVER, STARTUP_OUTCOME, STARTUP_WRONG_VIEW, STARTUP_CONDITION, STARTUP_LINE, STARTUP_SENTENCE,
       STARTUP_TRIED };

static const struct column startup_columns[] = {
    {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    {"server", COLUMN_TEXT, NULL, 0, 0, "product and version"},
    {"outcome", COLUMN_TEXT, NULL, 0, 0, "starts, refuses or crashes"},
    {"wrong_view", COLUMN_BOOL, NULL, 0, 0, "starts, but with a wrong view; absent when it does not start"},
    {"condition", COLUMN_TEXT, NULL, 0, 0, "that decides"},
    {"line", COLUMN_COUNT, NULL, 0, 0, "where it stands"},
    {"sentence", COLUMN_TEXT, NULL, 0, 0, "what the server does"},
    {"tried", COLUMN_BOOL, NULL, 0, 0, "tested on a real server, not only concluded"},
};

static const struct record_type startup_record = {"rcf-nodes-startup", 1, "startup", startup_columns,
                                                  sizeof(startup_columns) / sizeof(*startup_columns)};

static const struct cli_command command = {
    .name = "rcf-nodes",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Shows what a nodes.conf or a capture of CLUSTER NODES says, and which servers would start on it.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&node_record, &file_record, &condition_record, &startup_record, NULL},
    .notes = "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Ids are cut on a screen: -v shows them\n"
             "whole. \"starts wrong\" is a server that starts without complaint and believes something else than the\n"
             "cluster knew: the dangerous case.",
    .exit_codes = {"every file is sound", "a file is damaged", "a file could not be read, or is something else"},
    .examples = (const char *const[]){
        "rcf-nodes fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/nodes_7002.conf",
        "rcf-nodes --csv fixtures/seed-document/06-restarted.cluster-nodes-7002.txt",
        "redis-cli cluster nodes | rcf-nodes --capture -", NULL},
};

/* One file. */
struct reading {
    const char *path;
    struct source *source; /* owns the text */
    struct arena *arena;
    struct view_store *store;
    const struct view *view;
    const struct startup *startup; /* NULL for a capture */
    struct source_facts facts;
    bool damaged;
};

/* Where rows of several files go; NULL tables are not wanted. */
struct tables {
    struct table *nodes, *files, *conditions, *startup;
};

/* ------------------------------------------------------------------ reading */

static bool is_padding(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] && text.at[i] != '\n')
            return false;
    return true;
}

/* Which reading the content calls for; EVIDENCE_UNKNOWN, and said, when it holds no nodes. */
static enum evidence_kind kind_of(struct cli *cli, const char *path, struct bytes text)
{
    struct bytes head = {text.at, text.len < SOURCE_PEEK_MAX ? text.len : SOURCE_PEEK_MAX};
    struct bytes stem = names_split(path).stem;
    if (is_padding(text))
        return EVIDENCE_NODESCONF;
    enum evidence_kind kind = identify(head, stem).kind;
    if (kind == EVIDENCE_NODESCONF)
        return identify_nodes(text, stem);
    if (kind == EVIDENCE_UNKNOWN)
        cli_error_at(cli, path, NULL, "neither a nodes.conf nor a capture of CLUSTER NODES");
    else
        cli_error_at(cli, path, NULL, "%s, neither a nodes.conf nor a capture of CLUSTER NODES", evidence_kind_meaning(kind));
    return EVIDENCE_UNKNOWN;
}

static bool read_text(struct cli *cli, struct reading *reading, struct bytes *text)
{
    if (!reading->source) {
        cli_error(cli, "out of memory");
        return false;
    }
    bool whole = source_slurp(reading->source, TEXT_LIMIT, text);
    if (!whole && !source_why(reading->source)) {
        cli_error_at(cli, reading->path, NULL, "more than 256 MiB, too long for a text of this kind");
        return false;
    }
    if (!source_finish(reading->source, &reading->facts)) {
        const char *why = source_why(reading->source);
        cli_error_at(cli, reading->path, NULL, "%s", why ? why : "changed while it was read");
        return false;
    }
    return true;
}

/* False, and said, when the file cannot be judged. */
static bool read_file(struct cli *cli, const struct config *config, struct reading *reading)
{
    bool standard = strcmp(reading->path, "-") == 0;
    struct bytes text = {NULL, 0};
    reading->source = standard ? source_descriptor(STDIN_FILENO) : source_open(AT_FDCWD, reading->path, SOURCE_FOLLOW);
    if (standard)
        reading->path = "<stdin>";
    if (!read_text(cli, reading, &text))
        return false;
    enum evidence_kind kind = config->capture ? EVIDENCE_CLUSTER_NODES : kind_of(cli, reading->path, text);
    if (kind == EVIDENCE_UNKNOWN)
        return false;
    bool capture = kind == EVIDENCE_CLUSTER_NODES;
    reading->arena = arena_new();
    reading->store = reading->arena ? view_store_new(reading->arena) : NULL;
    reading->view = reading->store ? view_read(reading->store, text, capture, 0) : NULL;
    if (reading->view && !capture)
        reading->startup = startup_of(reading->view, reading->store, text, reading->arena);
    if (!reading->view || (!capture && !reading->startup)) {
        cli_error(cli, "out of memory");
        return false;
    }
    reading->damaged = capture ? reading->view->defect_total > 0 : startup_damaged(reading->startup);
    return true;
}

static void end_file(struct reading *reading)
{
    arena_free(reading->arena);
    source_close(reading->source);
}

/* ------------------------------------------------------------------ rows */

static const struct flag_word {
    unsigned flag;
    const char *word;
} flag_words[] = {
    {NODE_MYSELF, "myself"},       {NODE_PRIMARY, "master"}, {NODE_REPLICA, "slave"},
    {NODE_PFAIL, "fail?"},         {NODE_FAIL, "fail"},      {NODE_HANDSHAKE, "handshake"},
    {NODE_NOADDR, "noaddr"},       {NODE_NOFAILOVER, "nofailover"}, {NODE_NOFLAGS, "noflags"},
};

static const char *flags_text(struct arena *arena, unsigned flags)
{
    const char *text = "";
    for (size_t i = 0; i < sizeof(flag_words) / sizeof(*flag_words) && text; i++)
        if (flags & flag_words[i].flag)
            text = arena_format(arena, "%s%s%s", text, *text ? "," : "", flag_words[i].word);
    return text && *text ? text : NULL;
}

static const char *address_text(struct arena *arena, const struct entry *entry)
{
    return arena_format(arena, "%s:%u", entry->ip, entry->port ? entry->port : entry->tls_port);
}

static void range_list(struct table *table, struct arena *arena, const struct entry *entry)
{
    struct bytes *words = arena_array(arena, entry->range_count, sizeof(*words));
    for (uint32_t i = 0; words && i < entry->range_count; i++) {
        struct slot_range range = entry->ranges[i];
        words[i] = escape_string(range.first == range.last ? arena_format(arena, "%u", range.first)
                                                           : arena_format(arena, "%u-%u", range.first, range.last));
    }
    if (words)
        table_list(table, NODE_SLOTS, words, entry->range_count);
}

static void mark_list(struct table *table, const struct reading *reading, const struct entry *entry)
{
    struct bytes *words = arena_array(reading->arena, entry->mark_count, sizeof(*words));
    for (uint32_t i = 0; words && i < entry->mark_count; i++) {
        const struct mark *mark = &entry->marks[i];
        words[i] = escape_string(arena_format(reading->arena, "[%u-%c-%s]", mark->slot,
                                              mark->kind == SLOT_MIGRATING ? '>' : '<',
                                              view_store_id(reading->store, mark->peer)));
    }
    if (words)
        table_list(table, NODE_OPEN, words, entry->mark_count);
}

static void count_or_absent(struct table *table, size_t column, unsigned value)
{
    if (value)
        table_count(table, column, value);
}

static void text_or_absent(struct table *table, size_t column, const char *text)
{
    if (text && *text)
        table_bytes(table, column, escape_string(text));
}

static void node_row(struct table *table, const struct reading *reading, const struct sighting *sighting)
{
    static const char *const links[] = {[LINK_UNKNOWN] = NULL, [LINK_CONNECTED] = "connected",
                                        [LINK_DISCONNECTED] = "disconnected"};
    const struct entry *entry = sighting->entry;
    table_bytes(table, NODE_FILE, escape_string(reading->path));
    table_count(table, NODE_LINE, sighting->line);
    table_bytes(table, NODE_ID, escape_string(view_store_id(reading->store, entry->node)));
    table_bytes(table, NODE_ADDRESS, escape_string(address_text(reading->arena, entry)));
    text_or_absent(table, NODE_IP, entry->ip);
    count_or_absent(table, NODE_PORT, entry->port);
    count_or_absent(table, NODE_BUS_PORT, entry->bus_port);
    count_or_absent(table, NODE_TLS_PORT, entry->tls_port);
    text_or_absent(table, NODE_HOSTNAME, entry->hostname);
    text_or_absent(table, NODE_NODENAME, entry->nodename);
    text_or_absent(table, NODE_SHARD_ID, entry->shard_id);
    table_text(table, NODE_FLAGS, flags_text(reading->arena, entry->flags | (sighting->myself ? NODE_MYSELF : 0)));
    table_text(table, NODE_ROLE,
               entry->flags & NODE_PRIMARY ? "primary" : entry->flags & NODE_REPLICA ? "replica" : NULL);
    if (entry->primary != NO_NODE)
        table_bytes(table, NODE_PRIMARY_ID, escape_string(view_store_id(reading->store, entry->primary)));
    table_u64(table, NODE_EPOCH, entry->config_epoch);
    table_text(table, NODE_LINK, links[sighting->link]);
    if (sighting->ping_ms)
        table_time(table, NODE_PING, sighting->ping_ms);
    if (sighting->pong_ms)
        table_time(table, NODE_PONG, sighting->pong_ms);
    table_count(table, NODE_SLOT_COUNT, entry->slot_count);
    range_list(table, reading->arena, entry);
    mark_list(table, reading, entry);
    table_row(table);
}

static unsigned slots_assigned(const struct view *view)
{
    bool taken[SLOT_COUNT] = {false};
    unsigned count = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct entry *entry = view->sightings[i].entry;
        for (uint32_t r = 0; r < entry->range_count && count < SLOT_COUNT; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last; slot++) {
                count += !taken[slot];
                taken[slot] = true;
            }
    }
    return count;
}

static void fill_file(struct table *table, const struct reading *reading)
{
    const struct view *view = reading->view;
    const struct sighting *own = view_own(view);
    char *sha256 = arena_alloc(reading->arena, 65);
    if (sha256)
        hex_encode(sha256, (struct bytes){reading->facts.sha256, sizeof(reading->facts.sha256)});
    table_bytes(table, FILE_FILE, escape_string(reading->path));
    table_text(table, FILE_KIND, evidence_kind_name(view->capture ? EVIDENCE_CLUSTER_NODES : EVIDENCE_NODESCONF));
    table_u64(table, FILE_SIZE, reading->facts.size);
    table_text(table, FILE_SHA256, sha256);
    table_count(table, FILE_NODES, (int64_t)view->count);
    if (own) {
        table_bytes(table, FILE_OWN_ID, escape_string(view_store_id(reading->store, own->entry->node)));
        table_bytes(table, FILE_OWN_ADDRESS, escape_string(address_text(reading->arena, own->entry)));
    }
    table_count(table, FILE_SLOTS, slots_assigned(view));
    if (view->has_current_epoch)
        table_u64(table, FILE_CURRENT, view->current_epoch);
    if (view->has_last_vote_epoch)
        table_u64(table, FILE_VOTE, view->last_vote_epoch);
    if (view->newest_pong_ms)
        table_time(table, FILE_PONG, view->newest_pong_ms);
    table_u64(table, FILE_PADDING, view->padding);
    table_bool(table, FILE_DAMAGED, reading->damaged);
}

static void place_columns(struct table *table, const struct reading *reading, struct place place)
{
    table_bytes(table, CONDITION_FILE, escape_string(reading->path));
    table_count(table, CONDITION_LINE, place.line);
    table_u64(table, CONDITION_OFFSET, place.offset);
    table_u64(table, CONDITION_LENGTH, place.length);
}

static void condition_rows(struct table *table, const struct reading *reading)
{
    static const char *const classes[] = {[STARTUP_CUT] = "cut", [STARTUP_BROKEN] = "broken", [STARTUP_ODD] = "odd",
                                          [STARTUP_STATE] = "state", [STARTUP_NEWER] = "newer"};
    for (size_t i = 0; reading->startup && i < reading->startup->fact_count; i++) {
        const struct startup_fact *fact = &reading->startup->facts[i];
        place_columns(table, reading, fact->place);
        table_text(table, CONDITION_WORD, startup_word(fact->condition));
        table_text(table, CONDITION_CLASS, classes[startup_class(fact->condition)]);
        table_text(table, CONDITION_MEANS, startup_means(fact->condition));
        table_text(table, CONDITION_EXPECTED, fact->expected);
        table_text(table, CONDITION_FOUND, fact->found);
        count_or_absent(table, CONDITION_BEFORE, fact->before);
        table_row(table);
    }
    for (size_t i = 0; !reading->startup && i < reading->view->defect_count; i++) {
        const struct view_defect *defect = &reading->view->defects[i];
        place_columns(table, reading, defect->place);
        table_text(table, CONDITION_EXPECTED, defect->expected);
        table_text(table, CONDITION_FOUND, defect->found);
        table_row(table);
    }
}

static void startup_rows(struct table *table, const struct reading *reading)
{
    for (enum generation g = 0; reading->startup && g < GENERATIONS; g++) {
        const struct startup_verdict *verdict = &reading->startup->of[g];
        table_bytes(table, STARTUP_FILE, escape_string(reading->path));
        table_text(table, STARTUP_SERVER, generation_name(g));
        table_text(table, STARTUP_OUTCOME, startup_outcome_word(verdict->outcome));
        if (verdict->outcome <= STARTUP_WRONG)
            table_bool(table, STARTUP_WRONG_VIEW, verdict->outcome == STARTUP_WRONG);
        if (verdict->fact) {
            table_text(table, STARTUP_CONDITION, startup_word(verdict->fact->condition));
            table_count(table, STARTUP_LINE, verdict->fact->place.line);
        }
        table_text(table, STARTUP_SENTENCE, verdict->sentence);
        table_bool(table, STARTUP_TRIED, verdict->tried);
        table_row(table);
    }
}

static void node_rows(struct table *table, const struct reading *reading)
{
    for (size_t i = 0; i < reading->view->count; i++)
        node_row(table, reading, &reading->view->sightings[i]);
}

/* The row of a file; within a JSON document of everything it holds the other tables. */
static void file_row(struct table *table, const struct reading *reading, bool everything)
{
    static void (*const fill[])(struct table *, const struct reading *) = {node_rows, condition_rows, startup_rows};
    static const struct record_type *const records[] = {&node_record, &condition_record, &startup_record};
    fill_file(table, reading);
    struct json *json = everything ? table_more(table) : NULL;
    for (size_t i = 0; json && i < sizeof(fill) / sizeof(*fill); i++) {
        struct table *inner = table_open_in(json, records[i]);
        if (inner)
            fill[i](inner, reading);
        table_close(inner);
    }
    table_row(table);
}

/* ------------------------------------------------------------------ text */

static void write_head(struct out *out, const struct reading *reading)
{
    const struct view *view = reading->view;
    const struct sighting *own = view_own(view);
    out_style(out, OUT_BOLD);
    escape_printable(out, escape_string(reading->path));
    out_style(out, OUT_PLAIN);
    out_text(out, view->capture ? ": CLUSTER NODES" : ": nodes.conf");
    if (own) {
        out_text(out, " of ");
        escape_printable(out, escape_string(address_text(reading->arena, own->entry)));
    }
    out_text(out, ", ");
    out_count(out, view->count, "node", "nodes");
    out_text(out, ", ");
    out_count(out, slots_assigned(view), "slot", "slots");
    out_text(out, "\n ");
    if (view->has_current_epoch)
        out_format(out, " currentEpoch %llu,", (unsigned long long)view->current_epoch);
    if (view->has_last_vote_epoch)
        out_format(out, " lastVoteEpoch %llu,", (unsigned long long)view->last_vote_epoch);
    char time[TIME_SIZE];
    out_format(out, " newest pong %s\n", view->newest_pong_ms ? time_write(time, view->newest_pong_ms) : "none");
}

static void write_nodes(struct cli *cli, const struct reading *reading)
{
    struct column columns[sizeof(node_columns) / sizeof(*node_columns)];
    struct record_type record = node_record;
    memcpy(columns, node_columns, sizeof(columns));
    if (cli->verbose)
        columns[NODE_ID].width = columns[NODE_PRIMARY_ID].width = 0;
    if (!reading->view->any_hostname)
        columns[NODE_HOSTNAME].flags |= COLUMN_MACHINE;
    record.columns = columns;
    out_byte(cli->out, '\n');
    struct table *table = table_open(cli->out, &record, FORMAT_TEXT);
    if (!table)
        return;
    table_indent(table, 2);
    node_rows(table, reading);
    table_close(table);
}

static void write_place(struct out *out, const struct reading *reading, struct place place)
{
    out_text(out, "  ");
    escape_printable(out, escape_string(reading->path));
    out_format(out, ":%u: ", place.line);
}

static void write_found(struct out *out, const char *expected, const char *found)
{
    out_format(out, "expected %s, found %s", expected, found);
}

static void write_fact(struct out *out, const struct reading *reading, const struct startup_fact *fact)
{
    write_place(out, reading, fact->place);
    out_styled(out, startup_class(fact->condition) <= STARTUP_BROKEN ? OUT_RED : OUT_YELLOW,
               startup_means(fact->condition));
    if (fact->before)
        out_format(out, " (line %u)", fact->before);
    if (fact->expected) {
        out_text(out, " (");
        write_found(out, fact->expected, fact->found);
        out_byte(out, ')');
    }
    out_byte(out, '\n');
}

static void write_conditions(struct cli *cli, const struct reading *reading)
{
    const struct startup *startup = reading->startup;
    size_t count = startup ? startup->fact_count : reading->view->defect_count, shown = 0, hidden = 0;
    for (size_t i = 0; i < count; i++) {
        if (startup && startup_class(startup->facts[i].condition) == STARTUP_NEWER)
            continue;
        if (shown == SHOWN_CONDITIONS && !cli->verbose) {
            hidden++;
            continue;
        }
        if (!shown++)
            out_byte(cli->out, '\n');
        if (startup) {
            write_fact(cli->out, reading, &startup->facts[i]);
        } else {
            write_place(cli->out, reading, reading->view->defects[i].place);
            write_found(cli->out, reading->view->defects[i].expected, reading->view->defects[i].found);
            out_byte(cli->out, '\n');
        }
    }
    if (hidden)
        out_format(cli->out, "  and %zu more; -v lists them\n", hidden);
}

static void write_startup(struct out *out, const struct reading *reading)
{
    static const struct {
        const char *word;
        enum out_style style;
    } outcomes[] = {
        [STARTUP_RIGHT] = {"starts", OUT_GREEN},
        [STARTUP_WRONG] = {"starts wrong", OUT_YELLOW},
        [STARTUP_REFUSES] = {"refuses", OUT_RED},
        [STARTUP_CRASHES] = {"crashes", OUT_RED},
    };
    struct startup_group groups[GENERATIONS];
    size_t count = startup_groups(reading->startup, groups);
    out_byte(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const struct startup_verdict *verdict = groups[i].verdict;
        const char *generations = startup_generations(reading->arena, groups[i].generations);
        out_text(out, "  ");
        out_styled(out, outcomes[verdict->outcome].style, outcomes[verdict->outcome].word);
        out_repeat(out, ' ', sizeof("starts wrong  ") - 1 - strlen(outcomes[verdict->outcome].word));
        out_text(out, generations ? generations : "");
        if (verdict->fact)
            out_format(out, ": %s (line %u)", verdict->sentence, verdict->fact->place.line);
        out_byte(out, '\n');
    }
}

static void write_text(struct cli *cli, const struct reading *reading)
{
    write_head(cli->out, reading);
    if (reading->view->count)
        write_nodes(cli, reading);
    write_conditions(cli, reading);
    if (reading->startup)
        write_startup(cli->out, reading);
}

/* ------------------------------------------------------------------ the command */

static struct tables open_tables(struct cli *cli, unsigned which)
{
    struct tables tables = {NULL, NULL, NULL, NULL};
    if (which == TABLE_NODES)
        tables.nodes = table_open(cli->out, &node_record, cli->format);
    else if (which == TABLE_FILES || (which == TABLE_ALL && cli->format == FORMAT_JSON))
        tables.files = table_open(cli->out, &file_record, cli->format);
    else if (which == TABLE_CONDITIONS)
        tables.conditions = table_open(cli->out, &condition_record, cli->format);
    else if (which == TABLE_STARTUP)
        tables.startup = table_open(cli->out, &startup_record, cli->format);
    return tables;
}

static void show(struct cli *cli, const struct tables *tables, const struct reading *reading, unsigned which)
{
    if (tables->nodes)
        node_rows(tables->nodes, reading);
    else if (tables->files)
        file_row(tables->files, reading, which == TABLE_ALL);
    else if (tables->conditions)
        condition_rows(tables->conditions, reading);
    else if (tables->startup)
        startup_rows(tables->startup, reading);
    else
        write_text(cli, reading);
}

static int run(struct cli *cli, const struct config *config)
{
    unsigned which = config->table;
    if (which == TABLE_ALL && (cli->format == FORMAT_CSV || cli->format == FORMAT_JSONL))
        which = TABLE_NODES;
    struct tables tables = open_tables(cli, which);
    bool damaged = false, failed = false, first = true;
    for (int i = 0; i < cli->operand_count; i++) {
        struct reading reading = {.path = cli->operands[i]};
        if (read_file(cli, config, &reading)) {
            if (!first && which == TABLE_ALL && cli->format == FORMAT_TEXT)
                out_byte(cli->out, '\n');
            show(cli, &tables, &reading, which);
            damaged |= reading.damaged;
            first = false;
        } else {
            failed = true;
        }
        end_file(&reading);
    }
    table_close(tables.nodes);
    table_close(tables.files);
    table_close(tables.conditions);
    table_close(tables.startup);
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
