#include "tools/evidence/settings.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

static struct arena *arena;

static const struct server redis_6_0 = {PRODUCT_REDIS, 6, 0, 16}, redis_6_2 = {PRODUCT_REDIS, 6, 2, 16},
                           redis_7_0 = {PRODUCT_REDIS, 7, 0, 15}, valkey = {PRODUCT_VALKEY, 8, 0, 1}, unknown;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

static struct settings *read_text(const char *text, size_t file)
{
    struct settings *settings = settings_read(arena, (struct bytes){(const uint8_t *)text, strlen(text)}, file);
    cr_assert_not_null(settings);
    return settings;
}

Test(settings, keeps_the_last_word, .init = start, .fini = stop)
{
    struct settings *settings = read_text("port 7000\nPORT 7001\nappendonly YES\n# port 7002\nbind 10.0.0.1 ::1\n", 4);
    cr_expect_eq(settings->count, 4);
    cr_expect_eq(settings->file, 4);
    cr_expect_str_eq(settings_text(settings, "port", ""), "7001");
    cr_expect_eq(settings_find(settings, "port")->place.line, 2);
    cr_expect(settings_yes(settings, "appendonly", false));
    cr_expect(settings_yes(settings, "rdbchecksum", true));
    const struct setting *bind = settings_find(settings, "bind");
    cr_assert_eq(bind->word_count, 2);
    cr_expect_str_eq(bind->words[1], "::1");
    cr_expect_null(settings_find(settings, "dir"));
    cr_expect_null(settings_find(NULL, "dir"));
    cr_expect_str_eq(settings_text(NULL, "dir", "./"), "./");
}

