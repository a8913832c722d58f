/* The tables of type bytes and opcodes, and which of their rows hold in a dump. */
#include <inttypes.h>

#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_private.h"

#define RDB_TYPE(number, label, kind, form, who, version, program) \
    {.name = label, .layout = program, .since = version, .byte = number, .dialects = who, .role = RDB_ROLE_KEY, \
     .datatype = kind, .encoding = form},
#define RDB_OPCODE_ROW(number, label, who, version, program, task) \
    {.name = label, .layout = program, .since = version, .byte = number, .dialects = who, .role = task},
static const struct rdb_row all_rows[] = {
#include "parsers/rdb/rdb_types.def"
#include "parsers/rdb/rdb_opcodes.def"
};
#undef RDB_TYPE
#undef RDB_OPCODE_ROW

enum { ROWS = sizeof(all_rows) / sizeof(all_rows[0]) };

#define TEN(tens) \
    "unknown (" #tens "0)", "unknown (" #tens "1)", "unknown (" #tens "2)", "unknown (" #tens "3)", \
    "unknown (" #tens "4)", "unknown (" #tens "5)", "unknown (" #tens "6)", "unknown (" #tens "7)", \
    "unknown (" #tens "8)", "unknown (" #tens "9)"
static const char unknown_names[][sizeof("unknown (255)")] = {
    TEN(), TEN(1), TEN(2), TEN(3), TEN(4), TEN(5), TEN(6), TEN(7), TEN(8), TEN(9), TEN(10), TEN(11), TEN(12),
    TEN(13), TEN(14), TEN(15), TEN(16), TEN(17), TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23), TEN(24),
    "unknown (250)", "unknown (251)", "unknown (252)", "unknown (253)", "unknown (254)", "unknown (255)",
};
#undef TEN
_Static_assert(sizeof(unknown_names) / sizeof(unknown_names[0]) == RDB_BYTES, "a name for each byte");

/* Aux fields that only one server writes. What began as REDIS may turn out, once, to be another's, if that one writes
 * REDIS with such a version at all: Valkey does so up to 8.1. */
static const struct {
    const char *field;
    enum rdb_dialect dialect;
    uint32_t newest; /* version with REDIS */
} signatures[] = {
    {"valkey-ver", RDB_VALKEY, 11},
    {"df-ver", RDB_DRAGONFLY, UINT32_MAX},
    {"mvcc-tstamp", RDB_KEYDB, UINT32_MAX},
    {"keydb-subexpire-key", RDB_KEYDB, UINT32_MAX},
    {"keydb-subexpire-when", RDB_KEYDB, UINT32_MAX},
    {"repl-masters", RDB_KEYDB, UINT32_MAX},
};

/* Rows of one server that it gave up again: Dragonfly's JSON had type 20 while it wrote version 9. */
static const struct {
    uint8_t byte, dialect;
    uint32_t last; /* version */
} given_up[] = {
    {20, RDB_DRAGONFLY, 9},
};

static const char *server_of(unsigned dialects)
{
    static const char *const names[] = {
        [RDB_REDIS] = "Redis", [RDB_VALKEY] = "Valkey", [RDB_KEYDB] = "KeyDB", [RDB_DRAGONFLY] = "Dragonfly"};
    const char *name = dialects < sizeof(names) / sizeof(names[0]) ? names[dialects] : NULL;
    return name ? name : "several servers";
}

static bool was_given_up(const struct rdb *reader, const struct rdb_row *row)
{
    for (size_t i = 0; i < sizeof(given_up) / sizeof(given_up[0]); i++)
        if (row->byte == given_up[i].byte && row->dialects == given_up[i].dialect)
            return reader->version > given_up[i].last;
    return false;
}

/* Dragonfly writes REDIS0009 whatever its types are, so versions say nothing there. */
static bool holds(const struct rdb *reader, const struct rdb_row *row)
{
    return row->dialects & reader->dialect && !was_given_up(reader, row) &&
           (reader->version >= row->since || reader->dialect == RDB_DRAGONFLY);
}

static bool has_two_meanings(uint8_t byte)
{
    size_t meanings = 0;
    for (size_t i = 0; i < ROWS; i++)
        meanings += all_rows[i].byte == byte;
    return meanings > 1;
}

void rdb_dialect_apply(struct rdb *reader)
{
    for (size_t i = 0; i < RDB_BYTES; i++)
        reader->rows[i] = NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (holds(reader, &all_rows[i]) && !(reader->disputed && has_two_meanings(all_rows[i].byte)))
            reader->rows[all_rows[i].byte] = &all_rows[i];
}

void rdb_dialect_aux(struct rdb *reader, struct bytes name, struct place place)
{
    size_t i = 0, known = sizeof(signatures) / sizeof(signatures[0]);
    while (i < known && !text_is(name, signatures[i].field))
        i++;
    if (i == known || signatures[i].dialect == reader->dialect)
        return;
    if (reader->dialect == RDB_REDIS && reader->version <= signatures[i].newest) {
        reader->dialect = signatures[i].dialect;
    } else {
        reader->disputed = true;
        rdb_report(reader, RDB_MIXED_DIALECT, place, "one server in magic, version and aux fields",
                   "%s of %s in a dump of %s, version %" PRIu32, signatures[i].field,
                   server_of(signatures[i].dialect), server_of(reader->dialect), reader->version);
    }
    rdb_dialect_apply(reader);
}

bool rdb_dialect_refuse(struct rdb *reader, uint8_t byte, uint64_t offset)
{
    const struct rdb_row *known = NULL, *later = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        const struct rdb_row *row = &all_rows[i];
        if (row->byte == byte && !known)
            known = row;
        if (row->byte == byte && row->dialects & reader->dialect && reader->version < row->since)
            later = row;
    }
    if (!known)
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, offset, "byte %u is no known type or opcode of version %" PRIu32,
                        byte, reader->version);
    if (reader->disputed && has_two_meanings(byte))
        return rdb_fail(reader, RDB_STOP_UNSUPPORTED, offset,
                        "byte %u (%s, for one) has several meanings, and magic and aux fields name several servers",
                        byte, known->name);
    if (later)
        return rdb_fail(reader, RDB_STOP_CORRUPT, offset,
                        "byte %u (%s) in a dump of version %" PRIu32 "; servers write it since version %u", byte,
                        later->name, reader->version, later->since);
    return rdb_fail(reader, RDB_STOP_UNSUPPORTED, offset, "byte %u (%s) is known from %s, and this dump is of %s", byte,
                    known->name, server_of(known->dialects), server_of(reader->dialect));
}

const char *rdb_type_name(uint8_t type)
{
    for (size_t i = 0; i < ROWS; i++)
        if (all_rows[i].byte == type && all_rows[i].role == RDB_ROLE_KEY)
            return all_rows[i].name;
    return unknown_names[type];
}

const char *rdb_datatype_name(enum rdb_datatype datatype)
{
    static const char *const names[RDB_DATATYPES] = {
        [RDB_STRING] = "string", [RDB_LIST] = "list",     [RDB_SET] = "set",       [RDB_ZSET] = "zset",
        [RDB_HASH] = "hash",     [RDB_STREAM] = "stream", [RDB_MODULE] = "module", [RDB_ARRAY] = "array",
        [RDB_JSON] = "json",     [RDB_OTHER] = "other",
    };
    return names[datatype];
}
