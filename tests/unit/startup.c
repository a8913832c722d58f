#include "tools/cluster/startup.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "parsers/bytes/source.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define C "3333333333333333333333333333333333333333"
#define D "4444444444444444444444444444444444444444"
#define OWN A " 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-8000\n"
#define TWO B " 10.0.0.2:7000@17000 master - 0 5 2 connected 8001-16383\n"
#define REP C " 10.0.0.3:7000@17000 slave " B " 0 5 2 connected\n"
#define VARS "vars currentEpoch 3 lastVoteEpoch 2\n"
#define AUX(shard) ",,tls-port=0,shard-id=" shard

enum { ALL = (1u << GENERATIONS) - 1 };

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

static struct startup *judge(const char *text, size_t length)
{
    struct bytes bytes = {(const uint8_t *)text, length};
    struct view *view = view_read(store, bytes, false, 0);
    struct startup *startup = view ? startup_of(view, store, bytes, arena) : NULL;
    cr_assert_not_null(startup);
    return startup;
}

static bool has(const struct startup *startup, enum startup_condition condition)
{
    for (size_t i = 0; i < startup->fact_count; i++)
        if (startup->facts[i].condition == condition)
            return true;
    return false;
}

Test(startup, rules_cover_each_generation_once)
{
    unsigned covered[STARTUP_CONDITIONS][GENERATIONS] = {{0}};
    static const struct {
        enum startup_condition condition;
        enum generation first, last;
    } rules[] = {
#define STARTUP_CONDITION(id, word, class, means)
#define STARTUP_RULE(id, from, to, outcome, basis, sentence) {STARTUP_##id, GENERATION_##from, GENERATION_##to},
#include "tools/cluster/startup.def"
#undef STARTUP_CONDITION
#undef STARTUP_RULE
    };
    for (size_t r = 0; r < sizeof(rules) / sizeof(*rules); r++)
        for (enum generation g = rules[r].first; g <= rules[r].last; g++)
            covered[rules[r].condition][g]++;
    for (enum startup_condition c = 0; c < STARTUP_CONDITIONS; c++)
        for (enum generation g = 0; g < GENERATIONS; g++)
            cr_expect_eq(covered[c][g], 1, "%s on %s: %u rules", startup_word(c), generation_name(g), covered[c][g]);
}

Test(startup, words_are_unique)
{
    for (enum startup_condition a = 0; a < STARTUP_CONDITIONS; a++)
        for (enum startup_condition b = 0; b < a; b++)
            cr_expect_str_neq(startup_word(a), startup_word(b));
}

Test(startup, a_sound_file_has_no_conditions, .init = start, .fini = stop)
{
    struct startup *startup = judge(OWN TWO REP VARS, sizeof(OWN TWO REP VARS) - 1);
    cr_expect_eq(startup->fact_count, 0);
    cr_expect_not(startup_damaged(startup));
    for (enum generation g = 0; g < GENERATIONS; g++) {
        cr_expect_eq(startup->of[g].outcome, STARTUP_RIGHT);
        cr_expect_null(startup->of[g].fact);
    }
}

/* What decides on Redis 3.0, 6.2, 7.0, 7.2, 8.0 and Valkey 7.2, 9.0. */
#define EVERY(o) {STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o}
#define WRONG_THEN_REFUSES \
    {STARTUP_WRONG, STARTUP_WRONG, STARTUP_REFUSES, STARTUP_REFUSES, STARTUP_REFUSES, STARTUP_REFUSES, STARTUP_REFUSES}
