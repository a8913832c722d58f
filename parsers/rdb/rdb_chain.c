#include "parsers/rdb/rdb_chain.h"

#include <xxhash.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb_private.h"
#include "parsers/rdb/rdb_resync.h"

enum {
    STREAM_ID = 16,   /* bytes */
    NAME_MOST = 1024, /* of the key that begins a chain */
    CHAIN = 64,       /* keys whose names are compared */
    NAME_LEAST = 8,   /* bytes of a name that is no text but evidence */
    DB_MOST = 1 << 14, /* more databases than anybody has */
};

/* What one thing is worth; rdb_resync.h tells why. */
enum { BITS_RECORD = 6, BITS_INTEGER = 2, BITS_NAME_MOST = 16, BITS_SLOT = 8, BITS_END = 32 };

/* Before this year no server wrote an expiry, and nobody means one behind the other; milliseconds. */
static const uint64_t EXPIRY_FIRST = UINT64_C(946684800000), EXPIRY_LAST = UINT64_C(7258118400000);

void rdb_carry_forget(struct rdb_carry *carry)
{
    carry->db_claim.open = carry->slot_claim.open = false;
    carry->has_prefix = carry->has_expiry = carry->has_idle = carry->has_freq = false;
    carry->freq = 0;
    carry->idle_s = 0;
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

bool rdb_chain_may_begin(const struct rdb *reader, struct cursor cursor, bool *text)
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

void rdb_chain_pass_idle(const struct rdb *reader, struct cursor *cursor, size_t keep)
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
                      struct rdb_chain *chain)
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

struct rdb_chain rdb_chain_follow(struct rdb *reader, const struct rdb_carry *carry, const struct rdb_chain_view *view,
                                  const uint8_t *slots)
{
    struct rdb_part part = {.bytes = view->bytes, .offset = 0, .carry = *carry};
    struct rdb_chain chain = {0};
    struct names names = {.count = 0};
    struct rdb_item item;
    enum parse_step step = PARSE_ITEM;
    int stated_slot = -1;
    bool ok = true;
    rdb_carry_forget(&part.carry);
    rdb_bundle_drop(reader);
    rdb_read_part(reader, &part);
    while (ok && !chain.at_end && !chain.stored &&
           (chain.bits < view->bits || chain.keys < RDB_CHAIN_KEYS || chain.end <= view->past)) {
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
            chain.work += item.key.type == 0 && item.place.length > RDB_CHAIN_NEAR ? RDB_CHAIN_NEAR : item.place.length;
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

bool rdb_chain_is_enough(const struct rdb_chain *chain)
{
    return chain->bits >= RDB_CHAIN_ENOUGH && chain->keys >= (chain->at_end ? 1 : RDB_CHAIN_KEYS) &&
           !chain->strange_first;
}

unsigned rdb_resync_weigh(struct bytes at, const struct rdb_carry *carry)
{
    struct rdb *reader = rdb_open_parts(RDB_CHECK_VALUES);
    struct rdb_chain chain = {0};
    bool text;
    if (!reader)
        return 0;
    rdb_carry_to(reader, carry);
    if (rdb_chain_may_begin(reader, cursor_over(at), &text))
        chain = rdb_chain_follow(reader, carry, &(struct rdb_chain_view){at, false, 0, UINT32_MAX}, NULL);
    rdb_close(reader);
    return chain.strange_first ? 0 : chain.bits;
}
