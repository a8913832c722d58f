#include "parsers/rdb/rdb_resync.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "parsers/bytes/crc64.h"
#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_private.h"

enum {
    CAP = 16 * 1024 * 1024,
    AHEAD = CAP / 2,   /* what a chain may need; less only at the end of the evidence */
    NEAR = 1024,       /* the first look ... */
    STREAM_ID = 16,    /* bytes */
    FARTHER = 16,      /* ... and each other is so many times as far */
    STORED = 2 * 1024 * 1024, /* a dump in a value of this size is seen */
    NAME_MOST = 1024,  /* of the key that begins a chain */
    CHAIN = 64,        /* keys whose names are compared */
    ENOUGH = 48,       /* bits */
    ENOUGH_KEYS = 3,
    NAME_LEAST = 8,    /* bytes of a name that is no text but evidence */
    BETTER = 8,        /* bits, by which a chain inside the first record of another has to lead */
    WEAK = 16,         /* bits of a first record that chance may have made: a name of some characters */
    BROKEN = 4,        /* times ENOUGH, that a chain has to be worth which further damage ends */
    WORK_FIRST = 64 * 1024 * 1024,
    WORK_EACH = 4,
    WORK_TRY = 32, /* what it takes to look at all */
    DB_MOST = 1 << 14, /* more databases than anybody has */
};

/* What one thing is worth; rdb_resync.h tells why. */
enum { BITS_RECORD = 6, BITS_INTEGER = 2, BITS_NAME_MOST = 16, BITS_SLOT = 8, BITS_END = 32 };

/* Before this year no server wrote an expiry, and nobody means one behind the other; milliseconds. */
static const uint64_t EXPIRY_FIRST = UINT64_C(946684800000), EXPIRY_LAST = UINT64_C(7258118400000);

struct rdb_resync {
    struct source *source;
    uint8_t *buffer; /* CAP bytes and RDB_PART_ROOM */
    size_t len;
    uint64_t base; /* offset of the buffer */
    bool ended;
    uint64_t sum;      /* CRC-64 up to the buffer */
    uint64_t sum_from; /* the magic */
    uint64_t checksum; /* up to what was found last */
    uint64_t work, allowed; /* bytes of values looked at */
    struct rdb *reader;
};

/* Records that follow each other. */
struct chain {
    unsigned bits, keys;
    unsigned first_bits; /* what its first key is worth */
    bool strange_first; /* its first name is no text, and all others are */
    bool at_end;        /* the end of the dump follows, and nothing behind it */
    bool stored;        /* the end of a dump follows, and more behind it */
    bool ran_out;       /* of bytes to look at */
    uint64_t first_end; /* offset in what was looked at, behind its first key */
    uint64_t end;       /* ... and behind its last record */
    uint64_t work;
};

bool rdb_stopped(const struct rdb *reader, struct rdb_stopped *stopped)
{
    bool content = reader->stop == RDB_STOP_TRUNCATED || reader->stop == RDB_STOP_CORRUPT ||
                   reader->stop == RDB_STOP_UNSUPPORTED;
    if (!content || reader->state != RDB_AT_RECORD)
        return false;
    rdb_carry_from(reader, &stopped->carry);
    stopped->truncated = reader->stop == RDB_STOP_TRUNCATED;
    stopped->record = reader->waiting.place.offset;
    if (reader->has_prefix && !reader->bundle && reader->prefix_offset < stopped->record)
        stopped->record = reader->prefix_offset;
    stopped->last_key = reader->last_key < stopped->record ? reader->last_key : 0;
    stopped->key = reader->waiting.kind == RDB_KEY ? reader->waiting.key.name : (struct bytes){0};
    return true;
}

void rdb_doubt_end(struct rdb *reader)
{
    reader->end_doubting = true;
}

bool rdb_believe_end(struct rdb *reader)
{
    if (!reader->end_doubted)
        return false;
    reader->end_believed = true;
    reader->stop = RDB_STOP_NONE;
    return true;
}

static void forget(struct rdb_carry *carry)
{
    carry->db_claim.open = carry->slot_claim.open = false;
    carry->has_prefix = carry->has_expiry = carry->has_idle = carry->has_freq = false;
    carry->freq = 0;
    carry->idle_s = 0;
}

