#include "parsers/aof/aof.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static const char *const stop_names[] = {"none", "truncated", "format", "rdb", "read", "memory"};

static void print_item(FILE *stream, const struct aof_item *item)
{
    fprintf(stream, "%" PRIu64 "+%" PRIu64, item->place.offset, item->place.length);
    if (item->kind == AOF_RDB)
        fprintf(stream, " rdb %d", item->rdb.kind);
    if (item->kind == AOF_ANNOTATION) {
        fputs(" #", stream);
        fwrite(item->text.at, 1, item->text.len, stream);
    }
    for (size_t i = 0; i < item->kept; i++) {
        cr_assert(item->arguments[i].len <= item->argument_lengths[i]);
        cr_assert(item->words.len ? item->arguments[i].len == item->argument_lengths[i]
                                  : item->arguments[i].len <= AOF_ARGUMENT_KEPT);
        fputc(i ? '|' : ' ', stream);
        fwrite(item->arguments[i].at, 1, item->arguments[i].len, stream);
        if (item->arguments[i].len < item->argument_lengths[i])
            fprintf(stream, "...%" PRIu64, item->argument_lengths[i]);
    }
    if (item->kept < item->argument_count)
        fprintf(stream, " of %" PRIu64, item->argument_count);
    fputc('\n', stream);
}

static char *transcript_of(struct source *source, bool with_end)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    struct aof *reader = aof_open(source, 0);
    struct aof_item item;
    enum parse_step step;
    uint64_t offset = 0;
    cr_assert(reader);
    while ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            const struct damage *damage = aof_damage(reader);
            fprintf(stream, "!%u %" PRIu64 "+%" PRIu64 "\n", damage->code, damage->place.offset, damage->place.length);
            continue;
        }
        cr_assert(item.place.offset >= offset && item.place.length > 0);
        offset = item.place.offset + item.place.length;
        cr_assert(aof_complete_to(reader) <= offset);
        print_item(stream, &item);
    }
    cr_assert_eq(aof_next(reader, &item), step);
    cr_assert_eq(step == PARSE_STOP, aof_stop(reader) != AOF_STOP_NONE);
    cr_assert_eq(step == PARSE_STOP, aof_why(reader) != NULL);
    if (with_end)
        fprintf(stream, "%s at %" PRIu64 ", complete to %" PRIu64 "\n", stop_names[aof_stop(reader)],
                aof_offset(reader), aof_complete_to(reader));
    aof_close(reader);
    fclose(stream);
    return out;
}

/* All steps as text, and how the reading ended. Freed by the caller. */
static char *transcript(struct bytes text, bool with_end)
{
    struct source *source = source_memory(text.at, text.len);
    char *out = transcript_of(source, with_end);
    source_close(source);
    return out;
}

#define READS_AS(text, expected)                                                                                       \
    do {                                                                                                               \
        char *steps = transcript(TEXT(text), true);                                                                    \
        cr_assert_str_eq(steps, expected);                                                                             \
        free(steps);                                                                                                   \
    } while (0)

Test(aof, commands)
{
    READS_AS("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*1\r\n$4\r\nPING\r\n",
             "0+23 SELECT|0\n23+14 PING\nnone at 37, complete to 37\n");
    READS_AS("", "none at 0, complete to 0\n");
    READS_AS("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n", "0+27 SET||\r\n\nnone at 27, complete to 27\n");
}

Test(aof, annotations)
{
    READS_AS("#TS:1700000000\r\n*1\r\n$4\r\nEXEC\r\n#x\n#",
             "0+16 #TS:1700000000\n16+14 EXEC\n30+3 #x\n33+1 #\nnone at 34, complete to 30\n");
    READS_AS("*1\r\n#TS:1\r\n$1\r\nx\r\n", "format at 4, complete to 0\n");
}

/* Servers read it and write it never; the first such thing of a command is told. */
Test(aof, what_servers_tolerate)
{
    READS_AS("* +1\n$1\nxab", "!0 0+5\n0+11 x\nnone at 11, complete to 11\n");
    READS_AS("*1junk\n$ \t1 junk\nxab", "!0 0+7\n0+20 x\nnone at 20, complete to 20\n");
    READS_AS("*4294967297\n$1\nxab", "!0 0+12\n0+18 x\nnone at 18, complete to 18\n");
    READS_AS("*1\n$\nab", "!0 0+3\n0+7 \nnone at 7, complete to 7\n");
    READS_AS("*1\n$-0\nab", "!0 0+3\n0+9 \nnone at 9, complete to 9\n");
    READS_AS("*1\r\n$01\r\nx\r\n", "!0 4+5\n0+12 x\nnone at 12, complete to 12\n");
    READS_AS("*1\r\n$1\r\nx\n\n*1\r\n$4\r\nPING\r\n", "!1 9+2\n0+11 x\n11+14 PING\nnone at 25, complete to 25\n");
}

