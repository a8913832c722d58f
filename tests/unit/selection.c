#include "tools/keyspace/selection.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tools/cli/key_options.h"

static struct bytes run_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* What redis-server 7.0 answers to KEYS with these patterns, and why some of them are there. */
Test(selection, globs)
{
    static const struct {
        const char *pattern, *name;
        bool fits;
    } trials[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"**", "a", true},
        {"a", "", false},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"*b*", "abc", true},
        {"*d*", "abc", false},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "aXbY", false},
        {"*ab", "aab", true}, /* the star has to give back */
        {"a*aab", "aaaaab", true},
        {"?", "", false},
        {"?", "a", true},
        {"??", "a", false},
        {"h[ae]llo", "hallo", true},
        {"h[ae]llo", "hillo", false},
        {"h[^e]llo", "hallo", true},
        {"h[^e]llo", "hello", false},
        {"[a-c]", "b", true},
        {"[c-a]", "b", true}, /* ends in either order */
        {"[a-c]", "d", false},
        {"[a-]", "_", true}, /* a range from ] to a, and no end of the class */
        {"[a-]", "-", false},
        {"[a-", "-", true}, /* no range without its end */
        {"[\\]]", "]", true},
        {"[\\-a]", "-", true},
        {"[abc", "c", true}, /* a class without its end */
        {"[abc", "cd", false},
        {"[", "a", false},
        {"[^", "a", true},
        {"[]", "a", false},
        {"[^]", "a", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\", "\\", true}, /* nothing behind it: itself */
        {"a\\", "a\\", true},
        {"\\a", "a", true},
        {"*\\", "x\\", true},
        {"*[a-b]", "xxb", true},
    };
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++)
        cr_expect_eq(selection_glob(run_of(trials[i].pattern), run_of(trials[i].name)), trials[i].fits, "%s on %s",
                     trials[i].pattern, trials[i].name);
}

Test(selection, globs_see_every_byte)
{
    static const uint8_t name[] = {0, 0xff, '\n'};
    cr_expect(selection_glob(run_of("???"), (struct bytes){name, 3}));
    cr_expect(selection_glob(run_of("*\n"), (struct bytes){name, 3}));
    cr_expect(selection_glob(run_of("?\xff*"), (struct bytes){name, 3}));
    cr_expect_not(selection_glob(run_of("?\x7f*"), (struct bytes){name, 3}));
}

/* Patterns that take a server, which goes back to every star, longer than anyone waits. */
Test(selection, globs_take_bounded_time, .timeout = 10)
{
    static uint8_t pattern[2001], name[20000];
    for (size_t i = 0; i < 2000; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[2000] = 'b';
    memset(name, 'a', sizeof(name));
    cr_expect_not(selection_glob((struct bytes){pattern, sizeof(pattern)}, (struct bytes){name, sizeof(name)}));
}

static bool takes(const struct selection *selection, const struct rdb_key *key)
{
    return selection_takes(selection, key, keyslot(key->name));
}

Test(selection, nothing_asked_takes_all)
{
    const struct selection selection = {0};
    cr_expect(takes(&selection, &(struct rdb_key){.db = 9, .datatype = RDB_OTHER}));
}

Test(selection, conditions)
{
    const struct rdb_key key = {.db = 3, .name = run_of("{a}:1"), .datatype = RDB_HASH, .has_expiry = true,
                                .expire_ms = 1000, .value_length = 50};
    const unsigned slot = keyslot(key.name);
    const struct {
        int id;
        const char *value;
        bool taken;
    } trials[] = {
        {KEY_OPTION_MATCH, "{a}*", true},
        {KEY_OPTION_MATCH, "b*", false},
        {KEY_OPTION_TYPE, "hash", true},
        {KEY_OPTION_TYPE, "list", false},
        {KEY_OPTION_SLOT, "0-16383", true},
        {KEY_OPTION_SLOT, "15495", slot == 15495},
        {KEY_OPTION_SLOT, "0-15494,15496-16383", slot != 15495},
        {KEY_OPTION_DB, "3", true},
        {KEY_OPTION_DB, "1,2-3", true},
        {KEY_OPTION_DB, "0-2,4-4294967295", false},
        {KEY_OPTION_EXPIRES, "never", false},
        {KEY_OPTION_EXPIRES, "ever", true},
        {KEY_OPTION_EXPIRES, "before:1970-01-01T00:00:01Z", false},
        {KEY_OPTION_EXPIRES, "before:1970-01-01T00:00:01.001Z", true},
        {KEY_OPTION_EXPIRES, "after:1970-01-01T00:00:01Z", true},
        {KEY_OPTION_EXPIRES, "after:1970-01-02", false},
        {KEY_OPTION_LEAST, "50", true},
        {KEY_OPTION_LEAST, "51", false},
        {KEY_OPTION_LEAST, "1K", false},
        {KEY_OPTION_MOST, "50", true},
        {KEY_OPTION_MOST, "49", false},
        {KEY_OPTION_MOST, "1G", true},
        {KEY_OPTION_MOST, "0", false},
    };
    cr_expect_eq(slot, 15495);
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
        struct selection selection = {0};
        cr_expect_null(key_options_take(&selection, trials[i].id, trials[i].value), "%s", trials[i].value);
        cr_expect_eq(takes(&selection, &key), trials[i].taken, "%s", trials[i].value);
    }
}

