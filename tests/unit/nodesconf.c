/* nodes.conf and CLUSTER NODES: every generation's line, every defect, every cut of every fixture, flipped bits. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parsers/bytes/text.h"
#include "parsers/nodesconf/nodesconf.h"

#define ID_A "c7482a602b74ca798cc9048a9fb4d5b9d0169f77"
#define ID_B "eda9df548c1b28859e3ec024f040210e6ecedc37"
#define SHARD "717b7c82fbac5f66fb9b66a96524de23abd168a1"
#define REST " myself,master - 0 1795359941211 9 connected 0-5460"
#define VARS "vars currentEpoch 10 lastVoteEpoch 9\n"

static struct bytes over(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void expect_text(struct bytes got, const char *want)
{
    cr_expect(text_is(got, want), "got \"%.*s\", wanted \"%s\"", (int)got.len, (const char *)got.at, want);
}

static void expect_range(const struct nodesconf_node *node, size_t i, unsigned first, unsigned last)
{
    cr_assert_lt(i, node->range_count);
    cr_expect(node->ranges[i].first == first && node->ranges[i].last == last, "range %zu is %u-%u, wanted %u-%u", i,
              node->ranges[i].first, node->ranges[i].last, first, last);
}

/* The first item of a text, damage before it counted in `damages`. */
static struct nodesconf_item first_item(struct nodesconf *reader, size_t *damages)
{
    struct nodesconf_item item;
    enum parse_step step;
    *damages = 0;
    while ((step = nodesconf_next(reader, &item)) == PARSE_DAMAGE)
        ++*damages;
    cr_assert_eq(step, PARSE_ITEM);
    return item;
}

static const struct {
    const char *line;
    const char *ip, *hostname, *shard_id, *nodename;
    unsigned port, bus_port, tls_port;
    bool has_bus_port, has_aux, has_client_address, has_client_port;
} generations[] = {
    /* Redis 3.0, 3.2 */
    {ID_A " 10.0.0.6:7000" REST "\n", "10.0.0.6", "", "", "", 7000, 0, 0, false, false, false, false},
    /* Redis 4.0 to 6.2 */
    {ID_A " 10.0.0.6:7000@17000" REST "\n", "10.0.0.6", "", "", "", 7000, 17000, 0, true, false, false, false},
    {ID_A " 2001:db8::7:6379@16379" REST "\n", "2001:db8::7", "", "", "", 6379, 16379, 0, true, false, false, false},
    {ID_A " [2001:db8::7]:6379@16379" REST "\n", "2001:db8::7", "", "", "", 6379, 16379, 0, true, false, false, false},
    {ID_A " ::1:6379" REST "\n", "::1", "", "", "", 6379, 0, 0, false, false, false, false},
    {ID_A " :6379@16379" REST "\n", "", "", "", "", 6379, 16379, 0, true, false, false, false},
    {ID_A " :0@0 noflags - 0 0 0 disconnected\n", "", "", "", "", 0, 0, 0, true, false, false, false},
    {ID_A " redis-a.example:7000@17000" REST "\n", "redis-a.example", "", "", "", 7000, 17000, 0, true, false, false,
     false},
    /* Redis 7.0 */
    {ID_A " 10.0.0.6:7000@17000,redis-a.example" REST "\n", "10.0.0.6", "redis-a.example", "", "", 7000, 17000, 0, true,
     false, false, false},
    /* Redis 7.2 to 8.x, Valkey 7.2 */
    {ID_A " 10.0.0.6:7000@17000,,tls-port=0,shard-id=" SHARD REST "\n", "10.0.0.6", "", SHARD, "", 7000, 17000, 0, true,
     true, false, false},
    {ID_A " 10.0.0.6:0@28007,a.example,tls-port=18007,nodename=rack7,shard-id=" SHARD REST "\n", "10.0.0.6",
     "a.example", SHARD, "rack7", 0, 28007, 18007, true, true, false, false},
    {ID_A " 10.0.0.6:7000@17000,,tcp-port=7000,tls-port=0,shard-id=" SHARD REST "\n", "10.0.0.6", "", SHARD, "", 7000,
     17000, 0, true, true, false, false},
    /* Valkey 8.0, 8.1 */
    {ID_A " 10.0.0.6:7000@17000,,client-ipv6=2001:db8::9,client-ipv4=192.0.2.1,tls-port=0,shard-id=" SHARD REST "\n",
     "10.0.0.6", "", SHARD, "", 7000, 17000, 0, true, true, true, false},
    /* Valkey 9 */
    {ID_A " 10.0.0.6:7000@17000,,client-tls-port=6380,client-tcp-port=6379,tls-port=0,shard-id=" SHARD REST "\n",
     "10.0.0.6", "", SHARD, "", 7000, 17000, 0, true, true, false, true},
};

