#include "tools/cluster/diff.h"

#include <criterion/criterion.h>
#include <csv.h>
#include <string.h>

#include "tools/render/diff_output.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"

#define A_LINE A " 10.0.0.1:7000@17000 master - 0 1000 1 connected 0-99\n"
#define B_LINE B " 10.0.0.2:7000@17000 slave " A " 0 1000 1 connected\n"

enum { MOST = 8 };

static struct arena *arena;
static struct view_store *store;
static struct diff_operand operands[MOST];
static size_t operand_count;

static void start(void)
{
    arena = arena_new();
    store = view_store_new(arena);
    operand_count = 0;
}

static void stop(void)
{
    arena_free(arena);
}

static void add_view(const char *name, const char *text)
{
    struct bytes bytes = {(const uint8_t *)text, strlen(text)};
    struct view *view = view_read(store, bytes, false, 0);
    cr_assert_not_null(view);
    operands[operand_count++] = (struct diff_operand){name, view};
}

static struct diff *compare(void)
{
    struct diff *diff = diff_views(store, operands, operand_count, arena);
    cr_assert_not_null(diff);
    return diff;
}

static void expect_value(const struct difference *difference, size_t number, const char *text, size_t views)
{
    cr_assert_lt(number, difference->value_count);
    cr_expect_str_eq(difference->values[number].text, text);
    cr_expect_eq(difference->values[number].views, views, "%s: %zu", text, difference->values[number].views);
}

Test(diff, order_and_times_do_not_count, .init = start, .fini = stop)
{
    add_view("a", A_LINE B_LINE);
    add_view("b", B_LINE A " 10.0.0.1:7000@17000 myself,master - 5 9000 1 disconnected 0-99\n");
    add_view("c", A_LINE B " 10.0.0.2:7000@17000 slave " A " 0 1000 77 connected\n");
    struct diff *diff = compare();
    cr_expect_eq(diff->group_count, 1);
    cr_expect_eq(diff->groups[0].count, 3);
    cr_expect_eq(diff->groups[0].nodes, 2);
    cr_expect_eq(diff->difference_count, 0);
}

Test(diff, the_largest_group_is_the_baseline, .init = start, .fini = stop)
{
    add_view("odd", A " 10.0.0.1:7000@17000 master - 0 99999 9 connected 0-99\n" B_LINE);
    add_view("a", A_LINE B_LINE);
    add_view("b", B_LINE A_LINE);
    struct diff *diff = compare();
    cr_assert_eq(diff->group_count, 2);
    cr_expect_eq(diff->group_of[0], 1);
    cr_expect_eq(diff->group_of[1], 0);
    cr_expect_eq(diff->group_of[2], 0);
    cr_assert_eq(diff->difference_count, 1);
    cr_expect_eq(diff->differences[0].aspect, DIFF_EPOCH);
    cr_expect(diff->differences[0].baseline);
    expect_value(&diff->differences[0], 0, "1", 2);
    expect_value(&diff->differences[0], 1, "9", 1);
    cr_assert_eq(diff->groups[1].deviation_count, 1);
    cr_expect_eq(diff->groups[1].deviations[0].value, 1);
}

Test(diff, equal_groups_are_ordered_by_epoch_then_pong_then_place, .init = start, .fini = stop)
{
    add_view("old", A_LINE "vars currentEpoch 4 lastVoteEpoch 0\n");
    add_view("new", B_LINE "vars currentEpoch 5 lastVoteEpoch 0\n");
    struct diff *diff = compare();
    cr_assert_eq(diff->group_count, 2);
    cr_expect_eq(diff->groups[0].views[0], 1);
    stop();
    start();
    add_view("first", A_LINE);
    add_view("second", B_LINE);
    diff = compare();
    cr_expect_eq(diff->groups[0].views[0], 0, "the same epoch and pong");
}

