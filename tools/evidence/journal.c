#include "tools/evidence/journal.h"

#include "parsers/bytes/text.h"

/* What can be said of a database: nothing has made a key in it, or the first thing that may have. */
struct holder {
    bool may_hold_keys;
    struct place first;
    const char *command;
    uint32_t keeps; /* databases whose content from before the file may be here */
};

/* The state of a server that replays the file. MULTI takes a copy to return to. */
struct state {
    struct holder dbs[JOURNAL_DBS];
    uint32_t other_keeps; /* JOURNAL_OTHERS until a whole-server flush */
    uint32_t selected;
    bool selected_unknown; /* a SELECT of which nobody knows whether it succeeded */
    bool empties_all;
    bool all_unknown;
    struct place unknown;
    const char *unknown_command;
    uint64_t functions;
};

struct replay {
    struct arena *arena;
    struct journal *journal;
    struct dump_builder *preamble; /* NULL before the first item of one */
    struct server server;
    bool cluster;
    struct state state, before_multi;
    bool in_multi;
    const struct aof_item *item; /* the command that is replayed */
    const char *name;            /* in static memory */
};

static bool argument_is(const struct aof_item *item, size_t number, const char *word)
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

static bool server_is(const struct replay *replay, unsigned major, unsigned minor, unsigned patch)
{
    return replay->server.product != PRODUCT_UNKNOWN && server_compare(replay->server, major, minor, patch) >= 0;
}

/* A cluster of one database: Valkey 9 has several. */
static bool has_one_db(const struct replay *replay)
{
    return replay->cluster && (replay->server.product == PRODUCT_REDIS ||
                               (replay->server.product == PRODUCT_VALKEY && !server_is(replay, 9, 0, 0)));
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
           (item->argument_count == 2 && argument_is(item, 1, "async") && server_is(replay, 4, 0, 0)) ||
           (item->argument_count == 2 && argument_is(item, 1, "sync") && server_is(replay, 6, 2, 0));
}

static void effect_FLUSHALL(struct replay *replay)
{
    struct state *state = &replay->state;
    if (!is_flush(replay))
        return;
    for (size_t db = 0; db < JOURNAL_DBS; db++)
        state->dbs[db] = (struct holder){0};
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
    if (!replay->in_multi)
        replay->before_multi = replay->state;
    replay->in_multi = true;
}

static void effect_EXEC(struct replay *replay)
{
    replay->in_multi = false;
}

static void effect_FUNCTION(struct replay *replay)
{
    if (argument_is(replay->item, 1, "flush"))
        replay->state.functions = 0;
    else if (argument_is(replay->item, 1, "load") || argument_is(replay->item, 1, "restore"))
        replay->state.functions++;
}

#define effect_NOTHING NULL
#define effect_KEEP NULL

static const struct command {
    const char *name;
    void (*apply)(struct replay *replay); /* NULL: makes no key anywhere */
} commands[] = {
#define JOURNAL_COMMAND(name, kind) {name, effect_##kind},
#include "tools/evidence/journal_commands.def"
#undef JOURNAL_COMMAND
};

/* As strcmp() of the word in lower case and the name. */
static int compare_name(struct bytes word, const char *name)
{
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.at[i] >= 'A' && word.at[i] <= 'Z' ? (uint8_t)(word.at[i] + 32) : word.at[i];
        if (c != (uint8_t)name[i] || !name[i])
            return c < (uint8_t)name[i] ? -1 : 1;
    }
    return name[word.len] ? -1 : 0;
}

