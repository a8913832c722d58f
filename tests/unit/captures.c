/* Captured replies and outputs of the cluster tools: every form says the same, every cut and every flipped byte is read
 * to its end, and what is damaged is said with its line. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/source.h"
#include "parsers/bytes/text.h"
#include "parsers/capture/info.h"
#include "parsers/capture/shards.h"
#include "parsers/capture/slots.h"
#include "parsers/trib/trib.h"

struct facts {
    size_t items, damage;
    struct damage first;
    uint64_t slots;
    char text[16384]; /* what the items say, a line each */
};

static void say(struct facts *facts, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct facts *facts, const char *format, ...)
{
    size_t used = strlen(facts->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(facts->text + used, sizeof(facts->text) - used, format, arguments);
    va_end(arguments);
}

#define TEXT(run) (int)(run).len, (const char *)(run).at

static void check_place(struct place place, struct bytes text)
{
    cr_assert(place.offset <= text.len && place.length <= text.len - place.offset, "a place outside of the text");
}

static void note_damage(struct facts *facts, const struct damage *damage, struct bytes text)
{
    check_place(damage->place, text);
    cr_assert(damage->expected && damage->found);
    if (!facts->damage++)
        facts->first = *damage;
}

static void read_slots(struct bytes text, struct facts *facts)
{
    struct slots_reader *reader = slots_open(text);
    struct slots_item item;
    for (enum parse_step step; (step = slots_next(reader, &item)) != PARSE_END;) {
        if (step == PARSE_DAMAGE) {
            note_damage(facts, slots_damage(reader), text);
            continue;
        }
        check_place(item.place, text);
        cr_assert(item.range.first <= item.range.last && item.range.last < 16384);
        facts->items++;
        say(facts, "%u-%u %d %.*s:%u %.*s %.*s\n", item.range.first, item.range.last, item.first, TEXT(item.ip), item.port,
            TEXT(item.id), TEXT(item.hostname));
    }
    slots_close(reader);
}

static void read_shards(struct bytes text, struct facts *facts)
{
    struct shards_reader *reader = shards_open(text);
    struct shards_item item;
    for (enum parse_step step; (step = shards_next(reader, &item)) != PARSE_END;) {
        if (step == PARSE_DAMAGE) {
            note_damage(facts, shards_damage(reader), text);
            continue;
        }
        check_place(item.place, text);
        facts->items++;
        for (size_t r = 0; item.role == SHARDS_PRIMARY && r < item.range_count; r++)
            facts->slots += (uint64_t)item.ranges[r].last - item.ranges[r].first + 1;
        say(facts, "%zu %.*s:%u %.*s %.*s %d %d %d\n", item.shard, TEXT(item.ip), item.port, TEXT(item.id),
            TEXT(item.hostname), item.role, item.health, item.has_offset);
    }
    shards_close(reader);
}

static void read_info(struct bytes text, struct facts *facts)
{
    struct info_reader *reader = info_open(text);
    struct info_item item;
    for (enum parse_step step; (step = info_next(reader, &item)) != PARSE_END;) {
        if (step == PARSE_DAMAGE) {
            note_damage(facts, info_damage(reader), text);
            continue;
        }
        check_place(item.place, text);
        facts->items++;
        say(facts, "%.*s=%.*s\n", TEXT(item.name), TEXT(item.value));
    }
    info_close(reader);
}

static void read_trib(struct bytes text, struct facts *facts)
{
    struct trib *reader = trib_open(text);
    struct trib_item item;
    for (enum parse_step step; (step = trib_next(reader, &item)) != PARSE_END;) {
        if (step == PARSE_DAMAGE) {
            note_damage(facts, trib_damage(reader), text);
            continue;
        }
        check_place(item.place, text);
        facts->items++;
        for (size_t r = 0; item.kind == TRIB_NODE && item.listed && r < item.range_count; r++)
            facts->slots += (uint64_t)item.ranges[r].last - item.ranges[r].first + 1;
        say(facts, "%d %.*s:%u %.*s %.*s\n", item.kind, TEXT(item.address.ip), item.address.port, TEXT(item.id),
            TEXT(item.primary));
    }
    trib_close(reader);
}

static const struct {
    const char *files;
    void (*read)(struct bytes text, struct facts *facts);
} kinds[] = {
    {"fixtures/captures/*/*cluster-slots*", read_slots}, {"fixtures/captures/*/*cluster-shards*", read_shards},
    {"fixtures/captures/*/*info*", read_info},           {"fixtures/captures/*/*check*", read_trib},
    {"fixtures/captures/*/create*", read_trib},          {"fixtures/captures/*/fix*", read_trib},
    {"fixtures/captures/*/reshard*", read_trib},         {"fixtures/captures/*/add-node*", read_trib},
    {"fixtures/seed-document/*trib*", read_trib},
};

static struct bytes load(const char *path, struct source **source)
{
    struct bytes text = {NULL, 0};
    *source = source_open(AT_FDCWD, path, 0);
    cr_assert(*source && source_slurp(*source, 1 << 20, &text), "%s", path);
    return text;
}

/* The table of keys alone, which holds no state. */
static bool is_of_tool(const char *path)
{
    return strstr(path, "tool-info") || strstr(path, "trib-info");
}

static void of_every_file(void (*check)(const char *path, struct bytes text, void (*read)(struct bytes, struct facts *)))
{
    size_t files = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        glob_t found;
        cr_assert_eq(glob(kinds[k].files, 0, NULL, &found), 0, "%s", kinds[k].files);
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (is_of_tool(found.gl_pathv[i]))
                continue;
            struct source *source;
            struct bytes text = load(found.gl_pathv[i], &source);
            check(found.gl_pathv[i], text, kinds[k].read);
            source_close(source);
            files++;
        }
        globfree(&found);
    }
    cr_assert_gt(files, 80);
}

