#include "tools/render/value_json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/put.h"
#include "tools/render/time.h"

/* Which array an element stands in, how many objects are around that array, and which arrays its own object has even
 * when they are empty. */
#define BIT(kind) (1u << (kind))

struct form {
    const char *array; /* NULL: its members are those of the value itself */
    unsigned depth;
    unsigned children;
    bool bare; /* a string, not an object */
};

static const struct form forms[] = {
    [RDB_ELEMENT_STRING] = {NULL, 1, 0, false},
    [RDB_ELEMENT_ITEM] = {"items", 1, 0, false},
    [RDB_ELEMENT_MEMBER] = {"members", 1, 0, false},
    [RDB_ELEMENT_SCORED] = {"members", 1, 0, false},
    [RDB_ELEMENT_FIELD] = {"fields", 1, 0, false},
    [RDB_ELEMENT_SLOT] = {"elements", 1, 0, false},
    [RDB_ELEMENT_ENTRY] = {"entries", 1, BIT(RDB_ELEMENT_ENTRY_FIELD), false},
    [RDB_ELEMENT_ENTRY_FIELD] = {"fields", 2, 0, false},
    [RDB_ELEMENT_STREAM] = {NULL, 1, 0, false},
    [RDB_ELEMENT_GROUP] = {"groups", 1, BIT(RDB_ELEMENT_PENDING) | BIT(RDB_ELEMENT_CONSUMER), false},
    [RDB_ELEMENT_PENDING] = {"pending", 2, 0, false},
    [RDB_ELEMENT_CONSUMER] = {"consumers", 2, BIT(RDB_ELEMENT_CONSUMER_PENDING), false},
    [RDB_ELEMENT_CONSUMER_PENDING] = {"pending", 3, 0, true},
    [RDB_ELEMENT_NACK] = {"given_back", 2, 0, true},
    [RDB_ELEMENT_PRODUCER] = {"producers", 1, BIT(RDB_ELEMENT_PRODUCED), false},
    [RDB_ELEMENT_PRODUCED] = {"entries", 2, 0, false},
    [RDB_ELEMENT_MODULE] = {NULL, 1, 0, false},
    [RDB_ELEMENT_MODULE_VALUE] = {"values", 1, 0, false},
    [RDB_ELEMENT_OPAQUE] = {"opaque_base64", 1, 0, true},
};

enum { ELEMENT_KINDS = sizeof(forms) / sizeof(*forms) };

static const unsigned arrays_of[RDB_DATATYPES] = {
    [RDB_LIST] = BIT(RDB_ELEMENT_ITEM),     [RDB_SET] = BIT(RDB_ELEMENT_MEMBER),
    [RDB_ZSET] = BIT(RDB_ELEMENT_SCORED),   [RDB_HASH] = BIT(RDB_ELEMENT_FIELD),
    [RDB_ARRAY] = BIT(RDB_ELEMENT_SLOT),    [RDB_STREAM] = BIT(RDB_ELEMENT_ENTRY) | BIT(RDB_ELEMENT_GROUP),
    [RDB_MODULE] = BIT(RDB_ELEMENT_MODULE_VALUE),
};

enum {
    KEY_ROOM = 64,     /* comma, key, quotes and colon */
    SHORT_TEXT = 256,  /* a longer one is not written in place */
    WORD_ROOM = SHORT_TEXT + PUT_SLACK, /* with its quotes; enough for any number or time, too */
    ELEMENT_ROOM = 2 * WORD_ROOM + TIME_SIZE + 4 * PUT_SLACK
};

/* Comma, key and colon. */
static uint8_t *put_key(uint8_t *at, struct value_json *writer, const char *key)
{
    size_t len = strlen(key);
    bool *used = &writer->level[writer->depth - 1].used;
    if (*used)
        *at++ = ',';
    *used = true;
    *at++ = '"';
    at = put(at, key, len);
    *at++ = '"';
    *at++ = ':';
    return at;
}

/* A word and its quotes. NULL when it is long, or needs an escape. */
static inline uint8_t *put_word(uint8_t *at, const struct rdb_scalar *word)
{
    *at++ = '"';
    if (word->integer)
        at = put_i64(at, word->number);
    else
        at = word->text.len <= SHORT_TEXT ? put_plain(at, word->text, "\\\"\"") : NULL;
    if (at)
        *at++ = '"';
    return at;
}

static inline uint8_t *put_time(uint8_t *at, int64_t ms)
{
    *at = '"';
    at = (uint8_t *)time_put((char *)at + 1, ms);
    *at = '"';
    return at + 1;
}

static inline uint8_t *put_id(uint8_t *at, struct rdb_stream_id id)
{
    *at = '"';
    at = put_u64(at + 1, id.ms);
    *at = '-';
    at = put_u64(at + 1, id.seq);
    *at = '"';
    return at + 1;
}

