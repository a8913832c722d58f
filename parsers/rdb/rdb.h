/* RDB dumps: envelope, opcodes, records and values, in constant memory.
 *
 * Two planes. The walk steps over records and tells where each begins, what key it holds and where its value stands. The
 * values themselves are read by the same reader when asked: validated on the way (RDB_CHECK_VALUES), or given element by
 * element (RDB_VALUES and parsers/rdb/value.h). The dialect (magic, version, aux fields) is decided before a type byte is
 * interpreted. Formats: docs/formats/rdb.md. What cannot be stepped over safely is PARSE_STOP with its offset and reason.
 */
#ifndef RCF_RDB_H
#define RCF_RDB_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/parse.h"

struct rdb;

enum rdb_flags {
    RDB_CHECK_VALUES = 1,   /* read every value and report what is wrong inside; fills rdb_key.elements */
    RDB_DIGEST_VALUES = 2,  /* the same, and fill rdb_key.digest */
    RDB_COUNT_ELEMENTS = 4, /* fill rdb_key.elements from what headers state, without a look at the elements */
    RDB_VALUES = 8,         /* give a key before its value, which rdb_value_next() reads; excludes the three above */
};

enum rdb_kind {
    RDB_HEADER,      /* magic and version: always the first item */
    RDB_AUX,         /* name and value */
    RDB_SELECT_DB,   /* db */
    RDB_RESIZE_DB,   /* claimed counts */
    RDB_SLOT_INFO,   /* Redis 7.4+ opcode 244: slot, keys, expires */
    RDB_SLOT_IMPORT, /* Valkey 9 opcode 243: name = the job, value = its slots, as "0-99 200-200" */
    RDB_FUNCTION,    /* value = library code; name only with opcode 246 of Redis 7.0-rc */
    RDB_MODULE_AUX,  /* name = module name */
    RDB_KEY,
    RDB_OPCODE,      /* another known opcode that was stepped over: name = its name ("update": commands change keys) */
    RDB_EOF,         /* checksum; always the last item of a whole dump */
};

/* The data types that users know. */
enum rdb_datatype {
    RDB_STRING,
    RDB_LIST,
    RDB_SET,
    RDB_ZSET,
    RDB_HASH,
    RDB_STREAM,
    RDB_MODULE,
    RDB_ARRAY, /* Redis 8.8 */
    RDB_JSON,  /* Dragonfly's own */
    RDB_OTHER, /* sketches, rate limits, cron jobs: known by rdb_key.type_name */
    RDB_DATATYPES
};

struct rdb_key {
    uint32_t db;
    struct bytes name;          /* decoded: integers as decimal text, LZF expanded */
    uint8_t type;               /* the type byte */
    enum rdb_datatype datatype; /* what it means in this dump */
    const char *type_name;      /* the same in words, with the encoding: "hash (listpack)"; static */
    const char *encoding;       /* as OBJECT ENCODING would say of the stored form, "int" or "raw" of a string; static */
    bool has_expiry, has_idle, has_freq;
    int64_t expire_ms; /* Unix milliseconds */
    uint64_t idle_s;   /* seconds without access before the dump */
    uint8_t freq;      /* logarithmic frequency counter */
    uint64_t value_offset, value_length; /* the serialised value, without type byte and key */
    uint64_t elements;                   /* items, members, fields, entries; 1 for a string. See the flags */
    uint64_t strings;      /* RDB_COUNT_ELEMENTS: strings and blobs in the value that are stored as bytes, not as integers */
    uint64_t string_bytes; /* RDB_COUNT_ELEMENTS: their lengths once expanded, as their headers state them, added up */
    unsigned char digest[16];            /* see parsers/rdb/value.h */
};

