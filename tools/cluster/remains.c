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
    for (size_t i = 1; i < item->argument_count; i++) {
        if (!is_whole(item, i)) {
            doubt_all(replaying);
            return;
        }
        struct held *held = find_held(replaying, replaying->selected, item->arguments[i], false);
        if (held)
            put(replaying, held, false, false);
    }
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

/* What commands do to the existence of keys. Where it is nothing, `apply` is NULL: nothing expires during a load. */
static const struct {
    const char *name;
    void (*apply)(struct replaying *replaying, const struct aof_item *item);
} commands[] = {
    {"set", set},
    {"del", delete_all},
    {"unlink", delete_all},
    {"select", select_db},
    {"flushall", flush_server},
    {"flushdb", flush_db},
    {"function", change_functions},
    {"append", make_with_value},
    {"getset", make_with_value},
    {"hmset", make_with_value},
    {"hset", make_with_value},
    {"lpush", make_with_value},
    {"rpush", make_with_value},
    {"sadd", make_with_value},
    {"setnx", make_with_value},
    {"decr", make_counter},
    {"incr", make_counter},
    {"psetex", make_of_four_words},
    {"setex", make_of_four_words},
    {"zadd", make_of_four_words},
    {"getdel", take_first},
    {"hdel", take_first},
    {"lpop", take_first},
    {"lrem", take_first},
    {"ltrim", take_first},
    {"rpop", take_first},
    {"spop", take_first},
    {"srem", take_first},
    {"zpopmax", take_first},
    {"zpopmin", take_first},
    {"zrem", take_first},
    {"exec", NULL},
    {"expire", NULL},
    {"expireat", NULL},
    {"multi", NULL},
    {"persist", NULL},
    {"pexpire", NULL},
    {"pexpireat", NULL},
    {"ping", NULL},
    {"publish", NULL},
    {"script", NULL},
    {"spublish", NULL},
};

static void apply(struct replaying *replaying, const struct aof_item *item)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (!argument_is(item, 0, commands[i].name))
            continue;
        if (commands[i].apply)
            commands[i].apply(replaying, item);
        return;
    }
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
        if (step == PARSE_DAMAGE)
            replaying->exact = false;
        if (step == PARSE_DAMAGE || item.place.offset >= limit)
            continue;
        if (!multi) {
            apply_item(replaying, &item);
        } else if (item.kind == AOF_COMMAND && argument_is(&item, 0, "exec")) {
            open = false;
        } else if (item.kind == AOF_COMMAND && argument_is(&item, 0, "multi") && !open) {
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
