#include "tools/render/nodes.h"

#include <string.h>

#include "parsers/bytes/hex.h"
#include "parsers/bytes/keyslot.h"
#include "tools/evidence/evidence.h"
#include "tools/render/escape.h"
#include "tools/render/nodes_private.h"

static const struct column node_columns[NODE_COLUMNS] = {
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

const struct record_type nodes_node_record = {"rcf-nodes-nodes", 1, "nodes", node_columns,
                                               sizeof(node_columns) / sizeof(*node_columns)};

enum { FILE_FILE, FILE_KIND, FILE_SIZE, FILE_SHA256, FILE_NODES, FILE_OWN_ID, FILE_OWN_ADDRESS, FILE_SLOTS,
       FILE_CURRENT, FILE_VOTE, FILE_PONG, FILE_PADDING, FILE_DAMAGED };

static const struct column file_columns[] = {
    {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    {"kind", COLUMN_TEXT, NULL, 0, 0, "nodes.conf, or what was captured: cluster-nodes, cluster-slots, tool-check, ..."},
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

const struct record_type nodes_file_record = {"rcf-nodes", 1, "files", file_columns,
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

const struct record_type nodes_condition_record = {"rcf-nodes-conditions", 1, "conditions", condition_columns,
                                                    sizeof(condition_columns) / sizeof(*condition_columns)};

enum { STARTUP_FILE, STARTUP_SERVER, STARTUP_OUTCOME, STARTUP_WRONG_VIEW, STARTUP_CONDITION, STARTUP_LINE,
       STARTUP_SENTENCE, STARTUP_TRIED };

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

const struct record_type nodes_startup_record = {"rcf-nodes-startup", 1, "startup", startup_columns,
                                                  sizeof(startup_columns) / sizeof(*startup_columns)};

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

const char *nodes_address(struct arena *arena, const struct entry *entry)
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

static void mark_list(struct table *table, const struct nodes_file *file, const struct entry *entry)
{
    struct bytes *words = arena_array(file->arena, entry->mark_count, sizeof(*words));
    for (uint32_t i = 0; words && i < entry->mark_count; i++) {
        const struct mark *mark = &entry->marks[i];
        words[i] = escape_string(arena_format(file->arena, "[%u-%c-%s]", mark->slot,
                                              mark->kind == SLOT_MIGRATING ? '>' : '<',
                                              view_store_id(file->store, mark->peer)));
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

static void node_row(struct table *table, const struct nodes_file *file, const struct sighting *sighting)
{
    static const char *const links[] = {[LINK_UNKNOWN] = NULL, [LINK_CONNECTED] = "connected",
                                        [LINK_DISCONNECTED] = "disconnected"};
    const struct entry *entry = sighting->entry;
    table_bytes(table, NODE_FILE, escape_string(file->path));
    table_count(table, NODE_LINE, sighting->line);
    table_bytes(table, NODE_ID, escape_string(view_store_id(file->store, entry->node)));
    table_bytes(table, NODE_ADDRESS, escape_string(nodes_address(file->arena, entry)));
    text_or_absent(table, NODE_IP, entry->ip);
    count_or_absent(table, NODE_PORT, entry->port);
    count_or_absent(table, NODE_BUS_PORT, entry->bus_port);
    count_or_absent(table, NODE_TLS_PORT, entry->tls_port);
    text_or_absent(table, NODE_HOSTNAME, entry->hostname);
    text_or_absent(table, NODE_NODENAME, entry->nodename);
    text_or_absent(table, NODE_SHARD_ID, entry->shard_id);
    table_text(table, NODE_FLAGS, flags_text(file->arena, entry->flags | (sighting->myself ? NODE_MYSELF : 0)));
    table_text(table, NODE_ROLE,
               entry->flags & NODE_PRIMARY ? "primary" : entry->flags & NODE_REPLICA ? "replica" : NULL);
    if (entry->primary != NO_NODE)
        table_bytes(table, NODE_PRIMARY_ID, escape_string(view_store_id(file->store, entry->primary)));
    if (!(file->view->limits & VIEW_NO_EPOCHS))
        table_u64(table, NODE_EPOCH, entry->config_epoch);
    table_text(table, NODE_LINK, links[sighting->link]);
    if (sighting->ping_ms)
        table_time(table, NODE_PING, sighting->ping_ms);
    if (sighting->pong_ms)
        table_time(table, NODE_PONG, sighting->pong_ms);
    table_count(table, NODE_SLOT_COUNT, entry->slot_count);
    range_list(table, file->arena, entry);
    mark_list(table, file, entry);
    table_row(table);
}

/* The first slot from `slot` on that is not counted yet; `next` leads there and is shortened on the way. */
static unsigned uncounted(uint16_t *next, unsigned slot)
{
    while (next[slot] != slot) {
        next[slot] = next[next[slot]];
        slot = next[slot];
    }
    return slot;
}

unsigned nodes_slots(const struct view *view)
{
    uint16_t next[SLOT_COUNT + 1];
    unsigned count = 0;
    for (unsigned slot = 0; slot <= SLOT_COUNT; slot++)
        next[slot] = (uint16_t)slot;
    for (size_t i = 0; i < view->count; i++) {
        const struct entry *entry = view->sightings[i].entry;
        for (uint32_t r = 0; r < entry->range_count; r++)
            for (unsigned slot = uncounted(next, entry->ranges[r].first); slot <= entry->ranges[r].last;
                 slot = uncounted(next, slot)) {
                next[slot] = (uint16_t)(slot + 1);
                count++;
            }
    }
    return count;
}

static void fill_file(struct table *table, const struct nodes_file *file)
{
    const struct view *view = file->view;
    const struct sighting *own = view_own(view);
    char *sha256 = arena_alloc(file->arena, 65);
    if (sha256)
        hex_encode(sha256, (struct bytes){file->facts.sha256, sizeof(file->facts.sha256)});
    table_bytes(table, FILE_FILE, escape_string(file->path));
    table_text(table, FILE_KIND, evidence_kind_name(file->kind));
    table_u64(table, FILE_SIZE, file->facts.size);
    table_text(table, FILE_SHA256, sha256);
    table_count(table, FILE_NODES, (int64_t)view->count);
    if (own) {
        table_bytes(table, FILE_OWN_ID, escape_string(view_store_id(file->store, own->entry->node)));
        table_bytes(table, FILE_OWN_ADDRESS, escape_string(nodes_address(file->arena, own->entry)));
    }
    table_count(table, FILE_SLOTS, nodes_slots(view));
    if (view->has_current_epoch)
        table_u64(table, FILE_CURRENT, view->current_epoch);
    if (view->has_last_vote_epoch)
        table_u64(table, FILE_VOTE, view->last_vote_epoch);
    if (view->newest_pong_ms)
        table_time(table, FILE_PONG, view->newest_pong_ms);
    table_u64(table, FILE_PADDING, view->padding);
    table_bool(table, FILE_DAMAGED, file->damaged);
}

static void place_columns(struct table *table, const struct nodes_file *file, struct place place)
{
    table_bytes(table, CONDITION_FILE, escape_string(file->path));
    table_count(table, CONDITION_LINE, place.line);
    table_u64(table, CONDITION_OFFSET, place.offset);
    table_u64(table, CONDITION_LENGTH, place.length);
}

void nodes_condition_rows(struct table *table, const struct nodes_file *file)
{
    static const char *const classes[] = {[STARTUP_CUT] = "cut", [STARTUP_BROKEN] = "broken", [STARTUP_ODD] = "odd",
                                          [STARTUP_STATE] = "state", [STARTUP_NEWER] = "newer"};
    for (size_t i = 0; file->startup && i < file->startup->fact_count; i++) {
        const struct startup_fact *fact = &file->startup->facts[i];
        place_columns(table, file, fact->place);
        table_text(table, CONDITION_WORD, startup_word(fact->condition));
        table_text(table, CONDITION_CLASS, classes[startup_class(fact->condition)]);
        table_text(table, CONDITION_MEANS, startup_means(fact->condition));
        table_text(table, CONDITION_EXPECTED, fact->expected);
        table_text(table, CONDITION_FOUND, fact->found);
        count_or_absent(table, CONDITION_BEFORE, fact->before);
        table_row(table);
    }
    for (size_t i = 0; !file->startup && i < file->view->defect_count; i++) {
        const struct view_defect *defect = &file->view->defects[i];
        place_columns(table, file, defect->place);
        table_text(table, CONDITION_EXPECTED, defect->expected);
        table_text(table, CONDITION_FOUND, defect->found);
        table_row(table);
    }
}

void nodes_startup_rows(struct table *table, const struct nodes_file *file)
{
    for (enum generation g = 0; file->startup && g < GENERATIONS; g++) {
        const struct startup_verdict *verdict = &file->startup->of[g];
        table_bytes(table, STARTUP_FILE, escape_string(file->path));
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

void nodes_node_rows(struct table *table, const struct nodes_file *file)
{
    for (size_t i = 0; i < file->view->count; i++)
        node_row(table, file, &file->view->sightings[i]);
}

void nodes_file_row(struct table *table, const struct nodes_file *file)
{
    fill_file(table, file);
    table_row(table);
}

void nodes_all_row(struct table *table, const struct nodes_file *file)
{
    static const struct {
        const struct record_type *record;
        void (*rows)(struct table *table, const struct nodes_file *file);
    } parts[] = {
        {&nodes_node_record, nodes_node_rows},
        {&nodes_condition_record, nodes_condition_rows},
        {&nodes_startup_record, nodes_startup_rows},
    };
    fill_file(table, file);
    struct json *json = table_more(table);
    for (size_t i = 0; json && i < sizeof(parts) / sizeof(*parts); i++) {
        struct table *part = table_open_in(json, parts[i].record);
        if (part)
            parts[i].rows(part, file);
        table_close(part);
    }
    table_row(table);
}
