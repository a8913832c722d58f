/* Loading the files of an AOF, one after the other. */
#include <string.h>

#include "tools/cluster/remains.h"
#include "tools/cluster/start_private.h"
#include "tools/evidence/journal_load.h"

/* A cut at the end is cut off, in the last file of all and if the configuration allows it. */
static enum start_fate judge_cut(struct start_loading *loading, const struct journal *journal, bool last,
                                 const struct journal_load *load)
{
    struct starting *starting = loading->starting;
    uint64_t size = starting->evidence->files[journal->file].facts.decoded;
    uint64_t lost = size > load->cut_to ? size - load->cut_to : 0;
    struct place place = {load->cut_to, lost, 0};
    if (!settings_yes(starting->settings, "aof-load-truncated", true))
        return start_refuse(loading, journal->file, &place, "unexpected end of file, and aof-load-truncated is no");
    if (!last)
        return start_refuse(loading, journal->file, &place, "the truncated file is not the last file");
    start_say(starting, &loading->outcome->reasons, false, journal->file, &place,
              journal->stop == AOF_STOP_NONE
                  ? "it ends inside a transaction, which is taken back: the last %llu byte%s are dropped"
                  : "it ends inside a command: the last %llu byte%s are dropped",
              (unsigned long long)lost, lost == 1 ? "" : "s");
    if (journal->rest.at) {
        struct place rest = {.offset = journal->rest.at};
        loading->outcome->ignored_may = true;
        start_say(starting, &loading->outcome->reasons, true, journal->file, &rest,
                  "%llu whole command%s in what is dropped, so this is not a lost tail: it may hold keys that only this file has",
                  (unsigned long long)journal->rest.commands, journal->rest.commands == 1 ? "" : "s");
    }
    if (journal->stop == AOF_STOP_TRUNCATED && journal->open_transaction)
        start_say(starting, &loading->outcome->reasons, false, journal->file, &journal->multi,
                  "this MULTI stays in the file: what is written behind it is taken back at the start after this one");
    return FATE_LOADED;
}

static const struct settings_command *first_rename(const struct settings *settings)
{
    for (size_t i = 0; settings && i < settings->renamed_count; i++)
        if (settings->renamed[i].change != COMMAND_AS_IS)
            return &settings->renamed[i];
    return NULL;
}

static enum start_fate judge_journal(struct start_loading *loading, const struct journal *journal, bool last)
{
    struct starting *starting = loading->starting;
    struct journal_load load = journal_load_by(starting->arena, journal, starting->server);
    const char *why = load.why ? load.why : "no memory";
    if (load.outcome == JOURNAL_UNSURE)
        return start_leave_open(loading, journal->file, &load.place, why);
    /* A dump at the head is read before any command. */
    if (journal->preamble && (journal->stop == AOF_STOP_RDB || load.outcome == JOURNAL_LOADS || load.place.offset)) {
        enum start_fate fate = start_judge_dump(loading, journal->preamble, true);
        if (fate != FATE_LOADED)
            return fate;
    }
    if (load.outcome == JOURNAL_REFUSES && journal->unnamed.count && first_rename(starting->settings) &&
        load.place.offset == journal->unnamed.first.offset)
        return start_leave_open(loading, journal->file, &load.place, "a command that rename-command may have made");
    if (load.outcome == JOURNAL_CRASHES)
        return start_leave_open(loading, journal->file, &load.place, why);
    if (load.outcome == JOURNAL_REFUSES && journal->stop == AOF_STOP_FORMAT &&
        settings_find(starting->settings, "aof-load-corrupt-tail-max-size"))
        return start_leave_open(loading, journal->file, &load.place,
                                "its tail is no command, and aof-load-corrupt-tail-max-size may drop it");
    if (load.outcome == JOURNAL_REFUSES)
        return start_refuse(loading, journal->file, &load.place, why);
    return load.outcome == JOURNAL_CUTS ? judge_cut(loading, journal, last, &load) : FATE_LOADED;
}

static enum start_fate judge_part(struct start_loading *loading, size_t number, bool last)
{
    const struct evidence_file *file = &loading->starting->evidence->files[number];
    enum start_fate fate = start_judge_open(loading, number);
    if (fate != FATE_LOADED || file->kind == EVIDENCE_EMPTY)
        return fate;
    if (file->journal)
        return judge_journal(loading, file->journal, last);
    if (file->dump)
        return start_judge_dump(loading, file->dump, true);
    return start_refuse(loading, number, NULL, "bad file format: it begins with no command and no dump");
}

struct server start_replay_server(const struct starting *starting, const size_t *files, size_t count)
{
    struct server server = starting->server;
    for (size_t i = 0; i < count && server.product == PRODUCT_UNKNOWN; i++) {
        const struct dump *dump = start_dump_in(&starting->evidence->files[files[i]]);
        if (dump)
            server = dump->writer;
    }
    return server;
}

bool start_may_hold(const struct starting *starting, const size_t *files, size_t count)
{
    bool may = false;
    for (size_t i = 0; i < count; i++) {
        const struct evidence_file *file = &starting->evidence->files[files[i]];
        const struct journal *journal = file->journal;
        bool cut_short =
            file->unread || (journal && journal->stop != AOF_STOP_NONE && journal->stop != AOF_STOP_TRUNCATED);
        if (journal)
            may = (may && journal->keeps) || journal->db_count || journal->all_unknown;
        may |= cut_short || (!journal && file->dump && file->dump->keys);
    }
    return may;
}

