#include "tools/evidence/settings.h"

#include <string.h>
#include <strings.h>

#include "parsers/bytes/text.h"
#include "parsers/conf/conf.h"
#include "tools/evidence/names.h"

/* Old words in names of directives and the current ones; a name may hold one. */
static const struct {
    const char *old, *current;
} aliases[] = {
    {"masterauth", "primaryauth"}, {"masteruser", "primaryuser"}, {"slave", "replica"}, {"ziplist", "listpack"},
};

static const char *const kept_names[] = {
#define SETTING_KEPT(name) name,
#include "tools/evidence/settings_kept.def"
#undef SETTING_KEPT
};

/* A kept name with one of these in it holds a secret after all. */
static const char *const secret_words[] = {"auth", "pass", "user", "secret"};

/* Commands whose renaming matters to a repair or to reading an AOF. Other first words of rename-command may be secrets
 * themselves: the new name of an earlier line. */
static const char *const known_commands[] = {
    "bgrewriteaof", "bgsave", "client", "cluster", "config", "dbsize", "debug", "del", "eval", "evalsha", "exec",
    "expire", "flushall", "flushdb", "function", "get", "info", "keys", "migrate", "move", "multi", "persist",
    "pexpireat", "ping", "publish", "readonly", "rename", "replicaof", "restore", "role", "save", "scan", "script",
    "select", "set", "shutdown", "slaveof", "swapdb", "unlink", "wait",
};

