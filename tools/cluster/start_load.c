/* What a server would load: one dump, or the files of its AOF in order. */
#include <string.h>

#include "tools/cluster/remains.h"
#include "tools/cluster/start_private.h"
#include "tools/evidence/names.h"

/* How a file fares when it is loaded. */
enum fate { FATE_LOADED, FATE_REFUSED, FATE_UNREAD };

struct load_state {
    struct starting *starting;
    struct outcome *outcome;
    const char *why; /* of a refusal */
};

/* The newest dump version that each generation reads; 0 where that is not settled. */
static const uint32_t newest_version[GENERATIONS] = {
    [GENERATION_REDIS_3_0] = 6,   [GENERATION_REDIS_3_2] = 7,   [GENERATION_REDIS_4_0] = 8,
    [GENERATION_REDIS_5_0] = 9,   [GENERATION_REDIS_6_0] = 9,   [GENERATION_REDIS_6_2] = 9,
    [GENERATION_REDIS_7_0] = 10,  [GENERATION_REDIS_7_2] = 11,  [GENERATION_REDIS_7_4] = 12,
    [GENERATION_VALKEY_7_2] = 11, [GENERATION_VALKEY_8_0] = 11, [GENERATION_VALKEY_8_1] = 11,
};

const struct dump *start_dump_in(const struct evidence_file *file)
{
    return file->dump ? file->dump : file->journal ? file->journal->preamble : NULL;
}

const char *start_keys_text(struct starting *starting, uint64_t keys)
{
    return arena_format(starting->arena, "%llu key%s", (unsigned long long)keys, keys == 1 ? "" : "s");
}

static enum fate refuse(struct load_state *state, size_t file, const struct place *place, const char *why)
{
    state->why = why;
    start_say(state->starting, &state->outcome->reasons, true, file, place,
              "a server does not start with this file: %s", why);
    return FATE_REFUSED;
}

static enum fate leave_open(struct load_state *state, size_t file, const struct place *place, const char *why)
{
    start_say(state->starting, &state->outcome->reasons, true, file, place, "what it holds is not known: %s", why);
    return FATE_UNREAD;
}

static const char other_db[] = "in cluster mode there can be no keys in a database other than 0";

/* The databases of a dump that hold keys. */
static void say_keys(struct load_state *state, const struct dump *dump)
{
    struct starting *starting = state->starting;
    for (size_t i = 0; i < dump->db_count; i++) {
        const struct dump_db *db = &dump->dbs[i];
        const char *expiring = db->expires == 0 ? ""
                               : db->expires == db->keys
                                   ? ", all with an expiry: a primary drops at its start those that have passed it"
                                   : ", some of them with an expiry";
        start_say(starting, &state->outcome->reasons, true, dump->file, &db->first, "%s in db %u%s",
                  start_keys_text(starting, db->keys), db->db, expiring);
        state->outcome->other_db |= db->db != 0;
    }
}

static bool is_too_new(const struct starting *starting, const struct dump *dump)
{
    enum generation generation = server_generation(starting->server);
    const char *basis = starting->instance->server_basis;
    uint32_t newest = generation == GENERATIONS || !basis || strcmp(basis, "log") != 0 ? 0 : newest_version[generation];
    return newest && dump->version > newest;
}

static const struct dump_defect *first_corruption(const struct dump *dump)
{
    for (size_t i = 0; i < dump->defect_count; i++)
        if (dump_defect_is_corruption(dump->defects[i].code) && dump->defects[i].code != RDB_BAD_CHECKSUM)
            return &dump->defects[i];
    return NULL;
}

/* Keys outside database 0 stop a cluster node when it has loaded everything; from 7.2 on, which has one database there,
 * already while it loads. Valkey 9 may have several. */
static bool stops_at_once(const struct starting *starting, bool in_aof)
{
    bool known = starting->server.product != PRODUCT_UNKNOWN;
    bool valkey_9 = starting->server.product == PRODUCT_VALKEY && server_compare(starting->server, 9, 0, 0) >= 0;
    return starting->cluster && !valkey_9 && (!in_aof || (known && server_compare(starting->server, 7, 2, 0) >= 0));
}

