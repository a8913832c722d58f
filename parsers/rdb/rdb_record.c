/* The records between magic and EOF: opcodes, keys, and the counts that a dump states about itself. */
#include <inttypes.h>
#include <stdio.h>

#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_string.h"

enum {
    PREFETCH_AHEAD = 2048,
    FIRST_CHECKSUM = 5, /* version */
    SLOTS = 16384,
    SLOT_RANGE_TEXT = sizeof("16383-16383 "),
    CHECKING = RDB_CHECK_VALUES | RDB_DIGEST_VALUES | RDB_VALUES,
    MODULE_NAME = 9, /* characters of six bits, above ten bits of encoding version */
    MODULE_UINT = 2, /* the only opcode that may stand before the `when` of a module aux */
};

static uint64_t offset_of(const struct rdb *reader)
{
    return rdb_window_offset(&reader->window);
}

static struct bytes run_of(const struct rdb *reader, enum rdb_run_of which)
{
    return reader->window.runs[which].bytes;
}

static enum rdb_outcome item_or_lost(const struct rdb *reader)
{
    return reader->lost ? RDB_RECORD_LOST : RDB_RECORD_ITEM;
}

static void open_claim(struct rdb *reader, struct rdb_claim *claim, struct place place, uint64_t keys,
                       uint64_t expires)
{
    *claim = (struct rdb_claim){
        .open = true,
        .place = place,
        .keys = keys,
        .expires = expires,
        .keys_before = reader->keys,
        .expires_before = reader->expires,
    };
}

static void close_claim(struct rdb *reader, struct rdb_claim *claim, const char *expected)
{
    if (!claim->open)
        return;
    claim->open = false;
    uint64_t keys = reader->keys - claim->keys_before, expires = reader->expires - claim->expires_before;
    if (reader->claims_unsure || (keys == claim->keys && expires == claim->expires))
        return;
    struct damage *damage = rdb_report(reader, RDB_BAD_COUNT, claim->place, expected,
                                       "%" PRIu64 " keys (%" PRIu64 " with expiry), stated %" PRIu64 " (%" PRIu64 ")",
                                       keys, expires, claim->keys, claim->expires);
    if (damage)
        damage->resumed = offset_of(reader); /* the claim stands before what it counts */
}

static void close_slot_claim(struct rdb *reader)
{
    close_claim(reader, &reader->slot_claim, "the keys that the slot's count states");
}

static void close_claims(struct rdb *reader)
{
    close_slot_claim(reader);
    close_claim(reader, &reader->db_claim, "the keys that the database's count states");
}

/* Each function below finds the reader behind the type byte or opcode, at which item->place begins. */

static void end_prefix(struct rdb *reader)
{
    reader->has_prefix = reader->has_expiry = reader->has_idle = reader->has_freq = false;
    reader->freq = 0;
    reader->idle_s = 0;
}

void rdb_prefix_drop(struct rdb *reader, const struct rdb_item *item)
{
    if (!reader->has_prefix)
        return;
    struct place place = {.offset = reader->prefix_offset, .length = item->place.offset - reader->prefix_offset};
    rdb_report(reader, RDB_DANGLING_OPCODE, place, "a key after its expiry, idle time or frequency", "another opcode");
    end_prefix(reader);
}

/* The value, as far as the caller wants it: with RDB_VALUES it is his to read. */
static bool read_key_value(struct rdb *reader, const struct rdb_row *row, struct rdb_key *key, bool nameless)
{
    if (reader->flags == RDB_CHECK_VALUES && row->datatype == RDB_STRING && rdb_plain_value(reader)) {
        key->elements = 1;
        return true;
    }
    if (reader->flags & RDB_VALUES && !nameless)
        return rdb_value_begin(reader, row, key);
    if (reader->flags & (RDB_CHECK_VALUES | RDB_DIGEST_VALUES | RDB_COUNT_ELEMENTS))
        return rdb_value_run(reader, row, key);
    return rdb_step(reader, row->layout);
}

