#include "tools/evidence/status.h"

#include <string.h>

#include "parsers/bytes/text.h"
#include "parsers/capture/info.h"

static const char *const number_names[] = {
#define STATUS_NUMBER(id, name) name,
#include "tools/evidence/status_numbers.def"
#undef STATUS_NUMBER
};

static const char *const word_names[] = {
#define STATUS_WORD(id, name) name,
#include "tools/evidence/status_words.def"
#undef STATUS_WORD
};

struct reading_status {
    struct arena *arena;
    struct status *status;
    struct status_replica *replicas;
    struct status_keys *keys;
    size_t replica_cap, keys_cap;
};

static const char *kept(struct arena *arena, struct bytes text)
{
    return text.len ? arena_copy(arena, text.at, text.len) : "";
}

/* The number behind a prefix: slave0, db0. */
static bool numbered(struct bytes name, const char *prefix, uint64_t *number)
{
    return text_starts(name, prefix) && text_u64(text_from(name, strlen(prefix)), number);
}

/* "slave0:ip=127.0.0.7,port=8001,state=online,offset=14,lag=1" from Redis 2.8 on. */
static bool add_replica(struct reading_status *reading, const struct info_item *item)
{
    struct status *status = reading->status;
    struct status_replica *all =
        arena_grow(reading->arena, reading->replicas, status->replica_count, &reading->replica_cap, sizeof(*all));
    struct bytes value;
    uint64_t port;
    if (!all)
        return false;
    reading->replicas = all;
    status->replicas = all;
    struct status_replica replica = {.ip = "", .place = item->place};
    if (info_part(item->value, "ip", &value))
        replica.ip = kept(reading->arena, value);
    if (info_part(item->value, "port", &value) && text_u64(value, &port) && port <= UINT16_MAX)
        replica.port = (uint16_t)port;
    replica.online = info_part(item->value, "state", &value) && text_is(value, "online");
    replica.has_offset = info_part(item->value, "offset", &value) && text_u64(value, &replica.offset);
    replica.has_lag = info_part(item->value, "lag", &value) && text_u64(value, &replica.lag_s);
    all[status->replica_count++] = replica;
    return replica.ip;
}

static bool add_keys(struct reading_status *reading, const struct info_item *item, uint64_t db)
{
    struct status *status = reading->status;
    struct status_keys *all =
        arena_grow(reading->arena, reading->keys, status->keys_count, &reading->keys_cap, sizeof(*all));
    struct status_keys keys = {.db = db, .place = item->place};
    struct bytes value;
    if (!all)
        return false;
    reading->keys = all;
    status->keys = all;
    if (info_part(item->value, "keys", &value) && text_u64(value, &keys.keys))
        all[status->keys_count++] = keys;
    return true;
}

/* A name that comes again, as in a file of several captures, overrides: the last is the newest. */
static bool add_field(struct reading_status *reading, const struct info_item *item)
{
    struct status *status = reading->status;
    uint64_t number;
    if (numbered(item->name, "slave", &number))
        return add_replica(reading, item);
    if (numbered(item->name, "db", &number))
        return add_keys(reading, item, number);
    for (size_t i = 0; i < STATUS_NUMBERS; i++)
        if (text_is(item->name, number_names[i]) && text_u64(item->value, &number))
            status->numbers[i] = (struct status_value){true, number, "", item->place};
    for (size_t i = 0; i < STATUS_WORDS; i++)
        if (text_is(item->name, word_names[i])) {
            const char *word = kept(reading->arena, item->value);
            if (!word)
                return false;
            status->words[i] = (struct status_value){true, 0, word, item->place};
        }
    return true;
}

static bool add_item(struct reading_status *reading, const struct info_item *item)
{
    struct status *status = reading->status;
    if (item->kind == INFO_FIELD)
        return add_field(reading, item);
    if (text_is(item->name, "Replication"))
        status->replica_count = 0;
    if (text_is(item->name, "Keyspace")) {
        status->keys_count = 0;
        status->has_keyspace = true;
        status->keyspace = item->place;
    }
    return true;
}

static void add_damage(struct status *status, const struct damage *damage)
{
    if (status->defect_total++)
        return;
    status->first_defect = damage->place;
    status->expected = damage->expected;
    status->found = damage->found;
}

static struct bytes of_string(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* Valkey says the Redis version that it is compatible with, too. */
static void conclude(struct status *status)
{
    const struct status_value *valkey = &status->words[STATUS_VALKEY_VERSION];
    const struct status_value *redis = &status->words[STATUS_REDIS_VERSION];
    if (valkey->known)
        server_parse(PRODUCT_VALKEY, of_string(valkey->word), &status->server);
    else if (redis->known)
        server_parse(PRODUCT_REDIS, of_string(redis->word), &status->server);
    uint64_t us = status->numbers[STATUS_TIME_US].number;
    if (us / 1000 <= INT64_MAX)
        status->taken_ms = (int64_t)(us / 1000);
}

struct status *status_read(struct arena *arena, struct bytes text, size_t file)
{
    struct status *status = arena_alloc(arena, sizeof(*status));
    struct info_reader *reader = info_open(text);
    struct reading_status reading = {.arena = arena, .status = status};
    bool memory = status && reader;
    struct info_item item;
    if (memory) {
        status->file = file;
        for (size_t i = 0; i < STATUS_WORDS; i++)
            status->words[i].word = "";
        for (size_t i = 0; i < STATUS_NUMBERS; i++)
            status->numbers[i].word = "";
    }
    for (enum parse_step step = PARSE_ITEM; memory && step != PARSE_END;) {
        step = info_next(reader, &item);
        if (step == PARSE_ITEM)
            memory = add_item(&reading, &item);
        else if (step == PARSE_DAMAGE)
            add_damage(status, info_damage(reader));
    }
    info_close(reader);
    if (!memory || arena_failed(arena))
        return NULL;
    conclude(status);
    return status;
}

bool status_is_empty(const struct status *status)
{
    bool empty = status->has_keyspace && !status->defect_total;
    for (size_t i = 0; i < status->keys_count; i++)
        empty &= status->keys[i].keys == 0;
    return empty;
}

int status_compare(const struct status *a, const struct status *b)
{
    static const enum status_number clocks[] = {STATUS_TIME_US, STATUS_CURRENT_EPOCH, STATUS_LAST_SAVE_S, STATUS_UPTIME_S};
    for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
        uint64_t left = a->numbers[clocks[i]].number, right = b->numbers[clocks[i]].number;
        if (left != right)
            return left > right ? -1 : 1;
    }
    return 0;
}