Test(aof, format_errors)
{
    READS_AS("PING\r\n", "format at 0, complete to 0\n");
    READS_AS("\r\n", "format at 0, complete to 0\n");
    READS_AS("\0\0\0", "format at 0, complete to 0\n");
    READS_AS("*\r", "format at 0, complete to 0\n");
    READS_AS("*\n", "format at 0, complete to 0\n");
    READS_AS("*0\r\n", "format at 0, complete to 0\n");
    READS_AS("*-1\r\n", "format at 0, complete to 0\n");
    READS_AS("*x\r\n", "format at 0, complete to 0\n");
    READS_AS("*4294967296\r\n", "format at 0, complete to 0\n");
    READS_AS("*99999999999999999999\r\n", "format at 0, complete to 0\n");
    READS_AS("*\0\n*", "format at 0, complete to 0\n");
    READS_AS("*1\r\nPING\r\n", "format at 4, complete to 0\n");
    READS_AS("*1\r\n$-1\r\n", "format at 4, complete to 0\n");
    READS_AS("*1\r\n$99999999999999999999\r\nx", "format at 4, complete to 0\n");
    READS_AS("*1\r\n$140737488355328\r\nx", "format at 4, complete to 0\n");
    READS_AS("*1\r\n$4\r\nPING\r\nx", "0+14 PING\nformat at 14, complete to 14\n");
    READS_AS("REDI", "format at 0, complete to 0\n");
}

Test(aof, truncated_tails)
{
    static const char *const tails[] = {
        "*",          "*2",           "*2\r",        "*2\r\n",         "*1\r\n$",      "*1\n$5",
        "*1\n$5\r",   "*1\n$5\r\n",   "*1\n$5\nabc", "*1\n$5\nabcde", "*1\n$1\nx",    "*1\n$1\nx\r",
        "*2\n$1\nxab", "*2\n$1\nxab$", "*1\n$",       "*1\n$99999999",  "*2147483647\n", "*1\n$9999999\nx",
    };
    for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
        char text[64], expected[128];
        size_t len = (size_t)snprintf(text, sizeof(text), "*1\r\n$4\r\nPING\r\n%s", tails[i]);
        snprintf(expected, sizeof(expected), "0+14 PING\ntruncated at %zu, complete to 14\n", len);
        char *steps = transcript((struct bytes){(uint8_t *)text, len}, true);
        cr_assert_str_eq(steps, expected);
        free(steps);
    }
    READS_AS("*\0", "truncated at 2, complete to 0\n");
}

Test(aof, why_names_the_command)
{
    struct source *source = source_memory("*1\r\n$4\r\nPING\r\n*1\r\n$4", 20);
    struct aof *reader = aof_open(source, 0);
    struct aof_item item;
    cr_assert_eq(aof_next(reader, &item), PARSE_ITEM);
    cr_assert_null(aof_why(reader));
    cr_assert_eq(aof_next(reader, &item), PARSE_STOP);
    cr_assert_str_eq(aof_why(reader), "offset 20: the file ends inside a command, which began at 14");
    aof_close(reader);
    source_close(source);
}

/* fgets() of the servers gives at most 1023 bytes; the rest of a line is the next. */
Test(aof, long_lines)
{
    uint8_t text[1100];
    memset(text, '#', sizeof(text));
    char *steps = transcript((struct bytes){text, sizeof(text)}, false);
    cr_assert(strncmp(steps, "0+1023 #", 8) == 0 && strstr(steps, "\n1023+77 #"));
    free(steps);
    text[1023] = '\n';
    steps = transcript((struct bytes){text, 1024}, true);
    cr_assert(strstr(steps, "\nformat at 1023, complete to 0\n"));
    free(steps);
    text[1022] = '\n';
    steps = transcript((struct bytes){text, 1023}, true);
    cr_assert(strstr(steps, "\nnone at 1023, complete to 0\n"));
    free(steps);
}

/* A command of two arguments, the second so long. Freed by the caller. */
static char *long_command(size_t len, size_t *total)
{
    char *text = malloc(len + 64);
    cr_assert_not_null(text);
    int head = snprintf(text, 64, "*2\r\n$4\r\nPING\r\n$%zu\r\n", len);
    memset(text + head, 'v', len);
    memcpy(text + (size_t)head + len, "\r\n", 2);
    *total = (size_t)head + len + 2;
    return text;
}

