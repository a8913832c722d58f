#include "tools/evidence/dump.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"

enum { FIRST_CHECKSUM_VERSION = 5, CHECKSUM_SIZE = 8 };

struct dump_builder {
    struct arena *arena;
    struct dump *dump;
    struct dump_import *imports;
    size_t import_cap;
    struct dump_db *stretches; /* keys between two changes of database; done() adds them up */
    size_t stretch_count, stretch_cap;
    uint32_t *slot_keys;
    struct dump_defect *defects;
    size_t defect_cap;
    size_t kept[RDB_DEFECTS];
    bool ended;   /* RDB_EOF came */
    bool doubtful; /* a defect came that leaves less than every key to be believed */
};

static const char *const stop_texts[] = {
    [RDB_STOP_NOT_RDB] = "not an RDB dump",
    [RDB_STOP_TRUNCATED] = "the file ends inside the dump",
    [RDB_STOP_CORRUPT] = "bytes that no server writes",
    [RDB_STOP_UNSUPPORTED] = "a version, type or opcode that is not supported",
    [RDB_STOP_READ] = "the file could not be read",
    [RDB_STOP_MEMORY] = "no memory",
};

const char *dump_stop_text(enum rdb_stop stop)
{
    return stop_texts[stop];
}

struct dump_builder *dump_builder_new(struct arena *arena, size_t file)
{
    struct dump_builder *builder = arena_alloc(arena, sizeof(*builder));
    struct dump *dump = arena_alloc(arena, sizeof(*dump));
    if (!builder || !dump)
        return NULL;
    builder->arena = arena;
    builder->dump = dump;
    dump->file = file;
    return builder;
}

static void take_writer(struct dump_builder *builder, enum product product, struct bytes value)
{
    struct dump *dump = builder->dump;
    /* Valkey may write both names; its own says more. */
    if (dump->writer.product == PRODUCT_VALKEY && product != PRODUCT_VALKEY)
        return;
    dump->writer_text = arena_copy(builder->arena, value.at, value.len);
    server_parse(product, value, &dump->writer);
}

static void take_redis_version(struct dump_builder *builder, struct bytes value)
{
    take_writer(builder, PRODUCT_REDIS, value);
}

static void take_valkey_version(struct dump_builder *builder, struct bytes value)
{
    take_writer(builder, PRODUCT_VALKEY, value);
}

static void take_ctime(struct dump_builder *builder, struct bytes value)
{
    builder->dump->has_ctime = text_i64(value, &builder->dump->ctime_s);
}

static void take_repl_id(struct dump_builder *builder, struct bytes value)
{
    builder->dump->repl_id = arena_copy(builder->arena, value.at, value.len);
}

static void take_repl_offset(struct dump_builder *builder, struct bytes value)
{
    builder->dump->has_repl_offset = text_i64(value, &builder->dump->repl_offset);
}

static void take_repl_db(struct dump_builder *builder, struct bytes value)
{
    builder->dump->has_repl_db = text_i64(value, &builder->dump->repl_db);
}

static void take_used_mem(struct dump_builder *builder, struct bytes value)
{
    builder->dump->has_used_mem = text_i64(value, &builder->dump->used_mem);
}

static void take_slot_states(struct dump_builder *builder, struct bytes value)
{
    builder->dump->open_slots = arena_copy(builder->arena, value.at, value.len);
}

static void take_aof_base(struct dump_builder *builder, struct bytes value)
{
    builder->dump->aof_base |= !text_is(value, "0");
}

static bool is_number(struct bytes value)
{
    int64_t number;
    return text_i64(value, &number);
}

/* `fits`: the form that servers give the value; NULL takes any. */
static const struct {
    const char *name;
    void (*take)(struct dump_builder *builder, struct bytes value);
    bool (*fits)(struct bytes value);
    const char *expected;
} aux_fields[] = {
    {"redis-ver", take_redis_version, NULL, NULL},
    {"valkey-ver", take_valkey_version, NULL, NULL},
    {"ctime", take_ctime, is_number, "a number of seconds as ctime"},
    {"repl-id", take_repl_id, text_is_node_id, "40 hexadecimal digits as repl-id"},
    {"repl-offset", take_repl_offset, is_number, "a number as repl-offset"},
    {"repl-stream-db", take_repl_db, is_number, "a number as repl-stream-db"},
    {"used-mem", take_used_mem, is_number, "a number of bytes as used-mem"},
    {"cluster-slot-states", take_slot_states, NULL, NULL},
    {"aof-base", take_aof_base, is_number, "a number as aof-base"},
    {"aof-preamble", take_aof_base, is_number, "a number as aof-preamble"},
};