static enum fate judge_dump(struct load_state *state, const struct dump *dump, bool in_aof)
{
    const struct starting *starting = state->starting;
    struct place stopped = {.offset = dump->stopped_at};
    const struct dump_defect *corruption = first_corruption(dump);
    if (dump->stop == RDB_STOP_READ || dump->stop == RDB_STOP_MEMORY || dump->stop == RDB_STOP_UNSUPPORTED)
        return leave_open(state, dump->file, &stopped, dump->why);
    if (dump->stop != RDB_STOP_NONE)
        return refuse(state, dump->file, &stopped, dump->why);
    if (corruption)
        return refuse(state, dump->file, &corruption->place, corruption->found);
    if (dump->has_checksum && dump->stored_checksum != dump->computed_checksum &&
        settings_yes(starting->settings, "rdbchecksum", true))
        return refuse(state, dump->file, &dump->checksum, "wrong RDB checksum");
    if (is_too_new(starting, dump))
        return refuse(state, dump->file, NULL,
                      arena_format(starting->arena, "it cannot handle RDB format version %u", dump->version));
    for (size_t i = 0; i < dump->db_count && stops_at_once(starting, in_aof); i++)
        if (dump->dbs[i].db)
            return refuse(state, dump->file, &dump->dbs[i].first, other_db);
    return FATE_LOADED;
}

static void count_dump(struct outcome *outcome, const struct dump *dump)
{
    outcome->held += dump->keys;
    for (size_t i = 0; i < dump->db_count; i++)
        outcome->provable += dump->dbs[i].keys - dump->dbs[i].expires;
}

static enum fate judge_open(struct load_state *state, size_t number)
{
    const struct evidence_file *file = &state->starting->evidence->files[number];
    if (file->unread)
        return leave_open(state, number, NULL, file->unread);
    if (file->changed)
        return leave_open(state, number, NULL, "it changed while it was read");
    return FATE_LOADED;
}

/* The log says that the server saved its dump, so where there is none it was not collected, or removed. */
static bool has_saved(struct load_state *state)
{
    const struct instance *instance = state->starting->instance;
    for (size_t i = 0; i < instance->logbook_count; i++)
        for (size_t l = 0; l < instance->logbooks[i]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[i]->lines[l];
            if (line->event != LOGBOOK_SAVED)
                continue;
            start_say(state->starting, &state->outcome->reasons, true, line->file, &line->place,
                      "its log says that it saved a dump, and no file here is called %s: the dump would settle it",
                      state->starting->files.dump_name);
            return true;
        }
    return false;
}

static enum fate load_dump(struct load_state *state)
{
    struct starting *starting = state->starting;
    struct outcome *outcome = state->outcome;
    size_t number = starting->files.dump;
    if (number == SIZE_MAX) {
        outcome->source = START_NOTHING;
        if (has_saved(state))
            return FATE_UNREAD;
        start_say(starting, &outcome->reasons, false, SIZE_MAX, NULL,
                  "a server looks for the dump %s, and there is none", starting->files.dump_name);
        return FATE_LOADED;
    }
    const struct evidence_file *file = &starting->evidence->files[number];
    const struct dump *dump = start_dump_in(file);
    outcome->source = START_DUMP;
    outcome->loaded[outcome->loaded_count++] = number;
    enum fate fate = judge_open(state, number);
    if (dump) {
        count_dump(outcome, dump);
        say_keys(state, dump);
    }
    if (fate != FATE_LOADED)
        return fate;
    if (!dump)
        return refuse(state, number, NULL, file->kind == EVIDENCE_EMPTY ? "0 bytes are no dump" : "it is no RDB dump");
    outcome->functions = dump->functions;
    if (dump->functions)
        start_say(starting, &outcome->reasons, true, number, &dump->first_function, "%llu function librar%s",
                  (unsigned long long)dump->functions, dump->functions == 1 ? "y" : "ies");
    fate = judge_dump(state, dump, false);
    if (fate != FATE_LOADED || !dump->keys)
        return fate;
    if (starting->files.dump_renamed) {
        start_say(starting, &outcome->reasons, true, number, NULL,
                  "redis.conf calls the dump %s, no file here is called so: "
                  "whether this one is it is not known",
                  starting->files.dump_name);
        outcome->held = 0;
        return FATE_UNREAD;
    }
    return fate;
}

