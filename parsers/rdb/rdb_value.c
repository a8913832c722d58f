/* The walk over a value: what its layout says becomes elements. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/hyperloglog.h"
#include "parsers/rdb/rdb_stream.h"
#include "parsers/rdb/rdb_string.h"

/* Streams have one layout for each version. */
static unsigned stream_version(const struct rdb_row *row)
{
    static const uint8_t types[] = {15, 19, 21, 26, 27};
    unsigned version = 0;
    while (version < sizeof(types) && types[version] <= row->byte)
        version++;
    return version;
}

static const uint8_t element_kinds[RDB_DATATYPES] = {
    [RDB_STRING] = RDB_ELEMENT_STRING, [RDB_JSON] = RDB_ELEMENT_STRING,   [RDB_LIST] = RDB_ELEMENT_ITEM,
    [RDB_SET] = RDB_ELEMENT_MEMBER,    [RDB_ZSET] = RDB_ELEMENT_SCORED,   [RDB_HASH] = RDB_ELEMENT_FIELD,
    [RDB_ARRAY] = RDB_ELEMENT_SLOT,    [RDB_MODULE] = RDB_ELEMENT_MODULE, [RDB_OTHER] = RDB_ELEMENT_OPAQUE,
};

static void report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                   const char *format, va_list args, const char *suffix) __attribute__((format(printf, 5, 0)));

static void report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                   const char *format, va_list args, const char *suffix)
{
    struct rdb_value *value = &reader->value;
    if (!value->checks)
        return;
    value->damaged = true;
    if (value->told == RDB_VALUE_DAMAGES || reader->damage_count + 1 >= RDB_DAMAGES) {
        value->untold++;
        return;
    }
    value->told++;
    char *found = reader->found[reader->damage_count];
    vsnprintf(found, RDB_FOUND_TEXT, format, args);
    size_t used = strlen(found);
    snprintf(found + used, RDB_FOUND_TEXT - used, "%s", suffix);
    place = rdb_bundle_place(reader, place);
    reader->damages[reader->damage_count++] = (struct damage){
        .place = place,
        .code = defect,
        .expected = expected,
        .found = found,
        .resumed = place.offset + place.length,
    };
}

void rdb_value_report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(reader, defect, place, expected, format, args, "");
    va_end(args);
}

void rdb_blob_report(struct rdb *reader, enum rdb_defect defect, const struct rdb_blob *blob, struct place place,
                     const char *expected, const char *format, ...)
{
    char suffix[64] = "";
    if (!blob->inside)
        snprintf(suffix, sizeof(suffix), ", at byte %llu once expanded", (unsigned long long)place.offset);
    va_list args;
    va_start(args, format);
    report(reader, defect, rdb_blob_place(blob, place), expected, format, args, suffix);
    va_end(args);
}

struct place rdb_blob_place(const struct rdb_blob *blob, struct place place)
{
    if (!blob->inside)
        return (struct place){blob->offset, blob->length, 0};
    return (struct place){blob->inside + place.offset, place.length, 0};
}

static void tell_untold(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    uint64_t untold = value->untold;
    if (!untold || reader->damage_count == RDB_DAMAGES)
        return;
    value->untold = value->told = 0;
    struct place place = {value->from, rdb_window_offset(&reader->window) - value->from, 0};
    unsigned last = reader->damages[reader->damage_count ? reader->damage_count - 1 : 0].code;
    rdb_report(reader, (enum rdb_defect)last, place,
               "a value without more of the same", "%llu defects more in this value", (unsigned long long)untold);
}


