/* Loading one dump, by itself or inside an AOF. */
#include <string.h>

#include "tools/cluster/start_private.h"

/* The newest dump version that each generation reads; 0 where that is not settled. */
static const uint32_t newest_version[GENERATIONS] = {
    [GENERATION_REDIS_3_0] = 6,   [GENERATION_REDIS_3_2] = 7,   [GENERATION_REDIS_4_0] = 8,
    [GENERATION_REDIS_5_0] = 9,   [GENERATION_REDIS_6_0] = 9,   [GENERATION_REDIS_6_2] = 9,
    [GENERATION_REDIS_7_0] = 10,  [GENERATION_REDIS_7_2] = 11,  [GENERATION_REDIS_7_4] = 12,
    [GENERATION_VALKEY_7_2] = 11, [GENERATION_VALKEY_8_0] = 11, [GENERATION_VALKEY_8_1] = 11,
};

const struct dump *start_dump_in(const struct evidence_file *file)
{
    return file->dump ? file->dump : file->journal ? file->journal->preamble : NULL;
}

const char *start_keys_text(struct starting *starting, uint64_t keys)
{
    return arena_format(starting->arena, "%llu key%s", (unsigned long long)keys, keys == 1 ? "" : "s");
}

enum start_fate start_refuse(struct start_loading *loading, size_t file, const struct place *place, const char *why)
{
    loading->why = why;
    start_say(loading->starting, &loading->outcome->reasons, true, file, place,
              "a server does not start with this file: %s", why);
    return FATE_REFUSED;
}

enum start_fate start_leave_open(struct start_loading *loading, size_t file, const struct place *place, const char *why)
{
    start_say(loading->starting, &loading->outcome->reasons, true, file, place, "what it holds is not known: %s", why);
    return FATE_UNREAD;
}

void start_say_keys(struct start_loading *loading, const struct dump *dump)
{
    struct starting *starting = loading->starting;
    for (size_t i = 0; i < dump->db_count; i++) {
        const struct dump_db *db = &dump->dbs[i];
        const char *expiring = db->expires == 0 ? ""
                               : db->expires == db->keys
                                   ? ", all with an expiry: a primary drops at its start those that have passed it"
                                   : ", some of them with an expiry";
        start_say(starting, &loading->outcome->reasons, true, dump->file, &db->first, "%s in db %u%s",
                  start_keys_text(starting, db->keys), db->db, expiring);
        loading->outcome->other_db |= db->db != 0;
    }
}

static bool is_too_new(const struct starting *starting, const struct dump *dump)
{
    enum generation generation = server_generation(starting->server);
    const char *basis = starting->instance->server_basis;
    uint32_t newest = generation == GENERATIONS || !basis || strcmp(basis, "log") != 0 ? 0 : newest_version[generation];
    return newest && dump->version > newest;
}

static const struct dump_defect *first_corruption(const struct dump *dump)
{
    for (size_t i = 0; i < dump->defect_count; i++)
        if (rdb_defect_is_corruption(dump->defects[i].code) && dump->defects[i].code != RDB_BAD_CHECKSUM)
            return &dump->defects[i];
    return NULL;
}

bool start_stops_at_once(const struct starting *starting, bool in_aof)
{
    bool known = starting->server.product != PRODUCT_UNKNOWN;
    bool valkey_9 = starting->server.product == PRODUCT_VALKEY && server_compare(starting->server, 9, 0, 0) >= 0;
    return starting->cluster && !valkey_9 && (!in_aof || (known && server_compare(starting->server, 7, 2, 0) >= 0));
}