/* Servers take the key for expired. None of them writes such a time, which EXPIREAT makes a deletion. */
__attribute__((cold)) static void report_odd_expiry(struct rdb *reader, struct place prefix)
{
    rdb_report(reader, RDB_ODD_EXPIRY, prefix, "an expiry after 1970", "%" PRId64 " ms", reader->expire_ms);
}

/* The value to come is a string that is stored as an integer. */
static inline bool stores_integer(struct rdb *reader)
{
    enum { STRING_INTEGER = 0xc0, STRING_LZF = 0xc3 }; /* rdb_string.h: from the one up to the other */
    struct rdb_window *window = &reader->window;
    return rdb_window_need(window, 1) && *window->cursor.at >= STRING_INTEGER && *window->cursor.at < STRING_LZF;
}

/* A database has one key without a name, so what reads as two of them is a stretch of zeros. The cursor stands behind
 * such a name. False, too, at a fence behind which that is to be seen. */
__attribute__((cold)) static bool is_one_of_its_name(struct rdb *reader, uint64_t offset)
{
    enum { TO_NEXT_NAME = 3 }; /* the value, which is empty, the next type, the length of its name */
    struct rdb_window *window = &reader->window;
    if (!rdb_window_need(window, TO_NEXT_NAME)) {
        if (window->fenced && !window->ended)
            rdb_ran_out(reader);
        return !reader->stop;
    }
    struct cursor ahead = window->cursor;
    return cursor_le(&ahead, TO_NEXT_NAME) != 0 ||
           rdb_fail(reader, RDB_STOP_CORRUPT, offset, "zero bytes where a record should begin");
}

static enum rdb_outcome read_key(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    struct rdb_key *key = &item->key;
    item->kind = RDB_KEY;
    if (reader->has_prefix)
        item->place.offset = reader->prefix_offset;
    /* One by one: to clear the whole structure first is what a profile of many small keys shows. */
    key->db = reader->db;
    key->type = row->byte;
    key->type_name = row->name;
    key->datatype = row->datatype;
    key->encoding = row->encoding;
    key->has_idle = reader->has_idle;
    key->idle_s = reader->idle_s;
    key->has_freq = reader->has_freq;
    key->freq = reader->freq;
    key->elements = key->strings = key->string_bytes = 0;
    key->has_expiry = reader->has_expiry;
    key->expire_ms = reader->has_expiry ? reader->expire_ms : 0;
    key->value_length = 0;
    key->name = (struct bytes){0};
    memset(key->digest, 0, sizeof(key->digest));

    key->value_offset = offset_of(reader);
    uint64_t type_offset = key->value_offset - 1;
    if (reader->has_expiry && reader->expire_ms < 0 && reader->flags & CHECKING)
        report_odd_expiry(reader, (struct place){item->place.offset, type_offset - item->place.offset, 0});
    struct rdb_run *name = &reader->window.runs[RDB_NAME];
    name->borrowed = rdb_string_short(reader, &name->bytes);
    if (!name->borrowed && !rdb_string(reader, RDB_NAME))
        return RDB_RECORD_STOP;
    key->value_offset = offset_of(reader);
    bool nameless = reader->lost;
    bool zeros = !name->bytes.len && !row->byte && !nameless && !reader->has_prefix;
    if (zeros && !is_one_of_its_name(reader, type_offset))
        return RDB_RECORD_STOP;
    if (!row->layout) {
        if (!nameless)
            key->name = run_of(reader, RDB_NAME);
        rdb_fail(reader, RDB_STOP_UNSUPPORTED, type_offset, "type %u (%s) cannot be stepped over", row->byte,
                 row->name);
        return RDB_RECORD_STOP;
    }
    if (row->datatype == RDB_STRING && stores_integer(reader))
        key->encoding = rdb_integer_encoding;
    bool walked = read_key_value(reader, row, key, nameless);
    if (!nameless)
        key->name = run_of(reader, RDB_NAME); /* only now: it may have moved with the window */
    if (!walked)
        return RDB_RECORD_STOP;
    key->value_length = offset_of(reader) - key->value_offset;

    reader->keys++;
    reader->expires += reader->has_expiry;
    end_prefix(reader);
    return item_or_lost(reader);
}

