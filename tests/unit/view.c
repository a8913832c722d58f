#include "tools/evidence/view.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/source.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define C "3333333333333333333333333333333333333333"

static struct arena *arena;
static struct view_store *store;

static void start(void)
{
    arena = arena_new();
    store = view_store_new(arena);
}

static void stop(void)
{
    arena_free(arena);
}

static struct bytes bytes_of(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

static struct view *read_text(const char *text)
{
    struct view *view = view_read(store, bytes_of(text), false, 7);
    cr_assert_not_null(view);
    return view;
}

static const struct entry *only_entry(const char *text)
{
    struct view *view = read_text(text);
    cr_assert_eq(view->count, 1, "%s", text);
    return view->sightings[0].entry;
}

static struct view *read_fixture(const char *path)
{
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct bytes text;
    cr_assert(source_slurp(source, 1 << 20, &text), "%s", path);
    struct view *view = view_read(store, text, false, 0);
    source_close(source);
    return view;
}

Test(view, numbers_nodes_once, .init = start, .fini = stop)
{
    char id[41];
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < 5000; i++) {
            snprintf(id, sizeof(id), "%040x", i * 7919);
            cr_assert_eq(view_store_node(store, bytes_of(id)), i);
        }
    cr_expect_eq(view_store_nodes(store), 5000);
    cr_expect_eq(view_store_find(store, bytes_of(A)), NO_NODE);
    cr_expect_eq(view_store_find(store, bytes_of(id)), 4999);
    cr_expect_str_eq(view_store_id(store, 4999), id);
    cr_expect_str_eq(view_store_id(store, NO_NODE), "");
}

Test(view, interns_equal_entries_once, .init = start, .fini = stop)
{
    struct slot_range ranges[] = {{0, 5}, {7, 7}}, other_ranges[] = {{0, 5}, {7, 8}};
    struct mark marks[] = {{3, SLOT_MIGRATING, 1}}, other_marks[] = {{3, SLOT_IMPORTING, 1}};
    const struct entry base = {.node = 1, .ip = "10.0.0.1", .hostname = "h", .shard_id = "s", .nodename = "n",
                               .port = 7000, .bus_port = 17000, .tls_port = 1, .flags = NODE_PRIMARY,
                               .primary = NO_NODE, .config_epoch = 5, .ranges = ranges, .range_count = 2,
                               .marks = marks, .mark_count = 1};
    struct entry drafts[15];
    for (size_t i = 0; i < 15; i++)
        drafts[i] = base;
    drafts[1].node = 2;
    drafts[2].ip = "10.0.0.2";
    drafts[3].hostname = "";
    drafts[4].shard_id = "t";
    drafts[5].nodename = "m";
    drafts[6].port = 7001;
    drafts[7].bus_port = 17001;
    drafts[8].tls_port = 2;
    drafts[9].flags = NODE_PRIMARY | NODE_FAIL;
    drafts[10].primary = 3;
    drafts[11].config_epoch = 6;
    drafts[12].ranges = other_ranges;
    drafts[13].marks = other_marks;
    drafts[14].mark_count = 0;
    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 15; i++)
            cr_expect_eq(view_store_intern(store, &drafts[i])->number, i, "draft %u", i);
    cr_expect_eq(view_store_entries(store), 15);
    const struct entry *kept = view_store_intern(store, &base);
    cr_expect_eq(kept->slot_count, 7);
    cr_expect_neq(kept->ranges, ranges);
    cr_expect_neq(kept->ip, base.ip);
}

Test(view, stance_ignores_what_healthy_views_differ_in, .init = start, .fini = stop)
{
    const struct entry *base = only_entry(A " 10.0.0.1:7000@17000 master - 0 0 5 connected 0-9\n");
    static const char *const equal[] = {
        A " 10.0.0.1:7000 master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7000@17000 myself,master - 3 1700000000000 5 disconnected 0-9\n",
        A " 10.0.0.1:7000@17000,,tls-port=0,shard-id=" B " master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:16000@17000 master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7000@17000 master - 0 0 5 connected 0-9 [10->-" B "]\n",
        A " 10.0.0.1:7000@17000 master - 0 0 5 connected 5-9 0-4\n",
    };
    static const char *const other[] = {
        B " 10.0.0.1:7000@17000 master - 0 0 5 connected 0-9\n",
        A " 10.0.0.2:7000@17000 master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7001 master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7000@17000,host master - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7000@17000 master,fail - 0 0 5 connected 0-9\n",
        A " 10.0.0.1:7000@17000 master - 0 0 6 connected 0-9\n",
        A " 10.0.0.1:7000@17000 master - 0 0 5 connected 0-10\n",
        A " 10.0.0.1:7000@17000 slave " B " 0 0 5 connected\n",
    };
    for (size_t i = 0; i < sizeof(equal) / sizeof(*equal); i++)
        cr_expect_eq(only_entry(equal[i])->stance, base->stance, "%s", equal[i]);
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
        cr_expect_neq(only_entry(other[i])->stance, base->stance, "%s", other[i]);
}