Test(aof, long_commands_are_whole_up_to_a_limit)
{
    static const size_t lengths[] = {1000, 300000, AOF_WHOLE - 100, 2 * AOF_WHOLE};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        size_t len, kept = lengths[i] > AOF_WHOLE ? AOF_ARGUMENT_KEPT : lengths[i];
        char *text = long_command(lengths[i], &len);
        struct source *source = source_memory(text, len);
        struct aof *reader = aof_open(source, 0);
        struct aof_item item;
        cr_assert_eq(aof_next(reader, &item), PARSE_ITEM);
        cr_expect(item.kept == 2 && item.argument_count == 2);
        cr_expect_eq(item.words.len > 0, lengths[i] <= AOF_WHOLE);
        cr_expect_eq(item.arguments[1].len, kept, "%zu", lengths[i]);
        cr_expect_eq(item.argument_lengths[1], lengths[i]);
        cr_expect_eq(item.arguments[1].at[kept - 1], 'v');
        cr_expect_eq(item.place.length, (uint64_t)len);
        cr_expect_eq(item.command, aof_command_named(TEXT("ping")));
        cr_expect_eq(aof_next(reader, &item), PARSE_END);
        aof_close(reader);
        source_close(source);
        free(text);
    }
}

Test(aof, many_arguments_are_counted)
{
    READS_AS("*10\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n"
             "$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n$1\r\n9\r\n",
             "0+75 0|1|2|3|4|5|6|7 of 10\nnone at 75, complete to 75\n");
}

/* Commands of every length, so that each of their bytes falls on the border of what is read at once. */
Test(aof, borders_of_blocks)
{
    enum { SIZE = 600000 };
    char *text = malloc(SIZE), *filler = malloc(1024);
    size_t len = 0, count = 0, found = 0;
    memset(filler, 'f', 1024);
    while (len < SIZE - 200) {
        int n = (int)(count++ % 97);
        len += (size_t)snprintf(text + len, SIZE - len, "*2\r\n$3\r\nGET\r\n$%d\r\n%.*s\r\n", n, n, filler);
    }
    struct source *source = source_memory(text, len);
    struct aof *reader = aof_open(source, 0);
    struct aof_item item;
    enum parse_step step;
    while ((step = aof_next(reader, &item)) == PARSE_ITEM) {
        cr_assert(item.argument_lengths[1] == found % 97 && item.arguments[1].len == found % 97);
        cr_assert(memcmp(item.arguments[1].at, filler, item.arguments[1].len) == 0);
        found++;
    }
    cr_assert_eq(step, PARSE_END);
    cr_assert_eq(found, count);
    cr_assert_eq(aof_complete_to(reader), len);
    aof_close(reader);
    source_close(source);
    free(filler);
    free(text);
}

static const char sample[] = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$4\r\nk126\r\n$1\r\nv\r\n"
                             "*1\r\n$5\r\nMULTI\r\n*2\n$3\nDEL\r\n$4\nk126ab*1\r\n$4\r\nEXEC\r\n";

Test(aof, cuts_are_prefixes)
{
    char *whole = transcript(TEXT(sample), false);
    for (size_t len = 0; len < sizeof(sample); len++) {
        uint8_t *cut = malloc(len ? len : 1);
        memcpy(cut, sample, len);
        char *steps = transcript((struct bytes){cut, len}, false);
        cr_assert(strncmp(whole, steps, strlen(steps)) == 0, "cut at %zu", len);
        free(steps);
        steps = transcript((struct bytes){cut, len}, true);
        cr_assert(strstr(steps, "none at") || strstr(steps, "truncated at") || cut[len - 1] == '\r', "cut at %zu", len);
        free(steps);
        free(cut);
    }
    free(whole);
}

Test(aof, flipped_bytes_are_survived)
{
    static const uint8_t masks[] = {0x01, 0x04, 0x80, 0xFF};
    uint8_t text[sizeof(sample)];
    for (size_t i = 0; i < sizeof(sample) * sizeof(masks); i++) {
        memcpy(text, sample, sizeof(sample));
        text[i / sizeof(masks)] ^= masks[i % sizeof(masks)];
        free(transcript((struct bytes){text, sizeof(text)}, true));
    }
}

