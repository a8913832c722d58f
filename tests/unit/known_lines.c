/* Lines that a store knows must say what reading them says: the same texts, whole, changed and cut, through a store
 * that has met nearly all of their lines and through one that has met none. */
#include "tools/evidence/known_lines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define C "3333333333333333333333333333333333333333"
#define SHARD ",shard-id=717b7c82fbac5f66fb9b66a96524de23abd168a1"

static struct bytes run_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void expect_run(struct bytes run, const char *text)
{
    cr_expect(run.len == strlen(text) && memcmp(run.at, text, run.len) == 0, "\"%.*s\" instead of \"%s\"",
              (int)run.len, (const char *)run.at, text);
}

Test(known_lines, lines_are_shown_around_their_times)
{
    struct nodesconf *reader = nodesconf_open(run_of("\n\n" A " 1.2.3.4:1@2  master - 17 \t5 connected\n" A
                                                     " 1.2.3.4:1@2  master - 17  18 5 connected 0-9\n"));
    struct nodesconf_ahead ahead;
    struct nodesconf_item item;
    cr_expect_not(nodesconf_peek(reader, &ahead), "padding");
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_ITEM);
    cr_expect_not(nodesconf_peek(reader, &ahead), "no number");
    cr_assert_eq(nodesconf_next(reader, &item), PARSE_DAMAGE);
    cr_expect_not(nodesconf_peek(reader, &ahead), "the latest line has more to say");
    while (nodesconf_next(reader, &item) == PARSE_DAMAGE)
        continue;
    cr_expect(!item.before.len && !item.behind.len, "damaged");
    for (size_t times = 0; times < 2; times++) {
        cr_assert(nodesconf_peek(reader, &ahead));
        cr_expect_eq(ahead.place.line, 4);
        expect_run(ahead.before, A " 1.2.3.4:1@2  master - ");
        expect_run(ahead.behind, " 5 connected 0-9");
        cr_expect_eq(ahead.ping_ms, 17);
        cr_expect_eq(ahead.pong_ms, 18);
    }
    nodesconf_pass(reader);
    cr_expect_not(nodesconf_peek(reader, &ahead), "the end");
    cr_expect_eq(nodesconf_next(reader, &item), PARSE_END);
    nodesconf_close(reader);
}

Test(known_lines, only_plain_lines_can_be_known)
{
    static const struct {
        const char *text;
        bool plain;
    } lines[] = {
        {A " 1.2.3.4:1@2 master - 0 9223372036854775807 5 connected 0-9 [3->-" B "]\n", true},
        {A "   1.2.3.4:1@2 slave " B " 0 1 5  disconnected \n", true},
        {A " 1.2.3.4:1@2 master - 0 9223372036854775808 5 connected\n", false},
        {A " 1.2.3.4:1@2 master - 0 1 5 connected", false},
        {A " 1.2.3.4:1@2 master - 0 1 5 connected\r\n", false},
        {A " 1.2.3.4:1@2,,nodename=\"a\" master - 0 1 5 connected\n", false},
        {A "\t1.2.3.4:1@2 master - 0 1 5 connected\n", false},
        {A " 1.2.3.4:1@2 master - 0 1 5\n", false},
        {A " 1.2.3.4:1@2 handshake - 0 1 5 connected\n", false},
        {"vars currentEpoch 1 lastVoteEpoch 2 3 4 5\n", false},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct nodesconf *reader = nodesconf_open(run_of(lines[i].text));
        struct nodesconf_item item;
        enum parse_step step;
        while ((step = nodesconf_next(reader, &item)) != PARSE_END)
            if (step == PARSE_ITEM)
                cr_expect_eq(item.before.len && item.behind.len, lines[i].plain, "%s", lines[i].text);
        nodesconf_close(reader);
    }
}

/* What reading a text anew says. */
struct fresh {
    struct arena *arena;
    struct view_store *store;
    struct view *view;
};

