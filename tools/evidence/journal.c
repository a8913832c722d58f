#include "tools/evidence/journal_private.h"

/* One item of the preamble, or the reader's damage when `item` is NULL. */
static bool apply_preamble(struct replay *replay, const struct rdb_item *item, const struct aof *reader)
{
    if (!replay->preamble)
        replay->preamble = dump_builder_new(replay->arena, replay->journal->file);
    if (!replay->preamble)
        return false;
    if (!item)
        return dump_builder_damage(replay->preamble, aof_damage(reader), aof_damage_key(reader), -1);
    journal_apply_dump_item(replay, item);
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

static bool apply_command(struct replay *replay, const struct aof_item *item)
{
    replay->journal->commands++;
    if (item->command && item->command->id == AOF_COMMAND_MULTI)
        replay->valid_before_multi = replay->valid_to;
    if (!journal_note_command(replay, item))
        return false;
    journal_apply(replay, item);
    replay->valid_to = item->place.offset + item->place.length;
    return true;
}

static bool replay_item(struct replay *replay, const struct aof *reader, const struct aof_item *item)
{
    if (item->kind == AOF_RDB)
        return apply_preamble(replay, &item->rdb, reader);
    if (!end_preamble(replay, RDB_STOP_NONE, NULL, aof_complete_to(reader)))
        return false;
    if (item->kind == AOF_COMMAND)
        return apply_command(replay, item);
    journal_note_annotation(replay, item);
    return true;
}

static bool replay_damage(struct replay *replay, const struct aof *reader)
{
    if (aof_in_preamble(reader))
        return apply_preamble(replay, NULL, reader);
    journal_note_odd(replay, aof_damage(reader));
    return true;
}

static bool replay_all(struct replay *replay, struct aof *reader)
{
    struct aof_item item;
    enum parse_step step;
    while ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)
        if (!(step == PARSE_ITEM ? replay_item(replay, reader, &item) : replay_damage(replay, reader)))
            return false;
    struct journal *journal = replay->journal;
    journal->stop = aof_stop(reader);
    journal->why = step == PARSE_STOP ? arena_string(replay->arena, aof_why(reader)) : NULL;
    journal->stopped_at = aof_offset(reader);
    journal->complete_to = aof_complete_to(reader);
    enum rdb_stop stop = journal->stop == AOF_STOP_RDB ? aof_rdb_stop(reader) : RDB_STOP_NONE;
    if (!end_preamble(replay, stop, aof_why(reader), journal->stopped_at))
        return false;
    journal_end_transaction(replay);
    bool reverts = journal->open_transaction && journal->stop == AOF_STOP_NONE;
    journal->valid_to = reverts ? replay->valid_before_multi : replay->valid_to;
    return journal_note_end(replay) && conclude(replay);
}

struct journal *journal_read(struct arena *arena, struct source *source, size_t file, bool cluster,
                             struct server server)
{
    struct journal *journal = arena_alloc(arena, sizeof(*journal));
    struct aof *reader = aof_open(source, RDB_CHECK_VALUES);
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