void rdb_resume(struct rdb *reader, struct source *source, uint64_t offset, const struct rdb_carry *carry,
                uint64_t checksum)
{
    struct rdb_carry known = *carry;
    forget(&known);
    rdb_bundle_drop(reader);
    reader->stop = RDB_STOP_NONE;
    reader->damage_count = reader->damage_next = 0;
    reader->item_waits = reader->end_doubted = false;
    reader->last_key = 0;
    reader->value.state = RDB_VALUE_NONE;
    rdb_window_restart(&reader->window, source, offset, checksum);
    rdb_carry_to(reader, &known);
}

/* ---------------------------------------------------------------- what may begin a chain */

/* UTF-8 in its shortest form without control characters. */
static bool is_text(struct bytes bytes)
{
    struct cursor cursor = cursor_over(bytes);
    while (cursor_left(&cursor)) {
        uint8_t first = cursor_u8(&cursor);
        if (first < 0x20 || first == 0x7f || (first >= 0x80 && first < 0xc2) || first > 0xf4)
            return false;
        unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        for (unsigned i = 0; i < more; i++)
            if ((cursor_u8(&cursor) & 0xc0) != 0x80)
                return false;
    }
    return bytes.len && cursor_ok(&cursor);
}

static bool quick_length(struct cursor *cursor, uint64_t *value)
{
    uint8_t first = cursor_u8(cursor);
    if (first < 0x40)
        *value = first;
    else if (first < 0x80)
        *value = (uint64_t)(first & 0x3f) << 8 | cursor_u8(cursor);
    else if (first == 0x80)
        *value = cursor_be32(cursor);
    else
        return false;
    return true;
}

/* A key's name, of which at least the length looks like one. */
static bool may_be_name(struct cursor cursor, bool *text)
{
    uint64_t length;
    uint8_t first = cursor_left(&cursor) ? *cursor.at : 0;
    *text = false;
    if (first >= 0xc0)
        return first <= 0xc3; /* an integer, or compressed */
    if (!quick_length(&cursor, &length) || !length || length > NAME_MOST)
        return false;
    *text = is_text(cursor_take(&cursor, (size_t)length));
    return cursor_ok(&cursor);
}

/* Streams are the costliest to be wrong about: the first of their nodes has a name of 16 bytes, or there is none. */
static bool may_be_stream(struct cursor cursor)
{
    uint64_t length, nodes, next;
    if (!cursor_left(&cursor) || *cursor.at >= 0xc0)
        return true;
    quick_length(&cursor, &length);
    cursor_take(&cursor, (size_t)length);
    return quick_length(&cursor, &nodes) && quick_length(&cursor, &next) && next == (nodes ? STREAM_ID : 0);
}

static bool may_be_expiry(uint64_t ms)
{
    return ms >= EXPIRY_FIRST && ms < EXPIRY_LAST;
}

/* Whether a record may begin at the cursor; `text`: with a name that is text. Opcodes of keys are passed over. What is
 * no part of a key may begin a chain only where it says something of what follows. */
static bool may_begin(const struct rdb *reader, struct cursor cursor, bool *text)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t value, other;
        const struct rdb_row *row = cursor_left(&cursor) ? reader->rows[cursor_u8(&cursor)] : NULL;
        *text = true;
        if (!row)
            return false;
        switch ((enum rdb_role)row->role) {
        case RDB_ROLE_KEY:
            return row->layout && may_be_name(cursor, text) && (row->datatype != RDB_STREAM || may_be_stream(cursor));
        case RDB_ROLE_EXPIRE_MS:
            if (!may_be_expiry(cursor_le64(&cursor)))
                return false;
            break;
        case RDB_ROLE_EXPIRE_SECONDS:
            if (!may_be_expiry(cursor_le32(&cursor) * UINT64_C(1000)))
                return false;
            break;
        case RDB_ROLE_FREQ:
            cursor_take(&cursor, 1);
            break;
        case RDB_ROLE_IDLE:
            if (!quick_length(&cursor, &value))
                return false;
            break;
        case RDB_ROLE_SELECT_DB: /* servers state the counts behind it since version 7 */
            if (!quick_length(&cursor, &value) || value >= DB_MOST)
                return false;
            return reader->version < 7 || (cursor_left(&cursor) && reader->rows[*cursor.at] &&
                                           reader->rows[*cursor.at]->role == RDB_ROLE_RESIZE_DB);
        case RDB_ROLE_SLOT_INFO:
            return quick_length(&cursor, &value) && value < SLOT_COUNT && quick_length(&cursor, &other) && other;
        case RDB_ROLE_AUX:
            return may_be_name(cursor, text) && *text;
        case RDB_ROLE_BLOB:
        case RDB_ROLE_MASK:
            return true;
        default:
            return false;
        }
    }
    return false;
}