Test(aof, table_of_commands_is_sorted_and_sound)
{
    for (size_t id = 0; id < AOF_COMMANDS; id++) {
        const struct aof_command *command = aof_command_of((enum aof_command_id)id);
        cr_expect_eq((size_t)command->id, id);
        cr_expect_eq(aof_command_named((struct bytes){(const uint8_t *)command->name, strlen(command->name)}), command);
        cr_expect(!id || strcmp(aof_command_of((enum aof_command_id)(id - 1))->name, command->name) < 0, "%s", command->name);
        cr_expect(command->arity != 0 && (command->first == 0 || command->step > 0), "%s", command->name);
        cr_expect(command->redis != AOF_NEVER || command->valkey != AOF_NEVER, "%s", command->name);
    }
    cr_expect_str_eq(aof_command_named(TEXT("SeT"))->name, "set");
    cr_expect_null(aof_command_named(TEXT("se")));
    cr_expect_null(aof_command_named(TEXT("set\0")));
    cr_expect_null(aof_command_named(TEXT("")));
}

/* A command of words between blanks; the length of what stands in `out`. */
static size_t encode(const char *words, char *out, size_t cap)
{
    size_t count = 1, len;
    for (const char *at = words; *at; at++)
        count += *at == ' ';
    len = (size_t)snprintf(out, cap, "*%zu\r\n", count);
    for (const char *at = words; count--; at += strcspn(at, " ") + 1)
        len += (size_t)snprintf(out + len, cap - len, "$%zu\r\n%.*s\r\n", strcspn(at, " "), (int)strcspn(at, " "), at);
    return len;
}

Test(aof, keys_of_commands)
{
    static const struct {
        const char *words, *keys;
        bool unread;
    } cases[] = {
        {"SET k v", "k", false},
        {"PING", "", false},
        {"DEL a b c d e f g h i j k", "a b c d e f g h i j k", false},
        {"MSET a 1 b 2 c 3 d 4 e 5", "a b c d e", false},
        {"BITOP AND dst a b", "dst a b", false},
        {"ZUNIONSTORE dst 2 a b WEIGHTS 1 2", "dst a b", false},
        {"LMPOP 2 a b LEFT", "a b", false},
        {"BLMPOP 0 1 a LEFT", "a", false},
        {"EVAL s 2 a b c", "a b", false},
        {"EVAL s 0 a", "", false},
        {"EVAL s -1 a", "a", false},
        {"EVAL s 9999999999999 a b", "a b", false},
        {"MSETEX 2 a 1 b 2 EX 5", "a b", false},
        {"SORT l BY x STORE dst", "l dst", false},
        {"GEORADIUS g 1 2 3 m STOREDIST d", "g d", false},
        {"XREADGROUP GROUP g c COUNT 1 STREAMS a b > >", "a b", false},
        {"MIGRATE h 1 k 0 5 KEYS x", "k", false},
        {"XGROUP CREATE x g 0", "x", false},
        {"NOSUCH a", "", true},
        {"SET", "", false},
        {"MIGRATE h 1  0 5 REPLACE KEYS x y", "x y", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1024], keys[256] = "";
        struct source *source = source_memory(text, encode(cases[i].words, text, sizeof(text)));
        struct aof *reader = aof_open(source, 0);
        struct aof_item item;
        struct bytes key;
        bool whole;
        cr_assert_eq(aof_next(reader, &item), PARSE_ITEM, "%s", cases[i].words);
        struct aof_key_walk walk = aof_keys_of(&item);
        for (size_t len = 0; aof_key_next(&walk, &key, &whole);) {
            cr_expect(whole);
            len += (size_t)snprintf(keys + len, sizeof(keys) - len, "%s%.*s", len ? " " : "", (int)key.len, (const char *)key.at);
        }
        cr_expect_str_eq(keys, cases[i].keys, "%s", cases[i].words);
        cr_expect_eq(walk.unread, cases[i].unread, "%s", cases[i].words);
        aof_close(reader);
        source_close(source);
    }
}

