/* The parts of an element outside of packed blobs: what one letter of a layout reads. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_string.h"
#include "parsers/rdb/score.h"

enum {
    HYPERLOGLOG_LEAST = 16,         /* bytes: its header */
    HYPERLOGLOG_MOST = 1024 * 1024, /* far above any */
    MODULE_NAME = 9,      /* characters of six bits, above */
    MODULE_VERSION = 1023 /* ten bits of encoding version */
};

/* Seconds: February 2023, from which Dragonfly counts expiries of members (its common.h). */
static const int64_t DRAGONFLY_EPOCH = 1675209600;

static struct rdb_run *name_run(struct rdb *reader)
{
    return &reader->window.runs[reader->value.parity & 1 ? RDB_FIELD : RDB_FIELD_BEFORE];
}

/* The other of the two. */
static struct rdb_run *name_run_before(struct rdb *reader)
{
    return &reader->window.runs[reader->value.parity & 1 ? RDB_FIELD_BEFORE : RDB_FIELD];
}

/* A string that may be a HyperLogLog has to be looked at even where nobody wants it. */
static bool like_hyperloglog(struct rdb *reader, const struct rdb_string_head *head)
{
    static const uint8_t magic[] = {'H', 'Y', 'L', 'L'};
    if (head->size < HYPERLOGLOG_LEAST || head->size > HYPERLOGLOG_MOST || head->stored <= sizeof(magic) ||
        !rdb_window_need(&reader->window, sizeof(magic) + 1))
        return false;
    struct cursor cursor = reader->window.cursor;
    size_t literals = sizeof(magic);
    if (head->lzf) {
        uint8_t control = cursor_u8(&cursor);
        literals = control + 1u < literals ? control + 1u : literals;
    }
    return !memcmp(cursor_take(&cursor, literals).at, magic, literals);
}

/* A string becomes a word. With `wanted` false its bytes are only proved to be there. */
static bool read_word(struct rdb *reader, struct rdb_run *run, bool wanted, struct rdb_scalar *word)
{
    struct rdb_value *value = &reader->value;
    word->integer = false;
    value->compressed = false;
    run->borrowed = rdb_string_short(reader, &run->bytes);
    if (run->borrowed)
        return true;
    struct rdb_string_head head;
    bool sound = true;
    run->bytes = (struct bytes){0}; /* no longer borrowed */
    if (!rdb_string_head(reader, &head))
        return false;
    value->compressed = head.lzf;
    if (head.integer) {
        *word = (struct rdb_scalar){.integer = true, .number = head.number};
        return true;
    }
    wanted |= value->row->datatype == RDB_STRING && like_hyperloglog(reader, &head);
    if (!(wanted ? rdb_string_body(reader, &head, run, &sound) : rdb_string_verify(reader, &head, run, &sound)))
        return false;
    if (!sound) {
        rdb_value_report(reader, RDB_BAD_STRING, rdb_string_place(reader, &head), rdb_string_sound,
                         "one that does not");
        value->broken = true;
    }
    return true;
}

static bool read_name(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    value->parity++;
    reader->value.pending = true;
    return read_word(reader, name_run(reader), true, &value->element.name);
}

static bool read_value(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    struct rdb_element *element = &value->element;
    element->is_float = false;
    reader->value.pending = true;
    if (value->template)
        element->name = (struct rdb_scalar){.text = value->template->names[value->field++]};
    return read_word(reader, &reader->window.runs[RDB_VALUE], value->wants_values, &element->value);
}

static bool read_raw(struct rdb *reader, size_t width, uint64_t *raw)
{
    if (!rdb_window_need(&reader->window, width))
        return rdb_ran_out(reader);
    *raw = cursor_le(&reader->window.cursor, width);
    return true;
}

static bool read_score(struct rdb *reader)
{
    uint64_t raw = 0;
    if (!read_raw(reader, sizeof(raw), &raw))
        return false;
    memcpy(&reader->value.element.score, &raw, sizeof(raw));
    return true;
}