/* Past bytes that begin nothing here. */
static void pass_idle(const struct rdb *reader, struct cursor *cursor, size_t keep)
{
    size_t left = cursor_left(cursor), count = 0;
    const uint8_t *at = cursor->at;
    while (count + keep < left && !reader->rows[at[count]])
        count++;
    cursor_take(cursor, count);
}

/* ---------------------------------------------------------------- following a chain */

static bool has_bit(const uint8_t *bits, unsigned number)
{
    return bits[number / 8] >> number % 8 & 1;
}

struct names {
    uint64_t prints[CHAIN];
    unsigned count, text;
    bool first_is_text;
    bool first_is_marked; /* with idle time or frequency, which servers write for each key or for none */
};

/* Of a text, no more than `most`. */
static unsigned characters(struct bytes text, unsigned most)
{
    struct cursor cursor = cursor_over(text);
    unsigned count = 0;
    while (cursor_left(&cursor) && count < most)
        count += (cursor_u8(&cursor) & 0xc0) != 0x80;
    return count;
}

/* Numbers of programs stand in tables as if in records: few bytes, or zeros beside each other. */
static bool is_number(struct bytes name)
{
    if (name.len < NAME_LEAST)
        return true;
    struct cursor cursor = cursor_over(name);
    for (uint8_t byte = 1, before; cursor_left(&cursor);) {
        before = byte;
        byte = cursor_u8(&cursor);
        if (!before && !byte)
            return true;
    }
    return false;
}

/* Stored in 2 to 5 bytes: lists of them look like records. */
static bool is_integer(struct bytes name)
{
    int64_t value;
    return text_i64(name, &value) && value >= INT32_MIN && value <= INT32_MAX;
}

/* A key of a chain: what it is worth, or false when it cannot stand there. */
static bool weigh_key(const struct rdb_key *key, const uint8_t *slots, int stated_slot, struct names *names,
                      struct chain *chain)
{
    uint64_t print = XXH3_64bits_withSeed(key->name.at, key->name.len, key->db);
    unsigned kept = names->count < CHAIN ? names->count : CHAIN;
    if (key->has_expiry && !may_be_expiry((uint64_t)key->expire_ms))
        return false;
    for (unsigned i = 0; i < kept; i++)
        if (names->prints[i] == print)
            return false;
    unsigned slot = slots || stated_slot >= 0 ? keyslot(key->name) : 0;
    if ((slots && !has_bit(slots, slot)) || (stated_slot >= 0 && slot != (unsigned)stated_slot))
        return false;
    bool text = is_text(key->name);
    if (!names->count && !key->name.len)
        return false;
    if (names->count == 1 && names->first_is_marked && !key->has_idle && !key->has_freq) {
        chain->bits = 0;
        return false;
    }
    if (!names->count) {
        names->first_is_text = text;
        names->first_is_marked = key->has_idle || key->has_freq;
    }
    names->text += text;
    names->prints[names->count++ % CHAIN] = print;
    chain->keys++;
    if (!key->name.len)
        return true;
    bool integer = text && is_integer(key->name);
    chain->bits += stated_slot >= 0 ? BITS_SLOT : 0;
    if (integer)
        chain->bits += BITS_INTEGER;
    else
        chain->bits += text || !is_number(key->name) ? BITS_RECORD : 0;
    if (text && !integer)
        chain->bits += characters(key->name, BITS_NAME_MOST);
    return true;
}

/* What a chain may say of itself without being contradicted: counts that began before it, and the checksum, which
 * nobody has computed. */
static bool is_harmless(unsigned code)
{
    return code == RDB_BAD_COUNT || code == RDB_BAD_CHECKSUM || code == RDB_NEWER_VERSION;
}

