/* What the commands of an append-only file leave behind: a bound for each database. */
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "tools/evidence/journal_private.h"

bool journal_argument_is(const struct aof_item *item, size_t number, const char *word)
{
    return number < item->kept && item->argument_lengths[number] == item->arguments[number].len &&
           text_is_nocase(item->arguments[number], word);
}

/* The number of a database that is told apart, in the one form that every server takes: no leading zeros. */
static bool argument_db(const struct aof_item *item, size_t number, uint32_t *db)
{
    uint64_t value;
    if (number >= item->kept || !text_u64(item->arguments[number], &value) || value >= JOURNAL_DBS ||
        item->argument_lengths[number] != (value < 10 ? 1 : 2))
        return false;
    *db = (uint32_t)value;
    return true;
}

bool journal_server_is(const struct replay *replay, unsigned major, unsigned minor, unsigned patch)
{
    return replay->server.product != PRODUCT_UNKNOWN && server_compare(replay->server, major, minor, patch) >= 0;
}

/* A cluster of one database: Valkey 9 has several. */
static bool has_one_db(const struct replay *replay)
{
    return replay->cluster && (replay->server.product == PRODUCT_REDIS ||
                               (replay->server.product == PRODUCT_VALKEY && !journal_server_is(replay, 9, 0, 0)));
}

static void may_make(struct holder *holder, struct place place, const char *command)
{
    if (holder->may_hold_keys)
        return;
    holder->may_hold_keys = true;
    holder->first = place;
    holder->command = command;
}

static void may_make_anywhere(struct state *state, struct place place, const char *command)
{
    if (state->all_unknown)
        return;
    state->all_unknown = true;
    state->unknown = place;
    state->unknown_command = command;
}

/* What any database holds may now be in any other. */
static void may_move_anywhere(struct state *state, struct place place, const char *command)
{
    uint32_t keeps = state->other_keeps;
    bool any_keys = false;
    for (size_t db = 0; db < JOURNAL_DBS; db++) {
        keeps |= state->dbs[db].keeps;
        any_keys |= state->dbs[db].may_hold_keys;
    }
    for (size_t db = 0; db < JOURNAL_DBS; db++)
        state->dbs[db].keeps = keeps;
    state->other_keeps = keeps;
    if (any_keys)
        may_make_anywhere(state, place, command);
}

static void effect_HERE(struct replay *replay)
{
    struct state *state = &replay->state;
    if (state->selected_unknown)
        may_make_anywhere(state, replay->item->place, replay->name);
    else
        may_make(&state->dbs[state->selected], replay->item->place, replay->name);
}

static void effect_ANYWHERE(struct replay *replay)
{
    may_make_anywhere(&replay->state, replay->item->place, replay->name);
}

/* A flush alone, or with an argument that the server is known to understand. */
static bool is_flush(const struct replay *replay)
{
    const struct aof_item *item = replay->item;
    return item->argument_count == 1 ||
           (item->argument_count == 2 && journal_argument_is(item, 1, "async") && journal_server_is(replay, 4, 0, 0)) ||
           (item->argument_count == 2 && journal_argument_is(item, 1, "sync") && journal_server_is(replay, 6, 2, 0));
}

static void effect_FLUSHALL(struct replay *replay)
{
    struct state *state = &replay->state;
    if (!is_flush(replay))
        return;
    for (size_t db = 0; db < JOURNAL_DBS; db++)
        state->dbs[db] = (struct holder){0};
    /* In a transaction it may still be revoked. */
    if (!replay->in_multi)
        memset(replay->slots, 0, SLOT_COUNT / 8);
    state->other_keeps = 0;
    state->empties_all = true;
    state->all_unknown = false;
}

static void effect_FLUSHDB(struct replay *replay)
{
    struct state *state = &replay->state;
    if (!state->selected_unknown && is_flush(replay))
        state->dbs[state->selected] = (struct holder){0};
}

