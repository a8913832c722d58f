#include "tools/cluster/topology.h"

#include <criterion/criterion.h>
#include <csv.h>
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/render/topology_output.h"

static struct evidence *evidence;
static struct topologies *topologies;

static void open_case(const char *folder)
{
    char path[256];
    snprintf(path, sizeof(path), "%s", folder);
    char *paths[] = {path};
    evidence = evidence_open(paths, 1, NULL);
    cr_assert_not_null(evidence);
    struct clusters *clusters = clusters_build(evidence, evidence->arena);
    cr_assert_not_null(clusters);
    topologies = topologies_of(evidence, clusters, evidence->arena);
    cr_assert_not_null(topologies);
}

static void stop(void)
{
    evidence_close(evidence);
}

Test(topology, runs_cover_all_slots, .fini = stop)
{
    open_case("fixtures/story-redis-4.0.1/06-stale-restarted");
    cr_assert_eq(topologies->clusters->count, 1);
    const struct topology *topology = &topologies->all[0];
    unsigned next = 0;
    for (size_t r = 0; r < topology->run_count; r++) {
        cr_expect_eq(topology->runs[r].first, next);
        cr_expect_eq(topology->runs[r].state, SLOTS_OK);
        cr_expect_eq(topology->runs[r].claimant_count, 1);
        next = topology->runs[r].last + 1u;
    }
    cr_expect_eq(next, SLOT_COUNT);
    cr_expect_eq(topology->run_count, 4);
    cr_expect_eq(topology->outsiders, 1);
    cr_expect_eq(topology->view_count, 7);
}

Test(topology, views_that_agree_share_a_group, .fini = stop)
{
    open_case("fixtures/story-redis-4.0.1/06-stale-restarted");
    cr_assert_eq(topologies->view_count, 7);
    size_t apart = 0;
    for (size_t v = 0; v < topologies->view_count; v++) {
        cr_expect(topologies->views[v].newest);
        cr_expect_eq(topologies->views[v].testifies, topologies->views[v].group == 0);
        apart += topologies->views[v].group != 0;
    }
    cr_expect_eq(apart, 1);
}

Test(topology, open_slots_say_where_they_go, .fini = stop)
{
    open_case("fixtures/incidents-redis-7.0.15/open-slots");
    const struct topology *topology = &topologies->all[0];
    size_t open = 0;
    for (size_t r = 0; r < topology->run_count; r++)
        for (size_t m = 0; m < topology->runs[r].mark_count; m++, open++) {
            const char *text = slot_open_text(topology->cluster, &topology->runs[r].marks[m], evidence->arena);
            cr_expect(strstr(text, " migrating to ") || strstr(text, " importing from "), "%s", text);
        }
    cr_expect_gt(open, 0);
}

struct shape {
    size_t cells, rows;
};

static void count_cell(void *cell, size_t len, void *context)
{
    (void)cell, (void)len;
    ((struct shape *)context)->cells++;
}

static void count_row(int end, void *context)
{
    (void)end;
    ((struct shape *)context)->rows++;
}

Test(topology, csv_is_read_back, .fini = stop)
{
    open_case("fixtures/story-redis-4.0.1/09-host-lost");
    for (int which = 0; which < TOPOLOGY_TABLES; which++) {
        struct out *out = out_open_memory();
        struct topology_writing writing = {out, evidence, topologies, evidence->arena};
        topology_write_table(&writing, (enum topology_table)which, FORMAT_CSV);
        struct bytes text = out_held(out);
        struct csv_parser parser;
        struct shape shape = {0};
        cr_assert_eq(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI), 0);
        cr_expect_eq(csv_parse(&parser, text.at, text.len, count_cell, count_row, &shape), text.len);
        cr_expect_eq(csv_fini(&parser, count_cell, count_row, &shape), 0);
        csv_free(&parser);
        cr_expect_gt(shape.rows, 1);
        cr_expect_eq(shape.cells, shape.rows * topology_records[which].count, "table %d", which);
        out_close(out);
    }
}