Test(aof, finds_where_commands_begin_again)
{
    static const struct {
        struct bytes text;
        bool found;
        uint64_t at;
    } cases[] = {
        {TEXT("*1\r\n$4\r\nPING\r\n"), true, 0},
        {TEXT("junk*1\r\n$4\r\nPING\r\n"), true, 4},
        {TEXT("**1\r\n$4\r\nPING\r\n#TS:1\r\n"), true, 1},
        {TEXT("*1\r\n$4\r\nPONG\r\n*1\r\n$4\r\nPING\r\n"), true, 14},
        {TEXT("*1\r\n$4\r\nPING\r\njunk"), false, 18},
        {TEXT("x*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nEX"), true, 1},
        {TEXT("x*1\r\n$3\r\nSET\r\n"), false, 14},
        {TEXT("x*1\n$4\nPING\r\n"), false, 14},
        {TEXT(""), false, 0},
        {TEXT("*"), false, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct source *source = source_memory(cases[i].text.at, cases[i].text.len);
        uint64_t at = 0;
        cr_expect_eq(aof_resume(source, &at), cases[i].found, "case %zu", i);
        cr_expect(!cases[i].found || at == cases[i].at, "case %zu: %" PRIu64, i, at);
        source_close(source);
    }
    /* Beyond what is looked at in one piece, with marks all the way. */
    enum { FILLER = 3000000 };
    char *text = malloc(FILLER + 64);
    memset(text, '*', FILLER);
    size_t len = FILLER + (size_t)snprintf(text + FILLER, 64, "*1\r\n$4\r\nPING\r\n");
    struct source *source = source_memory(text, len);
    uint64_t at = 100;
    cr_expect(aof_resume(source, &at));
    cr_expect_eq(at, 100 + FILLER);
    source_close(source);
    free(text);
}

Test(aof, likeness)
{
    cr_assert_geq(aof_likeness(TEXT(sample)), 90);
    cr_assert_geq(aof_likeness(TEXT("#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n")), 90);
    cr_assert_geq(aof_likeness(TEXT("#TS:1700000000\r\n")), 50);
    cr_assert_geq(aof_likeness(TEXT("REDIS0009\xFA\x0C" "aof-preamble\xC0\x01")), 80);
    cr_assert_geq(aof_likeness(TEXT("REDIS0011\xFA\x08" "aof-base\xC0\x01")), 80);
    cr_assert_eq(aof_likeness(TEXT("REDIS0011\xFA\x08" "aof-base\xC0\x00")), 0);
    cr_assert_eq(aof_likeness(TEXT("REDIS0011\xFA\x08" "aof-base")), 0);
    cr_assert_eq(aof_likeness(TEXT("port 7000\n")), 0);
    cr_assert_eq(aof_likeness(TEXT("# comment\n* item\n")), 0);
    cr_assert_eq(aof_likeness(TEXT("")), 0);
}

#define REAL "fixtures/incidents-redis-7.0.15/instances/hosts/127.0.13.6/7101/appendonlydir/appendonly.aof.1."

static struct bytes slurped(struct source **source, const char *path)
{
    struct bytes content;
    *source = source_open(AT_FDCWD, path, 0);
    cr_assert(source_slurp(*source, 1 << 20, &content));
    return content;
}

Test(aof, real_incremental_file)
{
    struct source *source = source_open(AT_FDCWD, REAL "incr.aof", 0);
    char *steps = transcript_of(source, true);
    cr_assert_str_eq(steps, "0+23 SELECT|0\n23+30 SET|k126|v\nnone at 53, complete to 53\n");
    free(steps);
    source_close(source);
}

/* The base of a multi-part AOF is a dump, and a dump before commands is what Redis 4.0 to 6.2 wrote into one file. */
Test(aof, commands_after_a_preamble)
{
    struct source *base_source, *incr_source;
    struct bytes base = slurped(&base_source, REAL "base.rdb"), incr = slurped(&incr_source, REAL "incr.aof");
    uint8_t joined[1024];
    char expected[256];
    cr_assert_lt(base.len + incr.len, sizeof(joined));
    memcpy(joined, base.at, base.len);
    memcpy(joined + base.len, incr.at, incr.len);
    char *steps = transcript((struct bytes){joined, base.len + incr.len}, true);
    snprintf(expected, sizeof(expected), "\n%zu+23 SELECT|0\n%zu+30 SET|k126|v\nnone at %zu, complete to %zu\n",
             base.len, base.len + 23, base.len + incr.len, base.len + incr.len);
    cr_assert_not_null(strstr(steps, expected), "%s", steps);
    free(steps);
    for (size_t len = base.len; len < base.len + incr.len; len++) {
        steps = transcript((struct bytes){joined, len}, true);
        snprintf(expected, sizeof(expected), "complete to %zu\n", base.len + (len >= base.len + 23 ? 23 : 0));
        cr_assert_not_null(strstr(steps, expected), "cut at %zu: %s", len, steps);
        free(steps);
    }
    source_close(base_source);
    source_close(incr_source);
}

Test(aof, cut_preamble_is_not_a_truncated_tail)
{
    struct source *source;
    struct bytes base = slurped(&source, REAL "base.rdb");
    cr_assert_geq(aof_likeness(base), 80);
    for (size_t len = 5; len < base.len; len++) {
        char *steps = transcript((struct bytes){base.at, len}, true);
        cr_assert_not_null(strstr(steps, "rdb at "), "cut at %zu: %s", len, steps);
        cr_assert_not_null(strstr(steps, "complete to 0\n"));
        free(steps);
    }
    source_close(source);
}
