/* Checked dumps as CSV, JSON lines and JSON. */
#include <inttypes.h>
#include <string.h>

#include "tools/render/dump_output_private.h"
#include "tools/render/escape.h"

/* The last three stand in CSV alone: JSON has them in full, as arrays of records. */
enum { FILE_PATH, FILE_VERDICT, FILE_MAGIC, FILE_VERSION, FILE_WRITER, FILE_CTIME, FILE_KEYS, FILE_EXPIRES,
       FILE_SLOTS, FILE_FUNCTIONS, FILE_CHECKSUM, FILE_STORED, FILE_COMPUTED, FILE_REPL_ID, FILE_REPL_OFFSET,
       FILE_OPEN_SLOTS, FILE_AOF_BASE, FILE_CODING, FILE_SIZE, FILE_DECODED, FILE_SHA256, FILE_DEFECTS, FILE_LOSSES,
       FILE_LOST_BYTES, FILE_UNCOMPARED,
       FILE_CAUSE, JSON_COLUMNS,
       FILE_DATABASES = JSON_COLUMNS, FILE_FINDINGS, FILE_FIRST, CSV_COLUMNS };

static const struct column file_columns[CSV_COLUMNS] = {
    [FILE_PATH] = {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    [FILE_VERDICT] = {"verdict", COLUMN_TEXT, NULL, 0, 0, "ok, damaged, unsupported or unreadable"},
    [FILE_MAGIC] = {"magic", COLUMN_TEXT, NULL, 0, 0, "REDIS or VALKEY"},
    [FILE_VERSION] = {"rdb_version", COLUMN_COUNT, NULL, 0, 0, "of the format"},
    [FILE_WRITER] = {"writer", COLUMN_BYTES, NULL, 0, 0, "server and version that wrote it"},
    [FILE_CTIME] = {"ctime", COLUMN_TIME, NULL, 0, 0, "when it was written, by the clock of its host"},
    [FILE_KEYS] = {"keys", COLUMN_U64, NULL, 0, 0, "in all databases, as far as it was read"},
    [FILE_EXPIRES] = {"expires", COLUMN_U64, NULL, 0, 0, "keys with an expiry"},
    [FILE_SLOTS] = {"slot_count", COLUMN_COUNT, NULL, 0, 0, "hash slots that hold keys"},
    [FILE_FUNCTIONS] = {"functions", COLUMN_U64, NULL, 0, 0, "libraries"},
    [FILE_CHECKSUM] = {"checksum", COLUMN_TEXT, NULL, 0, 0,
                       "valid, mismatch, disabled (stored as 0), none (before version 5) or unread"},
    [FILE_STORED] = {"stored_checksum", COLUMN_TEXT, NULL, 0, 0, "16 hexadecimal digits"},
    [FILE_COMPUTED] = {"computed_checksum", COLUMN_TEXT, NULL, 0, 0, "the same of the bytes before it"},
    [FILE_REPL_ID] = {"repl_id", COLUMN_BYTES, NULL, 0, 0, "replication history that the dump belongs to"},
    [FILE_REPL_OFFSET] = {"repl_offset", COLUMN_TEXT, NULL, 0, 0, "position in it"},
    [FILE_OPEN_SLOTS] = {"open_slots", COLUMN_BYTES, NULL, 0, 0, "as written for a replica: SLOT<ID, importing; SLOT>ID, migrating"},
    [FILE_AOF_BASE] = {"aof_base", COLUMN_BOOL, NULL, 0, 0, "part of an append-only file"},
    [FILE_CODING] = {"coding", COLUMN_TEXT, NULL, 0, 0, "plain, gzip, lz4, zstd, or vcs: Valkey's container"},
    [FILE_SIZE] = {"size", COLUMN_U64, NULL, 0, 0, "bytes on disk"},
    [FILE_DECODED] = {"decoded", COLUMN_U64, NULL, 0, 0, "bytes after decompression"},
    [FILE_SHA256] = {"sha256", COLUMN_TEXT, NULL, 0, 0, "of the bytes on disk"},
    [FILE_DEFECTS] = {"defect_count", COLUMN_U64, NULL, 0, 0, "those that are not listed included"},
    [FILE_LOSSES] = {"losses", COLUMN_U64, NULL, 0, 0, "times that the position was lost and found again"},
    [FILE_LOST_BYTES] = {"lost_bytes", COLUMN_U64, NULL, 0, 0, "skipped there; keys are then at least so many"},
    [FILE_UNCOMPARED] = {"uncompared_from", COLUMN_U64, NULL, 0, 0,
                         "from this key on, counted from 0, keys were not compared with each other: --memory"},
    [FILE_CAUSE] = {"cause", COLUMN_BYTES, NULL, 0, 0, "why the file is unreadable"},
    [FILE_DATABASES] = {"databases", COLUMN_LIST, NULL, 0, 0, "those with keys (csv; json: records)"},
    [FILE_FINDINGS] = {"findings", COLUMN_LIST, NULL, 0, 0, "each kind of defect (csv)"},
    [FILE_FIRST] = {"first_defect", COLUMN_TEXT, NULL, 0, 0, "its offset, what was expected and found (csv)"},
};

enum { DB_DB, DB_KEYS, DB_EXPIRES };

static const struct column database_columns[] = {
    {"db", COLUMN_COUNT, NULL, 0, 0, "its number"},
    {"keys", COLUMN_U64, NULL, 0, 0, "in it"},
    {"expires", COLUMN_U64, NULL, 0, 0, "keys with an expiry"},
};

enum { DEFECT_FINDING, DEFECT_SEVERITY, DEFECT_OFFSET, DEFECT_LENGTH, DEFECT_EXPECTED, DEFECT_FOUND, DEFECT_KEY, DEFECT_KIND,
       DEFECT_COLUMNS };

static const struct column defect_columns[] = {
    {"finding", COLUMN_TEXT, NULL, 0, 0, "a permanent word: see rcf-check --explain"},
    {"severity", COLUMN_TEXT, NULL, 0, 0, "error, warning or info"},
    {"offset", COLUMN_U64, NULL, 0, 0, "in the decoded content"},
    {"length", COLUMN_U64, NULL, 0, 0, "bytes; 0 where reading stopped"},
    {"expected", COLUMN_TEXT, NULL, 0, 0, "instead"},
    {"found", COLUMN_TEXT, NULL, 0, 0, "in words"},
    {"key", COLUMN_BYTES, NULL, 0, 0, "in whose record it stands"},
    {"kind", COLUMN_TEXT, NULL, 0, 0, "of defect, finer than the finding; stop: reading ended here"},
};

enum { IMPORT_JOB, IMPORT_SLOTS };

static const struct column import_columns[] = {
    {"job", COLUMN_BYTES, NULL, 0, 0, "that moves slots here (Valkey 9)"},
    {"slots", COLUMN_TEXT, NULL, 0, 0, "ranges"},
};

enum { SERVER_SERVER, SERVER_OUTCOME, SERVER_PROVED, SERVER_WHY, SERVER_COLUMNS };

static const struct column server_columns[] = {
    {"server", COLUMN_TEXT, NULL, 0, 0, "product and version"},
    {"outcome", COLUMN_TEXT, NULL, 0, 0, "loads, differs (starts, but holds something else), unsure, refuses"},
    {"proved", COLUMN_BOOL, NULL, 0, 0, "seen on such a server; else by rule"},
    {"why", COLUMN_TEXT, NULL, 0, 0, "the first cause of the worst outcome"},
};

enum { SLOT_SLOT, SLOT_KEYS };

static const struct column slot_columns[] = {
    {"slot", COLUMN_COUNT, NULL, 0, 0, "0 to 16383; those with keys, ascending"},
    {"keys", COLUMN_U64, NULL, 0, 0, "in all databases"},
};

static const struct record_type csv_record = {"rcf-rdb-check", 1, "files", file_columns, CSV_COLUMNS};
static const struct record_type json_record = {"rcf-rdb-check", 1, "files", file_columns, JSON_COLUMNS};
static const struct record_type database_record = {"rcf-rdb-check-databases", 1, "databases", database_columns, 3};
static const struct record_type defect_record = {"rcf-rdb-check-defects", 1, "defects", defect_columns, DEFECT_COLUMNS};
static const struct record_type import_record = {"rcf-rdb-check-imports", 1, "imports", import_columns, 2};
static const struct record_type server_record = {"rcf-rdb-check-servers", 1, "servers", server_columns, SERVER_COLUMNS};
static const struct record_type slot_record = {"rcf-rdb-check-slots", 1, "slots", slot_columns, 2};

const struct record_type *const dump_output_records[] = {&csv_record, &database_record, &defect_record, &import_record,
                                                         &slot_record, &server_record, NULL};

static const char *magic_of(const struct dump *dump)
{
    return dump->valkey_magic ? "VALKEY" : "REDIS";
}

static uint64_t defects_of(const struct dump_verdict *verdict)
{
    return verdict->count + verdict->unlisted;
}

static const char *number_text(struct arena *arena, uint64_t checksum)
{
    return arena_format(arena, "%016" PRIx64, checksum);
}

static void fill_contents(struct table *table, const struct dump *dump)
{
    uint64_t expires = 0;
    for (size_t i = 0; i < dump->db_count; i++)
        expires += dump->dbs[i].expires;
    table_u64(table, FILE_KEYS, dump->keys);
    table_u64(table, FILE_EXPIRES, expires);
    table_count(table, FILE_SLOTS, dump_slots(dump));
    table_u64(table, FILE_FUNCTIONS, dump->functions);
    table_bool(table, FILE_AOF_BASE, dump->aof_base);
    table_u64(table, FILE_LOSSES, dump->losses);
    table_u64(table, FILE_LOST_BYTES, dump->lost_bytes);
}

static void fill_dump(struct table *table, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    int64_t written;
    const char *writer = dump_writer(checked);
    table_text(table, FILE_MAGIC, magic_of(dump));
    table_count(table, FILE_VERSION, dump->version);
    if (writer)
        table_bytes(table, FILE_WRITER, escape_string(writer));
    if (dump_written(dump, &written))
        table_time(table, FILE_CTIME, written);
    if (dump->checksum.length) {
        table_text(table, FILE_STORED, number_text(checked->arena, dump->stored_checksum));
        table_text(table, FILE_COMPUTED, number_text(checked->arena, dump->computed_checksum));
    }
    if (dump->repl_id)
        table_bytes(table, FILE_REPL_ID, escape_string(dump->repl_id));
    if (dump->has_repl_offset)
        table_text(table, FILE_REPL_OFFSET, arena_format(checked->arena, "%" PRId64, dump->repl_offset));
    if (dump->open_slots)
        table_bytes(table, FILE_OPEN_SLOTS, escape_string(dump->open_slots));
    if (checked->structure)
        fill_contents(table, dump);
}

static void fill_file(struct table *table, const struct dump_checked *checked)
{
    table_bytes(table, FILE_PATH, escape_string(checked->path));
    table_text(table, FILE_VERDICT, dump_state_word(checked->verdict.state));
    if (checked->dump)
        table_text(table, FILE_CHECKSUM, dump_checksum_word(checked->dump));
    if (checked->dump && checked->dump->version)
        fill_dump(table, checked);
    table_u64(table, FILE_DEFECTS, defects_of(&checked->verdict));
    if (checked->dump && checked->dump->duplicates_limited)
        table_u64(table, FILE_UNCOMPARED, checked->dump->duplicates_unchecked_from);
    if (checked->cause) {
        table_bytes(table, FILE_CAUSE, escape_string(checked->cause));
        return;
    }
    table_text(table, FILE_CODING, source_coding_name(checked->facts.coding));
    table_u64(table, FILE_SIZE, checked->facts.size);
    table_u64(table, FILE_DECODED, checked->facts.decoded);
    table_text(table, FILE_SHA256, dump_sha256(checked));
}

/* The words that a cell of CSV has room for; the lists live in the arena until the row is written. */
static void fill_lists(struct table *table, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    const struct dump_verdict *verdict = &checked->verdict;
    struct bytes findings[FINDING_IDS];
    bool seen[FINDING_IDS] = {false};
    size_t count = 0;
    for (size_t i = 0; i < verdict->count; i++) {
        enum finding_id id = verdict->problems[i].finding;
        if (!seen[id])
            findings[count++] = escape_string(finding_word(id));
        seen[id] = true;
    }
    struct bytes *words = arena_array(checked->arena, count, sizeof(*words));
    if (words) {
        memcpy(words, findings, count * sizeof(*words));
        table_list(table, FILE_FINDINGS, words, count);
    }
    const struct dump_problem *first = verdict->problems;
    if (verdict->count)
        table_text(table, FILE_FIRST, arena_format(checked->arena, "%" PRIu64 ": expected %s, found %s",
                                                   first->place.offset, first->expected, first->found));
    struct bytes *dbs = dump ? arena_array(checked->arena, dump->db_count, sizeof(*dbs)) : NULL;
    for (size_t i = 0; dbs && i < dump->db_count; i++)
        dbs[i] = escape_string(arena_format(checked->arena, "db%" PRIu32 ":keys=%" PRIu64 ",expires=%" PRIu64,
                                            dump->dbs[i].db, dump->dbs[i].keys, dump->dbs[i].expires));
    if (dbs && dump->version && checked->structure)
        table_list(table, FILE_DATABASES, dbs, dump->db_count);
}

static void write_databases(struct table *table, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    for (size_t i = 0; dump && i < dump->db_count; i++) {
        table_count(table, DB_DB, dump->dbs[i].db);
        table_u64(table, DB_KEYS, dump->dbs[i].keys);
        table_u64(table, DB_EXPIRES, dump->dbs[i].expires);
        table_row(table);
    }
}

static void write_defects(struct table *table, const struct dump_checked *checked)
{
    for (size_t i = 0; i < checked->verdict.count; i++) {
        const struct dump_problem *problem = &checked->verdict.problems[i];
        table_text(table, DEFECT_FINDING, finding_word(problem->finding));
        table_text(table, DEFECT_SEVERITY, severity_word(finding_severity(problem->finding)));
        table_text(table, DEFECT_KIND, problem->kind);
        table_u64(table, DEFECT_OFFSET, problem->place.offset);
        table_u64(table, DEFECT_LENGTH, problem->place.length);
        table_text(table, DEFECT_EXPECTED, problem->expected);
        table_text(table, DEFECT_FOUND, problem->found);
        if (problem->key.len)
            table_bytes(table, DEFECT_KEY, problem->key);
        table_row(table);
    }
}

static void write_imports(struct table *table, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    for (size_t i = 0; dump && i < dump->import_count; i++) {
        table_bytes(table, IMPORT_JOB, escape_string(dump->imports[i].job));
        table_text(table, IMPORT_SLOTS, dump->imports[i].slots);
        table_row(table);
    }
}

static void write_slots(struct table *table, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    for (size_t slot = 0; dump && dump->slot_keys && slot < SLOT_COUNT; slot++) {
        if (!dump->slot_keys[slot])
            continue;
        table_count(table, SLOT_SLOT, (int64_t)slot);
        table_u64(table, SLOT_KEYS, dump->slot_keys[slot]);
        table_row(table);
    }
}

static void write_servers(struct table *table, const struct dump_checked *checked)
{
    for (size_t i = 0; checked->loaders && i < loaders_count(); i++) {
        const struct loader *loader = &checked->loaders[i];
        table_text(table, SERVER_SERVER, loader->server);
        table_text(table, SERVER_OUTCOME, loader_outcome_word(loader->outcome));
        table_bool(table, SERVER_PROVED, loader->proved);
        table_text(table, SERVER_WHY, loader->why);
        table_row(table);
    }
}

void dump_write_row(struct dump_writing *writing, const struct dump_checked *checked)
{
    const struct {
        const struct record_type *record;
        void (*write)(struct table *table, const struct dump_checked *checked);
        bool wanted;
    } inner[] = {{&database_record, write_databases, true},
                 {&defect_record, write_defects, true},
                 {&import_record, write_imports, true},
                 {&server_record, write_servers, checked->loaders},
                 {&slot_record, write_slots, writing->slots}};
    fill_file(writing->table, checked);
    if (!writing->json && checked->arena)
        fill_lists(writing->table, checked);
    struct json *json = writing->json ? table_more(writing->table) : NULL;
    for (size_t i = 0; json && i < sizeof(inner) / sizeof(inner[0]); i++) {
        struct table *table = inner[i].wanted ? table_open_in(json, inner[i].record) : NULL;
        if (table)
            inner[i].write(table, checked);
        table_close(table);
    }
    table_row(writing->table);
}

struct table *dump_open_table(struct out *out, enum format format)
{
    return table_open(out, format == FORMAT_CSV ? &csv_record : &json_record, format);
}