static struct fresh read_fresh(struct bytes text)
{
    struct fresh fresh = {.arena = arena_new()};
    fresh.store = view_store_new(fresh.arena);
    fresh.view = view_read(fresh.store, text, false, 0);
    cr_assert_not_null(fresh.view);
    return fresh;
}

static bool same_peers(const struct view_store *store, const struct entry *a, const struct view_store *other,
                       const struct entry *b)
{
    for (uint32_t i = 0; i < a->mark_count; i++)
        if (a->marks[i].slot != b->marks[i].slot || a->marks[i].kind != b->marks[i].kind ||
            strcmp(view_store_id(store, a->marks[i].peer), view_store_id(other, b->marks[i].peer)) != 0)
            return false;
    return true;
}

static bool same_facts(const struct view_store *store, const struct entry *a, const struct view_store *other,
                       const struct entry *b)
{
    return strcmp(view_store_id(store, a->node), view_store_id(other, b->node)) == 0 &&
           strcmp(view_store_id(store, a->primary), view_store_id(other, b->primary)) == 0 &&
           (a->primary == NO_NODE) == (b->primary == NO_NODE) && strcmp(a->ip, b->ip) == 0 &&
           strcmp(a->hostname, b->hostname) == 0 && strcmp(a->shard_id, b->shard_id) == 0 &&
           strcmp(a->nodename, b->nodename) == 0 && a->port == b->port && a->bus_port == b->bus_port &&
           a->tls_port == b->tls_port && a->flags == b->flags && a->config_epoch == b->config_epoch &&
           a->range_count == b->range_count && a->mark_count == b->mark_count &&
           (!a->range_count || memcmp(a->ranges, b->ranges, a->range_count * sizeof(*a->ranges)) == 0) &&
           same_peers(store, a, other, b);
}

static bool same_sighting(const struct sighting *a, const struct sighting *b)
{
    return a->ping_ms == b->ping_ms && a->pong_ms == b->pong_ms && a->offset == b->offset && a->length == b->length &&
           a->line == b->line && a->link == b->link && a->myself == b->myself;
}

static bool same_defects(const struct view *a, const struct view *b)
{
    if (a->defect_count != b->defect_count || a->defect_total != b->defect_total)
        return false;
    for (size_t i = 0; i < a->defect_count; i++)
        if (a->defects[i].code != b->defects[i].code || a->defects[i].place.offset != b->defects[i].place.offset ||
            a->defects[i].place.length != b->defects[i].place.length ||
            a->defects[i].place.line != b->defects[i].place.line ||
            strcmp(a->defects[i].found, b->defects[i].found) != 0)
            return false;
    return true;
}

static bool same_view(const struct view *a, const struct view *b)
{
    return a->count == b->count && a->myself == b->myself && a->myself_count == b->myself_count &&
           a->has_vars == b->has_vars && a->current_epoch == b->current_epoch &&
           a->last_vote_epoch == b->last_vote_epoch && a->vars.offset == b->vars.offset &&
           a->newest_pong_ms == b->newest_pong_ms && a->padding == b->padding && a->any_bus_port == b->any_bus_port &&
           a->any_hostname == b->any_hostname && a->any_aux == b->any_aux &&
           a->any_client_address == b->any_client_address && a->any_client_port == b->any_client_port &&
           same_defects(a, b);
}

static void expect_as_fresh(struct view_store *store, struct bytes text)
{
    struct fresh fresh = read_fresh(text);
    const struct view *view = view_read(store, text, false, 0);
    cr_assert_not_null(view);
    cr_assert(same_view(view, fresh.view), "%.*s", (int)text.len, (const char *)text.at);
    for (size_t i = 0; i < view->count; i++) {
        const struct sighting *known = &view->sightings[i], *read = &fresh.view->sightings[i];
        cr_assert(same_sighting(known, read) && same_facts(store, known->entry, fresh.store, read->entry),
                  "line %u of %.*s", known->line, (int)text.len, (const char *)text.at);
    }
    arena_free(fresh.arena);
}

