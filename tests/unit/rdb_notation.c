#include "tests/unit/rdb_notation.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/rdb/rdb_private.h"
#include "tests/unit/packed_build.h"

enum { WORDS = 128, LITERALS = 32 };

static const struct {
    char open, close;
    enum packed_form form;
} forms[] = {
    {'[', ']', PACKED_LISTPACK}, {'(', ')', PACKED_ZIPLIST}, {'<', '>', PACKED_INTSET}, {'{', '}', PACKED_ZIPMAP}};

static void append_string(struct rdb_build *build, const void *at, size_t len, bool compressed)
{
    if (!compressed) {
        rdb_build_length(build, len);
        rdb_build_bytes(build, at, len);
        return;
    }
    rdb_build_u8(build, 0xc3);
    rdb_build_length(build, len + (len + LITERALS - 1) / LITERALS);
    rdb_build_length(build, len);
    for (size_t i = 0; i < len; i += LITERALS) {
        size_t n = len - i < LITERALS ? len - i : LITERALS;
        rdb_build_u8(build, (unsigned)n - 1);
        rdb_build_bytes(build, (const char *)at + i, n);
    }
}

static struct packed_word word_of(const char *at, size_t len, enum packed_form form)
{
    char *end;
    long long number = strtoll(at, &end, 10);
    if (len && end == at + len && form != PACKED_ZIPMAP)
        return (struct packed_word){.integer = true, .number = number};
    if (len && *at == '\'')
        return (struct packed_word){.text = at + 1, .len = len - 1};
    if (len == 2 && !memcmp(at, "\"\"", 2))
        len = 0;
    return (struct packed_word){.text = at, .len = len};
}

static const char *append_blob(struct rdb_build *build, const char *at, size_t form, bool compressed)
{
    struct packed_word words[WORDS];
    size_t n = 0;
    at++;
    while (*at != forms[form].close) {
        size_t len = strcspn(at, " ])>}");
        words[n++] = word_of(at, len, forms[form].form);
        at += len + (at[len] == ' ');
    }
    struct rdb_build blob = packed_build(forms[form].form, words, n);
    append_string(build, blob.at, blob.len, compressed);
    rdb_build_free(&blob);
    return at + 1;
}

static bool starts(const char *at, const char *with)
{
    return !strncmp(at, with, strlen(with));
}

static void append_score(struct rdb_build *build, const char *at, size_t len)
{
    static const char *const special[] = {"nan", "inf", "-inf"};
    for (unsigned i = 0; i < 3; i++)
        if (len == strlen(special[i]) && !memcmp(at, special[i], len)) {
            rdb_build_u8(build, 253 + i);
            return;
        }
    rdb_build_u8(build, (unsigned)len);
    rdb_build_bytes(build, at, len);
}

static void append_word(struct rdb_build *build, const char *at, size_t len)
{
    bool compressed = *at == '~';
    at += compressed;
    len -= compressed;
    if (*at == '#') {
        rdb_build_length(build, strtoull(at + 1, NULL, 10));
    } else if (starts(at, "int:")) {
        rdb_build_u8(build, 0xc0);
        rdb_build_le(build, (uint64_t)strtoll(at + 4, NULL, 10), 1);
    } else if (starts(at, "d:")) {
        double value = strtod(at + 2, NULL);
        uint64_t raw;
        memcpy(&raw, &value, sizeof(raw));
        rdb_build_le(build, raw, 8);
    } else if (starts(at, "e:")) {
        rdb_build_le(build, (uint64_t)strtoll(at + 2, NULL, 10), 8);
    } else if (starts(at, "z:")) {
        append_score(build, at + 2, len - 2);
    } else if (starts(at, "x:")) {
        for (size_t i = 2; i < len; i += 2) {
            char digits[3] = {at[i], at[i + 1], 0};
            rdb_build_u8(build, (unsigned)strtoul(digits, NULL, 16));
        }
    } else {
        bool none = len == 2 && !memcmp(at, "\"\"", 2), quoted = *at == '\'';
        append_string(build, at + quoted, none ? 0 : len - quoted, compressed);
    }
}

void rdb_notation_build(struct rdb_build *build, const char *at)
{
    while (*at) {
        bool compressed = *at == '~';
        size_t form = 0;
        while (form < PACKED_FORMS && forms[form].open != at[compressed])
            form++;
        if (form < PACKED_FORMS) {
            at = append_blob(build, at + compressed, form, compressed);
        } else {
            size_t len = strcspn(at, " ");
            append_word(build, at, len);
            at += len;
        }
        at += *at == ' ';
    }
}