Test(diff, each_aspect_is_told_apart, .init = start, .fini = stop)
{
    static const struct {
        const char *line;
        enum diff_aspect aspect;
        const char *before, *after;
    } cases[] = {
        {A " 10.0.0.9:7000@17000 master - 0 1 1 connected 0-99\n", DIFF_ADDRESS,
         "10.0.0.1:7000@17000", "10.0.0.9:7000@17000"},
        {A " 10.0.0.1:7000@17009 master - 0 1 1 connected 0-99\n", DIFF_ADDRESS,
         "10.0.0.1:7000@17000", "10.0.0.1:7000@17009"},
        {A " 10.0.0.1:7000@17000 master - 0 1 1 connected 0-98\n", DIFF_SLOTS, "0-99", "0-98"},
        {A " 10.0.0.1:7000@17000 master - 0 1 1 connected\n", DIFF_SLOTS, "0-99", "none"},
        {A " 10.0.0.1:7000@17000 master - 0 1 8 connected 0-99\n", DIFF_EPOCH, "1", "8"},
        {A " 10.0.0.1:7000@17000 master,fail? - 0 1 1 connected 0-99\n", DIFF_FLAGS, "none", "fail?"},
        {A " 10.0.0.1:7000@17000 master " B " 0 1 1 connected 0-99\n", DIFF_PRIMARY, "none", B},
        {A " 10.0.0.1:7000@17000 master,slave - 0 1 1 connected 0-99\n", DIFF_ROLE, "primary", "primary,replica"},
        {"", DIFF_MEMBER, "listed", "not listed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        stop();
        start();
        char text[512];
        snprintf(text, sizeof(text), "%s%s", cases[i].line, B_LINE);
        add_view("a", A_LINE B_LINE);
        add_view("b", B_LINE A_LINE);
        add_view("c", text);
        struct diff *diff = compare();
        cr_assert_eq(diff->difference_count, 1, "case %zu: %zu differences", i, diff->difference_count);
        cr_expect_eq(diff->differences[0].aspect, cases[i].aspect, "case %zu", i);
        cr_expect_str_eq(diff->differences[0].name, "10.0.0.1:7000");
        expect_value(&diff->differences[0], 0, cases[i].before, 2);
        expect_value(&diff->differences[0], 1, cases[i].after, 1);
    }
}

Test(diff, own_line_without_ip_agrees, .init = start, .fini = stop)
{
    add_view("own", A " :7000@17000 myself,master - 0 1000 1 connected 0-99\n" B_LINE);
    add_view("other", A_LINE B_LINE);
    cr_expect_eq(compare()->group_count, 1);
    add_view("elsewhere", A " :7001@17001 myself,master - 0 1000 1 connected 0-99\n" B_LINE);
    struct diff *diff = compare();
    cr_expect_eq(diff->group_count, 2, "the port still counts");
}

Test(diff, repeated_lines_are_not_lost, .init = start, .fini = stop)
{
    add_view("once", A_LINE B_LINE);
    add_view("twice", A_LINE A " 10.0.0.1:7000@17000 master - 0 1000 2 connected 5-6\n" B_LINE);
    add_view("otherwise", A_LINE A " 10.0.0.1:7000@17000 master - 0 1000 3 connected 5-6\n" B_LINE);
    struct diff *diff = compare();
    cr_assert_eq(diff->group_count, 3);
    cr_assert_eq(diff->difference_count, 1);
    cr_expect_eq(diff->differences[0].aspect, DIFF_MEMBER);
    cr_expect_eq(diff->differences[0].value_count, 3);
}

Test(diff, baseline_may_be_silent, .init = start, .fini = stop)
{
    add_view("a", A_LINE);
    add_view("b", A_LINE);
    add_view("c", A_LINE B_LINE);
    add_view("d", A_LINE B " 10.0.0.2:7000@17000 slave,fail " A " 0 1000 1 connected\n");
    struct diff *diff = compare();
    cr_assert_eq(diff->difference_count, 2);
    cr_expect_eq(diff->differences[0].aspect, DIFF_MEMBER);
    expect_value(&diff->differences[0], 0, "not listed", 2);
    expect_value(&diff->differences[0], 1, "listed", 2);
    cr_expect_eq(diff->differences[1].aspect, DIFF_FLAGS);
    cr_expect_not(diff->differences[1].baseline);
    cr_expect_eq(diff->groups[2].deviation_count, 1, "the flags deviate from nothing");
}

/* ------------------------------------------------------------------ CSV, as libcsv reads it */

struct cells {
    char text[64][128];
    size_t count, rows;
};

static void take_cell(void *cell, size_t len, void *context)
{
    struct cells *cells = context;
    cr_assert_lt(cells->count, 64);
    snprintf(cells->text[cells->count++], sizeof(cells->text[0]), "%.*s", (int)len, (const char *)cell);
}

static void take_row(int end, void *context)
{
    (void)end;
    ((struct cells *)context)->rows++;
}

Test(diff, csv_is_read_back, .init = start, .fini = stop)
{
    struct evidence_file file = {.path = "folder, with comma/nodes \"1\".conf"};
    struct evidence evidence = {.files = &file, .file_count = 1};
    add_view("a b", A_LINE B_LINE);
    add_view("=c", A_LINE);
    struct out *out = out_open_memory();
    diff_write_records(out, &evidence, compare(), FORMAT_CSV);
    struct bytes text = out_held(out);
    struct csv_parser parser;
    struct cells cells = {.count = 0};
    cr_assert_eq(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI), 0);
    cr_expect_eq(csv_parse(&parser, text.at, text.len, take_cell, take_row, &cells), text.len);
    cr_expect_eq(csv_fini(&parser, take_cell, take_row, &cells), 0);
    csv_free(&parser);
    size_t width = diff_record.count;
    cr_assert_eq(cells.rows, 3);
    cr_assert_eq(cells.count, 3 * width);
    cr_expect_str_eq(cells.text[0], "node_id");
    cr_expect_str_eq(cells.text[width], B);
    cr_expect_str_eq(cells.text[width + 2], "member");
    cr_expect_str_eq(cells.text[width + 3], "listed");
    cr_expect_str_eq(cells.text[width + 6], "a\\x20b");
    cr_expect_str_eq(cells.text[width + 7], "folder, with comma/nodes \"1\".conf");
    cr_expect_str_eq(cells.text[2 * width + 3], "not listed");
    out_close(out);
}