/* What is looked at, and how far. */
struct view {
    struct bytes bytes;
    bool last;     /* the evidence ends where they do */
    uint64_t past; /* a chain has to lead past this and must not come to it; 0 for nothing */
    unsigned bits; /* nobody needs more */
};

/* Reads records from the start of what is looked at. */
static struct chain follow(struct rdb *reader, const struct rdb_carry *carry, const struct view *view,
                           const uint8_t *slots)
{
    struct rdb_part part = {.bytes = view->bytes, .offset = 0, .carry = *carry};
    struct chain chain = {0};
    struct names names = {.count = 0};
    struct rdb_item item;
    enum parse_step step = PARSE_ITEM;
    int stated_slot = -1;
    bool ok = true;
    forget(&part.carry);
    rdb_bundle_drop(reader);
    rdb_read_part(reader, &part);
    while (ok && !chain.at_end && !chain.stored &&
           (chain.bits < view->bits || chain.keys < ENOUGH_KEYS || chain.end <= view->past)) {
        step = rdb_next(reader, &item);
        if (step == PARSE_DAMAGE)
            ok = is_harmless(rdb_damage(reader)->code);
        if (step == PARSE_DAMAGE)
            continue;
        if (step != PARSE_ITEM)
            break;
        uint64_t end = item.place.offset + item.place.length; /* of a blob, that of all of it */
        switch (item.kind) {
        case RDB_KEY:
            ok = weigh_key(&item.key, slots, stated_slot, &names, &chain);
            chain.first_end = names.count == 1 ? end : chain.first_end;
            chain.first_bits = names.count == 1 ? chain.bits : chain.first_bits;
            chain.work += item.key.type == 0 && item.place.length > NEAR ? NEAR : item.place.length;
            break;
        case RDB_SELECT_DB:
            ok = item.db < DB_MOST;
            stated_slot = -1;
            break;
        case RDB_SLOT_INFO:
            stated_slot = (int)item.slot;
            break;
        case RDB_AUX:
            ok = is_text(item.name);
            break;
        case RDB_EOF:
            chain.at_end = view->last && view->bytes.len - end == (carry->marked ? RDB_MARK : 0);
            chain.stored = !chain.at_end;
            chain.bits += chain.at_end ? BITS_END : 0;
            break;
        default:
            break;
        }
        if (ok)
            chain.end = end;
        ok = ok && !(view->past && end == view->past);
    }
    /* A record that was begun: what of it was walked over. */
    uint64_t here = reader->bundle ? chain.end : rdb_window_offset(&reader->window);
    chain.work += here > chain.end ? here - chain.end : 0;
    rdb_carry_to(reader, &part.carry); /* an aux field may have changed what bytes mean */
    chain.ran_out = step == PARSE_END || (step == PARSE_STOP && rdb_stop(reader) == RDB_STOP_TRUNCATED);
    chain.strange_first = names.count && !names.first_is_text && names.text + 1 == names.count && names.count > 2;
    return chain;
}

static bool is_enough(const struct chain *chain)
{
    return chain->bits >= ENOUGH && chain->keys >= (chain->at_end ? 1 : ENOUGH_KEYS) && !chain->strange_first;
}

unsigned rdb_resync_weigh(struct bytes at, const struct rdb_carry *carry)
{
    struct rdb *reader = rdb_open_parts(RDB_CHECK_VALUES);
    struct chain chain = {0};
    bool text;
    if (!reader)
        return 0;
    rdb_carry_to(reader, carry);
    if (may_begin(reader, cursor_over(at), &text))
        chain = follow(reader, carry, &(struct view){at, false, 0, UINT32_MAX}, NULL);
    rdb_close(reader);
    return chain.strange_first ? 0 : chain.bits;
}

/* ---------------------------------------------------------------- moving over the evidence */

struct rdb_resync *rdb_resync_open(struct source *source)
{
    struct rdb_resync *resync = calloc(1, sizeof(*resync));
    if (!resync)
        return NULL;
    resync->source = source;
    resync->buffer = malloc(CAP + RDB_PART_ROOM);
    resync->reader = rdb_open_parts(RDB_CHECK_VALUES);
    if (resync->reader)
        resync->reader->mute = true;
    if (resync->buffer && resync->reader)
        return resync;
    rdb_resync_close(resync);
    return NULL;
}