static void say_makers_in(struct start_loading *loading, const struct journal *journal)
{
    struct start_reasons *reasons = &loading->outcome->reasons;
    bool from_dump = false;
    for (size_t d = 0; d < journal->db_count; d++) {
        const struct journal_db *db = &journal->dbs[d];
        from_dump |= strcmp(db->command, "RDB") == 0;
        if (strcmp(db->command, "RDB") != 0)
            start_say(loading->starting, reasons, true, journal->file, &db->first, "%s may have made a key in db %u",
                      db->command, db->db);
    }
    if (from_dump && journal->preamble)
        start_say_keys(loading, journal->preamble);
    if (journal->all_unknown)
        start_say(loading->starting, reasons, true, journal->file, &journal->unknown,
                  "%s may have made keys in any database", journal->unknown_command);
}

/* Where keys may have been made, after the last whole flush. */
static void say_makers(struct start_loading *loading)
{
    const struct evidence_file *files = loading->starting->evidence->files;
    const struct outcome *outcome = loading->outcome;
    size_t from = 0;
    for (size_t i = 0; i < outcome->loaded_count; i++)
        if (files[outcome->loaded[i]].journal && files[outcome->loaded[i]].journal->empties_all)
            from = i;
    for (size_t i = from; i < outcome->loaded_count; i++) {
        const struct evidence_file *file = &files[outcome->loaded[i]];
        if (file->journal)
            say_makers_in(loading, file->journal);
        else if (file->dump)
            start_say_keys(loading, file->dump);
    }
}

/* The AOF is not loaded to its end: the keys of the dumps in it are all that can be counted. */
static void hold_dumps(struct start_loading *loading)
{
    struct outcome *outcome = loading->outcome;
    for (size_t i = 0; i < outcome->loaded_count; i++) {
        const struct dump *dump = start_dump_in(&loading->starting->evidence->files[outcome->loaded[i]]);
        if (!dump)
            continue;
        outcome->held += dump->keys;
        start_say_keys(loading, dump);
    }
}

static bool has_commands(const struct starting *starting, const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->loaded_count; i++) {
        const struct journal *journal = starting->evidence->files[outcome->loaded[i]].journal;
        if (journal && journal->commands)
            return true;
    }
    return false;
}

/* All files of the AOF are sound: what remains after the last command. */
static enum start_fate replay(struct start_loading *loading)
{
    struct starting *starting = loading->starting;
    struct outcome *outcome = loading->outcome;
    struct remains remains;
    const struct settings_command *rename = first_rename(starting->settings);
    struct server server = start_replay_server(starting, outcome->loaded, outcome->loaded_count);
    if (!remains_of(starting->evidence, outcome->loaded, outcome->loaded_count, starting->cluster, server, &remains))
        return FATE_UNREAD;
    outcome->functions = remains.functions;
    outcome->functions_may = !remains.functions_known;
    if (remains.functions)
        start_say(starting, &outcome->reasons, true, outcome->loaded[0], NULL, "%s%llu function librar%s remain%s",
                  outcome->functions_may ? "at least " : "", (unsigned long long)remains.functions,
                  remains.functions == 1 ? "y" : "ies", remains.functions == 1 ? "s" : "");
    else if (outcome->functions_may)
        start_say(starting, &outcome->reasons, true, outcome->loaded[0], NULL,
                  "whether function libraries remain is not proved");
    if (rename && has_commands(starting, outcome)) {
        start_say(starting, &outcome->reasons, true, rename->file, &rename->place,
                  "rename-command: an AOF holds the new names, so this one proves nothing");
        return FATE_UNREAD;
    }
    if (remains.none || !start_may_hold(starting, outcome->loaded, outcome->loaded_count))
        return FATE_LOADED;
    say_makers(loading);
    outcome->held = outcome->provable = remains.keys;
    if (!remains.read)
        start_say(starting, &outcome->reasons, true, outcome->loaded[0], NULL,
                  "the AOF could not be read a second time");
    if (outcome->other_db && start_stops_at_once(starting, false))
        return start_refuse(loading, outcome->loaded[0], NULL, START_OTHER_DB);
    return remains.keys ? FATE_LOADED : FATE_UNREAD;
}

enum start_fate start_load_aof(struct start_loading *loading)
{
    struct starting *starting = loading->starting;
    struct outcome *outcome = loading->outcome;
    struct start_sequence sequence;
    bool multi_part = outcome->reading.multi_part;
    outcome->source = START_AOF;
    if (!start_sequence(starting, multi_part, &sequence))
        return FATE_UNREAD;
    outcome->loaded = sequence.files;
    outcome->loaded_count = sequence.count;
    if (sequence.missing) {
        hold_dumps(loading);
        return start_refuse(loading, starting->files.manifest, &sequence.missing->place,
                            arena_format(starting->arena,
                                         "the manifest names %s, which is not here (if it was not collected, it "
                                         "settles the question)",
                                         sequence.missing->name));
    }
    if (!sequence.count) {
        outcome->source = START_NOTHING;
        start_say(starting, &outcome->reasons, false, SIZE_MAX, NULL,
                  "a server looks for the AOF %s%s, and there is none: it creates an empty one and loads nothing",
                  starting->files.append_name, multi_part ? ".manifest" : "");
        return FATE_LOADED;
    }
    if (sequence.upgraded)
        start_say(starting, &outcome->reasons, false, sequence.files[0], NULL,
                  "an AOF from before 7.0: the server takes it over as the base of its own");
    for (size_t i = 0; i < sequence.count; i++) {
        enum start_fate fate = judge_part(loading, sequence.files[i], i + 1 == sequence.count);
        if (fate != FATE_LOADED) {
            hold_dumps(loading);
            return fate;
        }
    }
    return replay(loading);
}