/* A cut at the end is cut off, in the last file of all and if the configuration allows it. */
static enum fate judge_cut(struct load_state *state, const struct journal *journal, bool last)
{
    struct starting *starting = state->starting;
    uint64_t size = starting->evidence->files[journal->file].facts.decoded;
    uint64_t lost = size > journal->complete_to ? size - journal->complete_to : 0;
    struct place place = {journal->complete_to, lost, 0};
    if (!settings_yes(starting->settings, "aof-load-truncated", true))
        return refuse(state, journal->file, &place, "unexpected end of file, and aof-load-truncated is no");
    if (!last)
        return refuse(state, journal->file, &place, "the truncated file is not the last file");
    start_say(starting, &state->outcome->reasons, false, journal->file, &place,
              journal->open_transaction ? "it ends inside a transaction, which is taken back"
                                        : "it ends inside a command: the last %llu byte%s are dropped",
              (unsigned long long)lost, lost == 1 ? "" : "s");
    return FATE_LOADED;
}

static enum fate judge_journal(struct load_state *state, const struct journal *journal, bool last)
{
    struct starting *starting = state->starting;
    struct place at = {.offset = journal->complete_to};
    bool known = starting->server.product != PRODUCT_UNKNOWN;
    bool reverts = journal->open_transaction && (!known || server_compare(starting->server, 4, 0, 12) >= 0);
    if (journal->stop == AOF_STOP_READ || journal->stop == AOF_STOP_MEMORY)
        return leave_open(state, journal->file, &at, journal->why);
    if (journal->preamble && known && server_compare(starting->server, 4, 0, 0) < 0)
        return refuse(state, journal->file, NULL, "servers before 4.0 read no dump inside an AOF");
    if (journal->preamble) {
        enum fate fate = judge_dump(state, journal->preamble, true);
        if (fate != FATE_LOADED)
            return fate;
    } else if (journal->stop == AOF_STOP_RDB) {
        return refuse(state, journal->file, &at, journal->why);
    }
    if (journal->stop == AOF_STOP_FORMAT && settings_find(starting->settings, "aof-load-corrupt-tail-max-size"))
        return leave_open(state, journal->file, &at,
                          "its tail is no command, and aof-load-corrupt-tail-max-size may drop it");
    if (journal->stop == AOF_STOP_FORMAT)
        return refuse(state, journal->file, &at, journal->why);
    return journal->stop == AOF_STOP_TRUNCATED || reverts ? judge_cut(state, journal, last) : FATE_LOADED;
}