static void write_key(struct value_json *writer, const char *key)
{
    uint8_t *room = out_room(writer->out, KEY_ROOM);
    if (room)
        out_wrote(writer->out, (size_t)(put_key(room, writer, key) - room));
}

static void write_base64(struct value_json *writer, const char *key, struct bytes bytes)
{
    out_text(writer->out, ",\"");
    out_text(writer->out, key);
    out_text(writer->out, "_base64\":\"");
    escape_base64(writer->out, bytes);
    out_byte(writer->out, '"');
}

static void write_word(struct value_json *writer, const char *key, const struct rdb_scalar *word)
{
    uint8_t *room = out_room(writer->out, KEY_ROOM + WORD_ROOM);
    if (!room)
        return;
    uint8_t *at = put_key(room, writer, key), *end = put_word(at, word);
    out_wrote(writer->out, (size_t)((end ? end : at) - room));
    if (!end && !escape_json_exact(writer->out, word->text))
        write_base64(writer, key, word->text);
}

static void write_count(struct value_json *writer, const char *key, uint64_t count)
{
    write_key(writer, key);
    out_byte(writer->out, '"');
    out_u64(writer->out, count);
    out_byte(writer->out, '"');
}

static void write_bare_id(struct out *out, struct rdb_stream_id id)
{
    uint8_t *room = out_room(out, WORD_ROOM);
    if (room)
        out_wrote(out, (size_t)(put_id(room, id) - room));
}

static void write_id(struct value_json *writer, const char *key, struct rdb_stream_id id)
{
    write_key(writer, key);
    write_bare_id(writer->out, id);
}

static void write_time(struct value_json *writer, const char *key, int64_t ms)
{
    write_key(writer, key);
    uint8_t *room = out_room(writer->out, WORD_ROOM);
    if (room)
        out_wrote(writer->out, (size_t)(put_time(room, ms) - room));
}

static void write_null(struct value_json *writer, const char *key)
{
    write_key(writer, key);
    out_text(writer->out, "null");
}

/* 2^53: whole numbers below it are doubles, and so are powers of ten up to 10^22. A quotient of two doubles is rounded
 * as the decimal fraction would be, so when it gives the number again the fraction reads back as the number. */
static const double EXACT = 9007199254740992.0;
enum { POWERS = 23 };