/* ---------------------------------------------------------------- the other direction */

static void say(struct rdb_transcript *transcript, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct rdb_transcript *transcript, const char *format, ...)
{
    size_t used = strlen(transcript->text);
    va_list args;
    va_start(args, format);
    vsnprintf(transcript->text + used, sizeof(transcript->text) - used, format, args);
    va_end(args);
}

static void say_word(struct rdb_transcript *transcript, const struct rdb_scalar *word)
{
    char room[RDB_SCALAR_ROOM];
    struct bytes text = rdb_scalar_text(word, room);
    say(transcript, "%.*s", (int)text.len, text.len ? (const char *)text.at : "");
}

static void say_value(struct rdb_transcript *transcript, const struct rdb_element *element)
{
    if (element->kind != RDB_ELEMENT_STRING && element->kind != RDB_ELEMENT_ITEM &&
        element->kind != RDB_ELEMENT_OPAQUE && element->kind != RDB_ELEMENT_MODULE_VALUE)
        say(transcript, "=");
    if ((element->kind == RDB_ELEMENT_SLOT || element->kind == RDB_ELEMENT_MODULE_VALUE) && element->is_float)
        say(transcript, "%gf", element->score);
    else
        say_word(transcript, &element->value);
}

static void say_element(struct rdb_transcript *transcript, const struct rdb_element *element)
{
    say(transcript, "%s", transcript->said++ ? "; " : "");
    switch (element->kind) {
    case RDB_ELEMENT_SLOT:
        say(transcript, "%llu", (unsigned long long)element->index);
        say_value(transcript, element);
        return;
    case RDB_ELEMENT_SCORED:
        say_word(transcript, &element->name);
        say(transcript, ":%g", element->score);
        return;
    case RDB_ELEMENT_MODULE:
        say_word(transcript, &element->name);
        say(transcript, " v%llu", (unsigned long long)element->count);
        return;
    case RDB_ELEMENT_MEMBER:
        say_word(transcript, &element->name);
        break;
    case RDB_ELEMENT_FIELD:
        say_word(transcript, &element->name);
        say_value(transcript, element);
        break;
    default:
        say_value(transcript, element);
        return;
    }
    if (element->has_expiry)
        say(transcript, "@%lld", (long long)element->expire_ms);
}

static void say_damage(struct rdb_transcript *transcript, const struct rdb *reader, size_t size)
{
    const struct damage *damage = rdb_damage(reader);
    cr_assert(damage && damage->expected && damage->found && *damage->found);
    cr_assert(damage->place.offset <= size && damage->place.length <= size - damage->place.offset);
    say(transcript, "%s!%s", transcript->said++ ? "; " : "", rdb_defect_name((enum rdb_defect)damage->code));
    transcript->damages++;
}

static void read_value(struct rdb *reader, struct rdb_transcript *transcript, size_t size)
{
    const struct rdb_element *element;
    enum parse_step step;
    while ((step = rdb_value_next(reader, &element)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            say_damage(transcript, reader, size);
            continue;
        }
        cr_assert(element->place.offset <= size && element->place.length <= size - element->place.offset);
        say_element(transcript, element);
    }
    cr_assert_eq(rdb_value_next(reader, &element), step, "the last step repeats");
    transcript->key = *rdb_value_key(reader);
}

struct rdb_transcript rdb_notation_read(const struct rdb_build *dump, size_t window)
{
    struct rdb_transcript transcript = {0};
    struct source *source = source_memory(dump->at, dump->len);
    struct rdb *reader = rdb_open_sized(source, RDB_VALUES, window);
    cr_assert(reader);
    struct rdb_item item;
    size_t keys = 0;
    while ((transcript.last = rdb_next(reader, &item)) == PARSE_ITEM || transcript.last == PARSE_DAMAGE) {
        if (transcript.last == PARSE_ITEM && item.kind == RDB_KEY && !keys++)
            read_value(reader, &transcript, dump->len);
        else if (transcript.last == PARSE_DAMAGE && keys < 2)
            say_damage(&transcript, reader, dump->len);
    }
    rdb_close(reader);
    source_close(source);
    return transcript;
}
