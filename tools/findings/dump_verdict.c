#include "tools/findings/dump_verdict.h"

/* What stopping means. Rows without `expected` are no testimony about the content. */
static const struct {
    enum dump_state state;
    enum finding_id finding;
    const char *expected;
} stops[] = {
    [RDB_STOP_NONE] = {DUMP_OK, FINDING_IDS, NULL},
    [RDB_STOP_NOT_RDB] = {DUMP_DAMAGED, FINDING_DUMP_CORRUPT, "REDIS or VALKEY and a version"},
    [RDB_STOP_TRUNCATED] = {DUMP_DAMAGED, FINDING_DUMP_TRUNCATED, "the end of the dump"},
    [RDB_STOP_CORRUPT] = {DUMP_DAMAGED, FINDING_DUMP_CORRUPT, "what a server writes"},
    [RDB_STOP_UNSUPPORTED] = {DUMP_UNSUPPORTED, FINDING_DUMP_UNSUPPORTED, "what can be stepped over safely"},
    [RDB_STOP_READ] = {DUMP_UNREADABLE, FINDING_IDS, NULL},
    [RDB_STOP_MEMORY] = {DUMP_UNREADABLE, FINDING_IDS, NULL},
};

static enum finding_id finding_of(enum rdb_defect code)
{
    if (code == RDB_BAD_CHECKSUM)
        return FINDING_DUMP_CHECKSUM_MISMATCH;
    if (code == RDB_NEWER_VERSION || code == RDB_UNREAD_BYTES)
        return FINDING_DUMP_UNSUPPORTED;
    return rdb_defect_is_corruption(code) ? FINDING_DUMP_CORRUPT : FINDING_DUMP_INCONSISTENT;
}

static void add(struct dump_verdict *verdict, struct dump_problem problem)
{
    int severity = (int)finding_severity(problem.finding);
    if (severity > verdict->worst)
        verdict->worst = severity;
    verdict->problems[verdict->count++] = problem;
}

bool dump_verdict(struct arena *arena, const struct dump *dump, struct dump_verdict *verdict)
{
    enum { BESIDE_DEFECTS = 2 }; /* a checksum that is off, and the stop */
    *verdict = (struct dump_verdict){.worst = -1, .state = stops[dump->stop].state, .unlisted = dump->defect_total};
    verdict->problems = arena_array(arena, dump->defect_count + BESIDE_DEFECTS, sizeof(*verdict->problems));
    if (!verdict->problems)
        return false;
    verdict->unlisted -= dump->defect_count;
    for (size_t i = 0; i < dump->defect_count; i++) {
        const struct dump_defect *defect = &dump->defects[i];
        add(verdict, (struct dump_problem){finding_of(defect->code), false, defect->place, defect->expected,
                                           defect->found, rdb_defect_name(defect->code), defect->key});
    }
    if (dump->checksum_disabled)
        add(verdict, (struct dump_problem){FINDING_DUMP_CHECKSUM_DISABLED, false, dump->checksum,
                                           "the CRC-64 of the dump", "0, as rdbchecksum no leaves it", "no-checksum", {0}});
    for (size_t i = 0; i < verdict->count && verdict->state != DUMP_UNREADABLE; i++)
        if (verdict->problems[i].finding == FINDING_DUMP_UNSUPPORTED && verdict->state == DUMP_OK)
            verdict->state = DUMP_UNSUPPORTED;
        else if (verdict->problems[i].finding != FINDING_DUMP_UNSUPPORTED &&
                 finding_severity(verdict->problems[i].finding) == SEVERITY_ERROR)
            verdict->state = DUMP_DAMAGED;
    /* A stop that was got over stands among the defects, with what was lost by it. */
    enum rdb_stop stop = dump->losses ? dump->last_stop : dump->stop;
    if (stops[stop].expected)
        add(verdict, (struct dump_problem){stops[stop].finding, true,
                                           {.offset = dump->losses ? dump->last_stopped_at : dump->stopped_at},
                                           stops[stop].expected, dump->losses ? dump->last_why : dump->why, "stop",
                                           dump->losses ? dump->last_stopped_key : dump->stopped_key});
    return true;
}

const char *dump_state_word(enum dump_state state)
{
    static const char *const words[DUMP_STATES] = {
        [DUMP_OK] = "ok",
        [DUMP_DAMAGED] = "damaged",
        [DUMP_UNSUPPORTED] = "unsupported",
        [DUMP_UNREADABLE] = "unreadable",
    };
    return words[state];
}

const char *dump_checksum_word(const struct dump *dump)
{
    if (dump->has_checksum)
        return dump->stored_checksum == dump->computed_checksum ? "valid" : "mismatch";
    if (dump->checksum_disabled)
        return "disabled";
    return (dump->losses ? dump->last_stop : dump->stop) == RDB_STOP_NONE ? "none" : "unread";
}
