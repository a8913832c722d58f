#include "tools/evidence/dump_batch.h"

#include <stdlib.h>
#include <string.h>

#include "tools/evidence/distinct.h"

enum { FIRST_KEYS = 4096 };

struct dump_batch *dump_batch_new(void)
{
    return calloc(1, sizeof(struct dump_batch));
}

void dump_batch_free(struct dump_batch *batch)
{
    if (!batch)
        return;
    arena_free(batch->arena);
    free(batch->stretches);
    free(batch->slots);
    free(batch->prints);
    free(batch);
}

void dump_batch_clear(struct dump_batch *batch)
{
    arena_free(batch->arena);
    batch->arena = NULL;
    batch->events = NULL;
    batch->stretch_count = batch->key_count = batch->event_count = batch->event_cap = batch->typed = 0;
}

static bool make_room(struct dump_batch *batch, size_t keys)
{
    if (batch->key_cap - batch->key_count >= keys)
        return true;
    size_t cap = batch->key_cap ? 2 * batch->key_cap : FIRST_KEYS;
    uint16_t *slots = realloc(batch->slots, cap * sizeof(*slots));
    if (slots)
        batch->slots = slots;
    uint64_t *prints = realloc(batch->prints, cap * sizeof(*prints));
    if (prints)
        batch->prints = prints;
    if (slots && prints)
        batch->key_cap = cap;
    return slots && prints;
}

/* Keys of one database that follow each other are one stretch. */
static struct dump_db *stretch_of(struct dump_batch *batch, uint32_t db, struct place place)
{
    if (batch->stretch_count && batch->stretches[batch->stretch_count - 1].db == db)
        return &batch->stretches[batch->stretch_count - 1];
    if (batch->stretch_count == batch->stretch_cap) {
        size_t cap = batch->stretch_cap ? 2 * batch->stretch_cap : 4;
        struct dump_db *larger = realloc(batch->stretches, cap * sizeof(*larger));
        if (!larger)
            return NULL;
        batch->stretches = larger;
        batch->stretch_cap = cap;
    }
    struct dump_db *stretch = &batch->stretches[batch->stretch_count++];
    *stretch = (struct dump_db){.db = db, .first = place};
    return stretch;
}

/* Damage comes before its key. */
static void type_events(struct dump_batch *batch, uint8_t type)
{
    for (; batch->typed < batch->event_count; batch->typed++)
        if (batch->events[batch->typed].key.len)
            batch->events[batch->typed].type = type;
}

static bool add_key(struct dump_batch *batch, const struct rdb_item *item)
{
    const struct rdb_key *key = &item->key;
    struct dump_db *stretch = stretch_of(batch, key->db, item->place);
    if (!stretch || !make_room(batch, 1))
        return false;
    stretch->keys++;
    stretch->expires += key->has_expiry;
    stretch->modules += key->datatype == RDB_MODULE;
    type_events(batch, key->type);
    batch->slots[batch->key_count] = (uint16_t)keyslot(key->name);
    batch->prints[batch->key_count++] = distinct_key(key->db, key->name);
    return true;
}

bool dump_batch_plain(struct dump_batch *batch, const struct rdb_plain *run)
{
    struct dump_db *stretch = stretch_of(batch, run->db, rdb_plain_place(run, &run->keys[0]));
    if (!stretch || !make_room(batch, run->count))
        return false;
    stretch->keys += run->count;
    stretch->expires += run->expires;
    type_events(batch, run->type);
    struct bytes names[RDB_PLAIN_MOST];
    for (size_t i = 0; i < run->count; i++)
        names[i] = rdb_plain_name(&run->keys[i]);
    uint16_t *slots = batch->slots + batch->key_count;
    uint64_t *prints = batch->prints + batch->key_count;
    keyslot_each(names, run->count, slots);
    distinct_keys(run->db, names, run->count, prints);
    batch->key_count += run->count;
    return true;
}

static struct dump_event *add_event(struct dump_batch *batch)
{
    if (!batch->arena)
        batch->arena = arena_new();
    struct dump_event *events = batch->arena ? arena_grow(batch->arena, batch->events, batch->event_count,
                                                          &batch->event_cap, sizeof(*events))
                                             : NULL;
    if (!events)
        return NULL;
    batch->events = events;
    return &events[batch->event_count++];
}

static struct bytes copy(struct dump_batch *batch, struct bytes bytes)
{
    return (struct bytes){(const uint8_t *)arena_copy(batch->arena, bytes.at, bytes.len), bytes.len};
}

bool dump_batch_item(struct dump_batch *batch, const struct rdb_item *item)
{
    if (item->kind == RDB_KEY)
        return add_key(batch, item);
    if (!dump_builder_wants(item))
        return true;
    struct dump_event *event = add_event(batch);
    if (!event)
        return false;
    *event = (struct dump_event){.item = *item};
    event->item.name = copy(batch, item->name);
    event->item.value = item->kind == RDB_FUNCTION ? (struct bytes){0} : copy(batch, item->value);
    return !arena_failed(batch->arena);
}

bool dump_batch_damage(struct dump_batch *batch, const struct damage *damage, struct bytes key)
{
    struct dump_event *event = add_event(batch);
    if (!event)
        return false;
    *event = (struct dump_event){.is_damage = true, .damage = *damage, .key = copy(batch, key), .type = -1};
    event->damage.expected = arena_string(batch->arena, damage->expected);
    event->damage.found = arena_string(batch->arena, damage->found);
    return !arena_failed(batch->arena);
}

bool dump_batch_give(const struct dump_batch *batch, struct dump_builder *builder)
{
    bool ok = dump_builder_slots(builder, batch->slots, batch->key_count);
    for (size_t i = 0; ok && i < batch->stretch_count; i++)
        ok = dump_builder_keys(builder, &batch->stretches[i]);
    for (size_t i = 0; ok && i < batch->event_count; i++) {
        const struct dump_event *event = &batch->events[i];
        ok = event->is_damage ? dump_builder_damage(builder, &event->damage, event->key, event->type)
                              : dump_builder_item(builder, &event->item);
    }
    return ok;
}