static size_t aux_field(struct bytes name)
{
    size_t i = 0;
    while (i < sizeof(aux_fields) / sizeof(*aux_fields) && !text_is(name, aux_fields[i].name))
        i++;
    return i;
}

static void report_aux(struct dump_builder *builder, struct place place, const char *expected)
{
    struct damage damage = {.place = place, .code = RDB_BAD_AUX, .expected = expected, .found = "another text"};
    dump_builder_damage(builder, &damage, (struct bytes){0}, -1);
}

static void add_aux(struct dump_builder *builder, const struct rdb_item *item)
{
    size_t i = aux_field(item->name);
    if (i < sizeof(aux_fields) / sizeof(*aux_fields)) {
        aux_fields[i].take(builder, item->value);
        if (aux_fields[i].fits && !aux_fields[i].fits(item->value))
            report_aux(builder, item->place, aux_fields[i].expected);
    }
    if (builder->dump->open_slots && !builder->dump->open_slots_at.length)
        builder->dump->open_slots_at = item->place;
}

static void add_import(struct dump_builder *builder, const struct rdb_item *item)
{
    struct dump *dump = builder->dump;
    struct dump_import *imports =
        arena_grow(builder->arena, builder->imports, dump->import_count, &builder->import_cap, sizeof(*imports));
    if (!imports)
        return;
    dump->imports = builder->imports = imports;
    imports[dump->import_count++] = (struct dump_import){
        .job = arena_copy(builder->arena, item->name.at, item->name.len),
        .slots = arena_copy(builder->arena, item->value.at, item->value.len),
    };
}

bool dump_builder_keys(struct dump_builder *builder, const struct dump_db *keys)
{
    size_t count = builder->stretch_count;
    if (!count || builder->stretches[count - 1].db != keys->db) {
        struct dump_db *stretches =
            arena_grow(builder->arena, builder->stretches, count, &builder->stretch_cap, sizeof(*stretches));
        if (!stretches)
            return false;
        builder->stretches = stretches;
        stretches[count] = (struct dump_db){.db = keys->db, .first = keys->first};
        builder->stretch_count++;
    }
    struct dump_db *stretch = &builder->stretches[builder->stretch_count - 1];
    stretch->keys += keys->keys;
    stretch->expires += keys->expires;
    stretch->modules += keys->modules;
    builder->dump->keys += keys->keys;
    builder->dump->modules += keys->modules;
    return true;
}

bool dump_builder_slots(struct dump_builder *builder, const uint16_t *slots, size_t count)
{
    if (count && !builder->slot_keys)
        builder->slot_keys = arena_array(builder->arena, SLOT_COUNT, sizeof(*builder->slot_keys));
    if (count && !builder->slot_keys)
        return false;
    for (size_t i = 0; i < count; i++)
        builder->slot_keys[slots[i] % SLOT_COUNT]++;
    return true;
}

const uint32_t *dump_builder_slot_keys(const struct dump_builder *builder)
{
    return builder->slot_keys;
}

static void add_key(struct dump_builder *builder, const struct rdb_item *item)
{
    struct dump_db key = {.db = item->key.db,
                          .keys = 1,
                          .expires = item->key.has_expiry,
                          .modules = item->key.datatype == RDB_MODULE,
                          .first = item->place};
    uint16_t slot = (uint16_t)keyslot(item->key.name);
    if (dump_builder_keys(builder, &key))
        dump_builder_slots(builder, &slot, 1);
}

static void add_end(struct dump_builder *builder, const struct rdb_item *item)
{
    struct dump *dump = builder->dump;
    builder->ended = true;
    dump->has_checksum = item->has_checksum;
    dump->stored_checksum = item->stored_checksum;
    dump->computed_checksum = item->computed_checksum;
    if (dump->version >= FIRST_CHECKSUM_VERSION && item->place.length >= CHECKSUM_SIZE) {
        dump->checksum_disabled = !item->has_checksum;
        dump->checksum.offset = item->place.offset + item->place.length - CHECKSUM_SIZE;
        dump->checksum.length = CHECKSUM_SIZE;
    }
}

bool dump_builder_wants(const struct rdb_item *item)
{
    static const bool wanted[] = {
        [RDB_HEADER] = true, [RDB_FUNCTION] = true, [RDB_SLOT_IMPORT] = true, [RDB_KEY] = true, [RDB_EOF] = true};
    if (item->kind == RDB_AUX)
        return aux_field(item->name) < sizeof(aux_fields) / sizeof(*aux_fields);
    return wanted[item->kind];
}