static void is_sound(const char *path, struct bytes text, void (*read)(struct bytes, struct facts *))
{
    static struct facts facts;
    memset(&facts, 0, sizeof(facts));
    read(text, &facts);
    cr_assert_eq(facts.damage, 0, "%s:%u: expected %s, found %s", path, facts.first.place.line, facts.first.expected,
                 facts.first.found);
    cr_assert_gt(facts.items, 3, "%s", path);
}

Test(captures, real_ones_are_read_without_damage)
{
    of_every_file(is_sound);
}

/* A copy of its own size, so that a sanitizer sees every byte read behind its end. */
static void cuts(const char *path, struct bytes text, void (*read)(struct bytes, struct facts *))
{
    static struct facts whole, part;
    memset(&whole, 0, sizeof(whole));
    read(text, &whole);
    for (size_t len = 0; len < text.len; len += 1 + text.len / 700) {
        uint8_t *copy = malloc(len ? len : 1);
        memcpy(copy, text.at, len);
        memset(&part, 0, sizeof(part));
        read((struct bytes){copy, len}, &part);
        cr_assert_leq(part.items, whole.items, "%s cut to %zu bytes says more", path, len);
        free(copy);
    }
}

Test(captures, every_cut_is_read, .timeout = 120)
{
    of_every_file(cuts);
}

static void flips(const char *path, struct bytes text, void (*read)(struct bytes, struct facts *))
{
    static struct facts facts;
    static const uint8_t bytes[] = {0, '\n', '"', '[', ',', '9', 0x1b, 0xff};
    uint8_t *copy = malloc(text.len);
    (void)path;
    for (size_t at = 0; at < text.len; at += 1 + text.len / 100)
        for (size_t b = 0; b < sizeof(bytes); b++) {
            memcpy(copy, text.at, text.len);
            copy[at] = bytes[b];
            memset(&facts, 0, sizeof(facts));
            read((struct bytes){copy, text.len}, &facts);
        }
    free(copy);
}

Test(captures, every_flipped_byte_is_read, .timeout = 120)
{
    of_every_file(flips);
}

static void same_facts(const char *folder, const char *stem, const char *const *forms,
                       void (*read)(struct bytes, struct facts *))
{
    static struct facts first, other;
    for (size_t f = 0; forms[f]; f++) {
        char path[256];
        struct source *source;
        snprintf(path, sizeof(path), "fixtures/captures/%s/%s%s.txt", folder, stem, forms[f]);
        struct bytes text = load(path, &source);
        struct facts *facts = f ? &other : &first;
        memset(facts, 0, sizeof(*facts));
        read(text, facts);
        cr_assert_str_eq(facts->text, first.text, "%s", path);
        source_close(source);
    }
}