void rdb_resync_close(struct rdb_resync *resync)
{
    if (!resync)
        return;
    rdb_close(resync->reader);
    free(resync->buffer);
    free(resync);
}

/* The checksum of what stands in the buffer before `end`, which is an index, behind that of what was dropped. */
static uint64_t sum_to(const struct rdb_resync *resync, size_t end)
{
    uint64_t skip = resync->sum_from > resync->base ? resync->sum_from - resync->base : 0;
    struct cursor cursor = cursor_over((struct bytes){resync->buffer, end});
    if (skip >= end)
        return resync->sum;
    cursor_take(&cursor, (size_t)skip);
    return crc64(resync->sum, cursor_take(&cursor, cursor_left(&cursor)));
}

uint64_t rdb_resync_checksum(const struct rdb_resync *resync)
{
    return resync->checksum;
}

static void drop(struct rdb_resync *resync, size_t count)
{
    resync->sum = sum_to(resync, count);
    resync->len -= count;
    resync->base += count;
    memmove(resync->buffer, resync->buffer + count, resync->len);
}

static void fill(struct rdb_resync *resync)
{
    while (!resync->ended && resync->len < CAP) {
        size_t got = source_read(resync->source, resync->buffer + resync->len, CAP - resync->len);
        resync->len += got;
        resync->ended = !got;
    }
}

/* Bytes from `offset` on, which is not before the buffer, AHEAD of them where the evidence has so many. Empty at its end. */
static struct bytes look(struct rdb_resync *resync, uint64_t offset)
{
    while (offset >= resync->base + resync->len && !(resync->ended && resync->len == 0)) {
        drop(resync, resync->len);
        fill(resync);
    }
    if (resync->len == 0)
        return (struct bytes){0};
    size_t at = (size_t)(offset - resync->base);
    if (resync->len - at < AHEAD && !resync->ended) {
        drop(resync, at);
        fill(resync);
        at = 0;
    }
    struct cursor cursor = cursor_over((struct bytes){resync->buffer, resync->len});
    cursor_take(&cursor, at);
    return cursor_take(&cursor, cursor_left(&cursor));
}

static struct bytes first_of(struct bytes bytes, size_t most)
{
    struct cursor cursor = cursor_over(bytes);
    return cursor_take(&cursor, bytes.len < most ? bytes.len : most);
}

/* Looks near first and farther while nothing is wrong: most of what is none is seen soon. */
static struct chain attempt(struct rdb_resync *resync, const struct rdb_carry *carry, struct bytes bytes,
                            const uint8_t *slots, uint64_t past, bool text)
{
    struct chain chain;
    size_t most = NEAR;
    bool whole, farther;
    do {
        struct view view = {first_of(bytes, most), false, past, ENOUGH};
        whole = view.bytes.len == bytes.len;
        view.last = whole && resync->ended;
        chain = follow(resync->reader, carry, &view, slots);
        resync->work += chain.work + WORK_TRY;
        most *= FARTHER;
        farther = chain.ran_out && (chain.end <= past || !is_enough(&chain)) && (text || chain.keys);
    } while (!whole && farther && resync->work < resync->allowed);
    return chain;
}

/* Whether a chain inside the first record of another shows that record to be chance. It does not come to the same end
 * where further damage is between. */
static bool is_better(const struct chain *inner, const struct chain *outer, uint64_t end)
{
    if (inner->strange_first)
        return false;
    if (inner->end == end)
        return inner->bits >= outer->bits + BETTER;
    return outer->first_bits < WEAK && !inner->stored && is_enough(inner) && inner->bits > outer->bits &&
           inner->bits >= BROKEN * ENOUGH;
}

/* The first record of a chain may be chance, with a length that swallows records up to the next sound one: better
 * chains that begin inside of it are to be preferred. Gives how far behind the start of `bytes` the one of those that
 * begins first does, or 0. */
