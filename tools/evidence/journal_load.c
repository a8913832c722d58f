#include "tools/evidence/journal_load.h"

#include <string.h>

static bool is_below(struct server server, unsigned major, unsigned minor, unsigned patch)
{
    return server.product != PRODUCT_UNKNOWN && server_compare(server, major, minor, patch) < 0;
}

/* The earliest place decides: a server comes to no other. */
static void decide(struct journal_load *load, enum journal_outcome outcome, struct place place, const char *why)
{
    if (load->outcome != JOURNAL_LOADS && load->place.offset <= place.offset)
        return;
    *load = (struct journal_load){outcome, why, place, 0};
}

static bool has_command(struct server server, const struct aof_command *command)
{
    unsigned since = server.product == PRODUCT_VALKEY ? command->valkey : command->redis;
    if (server.product == PRODUCT_UNKNOWN || since == 0)
        return true;
    return since != AOF_NEVER && server_compare(server, since / 100, since % 100, 0) >= 0;
}

static void judge_commands(struct arena *arena, const struct journal *journal, struct server server,
                           struct journal_load *load)
{
    for (size_t i = 0; i < journal->use_count; i++) {
        const struct journal_use *use = &journal->uses[i];
        if (!has_command(server, use->command))
            decide(load, JOURNAL_REFUSES, use->first,
                   arena_format(arena, "%s is a command that it does not have", use->command->name));
        if (use->command->id == AOF_COMMAND_DISCARD)
            decide(load, JOURNAL_CRASHES, use->first, "discard, which no server writes, can crash it");
    }
    if (journal->unnamed.count && journal->unnamed.what)
        decide(load, JOURNAL_UNSURE, journal->unnamed.first, "a command that only a module can give it");
    else if (journal->unnamed.count)
        decide(load, JOURNAL_REFUSES, journal->unnamed.first,
               "a command that no version known here has, nor rename-command explains");
    if (journal->subcommands.count && !is_below(server, 7, 0, 0))
        decide(load, JOURNAL_REFUSES, journal->subcommands.first,
               arena_format(arena, "%s with an unknown second word", journal->subcommands.what));
    if (journal->short_of_words.count)
        decide(load, JOURNAL_CRASHES, journal->short_of_words.first,
               arena_format(arena, "%s with too few words, which nothing checks, can crash it",
                            journal->short_of_words.what));
}

static void judge_end(const struct journal *journal, struct server server, struct journal_load *load)
{
    struct place stop = {.offset = journal->stopped_at};
    struct place cut = {.offset = journal->valid_to};
    if (journal->stop == AOF_STOP_FORMAT || journal->stop == AOF_STOP_RDB)
        decide(load, JOURNAL_REFUSES, stop, journal->why);
    else if (journal->stop == AOF_STOP_TRUNCATED)
        decide(load, JOURNAL_CUTS, stop, "the file ends inside a command");
    else if (journal->stop == AOF_STOP_NONE && journal->open_transaction && !is_below(server, 4, 0, 12))
        decide(load, JOURNAL_CUTS, stop, "the file ends inside a transaction");
    else if (journal->stop == AOF_STOP_READ || journal->stop == AOF_STOP_MEMORY)
        decide(load, JOURNAL_UNSURE, stop, journal->why);
    load->cut_to = cut.offset;
}

struct journal_load journal_load_by(struct arena *arena, const struct journal *journal, struct server server)
{
    struct journal_load load = {.outcome = JOURNAL_LOADS};
    bool has_dump = journal->preamble || journal->stop == AOF_STOP_RDB;
    if (has_dump && is_below(server, 4, 0, 0))
        decide(&load, JOURNAL_REFUSES, (struct place){0}, "servers before 4.0 read no dump inside an AOF");
    if (journal->annotations.count && is_below(server, 7, 0, 0))
        decide(&load, JOURNAL_REFUSES, journal->annotations.first, "servers before 7.0 read no annotations");
    judge_commands(arena, journal, server, &load);
    judge_end(journal, server, &load);
    return load;
}

const char *journal_outcome_word(enum journal_outcome outcome)
{
    static const char *const words[] = {"loads", "cuts", "may crash", "unsure", "refuses"};
    return words[outcome];
}

static const struct loading_server {
    const char *name;
    struct server server;
} servers[] = {
    {"Redis 3.0 to 3.2", {PRODUCT_REDIS, 3, 2, 99}}, {"Redis 4.0 up to 4.0.11", {PRODUCT_REDIS, 4, 0, 11}},
    {"Redis 4.0.12 and newer", {PRODUCT_REDIS, 4, 0, 99}}, {"Redis 5.0", {PRODUCT_REDIS, 5, 0, 99}},
    {"Redis 6.0", {PRODUCT_REDIS, 6, 0, 99}}, {"Redis 6.2", {PRODUCT_REDIS, 6, 2, 99}},
    {"Redis 7.0", {PRODUCT_REDIS, 7, 0, 99}}, {"Redis 7.2", {PRODUCT_REDIS, 7, 2, 99}},
    {"Redis 7.4", {PRODUCT_REDIS, 7, 4, 99}}, {"Redis 8.0", {PRODUCT_REDIS, 8, 0, 99}},
    {"Redis 8.2", {PRODUCT_REDIS, 8, 2, 99}}, {"Redis 8.4", {PRODUCT_REDIS, 8, 4, 99}},
    {"Redis 8.6", {PRODUCT_REDIS, 8, 6, 99}}, {"Valkey 7.2", {PRODUCT_VALKEY, 7, 2, 99}},
    {"Valkey 8.0", {PRODUCT_VALKEY, 8, 0, 99}}, {"Valkey 8.1", {PRODUCT_VALKEY, 8, 1, 99}},
    {"Valkey 9.0", {PRODUCT_VALKEY, 9, 0, 99}}, {"Valkey 9.1", {PRODUCT_VALKEY, 9, 1, 99}},
    {"Valkey 9.2", {PRODUCT_VALKEY, 9, 2, 99}},
};

enum { SERVERS = sizeof(servers) / sizeof(*servers) };

static const char *describe(struct arena *arena, const struct journal_load *load)
{
    const char *word = journal_outcome_word(load->outcome);
    if (load->outcome == JOURNAL_LOADS)
        return word;
    if (load->outcome == JOURNAL_CUTS)
        return arena_format(arena, "cuts it to %llu bytes", (unsigned long long)load->cut_to);
    return arena_format(arena, "%s at offset %llu (%s)", word, (unsigned long long)load->place.offset,
                        load->why ? load->why : "");
}

const char *journal_load_table(struct arena *arena, const struct journal *journal)
{
    const char *texts[SERVERS], *table = NULL;
    bool all_load = true;
    for (size_t i = 0; i < SERVERS; i++) {
        struct journal_load load = journal_load_by(arena, journal, servers[i].server);
        all_load &= load.outcome == JOURNAL_LOADS;
        texts[i] = describe(arena, &load);
        if (!texts[i])
            return NULL;
    }
    for (size_t from = 0, to; !all_load && from < SERVERS; from = to) {
        for (to = from + 1; to < SERVERS && strcmp(texts[to], texts[from]) == 0; to++)
            continue;
        const char *names = to == from + 1 ? servers[from].name
                                           : arena_format(arena, "%s to %s", servers[from].name, servers[to - 1].name);
        table = from == 0 && to == SERVERS ? arena_format(arena, "every server %s", texts[from])
                : table ? arena_format(arena, "%s; %s: %s", table, names, texts[from])
                        : arena_format(arena, "%s: %s", names, texts[from]);
        if (!table)
            return NULL;
    }
    return table;
}