enum start_fate start_judge_dump(struct start_loading *loading, const struct dump *dump, bool in_aof)
{
    const struct starting *starting = loading->starting;
    struct place stopped = {.offset = dump->stopped_at};
    const struct dump_defect *corruption = first_corruption(dump);
    if (dump->stop == RDB_STOP_READ || dump->stop == RDB_STOP_MEMORY || dump->stop == RDB_STOP_UNSUPPORTED)
        return start_leave_open(loading, dump->file, &stopped, dump->why);
    if (dump->stop != RDB_STOP_NONE)
        return start_refuse(loading, dump->file, &stopped, dump->why);
    if (corruption)
        return start_refuse(loading, dump->file, &corruption->place, corruption->found);
    if (dump->has_checksum && dump->stored_checksum != dump->computed_checksum &&
        settings_yes(starting->settings, "rdbchecksum", true))
        return start_refuse(loading, dump->file, &dump->checksum, "wrong RDB checksum");
    if (is_too_new(starting, dump))
        return start_refuse(loading, dump->file, NULL,
                            arena_format(starting->arena, "it cannot handle RDB format version %u", dump->version));
    for (size_t i = 0; i < dump->db_count && start_stops_at_once(starting, in_aof); i++)
        if (dump->dbs[i].db)
            return start_refuse(loading, dump->file, &dump->dbs[i].first, START_OTHER_DB);
    return FATE_LOADED;
}

static void count_dump(struct outcome *outcome, const struct dump *dump)
{
    outcome->held += dump->keys;
    for (size_t i = 0; i < dump->db_count; i++)
        outcome->provable += dump->dbs[i].keys - dump->dbs[i].expires;
}

enum start_fate start_judge_open(struct start_loading *loading, size_t number)
{
    const struct evidence_file *file = &loading->starting->evidence->files[number];
    if (file->unread)
        return start_leave_open(loading, number, NULL, file->unread);
    if (file->changed)
        return start_leave_open(loading, number, NULL, "it changed while it was read");
    return FATE_LOADED;
}

/* The log says that the server saved its dump, so where there is none it was not collected, or removed. */
static bool has_saved(struct start_loading *loading)
{
    const struct instance *instance = loading->starting->instance;
    for (size_t i = 0; i < instance->logbook_count; i++)
        for (size_t l = 0; l < instance->logbooks[i]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[i]->lines[l];
            if (line->event != LOGBOOK_SAVED)
                continue;
            start_say(loading->starting, &loading->outcome->reasons, true, line->file, &line->place,
                      "its log says that it saved a dump, and no file here is called %s: the dump would settle it",
                      loading->starting->files.dump_name);
            return true;
        }
    return false;
}

enum start_fate start_load_dump(struct start_loading *loading)
{
    struct starting *starting = loading->starting;
    struct outcome *outcome = loading->outcome;
    size_t number = starting->files.dump;
    if (number == SIZE_MAX) {
        outcome->source = START_NOTHING;
        if (has_saved(loading))
            return FATE_UNREAD;
        start_say(starting, &outcome->reasons, false, SIZE_MAX, NULL,
                  "a server looks for the dump %s, and there is none", starting->files.dump_name);
        return FATE_LOADED;
    }
    const struct evidence_file *file = &starting->evidence->files[number];
    const struct dump *dump = start_dump_in(file);
    outcome->source = START_DUMP;
    outcome->loaded[outcome->loaded_count++] = number;
    enum start_fate fate = start_judge_open(loading, number);
    if (dump) {
        count_dump(outcome, dump);
        start_say_keys(loading, dump);
    }
    if (fate != FATE_LOADED)
        return fate;
    if (!dump)
        return start_refuse(loading, number, NULL,
                            file->kind == EVIDENCE_EMPTY ? "0 bytes are no dump" : "it is no RDB dump");
    outcome->functions = dump->functions;
    if (dump->functions)
        start_say(starting, &outcome->reasons, true, number, &dump->first_function, "%llu function librar%s",
                  (unsigned long long)dump->functions, dump->functions == 1 ? "y" : "ies");
    fate = start_judge_dump(loading, dump, false);
    if (fate != FATE_LOADED || !dump->keys)
        return fate;
    if (starting->files.dump_renamed) {
        start_say(starting, &outcome->reasons, true, number, NULL,
                  "redis.conf calls the dump %s, no file here is called so: "
                  "whether this one is it is not known",
                  starting->files.dump_name);
        outcome->held = 0;
        return FATE_UNREAD;
    }
    return fate;
}