static bool begin(struct rdb *reader, const struct rdb_row *row)
{
    struct rdb_value *value = &reader->value;
    value->state = RDB_VALUE_OPEN;
    value->row = row;
    value->program = (struct rdb_program){.at = row->layout};
    value->from = rdb_window_offset(&reader->window);
    value->checks = reader->flags & (RDB_CHECK_VALUES | RDB_DIGEST_VALUES | RDB_VALUES);
    value->wants_values = reader->flags & (RDB_DIGEST_VALUES | RDB_VALUES);
    value->digests = reader->flags & RDB_DIGEST_VALUES;
    value->damaged = value->pending = value->broken = value->in_module = value->in_blob = value->waits = false;
    value->elements = value->strings = value->string_bytes = value->untold = 0;
    value->told = 0;
    value->template = NULL;
    value->element.kind = element_kinds[row->datatype];
    value->element.has_expiry = value->element.is_float = false;
    if (value->digests && !value->digest)
        value->digest = malloc(rdb_digest_size());
    if (!value->words)
        value->words = rdb_words_new();
    if (row->datatype == RDB_STREAM && !value->stream)
        value->stream = calloc(1, sizeof(*value->stream));
    if (!value->words || (value->digests && !value->digest) || (row->datatype == RDB_STREAM && !value->stream))
        return rdb_fail(reader, RDB_STOP_MEMORY, value->from, "out of memory");
    if (value->digests)
        rdb_digest_begin(value->digest, row->datatype);
    if (value->checks)
        rdb_check_begin(reader);
    if (row->datatype == RDB_STREAM && value->checks)
        rdb_stream_begin(reader, value->stream, stream_version(row));
    return true;
}

bool rdb_value_begin(struct rdb *reader, const struct rdb_row *row, const struct rdb_key *key)
{
    struct rdb_value *value = &reader->value;
    value->key = *key;
    value->key.name = reader->window.runs[RDB_NAME].bytes;
    return begin(reader, row);
}

void rdb_value_close(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    rdb_templates_free(value->templates);
    rdb_words_free(value->words);
    rdb_quick_close(&value->quick);
    if (value->stream)
        rdb_stream_close(value->stream);
    free(value->stream);
    free(value->digest);
}

struct place rdb_element_place(const struct rdb *reader)
{
    const struct rdb_value *value = &reader->value;
    if (value->in_blob)
        return rdb_blob_place(&value->blob, value->entry);
    return (struct place){value->element_from, rdb_window_offset(&reader->window) - value->element_from, 0};
}

/* The element is complete: what is wrong with it is said, and it is counted. False when there is nothing to give. */
static bool complete(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    bool given = value->pending && !value->broken;
    if (!value->pending)
        return false;
    value->pending = value->broken = false;
    if (given) {
        value->element.place = rdb_element_place(reader);
        rdb_element_refresh(reader);
        rdb_check_element(reader);
    }
    value->elements++;
    return given;
}

/* What the walk has found out. */
static void tell_key(struct rdb *reader, struct rdb_key *key)
{
    struct rdb_value *value = &reader->value;
    key->elements = value->elements;
    key->strings = value->strings;
    key->string_bytes = value->string_bytes;
    key->value_length = rdb_window_offset(&reader->window) - value->from;
    if (value->digests)
        rdb_digest_end(value->digest, key->digest);
}

static enum parse_step ended(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    if (value->checks && !rdb_check_end(reader))
        return PARSE_STOP;
    tell_untold(reader);
    value->state = RDB_VALUE_DONE;
    return PARSE_END;
}

static enum parse_step next_of_stream(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    enum parse_step step = rdb_stream_next(reader, value->stream, &value->element);
    if (step == PARSE_ITEM && value->element.kind == RDB_ELEMENT_ENTRY)
        value->elements += !value->element.deleted;
    return step == PARSE_END ? ended(reader) : step;
}

/* The functions below give PARSE_DAMAGE for a step that completed no element. */

static enum parse_step next_of_module(struct rdb *reader)
{
    reader->value.element_from = rdb_window_offset(&reader->window);
    if (!rdb_module_value(reader))
        return PARSE_STOP;
    return complete(reader) ? PARSE_ITEM : PARSE_DAMAGE;
}

static bool opens_blob(const struct rdb_value *value, char letter)
{
    enum { PLAIN = 1 };
    static const bool blobs[128] = {['L'] = true, ['Z'] = true, ['I'] = true, ['P'] = true, ['T'] = true, ['k'] = true};
    return blobs[(uint8_t)letter] || (letter == 'q' && value->container != PLAIN);
}

