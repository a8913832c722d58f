#include "tools/cluster/remains.h"

#include <string.h>
#include <xxhash.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/numbering.h"

/* A key that was seen. It is present while `flush` is the number of whole-server flushes so far, certainly so while
 * `doubt` is the number of doubts so far: so one step forgets, or doubts, all keys. */
struct held {
    uint64_t high; /* of its fingerprint; the low half is its hash in the numbering */
    uint32_t flush, doubt;
    bool present, certain;
};

struct replaying {
    struct arena *arena;
    struct numbering numbering;
    struct held *held;
    size_t count, cap;
    uint32_t flushes, doubts;
    uint64_t present, certain;
    bool exact; /* every key that may be there is counted in `present` */
    bool cluster, one_db;
    bool other_dbs; /* keys beside database 0 were seen */
    uint32_t selected;
    struct server server;
    uint64_t functions;
    bool functions_known;
    bool failed;
};

/* From now on no key is certain, and there may be others. */
static void doubt_all(struct replaying *replaying)
{
    replaying->doubts++;
    replaying->certain = 0;
    replaying->exact = false;
}

static void flush_all(struct replaying *replaying)
{
    replaying->flushes++;
    replaying->present = replaying->certain = 0;
    replaying->exact = true;
    replaying->other_dbs = false;
}

static bool is_present(const struct replaying *replaying, const struct held *held)
{
    return held->present && held->flush == replaying->flushes;
}

static bool is_certain(const struct replaying *replaying, const struct held *held)
{
    return is_present(replaying, held) && held->certain && held->doubt == replaying->doubts;
}

static struct held *find_held(struct replaying *replaying, uint32_t db, struct bytes key, bool add)
{
    XXH128_hash_t print = XXH3_128bits_withSeed(key.at, key.len, db);
    uint32_t number;
    for (size_t at = print.low64; numbering_next(&replaying->numbering, print.low64, &at, &number);)
        if (replaying->held[number].high == print.high64)
            return &replaying->held[number];
    if (!add || replaying->count == REMAINS_MOST) {
        replaying->exact &= !add;
        return NULL;
    }
    struct held *held = arena_grow(replaying->arena, replaying->held, replaying->count, &replaying->cap, sizeof(*held));
    if (!held || !numbering_add(&replaying->numbering, replaying->arena, print.low64, (uint32_t)replaying->count)) {
        replaying->failed = true;
        return NULL;
    }
    replaying->held = held;
    held[replaying->count] = (struct held){.high = print.high64};
    return &held[replaying->count++];
}

static void put(struct replaying *replaying, struct held *held, bool present, bool certain)
{
    replaying->present -= is_present(replaying, held);
    replaying->certain -= is_certain(replaying, held);
    held->present = present;
    held->certain = certain;
    held->flush = replaying->flushes;
    held->doubt = replaying->doubts;
    replaying->present += present;
    replaying->certain += certain;
}

static void make(struct replaying *replaying, uint32_t db, struct bytes key, bool certainly)
{
    struct held *held = find_held(replaying, db, key, true);
    if (held)
        put(replaying, held, true, certainly || is_certain(replaying, held));
    replaying->other_dbs |= db != 0;
}

static bool is_whole(const struct aof_item *item, size_t number)
{
    return number < item->kept && item->arguments[number].len == item->argument_lengths[number];
}

static bool argument_is(const struct aof_item *item, size_t number, const char *word)
{
    return is_whole(item, number) && text_is_nocase(item->arguments[number], word);
}

static void select_db(struct replaying *replaying, const struct aof_item *item)
{
    uint64_t db;
    if (replaying->one_db)
        return;
    bool read = item->argument_count == 2 && is_whole(item, 1) && text_u64(item->arguments[1], &db) && db < JOURNAL_DBS;
    if (!read || (db && replaying->cluster)) {
        doubt_all(replaying);
        return;
    }
    replaying->selected = (uint32_t)db;
}

/* Alone, or with the one argument that the server knows. */
static bool is_flush(const struct replaying *replaying, const struct aof_item *item)
{
    bool known = replaying->server.product != PRODUCT_UNKNOWN;
    if (item->argument_count == 1)
        return true;
    return item->argument_count == 2 && known &&
           ((argument_is(item, 1, "async") && server_compare(replaying->server, 4, 0, 0) >= 0) ||
            (argument_is(item, 1, "sync") && server_compare(replaying->server, 6, 2, 0) >= 0));
}

static void flush(struct replaying *replaying, const struct aof_item *item, bool all)
{
    if (!is_flush(replaying, item))
        doubt_all(replaying);
    else if (all || (!replaying->other_dbs && replaying->exact))
        flush_all(replaying);
    else
        doubt_all(replaying);
}