static bool read_text_score(struct rdb *reader)
{
    static const double special[] = {NAN, INFINITY, -INFINITY};
    struct rdb_value *value = &reader->value;
    uint64_t length = 0;
    if (!read_raw(reader, 1, &length))
        return false;
    if (length >= RDB_SCORE_NAN) {
        value->element.score = special[length - RDB_SCORE_NAN];
        return true;
    }
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    if (!rdb_window_take(&reader->window, length, run))
        return rdb_ran_out(reader);
    run->borrowed = false;
    if (!score_parse(run->bytes, &value->element.score)) {
        struct place place = {rdb_window_offset(&reader->window) - length, length, 0};
        rdb_value_report(reader, RDB_BAD_SCORE, place, "a score as text", "element %" PRIu64 ": another text",
                         value->elements + 1);
        value->broken = true;
    }
    return true;
}

/* `raw` counts from `zero`; `none` stands for no expiry. */
static void set_expiry(struct rdb *reader, uint64_t raw, uint64_t none, uint64_t zero)
{
    struct rdb_element *element = &reader->value.element;
    element->has_expiry = raw != none;
    element->expire_ms = (int64_t)(raw + zero);
}

static bool read_expiry_length(struct rdb *reader, char letter)
{
    const struct rdb_value *value = &reader->value;
    uint64_t raw;
    if (!rdb_length(reader, &raw))
        return false;
    set_expiry(reader, raw, 0, letter == 'y' ? (uint64_t)value->expiry_floor - 1 : 0);
    return true;
}

static bool read_expiry_bytes(struct rdb *reader)
{
    uint64_t raw = 0;
    if (!read_raw(reader, sizeof(raw), &raw))
        return false;
    set_expiry(reader, raw, UINT64_MAX, 0);
    return true;
}

static bool read_expiry_text(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    struct rdb_scalar word;
    struct rdb_run *run = name_run_before(reader); /* the name before is not asked for where members expire */
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!read_word(reader, run, true, &word))
        return false;
    int64_t seconds = word.number;
    run->borrowed = false;
    if (!word.integer && !text_i64(run->bytes, &seconds)) {
        struct place place = {offset, rdb_window_offset(&reader->window) - offset, 0};
        rdb_value_report(reader, RDB_BAD_FIELD_EXPIRY, place, "an expiry in seconds",
                         "element %" PRIu64 ": another text", value->elements + 1);
        seconds = -1;
    }
    value->element.has_expiry = seconds != -1;
    if (seconds < INT64_MAX / 1000 - DRAGONFLY_EPOCH && seconds > -DRAGONFLY_EPOCH)
        value->element.expire_ms = (seconds + DRAGONFLY_EPOCH) * 1000;
    else
        value->element.expire_ms = INT64_MAX;
    return true;
}

static bool read_expiry_floor(struct rdb *reader)
{
    uint64_t raw = 0;
    if (!read_raw(reader, sizeof(raw), &raw))
        return false;
    reader->value.has_floor = true;
    reader->value.expiry_floor = (int64_t)raw;
    return true;
}

/* What is too large for a number is text, as users see it. */
static bool large_number(struct rdb *reader, uint64_t number)
{
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    if (!rdb_run_room(run, RDB_SCALAR_ROOM))
        return rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(&reader->window), "out of memory");
    int len = snprintf((char *)run->text, RDB_SCALAR_ROOM, "%" PRIu64, number);
    run->bytes = (struct bytes){run->text, (size_t)len};
    run->borrowed = false;
    reader->value.element.value.integer = false;
    return true;
}

static void set_number(struct rdb *reader, uint64_t number)
{
    struct rdb_element *element = &reader->value.element;
    reader->value.pending = true;
    element->is_float = false;
    element->value = (struct rdb_scalar){.integer = true, .number = (int64_t)number};
}

static bool read_number(struct rdb *reader, bool is_signed)
{
    uint64_t number;
    if (!rdb_length(reader, &number))
        return false;
    set_number(reader, number);
    return is_signed || number <= INT64_MAX || large_number(reader, number);
}