/* Of an item, `kind`, `place` and what is marked with its kind are set; an RDB_KEY has nothing else. */
struct rdb_item {
    enum rdb_kind kind;
    struct place place; /* the whole record, from its first opcode (expiry included) to its end; of a record that Dragonfly
                         * compressed together with others, that of all of them, and so its key's value_offset */
    struct bytes name, value;
    uint32_t version;       /* RDB_HEADER */
    bool valkey_magic;      /* RDB_HEADER: "VALKEY" instead of "REDIS" */
    uint32_t db;            /* RDB_SELECT_DB, RDB_RESIZE_DB */
    uint32_t slot;          /* RDB_SLOT_INFO */
    uint64_t keys, expires; /* RDB_RESIZE_DB, RDB_SLOT_INFO: claims */
    struct rdb_key key;     /* RDB_KEY */
    bool has_checksum;      /* RDB_EOF: version 5 or newer and not 0 */
    uint64_t stored_checksum, computed_checksum; /* RDB_EOF */
};

/* Defects, by rdb_defects.def. */
#define RDB_DEFECT(code, word, corrupt) code,
enum rdb_defect {
#include "parsers/rdb/rdb_defects.def"
    RDB_DEFECTS
};
#undef RDB_DEFECT

/* Why a reader stopped, for callers that have to tell them apart. */
enum rdb_stop {
    RDB_STOP_NONE,
    RDB_STOP_NOT_RDB,     /* no magic */
    RDB_STOP_TRUNCATED,   /* the evidence ended inside the dump, or a length in it reaches beyond its end */
    RDB_STOP_CORRUPT,     /* bytes that no server writes; lengths and counts above 2^40 too */
    RDB_STOP_UNSUPPORTED, /* a version, type or opcode that cannot be stepped over safely */
    RDB_STOP_READ,        /* the source failed */
    RDB_STOP_MEMORY,
};

/* A reader over `source`, which stays the caller's and must outlive it: a dump, or a captured replication stream, whose
 * header is passed over and whose mark or length is compared (the place of RDB_HEADER tells where the dump begins).
 * Offsets count from where the source stands now. NULL without memory. */
struct rdb *rdb_open(struct source *source, unsigned flags);

/* The next step; see parsers/parse.h. After RDB_EOF comes PARSE_END: what follows the checksum is rdb_rest() and then
 * the rest of the source (so that the tail of an AOF with an RDB preamble can be read); trailing bytes are damage only
 * when rdb_expect_end() was called.
 *
 * Damage comes before the item it belongs to, and the same defect once per record. A record whose name or value does
 * not expand (RDB_BAD_STRING) gives the damage alone; a key so lost still counts where counts are compared. At
 * PARSE_STOP the item says what is known of the record that could not be read: its offset and, inside a value, kind
 * RDB_KEY and the key. */
enum parse_step rdb_next(struct rdb *reader, struct rdb_item *item);

/* Says that nothing may follow the dump: bytes after it are reported as damage, and consumed. */
void rdb_expect_end(struct rdb *reader);

/* After PARSE_END: bytes that were read from the source beyond the dump and belong to what follows it. Borrowed. */
struct bytes rdb_rest(const struct rdb *reader);

/* The damage, after PARSE_DAMAGE; borrowed until the next call. NULL when there was none. Its place is in the file; for
 * what stands inside a compressed string it is that string, and `found` tells the byte of the expanded one. */
const struct damage *rdb_damage(const struct rdb *reader);

/* The name of the key in whose record the damage stands; empty when it is in none. Borrowed until the next call. */
struct bytes rdb_damage_key(const struct rdb *reader);

/* Why reading stopped, in words without the place, which rdb_offset() gives; or NULL. */
const char *rdb_why(const struct rdb *reader);
enum rdb_stop rdb_stop(const struct rdb *reader);

/* Where a stopped reader stands: the byte that cannot be read on from, or the end of evidence that is truncated. */
uint64_t rdb_offset(const struct rdb *reader);

void rdb_close(struct rdb *reader);

/* "string", "hash (listpack)", ... or "unknown (77)", in static memory; by the type byte alone: where dialects differ,
 * that of Redis. */
const char *rdb_type_name(uint8_t type);

/* "string", "list", "set", "zset", "hash", "stream", "module", "array", "json", "other". */
const char *rdb_datatype_name(enum rdb_datatype datatype);

/* "duplicate-element", ...; and whether the defect makes the dump corrupt: the others leave every key to be believed. */
const char *rdb_defect_name(enum rdb_defect defect);
bool rdb_defect_is_corruption(enum rdb_defect defect);

#endif