void rdb_prefix_begin(struct rdb *reader, const struct rdb_item *item)
{
    if (!reader->has_prefix)
        reader->prefix_offset = item->place.offset;
    reader->has_prefix = true;
}

static enum rdb_outcome read_prefix(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    rdb_prefix_begin(reader, item);
    return rdb_step(reader, row->layout) ? RDB_RECORD_MORE : RDB_RECORD_STOP;
}

static enum rdb_outcome read_idle(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_begin(reader, item);
    reader->has_idle = true;
    return rdb_length(reader, &reader->idle_s) ? RDB_RECORD_MORE : RDB_RECORD_STOP;
}

static enum rdb_outcome read_freq(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_begin(reader, item);
    if (!rdb_window_need(&reader->window, 1)) {
        rdb_ran_out(reader);
        return RDB_RECORD_STOP;
    }
    reader->has_freq = true;
    reader->freq = cursor_u8(&reader->window.cursor);
    return RDB_RECORD_MORE;
}

static enum rdb_outcome read_expiry(struct rdb *reader, const struct rdb_item *item, size_t width, int64_t unit)
{
    if (reader->has_expiry)
        rdb_prefix_drop(reader, item);
    rdb_prefix_begin(reader, item);
    if (!rdb_window_need(&reader->window, width)) {
        rdb_ran_out(reader);
        return RDB_RECORD_STOP;
    }
    uint64_t raw = cursor_le(&reader->window.cursor, width);
    reader->expire_ms = width == 4 ? (int64_t)(int32_t)(uint32_t)raw * unit : (int64_t)raw * unit;
    reader->has_expiry = true;
    return RDB_RECORD_MORE;
}

static enum rdb_outcome read_expiry_seconds(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    return read_expiry(reader, item, 4, 1000);
}

static enum rdb_outcome read_expiry_ms(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    return read_expiry(reader, item, 8, 1);
}

static enum rdb_outcome read_select_db(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_drop(reader, item);
    close_claims(reader);
    uint64_t db;
    if (!rdb_number(reader, UINT32_MAX, "database", &db))
        return RDB_RECORD_STOP;
    item->kind = RDB_SELECT_DB;
    item->db = reader->db = (uint32_t)db;
    return RDB_RECORD_ITEM;
}

static struct place place_to_here(const struct rdb *reader, const struct rdb_item *item)
{
    return (struct place){.offset = item->place.offset, .length = offset_of(reader) - item->place.offset};
}

static enum rdb_outcome read_resize_db(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_drop(reader, item);
    close_claims(reader);
    item->kind = RDB_RESIZE_DB;
    item->db = reader->db;
    if (!rdb_length(reader, &item->keys) || !rdb_length(reader, &item->expires))
        return RDB_RECORD_STOP;
    open_claim(reader, &reader->db_claim, place_to_here(reader, item), item->keys, item->expires);
    return RDB_RECORD_ITEM;
}

/* Valkey's aux field slot-info: "slot,keys,expires" and perhaps more behind another comma. */
static void read_slot_aux(struct rdb *reader, const struct rdb_item *item)
{
    struct bytes slot, keys, expires, rest;
    uint64_t key_count, expire_count;
    text_split(item->value, ',', &slot, &rest);
    text_split(rest, ',', &keys, &rest);
    text_split(rest, ',', &expires, &rest);
    close_slot_claim(reader);
    if (text_u64(keys, &key_count) && text_u64(expires, &expire_count))
        open_claim(reader, &reader->slot_claim, place_to_here(reader, item), key_count, expire_count);
}