#define THEN(first, o) \
    {STARTUP_##first, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o, STARTUP_##o}
#define TEXT(t) t, sizeof(t) - 1

Test(startup, conditions_and_outcomes, .init = start, .fini = stop)
{
    static const enum generation on[7] = {GENERATION_REDIS_3_0, GENERATION_REDIS_6_2, GENERATION_REDIS_7_0,
                                          GENERATION_REDIS_7_2, GENERATION_REDIS_8_0, GENERATION_VALKEY_7_2,
                                          GENERATION_VALKEY_9_0};
    static const struct {
        enum startup_condition condition;
        const char *text;
        size_t length;
        enum startup_outcome outcome[7];
    } cases[] = {
        {STARTUP_EMPTY, TEXT(""), EVERY(WRONG)},
        {STARTUP_ONLY_PADDING, TEXT("\n\n\n"), EVERY(REFUSES)},
        {STARTUP_PADDING, TEXT(OWN TWO VARS "\n\n\n"), EVERY(RIGHT)},
        {STARTUP_PADDING, TEXT("\n" OWN TWO VARS), EVERY(RIGHT)},
        {STARTUP_NO_MYSELF, TEXT(TWO REP VARS), EVERY(REFUSES)},
        {STARTUP_TWO_MYSELF, TEXT(OWN B " 10.0.0.2:7000 myself,master - 0 0 2 connected\n" VARS), EVERY(CRASHES)},
        {STARTUP_OWN_NO_ROLE, TEXT(A " 10.0.0.1:7000 myself - 0 0 1 connected\n" VARS),
         {STARTUP_WRONG, STARTUP_WRONG, STARTUP_WRONG, STARTUP_WRONG, STARTUP_REFUSES, STARTUP_WRONG, STARTUP_WRONG}},
        {STARTUP_OWN_NO_PRIMARY, TEXT(A " 10.0.0.1:7000 myself,slave - 0 0 1 connected\n" VARS),
         {STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_REFUSES, STARTUP_RIGHT, STARTUP_RIGHT}},
        {STARTUP_LINE_TWICE, TEXT(OWN TWO TWO VARS), EVERY(RIGHT)},
        {STARTUP_ID_TWICE, TEXT(OWN TWO B " 10.0.0.2:7001@17001 master - 0 0 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_SLOT_OVERLAP, TEXT(OWN B " 10.0.0.2:7000 master - 0 0 2 connected 8000\n" VARS), EVERY(WRONG)},
        {STARTUP_SLOT_OVERLAP, TEXT(OWN B " 10.0.0.2:7000 master - 0 0 2 connected 64-127\n" VARS), EVERY(WRONG)},
        {STARTUP_UNKNOWN_PRIMARY, TEXT(OWN C " 10.0.0.3:7000 slave " D " 0 0 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_UNKNOWN_PEER, TEXT(A " 10.0.0.1:7000 myself,master - 0 0 1 connected 5 [5->-" D "]\n" VARS),
         EVERY(WRONG)},
        {STARTUP_SHARD_MISMATCH,
         TEXT(OWN B " 10.0.0.2:7000@17000" AUX(A) " master - 0 0 2 connected\n" C " 10.0.0.3:7000@17000" AUX(
             D) " slave " B " 0 0 2 connected\n" VARS),
         {STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_WRONG, STARTUP_REFUSES, STARTUP_RIGHT, STARTUP_REFUSES, STARTUP_RIGHT}},
        {STARTUP_VARS_MISSING, TEXT(OWN TWO), EVERY(WRONG)},
        {STARTUP_CURRENT_MISSING, TEXT(OWN TWO "vars lastVoteEpoch 2\n"), EVERY(WRONG)},
        {STARTUP_VOTE_MISSING, TEXT(OWN TWO "vars currentEpoch 3\n"), EVERY(WRONG)},
        {STARTUP_EPOCH_BELOW, TEXT(OWN TWO "vars currentEpoch 1 lastVoteEpoch 1\n"), EVERY(WRONG)},
        {STARTUP_VOTE_ABOVE, TEXT(OWN TWO "vars currentEpoch 3 lastVoteEpoch 4\n"), EVERY(WRONG)},
        {STARTUP_VARS_ODD, TEXT(OWN TWO "vars currentEpoch 3 lastVoteEpoch\n"),
         THEN(CRASHES, REFUSES)},
        {STARTUP_VARS_UNKNOWN, TEXT(OWN TWO "vars x 1 currentEpoch 3 lastVoteEpoch 2\n"), EVERY(RIGHT)},
        {STARTUP_VARS_NUMBER, TEXT(OWN TWO "vars currentEpoch 3x lastVoteEpoch 2\n"), EVERY(WRONG)},
        {STARTUP_LINE_UNENDED, TEXT(VARS OWN B " 10.0.0.2:7000@17000 master - 0 5 2 connected 8001-163"), EVERY(WRONG)},
        {STARTUP_FEW_FIELDS, TEXT(OWN TWO "va"), EVERY(REFUSES)},
        {STARTUP_FEW_FIELDS, TEXT(VARS OWN B " 10.0.0.2:7000@17000 mast"), EVERY(REFUSES)},
        {STARTUP_FLAG_UNKNOWN, TEXT(VARS OWN B " 10.0.0.2:7000@17000 mast - 0 5 2 connected"), EVERY(CRASHES)},
        {STARTUP_LINE_BLANKS, TEXT(OWN TWO "  \n" VARS), EVERY(CRASHES)},
        {STARTUP_LINE_CR, TEXT(A " 10.0.0.1:7000 myself,master - 0 0 1 connected 0-8000\r\n" VARS), EVERY(RIGHT)},
        {STARTUP_NUL_LINE, TEXT(OWN "\0\0\0" TWO VARS),
         THEN(CRASHES, WRONG)},
        {STARTUP_NUL_TAIL, TEXT(OWN TWO VARS "\0\0\0"),
         THEN(CRASHES, RIGHT)},
        {STARTUP_NUL_WITHIN, TEXT(OWN B " 10.0.0.2:7000@17000 master - 0 5 2 connected 8001-\0\0\0\n" VARS),
         EVERY(WRONG)},
        {STARTUP_FEW_FIELDS, TEXT(OWN B " 10.0.0.2:7000@17000 mas\0er - 0 5 2 connected 8001-9000\n" VARS),
         EVERY(REFUSES)},
        {STARTUP_QUOTES, TEXT(OWN TWO "\"" REP VARS), EVERY(REFUSES)},
        {STARTUP_ID_LENGTH, TEXT(OWN "abc 10.0.0.2:7000 master - 0 5 2 connected\n" VARS), WRONG_THEN_REFUSES},
        {STARTUP_ID_CHARACTERS,
         TEXT(OWN "F222222222222222222222222222222222222222 10.0.0.2:7000 master - 0 5 2 connected\n" VARS),
         WRONG_THEN_REFUSES},
        {STARTUP_ID_LETTERS,
         TEXT(OWN "z222222222222222222222222222222222222222 10.0.0.2:7000 master - 0 5 2 connected\n" VARS),
         EVERY(WRONG)},
        {STARTUP_ENDPOINT, TEXT(OWN B " nowhere master - 0 5 2 connected\n" VARS), EVERY(REFUSES)},
        {STARTUP_ADDRESS_BYTES, TEXT(OWN B " 10.\x01.0.2:7000@17000 master - 0 5 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_ADDRESS_BYTES, TEXT(OWN B " 10.0.0.2:7000@17000,h\x01 master - 0 5 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_PORT, TEXT(OWN B " 10.0.0.2:70000@17000 master - 0 5 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_AUX_UNKNOWN, TEXT(OWN B " 10.0.0.2:7000@17000,,colour=blue master - 0 5 2 connected\n" VARS),
         {STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_WRONG, STARTUP_REFUSES, STARTUP_REFUSES, STARTUP_REFUSES,
          STARTUP_REFUSES}},
        {STARTUP_CLIENT_ADDRESS,
         TEXT(OWN B " 10.0.0.2:7000@17000,,client-ipv4=10.0.0.2 master - 0 5 2 connected\n" VARS),
         {STARTUP_RIGHT, STARTUP_RIGHT, STARTUP_WRONG, STARTUP_REFUSES, STARTUP_REFUSES, STARTUP_REFUSES,
          STARTUP_RIGHT}},
        {STARTUP_NOFAILOVER, TEXT(A " 10.0.0.1:7000 myself,master,nofailover - 0 0 1 connected 0-8000\n" VARS),
         THEN(CRASHES, RIGHT)},
        {STARTUP_FLAG_FORM, TEXT(A " 10.0.0.1:7000 master,myself - 0 0 1 connected 0-8000\n" VARS), EVERY(RIGHT)},
        {STARTUP_FLAG_FORM, TEXT(A " 10.0.0.1:7000 myself,MASTER - 0 0 1 connected 0-8000\n" VARS), EVERY(RIGHT)},
        {STARTUP_ROLE_WORD, TEXT(OWN B " 10.0.0.2:7000 primary - 0 5 2 connected\n" VARS),
         {STARTUP_CRASHES, STARTUP_CRASHES, STARTUP_CRASHES, STARTUP_CRASHES, STARTUP_CRASHES, STARTUP_CRASHES,
          STARTUP_RIGHT}},
        {STARTUP_HANDSHAKE, TEXT(OWN B " 10.0.0.2:7000 handshake - 0 5 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_PRIMARY_WORD, TEXT(OWN B " 10.0.0.2:7000 slave 123 0 5 2 connected\n" VARS), WRONG_THEN_REFUSES},
        {STARTUP_PRIMARY_DASH, TEXT(OWN B " 10.0.0.2:7000 slave -123 0 5 2 connected\n" VARS), EVERY(WRONG)},
        {STARTUP_TIME, TEXT(OWN B " 10.0.0.2:7000 master - x y 2 connected\n" VARS), EVERY(RIGHT)},
        {STARTUP_CONFIG_EPOCH, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2x connected\n" VARS), EVERY(WRONG)},
        {STARTUP_CONFIG_EPOCH, TEXT(OWN B " 10.0.0.2:7000 master - 0 y z connected\n" VARS), EVERY(WRONG)},
        {STARTUP_LINK, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connecte\n" VARS), EVERY(RIGHT)},
        {STARTUP_SLOT_WORD, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connected nine\n" VARS), EVERY(WRONG)},
        {STARTUP_SLOT_ORDER, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connected 9001-9000\n" VARS), EVERY(WRONG)},
        {STARTUP_SLOT_FORM, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connected 9001 9000\n" VARS), EVERY(RIGHT)},
        {STARTUP_SLOT_FORM, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connected 9000-9001 9002-9003\n" VARS),
         EVERY(RIGHT)},
        {STARTUP_SLOT_BOUND, TEXT(OWN B " 10.0.0.2:7000 master - 0 5 2 connected 9000-16384\n" VARS),
         THEN(CRASHES, REFUSES)},
        {STARTUP_OPEN_DASH, TEXT(A " 10.0.0.1:7000 myself,master - 0 0 1 connected [5]\n" VARS), EVERY(CRASHES)},
        {STARTUP_OPEN_PEER, TEXT(A " 10.0.0.1:7000 myself,master - 0 0 1 connected [5->-12]\n" VARS),
         WRONG_THEN_REFUSES},
        {STARTUP_OPEN_NUMBER, TEXT(OWN TWO D " 10.0.0.1:7000 master - 0 0 1 connected [x->-" B "]\n" VARS),
         EVERY(WRONG)},
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
        struct startup *startup = judge(cases[c].text, cases[c].length);
        cr_expect(has(startup, cases[c].condition), "case %zu: no %s", c, startup_word(cases[c].condition));
        for (size_t g = 0; g < 7; g++)
            cr_expect_eq(startup->of[on[g]].outcome, cases[c].outcome[g], "case %zu, %s on %s: %s (%d)", c,
                         startup_word(cases[c].condition), generation_name(on[g]),
                         startup->of[on[g]].sentence, startup->of[on[g]].outcome);
    }
}

Test(startup, the_first_line_that_stops_decides, .init = start, .fini = stop)
{
    static const char text[] = OWN B " 10.0.0.2:7000 master - 0 5 2 connected 8000\n"
                               C " 10.0.0.3:7000 master - 0 5 2\n"
                               D " 10.0.0.4:7000 happy - 0 5 2 connected\n" VARS;
    struct startup *startup = judge(text, sizeof(text) - 1);
    const struct startup_verdict *verdict = &startup->of[GENERATION_REDIS_7_0];
    cr_expect_eq(verdict->outcome, STARTUP_REFUSES);
    cr_expect_eq(verdict->fact->condition, STARTUP_FEW_FIELDS);
    cr_expect_eq(verdict->fact->place.line, 3);
    cr_expect(verdict->tried);
    cr_expect_not(startup->of[GENERATION_REDIS_6_2].tried);
}

Test(startup, skipped_lines_keep_their_places, .init = start, .fini = stop)
{
    static const char text[] = OWN "\0\0" TWO "\n" REP VARS;
    struct startup *startup = judge(text, sizeof(text) - 1);
    cr_assert(has(startup, STARTUP_UNKNOWN_PRIMARY));
    for (size_t i = 0; i < startup->fact_count; i++) {
        const struct startup_fact *fact = &startup->facts[i];
        if (fact->condition == STARTUP_UNKNOWN_PRIMARY) {
            cr_expect_eq(fact->place.line, 4);
            cr_expect_eq(memcmp(text + fact->place.offset, C, 40), 0);
        }
        if (fact->condition == STARTUP_NUL_LINE) {
            cr_expect_eq(fact->place.offset, sizeof(OWN) - 1);
            cr_expect_eq(fact->place.length, 2);
        }
    }
}

Test(startup, places_lie_within_the_file, .init = start, .fini = stop)
{
    static const char text[] = OWN TWO "\0x\0\n" REP VARS "\n\n";
    for (size_t length = 0; length < sizeof(text); length++) {
        struct startup *startup = judge(text, length);
        bool ends = length == 0 || text[length - 1] == '\n';
        cr_expect(ends || has(startup, STARTUP_LINE_UNENDED) || has(startup, STARTUP_NUL_LINE) ||
                      has(startup, STARTUP_NUL_TAIL),
                  "cut at %zu", length);
        for (size_t i = 0; i < startup->fact_count; i++)
            cr_expect(startup->facts[i].place.offset + startup->facts[i].place.length <= length, "cut at %zu: %s",
                      length, startup_word(startup->facts[i].condition));
    }
}

Test(startup, without_the_text_the_defects_still_count, .init = start, .fini = stop)
{
    static const char text[] = OWN B " 10.0.0.2:7000 happy 12 x 5 2 connected [x]\n" REP "va";
    struct view *view = view_read(store, (struct bytes){(const uint8_t *)text, sizeof(text) - 1}, false, 0);
    struct startup *startup = startup_of(view, store, (struct bytes){NULL, 0}, arena);
    cr_assert_not_null(startup);
    cr_expect(has(startup, STARTUP_LINE_UNENDED));
    cr_expect_eq(startup->of[GENERATION_REDIS_7_0].outcome, STARTUP_CRASHES);
}

Test(startup, generations_in_words, .init = start, .fini = stop)
{
    static const struct {
        unsigned set;
        const char *text;
    } cases[] = {
        {ALL, "every version"},
        {0, ""},
        {1u << GENERATION_REDIS_7_0, "Redis 7.0"},
        {1u << GENERATION_REDIS_8_0 | 1u << GENERATION_VALKEY_7_2, "Redis 8.0, Valkey 7.2"},
        {1u << GENERATION_REDIS_3_0 | 1u << GENERATION_REDIS_3_2 | 1u << GENERATION_REDIS_7_2 |
             1u << GENERATION_VALKEY_8_0 | 1u << GENERATION_VALKEY_8_1 | 1u << GENERATION_VALKEY_9_0,
         "Redis 3.0 to 3.2, 7.2, Valkey 8.0 to 9.0"},
    };
    for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++)
        cr_expect_str_eq(startup_generations(arena, cases[c].set), cases[c].text);
}

Test(startup, groups_cover_all_and_begin_with_the_worst, .init = start, .fini = stop)
{
    static const char text[] = OWN B " 10.0.0.2:7000@17000,,colour=blue master - 0 5 2 connected\n" VARS;
    struct startup *startup = judge(text, sizeof(text) - 1);
    struct startup_group groups[GENERATIONS];
    size_t count = startup_groups(startup, groups);
    unsigned covered = 0;
    cr_assert_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(covered & groups[i].generations, 0);
        covered |= groups[i].generations;
    }
    cr_expect_eq(covered, ALL);
    cr_expect_eq(groups[0].verdict->outcome, STARTUP_REFUSES);
    cr_expect_eq(groups[1].generations, 1u << GENERATION_REDIS_7_0);
}

Test(startup, files_of_running_clusters_are_sound, .init = start, .fini = stop)
{
    static const char *const paths[] = {
        "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/nodes_7002.conf",
        "fixtures/story-redis-4.0.1/09-host-lost/hosts/127.0.0.8/9000/nodes_9000.conf",
        "fixtures/story-valkey-8.0.1/10-recovered/hosts/127.0.4.7/8000/nodes_8000.conf",
    };
    for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++) {
        struct source *source = source_open(AT_FDCWD, paths[p], 0);
        struct bytes text;
        cr_assert(source_slurp(source, 1 << 20, &text), "%s", paths[p]);
        struct startup *startup = judge((const char *)text.at, text.len);
        cr_expect_not(startup_damaged(startup), "%s", paths[p]);
        for (size_t i = 0; i < startup->fact_count; i++)
            cr_expect_eq(startup_class(startup->facts[i].condition), STARTUP_NEWER, "%s: %s", paths[p],
                         startup_word(startup->facts[i].condition));
        source_close(source);
    }
}