static uint8_t *put_fraction(uint8_t *to, uint64_t number, unsigned decimals)
{
    char text[48];
    size_t at = sizeof(text);
    for (unsigned i = 0; i <= decimals || number; i++) {
        if (i == decimals && decimals)
            text[--at] = '.';
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    return put(to, text + at, sizeof(text) - at);
}

/* What snprintf() makes of it with "%.17g", for sizes from 10^-4 on and below 10^17: it is written without exponent, and
 * its product with the power of ten that makes 17 digits of it is exact in 128 bits. */
static uint8_t *put_17_digits(uint8_t *at, double size)
{
    __extension__ typedef unsigned __int128 wide;
    const uint64_t least = UINT64_C(10000000000000000);
    int exponent;
    wide product = (wide)ldexp(frexp(size, &exponent), DBL_MANT_DIG);
    int cut = DBL_MANT_DIG - exponent; /* bits of the product behind the point */
    unsigned decimals = 0;
    if (cut < 0)
        product <<= -cut;
    cut = cut < 0 ? 0 : cut;
    for (; product >> cut < least; decimals++)
        product *= 10;
    uint64_t digits = (uint64_t)(product >> cut);
    wide half = ((wide)1 << cut) / 2, rest = product - ((wide)digits << cut);
    if (half && (rest > half || (rest == half && digits % 2)))
        digits++;
    for (; decimals && digits % 10 == 0; decimals--)
        digits /= 10;
    return put_fraction(at, digits, decimals);
}

/* Where there is room for WORD_ROOM bytes. */
static uint8_t *put_double(uint8_t *at, double number)
{
    double size = fabs(number), power = 10;
    if (isnan(number))
        return put(at, "nan", 3);
    if (signbit(number))
        *at++ = '-';
    if (isinf(number))
        return put(at, "inf", 3);
    if (size < EXACT && (double)(uint64_t)size == size)
        return put_u64(at, (uint64_t)size);
    for (unsigned decimals = 1; decimals < POWERS && size * power < EXACT; decimals++, power *= 10) {
        uint64_t digits = (uint64_t)(size * power + 0.5);
        if ((double)digits / power == size)
            return put_fraction(at, digits, decimals);
    }
    if (size >= 1e-4 && size < 1e17)
        return put_17_digits(at, size);
    return at + snprintf((char *)at, WORD_ROOM - 1, "%.17g", size);
}

void value_json_double(struct out *out, double number)
{
    uint8_t *room = out_room(out, WORD_ROOM);
    if (room)
        out_wrote(out, (size_t)(put_double(room, number) - room));
}

static void write_score(struct value_json *writer, const char *key, double score)
{
    write_key(writer, key);
    out_byte(writer->out, '"');
    value_json_double(writer->out, score);
    out_byte(writer->out, '"');
}

static void write_expiry(struct value_json *writer, const struct rdb_element *element)
{
    if (element->has_expiry)
        write_time(writer, "expires", element->expire_ms);
}

static void write_stream(struct value_json *writer, const struct rdb_stream_facts *facts)
{
    write_count(writer, "length", facts->length);
    write_id(writer, "last_id", facts->last);
    if (facts->has_history) {
        write_id(writer, "first_id", facts->first);
        write_id(writer, "max_deleted_id", facts->max_deleted);
        write_count(writer, "entries_added", facts->added);
    }
}

static void write_consumer(struct value_json *writer, const struct rdb_element *element)
{
    write_word(writer, "name", &element->name);
    write_time(writer, "seen", element->time_ms);
    if (element->active_ms < 0)
        write_null(writer, "active");
    else
        write_time(writer, "active", element->active_ms);
}

static void write_group(struct value_json *writer, const struct rdb_element *element)
{
    write_word(writer, "name", &element->name);
    write_id(writer, "last_delivered_id", element->id);
    if (element->count == UINT64_MAX)
        write_null(writer, "entries_read");
    else
        write_count(writer, "entries_read", element->count);
}

static void write_module_value(struct value_json *writer, const struct rdb_element *element)
{
    if (element->is_float)
        write_score(writer, "float", element->score);
    else
        write_word(writer, element->value.integer ? "integer" : "string", &element->value);
}

static void write_members(struct value_json *writer, const struct rdb_element *element)
{
    switch (element->kind) {
    case RDB_ELEMENT_STRING: write_word(writer, "string", &element->value); break;
    case RDB_ELEMENT_ITEM: write_word(writer, "item", &element->value); break;
    case RDB_ELEMENT_MEMBER:
        write_word(writer, "member", &element->name);
        write_expiry(writer, element);
        break;
    case RDB_ELEMENT_SCORED:
        write_word(writer, "member", &element->name);
        write_score(writer, "score", element->score);
        break;
    case RDB_ELEMENT_FIELD:
    case RDB_ELEMENT_ENTRY_FIELD:
        write_word(writer, "field", &element->name);
        write_word(writer, "value", &element->value);
        write_expiry(writer, element);
        break;
    case RDB_ELEMENT_SLOT:
        write_count(writer, "index", element->index);
        write_word(writer, "value", &element->value);
        break;
    case RDB_ELEMENT_ENTRY:
        write_id(writer, "id", element->id);
        write_key(writer, "deleted");
        out_text(writer->out, element->deleted ? "true" : "false");
        break;
    case RDB_ELEMENT_STREAM: write_stream(writer, &element->stream); break;
    case RDB_ELEMENT_GROUP: write_group(writer, element); break;
    case RDB_ELEMENT_PENDING:
        write_id(writer, "id", element->id);
        write_time(writer, "delivered", element->time_ms);
        write_count(writer, "deliveries", element->count);
        break;
    case RDB_ELEMENT_CONSUMER: write_consumer(writer, element); break;
    case RDB_ELEMENT_CONSUMER_PENDING:
    case RDB_ELEMENT_NACK: write_bare_id(writer->out, element->id); break;
    case RDB_ELEMENT_PRODUCER: write_word(writer, "name", &element->name); break;
    case RDB_ELEMENT_PRODUCED:
        write_word(writer, "name", &element->name);
        write_id(writer, "id", element->id);
        break;
    case RDB_ELEMENT_MODULE:
        write_word(writer, "module", &element->name);
        write_count(writer, "encoding_version", element->count);
        break;
    case RDB_ELEMENT_MODULE_VALUE: write_module_value(writer, element); break;
    case RDB_ELEMENT_OPAQUE:
        out_byte(writer->out, '"');
        escape_base64(writer->out, element->value.text);
        out_byte(writer->out, '"');
        break;
    }
}

static void close_array(struct value_json *writer)
{
    if (writer->level[writer->depth - 1].array)
        out_byte(writer->out, ']');
    writer->level[writer->depth - 1].array = NULL;
}

/* Ends the innermost object, with the arrays that it was to have. */
static void close_object(struct value_json *writer)
{
    unsigned depth = writer->depth - 1;
    close_array(writer);
    unsigned missing = writer->level[depth].children & ~writer->level[depth].seen;
    for (unsigned kind = 0; missing && kind < ELEMENT_KINDS; kind++) {
        if (missing & BIT(kind)) {
            write_key(writer, forms[kind].array);
            out_text(writer->out, "[]");
        }
    }
    out_byte(writer->out, '}');
    writer->depth--;
}

static void open_object(struct value_json *writer, unsigned children)
{
    out_byte(writer->out, '{');
    writer->level[writer->depth].children = children;
    writer->level[writer->depth].seen = 0;
    writer->level[writer->depth].used = false;
    writer->level[writer->depth].array = NULL;
    writer->depth++;
}

void value_json_begin(struct value_json *writer, struct out *out, enum rdb_datatype datatype)
{
    writer->out = out;
    writer->depth = 0;
    open_object(writer, arrays_of[datatype]);
}

struct fixed {
    uint8_t len;
    char text[PUT_SLACK];
};

#define FIXED(text) {sizeof(text) - 1, text}

/* Elements of which there are many, in one piece: what stands before the name or item, and between it and the rest. */
static const struct {
    struct fixed before, between;
} many[] = {
    [RDB_ELEMENT_ITEM] = {FIXED(",{\"item\":"), FIXED("")},
    [RDB_ELEMENT_MEMBER] = {FIXED(",{\"member\":"), FIXED("")},
    [RDB_ELEMENT_SCORED] = {FIXED(",{\"member\":"), FIXED(",\"score\":\"")},
    [RDB_ELEMENT_FIELD] = {FIXED(",{\"field\":"), FIXED(",\"value\":")},
};

enum { MANY_KINDS = sizeof(many) / sizeof(many[0]) };

static inline uint8_t *put_fixed(uint8_t *at, const struct fixed *fixed)
{
    memcpy(at, fixed->text, sizeof(fixed->text));
    return at + fixed->len;
}

/* An element behind another of the same array. NULL when it is of another kind, or has a word that is not plain. */
static inline uint8_t *put_one_of_many(uint8_t *at, const struct rdb_element *element)
{
    const size_t kind = element->kind;
    if (kind >= MANY_KINDS || !many[kind].before.len)
        return NULL;
    at = put_fixed(at, &many[kind].before);
    at = put_word(at, kind == RDB_ELEMENT_ITEM ? &element->value : &element->name);
    if (at)
        at = put_fixed(at, &many[kind].between);
    if (at && kind == RDB_ELEMENT_FIELD)
        at = put_word(at, &element->value);
    if (!at)
        return NULL;
    if (kind == RDB_ELEMENT_SCORED) {
        at = put_double(at, element->score);
        *at++ = '"';
    } else if (kind != RDB_ELEMENT_ITEM && element->has_expiry) {
        at = put_time(put(at, ",\"expires\":", 11), element->expire_ms);
    }
    *at = '}';
    return at + 1;
}

static inline bool write_one_of_many(struct value_json *writer, const struct rdb_element *element)
{
    uint8_t *room = out_room(writer->out, ELEMENT_ROOM);
    uint8_t *end = room ? put_one_of_many(room, element) : NULL;
    if (end)
        out_wrote(writer->out, (size_t)(end - room));
    return end;
}

void value_json_element(struct value_json *writer, const struct rdb_element *element)
{
    const struct form *form = &forms[element->kind];
    while (writer->depth > form->depth)
        close_object(writer);
    if (writer->depth < form->depth) /* what it belongs to was damaged, and lost */
        return;
    unsigned level = form->depth - 1;
    if (form->array && writer->level[level].array == form->array && write_one_of_many(writer, element))
        return;
    if (!form->array || writer->level[level].array != form->array)
        close_array(writer);
    if (!form->array) {
        write_members(writer, element);
        return;
    }
    if (writer->level[level].array) {
        out_byte(writer->out, ',');
    } else {
        write_key(writer, form->array);
        out_byte(writer->out, '[');
        writer->level[level].array = form->array;
        writer->level[level].seen |= BIT(element->kind);
    }
    if (!form->bare)
        open_object(writer, form->children);
    write_members(writer, element);
}

void value_json_string(struct out *out, const struct rdb_scalar *word)
{
    static const struct fixed before = FIXED("{\"string\":");
    uint8_t *room = out_room(out, WORD_ROOM + 2 * PUT_SLACK);
    uint8_t *end = room ? put_word(put_fixed(room, &before), word) : NULL;
    struct value_json writer;
    if (end) {
        *end = '}';
        out_wrote(out, (size_t)(end + 1 - room));
        return;
    }
    value_json_begin(&writer, out, RDB_STRING);
    write_word(&writer, "string", word);
    value_json_end(&writer);
}

void value_json_end(struct value_json *writer)
{
    while (writer->depth > 0)
        close_object(writer);
}
