#include "parsers/rdb/rdb_resync.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/crc64.h"
#include "parsers/rdb/rdb_chain.h"
#include "parsers/rdb/rdb_private.h"

enum {
    CAP = 16 * 1024 * 1024,
    AHEAD = CAP / 2, /* what a chain may need; less only at the end of the evidence */
    FARTHER = 16,    /* after the first look, each other is so many times as far */
    STORED = 2 * 1024 * 1024, /* a dump in a value of this size is seen */
    BETTER = 8,      /* bits, by which a chain inside the first record of another has to lead */
    WEAK = 16,       /* bits of a first record that chance may have made: a name of some characters */
    BROKEN = 4,      /* times RDB_CHAIN_ENOUGH, that a chain has to be worth which further damage ends */
    WORK_FIRST = 64 * 1024 * 1024,
    WORK_EACH = 4,
    WORK_TRY = 32, /* what it takes to look at all */
};

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

void rdb_resume(struct rdb *reader, struct source *source, uint64_t offset, const struct rdb_carry *carry,
                uint64_t checksum)
{
    struct rdb_carry known = *carry;
    rdb_carry_forget(&known);
    rdb_bundle_drop(reader);
    reader->stop = RDB_STOP_NONE;
    reader->damage_count = reader->damage_next = 0;
    reader->item_waits = reader->end_doubted = false;
    reader->last_key = 0;
    reader->value.state = RDB_VALUE_NONE;
    rdb_window_restart(&reader->window, source, offset, checksum);
    rdb_carry_to(reader, &known);
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

/* Bytes from `offset` on, which is not before the buffer, AHEAD of them where the evidence has so many. Empty at its
 * end. */
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
static struct rdb_chain attempt(struct rdb_resync *resync, const struct rdb_carry *carry, struct bytes bytes,
                                const uint8_t *slots, uint64_t past, bool text)
{
    struct rdb_chain chain;
    size_t most = RDB_CHAIN_NEAR;
    bool whole, farther;
    do {
        struct rdb_chain_view view = {first_of(bytes, most), false, past, RDB_CHAIN_ENOUGH};
        whole = view.bytes.len == bytes.len;
        view.last = whole && resync->ended;
        chain = rdb_chain_follow(resync->reader, carry, &view, slots);
        resync->work += chain.work + WORK_TRY;
        most *= FARTHER;
        farther = chain.ran_out && (chain.end <= past || !rdb_chain_is_enough(&chain)) && (text || chain.keys);
    } while (!whole && farther && resync->work < resync->allowed);
    return chain;
}

/* Whether a chain inside the first record of another shows that record to be chance. It does not come to the same end
 * where further damage is between. */
static bool is_better(const struct rdb_chain *inner, const struct rdb_chain *outer, uint64_t end)
{
    if (inner->strange_first)
        return false;
    if (inner->end == end)
        return inner->bits >= outer->bits + BETTER;
    return outer->first_bits < WEAK && !inner->stored && rdb_chain_is_enough(inner) && inner->bits > outer->bits &&
           inner->bits >= BROKEN * RDB_CHAIN_ENOUGH;
}

/* The first record of a chain may be chance, with a length that swallows records up to the next sound one: better
 * chains that begin inside of it are to be preferred. Gives how far behind the start of `bytes` the one of those that
 * begins first does, or 0. */
static uint64_t inner_start(struct rdb_resync *resync, const struct rdb_carry *carry, struct bytes bytes,
                            const uint8_t *slots, uint64_t past, struct rdb_chain *outer)
{
    struct cursor cursor = cursor_over(bytes);
    bool text;
    cursor_take(&cursor, 1);
    while (cursor_offset(&cursor) < outer->first_end && resync->work < resync->allowed) {
        rdb_chain_pass_idle(resync->reader, &cursor, 1);
        uint64_t start = cursor_offset(&cursor);
        struct cursor here = cursor;
        cursor_take(&cursor, 1);
        if (start >= outer->first_end || start == past || !rdb_chain_may_begin(resync->reader, here, &text) || !text)
            continue;
        uint64_t length = outer->end - start, beyond = start < past ? past - start : 0;
        size_t most = outer->at_end ? cursor_left(&here) : (size_t)length;
        const struct rdb_chain_view view = {cursor_take(&here, most), outer->at_end, beyond, UINT32_MAX};
        struct rdb_chain chain = rdb_chain_follow(resync->reader, carry, &view, slots);
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
    const struct rdb_chain_view view = {near, resync->ended && near.len == bytes.len, 0, UINT32_MAX};
    struct rdb_chain chain = rdb_chain_follow(resync->reader, carry, &view, NULL);
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
            rdb_chain_pass_idle(resync->reader, &cursor, keep + 1);
            struct cursor here = cursor;
            uint64_t at = start + cursor_offset(&cursor), end;
            uint64_t past = at < record ? record - at : 0;
            resync->allowed += WORK_EACH;
            cursor_take(&cursor, 1);
            if (at == record || resync->work >= resync->allowed || !rdb_chain_may_begin(resync->reader, here, &text))
                continue;
            struct bytes ahead = cursor_take(&here, cursor_left(&here));
            struct rdb_chain chain = attempt(resync, &stopped->carry, ahead, slots, past, text);
            if (past && chain.end <= past) {
                /* Records in a value: what begins at the next of them comes to the same end. */
                next = chain.keys >= RDB_CHAIN_KEYS ? at + chain.end : 0;
                continue;
            }
            if (!rdb_chain_is_enough(&chain))
                continue;
            bool is_value = ends_early(resync, &stopped->carry, ahead, &end, &broken);
            uint64_t inner;
            if (broken < RDB_CHAIN_ENOUGH * (stopped->truncated ? BROKEN : 2))
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