Test(settings, maps_aliases, .init = start, .fini = stop)
{
    struct settings *settings = read_text("slaveof 10.0.0.1 7000\ncluster-slave-validity-factor 0\nmasterauth x\n"
                                          "slave-priority 10\nhash-max-ziplist-entries 5\n", 0);
    static const char *const names[] = {"replicaof", "cluster-replica-validity-factor", "primaryauth",
                                        "replica-priority", "hash-max-listpack-entries"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        cr_expect_str_eq(settings->all[i].name, names[i]);
    cr_expect_str_eq(settings_text(settings, "replicaof", ""), "10.0.0.1");
}

/* No secret may be anywhere in the settings: not as a word, not as a name of a command. */
Test(settings, keeps_no_secrets, .init = start, .fini = stop)
{
    struct settings *settings = read_text(
        "requirepass hunter2\nmasterauth hunter2\nuser app on >hunter2\nprimaryuser hunter2\n"
        "tls-key-file-pass hunter2\nsentinel auth-pass mymaster hunter2\nloadmodule /m.so hunter2\n"
        "rename-command FLUSHALL hunter2\nrename-command hunter2 \"\"\nrename-command CONFIG \"\"\n"
        "replica-auth hunter2\nunheard-of hunter2\nrename-command SAVE save\n", 0);
    for (size_t i = 0; i < settings->count; i++) {
        cr_expect_null(settings->all[i].words, "%s", settings->all[i].name);
        cr_expect_geq(settings->all[i].value_length, 6);
    }
    cr_expect_eq(settings_find(settings, "requirepass")->value_length, 7);
    cr_assert_eq(settings->renamed_count, 4);
    cr_expect_null(settings->renamed[1].name);
    cr_expect_eq(settings_renamed(settings, "flushall"), COMMAND_RENAMED);
    cr_expect_eq(settings_renamed(settings, "config"), COMMAND_DISABLED);
    cr_expect_eq(settings_renamed(settings, "save"), COMMAND_AS_IS);
    cr_expect_eq(settings_renamed(settings, "select"), COMMAND_AS_IS);
    cr_expect_eq(settings_renamed(NULL, "select"), COMMAND_AS_IS);
    cr_expect(settings->sentinel);
}

Test(settings, counts_damaged_lines, .init = start, .fini = stop)
{
    struct settings *settings = read_text("port 7000\ndir \"/data\ndbfilename x.rdb\n", 0);
    cr_expect_eq(settings->damaged_lines, 1);
    cr_expect_eq(settings->first_damage.line, 2);
    cr_expect_str_eq(settings_text(settings, "dbfilename", ""), "x.rdb");
}

Test(settings, knows_defaults_by_version, .init = start, .fini = stop)
{
    struct settings *settings = read_text("port 7000\n", 0);
    cr_expect_str_eq(settings_value(settings, "port", valkey), "7000");
    cr_expect_str_eq(settings_value(settings, "dbfilename", unknown), "dump.rdb");
    cr_expect_null(settings_value(settings, "aof-use-rdb-preamble", unknown));
    cr_expect_str_eq(settings_value(settings, "aof-use-rdb-preamble", (struct server){PRODUCT_REDIS, 4, 0, 1}), "no");
    cr_expect_str_eq(settings_value(settings, "aof-use-rdb-preamble", redis_7_0), "yes");
    cr_expect_null(settings_value(settings, "appenddirname", redis_6_2));
    cr_expect_str_eq(settings_value(NULL, "appenddirname", valkey), "appendonlydir");
    cr_expect_null(settings_value(settings, "replicaof", valkey));
}

struct target {
    const char *name;
    const struct settings *settings;
};

static const struct settings *resolve(void *context, const char *name)
{
    for (const struct target *target = context; target->name; target++)
        if (strcmp(target->name, name) == 0)
            return target->settings;
    return NULL;
}

Test(settings, joins_includes_in_place, .init = start, .fini = stop)
{
    struct settings *main = read_text("port 1\ninclude a\nport 4\ninclude gone\ninclude empty\n", 0);
    struct target targets[] = {{"a", read_text("port 2\ninclude b\n", 1)},
                               {"b", read_text("port 3\nrename-command FLUSHALL \"\"\n", 2)},
                               {"empty", read_text("# nothing\n", 3)},
                               {NULL, NULL}};
    cr_expect_eq(main->missing_include_count, 3, "nothing is resolved yet");
    struct settings *joined = settings_join(arena, main, resolve, targets);
    cr_assert_not_null(joined);
    static const size_t files[] = {0, 0, 1, 1, 2, 2, 0, 0, 0};
    cr_assert_eq(joined->count, 9);
    for (size_t i = 0; i < 9; i++)
        cr_expect_eq(joined->all[i].file, files[i], "setting %zu", i);
    cr_expect_str_eq(settings_text(joined, "port", ""), "4");
    cr_assert_eq(joined->missing_include_count, 1);
    cr_expect_str_eq(joined->missing_includes[0], "gone");
    cr_expect_eq(settings_renamed(joined, "flushall"), COMMAND_DISABLED);
}

Test(settings, ends_circular_includes, .init = start, .fini = stop)
{
    struct settings *main = read_text("include main\ninclude main\n", 0);
    struct target targets[] = {{"main", main}, {NULL, NULL}};
    struct settings *joined = settings_join(arena, main, resolve, targets);
    cr_assert_not_null(joined);
    cr_expect_gt(joined->missing_include_count, 0);
}

#define NONE SAVE_POINTS_NONE
#define SOME SAVE_POINTS_SOME
#define OPEN SAVE_POINTS_UNKNOWN

Test(settings, save_points_by_version, .init = start, .fini = stop)
{
    static const struct {
        const char *main, *included;
        enum save_points redis_6_0, redis_6_2, redis_7_0, any;
    } cases[] = {
        {"port 1\n", NULL, NONE, SOME, SOME, OPEN},
        {"save \"\"\n", NULL, NONE, NONE, NONE, NONE},
        {"save 900 1\nsave \"\"\n", NULL, NONE, NONE, NONE, NONE},
        {"save \"\"\nsave 900 1\n", NULL, SOME, SOME, SOME, SOME},
        {"save 900 1\nsave 300 10\n", NULL, SOME, SOME, SOME, SOME},
        {"save 900 1 300 10\n", NULL, NONE, NONE, SOME, OPEN},
        {"save \"900 1 300 10\"\n", NULL, NONE, NONE, SOME, OPEN},
        {"save\n", NULL, NONE, NONE, NONE, NONE},
        {"save 900\n", NULL, NONE, NONE, OPEN, OPEN},
        {"save 900 1 # x\n", NULL, NONE, NONE, OPEN, OPEN},
        {"save 0 1\nsave 900 1\n", NULL, OPEN, OPEN, OPEN, OPEN},
        {"save 900 1\ninclude i\n", "save 60 5\n", SOME, SOME, SOME, SOME},
        {"include i\nsave 900 1\n", "save 60 5\n", SOME, SOME, SOME, SOME},
        {"save 900 1\ninclude i\n", "save 60 5\nsave \"\"\n", NONE, NONE, NONE, NONE},
        {"save 900 1\ninclude i\n", "save\n", SOME, NONE, SOME, OPEN},
        {"include i\nsave 900 1\nsave\n", "port 2\n", SOME, SOME, NONE, OPEN},
        {"include gone\n", NULL, OPEN, OPEN, OPEN, OPEN},
        {"include gone\nsave \"\"\n", NULL, NONE, NONE, NONE, NONE},
        {"include gone\nsave 60 5\n", NULL, SOME, SOME, SOME, SOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct target targets[2] = {{NULL, NULL}};
        if (cases[i].included)
            targets[0] = (struct target){"i", read_text(cases[i].included, 1)};
        struct settings *settings = settings_join(arena, read_text(cases[i].main, 0), resolve, targets);
        const char *why = NULL;
        const struct setting *decisive;
        cr_expect_eq(settings_save_points(settings, redis_6_0, &why, &decisive), cases[i].redis_6_0, "6.0: %s",
                     cases[i].main);
        cr_expect_eq(settings_save_points(settings, redis_6_2, &why, &decisive), cases[i].redis_6_2, "6.2: %s",
                     cases[i].main);
        cr_expect_eq(settings_save_points(settings, redis_7_0, &why, &decisive), cases[i].redis_7_0, "7.0: %s",
                     cases[i].main);
        cr_expect_eq(settings_save_points(settings, valkey, &why, &decisive), cases[i].redis_7_0, "Valkey: %s",
                     cases[i].main);
        cr_expect_eq(settings_save_points(settings, unknown, &why, &decisive), cases[i].any, "unknown: %s",
                     cases[i].main);
        cr_expect_not_null(why);
    }
}

Test(settings, names_the_deciding_line, .init = start, .fini = stop)
{
    const char *why;
    const struct setting *decisive;
    settings_save_points(read_text("save 900 1\nport 1\nsave \"\"\n", 0), redis_7_0, &why, &decisive);
    cr_assert_not_null(decisive);
    cr_expect_eq(decisive->place.line, 3);
    cr_expect_eq(settings_save_points(NULL, redis_7_0, &why, &decisive), SAVE_POINTS_UNKNOWN);
    cr_expect_null(decisive);
    cr_expect_eq(settings_save_points(read_text("port 1\n", 0), redis_7_0, &why, &decisive), SAVE_POINTS_SOME);
    cr_expect_null(decisive, "the default decides");
}

Test(settings, reads_a_real_configuration, .init = start, .fini = stop)
{
    struct source *source =
        source_open(AT_FDCWD, "fixtures/incidents-redis-7.0.15/instances/hosts/127.0.13.6/7101/redis_7101.conf", 0);
    struct bytes text;
    cr_assert(source_slurp(source, 1 << 20, &text));
    struct settings *settings = settings_read(arena, text, 0);
    source_close(source);
    cr_expect_str_eq(settings_text(settings, "dbfilename", ""), "dump_7101.rdb");
    cr_expect_str_eq(settings_text(settings, "cluster-config-file", ""), "nodes_7101.conf");
    cr_expect(settings_yes(settings, "appendonly", false));
    cr_expect_eq(settings->damaged_lines, 0);
}