Test(nodesconf, reads_the_address_of_every_generation)
{
    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
        struct nodesconf *reader = nodesconf_open(over(generations[i].line));
        size_t damages;
        struct nodesconf_item item = first_item(reader, &damages);
        const struct nodesconf_node *node = &item.node;
        cr_expect_eq(damages, 0, "line %zu", i);
        cr_expect_eq(item.kind, NODESCONF_NODE);
        expect_text(node->id, ID_A);
        expect_text(node->ip, generations[i].ip);
        expect_text(node->hostname, generations[i].hostname);
        expect_text(node->shard_id, generations[i].shard_id);
        expect_text(node->nodename, generations[i].nodename);
        cr_expect_eq(node->port, generations[i].port, "line %zu", i);
        cr_expect_eq(node->bus_port, generations[i].bus_port, "line %zu", i);
        cr_expect_eq(node->tls_port, generations[i].tls_port, "line %zu", i);
        cr_expect_eq(node->has_bus_port, generations[i].has_bus_port, "line %zu", i);
        cr_expect_eq(node->has_aux, generations[i].has_aux, "line %zu", i);
        cr_expect_eq(node->has_client_address, generations[i].has_client_address, "line %zu", i);
        cr_expect_eq(node->has_client_port, generations[i].has_client_port, "line %zu", i);
        cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
        nodesconf_close(reader);
    }
}

Test(nodesconf, reads_every_field)
{
    struct nodesconf *reader = nodesconf_open(
        over(ID_A " 10.0.0.6:7000@17000 myself,slave,fail?,noaddr,nofailover " ID_B " 1795359942016 1795359941000 "
                  "18446744073709551615 disconnected 0 5-7 16383 [93->-" ID_B "] [77-<-" ID_B "]\n"));
    size_t damages;
    struct nodesconf_item item = first_item(reader, &damages);
    const struct nodesconf_node *node = &item.node;
    cr_expect_eq(damages, 0);
    cr_expect_eq(item.place.offset, 0);
    cr_expect_eq(item.place.line, 1);
    cr_expect(item.ended);
    cr_expect_eq(node->flags, NODE_MYSELF | NODE_REPLICA | NODE_PFAIL | NODE_NOADDR | NODE_NOFAILOVER);
    expect_text(node->flags_text, "myself,slave,fail?,noaddr,nofailover");
    expect_text(node->primary, ID_B);
    cr_expect_eq(node->ping_ms, 1795359942016);
    cr_expect_eq(node->pong_ms, 1795359941000);
    cr_expect_eq(node->config_epoch, UINT64_MAX);
    cr_expect_eq(node->link, LINK_DISCONNECTED);
    cr_assert_eq(node->range_count, 3);
    expect_range(node, 0, 0, 0);
    expect_range(node, 1, 5, 7);
    expect_range(node, 2, 16383, 16383);
    cr_assert_eq(node->open_count, 2);
    cr_expect(node->open[0].slot == 93 && node->open[0].mark == SLOT_MIGRATING);
    cr_expect(node->open[1].slot == 77 && node->open[1].mark == SLOT_IMPORTING);
    expect_text(node->open[1].peer, ID_B);
    nodesconf_close(reader);
}