static void change_functions(struct replaying *replaying, const struct aof_item *item)
{
    bool replaces = argument_is(item, 2, "replace");
    if (argument_is(item, 1, "flush")) {
        replaying->functions = 0;
        replaying->functions_known = true;
    } else if (argument_is(item, 1, "load")) {
        replaying->functions_known &= !replaces || replaying->functions == 0;
        replaying->functions += !replaces || replaying->functions == 0;
    } else {
        /* RESTORE adds any number of libraries; DELETE takes one away, of those that are known. */
        bool deletes = argument_is(item, 1, "delete");
        replaying->functions_known &= deletes;
        replaying->functions -= deletes && replaying->functions > 0;
    }
}

static void delete_all(struct replaying *replaying, const struct aof_item *item)
{
    struct aof_key_walk walk = aof_keys_of(item);
    struct bytes key;
    bool whole;
    while (aof_key_next(&walk, &key, &whole)) {
        struct held *held = whole ? find_held(replaying, replaying->selected, key, false) : NULL;
        if (held)
            put(replaying, held, false, false);
        walk.unread |= !whole;
    }
    if (walk.unread)
        doubt_all(replaying);
}

static bool is_unconditional_set(const struct aof_item *item)
{
    static const char *const expiries[] = {"pxat", "px", "ex", "exat"};
    for (size_t i = 0; i < sizeof(expiries) / sizeof(*expiries); i++)
        if (item->argument_count == 5 && argument_is(item, 3, expiries[i]))
            return true;
    return item->argument_count == 3;
}

static void make_first(struct replaying *replaying, const struct aof_item *item, bool certainly)
{
    if (item->argument_count < 2)
        return;
    if (is_whole(item, 1))
        make(replaying, replaying->selected, item->arguments[1], certainly);
    else
        replaying->exact = false;
}

static void take_first(struct replaying *replaying, const struct aof_item *item)
{
    struct held *held = is_whole(item, 1) ? find_held(replaying, replaying->selected, item->arguments[1], false) : NULL;
    if (held)
        put(replaying, held, is_present(replaying, held), false);
    else if (!is_whole(item, 1))
        doubt_all(replaying);
}

static void flush_server(struct replaying *replaying, const struct aof_item *item)
{
    flush(replaying, item, true);
}

static void flush_db(struct replaying *replaying, const struct aof_item *item)
{
    flush(replaying, item, false);
}

static void set(struct replaying *replaying, const struct aof_item *item)
{
    make_first(replaying, item, is_unconditional_set(item));
}

static void make_counter(struct replaying *replaying, const struct aof_item *item)
{
    make_first(replaying, item, true);
}

static void make_with_value(struct replaying *replaying, const struct aof_item *item)
{
    make_first(replaying, item, item->argument_count > 2);
}

/* More words than these may make it conditional. */
static void make_of_four_words(struct replaying *replaying, const struct aof_item *item)
{
    make_first(replaying, item, item->argument_count == 4);
}

static void nothing(struct replaying *replaying, const struct aof_item *item)
{
    (void)replaying, (void)item;
}

/* What commands do to the existence of keys; NULL where that is not known. Nothing expires during a load. */
static void (*const effects[AOF_COMMANDS])(struct replaying *replaying, const struct aof_item *item) = {
    [AOF_COMMAND_SET] = set,
    [AOF_COMMAND_DEL] = delete_all,
    [AOF_COMMAND_UNLINK] = delete_all,
    [AOF_COMMAND_SELECT] = select_db,
    [AOF_COMMAND_FLUSHALL] = flush_server,
    [AOF_COMMAND_FLUSHDB] = flush_db,
    [AOF_COMMAND_FUNCTION] = change_functions,
    [AOF_COMMAND_APPEND] = make_with_value,
    [AOF_COMMAND_GETSET] = make_with_value,
    [AOF_COMMAND_HMSET] = make_with_value,
    [AOF_COMMAND_HSET] = make_with_value,
    [AOF_COMMAND_LPUSH] = make_with_value,
    [AOF_COMMAND_RPUSH] = make_with_value,
    [AOF_COMMAND_SADD] = make_with_value,
    [AOF_COMMAND_SETNX] = make_with_value,
    [AOF_COMMAND_DECR] = make_counter,
    [AOF_COMMAND_INCR] = make_counter,
    [AOF_COMMAND_PSETEX] = make_of_four_words,
    [AOF_COMMAND_SETEX] = make_of_four_words,
    [AOF_COMMAND_ZADD] = make_of_four_words,
    [AOF_COMMAND_GETDEL] = take_first,
    [AOF_COMMAND_HDEL] = take_first,
    [AOF_COMMAND_LPOP] = take_first,
    [AOF_COMMAND_LREM] = take_first,
    [AOF_COMMAND_LTRIM] = take_first,
    [AOF_COMMAND_RPOP] = take_first,
    [AOF_COMMAND_SPOP] = take_first,
    [AOF_COMMAND_SREM] = take_first,
    [AOF_COMMAND_ZPOPMAX] = take_first,
    [AOF_COMMAND_ZPOPMIN] = take_first,
    [AOF_COMMAND_ZREM] = take_first,
    [AOF_COMMAND_EXEC] = nothing,
    [AOF_COMMAND_EXPIRE] = nothing,
    [AOF_COMMAND_EXPIREAT] = nothing,
    [AOF_COMMAND_MULTI] = nothing,
    [AOF_COMMAND_PERSIST] = nothing,
    [AOF_COMMAND_PEXPIRE] = nothing,
    [AOF_COMMAND_PEXPIREAT] = nothing,
    [AOF_COMMAND_PING] = nothing,
    [AOF_COMMAND_PUBLISH] = nothing,
    [AOF_COMMAND_SCRIPT] = nothing,
    [AOF_COMMAND_SPUBLISH] = nothing,
};

