#include "tools/evidence/condition.h"

#include <inttypes.h>

static const char *at_place(const struct evidence *evidence, const struct place *place, const char *expected,
                            const char *found)
{
    if (place->line)
        return arena_format(evidence->arena, "line %" PRIu32 ": %s, expected %s", place->line, found, expected);
    return arena_format(evidence->arena, "offset %" PRIu64 ": %s, expected %s", place->offset, found, expected);
}

/* A capture may stand among a terminal's other lines, so only a saved file can be damaged. */
static enum completeness view_condition(const struct evidence *evidence, const struct view *view, const char **why)
{
    if (view->capture)
        return CONDITION_UNKNOWN;
    if (view->defect_count)
        *why = at_place(evidence, &view->defects[0].place, view->defects[0].expected, view->defects[0].found);
    else if (!view->has_vars)
        *why = "the line of variables is missing";
    return *why ? CONDITION_DAMAGED : CONDITION_WHOLE;
}

static enum completeness dump_condition(const struct evidence *evidence, const struct dump *dump, const char **why)
{
    if (dump->whole)
        return CONDITION_WHOLE;
    bool newer = false, damaged = dump->stop != RDB_STOP_NONE && dump->stop != RDB_STOP_UNSUPPORTED;
    *why = dump->why ? arena_format(evidence->arena, "%s (offset %" PRIu64 ")", dump->why, dump->stopped_at) : NULL;
    for (size_t i = 0; i < dump->defect_count; i++) {
        const struct dump_defect *defect = &dump->defects[i];
        newer |= defect->code == RDB_NEWER_VERSION;
        damaged |= rdb_defect_is_corruption(defect->code);
        if (!*why)
            *why = at_place(evidence, &defect->place, defect->expected, defect->found);
    }
    return damaged || (dump->stop == RDB_STOP_NONE && !newer) ? CONDITION_DAMAGED : CONDITION_UNKNOWN;
}

static enum completeness journal_condition(const struct evidence *evidence, const struct journal *journal,
                                           const char **why)
{
    if (journal->stop != AOF_STOP_NONE) {
        *why = journal->why;
        return CONDITION_DAMAGED;
    }
    if (journal->open_transaction) {
        *why = arena_format(evidence->arena, "it ends inside a transaction, which began at %" PRIu64, journal->multi.offset);
        return CONDITION_DAMAGED;
    }
    return journal->preamble ? dump_condition(evidence, journal->preamble, why) : CONDITION_WHOLE;
}

enum completeness condition_of(const struct evidence *evidence, size_t number, const char **why)
{
    const struct evidence_file *file = &evidence->files[number];
    *why = NULL;
    if (file->view)
        return view_condition(evidence, file->view, why);
    if (file->dump)
        return dump_condition(evidence, file->dump, why);
    if (file->journal)
        return journal_condition(evidence, file->journal, why);
    if (file->manifest) {
        *why = file->manifest->error;
        return *why ? CONDITION_DAMAGED : CONDITION_WHOLE;
    }
    if (file->settings) {
        if (file->settings->damaged_lines)
            *why = at_place(evidence, &file->settings->first_damage, "what a server can read",
                            "quotes without end, a byte order mark or NUL bytes");
        return *why ? CONDITION_DAMAGED : CONDITION_WHOLE;
    }
    return CONDITION_UNKNOWN;
}

struct grammar {
    struct server oldest;
    const char *words, *basis;
};

static struct grammar grammar_of(const struct view *view)
{
    const struct {
        bool holds;
        struct grammar grammar;
    } rules[] = {
#define RULE(holds, product, major, minor, words) \
    {holds, {{product, major, minor, 0}, words, "nodes.conf grammar (" words ")"}}
        RULE(view->any_client_port, PRODUCT_VALKEY, 9, 0, "Valkey 9.0 or newer"),
        RULE(view->any_client_address, PRODUCT_VALKEY, 8, 0, "Valkey 8.0 or newer"),
        RULE(view->any_aux, PRODUCT_UNKNOWN, 7, 2, "7.2 or newer"),
        RULE(view->any_hostname, PRODUCT_UNKNOWN, 7, 0, "7.0 or newer"),
        RULE(view->any_bus_port, PRODUCT_UNKNOWN, 4, 0, "4.0 or newer"),
        RULE(view->count > 0, PRODUCT_REDIS, 3, 0, "before 4.0"),
#undef RULE
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (rules[i].holds)
            return rules[i].grammar;
    return (struct grammar){0};
}

struct server condition_grammar(const struct view *view, const char **basis)
{
    struct grammar grammar = grammar_of(view);
    *basis = grammar.basis;
    return grammar.oldest;
}

static const char *dump_version(const struct evidence *evidence, const struct dump *dump)
{
    char name[40];
    if (!dump->version)
        return NULL;
    const char *magic = dump->valkey_magic ? "Valkey RDB" : "RDB";
    if (!dump->writer.product)
        return arena_format(evidence->arena, "%s %" PRIu32, magic, dump->version);
    return arena_format(evidence->arena, "%s %" PRIu32 ", %s", magic, dump->version, server_name(dump->writer, name));
}

const char *condition_version(const struct evidence *evidence, size_t number)
{
    const struct evidence_file *file = &evidence->files[number];
    char name[40];
    if (file->dump)
        return dump_version(evidence, file->dump);
    if (file->journal)
        return file->journal->preamble ? dump_version(evidence, file->journal->preamble) : NULL;
    if (file->logbook && file->logbook->server.product)
        return arena_string(evidence->arena, server_name(file->logbook->server, name));
    return file->view ? grammar_of(file->view).words : NULL;
}