static const struct {
    const char *name;
    unsigned major, minor;
    const char *value;
} defaults[] = {
#define SETTING_DEFAULT(name, major, minor, value) {name, major, minor, value},
#include "tools/evidence/settings_defaults.def"
#undef SETTING_DEFAULT
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct reading {
    struct arena *arena;
    struct settings *settings;
    struct setting *all;
    size_t all_cap;
    const char **missing;
    size_t missing_cap;
    struct settings_command *renamed;
    size_t renamed_cap;
};

static char *lower_copy(struct arena *arena, struct bytes text)
{
    char *copy = arena_copy(arena, text.at, text.len);
    for (char *at = copy; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
    return copy;
}

static const char *current_name(struct arena *arena, struct bytes written)
{
    const char *name = lower_copy(arena, written);
    for (size_t i = 0; name && i < COUNT(aliases); i++) {
        const char *hit = strstr(name, aliases[i].old);
        if (hit)
            return arena_format(arena, "%.*s%s%s", (int)(hit - name), name, aliases[i].current,
                                hit + strlen(aliases[i].old));
    }
    return name;
}

static bool is_kept(const char *name)
{
    for (size_t i = 0; i < COUNT(secret_words); i++)
        if (strstr(name, secret_words[i]))
            return false;
    for (size_t i = 0; i < COUNT(kept_names); i++) {
        size_t len = strlen(kept_names[i]);
        bool any_rest = kept_names[i][len - 1] == '*';
        if (any_rest ? strncmp(name, kept_names[i], len - 1) == 0 : strcmp(name, kept_names[i]) == 0)
            return true;
    }
    return false;
}

static void add_setting(struct reading *reading, const struct setting *setting)
{
    struct settings *settings = reading->settings;
    struct setting *all =
        arena_grow(reading->arena, reading->all, settings->count, &reading->all_cap, sizeof(*all));
    if (!all)
        return;
    settings->all = reading->all = all;
    all[settings->count++] = *setting;
}

static void add_missing(struct reading *reading, const char *target)
{
    struct settings *settings = reading->settings;
    const char **missing = arena_grow(reading->arena, reading->missing, settings->missing_include_count,
                                      &reading->missing_cap, sizeof(*missing));
    if (!missing)
        return;
    settings->missing_includes = reading->missing = missing;
    missing[settings->missing_include_count++] = target;
}

static void add_renamed(struct reading *reading, const struct settings_command *command)
{
    struct settings *settings = reading->settings;
    struct settings_command *renamed = arena_grow(reading->arena, reading->renamed, settings->renamed_count,
                                                  &reading->renamed_cap, sizeof(*renamed));
    if (!renamed)
        return;
    settings->renamed = reading->renamed = renamed;
    renamed[settings->renamed_count++] = *command;
}

static void read_rename(struct reading *reading, const struct conf_directive *directive)
{
    if (directive->word_count != 2)
        return;
    struct bytes from = directive->words[0], to = directive->words[1];
    struct settings_command command = {
        .change = to.len ? COMMAND_RENAMED : COMMAND_DISABLED,
        .place = directive->place,
        .file = reading->settings->file,
    };
    for (size_t i = 0; i < COUNT(known_commands); i++) {
        if (!text_is_nocase(from, known_commands[i]))
            continue;
        command.name = known_commands[i];
        if (text_is_nocase(to, known_commands[i]))
            command.change = COMMAND_AS_IS;
    }
    add_renamed(reading, &command);
}

static void read_directive(struct reading *reading, const struct conf_directive *directive)
{
    struct arena *arena = reading->arena;
    struct setting setting = {
        .name = current_name(arena, directive->name),
        .word_count = directive->word_count,
        .file = reading->settings->file,
        .place = directive->place,
    };
    if (!setting.name)
        return;
    for (size_t i = 0; i < directive->word_count; i++)
        setting.value_length += directive->words[i].len;
    if (directive->word_count && is_kept(setting.name)) {
        const char **words = arena_array(arena, directive->word_count, sizeof(*words));
        for (size_t i = 0; words && i < directive->word_count; i++)
            words[i] = arena_copy(arena, directive->words[i].at, directive->words[i].len);
        setting.words = words;
    }
    add_setting(reading, &setting);
    if (strcmp(setting.name, "sentinel") == 0)
        reading->settings->sentinel = true;
    else if (strcmp(setting.name, "rename-command") == 0)
        read_rename(reading, directive);
    else if (strcmp(setting.name, "include") == 0 && setting.words)
        add_missing(reading, setting.words[0]);
}

static void read_damage(struct settings *settings, const struct damage *damage)
{
    if (settings->damaged_lines++ == 0)
        settings->first_damage = damage->place;
}

struct settings *settings_read(struct arena *arena, struct bytes text, size_t file)
{
    struct settings *settings = arena_alloc(arena, sizeof(*settings));
    struct conf *reader = conf_open(text);
    enum parse_step step = PARSE_STOP;
    if (settings && reader) {
        settings->file = file;
        struct reading reading = {.arena = arena, .settings = settings};
        struct conf_directive directive;
        while ((step = conf_next(reader, &directive)) == PARSE_ITEM || step == PARSE_DAMAGE) {
            if (step == PARSE_ITEM)
                read_directive(&reading, &directive);
            else
                read_damage(settings, conf_damage(reader));
        }
    }
    conf_close(reader);
    return step == PARSE_END && !arena_failed(arena) ? settings : NULL;
}

enum { INCLUDE_DEPTH = 16, JOINED_MAX = 1000000 };

struct include {
    const struct settings *settings;
    size_t next; /* setting */
};

static const struct settings *target_of(const struct setting *setting,
                                        const struct settings *(*resolve)(void *context, const char *target),
                                        void *context)
{
    return resolve && setting->words ? resolve(context, setting->words[0]) : NULL;
}

struct settings *settings_join(struct arena *arena, const struct settings *main,
                               const struct settings *(*resolve)(void *context, const char *target), void *context)
{
    struct settings *joined = arena_alloc(arena, sizeof(*joined));
    if (!joined)
        return NULL;
    joined->file = main->file;
    struct reading reading = {.arena = arena, .settings = joined};
    struct include open[INCLUDE_DEPTH] = {{main, 0}};
    for (size_t depth = 1; depth;) {
        struct include *top = &open[depth - 1];
        if (top->next == 0) {
            joined->sentinel |= top->settings->sentinel;
            if (!joined->damaged_lines)
                joined->first_damage = top->settings->first_damage;
            joined->damaged_lines += top->settings->damaged_lines;
            for (size_t i = 0; i < top->settings->renamed_count; i++)
                add_renamed(&reading, &top->settings->renamed[i]);
        }
        if (top->next == top->settings->count || arena_failed(arena)) {
            depth--;
            continue;
        }
        const struct setting *setting = &top->settings->all[top->next++];
        add_setting(&reading, setting);
        if (strcmp(setting->name, "include") != 0)
            continue;
        const struct settings *target = target_of(setting, resolve, context);
        bool room = depth < INCLUDE_DEPTH && joined->count < JOINED_MAX;
        if (target && room && target->count)
            open[depth++] = (struct include){target, 0};
        else if ((!target || !room) && setting->words)
            add_missing(&reading, setting->words[0]);
    }
    return arena_failed(arena) ? NULL : joined;
}

const struct setting *settings_find(const struct settings *settings, const char *name)
{
    for (size_t i = settings ? settings->count : 0; i > 0; i--)
        if (strcmp(settings->all[i - 1].name, name) == 0)
            return &settings->all[i - 1];
    return NULL;
}

const char *settings_text(const struct settings *settings, const char *name, const char *otherwise)
{
    const struct setting *setting = settings_find(settings, name);
    return setting && setting->words ? setting->words[0] : otherwise;
}

bool settings_yes(const struct settings *settings, const char *name, bool otherwise)
{
    const char *text = settings_text(settings, name, "");
    if (strcasecmp(text, "yes") == 0)
        return true;
    return strcasecmp(text, "no") == 0 ? false : otherwise;
}

static const char *default_of(const char *name, struct server server)
{
    const char *value = NULL;
    for (size_t i = 0; i < COUNT(defaults); i++) {
        if (strcmp(defaults[i].name, name) != 0)
            continue;
        if (server.product == PRODUCT_UNKNOWN && value)
            return NULL; /* versions differ */
        if (server.product == PRODUCT_UNKNOWN || server_compare(server, defaults[i].major, defaults[i].minor, 0) >= 0)
            value = defaults[i].value;
    }
    return value;
}

const char *settings_value(const struct settings *settings, const char *name, struct server server)
{
    return settings_text(settings, name, default_of(name, server));
}

enum settings_rename settings_renamed(const struct settings *settings, const char *command)
{
    for (size_t i = settings ? settings->renamed_count : 0; i > 0; i--) {
        const struct settings_command *renamed = &settings->renamed[i - 1];
        if (renamed->name && strcmp(renamed->name, command) == 0)
            return renamed->change;
    }
    return COMMAND_AS_IS;
}

const char *settings_address(const struct settings *settings)
{
    const char *announced = settings_text(settings, "cluster-announce-ip", "");
    const struct setting *bind = settings_find(settings, "bind");
    if (announced[0])
        return announced;
    for (size_t i = 0; bind && bind->words && i < bind->word_count; i++) {
        const char *word = bind->words[i] + (bind->words[i][0] == '-');
        if (names_is_ip((struct bytes){(const uint8_t *)word, strlen(word)}) && strcmp(word, "0.0.0.0") != 0 && strcmp(word, "::") != 0 &&
            strcmp(word, "127.0.0.1") != 0 && strcmp(word, "::1") != 0)
            return word;
    }
    return "";
}