/* An aux field may stand anywhere, with KeyDB between an expiry and its key. */
static enum rdb_outcome read_aux(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    if (!rdb_string(reader, RDB_NAME) || !rdb_string(reader, RDB_VALUE))
        return RDB_RECORD_STOP;
    item->kind = RDB_AUX;
    item->name = run_of(reader, RDB_NAME);
    item->value = run_of(reader, RDB_VALUE);
    if (reader->lost)
        return RDB_RECORD_LOST;
    rdb_dialect_aux(reader, item->name, place_to_here(reader, item));
    reader->claims_unsure |= reader->dialect == RDB_DRAGONFLY || reader->dialect == RDB_KEYDB;
    if (text_is(item->name, "slot-info"))
        read_slot_aux(reader, item);
    return RDB_RECORD_ITEM;
}

static bool name_module(struct rdb *reader, uint64_t id, struct bytes *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct rdb_run *run = &reader->window.runs[RDB_NAME];
    if (!rdb_run_room(run, MODULE_NAME))
        return rdb_fail(reader, RDB_STOP_MEMORY, offset_of(reader), "out of memory");
    for (size_t i = 0; i < MODULE_NAME; i++)
        run->text[i] = (uint8_t)letters[id >> (64 - 6 * (i + 1)) & 0x3f];
    *name = (struct bytes){run->text, MODULE_NAME};
    return true;
}

static enum rdb_outcome read_module_aux(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    uint64_t id, opcode, when;
    rdb_prefix_drop(reader, item);
    item->kind = RDB_MODULE_AUX;
    if (!rdb_length(reader, &id) || !name_module(reader, id, &item->name))
        return RDB_RECORD_STOP;
    uint64_t offset = offset_of(reader);
    if (!rdb_length(reader, &opcode))
        return RDB_RECORD_STOP;
    if (opcode != MODULE_UINT) {
        rdb_fail(reader, RDB_STOP_CORRUPT, offset, "opcode %" PRIu64 " where a module aux has 2", opcode);
        return RDB_RECORD_STOP;
    }
    return rdb_length(reader, &when) && rdb_step(reader, "M") ? RDB_RECORD_ITEM : RDB_RECORD_STOP;
}

static enum rdb_outcome read_function(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    rdb_prefix_drop(reader, item);
    if (!rdb_string(reader, RDB_VALUE))
        return RDB_RECORD_STOP;
    item->kind = RDB_FUNCTION;
    item->value = run_of(reader, RDB_VALUE);
    return item_or_lost(reader);
}

/* As Redis 7.0-rc1 and -rc2 wrote it: name, engine, an optional description, code. */
static enum rdb_outcome read_function_pre_ga(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    uint64_t described;
    rdb_prefix_drop(reader, item);
    if (!rdb_string(reader, RDB_NAME) || !rdb_step(reader, "s") || !rdb_number(reader, 1, "flag", &described) ||
        (described && !rdb_step(reader, "s")) || !rdb_string(reader, RDB_VALUE))
        return RDB_RECORD_STOP;
    item->kind = RDB_FUNCTION;
    item->name = run_of(reader, RDB_NAME);
    item->value = run_of(reader, RDB_VALUE);
    return item_or_lost(reader);
}

static enum rdb_outcome read_slot_info(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    uint64_t slot;
    rdb_prefix_drop(reader, item);
    close_slot_claim(reader);
    if (!rdb_number(reader, SLOTS - 1, "slot", &slot) || !rdb_length(reader, &item->keys) ||
        !rdb_length(reader, &item->expires))
        return RDB_RECORD_STOP;
    item->kind = RDB_SLOT_INFO;
    item->slot = (uint32_t)slot;
    open_claim(reader, &reader->slot_claim, place_to_here(reader, item), item->keys, item->expires);
    return RDB_RECORD_ITEM;
}

static bool append_range(struct rdb *reader, struct rdb_run *run, size_t *used)
{
    uint64_t first, last;
    if (!rdb_number(reader, SLOTS - 1, "slot", &first) || !rdb_number(reader, SLOTS - 1, "slot", &last))
        return false;
    int len = snprintf((char *)run->text + *used, run->text_cap - *used, "%s%" PRIu64 "-%" PRIu64, *used ? " " : "",
                       first, last);
    *used += (size_t)len;
    return true;
}

