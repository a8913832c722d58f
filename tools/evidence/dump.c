#include "tools/evidence/dump.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"

enum { FIRST_CHECKSUM_VERSION = 5, CHECKSUM_SIZE = 8 };

struct dump_builder {
    struct arena *arena;
    struct dump *dump;
    struct dump_db *stretches; /* keys between two changes of database; done() adds them up */
    size_t stretch_count, stretch_cap;
    uint32_t *slot_keys;
    struct dump_defect *defects;
    size_t defect_cap;
    size_t kept[RDB_DEFECTS];
    bool ended;   /* RDB_EOF came */
    bool corrupt; /* a defect that is corruption came */
};

static const char *const stop_texts[] = {
    [RDB_STOP_NOT_RDB] = "not an RDB dump",
    [RDB_STOP_TRUNCATED] = "the file ends inside the dump",
    [RDB_STOP_CORRUPT] = "bytes that no server writes",
    [RDB_STOP_UNSUPPORTED] = "a version, type or opcode that is not supported",
    [RDB_STOP_READ] = "the file could not be read",
    [RDB_STOP_MEMORY] = "no memory",
};

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

static void take_aof_base(struct dump_builder *builder, struct bytes value)
{
    builder->dump->aof_base |= !text_is(value, "0");
}

static const struct {
    const char *name;
    void (*take)(struct dump_builder *builder, struct bytes value);
} aux_fields[] = {
    {"redis-ver", take_redis_version},
    {"valkey-ver", take_valkey_version},
    {"ctime", take_ctime},
    {"repl-id", take_repl_id},
    {"repl-offset", take_repl_offset},
    {"aof-base", take_aof_base},
    {"aof-preamble", take_aof_base},
};

static void add_aux(struct dump_builder *builder, const struct rdb_item *item)
{
    for (size_t i = 0; i < sizeof(aux_fields) / sizeof(*aux_fields); i++)
        if (text_is(item->name, aux_fields[i].name))
            aux_fields[i].take(builder, item->value);
}

static void add_key(struct dump_builder *builder, const struct rdb_item *item)
{
    struct arena *arena = builder->arena;
    size_t count = builder->stretch_count;
    if (!builder->slot_keys)
        builder->slot_keys = arena_array(arena, SLOT_COUNT, sizeof(*builder->slot_keys));
    if (!count || builder->stretches[count - 1].db != item->key.db) {
        struct dump_db *stretches =
            arena_grow(arena, builder->stretches, count, &builder->stretch_cap, sizeof(*stretches));
        if (!stretches)
            return;
        builder->stretches = stretches;
        stretches[count] = (struct dump_db){.db = item->key.db, .first = item->place};
        builder->stretch_count++;
    }
    struct dump_db *stretch = &builder->stretches[builder->stretch_count - 1];
    stretch->keys++;
    stretch->expires += item->key.has_expiry;
    builder->dump->keys++;
    if (builder->slot_keys)
        builder->slot_keys[keyslot(item->key.name)]++;
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

bool dump_builder_item(struct dump_builder *builder, const struct rdb_item *item)
{
    struct dump *dump = builder->dump;
    switch (item->kind) {
    case RDB_HEADER:
        dump->version = item->version;
        dump->valkey_magic = item->valkey_magic;
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
    case RDB_SELECT_DB:
    case RDB_RESIZE_DB:
    case RDB_SLOT_INFO:
    case RDB_SLOT_IMPORT:
    case RDB_MODULE_AUX:
    case RDB_OPCODE:
        break;
    }
    return !arena_failed(builder->arena);
}

bool dump_builder_damage(struct dump_builder *builder, const struct damage *damage)
{
    struct dump *dump = builder->dump;
    dump->defect_total++;
    builder->corrupt |= rdb_defect_is_corruption((enum rdb_defect)damage->code);
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
        } else {
            stretches[joined++] = stretches[i];
        }
    }
    return joined;
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
    dump->whole = stop == RDB_STOP_NONE && builder->ended && !builder->corrupt;
    return arena_failed(builder->arena) ? NULL : dump;
}

struct dump *dump_read(struct arena *arena, struct source *source, size_t file)
{
    struct dump_builder *builder = dump_builder_new(arena, file);
    struct rdb *reader = rdb_open(source, 0);
    struct dump *dump = NULL;
    if (builder && reader) {
        rdb_expect_end(reader);
        struct rdb_item item;
        enum parse_step step;
        bool ok = true;
        while (ok && ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE))
            ok = step == PARSE_ITEM ? dump_builder_item(builder, &item)
                                    : dump_builder_damage(builder, rdb_damage(reader));
        if (ok)
            dump = dump_builder_done(builder, rdb_stop(reader), rdb_why(reader), rdb_offset(reader));
    }
    rdb_close(reader);
    return dump;
}

static const char *walk_why(const struct source *source, enum rdb_stop stop)
{
    const char *why = stop == RDB_STOP_READ ? source_why(source) : NULL;
    return why ? why : stop_texts[stop];
}

bool dump_walk(struct source *source, bool digests, bool (*visit)(void *context, const struct rdb_item *item),
               void *context, const char **why)
{
    struct rdb *reader = rdb_open(source, digests ? RDB_DIGEST_VALUES : 0);
    *why = stop_texts[RDB_STOP_MEMORY];
    if (!reader)
        return false;
    struct rdb_item item;
    enum parse_step step;
    bool visited = true;
    while (visited && ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE))
        if (step == PARSE_ITEM && item.kind == RDB_KEY)
            visited = visit(context, &item);
    *why = visited ? walk_why(source, rdb_stop(reader)) : NULL;
    rdb_close(reader);
    return visited && !*why;
}