bool dump_builder_item(struct dump_builder *builder, const struct rdb_item *item)
{
    struct dump *dump = builder->dump;
    switch (item->kind) {
    case RDB_HEADER:
        dump->version = item->version;
        dump->valkey_magic = item->valkey_magic;
        dump->captured = item->place.offset != 0;
        break;
    case RDB_AUX:
        add_aux(builder, item);
        break;
    case RDB_KEY:
        add_key(builder, item);
        break;
    case RDB_FUNCTION:
        if (dump->functions++ == 0)
            dump->first_function = item->place;
        break;
    case RDB_EOF:
        add_end(builder, item);
        break;
    case RDB_SLOT_IMPORT:
        add_import(builder, item);
        break;
    case RDB_SELECT_DB:
    case RDB_RESIZE_DB:
    case RDB_SLOT_INFO:
    case RDB_MODULE_AUX:
    case RDB_OPCODE:
        break;
    }
    return !arena_failed(builder->arena);
}

bool dump_builder_damage(struct dump_builder *builder, const struct damage *damage, struct bytes key,
                         int type)
{
    struct dump *dump = builder->dump;
    dump->defect_total++;
    builder->doubtful |= rdb_defect_is_corruption((enum rdb_defect)damage->code) || damage->code == RDB_NEWER_VERSION;
    if (damage->code >= RDB_DEFECTS || builder->kept[damage->code]++ >= DUMP_DEFECTS_KEPT)
        return true;
    struct dump_defect *defects =
        arena_grow(builder->arena, builder->defects, dump->defect_count, &builder->defect_cap, sizeof(*defects));
    if (!defects)
        return false;
    builder->defects = defects;
    defects[dump->defect_count++] = (struct dump_defect){
        .code = (enum rdb_defect)damage->code,
        .place = damage->place,
        .expected = arena_string(builder->arena, damage->expected),
        .found = arena_string(builder->arena, damage->found),
        .key = {(const uint8_t *)arena_copy(builder->arena, key.at, key.len), key.len},
        .type = type,
    };
    dump->defects = defects;
    return !arena_failed(builder->arena);
}

static int by_db(const void *a, const void *b)
{
    const struct dump_db *left = a, *right = b;
    if (left->db != right->db)
        return left->db < right->db ? -1 : 1;
    return (left->first.offset > right->first.offset) - (left->first.offset < right->first.offset);
}

/* Adds up the stretches of each database; a dump that servers wrote has one of each. */
static size_t join_stretches(struct dump_db *stretches, size_t count)
{
    size_t joined = 0;
    if (count)
        qsort(stretches, count, sizeof(*stretches), by_db);
    for (size_t i = 0; i < count; i++) {
        if (joined && stretches[joined - 1].db == stretches[i].db) {
            stretches[joined - 1].keys += stretches[i].keys;
            stretches[joined - 1].expires += stretches[i].expires;
            stretches[joined - 1].modules += stretches[i].modules;
        } else {
            stretches[joined++] = stretches[i];
        }
    }
    return joined;
}

/* What is known only when all has been read. */
static bool is_late(const struct dump_defect *defect)
{
    return defect->code == RDB_DUPLICATE_KEY || defect->code == RDB_TEXT_TRANSFER;
}

/* Both those that were told last and the others are in the order of the file. */
static void place_late(struct dump_builder *builder)
{
    struct dump *dump = builder->dump;
    size_t count = dump->defect_count, early = 0, put = 0;
    if (!builder->kept[RDB_DUPLICATE_KEY] && !builder->kept[RDB_TEXT_TRANSFER])
        return;
    while (early < count && !is_late(&builder->defects[early]))
        early++;
    struct dump_defect *placed = arena_array(builder->arena, count, sizeof(*placed));
    if (!placed)
        return;
    for (size_t i = 0, late = early; put < count;) {
        bool later = late == count ||
                     (i < early && builder->defects[i].place.offset <= builder->defects[late].place.offset);
        placed[put++] = builder->defects[later ? i++ : late++];
    }
    dump->defects = builder->defects = placed;
}

struct dump *dump_builder_done(struct dump_builder *builder, enum rdb_stop stop, const char *why, uint64_t offset)
{
    struct dump *dump = builder->dump;
    dump->stop = stop;
    dump->why = stop == RDB_STOP_NONE ? NULL : arena_string(builder->arena, why ? why : stop_texts[stop]);
    dump->stopped_at = offset;
    dump->dbs = builder->stretches;
    dump->db_count = join_stretches(builder->stretches, builder->stretch_count);
    dump->slot_keys = builder->slot_keys;
    place_late(builder);
    dump->whole = stop == RDB_STOP_NONE && builder->ended && !builder->doubtful;
    return arena_failed(builder->arena) ? NULL : dump;
}