Test(nodesconf, accepts_both_vocabularies_of_roles_in_any_case)
{
    static const struct {
        const char *flags;
        unsigned want;
    } rows[] = {
        {"master", NODE_PRIMARY}, {"primary", NODE_PRIMARY},         {"slave", NODE_REPLICA},
        {"REPLICA", NODE_REPLICA}, {"Master,FAIL", NODE_PRIMARY | NODE_FAIL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[256];
        snprintf(line, sizeof(line), ID_A " 10.0.0.6:7000 %s - 0 0 9 connected\n", rows[i].flags);
        struct nodesconf *reader = nodesconf_open(over(line));
        size_t damages;
        struct nodesconf_item item = first_item(reader, &damages);
        cr_expect_eq(damages, 0);
        cr_expect_eq(item.node.flags, rows[i].want, "%s", rows[i].flags);
        nodesconf_close(reader);
    }
}

Test(nodesconf, keeps_ranges_as_written_and_each_slot_once)
{
    struct nodesconf *reader =
        nodesconf_open(over(ID_A " 10.0.0.6:7000 master - 0 0 9 connected 100-200 5 90-110 5 150 199-201 0-16383\n"));
    size_t damages, slots = 0;
    struct nodesconf_item item = first_item(reader, &damages);
    cr_expect_eq(damages, 0);
    expect_range(&item.node, 0, 100, 200);
    expect_range(&item.node, 1, 5, 5);
    expect_range(&item.node, 2, 90, 99);
    expect_range(&item.node, 3, 201, 201);
    for (size_t i = 0; i < item.node.range_count; i++)
        slots += item.node.ranges[i].last - item.node.ranges[i].first + 1u;
    cr_expect_eq(slots, 16384);
    nodesconf_close(reader);
}

Test(nodesconf, finds_the_vars_line_anywhere)
{
    struct nodesconf *reader =
        nodesconf_open(over("VARS lastvoteepoch 9 CURRENTEPOCH 10\n" ID_A " 10.0.0.6:7000" REST "\n"));
    size_t damages;
    struct nodesconf_item item = first_item(reader, &damages);
    cr_expect_eq(item.kind, NODESCONF_VARS);
    cr_expect(item.vars.has_current && item.vars.has_last_vote);
    cr_expect_eq(item.vars.current_epoch, 10);
    cr_expect_eq(item.vars.last_vote_epoch, 9);
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect_eq(item.place.line, 2);
    nodesconf_close(reader);
}

Test(nodesconf, decodes_quoted_words_as_servers_do)
{
    static const struct {
        const char *address, *hostname, *nodename;
    } rows[] = {
        {"\"10.0.0.6:7000@17000,a.example,nodename=rack 7\"", "a.example", "rack 7"},
        {"10.0.0.6:7000@17000,'b c',nodename=x", "", ""},
        {"10.0.0.6:7000@17000,\"\\x61\\x2e.example,nodename=\\\\q\"", "a..example", "\\q"},
        {"'10.0.0.6:7000@17000,it\\'s,nodename=y'", "it's", "y"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[256];
        snprintf(line, sizeof(line), ID_A " %s" REST "\n", rows[i].address);
        struct nodesconf *reader = nodesconf_open(over(line));
        size_t damages;
        struct nodesconf_item item = first_item(reader, &damages);
        expect_text(item.node.ip, "10.0.0.6");
        if (*rows[i].hostname) {
            expect_text(item.node.hostname, rows[i].hostname);
            expect_text(item.node.nodename, rows[i].nodename);
            expect_range(&item.node, 0, 0, 5460);
        } else {
            cr_expect_gt(damages, 0);
        }
        nodesconf_close(reader);
    }
}

/* One line each, behind which a good line must read without damage. `item`: the bad line still gives one. */
static const struct {
    const char *line;
    enum nodesconf_defect code;
    bool item;
} defects[] = {
    {"   \n", NODESCONF_LINE_BLANKS, false},
    {ID_A " 10.0.0.6:7000" REST "\r\n", NODESCONF_LINE_CR, true},
    {ID_A " 10.0.0.6:7000,\"a" REST "\n", NODESCONF_QUOTES, true},
    {ID_A " 10.0.0.6:7000,'a'b" REST "\n", NODESCONF_QUOTES, true},
    {ID_A " 10.0.0.6:7000 master - 0 0\n", NODESCONF_FEW_FIELDS, true},
    {ID_A "\n", NODESCONF_FEW_FIELDS, true},
    {"corrupted\n", NODESCONF_FEW_FIELDS, false},
    {"the new master is - 0 0 9 connected\n", NODESCONF_ID_LENGTH, false},
    {"C7482A602b74ca798cc9048a9fb4d5b9d0169f77 10.0.0.6:7000" REST "\n", NODESCONF_ID, true},
    {"a602b74ca798cc9048a9fb4d5b9d0169f77 10.0.0.6:7000" REST "\n", NODESCONF_ID_LENGTH, true},
    {"bd168a1 master - 0 1795359941211 9 connected 0-5460\n", NODESCONF_ID_LENGTH, false},
    {ID_A " 10.0.0.6" REST "\n", NODESCONF_ADDRESS, true},
    {ID_A " 10.\0010.0.6:7000" REST "\n", NODESCONF_ADDRESS, true},
    {ID_A " 10.0.0.6:70000" REST "\n", NODESCONF_PORT, true},
    {ID_A " 10.0.0.6:7000@" REST "\n", NODESCONF_PORT, true},
    {ID_A " 10.0.0.6:7000@17000,,tls-port" REST "\n", NODESCONF_AUX, true},
    {ID_A " 10.0.0.6:7000@17000,," REST "\n", NODESCONF_AUX, true},
    {ID_A " 10.0.0.6:7000@17000,,availability=1" REST "\n", NODESCONF_AUX_UNKNOWN, true},
    {ID_A " 10.0.0.6:7000@17000,,shard-id=717b7c" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,tls-port=000001" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,tcp-port=65536" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,nodename=a$b" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,client-ipv4=256.0.0.1" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,client-ipv6=fe80" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000@17000,,client-tls-port=x" REST "\n", NODESCONF_AUX_VALUE, true},
    {ID_A " 10.0.0.6:7000 mister - 0 0 9 connected\n", NODESCONF_FLAG_UNKNOWN, true},
    {ID_A " 10.0.0.6:7000 master,,fail - 0 0 9 connected\n", NODESCONF_FLAG_UNKNOWN, true},
    {ID_A " 10.0.0.6:7000 handshake - 0 0 0 disconnected\n", NODESCONF_HANDSHAKE_SAVED, true},
    {ID_A " 10.0.0.6:7000 slave eda9 0 0 9 connected\n", NODESCONF_PRIMARY, true},
    {ID_A " 10.0.0.6:7000 master - 0 -5 9 connected\n", NODESCONF_NUMBER, true},
    {ID_A " 10.0.0.6:7000 master - 9223372036854775808 0 9 connected\n", NODESCONF_NUMBER, true},
    {ID_A " 10.0.0.6:7000 master - 0 0 18446744073709551616 connected\n", NODESCONF_NUMBER, true},
    {ID_A " 10.0.0.6:7000 master - 0 0 9 connecte\n", NODESCONF_LINK, true},
    {ID_A " 10.0.0.6:7000" REST " 54x\n", NODESCONF_SLOT, true},
    {ID_A " 10.0.0.6:7000" REST " 6000-\n", NODESCONF_SLOT, true},
    {ID_A " 10.0.0.6:7000" REST " 7000-6000\n", NODESCONF_SLOT_RANGE_ORDER, true},
    {ID_A " 10.0.0.6:7000" REST " 6000-16384\n", NODESCONF_SLOT_BOUND, true},
    {ID_A " 10.0.0.6:7000" REST " [16384->-" ID_B "]\n", NODESCONF_SLOT_BOUND, true},
    {ID_A " 10.0.0.6:7000" REST " [93->-" ID_B "\n", NODESCONF_OPEN_SLOT, true},
    {ID_A " 10.0.0.6:7000" REST " [93-<-eda9df]\n", NODESCONF_OPEN_SLOT, true},
    {ID_A " 10.0.0.6:7000" REST " [93-=-" ID_B "]\n", NODESCONF_OPEN_SLOT, true},
    {ID_A " 10.0.0.6:7000" REST " [\n", NODESCONF_OPEN_SLOT, true},
    {"vars currentEpoch\n", NODESCONF_VARS_ODD, true},
    {"vars currentEpoch 10 lastVoteEpoc 9\n", NODESCONF_VARS_UNKNOWN, true},
    {"vars currentEpoch 1O lastVoteEpoch 9\n", NODESCONF_VARS_NUMBER, true},
};

Test(nodesconf, names_every_defect_and_reads_on)
{
    for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
        char text[1024];
        size_t bad = strlen(defects[i].line), items = 0, found = 0;
        snprintf(text, sizeof(text), "%s" ID_B " 10.0.0.7:8000@18000" REST "\n" VARS, defects[i].line);
        struct nodesconf *reader = nodesconf_open(over(text));
        struct nodesconf_item item;
        for (enum parse_step step; (step = nodesconf_next(reader, &item)) != PARSE_END;) {
            cr_assert_neq(step, PARSE_STOP);
            if (step == PARSE_ITEM) {
                items++;
                continue;
            }
            const struct damage *damage = nodesconf_damage(reader);
            found += damage->code == (unsigned)defects[i].code;
            cr_expect_lt(damage->place.offset + damage->place.length, bad + 1, "row %zu", i);
            cr_expect_eq(damage->place.line, 1);
            cr_expect_geq(damage->resumed, damage->place.offset + damage->place.length);
            cr_expect(damage->expected && damage->found);
        }
        cr_expect_eq(found, 1, "row %zu: code given %zu times", i, found);
        cr_expect_eq(items, 2u + defects[i].item, "row %zu: %zu items", i, items);
        nodesconf_close(reader);
    }
}

Test(nodesconf, the_table_has_every_defect)
{
    static const enum nodesconf_defect elsewhere[] = {NODESCONF_LINE_UNENDED, NODESCONF_LINE_TOO_LONG,
                                                      NODESCONF_LINE_NUL};
    bool seen[NODESCONF_DEFECTS] = {false};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        seen[elsewhere[i]] = true;
    for (size_t i = 0; i < sizeof(defects) / sizeof(defects[0]); i++)
        seen[defects[i].code] = true;
    for (size_t i = 0; i < NODESCONF_DEFECTS; i++)
        cr_expect(seen[i], "defect %zu has no row", i);
}

static void expect_damage(struct nodesconf *reader, enum nodesconf_defect code, uint64_t offset, uint64_t length)
{
    struct nodesconf_item item;
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_DAMAGE);
    const struct damage *damage = nodesconf_damage(reader);
    cr_expect_eq(damage->code, (unsigned)code);
    cr_expect_eq(damage->place.offset, offset);
    cr_expect_eq(damage->place.length, length);
}

