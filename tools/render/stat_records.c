#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/stat_output.h"

/* What is counted of every group: the last columns of its record. */
enum { SUM_KEYS, SUM_EXPIRES, SUM_ELEMENTS, SUM_BYTES, SUM_MEMORY, SUM_COLUMNS };

#define SUM_COLUMNS_AT(first)                                                                                          \
    [(first) + SUM_KEYS] = {"keys", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "keys"},                              \
    [(first) + SUM_EXPIRES] = {"expires", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of them with an expiry"},      \
    [(first) + SUM_ELEMENTS] = {"elements", COLUMN_U64, .flags = COLUMN_GROUPED,                                       \
        .help = "items, members, fields, entries, as headers state them; 1 for a string"},                             \
    [(first) + SUM_BYTES] = {"bytes", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of their serialised values"},   \
    [(first) + SUM_MEMORY] = {"memory", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "estimated bytes in memory"}

static const struct column type_columns[] = {
    {"type", COLUMN_TEXT, .help = "type of the keys"}, SUM_COLUMNS_AT(1)};

static const struct column encoding_columns[] = {
    {"type", COLUMN_TEXT, .help = "type of the keys"},
    {"encoding", COLUMN_TEXT, .help = "the form in which they are stored"}, SUM_COLUMNS_AT(2)};

static const struct column prefix_columns[] = {
    {"prefix", COLUMN_BYTES, NULL, 48,
     .help = "first words of the keys' names, digits made *; (none) without one, (other) for what was too many"},
    SUM_COLUMNS_AT(1)};

static const struct column db_columns[] = {
    {"db", COLUMN_COUNT, .help = "number of the database; absent for those beyond the first 65,536 of a dump"},
    SUM_COLUMNS_AT(1)};

static const struct column expiry_columns[] = {
    {"expires_in", COLUMN_TEXT, "expires in",
     .help = "none, expired, or within an hour, day, week (7 days), month (30) or later, counted from when the dump was "
             "written; undated where it does not say when"},
    SUM_COLUMNS_AT(1)};

static const struct column size_columns[] = {
    {"up_to", COLUMN_U64, "up to", .flags = COLUMN_GROUPED, .help = "bytes of a serialised value at most; absent: larger"},
    SUM_COLUMNS_AT(1)};

enum { SLOT_SLOT, SLOT_KEYS, SLOT_BYTES, SLOT_MEMORY, SLOT_FILES };

