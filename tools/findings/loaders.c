#include "tools/findings/loaders.h"

#include <string.h>

enum { DATABASES = 16 };

#define PROVED_ON "Redis 7.0" /* the server whose outcomes were seen */

/* Columns of loaders.def. */
enum care { TRUSTING, GLANCING, CONVERTING, CARES };

enum form {
    FORM_ANY,
    FORM_LISTPACK,
    FORM_EXPIRING_LISTPACK,
    FORM_ZIPLIST,
    FORM_ZIPMAP,
    FORM_STREAM,
    FORM_SET, /* element by element */
    FORM_ZSET,
    FORM_TEXT_ZSET,
    FORM_HASH,
    FORMS
};

static const struct {
    const char *name;
    enum product product;
    uint32_t redis, valkey;
    enum care care;
    bool modules;
} servers[] = {
#define LOADER(label, who, newest_redis, newest_valkey, how, bundled) \
    {label, who, newest_redis, newest_valkey, how, bundled},
#include "tools/findings/loaders.def"
#undef LOADER
};

enum { SERVERS = sizeof(servers) / sizeof(servers[0]) };

static const struct rule {
    enum rdb_defect defect;
    enum form form;
    enum loader_outcome outcomes[CARES];
    bool proved;
    const char *words;
} rules[] = {
#define LOADS LOADER_LOADS
#define DIFFERS LOADER_DIFFERS
#define UNSURE LOADER_UNSURE
#define REFUSES LOADER_REFUSES
#define LOADER_RULE(code, shape, trusting, glancing, converting, seen, text) \
    {code, shape, {trusting, glancing, converting}, seen, text},
#include "tools/findings/loaders.def"
#undef LOADER_RULE
#undef LOADS
#undef DIFFERS
#undef UNSURE
#undef REFUSES
};

/* By type byte; what is not here has no form of its own. */
static const struct {
    uint8_t type;
    enum form form;
} type_forms[] = {
    {2, FORM_SET},
    {3, FORM_TEXT_ZSET},
    {4, FORM_HASH},
    {5, FORM_ZSET},
    {9, FORM_ZIPMAP},
    {10, FORM_ZIPLIST},
    {12, FORM_ZIPLIST},
    {13, FORM_ZIPLIST},
    {14, FORM_ZIPLIST},
    {15, FORM_STREAM},
    {16, FORM_LISTPACK},
    {17, FORM_LISTPACK},
    {18, FORM_LISTPACK},
    {19, FORM_STREAM},
    {20, FORM_LISTPACK},
    {21, FORM_STREAM},
    {23, FORM_EXPIRING_LISTPACK},
    {25, FORM_EXPIRING_LISTPACK},
    {26, FORM_STREAM},
    {27, FORM_STREAM},
};

static enum form form_of(const struct dump_defect *defect)
{
    for (size_t i = 0; i < sizeof(type_forms) / sizeof(type_forms[0]); i++)
        if (type_forms[i].type == defect->type)
            return type_forms[i].form;
    return FORM_ANY;
}

static const struct rule *rule_of(const struct dump_defect *defect)
{
    enum form form = form_of(defect);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].defect == defect->code && (rules[i].form == FORM_ANY || rules[i].form == form))
            return &rules[i];
    return NULL;
}

/* What is known so far of a server and the dump. */
struct judging {
    struct loader *loader;
    bool proved;
};

/* The worse outcome stays, and the first of equals. */
static void weigh(struct judging *judging, enum loader_outcome outcome, bool proved, const char *why)
{
    judging->proved &= proved;
    if (outcome <= judging->loader->outcome && (judging->loader->why || outcome == LOADER_LOADS))
        return;
    judging->loader->outcome = outcome;
    judging->loader->why = why;
}

static void weigh_version(struct judging *judging, struct arena *arena, const struct dump *dump, size_t server)
{
    uint32_t newest = dump->valkey_magic ? servers[server].valkey : servers[server].redis;
    const char *magic = dump->valkey_magic ? "VALKEY" : "REDIS";
    if (!newest)
        weigh(judging, LOADER_REFUSES, true, "the magic is VALKEY, which only Valkey 9 and newer know");
    else if (dump->version > newest)
        weigh(judging, LOADER_REFUSES, true,
              arena_format(arena, "the dump has version %s %u, the server knows up to %u", magic, dump->version, newest));
}

static void weigh_stop(struct judging *judging, const struct dump *dump)
{
    static const struct {
        enum loader_outcome outcome;
        bool proved;
        const char *why;
    } stops[] = {
        [RDB_STOP_NONE] = {LOADER_LOADS, true, NULL},
        [RDB_STOP_NOT_RDB] = {LOADER_REFUSES, true, "it does not begin as a dump"},
        [RDB_STOP_TRUNCATED] = {LOADER_REFUSES, true, "it ends before its end"},
        [RDB_STOP_CORRUPT] = {LOADER_REFUSES, true, "bytes that no server writes"},
        [RDB_STOP_UNSUPPORTED] = {LOADER_UNSURE, false, "a type or opcode that cannot be read here"},
        [RDB_STOP_READ] = {LOADER_UNSURE, false, "it could not be read to its end"},
        [RDB_STOP_MEMORY] = {LOADER_UNSURE, false, "it could not be read to its end"},
    };
    if (dump->stop)
        weigh(judging, stops[dump->stop].outcome, stops[dump->stop].proved, stops[dump->stop].why);
}

static void weigh_content(struct judging *judging, const struct dump *dump, size_t server)
{
    if (dump->modules)
        weigh(judging, servers[server].modules ? LOADER_UNSURE : LOADER_REFUSES, !servers[server].modules,
              "values of modules need the module to be loaded");
    if (dump->db_count && dump->dbs[dump->db_count - 1].db >= DATABASES)
        weigh(judging, LOADER_REFUSES, true, "keys in a database beyond the default of 16");
}

static void judge(struct arena *arena, const struct dump *dump, size_t server, struct loader *loader)
{
    *loader = (struct loader){.server = servers[server].name};
    struct judging judging = {loader, strcmp(servers[server].name, PROVED_ON) == 0};
    weigh_version(&judging, arena, dump, server);
    weigh_stop(&judging, dump);
    weigh_content(&judging, dump, server);
    for (size_t i = 0; i < dump->defect_count; i++) {
        const struct rule *rule = rule_of(&dump->defects[i]);
        if (rule)
            weigh(&judging, rule->outcomes[servers[server].care], rule->proved, rule->words);
        else
            weigh(&judging, LOADER_UNSURE, false, dump->defects[i].expected);
    }
    loader->proved = judging.proved;
}

size_t loaders_count(void)
{
    return SERVERS;
}

bool loaders_judge(struct arena *arena, const struct dump *dump, struct loader *loaders)
{
    for (size_t i = 0; i < SERVERS; i++)
        judge(arena, dump, i, &loaders[i]);
    return !arena_failed(arena);
}

const char *loader_outcome_word(enum loader_outcome outcome)
{
    static const char *const words[LOADER_OUTCOMES] = {
        [LOADER_LOADS] = "loads",
        [LOADER_DIFFERS] = "differs",
        [LOADER_UNSURE] = "unsure",
        [LOADER_REFUSES] = "refuses",
    };
    return words[outcome];
}