Test(nodesconf, adjacent_words_with_one_defect_are_one_damage)
{
    struct nodesconf *reader = nodesconf_open(over(ID_A " 10.0.0.6:7000 master - 0 0 9 connected x y z 7 w\n"));
    expect_damage(reader, NODESCONF_SLOT, 80, 5);
    expect_damage(reader, NODESCONF_SLOT, 88, 1);
    nodesconf_close(reader);
}

Test(nodesconf, an_unended_line_is_damage_and_no_item)
{
    struct nodesconf *reader = nodesconf_open(over(ID_A " 10.0.0.6:7000" REST));
    struct nodesconf_item item;
    expect_damage(reader, NODESCONF_LINE_UNENDED, 0, strlen(ID_A " 10.0.0.6:7000" REST));
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
    cr_expect_null(nodesconf_why(reader));
    nodesconf_close(reader);
}

Test(nodesconf, padding_is_an_item_and_nul_is_damage_too)
{
    static const char text[] = "\0\0\0" ID_A " 10.0.0.6:7000" REST "\n\n\n\n" VARS "\n\n\0\0";
    struct nodesconf *reader = nodesconf_open((struct bytes){(const uint8_t *)text, sizeof(text) - 1});
    struct nodesconf_item item;
    expect_damage(reader, NODESCONF_LINE_NUL, 0, 3);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_PADDING && item.padding == 3);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_NODE && item.place.offset == 3 && item.place.line == 1);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_PADDING && item.padding == 3 && item.place.line == 2);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_VARS && item.place.line == 5);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_PADDING && item.padding == 2);
    expect_damage(reader, NODESCONF_LINE_NUL, sizeof(text) - 3, 2);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect(item.kind == NODESCONF_PADDING && item.padding == 2 && !item.ended);
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
    nodesconf_close(reader);
}

