#include "tools/evidence/dump_salvage.h"

#include <inttypes.h>
#include <stdio.h>

#include "parsers/bytes/keyslot.h"

enum {
    SEEN_OFTEN = 8,                        /* keys of a slot on the average: a slot without any is not the dump's */
    SOME_SLOTS = SLOT_COUNT - SLOT_COUNT / 4, /* with more of them it proves little that one fits */
};

/* The slots of the dump, from those of the keys read so far; false while they prove nothing. */
static bool known_slots(const uint32_t *slot_keys, uint8_t bits[SLOT_COUNT / 8])
{
    uint64_t keys = 0, slots = 0;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        uint8_t bit = (uint8_t)(1U << slot % 8);
        bits[slot / 8] = (uint8_t)(slot_keys[slot] ? bits[slot / 8] | bit : bits[slot / 8] & ~bit);
        keys += slot_keys[slot];
        slots += slot_keys[slot] > 0;
    }
    return slots && slots <= SOME_SLOTS && keys / slots >= SEEN_OFTEN;
}

static bool search(struct salvage *salvage, const struct rdb_stopped *stopped, uint64_t *from,
                   uint64_t *offset)
{
    const struct scan_options *options = salvage->options;
    const uint32_t *slot_keys = options->slot_keys ? options->slot_keys(options->slots_context) : NULL;
    uint8_t bits[SLOT_COUNT / 8];
    if (!salvage->searched)
        salvage->searched = options->reopen(options->reopen_context);
    if (!salvage->resync && salvage->searched)
        salvage->resync = rdb_resync_open(salvage->searched);
    return salvage->resync &&
           rdb_resync_find(salvage->resync, stopped, slot_keys && known_slots(slot_keys, bits) ? bits : NULL, from, offset);
}

/* The evidence from `offset` on, or NULL. */
static struct source *open_at(const struct salvage *salvage, uint64_t offset)
{
    struct source *source = salvage->options->reopen(salvage->options->reopen_context);
    if (source && source_skip(source, offset))
        return source;
    source_close(source);
    return NULL;
}

static bool may_go_on(const struct salvage *salvage)
{
    uint64_t left;
    bool quick = !salvage->searched || source_left(salvage->searched, &left);
    return salvage->options->reopen && salvage->losses < (quick ? SALVAGE_LOSSES : SALVAGE_REREAD);
}

/* A length beyond the end is a lie when records follow it. */
static struct scan_end got_over(const struct scan_end *end, uint64_t record)
{
    struct scan_end said = *end;
    if (end->stop == RDB_STOP_TRUNCATED) {
        said.stop = RDB_STOP_CORRUPT;
        said.offset = record;
        snprintf(said.why, sizeof(said.why), "a length that reaches beyond the end");
    }
    return said;
}

static void describe(struct salvage_loss *loss, const struct rdb_stopped *stopped, const struct scan_end *said,
                     uint64_t from, uint64_t offset)
{
    bool unsupported = said->stop == RDB_STOP_UNSUPPORTED && from == stopped->record;
    uint64_t length = offset - from;
    snprintf(loss->found, sizeof(loss->found), "%" PRIu64 " byte%s skipped: %s (offset %" PRIu64 ")", length,
             length == 1 ? "" : "s", said->why, said->offset);
    loss->key = from == stopped->record ? stopped->key : (struct bytes){0};
    loss->damage = (struct damage){
        .place = {.offset = from, .length = length},
        .code = unsupported ? RDB_UNREAD_BYTES : RDB_LOST_BYTES,
        .expected = unsupported ? "a record that can be stepped over" : "a record that can be read",
        .found = loss->found,
        .resumed = offset,
    };
}

bool salvage_next(struct salvage *salvage, struct rdb *reader, const struct rdb_stopped *stopped,
                  const struct scan_end *end, struct salvage_loss *loss)
{
    uint64_t from, offset;
    if (!may_go_on(salvage) || !search(salvage, stopped, &from, &offset))
        return false;
    struct source *source = open_at(salvage, offset);
    if (!source)
        return false;
    struct scan_end said = got_over(end, stopped->record);
    describe(loss, stopped, &said, from, offset);
    rdb_resume(reader, source, offset, &stopped->carry, rdb_resync_checksum(salvage->resync));
    source_close(salvage->read);
    salvage->read = source;
    if (!salvage->losses++)
        salvage->first = said;
    salvage->lost_bytes += loss->damage.place.length;
    return true;
}

void salvage_tell(const struct salvage *salvage, struct scan_end *end)
{
    end->losses = salvage->losses;
    end->lost_bytes = salvage->lost_bytes;
    end->first_stop = salvage->first.stop;
    end->first_offset = salvage->first.offset;
    end->first_key = salvage->first.key;
    snprintf(end->first_why, sizeof(end->first_why), "%s", salvage->first.why);
}

void salvage_close(struct salvage *salvage)
{
    rdb_resync_close(salvage->resync);
    source_close(salvage->searched);
    source_close(salvage->read);
}