Test(captures, every_form_says_the_same)
{
    static const char *const all[] = {"", ".terminal", ".resp3", ".json", NULL};
    static const char *const old[] = {"", ".terminal", ".resp3", ".csv", NULL};
    static const char *const servers[] = {"redis-7.0.15", "redis-8.0.2", "valkey-8.1.1"};
    for (size_t s = 0; s < sizeof(servers) / sizeof(*servers); s++) {
        same_facts(servers[s], "cluster-slots", all, read_slots);
        same_facts(servers[s], "cluster-shards", all, read_shards);
    }
    same_facts("redis-6.0.16", "cluster-slots", old, read_slots);
    same_facts("redis-7.0.15", "cluster-slots", old, read_slots);
}

static struct facts *facts_of(const char *string, void (*read)(struct bytes, struct facts *))
{
    static struct facts facts;
    memset(&facts, 0, sizeof(facts));
    read((struct bytes){(const uint8_t *)string, strlen(string)}, &facts);
    return &facts;
}

#define ID_A "07c37dfeb235213a872192d90877d0cd55635b91"
#define ID_B "292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f"

Test(captures, slots_of_the_connection_itself)
{
    struct facts *facts = facts_of("*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:7000\r\n$40\r\n" ID_A
                                   "\r\n*3\r\n$9\r\n127.0.0.1\r\n:7001\r\n$40\r\n" ID_B "\r\n", read_slots);
    cr_assert_str_eq(facts->text, "0-16383 1 127.0.0.1:7000 " ID_A " \n0-16383 0 127.0.0.1:7001 " ID_B " \n");
    cr_assert_eq(facts->damage, 0);
    facts = facts_of("*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:7000\r\n$40\r\n" ID_A "\r\n*3\r\n", read_slots);
    cr_assert_eq(facts->items, 1);
    cr_assert_eq(facts->first.code, (unsigned)CAPTURE_CUT);
}

Test(captures, slots_of_redis_3_0_have_no_ids)
{
    struct facts *facts = facts_of("1) 1) (integer) 0\n   2) (integer) 16383\n   3) 1) \"127.0.0.1\"\n      2) (integer) 7000\n"
                                   "   4) 1) \"127.0.0.1\"\n      2) (integer) 7001\n", read_slots);
    cr_assert_str_eq(facts->text, "0-16383 1 127.0.0.1:7000  \n0-16383 0 127.0.0.1:7001  \n");
    cr_assert_eq(facts->damage, 0);
}

Test(captures, slots_of_unknown_addresses_and_preferred_names)
{
    struct facts *facts = facts_of("0\n5\n\n7000\n" ID_A "\n\n6\n9\nnode-b\n7001\n" ID_B "\nip\n10.0.0.2\n", read_slots);
    cr_assert_str_eq(facts->text, "0-5 1 :7000 " ID_A " \n6-9 1 10.0.0.2:7001 " ID_B " node-b\n");
    facts = facts_of("1) 1) (integer) 0\n   2) (integer) 5\n   3) 1) (nil)\n      2) (integer) 7000\n      3) \"" ID_A
                     "\"\n      4) 1) \"ip\"\n         2) \"10.0.0.1\"\n", read_slots);
    cr_assert_str_eq(facts->text, "0-5 1 10.0.0.1:7000 " ID_A " \n");
    cr_assert_eq(facts->damage, 0);
}