static const struct column slot_columns[] = {
    [SLOT_SLOT] = {"slot", COLUMN_COUNT, .help = "hash slot"},
    [SLOT_KEYS] = {"keys", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "keys of it"},
    [SLOT_BYTES] = {"bytes", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of their serialised values"},
    [SLOT_MEMORY] = {"memory", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "estimated bytes in memory"},
    [SLOT_FILES] = {"files", COLUMN_U64, .help = "dumps that hold keys of it"},
};

enum {
    BIG_BY, BIG_RANK, BIG_KEY, BIG_TYPE, BIG_ENCODING, BIG_BYTES, BIG_ELEMENTS, BIG_MEMORY, BIG_EXPIRES, BIG_DB, BIG_SLOT,
    BIG_FILE, BIG_OFFSET
};

static const struct column big_columns[] = {
    [BIG_BY] = {"by", COLUMN_TEXT, .help = "bytes, elements or memory: by which the key is big"},
    [BIG_RANK] = {"rank", COLUMN_COUNT, NULL, .flags = COLUMN_MACHINE, .help = "from 1"},
    [BIG_KEY] = {"key", COLUMN_BYTES, NULL, 48, .help = "name of the key"},
    [BIG_TYPE] = {"type", COLUMN_TEXT, .help = "type of the key"},
    [BIG_ENCODING] = {"encoding", COLUMN_TEXT, .help = "the form in which it is stored"},
    [BIG_BYTES] = {"bytes", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of its serialised value"},
    [BIG_ELEMENTS] = {"elements", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "its elements"},
    [BIG_MEMORY] = {"memory", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "estimated bytes in memory"},
    [BIG_EXPIRES] = {"expires", COLUMN_TIME, .flags = COLUMN_MACHINE, .help = "when it expires"},
    [BIG_DB] = {"db", COLUMN_COUNT, .help = "its database"},
    [BIG_SLOT] = {"slot", COLUMN_COUNT, .help = "its hash slot"},
    [BIG_FILE] = {"file", COLUMN_BYTES, .help = "the dump that holds it"},
    [BIG_OFFSET] = {"offset", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "of its record"},
};

enum {
    FILE_PATH, FILE_WRITER, FILE_VERSION, FILE_CTIME, FILE_KEYS, FILE_EXPIRES, FILE_ELEMENTS, FILE_BYTES, FILE_MEMORY,
    FILE_SLOTS, FILE_CLUSTERED, FILE_MODEL, FILE_MODELLED, FILE_USED, FILE_ERROR, FILE_SEEN, FILE_DAMAGES, FILE_STOPPED,
    FILE_STOPPED_AT, FILE_READ
};

static const struct column file_columns[] = {
    [FILE_PATH] = {"file", COLUMN_BYTES, .help = "as named; <stdin> for -"},
    [FILE_WRITER] = {"writer", COLUMN_TEXT, .help = "product and version that wrote it; absent when it does not say"},
    [FILE_VERSION] = {"rdb_version", COLUMN_COUNT, .flags = COLUMN_MACHINE, .help = "version of the format"},
    [FILE_CTIME] = {"ctime", COLUMN_TIME, .flags = COLUMN_MACHINE, .help = "when it was written"},
    [FILE_KEYS] = {"keys", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "keys that are counted"},
    [FILE_EXPIRES] = {"expires", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of them with an expiry"},
    [FILE_ELEMENTS] = {"elements", COLUMN_U64, .flags = COLUMN_GROUPED | COLUMN_MACHINE, .help = "their elements"},
    [FILE_BYTES] = {"bytes", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "of their serialised values"},
    [FILE_MEMORY] = {"memory", COLUMN_U64, .flags = COLUMN_GROUPED | COLUMN_MACHINE,
        .help = "estimated bytes in memory of the keys"},
    [FILE_SLOTS] = {"slots", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "hash slots with keys"},
    [FILE_CLUSTERED] = {"clustered", COLUMN_BOOL, .flags = COLUMN_MACHINE,
        .help = "of a server in cluster mode, by what it states or because its keys keep to some slots"},
    [FILE_MODEL] = {"model", COLUMN_TEXT, .flags = COLUMN_MACHINE,
        .help = "server and allocator that memory is estimated for"},
    [FILE_MODELLED] = {"modelled", COLUMN_U64, .flags = COLUMN_GROUPED,
        .help = "estimated memory of the whole server; absent when keys were filtered out or not read"},
    [FILE_USED] = {"used", COLUMN_U64, .flags = COLUMN_GROUPED,
        .help = "memory that the server used, as the dump states"},
    [FILE_ERROR] = {"error_percent", COLUMN_COUNT, "error %", .help = "by which the model is off, rounded"},
    [FILE_SEEN] = {"keys_seen", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "keys in the dump, filtered out or not"},
    [FILE_DAMAGES] = {"damages", COLUMN_U64, .flags = COLUMN_MACHINE,
        .help = "defects met; rcf-rdb-check looks for all"},
    [FILE_STOPPED] = {"stopped", COLUMN_BYTES, .flags = COLUMN_MACHINE,
        .help = "why reading ended before the end; else absent"},
    [FILE_STOPPED_AT] = {"stopped_at", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "offset of that"},
    [FILE_READ] = {"read", COLUMN_TEXT, .help = "whole, damaged, partly, or not: then nothing of it is counted"},
};

enum { MOST_PERCENT = 1000000 /* what is beyond is nonsense in the dump */ };

#define COUNT(columns) (sizeof(columns) / sizeof(*(columns)))
#define RECORD(array, columns) {"rcf-rdb-stat", 1, array, columns, COUNT(columns)}

const struct record_type stat_records[STAT_TABLES] = {
    [STAT_TABLE_TYPES] = RECORD("types", type_columns),
    [STAT_TABLE_ENCODINGS] = RECORD("encodings", encoding_columns),
    [STAT_TABLE_PREFIXES] = RECORD("prefixes", prefix_columns),
    [STAT_TABLE_SLOTS] = RECORD("slots", slot_columns),
    [STAT_TABLE_DBS] = RECORD("dbs", db_columns),
    [STAT_TABLE_EXPIRY] = RECORD("expiry", expiry_columns),
    [STAT_TABLE_SIZES] = RECORD("sizes", size_columns),
    [STAT_TABLE_BIGGEST] = RECORD("biggest", big_columns),
    [STAT_TABLE_FILES] = RECORD("files", file_columns),
};

int64_t stat_error_percent(uint64_t modelled, uint64_t used)
{
    double percent = 100.0 * ((double)modelled - (double)used) / (double)used;
    return percent > MOST_PERCENT ? MOST_PERCENT : (int64_t)(percent < 0 ? percent - 0.5 : percent + 0.5);
}

/* Rows on their way into a table, of which the first `most` are written. */
struct rows {
    struct table *table;
    size_t count, most;
};

static bool is_shown(struct rows *rows)
{
    return rows->count++ < rows->most;
}

static void end_sum(struct rows *rows, size_t first, const struct stat_sum *sum)
{
    table_u64(rows->table, first + SUM_KEYS, sum->keys);
    table_u64(rows->table, first + SUM_EXPIRES, sum->expires);
    table_u64(rows->table, first + SUM_ELEMENTS, sum->elements);
    table_u64(rows->table, first + SUM_BYTES, sum->bytes);
    table_u64(rows->table, first + SUM_MEMORY, sum->memory);
    table_row(rows->table);
}

/* Encodings are sorted by type. */
static void write_types(const struct stat_writing *writing, struct rows *rows)
{
    const struct key_stat *stat = writing->stat;
    for (size_t i = 0, next; i < stat->encoding_count; i = next) {
        const char *type = stat->encodings[i].type;
        struct stat_sum sum = {0};
        for (next = i; next < stat->encoding_count && strcmp(stat->encodings[next].type, type) == 0; next++)
            stat_sum_add(&sum, &stat->encodings[next].sum);
        if (!is_shown(rows))
            continue;
        table_bytes(rows->table, 0, escape_string(type));
        end_sum(rows, 1, &sum);
    }
}

static void write_encodings(const struct stat_writing *writing, struct rows *rows)
{
    const struct key_stat *stat = writing->stat;
    for (size_t i = 0; i < stat->encoding_count; i++) {
        if (!is_shown(rows))
            continue;
        table_bytes(rows->table, 0, escape_string(stat->encodings[i].type));
        table_bytes(rows->table, 1, escape_string(stat->encodings[i].encoding));
        end_sum(rows, 2, &stat->encodings[i].sum);
    }
}

static void write_special(struct rows *rows, const char *name, const struct stat_sum *sum)
{
    if (!sum->keys || !is_shown(rows))
        return;
    table_text(rows->table, 0, name);
    end_sum(rows, 1, sum);
}

/* Real prefixes end with a separator or a brace, so the words in parentheses are none. */
static void write_prefixes(const struct stat_writing *writing, struct rows *rows)
{
    struct sum_table *prefixes = writing->stat->prefixes;
    size_t count, most = rows->most;
    const struct sum_row *sorted = sum_table_rows(prefixes, SUM_BY_BYTES, &count);
    if (!sorted)
        out_fail(writing->out, ENOMEM);
    for (size_t i = 0; sorted && i < count; i++) {
        if (!is_shown(rows))
            continue;
        table_bytes(rows->table, 0, sorted[i].name);
        end_sum(rows, 1, &sorted[i].sum);
    }
    rows->most = SIZE_MAX; /* these two are always shown */
    write_special(rows, "(none)", sum_table_none(prefixes));
    write_special(rows, "(other)", sum_table_others(prefixes));
    rows->most = most;
}

static void write_slots(const struct stat_writing *writing, struct rows *rows)
{
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        const struct stat_slot *of = &writing->stat->slots[slot];
        if (!of->keys || !is_shown(rows))
            continue;
        table_count(rows->table, SLOT_SLOT, (int64_t)slot);
        table_u64(rows->table, SLOT_KEYS, of->keys);
        table_u64(rows->table, SLOT_BYTES, of->bytes);
        table_u64(rows->table, SLOT_MEMORY, of->memory);
        table_u64(rows->table, SLOT_FILES, of->files);
        table_row(rows->table);
    }
}

static void write_dbs(const struct stat_writing *writing, struct rows *rows)
{
    size_t count;
    const struct sum_row *dbs = sum_table_rows(writing->stat->dbs, SUM_BY_NAME, &count);
    const struct stat_sum *others = sum_table_others(writing->stat->dbs);
    if (!dbs)
        out_fail(writing->out, ENOMEM);
    for (size_t i = 0; dbs && i < count; i++) {
        if (!is_shown(rows))
            continue;
        table_count(rows->table, 0, stat_db_number(dbs[i].name));
        end_sum(rows, 1, &dbs[i].sum);
    }
    if (others->keys && is_shown(rows))
        end_sum(rows, 1, others);
}

static void write_expiry(const struct stat_writing *writing, struct rows *rows)
{
    for (int expiry = 0; expiry < STAT_EXPIRIES; expiry++) {
        if (!writing->stat->expiries[expiry].keys || !is_shown(rows))
            continue;
        table_text(rows->table, 0, stat_expiry_word((enum stat_expiry)expiry));
        end_sum(rows, 1, &writing->stat->expiries[expiry]);
    }
}

static void write_sizes(const struct stat_writing *writing, struct rows *rows)
{
    for (size_t size = 0; size < STAT_SIZES; size++) {
        if (!writing->stat->sizes[size].keys || !is_shown(rows))
            continue;
        if (stat_size_limit(size) != UINT64_MAX)
            table_u64(rows->table, 0, stat_size_limit(size));
        end_sum(rows, 1, &writing->stat->sizes[size]);
    }
}

static void write_big(struct rows *rows, enum stat_order order, size_t rank, const struct stat_big *big)
{
    struct table *table = rows->table;
    table_text(table, BIG_BY, stat_order_word(order));
    table_count(table, BIG_RANK, (int64_t)rank);
    table_bytes(table, BIG_KEY, big->name);
    table_bytes(table, BIG_TYPE, escape_string(big->type));
    table_bytes(table, BIG_ENCODING, escape_string(big->encoding));
    table_u64(table, BIG_BYTES, big->bytes);
    table_u64(table, BIG_ELEMENTS, big->elements);
    table_u64(table, BIG_MEMORY, big->memory);
    if (big->has_expiry)
        table_time(table, BIG_EXPIRES, big->expire_ms);
    table_count(table, BIG_DB, big->db);
    table_count(table, BIG_SLOT, keyslot(big->name));
    table_bytes(table, BIG_FILE, escape_string(big->file));
    table_u64(table, BIG_OFFSET, big->offset);
    table_row(table);
}

static void write_biggest(const struct stat_writing *writing, struct rows *rows)
{
    for (int order = 0; order < STAT_ORDERS; order++) {
        const struct stat_heap *big = &writing->stat->big[order];
        if (writing->brief && order == STAT_BY_ELEMENTS && big->count && big->at[0].elements < 2)
            continue;
        for (size_t i = 0; i < big->count && i < writing->top; i++)
            if (is_shown(rows))
                write_big(rows, (enum stat_order)order, i + 1, &big->at[i]);
    }
}

static const char *read_word(const struct stat_file *file)
{
    return file->unread ? "not" : file->stopped ? "partly" : file->damages ? "damaged" : "whole";
}

static void write_file(struct rows *rows, const struct stat_file *file)
{
    struct table *table = rows->table;
    table_bytes(table, FILE_PATH, escape_string(file->path));
    table_bytes(table, FILE_MODEL, escape_string(file->model));
    if (file->writer)
        table_bytes(table, FILE_WRITER, escape_string(file->writer));
    if (file->rdb_version)
        table_count(table, FILE_VERSION, file->rdb_version);
    if (file->has_ctime)
        table_time(table, FILE_CTIME, file->ctime_ms);
    table_u64(table, FILE_KEYS, file->sum.keys);
    table_u64(table, FILE_EXPIRES, file->sum.expires);
    table_u64(table, FILE_ELEMENTS, file->sum.elements);
    table_u64(table, FILE_BYTES, file->sum.bytes);
    table_u64(table, FILE_MEMORY, file->sum.memory);
    table_u64(table, FILE_SLOTS, file->slots);
    table_bool(table, FILE_CLUSTERED, file->clustered);
    if (file->has_modelled)
        table_u64(table, FILE_MODELLED, file->modelled);
    if (file->has_used)
        table_u64(table, FILE_USED, file->used);
    if (file->has_modelled && file->has_used)
        table_count(table, FILE_ERROR, stat_error_percent(file->modelled, file->used));
    table_u64(table, FILE_SEEN, file->seen);
    table_u64(table, FILE_DAMAGES, file->damages);
    if (file->stopped) {
        table_bytes(table, FILE_STOPPED, escape_string(file->stopped));
        table_u64(table, FILE_STOPPED_AT, file->stopped_at);
    }
    table_text(table, FILE_READ, read_word(file));
    table_row(table);
}

static void write_files(const struct stat_writing *writing, struct rows *rows)
{
    for (size_t i = 0; i < writing->stat->file_count; i++)
        if (is_shown(rows))
            write_file(rows, &writing->stat->files[i]);
}

size_t stat_rows(const struct stat_writing *writing, struct table *table, enum stat_table which, size_t most)
{
    static void (*const writers[STAT_TABLES])(const struct stat_writing *writing, struct rows *rows) = {
        [STAT_TABLE_TYPES] = write_types,       [STAT_TABLE_ENCODINGS] = write_encodings,
        [STAT_TABLE_PREFIXES] = write_prefixes, [STAT_TABLE_SLOTS] = write_slots,
        [STAT_TABLE_DBS] = write_dbs,           [STAT_TABLE_EXPIRY] = write_expiry,
        [STAT_TABLE_SIZES] = write_sizes,       [STAT_TABLE_BIGGEST] = write_biggest,
        [STAT_TABLE_FILES] = write_files};
    struct rows rows = {.table = table, .most = most};
    writers[which](writing, &rows);
    return rows.count;
}

void stat_write_table(const struct stat_writing *writing, enum stat_table which, enum format format)
{
    struct table *table = table_open(writing->out, &stat_records[which], format);
    if (table)
        stat_rows(writing, table, which, SIZE_MAX);
    table_close(table);
}

/* ---------------------------------------------------------------- the document */

static void json_sum(struct json *json, const char *key, const struct stat_sum *sum)
{
    json_object(json, key);
    json_u64(json, "keys", sum->keys);
    json_u64(json, "expires", sum->expires);
    json_u64(json, "elements", sum->elements);
    json_u64(json, "bytes", sum->bytes);
    json_u64(json, "memory", sum->memory);
    json_end(json);
}

static void json_memory(struct json *json, const struct key_stat *stat)
{
    uint64_t modelled, used;
    size_t files;
    json_object(json, "memory");
    bool any = key_stat_memory(stat, &modelled, &used, &files);
    json_number(json, "files", (int64_t)files);
    json_u64(json, "modelled", modelled);
    json_u64(json, "used", used);
    if (any)
        json_number(json, "error_percent", stat_error_percent(modelled, used));
    else
        json_null(json, "error_percent");
    json_end(json);
}

void stat_write_document(const struct stat_writing *writing)
{
    const struct key_stat *stat = writing->stat;
    struct json writer = json_on(writing->out, JSON_INDENTED), *json = &writer;
    json_object(json, NULL);
    json_text(json, "schema", "rcf-rdb-stat");
    json_number(json, "version", 1);
    json_number(json, "prefix_depth", stat->options.depth);
    if (stat->options.selection_text)
        json_string(json, "selection", escape_string(stat->options.selection_text));
    else
        json_null(json, "selection");
    json_sum(json, "total", &stat->total);
    json_memory(json, stat);
    json_number(json, "slots_with_keys", key_stat_slots(stat));
    json_number(json, "slots_in_several_files", key_stat_shared_slots(stat));
    for (int which = 0; which < STAT_TABLES; which++) {
        struct table *table = table_open_in(json, &stat_records[which]);
        if (table)
            stat_rows(writing, table, (enum stat_table)which, SIZE_MAX);
        table_close(table);
    }
    json_end(json);
}