static enum rdb_outcome read_slot_import(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    struct rdb_run *run = &reader->window.runs[RDB_VALUE];
    uint64_t count;
    size_t used = 0;
    rdb_prefix_drop(reader, item);
    reader->claims_unsure = true;
    if (!rdb_string(reader, RDB_NAME) || !rdb_number(reader, SLOTS, "slot ranges:", &count))
        return RDB_RECORD_STOP;
    if (!rdb_run_room(run, (size_t)count * SLOT_RANGE_TEXT + 1)) {
        rdb_fail(reader, RDB_STOP_MEMORY, offset_of(reader), "out of memory");
        return RDB_RECORD_STOP;
    }
    for (uint64_t i = 0; i < count; i++)
        if (!append_range(reader, run, &used))
            return RDB_RECORD_STOP;
    item->kind = RDB_SLOT_IMPORT;
    item->name = run_of(reader, RDB_NAME);
    item->value = (struct bytes){run->text, used};
    return item_or_lost(reader);
}

static enum rdb_outcome read_skipped(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    if (!row->layout) {
        rdb_fail(reader, RDB_STOP_UNSUPPORTED, item->place.offset, "opcode %u (%s) cannot be stepped over", row->byte,
                 row->name);
        return RDB_RECORD_STOP;
    }
    item->kind = RDB_OPCODE;
    item->name = (struct bytes){(const uint8_t *)row->name, strlen(row->name)};
    return rdb_step(reader, row->layout) ? RDB_RECORD_ITEM : RDB_RECORD_STOP;
}

/* Neither does the checksum confirm this end, nor the end of the evidence or the beginning of another dump behind it. */
static bool is_doubtful_end(struct rdb *reader)
{
    enum { CHECKSUM = 8, MAGIC = 6 };
    struct rdb_window *window = &reader->window;
    size_t room = (reader->version < FIRST_CHECKSUM ? 0 : CHECKSUM) + (reader->capture.marked ? RDB_MARK : 0);
    if (room + MAGIC > window->cap || !rdb_window_need(window, room + 1))
        return false;
    uint64_t computed = rdb_window_checksum(window);
    rdb_window_need(window, room + MAGIC);
    struct cursor ahead = window->cursor;
    uint64_t stored = reader->version < FIRST_CHECKSUM ? 0 : cursor_le64(&ahead);
    cursor_take(&ahead, reader->capture.marked ? RDB_MARK : 0);
    struct bytes behind = cursor_take(&ahead, cursor_left(&ahead));
    return (!stored || stored != computed) && !text_starts(behind, "REDIS") && !text_starts(behind, "VALKEY") &&
           !text_starts(behind, "$");
}

static enum rdb_outcome read_eof(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item)
{
    (void)row;
    if (reader->end_doubting && !reader->end_believed && !reader->bundle && is_doubtful_end(reader)) {
        item->kind = RDB_EOF;
        reader->end_doubted = true;
        rdb_fail(reader, RDB_STOP_CORRUPT, item->place.offset,
                 "an end of the dump that no checksum confirms, and more behind it");
        return RDB_RECORD_STOP;
    }
    rdb_prefix_drop(reader, item);
    item->kind = RDB_EOF;
    if (reader->bundle) {
        rdb_fail(reader, RDB_STOP_CORRUPT, item->place.offset, "the end of the dump inside a compressed blob");
        return RDB_RECORD_STOP;
    }
    item->computed_checksum = rdb_window_checksum(&reader->window);
    if (reader->version >= FIRST_CHECKSUM) {
        if (!rdb_window_need(&reader->window, 8)) {
            rdb_ran_out(reader);
            if (reader->stop == RDB_STOP_TRUNCATED)
                rdb_fail(reader, RDB_STOP_TRUNCATED, reader->stop_offset,
                         "the evidence ends inside the checksum, behind all keys");
            return RDB_RECORD_STOP;
        }
        item->stored_checksum = cursor_le64(&reader->window.cursor);
        item->has_checksum = item->stored_checksum != 0;
    }
    close_claims(reader);
    if (item->has_checksum && item->stored_checksum != item->computed_checksum) {
        struct place place = {.offset = offset_of(reader) - 8, .length = 8};
        rdb_report(reader, RDB_BAD_CHECKSUM, place, "the CRC-64 of the dump", "%016" PRIx64 ", computed %016" PRIx64,
                   item->stored_checksum, item->computed_checksum);
    }
    reader->state = RDB_AFTER_EOF;
    return RDB_RECORD_ITEM;
}