Test(captures, damage_has_its_line)
{
    struct facts *facts = facts_of("0\n5460\n127.0.0.1\n7000\n07c37dfeb2352\n", read_slots);
    cr_assert_eq(facts->first.code, (unsigned)CAPTURE_ID);
    cr_assert_eq(facts->first.place.line, 5);
    facts = facts_of("0\n99999\n127.0.0.1\n7000\n" ID_A "\n", read_slots);
    cr_assert_eq(facts->first.code, (unsigned)CAPTURE_RANGE);
    facts = facts_of("slots\n0\n5460\nnodes\nid\n" ID_A "\nport\n7000\nip\n127.0.0.1\nrole\nmas\n", read_shards);
    cr_assert_eq(facts->first.code, (unsigned)CAPTURE_ROLE);
    cr_assert_eq(facts->first.place.line, 6);
    facts = facts_of("M: " ID_A " 127.0.0.1:7000\n   slots:0-99 (5461 slots) master\n", read_trib);
    cr_assert_eq(facts->first.code, (unsigned)CAPTURE_COUNT);
    cr_assert_eq(facts->first.place.line, 2);
    facts = facts_of("cluster_state:ok\nnothing\ncluster_size:3", read_info);
    cr_assert_eq(facts->damage, 2);
    cr_assert_eq(facts->first.place.line, 2);
}

Test(captures, what_a_terminal_adds_is_taken_away)
{
    struct facts *facts = facts_of("127.0.0.1:7000> cluster info\r\ncluster_state:ok\r\ncluster_size:3\r\n127.0.0.1:7000> \n", read_info);
    cr_assert_str_eq(facts->text, "cluster_state=ok\ncluster_size=3\n");
    facts = facts_of("\"cluster_state:ok\\r\\ncluster_size:3\\r\\n\"\n", read_info);
    cr_assert_str_eq(facts->text, "cluster_state=ok\ncluster_size=3\n");
    facts = facts_of("$32\r\ncluster_state:ok\r\ncluster_size:3\r\n", read_info);
    cr_assert_str_eq(facts->text, "cluster_state=ok\ncluster_size=3\n");
    facts = facts_of("\033[0;33mM: " ID_A " [::1]:7000\033[0m\n\033[29;1m   slots:0-1 (2 slots) master\n", read_trib);
    cr_assert_eq(facts->damage, 0);
    cr_assert_str_eq(facts->text, "2 ::1:7000 " ID_A " \n");
}

Test(captures, a_plan_is_no_state)
{
    struct trib *reader;
    struct trib_item item;
    struct source *source;
    size_t planned = 0, listed = 0;
    reader = trib_open(load("fixtures/captures/redis-7.0.15/create.txt", &source));
    while (trib_next(reader, &item) == PARSE_ITEM) {
        planned += item.kind == TRIB_NODE && item.planned;
        listed += item.kind == TRIB_NODE && item.listed;
    }
    cr_assert_eq(planned, 6);
    cr_assert_eq(listed, 6);
    trib_close(reader);
    source_close(source);
}

Test(captures, a_shard_may_have_an_id_of_its_own)
{
#define NODE(id) "id\n" id "\nport\n7000\nip\n127.0.0.1\nendpoint\n127.0.0.1\nrole\nmaster\nreplication-offset\n1\nhealth\nonline\n"
    struct facts *facts = facts_of("slots\n0\n5\nnodes\n" NODE(ID_A) "id\n" ID_A "\nslots\n\nnodes\n" NODE(ID_B) "id\n" ID_B "\n", read_shards);
    cr_assert_eq(facts->items, 2);
    cr_assert_eq(facts->damage, 0, "%s", facts->first.found);
    cr_assert_eq(facts->slots, 6);
}

Test(captures, recognised_by_content)
{
    static const struct {
        const char *text;
        bool slots, shards;
    } rows[] = {
        {"", false, false},
        {"0\n5460\n127.0.0.1\n7000\n" ID_A "\n", true, false},
        {"[[0,5460,[\"127.0.0.1\",7000,\"" ID_A "\",{}]]]\n", true, false},
        {"1\n2\n3\n4\n5\n6\n", false, false},
        {"[1,2,3]", false, false},
        {"slots\nof the machine\n", false, false},
        {"slots\n\nnodes\nid\n", false, true},
        {"[{\"slots\":[],\"nodes\":[]}]", false, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct bytes text = {(const uint8_t *)rows[i].text, strlen(rows[i].text)};
        cr_assert_eq(slots_likeness(text) > 50, rows[i].slots, "row %zu", i);
        cr_assert_eq(shards_likeness(text) > 50, rows[i].shards, "row %zu", i);
    }
}