Test(selection, kinds_add_up_and_alternatives_do_not)
{
    struct selection selection = {0};
    struct rdb_key key = {.name = run_of("user:1"), .datatype = RDB_SET};
    cr_expect_null(key_options_take(&selection, KEY_OPTION_MATCH, "user:*"));
    cr_expect_null(key_options_take(&selection, KEY_OPTION_MATCH, "item:*"));
    cr_expect_null(key_options_take(&selection, KEY_OPTION_TYPE, "set"));
    cr_expect_null(key_options_take(&selection, KEY_OPTION_TYPE, "zset"));
    cr_expect(takes(&selection, &key));
    key.datatype = RDB_STRING;
    cr_expect_not(takes(&selection, &key));
    key.datatype = RDB_ZSET;
    key.name = run_of("item:1");
    cr_expect(takes(&selection, &key));
    key.name = run_of("other");
    cr_expect_not(takes(&selection, &key));
}

Test(selection, values_that_are_none)
{
    static const struct {
        int id;
        const char *value;
    } trials[] = {
        {KEY_OPTION_TYPE, "Hash"},        {KEY_OPTION_TYPE, ""},          {KEY_OPTION_SLOT, ""},
        {KEY_OPTION_SLOT, "16384"},       {KEY_OPTION_SLOT, "5-4"},       {KEY_OPTION_SLOT, "1,"},
        {KEY_OPTION_SLOT, "1-2-3"},       {KEY_OPTION_SLOT, "-1"},        {KEY_OPTION_DB, "4294967296"},
        {KEY_OPTION_DB, "all"},           {KEY_OPTION_EXPIRES, "before"}, {KEY_OPTION_EXPIRES, "before:"},
        {KEY_OPTION_EXPIRES, "after:1x"}, {KEY_OPTION_EXPIRES, "none"},   {KEY_OPTION_LEAST, "K"},
        {KEY_OPTION_LEAST, "1k"},         {KEY_OPTION_LEAST, "-1"},       {KEY_OPTION_MOST, "18446744073709551615K"},
        {KEY_OPTION_MOST, "1.5M"},
    };
    for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
        struct selection selection = {0};
        cr_expect(key_options_take(&selection, trials[i].id, trials[i].value), "%s", trials[i].value);
    }
    struct selection full = {0};
    for (size_t i = 0; i < SELECTION_MOST; i++)
        cr_expect_null(key_options_take(&full, KEY_OPTION_MATCH, "*"));
    cr_expect(key_options_take(&full, KEY_OPTION_MATCH, "*"));
}

Test(selection, words_of_types_are_those_of_the_reader)
{
    for (unsigned type = 0; type < RDB_DATATYPES; type++)
        cr_expect_str_eq(key_option_types[type], rdb_datatype_name((enum rdb_datatype)type));
    cr_expect_null(key_option_types[RDB_DATATYPES]);
}