enum rdb_outcome rdb_record_end(struct rdb *reader, struct rdb_item *item)
{
    enum rdb_outcome outcome = read_eof(reader, NULL, item);
    item->place.length = offset_of(reader) - item->place.offset;
    return outcome;
}

static enum rdb_outcome (*const roles[RDB_ROLES])(struct rdb *, const struct rdb_row *, struct rdb_item *) = {
    [RDB_ROLE_EOF] = read_eof,
    [RDB_ROLE_SELECT_DB] = read_select_db,
    [RDB_ROLE_EXPIRE_SECONDS] = read_expiry_seconds,
    [RDB_ROLE_EXPIRE_MS] = read_expiry_ms,
    [RDB_ROLE_IDLE] = read_idle,
    [RDB_ROLE_FREQ] = read_freq,
    [RDB_ROLE_PREFIX] = read_prefix,
    [RDB_ROLE_RESIZE_DB] = read_resize_db,
    [RDB_ROLE_AUX] = read_aux,
    [RDB_ROLE_MODULE_AUX] = read_module_aux,
    [RDB_ROLE_FUNCTION_PRE_GA] = read_function_pre_ga,
    [RDB_ROLE_FUNCTION] = read_function,
    [RDB_ROLE_SLOT_INFO] = read_slot_info,
    [RDB_ROLE_SLOT_IMPORT] = read_slot_import,
    [RDB_ROLE_SKIP] = read_skipped,
    [RDB_ROLE_MASK] = rdb_opcode_mask,
    [RDB_ROLE_UPDATE] = rdb_opcode_update,
    [RDB_ROLE_BLOB] = rdb_bundle_begin,
    [RDB_ROLE_BLOB_END] = rdb_bundle_end,
};

enum rdb_outcome rdb_record(struct rdb *reader, struct rdb_item *item)
{
    struct rdb_window *window = &reader->window;
    for (size_t i = 0; i < RDB_RUNS; i++)
        window->runs[i].borrowed = false;
    uint64_t offset = offset_of(reader);
    if (!rdb_window_need(window, 1)) {
        *item = (struct rdb_item){.place = rdb_bundle_place(reader, (struct place){.offset = offset})};
        rdb_ran_out(reader);
        return RDB_RECORD_STOP;
    }
    __builtin_prefetch(window->cursor.at + PREFETCH_AHEAD); /* the window has this much room behind its end */
    uint8_t byte = cursor_u8(&window->cursor);
    const struct rdb_row *row = reader->rows[byte];
    enum rdb_outcome outcome = RDB_RECORD_STOP;
    if (row && row->role == RDB_ROLE_KEY) {
        item->place = (struct place){.offset = offset};
        outcome = read_key(reader, row, item);
        if (outcome == RDB_RECORD_ITEM && !reader->bundle)
            reader->last_key = item->place.offset;
    } else {
        *item = (struct rdb_item){.place.offset = offset};
        if (row)
            outcome = roles[row->role](reader, row, item);
        else
            rdb_dialect_refuse(reader, byte, offset);
    }
    item->place.length = offset_of(reader) - item->place.offset;
    if (reader->bundle) {
        item->place = rdb_bundle_place(reader, item->place);
        item->key.value_offset = item->place.offset;
    }
    return outcome;
}