Test(nodesconf, nul_within_a_line_spoils_only_its_word)
{
    static const char text[] = ID_A " 10.0.0.6:7000 master - 0 0 9 connected 0-5\0 9\n";
    struct nodesconf *reader = nodesconf_open((struct bytes){(const uint8_t *)text, sizeof(text) - 1});
    size_t damages;
    struct nodesconf_item item = first_item(reader, &damages);
    cr_expect_eq(damages, 2);
    cr_expect_eq(item.node.range_count, 1);
    expect_range(&item.node, 0, 9, 9);
    nodesconf_close(reader);
}

Test(nodesconf, a_line_longer_than_servers_read_keeps_its_first_words)
{
    enum { SIZE = 3000000 };
    char *text = malloc(SIZE);
    cr_assert_not_null(text);
    size_t len = (size_t)snprintf(text, SIZE, ID_A " 10.0.0.6:7000" REST);
    while (len < SIZE - 8)
        len += (size_t)snprintf(text + len, SIZE - len, " 12345");
    text[len++] = '\n';
    struct nodesconf *reader = nodesconf_open((struct bytes){(const uint8_t *)text, len});
    struct nodesconf_item item;
    expect_damage(reader, NODESCONF_LINE_TOO_LONG, 0, len - 1);
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect_eq(item.node.range_count, 2);
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
    nodesconf_close(reader);
    free(text);
}

#define CAPTURED ID_A " 10.0.0.6:7000@17000" REST
#define SHAKING ID_B " 10.0.0.7:8000@18000 handshake - 0 0 0 disconnected"

/* Ways to the same two nodes. */
static const struct {
    const char *text;
    size_t damages, nodes;
} captures[] = {
    {CAPTURED "\n" SHAKING "\n", 0, 2},
    {CAPTURED "\n" SHAKING, 0, 2},
    {CAPTURED "\r\n" SHAKING "\r\n", 0, 2},
    {CAPTURED "\r\n" SHAKING "\r\n\r\n", 0, 2},
    {"$203\r\n" CAPTURED "\n" SHAKING "\n\r\n", 0, 2},
    {"=207\r\ntxt:" CAPTURED "\n" SHAKING "\n\r\n", 0, 2},
    {"txt:" CAPTURED "\n" SHAKING "\n", 0, 2},
    {"127.0.0.1:7000> cluster nodes\n" CAPTURED "\n" SHAKING "\n\n", 0, 2},
    {"$ redis-cli -p 7000 CLUSTER NODES\r\n" CAPTURED "\r\n" SHAKING "\r\n", 0, 2},
    {"\"" CAPTURED "\\n" SHAKING "\\n\"\n", 0, 2},
    {"\"" CAPTURED "\n" SHAKING "\n\"\n", 0, 2},
    {"\"" CAPTURED "\\n" SHAKING "\\n", 1, 2},
    {"\"" CAPTURED "\\n" SHAKING, 1, 1},
    {"$999\r\n" CAPTURED "\n" SHAKING, 1, 1},
    {"$999\r\n" CAPTURED "\n" SHAKING "\n", 1, 2},
    {"", 0, 0},
    {"$0\r\n\r\n", 0, 0},
};

