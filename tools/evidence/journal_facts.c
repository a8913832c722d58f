/* What is told of an append-only file beside the keys that it leaves: which commands, when, and what is wrong. */
#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "tools/evidence/journal_private.h"

static void mark(struct journal_mark *mark, struct place place, const char *what)
{
    if (mark->count++)
        return;
    mark->first = place;
    mark->what = what;
}

/* Of the commands that are made of several and that servers write into an AOF. From 7.0 on an unknown one stops a load;
 * what later versions have added is not known here, so it may be theirs. */
static bool has_known_part(const struct aof_item *item)
{
    static const char *const function[] = {"load", "delete", "flush", "restore", "dump", "help", "kill", "list", "stats", NULL},
                            *const script[] = {"load", "flush", "debug", "exists", "help", "kill", "show", NULL},
                            *const xgroup[] = {"create", "createconsumer", "delconsumer", "destroy", "help", "setid", NULL};
    enum aof_command_id id = item->command->id;
    const char *const *parts = id == AOF_COMMAND_FUNCTION ? function : id == AOF_COMMAND_SCRIPT ? script : id == AOF_COMMAND_XGROUP ? xgroup : NULL;
    bool known = !parts;
    for (; !known && *parts; parts++)
        known = journal_argument_is(item, 1, *parts);
    return known;
}

static void note_name(struct journal *journal, const struct aof_item *item)
{
    if (!item->command) {
        bool of_module = item->kept && item->arguments[0].len && memchr(item->arguments[0].at, '.', item->arguments[0].len);
        mark(&journal->unnamed, item->place, of_module ? "a module's" : NULL);
        return;
    }
    if (aof_command_lacks_words(item->command, item->argument_count))
        mark(&journal->short_of_words, item->place, item->command->name);
    else if (!has_known_part(item))
        mark(&journal->subcommands, item->place, item->command->name);
}

/* The slots of keys; those that a command only takes away count too, but for those of a command that makes none. */
static void note_slots(struct replay *replay, const struct aof_item *item)
{
    struct journal *journal = replay->journal;
    struct aof_key_walk walk = aof_keys_of(item);
    struct bytes key;
    bool whole;
    uint8_t *slots = replay->slots;
    while (aof_key_next(&walk, &key, &whole)) {
        unsigned slot = keyslot(key);
        /* A tag that is whole decides, however long the key is. */
        if (whole)
            slots[slot / 8] |= (uint8_t)(1u << slot % 8);
        else
            journal->slots_unread = true;
    }
    journal->slots_unread |= walk.unread;
}

static void note_transaction(struct replay *replay, const struct aof_item *item)
{
    bool multi = item->command->id == AOF_COMMAND_MULTI;
    if (multi == replay->in_multi)
        mark(&replay->journal->nested, item->place, item->command->name);
    else if (!multi)
        replay->journal->transactions++;
}

static void note_payload(struct journal *journal, const struct aof_item *item, bool functions)
{
    size_t at = functions ? 2 : 3;
    const char *why;
    if (item->argument_count <= at || item->arguments[at].len != item->argument_lengths[at])
        return;
    journal->restores++;
    if (!journal_payload_is_sound(item->arguments[at], functions, &why))
        mark(&journal->unsound_payload, item->place, why);
}

bool journal_note_command(struct replay *replay, const struct aof_item *item)
{
    struct journal *journal = replay->journal;
    if (!replay->uses)
        replay->uses = arena_array(replay->arena, AOF_COMMANDS, sizeof(*replay->uses));
    if (!replay->slots)
        replay->slots = arena_alloc(replay->arena, SLOT_COUNT / 8);
    if (!replay->uses || !replay->slots)
        return false;
    note_name(journal, item);
    if (!item->command) {
        journal->slots_unread = true;
        return true;
    }
    struct journal_use *use = &replay->uses[item->command->id];
    if (!use->count++)
        use->first = item->place;
    enum aof_command_id id = item->command->id;
    if (id == AOF_COMMAND_MULTI || id == AOF_COMMAND_EXEC)
        note_transaction(replay, item);
    else if (id == AOF_COMMAND_RESTORE || id == AOF_COMMAND_RESTORE_ASKING)
        note_payload(journal, item, false);
    else if (id == AOF_COMMAND_FUNCTION && journal_argument_is(item, 1, "restore"))
        note_payload(journal, item, true);
    else if (id == AOF_COMMAND_SELECT && !journal_argument_is(item, 1, "0"))
        mark(&journal->other_dbs, item->place, NULL);
    if (journal_may_make_keys(item->command))
        note_slots(replay, item);
    return true;
}

void journal_note_annotation(struct replay *replay, const struct aof_item *item)
{
    struct journal *journal = replay->journal;
    int64_t seconds;
    mark(&journal->annotations, item->place, NULL);
    if (!text_starts(item->text, "TS:") || !text_i64(text_from(item->text, 3), &seconds))
        return;
    if (!journal->has_time) {
        journal->first_time_s = seconds;
        journal->first_time = item->place;
    } else if (seconds < journal->last_time_s) {
        mark(&journal->time_back, item->place, NULL);
    }
    journal->has_time = true;
    journal->last_time_s = seconds;
    journal->last_time = item->place;
}

void journal_note_odd(struct replay *replay, const struct damage *damage)
{
    if (!replay->journal->odd.count)
        replay->journal->first_odd = *damage;
    mark(&replay->journal->odd, damage->place, NULL);
}

/* The commands that were met, those alone. */
bool journal_note_end(struct replay *replay)
{
    struct journal *journal = replay->journal;
    journal->slots = replay->slots;
    for (size_t id = 0; replay->uses && id < AOF_COMMANDS; id++) {
        if (!replay->uses[id].count)
            continue;
        replay->uses[journal->use_count] = replay->uses[id];
        replay->uses[journal->use_count++].command = aof_command_of((enum aof_command_id)id);
    }
    journal->uses = replay->uses;
    if (!journal->slots)
        journal->slots = arena_alloc(replay->arena, SLOT_COUNT / 8);
    return journal->slots;
}
