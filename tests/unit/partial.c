#include "tools/keyspace/partial.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/rdb_build.h"
#include "tools/render/stat_output.h"

static const struct stat_options plain = {.depth = 2, .top = 3};

static struct bytes run_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* The document, NUL-terminated; to be freed. */
static char *text_of(const struct key_stat *stat)
{
    struct out *out = out_open_memory();
    stat_write_partial(out, stat);
    cr_assert_eq(out_error(out), 0);
    char *text = strndup((const char *)out_held(out).at, out_held(out).len);
    out_close(out);
    return text;
}

/* The totals of a dump with names that are no UTF-8. */
static char *saved(void)
{
    struct rdb_build build = rdb_build_begin("REDIS0010");
    rdb_build_aux(&build, "redis-ver", "7.0.15");
    rdb_build_string_key(&build, "a:\xff\xfe", "x");
    rdb_build_string_key(&build, "\xff:1", "x");
    rdb_build_expire_ms(&build, INT64_C(-5));
    rdb_build_string_key(&build, "b", "x");
    rdb_build_end(&build);
    struct key_stat *stat = key_stat_new(&plain);
    struct source *source = source_memory(build.at, build.len);
    cr_assert_not_null(key_stat_read(stat, "dump", source));
    source_close(source);
    key_stat_finish(stat);
    char *text = text_of(stat);
    key_stat_free(stat);
    rdb_build_free(&build);
    return text;
}

Test(partial, comes_back_as_it_was)
{
    char why[PARTIAL_WHY], *text = saved();
    struct key_stat *stat = key_stat_new(&plain);
    cr_assert(partial_add(stat, run_of(text), why), "%s", why);
    key_stat_finish(stat);
    char *again = text_of(stat);
    cr_expect_str_eq(again, text);
    key_stat_free(stat);
    free(again);
    free(text);
}

Test(partial, is_refused_when_it_is_cut_anywhere)
{
    char why[PARTIAL_WHY], *text = saved();
    size_t len = strlen(text);
    struct key_stat *stat = key_stat_new(&plain);
    for (size_t cut = 0; cut + 1 < len; cut++) {
        cr_expect_not(partial_add(stat, (struct bytes){(uint8_t *)text, cut}, why), "%zu of %zu", cut, len);
        cr_expect_neq(*why, '\0');
        cr_expect_eq(stat->total.keys, 0);
        cr_expect_eq(stat->file_count, 0);
    }
    key_stat_free(stat);
    free(text);
}

/* A digit that is changed is found by a sum that does not hold, or changes what no sum covers; nothing crashes. */
Test(partial, bears_any_changed_byte)
{
    char why[PARTIAL_WHY], *text = saved();
    static const char to[] = "9\"{[,nx";
    struct key_stat *stat = key_stat_new(&plain);
    for (size_t at = 0; text[at]; at += text[at] == ' ' ? 5 : 1) {
        char before = text[at];
        text[at] = to[at % (sizeof(to) - 1)];
        cr_expect(partial_add(stat, run_of(text), why) || *why);
        text[at] = before;
    }
    key_stat_finish(stat);
    key_stat_free(stat);
    free(text);
}

static char *changed(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    cr_assert_not_null(at, "%s", from);
    size_t room = strlen(text) + strlen(to) + 1;
    char *copy = malloc(room);
    snprintf(copy, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return copy;
}

Test(partial, is_refused_with_its_place)
{
    static const struct {
        const char *from, *to, *why;
    } rows[] = {
        {"rcf-rdb-stat-partial", "other", "schema: expected \"rcf-rdb-stat-partial\""},
        {"\"version\": 1", "\"version\": 2", "version: expected an integer from 1 to 1"},
        {"\"prefix_depth\": 2", "\"prefix_depth\": 3", "prefix_depth: made with --prefix-depth=3, not 2"},
        {"\"top\": 3", "\"top\": 2", "top: it keeps the 2 biggest keys, and 3 are wanted"},
        {"\"selection\": null", "\"selection\": \"--type=set\"", "selection: made of --type=set, not of all keys"},
        {"\"keys\": \"3\"", "\"keys\": 3", "total.keys: expected a number as a string of digits"},
        {"\"keys\": \"3\"", "\"keys\": \"4\"", "encodings: the rows do not add up to the total"},
        {"\"prefix_hex\": \"ff3a\"", "\"prefix_hex\": \"fz3a\"", "prefixes[1].prefix_hex: expected hexadecimal digits"},
        {"\"expires_in\": \"expired\"", "\"expires_in\": \"soon\"", "expiries[1].expires_in: not one of the classes"},
        {"\"damages\": \"0\"", "\"damages\": \"-1\"", "files[0].damages: expected a number as a string of digits"},
    };
    char why[PARTIAL_WHY], *text = saved();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct key_stat *stat = key_stat_new(&plain);
        char *copy = changed(text, rows[i].from, rows[i].to);
        cr_expect_not(partial_add(stat, run_of(copy), why), "row %zu", i);
        cr_expect_str_eq(why, rows[i].why);
        free(copy);
        key_stat_free(stat);
    }
    free(text);
}

Test(partial, never_replaces_another_file)
{
    char folder[] = "/tmp/rcf-partial-XXXXXX", path[64], why[PARTIAL_WHY], read[8] = "", *text = saved();
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/file", folder);
    cr_expect(partial_save(path, run_of(text), why));
    cr_expect(partial_save(path, run_of(text), why), "its own kind is replaced");
    FILE *file = fopen(path, "w");
    fputs("REDIS", file);
    fclose(file);
    cr_expect_not(partial_save(path, run_of(text), why));
    file = fopen(path, "r");
    cr_expect_str_eq(fgets(read, sizeof(read), file), "REDIS");
    fclose(file);
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "nothing temporary is left");
    cr_expect_not(partial_save("/nonexistent/file", run_of(text), why));
    free(text);
}

Test(partial, is_told_from_dumps)
{
    cr_expect(partial_likely(run_of("{\n")));
    cr_expect(partial_likely(run_of(" \n\t{")));
    cr_expect_not(partial_likely(run_of("REDIS0011")));
    cr_expect_not(partial_likely(run_of("")));
}
