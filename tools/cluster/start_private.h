/* Shared by the start*.c files that judge data; start.c puts them together. (startup.c is about nodes.conf.) */
#ifndef RCF_START_PRIVATE_H
#define RCF_START_PRIVATE_H

#include "tools/cluster/start.h"

/* What is assumed of a server where the evidence does not say it. */
struct start_reading {
    bool appendonly;
    bool multi_part; /* Redis 7.0 or newer, Valkey */
};

/* Where the files are that a server of this configuration looks for; SIZE_MAX where there are none. */
struct start_files {
    const char *dump_name, *append_name; /* by the configuration; its defaults when there is none */
    size_t dump;
    bool dump_renamed; /* taken for the dump, although the configuration calls it otherwise */
    size_t journal;    /* the one append-only file of servers before 7.0 */
    size_t manifest;
    bool append_folder; /* the folder of the multi-part AOF exists */
};

struct start_reasons {
    struct start_reason *all;
    size_t count, cap;
};

struct starting {
    const struct evidence *evidence;
    const struct instance *instance;
    size_t number;
    struct arena *arena;
    const struct settings *settings; /* or NULL */
    struct server server;
    bool cluster;
    struct start_files files;
};

/* What one reading of the evidence gives. */
struct outcome {
    struct start_reading reading;
    enum start_source source;
    enum start_keys keys;
    uint64_t provable, held, ignored, functions;
    bool other_db, ignored_may, functions_may;
    const char *verdict;
    size_t *loaded; /* files, in load order */
    size_t loaded_count;
    struct start_reasons reasons;
};

/* Adds a reason; `file` SIZE_MAX is about what is absent, and then `place` may be NULL. */
void start_say(struct starting *starting, struct start_reasons *reasons, bool against, size_t file,
               const struct place *place, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* start_files.c: where things are. */
void start_find_files(struct starting *starting);

/* A file of the instance in the folder of another file. */
size_t start_beside(const struct starting *starting, size_t file, const char *name);

/* How a file is called in sentences: its path in the case. */
const char *start_path(const struct starting *starting, size_t file);

/* The AOF that a server of this reading would use with appendonly yes: its files in load order, none when there is no
 * AOF; a manifest line whose file is absent gives `missing`. False without memory. */
struct start_sequence {
    size_t *files;
    size_t count;
    const struct manifest_line *missing;
    bool upgraded; /* an AOF of servers before 7.0 that becomes the base */
};
bool start_sequence(struct starting *starting, bool multi_part, struct start_sequence *sequence);

/* start_load.c: what a server of one reading does. Fills all but the ignored keys. False without memory. */
bool start_load(struct starting *starting, struct outcome *outcome);

/* How a file fares when it is loaded. */
enum start_fate { FATE_LOADED, FATE_REFUSED, FATE_UNREAD };

/* One start in progress. */
struct start_loading {
    struct starting *starting;
    struct outcome *outcome;
    const char *why; /* of a refusal */
};

/* Each says why, as a reason, and gives its fate. */
enum start_fate start_refuse(struct start_loading *loading, size_t file, const struct place *place, const char *why);
enum start_fate start_leave_open(struct start_loading *loading, size_t file, const struct place *place,
                                 const char *why);

/* The file was read to its end, and did not change meanwhile. */
enum start_fate start_judge_open(struct start_loading *loading, size_t number);

/* start_dump.c, start_aof.c: the two sources. */
enum start_fate start_load_dump(struct start_loading *loading);
enum start_fate start_load_aof(struct start_loading *loading);

/* Whether a server loads this dump. `in_aof`: it stands at the head of an AOF, or is its base. */
enum start_fate start_judge_dump(struct start_loading *loading, const struct dump *dump, bool in_aof);

#define START_OTHER_DB "in cluster mode there can be no keys in a database other than 0"

/* Keys outside database 0 stop a cluster node when it has loaded everything; from 7.2 on, which has one database there,
 * already while it loads. Valkey 9 may have several. */
bool start_stops_at_once(const struct starting *starting, bool in_aof);

/* The databases of a dump that hold keys, as reasons. */
void start_say_keys(struct start_loading *loading, const struct dump *dump);

/* The dump in a file: its own, or that at the head of an AOF. NULL when it holds none. */
const struct dump *start_dump_in(const struct evidence_file *file);

/* "1 key", "3000 keys". */
const char *start_keys_text(struct starting *starting, uint64_t keys);

/* The server under whose rules an AOF is replayed: where the evidence knows none, that of a dump in the files. */
struct server start_replay_server(const struct starting *starting, const size_t *files, size_t count);

/* Whether the AOF of these files may leave keys, by the bounds of the journals alone: what is not read to its end may
 * hold anything. */
bool start_may_hold(const struct starting *starting, const size_t *files, size_t count);

/* start_ignored.c: the keys in files of the instance that this reading does not load. False without memory. */
bool start_ignored(struct starting *starting, struct outcome *outcome);

#endif