/* A SELECT that fails is ignored: the commands behind it go to the database before it. */
static void effect_SELECT(struct replay *replay)
{
    struct state *state = &replay->state;
    uint32_t db;
    if (has_one_db(replay))
        return;
    state->selected_unknown = replay->item->argument_count != 2 || !argument_db(replay->item, 1, &db) ||
                              (db && replay->cluster);
    if (!state->selected_unknown)
        state->selected = db;
}

static void effect_SWAPDB(struct replay *replay)
{
    struct state *state = &replay->state;
    uint32_t a, b;
    if (has_one_db(replay))
        return;
    if (replay->cluster || replay->item->argument_count != 3 || !argument_db(replay->item, 1, &a) ||
        !argument_db(replay->item, 2, &b)) {
        may_move_anywhere(state, replay->item->place, replay->name);
        return;
    }
    struct holder held = state->dbs[a];
    state->dbs[a] = state->dbs[b];
    state->dbs[b] = held;
}

/* A MULTI within a transaction and an EXEC without one are errors without effect. */
static void effect_MULTI(struct replay *replay)
{
    if (!replay->in_multi) {
        replay->before_multi = replay->state;
        replay->journal->multi = replay->item->place;
    }
    replay->in_multi = true;
}

static void effect_EXEC(struct replay *replay)
{
    replay->in_multi = false;
}

static void effect_FUNCTION(struct replay *replay)
{
    if (journal_argument_is(replay->item, 1, "flush"))
        replay->state.functions = 0;
    else if (journal_argument_is(replay->item, 1, "load") || journal_argument_is(replay->item, 1, "restore"))
        replay->state.functions++;
}

#define effect_NOTHING NULL
#define effect_KEEP NULL

/* NULL: makes no key anywhere. A command that is not listed and changes nothing makes none either. */
static void (*const effects[AOF_COMMANDS])(struct replay *replay) = {
#define JOURNAL_COMMAND(id, kind) [AOF_COMMAND_##id] = effect_##kind,
#include "tools/evidence/journal_commands.def"
#undef JOURNAL_COMMAND
};

bool journal_only_reads(const struct aof_command *command)
{
    return !effects[command->id] && !command->writes;
}

bool journal_may_make_keys(const struct aof_command *command)
{
    return effects[command->id] == effect_HERE || effects[command->id] == effect_ANYWHERE;
}

void journal_apply(struct replay *replay, const struct aof_item *item)
{
    void (*apply)(struct replay *replay) = item->command ? effects[item->command->id] : effect_ANYWHERE;
    replay->item = item;
    replay->name = item->command ? item->command->name : "a command that is not known here";
    if (apply)
        apply(replay);
}

void journal_apply_dump_item(struct replay *replay, const struct rdb_item *item)
{
    if (item->kind == RDB_KEY && item->key.db < JOURNAL_DBS)
        may_make(&replay->state.dbs[item->key.db], item->place, "RDB");
    else if (item->kind == RDB_KEY)
        may_make_anywhere(&replay->state, item->place, "RDB");
}

/* What may be true after either state. */
static void join_states(struct state *state, const struct state *other)
{
    for (size_t db = 0; db < JOURNAL_DBS; db++) {
        if (other->dbs[db].may_hold_keys)
            may_make(&state->dbs[db], other->dbs[db].first, other->dbs[db].command);
        state->dbs[db].keeps |= other->dbs[db].keeps;
    }
    if (other->all_unknown)
        may_make_anywhere(state, other->unknown, other->unknown_command);
    state->other_keeps |= other->other_keeps;
    state->empties_all &= other->empties_all;
    if (state->functions < other->functions)
        state->functions = other->functions;
}

/* A transaction without its EXEC. */
void journal_end_transaction(struct replay *replay)
{
    if (!replay->in_multi)
        return;
    replay->journal->open_transaction = true;
    if (journal_server_is(replay, 4, 0, 12))
        replay->state = replay->before_multi;
    else if (replay->server.product == PRODUCT_UNKNOWN)
        join_states(&replay->state, &replay->before_multi);
}