static uint64_t inner_start(struct rdb_resync *resync, const struct rdb_carry *carry, struct bytes bytes,
                            const uint8_t *slots, uint64_t past, struct chain *outer)
{
    struct cursor cursor = cursor_over(bytes);
    bool text;
    cursor_take(&cursor, 1);
    while (cursor_offset(&cursor) < outer->first_end && resync->work < resync->allowed) {
        pass_idle(resync->reader, &cursor, 1);
        uint64_t start = cursor_offset(&cursor);
        struct cursor here = cursor;
        cursor_take(&cursor, 1);
        if (start >= outer->first_end || start == past || !may_begin(resync->reader, here, &text) || !text)
            continue;
        uint64_t length = outer->end - start, beyond = start < past ? past - start : 0;
        size_t most = outer->at_end ? cursor_left(&here) : (size_t)length;
        const struct view view = {cursor_take(&here, most), outer->at_end, beyond, UINT32_MAX};
        struct chain chain = follow(resync->reader, carry, &view, slots);
        resync->work += chain.work + WORK_TRY;
        if (!is_better(&chain, outer, length))
            continue;
        *outer = chain;
        return start;
    }
    return 0;
}

/* A dump that was stored as a value: it ends while the evidence goes on. `end` counts from the chain's start.
 * `broken`: what the chain is worth up to a contradiction. */
static bool ends_early(struct rdb_resync *resync, const struct rdb_carry *carry, struct bytes bytes, uint64_t *end,
                       unsigned *broken)
{
    struct bytes near = first_of(bytes, STORED);
    const struct view view = {near, resync->ended && near.len == bytes.len, 0, UINT32_MAX};
    struct chain chain = follow(resync->reader, carry, &view, NULL);
    *end = chain.stored ? chain.end : 0;
    *broken = chain.stored || chain.at_end || chain.ran_out ? UINT32_MAX : chain.bits;
    return chain.stored;
}

bool rdb_resync_find(struct rdb_resync *resync, const struct rdb_stopped *stopped, const uint8_t *slots,
                     uint64_t *from, uint64_t *offset)
{
    uint64_t record = stopped->record, first = (stopped->last_key ? stopped->last_key : record) + 1;
    uint64_t start = first > resync->base ? first : resync->base;
    bool has_value = false, text;
    unsigned broken;
    struct bytes bytes;
    resync->sum_from = stopped->carry.dump;
    resync->work = 0;
    resync->allowed = WORK_FIRST;
    rdb_carry_to(resync->reader, &stopped->carry);
    while ((bytes = look(resync, start)).len) {
        struct cursor cursor = cursor_over(bytes);
        uint64_t next = 0; /* offset, behind what is known to be none */
        size_t keep = resync->ended ? 0 : AHEAD;
        while (!next && cursor_left(&cursor) && cursor_left(&cursor) >= keep) {
            pass_idle(resync->reader, &cursor, keep + 1);
            struct cursor here = cursor;
            uint64_t at = start + cursor_offset(&cursor), end;
            uint64_t past = at < record ? record - at : 0;
            resync->allowed += WORK_EACH;
            cursor_take(&cursor, 1);
            if (at == record || resync->work >= resync->allowed || !may_begin(resync->reader, here, &text))
                continue;
            struct bytes ahead = cursor_take(&here, cursor_left(&here));
            struct chain chain = attempt(resync, &stopped->carry, ahead, slots, past, text);
            if (past && chain.end <= past) {
                /* Records in a value: what begins at the next of them comes to the same end. */
                next = chain.keys >= ENOUGH_KEYS ? at + chain.end : 0;
                continue;
            }
            if (!is_enough(&chain))
                continue;
            bool is_value = ends_early(resync, &stopped->carry, ahead, &end, &broken);
            uint64_t inner;
            if (broken < ENOUGH * (stopped->truncated ? BROKEN : 2))
                continue;
            while (!is_value && (inner = inner_start(resync, &stopped->carry, ahead, slots, past, &chain))) {
                at += inner;
                past = at < record ? record - at : 0;
                cursor_take(&cursor, (size_t)inner);
                here = cursor_over(ahead);
                cursor_take(&here, (size_t)inner);
                ahead = cursor_take(&here, cursor_left(&here));
            }
            if (!is_value || !has_value) {
                resync->checksum = sum_to(resync, (size_t)(at - resync->base));
                *from = at < record ? stopped->last_key : record;
                *offset = at;
            }
            if (!is_value)
                return true;
            has_value = true;
            next = at + end;
        }
        start = next ? next : start + cursor_offset(&cursor);
    }
    return has_value;
}