static enum fate judge_part(struct load_state *state, size_t number, bool last)
{
    const struct evidence_file *file = &state->starting->evidence->files[number];
    enum fate fate = judge_open(state, number);
    if (fate != FATE_LOADED || file->kind == EVIDENCE_EMPTY)
        return fate;
    if (file->journal)
        return judge_journal(state, file->journal, last);
    if (file->dump)
        return judge_dump(state, file->dump, true);
    return refuse(state, number, NULL, "bad file format: it begins with no command and no dump");
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

static void say_makers_in(struct load_state *state, const struct journal *journal)
{
    struct start_reasons *reasons = &state->outcome->reasons;
    bool from_dump = false;
    for (size_t d = 0; d < journal->db_count; d++) {
        const struct journal_db *db = &journal->dbs[d];
        from_dump |= strcmp(db->command, "RDB") == 0;
        if (strcmp(db->command, "RDB") != 0)
            start_say(state->starting, reasons, true, journal->file, &db->first, "%s may have made a key in db %u",
                      db->command, db->db);
    }
    if (from_dump && journal->preamble)
        say_keys(state, journal->preamble);
    if (journal->all_unknown)
        start_say(state->starting, reasons, true, journal->file, &journal->unknown,
                  "%s may have made keys in any database", journal->unknown_command);
}

/* Where keys may have been made, after the last whole flush. */
static void say_makers(struct load_state *state)
{
    const struct evidence_file *files = state->starting->evidence->files;
    const struct outcome *outcome = state->outcome;
    size_t from = 0;
    for (size_t i = 0; i < outcome->loaded_count; i++)
        if (files[outcome->loaded[i]].journal && files[outcome->loaded[i]].journal->empties_all)
            from = i;
    for (size_t i = from; i < outcome->loaded_count; i++) {
        const struct evidence_file *file = &files[outcome->loaded[i]];
        if (file->journal)
            say_makers_in(state, file->journal);
        else if (file->dump)
            say_keys(state, file->dump);
    }
}

/* The AOF is not loaded to its end: the keys of the dumps in it are all that can be counted. */
static void hold_dumps(struct load_state *state)
{
    struct outcome *outcome = state->outcome;
    for (size_t i = 0; i < outcome->loaded_count; i++) {
        const struct dump *dump = start_dump_in(&state->starting->evidence->files[outcome->loaded[i]]);
        if (!dump)
            continue;
        outcome->held += dump->keys;
        say_keys(state, dump);
    }
}

static const struct settings_command *first_rename(const struct settings *settings)
{
    for (size_t i = 0; settings && i < settings->renamed_count; i++)
        if (settings->renamed[i].change != COMMAND_AS_IS)
            return &settings->renamed[i];
    return NULL;
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
static enum fate replay(struct load_state *state)
{
    struct starting *starting = state->starting;
    struct outcome *outcome = state->outcome;
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
    if (remains.none)
        return FATE_LOADED;
    say_makers(state);
    outcome->held = outcome->provable = remains.keys;
    if (!remains.read)
        start_say(starting, &outcome->reasons, true, outcome->loaded[0], NULL,
                  "the AOF could not be read a second time");
    if (outcome->other_db && stops_at_once(starting, false))
        return refuse(state, outcome->loaded[0], NULL, other_db);
    return remains.keys ? FATE_LOADED : FATE_UNREAD;
}

static enum fate load_aof(struct load_state *state)
{
    struct starting *starting = state->starting;
    struct outcome *outcome = state->outcome;
    struct start_sequence sequence;
    bool multi_part = outcome->reading.multi_part;
    outcome->source = START_AOF;
    if (!start_sequence(starting, multi_part, &sequence))
        return FATE_UNREAD;
    outcome->loaded = sequence.files;
    outcome->loaded_count = sequence.count;
    if (sequence.missing) {
        hold_dumps(state);
        return refuse(state, starting->files.manifest, &sequence.missing->place,
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
        enum fate fate = judge_part(state, sequence.files[i], i + 1 == sequence.count);
        if (fate != FATE_LOADED) {
            hold_dumps(state);
            return fate;
        }
    }
    return replay(state);
}

/* What stops a server before it looks at data. */
static enum fate judge_settings(struct load_state *state)
{
    const struct settings *settings = state->starting->settings;
    const struct setting *setting;
    if (!settings)
        return FATE_LOADED;
    if (settings->damaged_lines)
        return refuse(state, settings->file, &settings->first_damage, "a line of the configuration cannot be read");
    setting = settings_find(settings, "appendonly");
    if (setting && settings_yes(settings, "appendonly", true) != settings_yes(settings, "appendonly", false))
        return refuse(state, setting->file, &setting->place, "appendonly is neither yes nor no");
    setting = settings_find(settings, "replicaof");
    if (setting && settings_yes(settings, "cluster-enabled", false) &&
        !(setting->words && setting->word_count == 2 && strcmp(setting->words[0], "no") == 0))
        return refuse(state, setting->file, &setting->place, "replicaof is not allowed in cluster mode");
    return FATE_LOADED;
}

/* Servers from 7.0 on read the manifest even with appendonly no. */
static enum fate judge_manifest(struct load_state *state)
{
    size_t number = state->starting->files.manifest;
    if (!state->outcome->reading.multi_part || number == SIZE_MAX)
        return FATE_LOADED;
    const struct evidence_file *file = &state->starting->evidence->files[number];
    enum fate fate = judge_open(state, number);
    if (fate != FATE_LOADED)
        return fate;
    if (!file->manifest)
        return refuse(state, number, NULL,
                      file->kind == EVIDENCE_EMPTY ? "Found an empty AOF manifest"
                                                   : "Invalid AOF manifest file format");
    return file->manifest->error ? refuse(state, number, &file->manifest->error_place, file->manifest->error)
                                 : FATE_LOADED;
}

/* The files by name, for a sentence. */
static const char *loaded_names(const struct starting *starting, const struct outcome *outcome)
{
    const char *names = outcome->loaded_count ? start_path(starting, outcome->loaded[0]) : "";
    if (outcome->loaded_count > 1)
        names = arena_format(starting->arena, "%s and %zu more", names, outcome->loaded_count - 1);
    return names;
}

static void conclude(struct load_state *state, enum fate fate)
{
    struct starting *starting = state->starting;
    struct outcome *outcome = state->outcome;
    struct arena *arena = starting->arena;
    const char *names = loaded_names(starting, outcome);
    outcome->keys = START_CANNOT_TELL;
    if (fate == FATE_REFUSED) {
        outcome->source = START_REFUSES;
        outcome->provable = outcome->functions = 0;
        outcome->keys = outcome->held ? START_KEYS : START_CANNOT_TELL;
        outcome->verdict =
            arena_format(arena, "a server would not start on these files: %s; %s", state->why,
                         outcome->held ? arena_format(arena, "they hold %s", start_keys_text(starting, outcome->held))
                                       : "nothing can be said of keys");
    } else if (fate == FATE_UNREAD) {
        outcome->provable = 0;
        outcome->source = outcome->source == START_NOTHING ? START_UNKNOWN : outcome->source;
        outcome->verdict =
            outcome->loaded_count
                ? arena_format(arena, "unknown: a server would load %s, and whether any key remains is not proved",
                               names)
                : "unknown: what a server would load is not known";
    } else if (outcome->held) {
        outcome->keys = START_KEYS;
        outcome->verdict = arena_format(arena, "a server started on these files loads %s%s (from %s)",
                                        outcome->source == START_AOF ? "at least " : "",
                                        start_keys_text(starting, outcome->held), names);
    } else {
        outcome->keys = START_NO_KEYS;
        outcome->verdict =
            outcome->source == START_NOTHING
                ? arena_format(arena, "a server starts empty, because nothing is loaded (appendonly %s, no %s)",
                               outcome->reading.appendonly ? "yes" : "no", outcome->reading.appendonly ? "AOF" : "dump")
                : arena_format(arena, "a server started on these files has 0 keys in every db (proved from %s)", names);
    }
    if (fate != FATE_REFUSED && outcome->functions)
        outcome->verdict =
            arena_format(arena, "%s; %llu function librar%s", outcome->verdict, (unsigned long long)outcome->functions,
                         outcome->functions == 1 ? "y remains" : "ies remain");
}

bool start_load(struct starting *starting, struct outcome *outcome)
{
    struct load_state state = {.starting = starting, .outcome = outcome};
    outcome->loaded = arena_array(starting->arena, 1, sizeof(*outcome->loaded));
    if (!outcome->loaded)
        return false;
    enum fate fate = judge_settings(&state);
    if (fate == FATE_LOADED)
        fate = judge_manifest(&state);
    if (fate == FATE_LOADED)
        fate = outcome->reading.appendonly ? load_aof(&state) : load_dump(&state);
    conclude(&state, fate);
    return !arena_failed(starting->arena);
}