Test(view, stance_of_replicas_and_addresses, .init = start, .fini = stop)
{
    static const struct {
        const char *left, *right;
        bool equal;
    } cases[] = {
        {A " 10.0.0.1:7000@17000 slave " B " 0 0 5 connected\n", A " 10.0.0.1:7000@17000 slave " B " 0 0 9 connected\n",
         true},
        {A " 10.0.0.1:7000@17000 slave " B " 0 0 5 connected\n", A " 10.0.0.1:7000@17000 slave " C " 0 0 5 connected\n",
         false},
        {A " 2001:db8::7:7000@17000 master - 0 0 5 connected\n",
         A " 2001:0DB8:0:0:0:0:0:7:7000@17000 master - 0 0 5 connected\n", true},
        {A " 2001:db8::7:7000@17000 master - 0 0 5 connected\n", A " 2001:db8::8:7000@17000 master - 0 0 5 connected\n",
         false},
        {A " Host.Example:7000@17000 master - 0 0 5 connected\n",
         A " host.example:7000@17000 master - 0 0 5 connected\n", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct entry *left = only_entry(cases[i].left), *right = only_entry(cases[i].right);
        cr_expect_neq(left, right);
        cr_expect_eq(left->stance == right->stance, cases[i].equal, "%s", cases[i].right);
    }
}

Test(view, joins_ranges, .init = start, .fini = stop)
{
    const struct entry *entry = only_entry(A " 10.0.0.1:7000@17000 master - 0 0 5 connected 9-12 0-3 4 10 16383 6-6\n");
    cr_assert_eq(entry->range_count, 4);
    static const struct slot_range expected[] = {{0, 4}, {6, 6}, {9, 12}, {16383, 16383}};
    cr_expect_arr_eq(entry->ranges, expected, sizeof(expected));
    cr_expect_eq(entry->slot_count, 11);
}

Test(view, reads_a_file_of_version_4, .init = start, .fini = stop)
{
    struct view *view = read_fixture(
        "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/nodes_7002.conf");
    cr_assert_eq(view->count, 7);
    cr_expect(view->has_vars && view->has_current_epoch && view->has_last_vote_epoch);
    cr_expect_eq(view->current_epoch, 9);
    cr_expect_eq(view->last_vote_epoch, 9);
    cr_expect_gt(view->vars.line, 7);
    cr_expect_eq(view->myself_count, 1);
    const struct sighting *own = view_own(view);
    cr_assert_not_null(own);
    cr_expect_eq(own->entry->port, 7002);
    cr_expect_eq(own->entry->flags, NODE_PRIMARY);
    cr_expect_eq(own->entry->slot_count, 0);
    cr_expect(view->any_bus_port && !view->any_aux && !view->any_hostname);
    cr_expect_eq(view->defect_total, 0);
    int64_t newest = 0;
    for (size_t i = 0; i < view->count; i++) {
        cr_expect_eq(view_find(view, view->sightings[i].entry->node), &view->sightings[i]);
        cr_expect_eq(view->sightings[i].line, i + 1);
        if (view->sightings[i].pong_ms > newest)
            newest = view->sightings[i].pong_ms;
    }
    cr_expect_eq(view->newest_pong_ms, newest);
}

Test(view, shares_entries_between_files, .init = start, .fini = stop)
{
    static const char *const files[] = {
        "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7000/nodes_7000.conf",
        "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7001/nodes_7001.conf",
        "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.7/8000/nodes_8000.conf",
    };
    struct view *views[3];
    for (size_t i = 0; i < 3; i++)
        views[i] = read_fixture(files[i]);
    size_t lines = views[0]->count + views[1]->count + views[2]->count;
    cr_expect_lt(view_store_entries(store), lines);
    for (size_t i = 0; i < views[0]->count; i++) {
        const struct entry *entry = views[0]->sightings[i].entry;
        const struct sighting *other = view_find(views[1], entry->node);
        cr_assert_not_null(other);
        cr_expect_eq(other->entry->stance, entry->stance, "%s", view_store_id(store, entry->node));
    }
}

Test(view, keeps_odd_files, .init = start, .fini = stop)
{
    struct view *view = read_text(A " 10.0.0.1:7000@17000 myself,master - 0 99999999999999 5 connected 0\n"
                                  "nonsense\n"
                                  A " 10.0.0.2:7000@17000 myself,master - 0 1700000000000 6 connected 1\n"
                                  "vars currentEpoch 3 lastVoteEpoch 1\n\n\n"
                                  "vars currentEpoch 6\n");
    cr_assert_eq(view->count, 2);
    cr_expect_eq(view->file, 7);
    cr_expect_eq(view->myself, 0);
    cr_expect_eq(view->myself_count, 2);
    cr_expect_eq(view->newest_pong_ms, 1700000000000, "a time after 2200 is not believed");
    cr_expect_eq(view->current_epoch, 6);
    cr_expect_eq(view->last_vote_epoch, 1);
    cr_expect_eq(view->padding, 2);
    cr_expect_eq(view_find(view, view_store_find(store, bytes_of(A))), &view->sightings[0], "the first line counts");
    cr_expect_gt(view->defect_total, 0);
    cr_expect_eq(view->defect_count, view->defect_total);
    cr_expect_eq(view->defects[0].place.line, 2);
}

Test(view, empty_text, .init = start, .fini = stop)
{
    struct view *view = read_text("");
    cr_expect_eq(view->count, 0);
    cr_expect_eq(view->myself, SIZE_MAX);
    cr_expect_null(view_own(view));
    cr_expect_null(view_find(view, 0));
    cr_expect_null(view_find(view, NO_NODE));
}

Test(view, keeps_so_many_defects_of_a_kind, .init = start, .fini = stop)
{
    enum { LINES = 3000, WIDTH = 2 };
    char text[LINES * WIDTH + 1];
    for (size_t i = 0; i < LINES; i++)
        memcpy(text + i * WIDTH, "x\n", WIDTH);
    text[LINES * WIDTH] = 0;
    struct view *view = read_text(text);
    cr_expect_geq(view->defect_total, LINES);
    cr_expect_leq(view->defect_count, (size_t)VIEW_DEFECTS_KEPT * 2);
    cr_expect_geq(view->defect_count, (size_t)VIEW_DEFECTS_KEPT);
}