static const struct command *find_command(struct bytes word)
{
    size_t low = 0, high = sizeof(commands) / sizeof(*commands);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_name(word, commands[middle].name);
        if (order == 0)
            return &commands[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void apply_command(struct replay *replay, const struct aof_item *item)
{
    static const struct command unknown = {"a command that is not known here", effect_ANYWHERE};
    const struct command *command = item->kept ? find_command(item->arguments[0]) : NULL;
    if (!command)
        command = &unknown;
    replay->journal->commands++;
    replay->item = item;
    replay->name = command->name;
    if (command->apply)
        command->apply(replay);
}

/* One item of the preamble, or its damage when `item` is NULL. */
static bool apply_preamble(struct replay *replay, const struct rdb_item *item, const struct damage *damage)
{
    if (!replay->preamble)
        replay->preamble = dump_builder_new(replay->arena, replay->journal->file);
    if (!replay->preamble)
        return false;
    if (!item)
        return dump_builder_damage(replay->preamble, damage, (struct bytes){0}, -1);
    if (item->kind == RDB_KEY && item->key.db < JOURNAL_DBS)
        may_make(&replay->state.dbs[item->key.db], item->place, "RDB");
    else if (item->kind == RDB_KEY)
        may_make_anywhere(&replay->state, item->place, "RDB");
    return dump_builder_item(replay->preamble, item);
}

/* The dump is done when the first command comes or the file ends. */
static bool end_preamble(struct replay *replay, enum rdb_stop stop, const char *why, uint64_t offset)
{
    if (!replay->preamble || replay->journal->preamble)
        return true;
    const struct dump *dump = dump_builder_done(replay->preamble, stop, why, offset);
    replay->journal->preamble = dump;
    if (dump && replay->server.product == PRODUCT_UNKNOWN)
        replay->server = dump->writer;
    return dump;
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
static void end_transaction(struct replay *replay)
{
    if (!replay->in_multi)
        return;
    replay->journal->open_transaction = true;
    if (server_is(replay, 4, 0, 12))
        replay->state = replay->before_multi;
    else if (replay->server.product == PRODUCT_UNKNOWN)
        join_states(&replay->state, &replay->before_multi);
}

static bool conclude(struct replay *replay)
{
    const struct state *state = &replay->state;
    struct journal *journal = replay->journal;
    struct journal_db *dbs = arena_array(replay->arena, JOURNAL_DBS, sizeof(*dbs));
    if (!dbs)
        return false;
    journal->keeps = state->other_keeps;
    for (uint32_t db = 0; db < JOURNAL_DBS; db++) {
        const struct holder *holder = &state->dbs[db];
        journal->keeps |= holder->keeps;
        if (holder->may_hold_keys)
            dbs[journal->db_count++] = (struct journal_db){db, true, holder->first, holder->command};
    }
    journal->dbs = dbs;
    journal->empties_all = state->empties_all;
    journal->all_unknown = state->all_unknown;
    journal->unknown = state->unknown;
    journal->unknown_command = state->all_unknown ? state->unknown_command : NULL;
    journal->function_commands = state->functions;
    return true;
}

static bool replay_item(struct replay *replay, const struct aof *reader, const struct aof_item *item)
{
    if (item->kind == AOF_RDB)
        return apply_preamble(replay, &item->rdb, NULL);
    if (!end_preamble(replay, RDB_STOP_NONE, NULL, aof_complete_to(reader)))
        return false;
    if (item->kind == AOF_COMMAND)
        apply_command(replay, item);
    return true;
}

static bool replay_all(struct replay *replay, struct aof *reader)
{
    struct aof_item item;
    enum parse_step step;
    while ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)
        if (!(step == PARSE_ITEM ? replay_item(replay, reader, &item)
                                 : apply_preamble(replay, NULL, aof_damage(reader))))
            return false;
    struct journal *journal = replay->journal;
    journal->stop = aof_stop(reader);
    journal->why = step == PARSE_STOP ? arena_string(replay->arena, aof_why(reader)) : NULL;
    journal->complete_to = aof_complete_to(reader);
    enum rdb_stop stop = journal->stop == AOF_STOP_RDB ? aof_rdb_stop(reader) : RDB_STOP_NONE;
    if (!end_preamble(replay, stop, aof_why(reader), journal->complete_to))
        return false;
    end_transaction(replay);
    return conclude(replay);
}

struct journal *journal_read(struct arena *arena, struct source *source, size_t file, bool cluster,
                             struct server server)
{
    struct journal *journal = arena_alloc(arena, sizeof(*journal));
    struct aof *reader = aof_open(source);
    bool done = false;
    if (journal && reader) {
        journal->file = file;
        struct replay replay = {.arena = arena, .journal = journal, .server = server, .cluster = cluster};
        replay.state.other_keeps = JOURNAL_OTHERS;
        for (uint32_t db = 0; db < JOURNAL_DBS; db++)
            replay.state.dbs[db].keeps = UINT32_C(1) << db;
        done = replay_all(&replay, reader);
    }
    aof_close(reader);
    return done && !arena_failed(arena) ? journal : NULL;
}