static void apply(struct replaying *replaying, const struct aof_item *item)
{
    if (item->command && effects[item->command->id])
        effects[item->command->id](replaying, item);
    else if (!item->command || !journal_only_reads(item->command))
        doubt_all(replaying);
}

static void apply_item(struct replaying *replaying, const struct aof_item *item)
{
    if (item->kind == AOF_COMMAND)
        apply(replaying, item);
    else if (item->kind == AOF_RDB && item->rdb.kind == RDB_KEY)
        make(replaying, item->rdb.key.db, item->rdb.key.name, true);
    else if (item->kind == AOF_RDB && item->rdb.kind == RDB_FUNCTION)
        replaying->functions++;
}

static bool is_command(const struct aof_item *item, enum aof_command_id id)
{
    return item->kind == AOF_COMMAND && item->command && item->command->id == id;
}

/* Reads a file up to an offset: to apply what it holds, or with `multi` to find the last transaction that begins. */
static bool read_file(struct replaying *replaying, const struct evidence *evidence, size_t file, uint64_t limit,
                      uint64_t *multi)
{
    struct source *source = evidence_reopen(evidence, file);
    struct aof *reader = source ? aof_open(source, 0) : NULL;
    struct aof_item item;
    bool open = false;
    enum parse_step step = PARSE_END;
    while (reader && ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        /* What is odd about a command does not keep a server from it. */
        if (step == PARSE_DAMAGE && aof_in_preamble(reader))
            replaying->exact = false;
        if (step == PARSE_DAMAGE || item.place.offset >= limit)
            continue;
        if (!multi) {
            apply_item(replaying, &item);
        } else if (is_command(&item, AOF_COMMAND_EXEC)) {
            open = false;
        } else if (is_command(&item, AOF_COMMAND_MULTI) && !open) {
            open = true;
            *multi = item.place.offset;
        }
    }
    bool unread = !reader || (step == PARSE_STOP && aof_stop(reader) != AOF_STOP_TRUNCATED) || source_why(source);
    aof_close(reader);
    source_close(source);
    return !unread;
}

static bool replay_file(struct replaying *replaying, const struct evidence *evidence, size_t file)
{
    const struct journal *journal = evidence->files[file].journal;
    bool open = journal && journal->open_transaction;
    bool known = replaying->server.product != PRODUCT_UNKNOWN;
    uint64_t limit = UINT64_MAX;
    replaying->selected = 0;
    /* From 4.0.12 on what an unfinished transaction holds is not applied. */
    if (open && (!known || server_compare(replaying->server, 4, 0, 12) >= 0) &&
        !read_file(replaying, evidence, file, UINT64_MAX, &limit))
        return false;
    bool read = read_file(replaying, evidence, file, limit, NULL);
    if (open && !known)
        doubt_all(replaying);
    return read;
}

bool remains_of(const struct evidence *evidence, const size_t *files, size_t count, bool cluster, struct server server,
                struct remains *remains)
{
    struct replaying replaying = {
        .arena = arena_new(),
        .exact = true,
        .cluster = cluster,
        .one_db = cluster && (server.product == PRODUCT_REDIS ||
                              (server.product == PRODUCT_VALKEY && server_compare(server, 9, 0, 0) < 0)),
        .server = server,
        .functions_known = true,
    };
    bool read = replaying.arena;
    for (size_t i = 0; i < count && read && !replaying.failed; i++)
        read = replay_file(&replaying, evidence, files[i]);
    *remains = (struct remains){
        .read = read,
        .keys = read ? replaying.certain : 0,
        .none = read && replaying.exact && !replaying.present,
        .functions = replaying.functions,
        .functions_known = read && replaying.functions_known,
    };
    bool done = replaying.arena && !replaying.failed;
    arena_free(replaying.arena);
    return done;
}