/* Every generation of lines, and what is next to being plain. */
static const char sample[] =
    A " 10.0.0.1:7000@17000,a.example,tls-port=0" SHARD " myself,master - 0 1795359941211 9 connected 0-99"
    " [5->-" B "]\n"
    B " 10.0.0.2:7000@17000,,client-ipv4=192.0.2.1,client-tcp-port=6379" SHARD " master - 0 1795359941000 10 connected"
    " 100-16383\n"
    C " 10.0.0.3:7000@17000 slave " A " 1795359941211 1795359942016 9 disconnected\n"
    C " 10.0.0.3:7000 slave,fail " A " 0 0 9  connected\n"
    C "  2001:db8::7:6379  master,fail? -  17  18  9 connected 3\n"
    B " \"10.0.0.2:7000@17000\" master - 0 5 10 connected 7\n"
    A " :0@0 noaddr - 0 0 0 disconnected\r\n"
    "vars currentEpoch 10 lastVoteEpoch 9\n\n\n";

static uint64_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

Test(known_lines, changed_texts_say_what_reading_says, .timeout = 300)
{
    static const char odd[] = " \n\r\t\"'\\:,@-[]=\0" "0189afz";
    struct arena *arena = arena_new();
    struct view_store *store = view_store_new(arena);
    uint64_t state = 7;
    for (size_t round = 0; round < 6000; round++) {
        uint8_t text[sizeof(sample)];
        size_t len = sizeof(sample) - 1;
        memcpy(text, sample, len);
        for (size_t changes = draw(&state) % 4; changes; changes--)
            text[draw(&state) % len] = (uint8_t)odd[draw(&state) % sizeof(odd)];
        if (draw(&state) % 8 == 0)
            len = draw(&state) % len;
        expect_as_fresh(store, (struct bytes){text, len});
    }
    arena_free(arena);
}

Test(known_lines, other_times_are_no_other_line)
{
    struct arena *arena = arena_new();
    struct view_store *store = view_store_new(arena);
    struct known_lines *known = view_store_lines(store);
    char text[256];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), A " 10.0.0.1:7000@17000 master - %u %u 5 connected 0-9\n", i, i * 7919);
        expect_as_fresh(store, run_of(text));
    }
    cr_expect_eq(known->count, 1);
    struct bytes own = run_of(A " 10.0.0.1:7000@17000 myself,master - 0 0 5 connected 0-9\n");
    struct view *view = view_read(store, own, false, 0);
    cr_expect_eq(known->count, 2, "an own line is another");
    cr_expect_eq(view->myself_count, 1);
    cr_expect_eq(view_store_entries(store), 1);
    arena_free(arena);
}

Test(known_lines, are_kept_up_to_a_size)
{
    struct arena *arena = arena_new();
    struct known_lines known = {0};
    enum { LINE = 1024 * 1024 };
    uint8_t *line = arena_alloc(arena, LINE);
    struct statement said = {.link = 1};
    for (uint32_t i = 0; i < 80; i++) {
        memcpy(line, &i, sizeof(i));
        struct bytes before = {line, LINE - 5}, behind = {line + LINE - 5, 5};
        cr_assert_null(known_lines_find(&known, before, behind));
        cr_assert(known_lines_add(&known, arena, before, behind, &said));
    }
    cr_expect_leq(known.size, (size_t)KNOWN_LINES_SIZE);
    cr_expect_eq(known.count, 63);
    memset(line, 0, 4);
    cr_expect_not_null(known_lines_find(&known, (struct bytes){line, LINE - 5}, (struct bytes){line + LINE - 5, 5}));
    cr_expect_null(known_lines_find(&known, (struct bytes){line, LINE - 6}, (struct bytes){line + LINE - 6, 6}));
    arena_free(arena);
}
