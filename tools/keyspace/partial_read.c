#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/keyspace/partial.h"

/* A document on its way in: into a statistic of its own, which is added to the caller's when all of it is good. The
 * first fault stays. */
struct reading {
    struct key_stat *stat;
    struct arena *arena;
    const char *table; /* where the reader is: the table, and the row in it */
    size_t row;
    bool in_row;
    char *why;
};

static bool refuse(struct reading *reading, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct reading *reading, const char *key, const char *format, ...)
{
    char what[PARTIAL_WHY / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    const char *dot = reading->table && *key ? "." : "";
    if (*reading->why)
        return false;
    if (reading->in_row)
        snprintf(reading->why, PARTIAL_WHY, "%s[%zu]%s%s: %s", reading->table, reading->row, dot, key, what);
    else
        snprintf(reading->why, PARTIAL_WHY, "%s%s%s: %s", reading->table ? reading->table : "", dot, key, what);
    return false;
}

/* ---------------------------------------------------------------- values */

static bool number_of(struct reading *reading, const json_t *value, const char *key, uint64_t *number)
{
    const char *text = json_string_value(value);
    struct bytes digits = {(const uint8_t *)text, text ? json_string_length(value) : 0};
    return (text && text_u64(digits, number)) || refuse(reading, key, "expected a number as a string of digits");
}

static bool take_number(struct reading *reading, const json_t *object, const char *key, uint64_t *number)
{
    return number_of(reading, json_object_get(object, key), key, number);
}

/* A number, or null for none. */
static bool take_optional(struct reading *reading, const json_t *object, const char *key, bool *has, uint64_t *number)
{
    const json_t *value = json_object_get(object, key);
    *has = !json_is_null(value);
    *number = 0;
    return !*has || number_of(reading, value, key, number);
}

static bool integer_of(struct reading *reading, const json_t *value, const char *key, int64_t least, int64_t most,
                       int64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
        return refuse(reading, key, "expected an integer from %" PRId64 " to %" PRId64, least, most);
    *number = json_integer_value(value);
    return true;
}

static bool take_integer(struct reading *reading, const json_t *object, const char *key, int64_t least, int64_t most,
                         int64_t *number)
{
    return integer_of(reading, json_object_get(object, key), key, least, most, number);
}

static bool take_time(struct reading *reading, const json_t *object, const char *key, bool *has, int64_t *ms)
{
    const json_t *value = json_object_get(object, key);
    *has = !json_is_null(value);
    *ms = 0;
    return !*has || integer_of(reading, value, key, INT64_MIN, INT64_MAX, ms);
}

static bool take_bool(struct reading *reading, const json_t *object, const char *key, bool *value)
{
    const json_t *found = json_object_get(object, key);
    *value = json_is_true(found);
    return json_is_boolean(found) || refuse(reading, key, "expected true or false");
}

static int digit_of(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The bytes of KEY_hex. */
static bool decode(struct reading *reading, const json_t *value, const char *key, struct bytes *bytes)
{
    const char *digits = json_string_value(value);
    size_t len = json_string_length(value) / 2;
    uint8_t *at = arena_alloc(reading->arena, len + 1);
    if (!at)
        return refuse(reading, key, "out of memory");
    for (size_t i = 0; i < len; i++) {
        int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return refuse(reading, key, "expected hexadecimal digits");
        at[i] = (uint8_t)(high << 4 | low);
    }
    *bytes = (struct bytes){at, len};
    return json_string_length(value) % 2 == 0 || refuse(reading, key, "expected an even number of digits");
}

/* Bytes as KEY or KEY_hex; borrowed from the document or the arena, and a NUL stands behind them. */
static bool take_bytes(struct reading *reading, const json_t *object, const char *key, size_t least, size_t most,
                       struct bytes *bytes)
{
    char hex_key[32];
    snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
    const json_t *value = json_object_get(object, key), *hex = json_object_get(object, hex_key);
    if (json_is_string(hex) && !value) {
        if (!decode(reading, hex, hex_key, bytes))
            return false;
    } else if (json_is_string(value)) {
        *bytes = (struct bytes){(const uint8_t *)json_string_value(value), json_string_length(value)};
    } else {
        return refuse(reading, key, "expected a string");
    }
    return (bytes->len >= least && bytes->len <= most) ||
           refuse(reading, key, "a string of %zu bytes, from %zu to %zu can be", bytes->len, least, most);
}

/* The same without a NUL inside. */
static bool take_string(struct reading *reading, const json_t *object, const char *key, size_t most, const char **text)
{
    struct bytes bytes = {NULL, 0};
    if (!take_bytes(reading, object, key, 1, most, &bytes))
        return false;
    if (memchr(bytes.at, '\0', bytes.len))
        return refuse(reading, key, "a NUL inside of a string");
    *text = (const char *)bytes.at;
    return true;
}

static bool take_optional_string(struct reading *reading, const json_t *object, const char *key, size_t most,
                                 const char **text)
{
    *text = NULL;
    return json_is_null(json_object_get(object, key)) || take_string(reading, object, key, most, text);
}

static bool take_sum(struct reading *reading, const json_t *object, struct stat_sum *sum)
{
    return take_number(reading, object, "keys", &sum->keys) && take_number(reading, object, "expires", &sum->expires) &&
           take_number(reading, object, "elements", &sum->elements) &&
           take_number(reading, object, "bytes", &sum->bytes) && take_number(reading, object, "memory", &sum->memory);
}

/* ---------------------------------------------------------------- rows */

enum { NAME_MOST = 64, TEXT_MOST = 4096 };

static bool read_db(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    int64_t db = 0;
    if (!take_integer(reading, row, "db", 0, UINT32_MAX, &db) || !take_sum(reading, row, sum))
        return false;
    uint8_t room[STAT_DB_NAME];
    return sum_table_count(reading->stat->dbs, stat_db_name((uint32_t)db, room), sum) ||
           refuse(reading, "", "out of memory");
}

static bool read_encoding(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    const char *type = "", *encoding = "";
    if (!take_string(reading, row, "type", NAME_MOST, &type) ||
        !take_string(reading, row, "encoding", NAME_MOST, &encoding) || !take_sum(reading, row, sum))
        return false;
    return key_stat_add_encoding(reading->stat, type, encoding, sum) || refuse(reading, "", "too many encodings");
}

static bool read_expiry(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    const char *word = "";
    if (!take_string(reading, row, "expires_in", NAME_MOST, &word) || !take_sum(reading, row, sum))
        return false;
    for (int expiry = 0; expiry < STAT_EXPIRIES; expiry++) {
        if (strcmp(stat_expiry_word((enum stat_expiry)expiry), word) == 0) {
            stat_sum_add(&reading->stat->expiries[expiry], sum);
            return true;
        }
    }
    return refuse(reading, "expires_in", "not one of the classes");
}

static bool read_size(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    uint64_t most;
    if (!take_number(reading, row, "most", &most) || !take_sum(reading, row, sum))
        return false;
    for (size_t size = 0; size < STAT_SIZES; size++) {
        if (stat_size_limit(size) == most) {
            stat_sum_add(&reading->stat->sizes[size], sum);
            return true;
        }
    }
    return refuse(reading, "most", "not one of the classes");
}

static bool read_prefix(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    struct bytes name;
    if (!take_bytes(reading, row, "prefix", 1, PREFIX_LONGEST, &name) || !take_sum(reading, row, sum))
        return false;
    return sum_table_count(reading->stat->prefixes, name, sum) || refuse(reading, "", "out of memory");
}

/* Only keys, bytes and memory are kept of a slot. */
static bool read_slot(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    int64_t slot = 0;
    struct stat_slot read;
    uint64_t *const numbers[] = {&read.keys, &read.bytes, &read.memory, &read.files};
    if (json_array_size(row) != 5)
        return refuse(reading, "", "expected five numbers");
    if (!integer_of(reading, json_array_get(row, 0), "0", 0, SLOT_COUNT - 1, &slot))
        return false;
    for (size_t i = 0; i < 4; i++)
        if (!number_of(reading, json_array_get(row, i + 1), "number", numbers[i]))
            return false;
    struct stat_slot *own = &reading->stat->slots[slot];
    if (own->keys || !read.keys || !read.files)
        return refuse(reading, "", "a slot without keys or files, or for the second time");
    *own = read;
    *sum = (struct stat_sum){.keys = read.keys, .bytes = read.bytes, .memory = read.memory};
    return true;
}

static bool read_damage(struct reading *reading, const json_t *row, struct stat_file *file)
{
    const json_t *array = json_object_get(row, "damage");
    struct stat_damage *damage = arena_array(reading->arena, STAT_DAMAGES, sizeof(*damage));
    if (!json_is_array(array) || json_array_size(array) > STAT_DAMAGES)
        return refuse(reading, "damage", "expected an array of at most %d", STAT_DAMAGES);
    file->damage_count = json_array_size(array);
    file->damage = damage;
    bool ok = damage || refuse(reading, "damage", "out of memory");
    for (size_t i = 0; ok && i < file->damage_count; i++)
        ok = take_number(reading, json_array_get(array, i), "offset", &damage[i].offset) &&
             take_string(reading, json_array_get(array, i), "text", TEXT_MOST, &damage[i].text);
    return ok;
}

static bool read_file(struct reading *reading, const json_t *row, struct stat_sum *sum)
{
    struct stat_file file = {0};
    int64_t version = 0;
    if (!take_string(reading, row, "file", TEXT_MOST, &file.path) ||
        !take_optional_string(reading, row, "writer", NAME_MOST, &file.writer) ||
        !take_integer(reading, row, "rdb_version", 0, UINT32_MAX, &version) ||
        !take_string(reading, row, "model", NAME_MOST, &file.model) ||
        !take_time(reading, row, "ctime_ms", &file.has_ctime, &file.ctime_ms) ||
        !take_number(reading, row, "keys_seen", &file.seen) || !take_sum(reading, row, &file.sum) ||
        !take_number(reading, row, "slots", &file.slots) || !take_bool(reading, row, "clustered", &file.clustered) ||
        !take_optional(reading, row, "used", &file.has_used, &file.used) ||
        !take_optional(reading, row, "modelled", &file.has_modelled, &file.modelled) ||
        !take_number(reading, row, "damages", &file.damages) || !read_damage(reading, row, &file) ||
        !take_optional_string(reading, row, "stopped", TEXT_MOST, &file.stopped) ||
        !take_number(reading, row, "stopped_at", &file.stopped_at) || !take_bool(reading, row, "unread", &file.unread))
        return false;
    file.rdb_version = (uint32_t)version;
    *sum = file.sum;
    return key_stat_add_file(reading->stat, &file) || refuse(reading, "", "out of memory");
}

/* ---------------------------------------------------------------- tables */

static bool same_sum(const struct stat_sum *a, const struct stat_sum *b, bool slots)
{
    return a->keys == b->keys && a->bytes == b->bytes && a->memory == b->memory &&
           (slots || (a->expires == b->expires && a->elements == b->elements));
}

/* The rows of a table, which must add up to the total. */
static bool read_table(struct reading *reading, const json_t *root, const char *key,
                       bool (*read)(struct reading *reading, const json_t *row, struct stat_sum *sum),
                       struct stat_sum added)
{
    const json_t *array = json_object_get(root, key);
    bool slots = read == read_slot, ok = true;
    reading->table = key;
    if (!json_is_array(array))
        return refuse(reading, "", "expected an array");
    reading->in_row = true;
    for (reading->row = 0; ok && reading->row < json_array_size(array); reading->row++) {
        const json_t *row = json_array_get(array, reading->row);
        struct stat_sum sum = {0};
        if (slots ? !json_is_array(row) : !json_is_object(row))
            return refuse(reading, "", "expected %s", slots ? "an array" : "an object");
        ok = read(reading, row, &sum);
        if (ok)
            stat_sum_add(&added, &sum);
    }
    reading->in_row = false;
    if (ok && !same_sum(&added, &reading->stat->total, slots))
        ok = refuse(reading, "", "the rows do not add up to the total");
    return ok;
}

static bool read_named_sum(struct reading *reading, const json_t *root, const char *key, struct stat_sum *sum)
{
    reading->table = key;
    return take_sum(reading, json_object_get(root, key), sum);
}

static bool read_big(struct reading *reading, const json_t *row, enum stat_order order)
{
    struct stat_big big = {0};
    int64_t db = 0;
    if (!take_string(reading, row, "file", TEXT_MOST, &big.file) ||
        !take_integer(reading, row, "db", 0, UINT32_MAX, &db) ||
        !take_bytes(reading, row, "key", 0, SIZE_MAX, &big.name) ||
        !take_string(reading, row, "type", NAME_MOST, &big.type) ||
        !take_string(reading, row, "encoding", NAME_MOST, &big.encoding) ||
        !take_number(reading, row, "offset", &big.offset) || !take_number(reading, row, "bytes", &big.bytes) ||
        !take_number(reading, row, "elements", &big.elements) || !take_number(reading, row, "memory", &big.memory) ||
        !take_time(reading, row, "expires_ms", &big.has_expiry, &big.expire_ms))
        return false;
    big.db = (uint32_t)db;
    return key_stat_add_big(reading->stat, order, &big) || refuse(reading, "", "out of memory");
}

static bool read_biggest(struct reading *reading, const json_t *root, size_t top)
{
    const json_t *biggest = json_object_get(root, "biggest");
    uint64_t wanted = reading->stat->total.keys < top ? reading->stat->total.keys : top;
    bool ok = true;
    for (int order = 0; ok && order < STAT_ORDERS; order++) {
        const json_t *array = json_object_get(biggest, stat_order_word((enum stat_order)order));
        reading->table = "biggest";
        if (!json_is_array(array) || json_array_size(array) != wanted)
            return refuse(reading, stat_order_word((enum stat_order)order), "expected an array of %" PRIu64 " keys",
                          wanted);
        reading->in_row = true;
        for (reading->row = 0; ok && reading->row < json_array_size(array); reading->row++)
            ok = read_big(reading, json_array_get(array, reading->row), (enum stat_order)order);
        reading->in_row = false;
    }
    return ok;
}

static bool read_options(struct reading *reading, const json_t *root, size_t *top)
{
    const struct stat_options *options = &reading->stat->options;
    const char *selection;
    int64_t version = 0, depth = 0, kept = 0;
    const json_t *schema = json_object_get(root, "schema");
    if (!json_is_string(schema) || strcmp(json_string_value(schema), PARTIAL_SCHEMA) != 0)
        return refuse(reading, "schema", "expected \"" PARTIAL_SCHEMA "\"");
    if (!take_integer(reading, root, "version", PARTIAL_VERSION, PARTIAL_VERSION, &version) ||
        !take_integer(reading, root, "prefix_depth", 1, PREFIX_DEEPEST, &depth) ||
        !take_integer(reading, root, "top", 0, STAT_TOP_MOST, &kept) ||
        !take_optional_string(reading, root, "selection", SIZE_MAX, &selection))
        return false;
    *top = (size_t)kept;
    const char *ours = options->selection_text;
    if ((unsigned)depth != options->depth)
        return refuse(reading, "prefix_depth", "made with --prefix-depth=%" PRId64 ", not %u", depth, options->depth);
    if (strcmp(selection ? selection : "", ours ? ours : "") != 0)
        return refuse(reading, "selection", "made of %s, not of %s", selection ? selection : "all keys",
                      ours ? ours : "all keys");
    if (*top < options->top)
        return refuse(reading, "top", "it keeps the %zu biggest keys, and %zu are wanted", *top, options->top);
    return true;
}

static bool read_root(struct reading *reading, const json_t *root)
{
    static const struct {
        const char *key;
        bool (*read)(struct reading *reading, const json_t *row, struct stat_sum *sum);
    } tables[] = {
        {"encodings", read_encoding}, {"expiries", read_expiry}, {"sizes", read_size},
        {"slots", read_slot},         {"files", read_file},
    };
    struct key_stat *stat = reading->stat;
    size_t top = 0;
    struct stat_sum none, others, other_dbs;
    if (!json_is_object(root))
        return refuse(reading, "document", "expected an object");
    if (!read_options(reading, root, &top) || !read_named_sum(reading, root, "total", &stat->total))
        return false;
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        if (!read_table(reading, root, tables[i].key, tables[i].read, (struct stat_sum){0}))
            return false;
    if (!read_named_sum(reading, root, "prefix_none", &none) ||
        !read_named_sum(reading, root, "prefix_other", &others) ||
        !read_named_sum(reading, root, "database_other", &other_dbs))
        return false;
    sum_table_count_others(stat->dbs, &other_dbs);
    sum_table_count_others(stat->prefixes, &others);
    stat_sum_add(&others, &none);
    return sum_table_count(stat->prefixes, (struct bytes){0}, &none) &&
           read_table(reading, root, "databases", read_db, other_dbs) &&
           read_table(reading, root, "prefixes", read_prefix, others) && read_biggest(reading, root, top);
}

bool partial_likely(struct bytes start)
{
    start = text_trim(start);
    while (start.len && *start.at == '\n')
        start = text_trim(text_from(start, 1));
    return start.len && *start.at == '{';
}

bool partial_add(struct key_stat *stat, struct bytes text, char why[PARTIAL_WHY])
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text.at, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    *why = '\0';
    if (!root) {
        snprintf(why, PARTIAL_WHY, "line %d, column %d: %s", error.line, error.column, error.text);
        return false;
    }
    struct reading reading = {.stat = key_stat_new(&stat->options), .why = why};
    bool ok = reading.stat != NULL;
    if (ok) {
        reading.arena = reading.stat->arena;
        ok = read_root(&reading, root) && (key_stat_merge(stat, reading.stat) || refuse(&reading, "", "out of memory"));
    }
    if (!ok && !*why)
        snprintf(why, PARTIAL_WHY, "out of memory");
    key_stat_free(reading.stat);
    json_decref(root);
    return ok;
}