static bool read_raw_number(struct rdb *reader)
{
    uint64_t raw = 0;
    if (!read_raw(reader, sizeof(raw), &raw))
        return false;
    set_number(reader, raw);
    return true;
}

static bool read_float(struct rdb *reader, size_t width)
{
    struct rdb_element *element = &reader->value.element;
    uint64_t raw = 0;
    if (!read_raw(reader, width, &raw))
        return false;
    reader->value.pending = true;
    element->is_float = true;
    if (width == sizeof(element->score)) {
        memcpy(&element->score, &raw, sizeof(element->score));
    } else {
        uint32_t half = (uint32_t)raw;
        float single;
        memcpy(&single, &half, sizeof(single));
        element->score = (double)single;
    }
    element->value = (struct rdb_scalar){0};
    return true;
}

/* What follows a tag or a module's opcode. */
static bool read_payload(struct rdb *reader, char payload)
{
    switch (payload) {
    case RDB_PROGRAM_STOP:
        return false;
    case '4':
        return read_float(reader, sizeof(float));
    case 'd':
        return read_float(reader, sizeof(double));
    case '8':
        return read_raw_number(reader);
    case 's':
        return read_value(reader);
    default:
        return read_number(reader, payload == 'l');
    }
}

static bool read_module_id(struct rdb *reader)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct rdb_element *element = &reader->value.element;
    struct rdb_run *run = name_run(reader);
    uint64_t id;
    if (!rdb_length(reader, &id))
        return false;
    if (!rdb_run_room(run, MODULE_NAME))
        return rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(&reader->window), "out of memory");
    for (size_t i = 0; i < MODULE_NAME; i++)
        run->text[i] = (uint8_t)letters[id >> (64 - 6 * (i + 1)) & 0x3f];
    run->bytes = (struct bytes){run->text, MODULE_NAME};
    run->borrowed = false;
    element->name.integer = false;
    element->count = id & MODULE_VERSION;
    element->kind = RDB_ELEMENT_MODULE;
    reader->value.pending = true;
    return true;
}

bool rdb_module_value(struct rdb *reader)
{
    char payload = rdb_module_payload(reader);
    reader->value.element.kind = RDB_ELEMENT_MODULE_VALUE;
    reader->value.in_module = payload != RDB_PROGRAM_END;
    return payload == RDB_PROGRAM_END || read_payload(reader, payload);
}

static bool read_template(struct rdb *reader, char letter)
{
    struct rdb_value *value = &reader->value;
    if (!rdb_step_letter(reader, &value->program, letter))
        return false;
    value->template = rdb_template_current(reader);
    value->field = 0;
    return true;
}

bool rdb_element_part(struct rdb *reader, char letter)
{
    struct rdb_value *value = &reader->value;
    switch (letter) {
    case 'm':
        return read_name(reader);
    case 'v':
        return read_value(reader);
    case 'd':
        return read_score(reader);
    case 'z':
        return read_text_score(reader);
    case 'x':
    case 'y':
        return read_expiry_length(reader, letter);
    case 'X':
        return read_expiry_bytes(reader);
    case 'E':
        return read_expiry_text(reader);
    case 'w':
        return read_expiry_floor(reader);
    case 'c':
        return rdb_container(reader, &value->container);
    case 'j':
        return rdb_length(reader, &value->element.index);
    case 't':
        return read_payload(reader, rdb_array_payload(reader));
    case 'u':
        return read_number(reader, false);
    case 'i':
        return read_module_id(reader);
    case 'M':
        value->in_module = true;
        return true;
    case 'h':
    case 'n':
        return read_template(reader, letter);
    default:
        return rdb_step_letter(reader, &value->program, letter);
    }
}

static void refresh(struct rdb_scalar *word, const struct rdb_run *run)
{
    if (!word->integer)
        word->text = run->bytes;
}

void rdb_element_refresh(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    if (!value->template)
        refresh(&value->element.name, name_run(reader));
    refresh(&value->element.value, &reader->window.runs[RDB_VALUE]);
}

void rdb_element_before(struct rdb *reader, struct rdb_scalar *name)
{
    refresh(name, name_run_before(reader));
}