static enum parse_step next_of_layout(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    char letter = rdb_program_next(reader, &value->program);
    if (letter == RDB_PROGRAM_STOP)
        return PARSE_STOP;
    if (letter == RDB_PROGRAM_END)
        return ended(reader);
    if (letter == '.')
        return complete(reader) ? PARSE_ITEM : PARSE_DAMAGE;
    if (!value->pending)
        value->element_from = rdb_window_offset(&reader->window);
    bool read = opens_blob(value, letter) ? rdb_blob_open(reader, letter)
                                          : rdb_element_part(reader, letter == 'q' ? 'v' : letter);
    return read ? PARSE_DAMAGE : PARSE_STOP;
}

/* On to the next element, the end or a stop. */
static enum parse_step advance(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    enum parse_step step;
    if (value->row->datatype == RDB_STREAM)
        return next_of_stream(reader);
    do {
        step = value->in_blob ? rdb_blob_next(reader)
               : value->in_module ? next_of_module(reader)
                                  : next_of_layout(reader);
    } while (step == PARSE_DAMAGE);
    return step;
}

/* From headers alone. */
static bool count(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    char letter;
    while ((letter = rdb_program_next(reader, &value->program)) != RDB_PROGRAM_END) {
        bool read = letter != RDB_PROGRAM_STOP, blob = opens_blob(value, letter);
        value->pending |= !blob && letter != '.' && letter != 'c';
        if (letter == '.') {
            value->elements += value->pending;
            value->pending = false;
        } else if (letter == 'e') {
            read = rdb_length(reader, &value->elements);
        } else if (letter == 'c') {
            read = rdb_container(reader, &value->container);
        } else if (letter == 'M') {
            read = rdb_module_count(reader);
        } else if (blob) {
            read = rdb_blob_count(reader, letter);
        } else if (read) {
            read = rdb_step_letter(reader, &value->program, letter);
        }
        if (!read)
            return false;
    }
    return ended(reader) == PARSE_END;
}

bool rdb_value_run(struct rdb *reader, const struct rdb_row *row, struct rdb_key *key)
{
    struct rdb_value *value = &reader->value;
    enum parse_step step;
    if (rdb_quick_value(reader, row, key))
        return true;
    if (!begin(reader, row))
        return false;
    if (!value->checks) {
        if (!count(reader))
            return false;
    } else {
        while ((step = advance(reader)) == PARSE_ITEM)
            if (value->digests)
                rdb_digest_add(value->digest, &value->element);
        if (step == PARSE_STOP)
            return false;
    }
    tell_key(reader, key);
    return true;
}

static bool tell_damage(struct rdb *reader)
{
    if (reader->damage_next == reader->damage_count)
        return false;
    reader->damage_next++;
    reader->damage_key = reader->window.runs[RDB_NAME].bytes;
    return true;
}

enum parse_step rdb_value_next(struct rdb *reader, const struct rdb_element **element)
{
    struct rdb_value *value = &reader->value;
    *element = &value->element;
    if (tell_damage(reader))
        return PARSE_DAMAGE;
    if (value->waits) {
        value->waits = false;
        return PARSE_ITEM;
    }
    reader->damage_count = reader->damage_next = 0;
    if (reader->stop)
        return PARSE_STOP;
    if (value->state != RDB_VALUE_OPEN)
        return PARSE_END;
    enum parse_step step = advance(reader);
    if (step == PARSE_END)
        tell_key(reader, &value->key);
    value->waits = step == PARSE_ITEM;
    if (tell_damage(reader))
        return PARSE_DAMAGE;
    value->waits = false;
    return step;
}

const struct rdb_key *rdb_value_key(const struct rdb *reader)
{
    return &reader->value.key;
}

bool rdb_value_rest(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    enum parse_step step = PARSE_ITEM;
    if (value->state != RDB_VALUE_OPEN)
        return !reader->stop;
    value->checks = value->digests = value->in_blob = value->waits = false;
    if (value->row->datatype == RDB_STREAM) {
        while (step == PARSE_ITEM)
            step = rdb_stream_next(reader, value->stream, &value->element);
        if (step == PARSE_STOP)
            return false;
    } else if ((value->in_module && !rdb_step_letter(reader, &value->program, 'M')) ||
               !rdb_step_rest(reader, &value->program)) {
        return false;
    }
    value->state = RDB_VALUE_DONE;
    return true;
}