Test(nodesconf, reads_captures_in_whatever_they_are_wrapped)
{
    for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
        struct nodesconf *reader = nodesconf_open_capture(over(captures[i].text));
        struct nodesconf_item item;
        size_t damages = 0, nodes = 0;
        for (enum parse_step step; (step = nodesconf_next(reader, &item)) != PARSE_END;) {
            if (step == PARSE_DAMAGE) {
                damages++;
                cr_expect_eq(nodesconf_damage(reader)->code, (unsigned)NODESCONF_LINE_UNENDED);
            } else if (item.kind == NODESCONF_NODE) {
                expect_text(item.node.id, nodes++ ? ID_B : ID_A);
                expect_text(item.node.ip, nodes == 1 ? "10.0.0.6" : "10.0.0.7");
                cr_expect_eq(memcmp(captures[i].text + item.place.offset, item.node.id.at, 40), 0);
            }
        }
        cr_expect_eq(damages, captures[i].damages, "capture %zu: %zu damages", i, damages);
        cr_expect_eq(nodes, captures[i].nodes, "capture %zu: %zu nodes", i, nodes);
        nodesconf_close(reader);
    }
}

Test(nodesconf, tells_files_from_captures)
{
    static const struct {
        const char *text;
        enum nodesconf_origin want;
    } rows[] = {
        {CAPTURED "\n" VARS, NODESCONF_FILE},
        {CAPTURED "\r\n" VARS, NODESCONF_FILE},
        {ID_A " 10.0.0.6:7000@17000,,tls-port=0,shard-id=" SHARD REST "\n", NODESCONF_FILE},
        {CAPTURED "\n", NODESCONF_UNCLEAR},
        {CAPTURED, NODESCONF_UNCLEAR},
        {"", NODESCONF_UNCLEAR},
        {SHAKING "\n", NODESCONF_CAPTURE},
        {CAPTURED "\r\n", NODESCONF_CAPTURE},
        {"$98\r\n" CAPTURED "\n", NODESCONF_CAPTURE},
        {"\"" CAPTURED "\\n\"", NODESCONF_CAPTURE},
        {"> cluster nodes\n" CAPTURED "\n", NODESCONF_CAPTURE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(nodesconf_origin(over(rows[i].text)), rows[i].want, "row %zu", i);
}

Test(nodesconf, is_recognised_even_torn)
{
    static const struct {
        const char *text;
        unsigned least, most;
    } rows[] = {
        {CAPTURED "\n" VARS, 100, 100},
        {"0.6:7000@17000" REST "\n" SHAKING "\n" VARS, 100, 100},
        {"- 0 1795359941211 9 connected 0-5460\n", 100, 100},
        {"0-5460\n" CAPTURED "\n", 100, 100},
        {CAPTURED "\n" SHAKING "\n" ID_A " 10.0", 100, 100},
        {ID_A " 10.0.0.6:7000@17000 mas", 100, 100},
        {"\n\n\n" CAPTURED "\n", 100, 100},
        {VARS, 90, 100},
        {"$203\r\n" CAPTURED "\n" SHAKING "\n", 100, 100},
        {"\"" CAPTURED "\\n" SHAKING "\\n\"\n", 100, 100},
        {"", 0, 0},
        {"\n\n\n", 0, 0},
        {"port 7000\ncluster-enabled yes\ncluster-config-file nodes_7000.conf\nbind 127.0.0.1\n", 0, 0},
        {"cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_known_nodes:6\r\n", 0, 0},
        {"12:M 22 Nov 2026 15:06:40.452 * Node configuration loaded, I'm " ID_A "\n"
         "12:M 22 Nov 2026 15:06:41.452 # Cluster state changed: ok\n",
         0, 0},
        {">>> Performing Cluster Check (using node 10.0.0.6:7000)\nM: " ID_A " 10.0.0.6:7000\n"
         "   slots:0-5460 (5461 slots) master\n   1 additional replica(s)\n[OK] All 16384 slots covered.\n",
         0, 0},
        {"10.0.0.6:7000 (c7482a60...) -> 100 keys | 5461 slots | 1 slaves.\n[OK] 100 keys in 1 masters.\n", 0, 0},
        {"REDIS0009\xfa\x09redis-ver\x05" "7.0.15", 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned score = nodesconf_likeness(over(rows[i].text));
        cr_expect(score >= rows[i].least && score <= rows[i].most, "row %zu: %u", i, score);
    }
}

static uint64_t mix(uint64_t hash, const void *at, size_t len)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t mix_bytes(uint64_t hash, struct bytes text)
{
    return mix(mix(hash, &text.len, sizeof(text.len)), text.at, text.len);
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    return mix(hash, &number, sizeof(number));
}

/* All that a step says, but for the length of padding, as one number. */
static uint64_t fact(const struct nodesconf *reader, enum parse_step step, const struct nodesconf_item *item)
{
    uint64_t hash = mix_number(UINT64_C(14695981039346656037), step);
    if (step == PARSE_DAMAGE) {
        const struct damage *damage = nodesconf_damage(reader);
        hash = mix_number(hash, damage->code);
        return damage->code == NODESCONF_LINE_NUL ? hash : mix_number(hash, damage->place.offset);
    }
    hash = mix_number(mix_number(hash, item->kind), item->place.offset);
    if (item->kind == NODESCONF_VARS) {
        const struct nodesconf_vars *vars = &item->vars;
        hash = mix_number(hash, (uint64_t)vars->has_current << 1 | vars->has_last_vote);
        return mix_number(mix_number(hash, vars->current_epoch), vars->last_vote_epoch);
    }
    if (item->kind == NODESCONF_PADDING)
        return hash;
    const struct nodesconf_node *node = &item->node;
    const struct bytes texts[] = {node->id,       node->ip,         node->hostname, node->shard_id,
                                  node->nodename, node->flags_text, node->primary};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        hash = mix_bytes(hash, texts[i]);
    const uint64_t numbers[] = {node->port,        node->bus_port, node->tls_port,          node->flags,
                                node->has_bus_port, node->has_aux,  node->config_epoch,      node->link,
                                (uint64_t)node->ping_ms, (uint64_t)node->pong_ms, node->range_count, node->open_count};
    hash = mix(hash, numbers, sizeof(numbers));
    for (size_t i = 0; i < node->range_count; i++)
        hash = mix_number(hash, (uint64_t)node->ranges[i].first << 16 | node->ranges[i].last);
    for (size_t i = 0; i < node->open_count; i++)
        hash = mix_number(mix_bytes(hash, node->open[i].peer), node->open[i].slot << 1 | node->open[i].mark);
    return hash;
}

enum { FACTS_MAX = 4096, CUT_TEXT_MAX = 64 * 1024 };

static size_t facts_of(struct bytes text, uint64_t facts[FACTS_MAX], bool *unended)
{
    struct nodesconf *reader = nodesconf_open(text);
    struct nodesconf_item item;
    size_t count = 0;
    *unended = false;
    cr_assert_not_null(reader);
    for (enum parse_step step; (step = nodesconf_next(reader, &item)) != PARSE_END;) {
        cr_assert_neq(step, PARSE_STOP);
        cr_assert(!*unended, "a step after LINE_UNENDED");
        *unended = step == PARSE_DAMAGE && nodesconf_damage(reader)->code == NODESCONF_LINE_UNENDED;
        if (!*unended && count < FACTS_MAX)
            facts[count++] = fact(reader, step, &item);
    }
    nodesconf_close(reader);
    return count;
}

/* Each prefix is copied to a place of its exact size, so that a read past its end is seen. */
static void expect_cuts_are_prefixes(const char *name, struct bytes text)
{
    static uint64_t whole[FACTS_MAX], part[FACTS_MAX];
    bool unended;
    size_t total = facts_of(text, whole, &unended);
    for (size_t len = 0; len < text.len; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        cr_assert_not_null(copy);
        memcpy(copy, text.at, len);
        size_t count = facts_of((struct bytes){copy, len}, part, &unended);
        free(copy);
        cr_assert_leq(count, total, "%s cut at %zu", name, len);
        cr_assert_eq(memcmp(whole, part, count * sizeof(part[0])), 0, "%s cut at %zu", name, len);
    }
}

static size_t fixtures_seen;

static void with_fixture(const char *path, void (*check)(const char *name, struct bytes text))
{
    uint8_t *text = malloc(CUT_TEXT_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(text && fd >= 0, "%s", path);
    ssize_t len = read(fd, text, CUT_TEXT_MAX);
    cr_assert_geq(len, 0, "%s", path);
    close(fd);
    check(path, (struct bytes){text, (size_t)len});
    free(text);
    fixtures_seen++;
}

static bool is_nodesconf_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    return strstr(name, "nodes") && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

static bool is_capture_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && (strstr(slash, ".cluster-nodes-") || strcmp(slash, "/cluster_nodes.txt") == 0);
}

static void expect_whole_file(const char *name, struct bytes text)
{
    struct nodesconf *reader = nodesconf_open(text);
    struct nodesconf_item item;
    size_t nodes = 0, myself = 0, vars = 0;
    for (enum parse_step step; (step = nodesconf_next(reader, &item)) != PARSE_END;) {
        cr_assert_eq(step, PARSE_ITEM, "%s", name);
        nodes += item.kind == NODESCONF_NODE;
        myself += item.kind == NODESCONF_NODE && (item.node.flags & NODE_MYSELF);
        vars += item.kind == NODESCONF_VARS;
    }
    nodesconf_close(reader);
    cr_expect(nodes > 0 && myself == 1 && vars == 1, "%s", name);
    cr_expect_eq(nodesconf_origin(text), NODESCONF_FILE, "%s", name);
    cr_expect_eq(nodesconf_likeness(text), 100, "%s", name);
    expect_cuts_are_prefixes(name, text);
}

static void expect_whole_capture(const char *name, struct bytes text)
{
    struct nodesconf *reader = nodesconf_open_capture(text);
    struct nodesconf_item item;
    size_t nodes = 0;
    for (enum parse_step step; (step = nodesconf_next(reader, &item)) != PARSE_END;) {
        cr_assert_eq(step, PARSE_ITEM, "%s", name);
        nodes += item.kind == NODESCONF_NODE;
    }
    nodesconf_close(reader);
    cr_expect_gt(nodes, 0, "%s", name);
    cr_expect_neq(nodesconf_origin(text), NODESCONF_FILE, "%s", name);
    cr_expect_eq(nodesconf_likeness(text), 100, "%s", name);
}

static int visit_fixture(const char *path, const struct stat *state, int type, struct FTW *where)
{
    (void)state;
    (void)where;
    if (type == FTW_F && is_nodesconf_name(path))
        with_fixture(path, expect_whole_file);
    else if (type == FTW_F && is_capture_name(path))
        with_fixture(path, expect_whole_capture);
    return 0;
}

Test(nodesconf, every_fixture_reads_whole_and_cut, .timeout = 300)
{
    nftw("fixtures", visit_fixture, 16, FTW_PHYS);
    nftw("tests/truth", visit_fixture, 16, FTW_PHYS);
    cr_log_info("%zu fixtures read", fixtures_seen);
}

Test(nodesconf, cuts_of_inline_samples_are_prefixes)
{
    static const char torn[] = ID_A " 10.0.0.6:7000" REST "\n" ID_B " 10.0.0.7:80" REST " x\n00 master - 0 0 1 conn\n\n"
                               "\n" VARS "\0\0\0\0" ID_A " \"q\" 'w\n\n\0\0\nvars a\n";
    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++)
        expect_cuts_are_prefixes("a generation's line", over(generations[i].line));
    expect_cuts_are_prefixes("torn text", (struct bytes){(const uint8_t *)torn, sizeof(torn) - 1});
}

static uint64_t lcg(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void read_all(struct nodesconf *reader)
{
    struct nodesconf_item item;
    enum parse_step step;
    cr_assert_not_null(reader);
    while ((step = nodesconf_next(reader, &item)) != PARSE_END) {
        cr_assert_neq(step, PARSE_STOP);
        cr_assert_neq(fact(reader, step, &item), 0);
    }
    nodesconf_close(reader);
}

Test(nodesconf, random_changes_never_break_the_reader, .timeout = 300)
{
    static const char odd[] = " \n\r\t\"'\\:,@-[]=\0" "0af";
    uint64_t state = 42;
    for (size_t round = 0; round < 4000; round++) {
        char text[2048];
        size_t len = 0;
        for (size_t lines = 1 + lcg(&state) % 4; lines; lines--) {
            size_t pick = lcg(&state) % (sizeof(generations) / sizeof(generations[0]));
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", generations[pick].line);
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", VARS);
        for (size_t changes = 1 + lcg(&state) % 8; changes; changes--) {
            size_t at = lcg(&state) % len;
            if (lcg(&state) % 2)
                text[at] = odd[lcg(&state) % sizeof(odd)];
            else
                text[at] = (char)(text[at] ^ (1 << lcg(&state) % 8));
        }
        uint8_t *copy = malloc(len);
        cr_assert_not_null(copy);
        memcpy(copy, text, len);
        struct bytes changed = {copy, len};
        read_all(nodesconf_open(changed));
        read_all(nodesconf_open_capture(changed));
        nodesconf_origin(changed);
        cr_assert_leq(nodesconf_likeness(changed), 100);
        free(copy);
    }
}
