/* What an instance would load if its server were started on these files, and whether that holds keys.
 *
 * One source is used: the AOF with `appendonly yes`, else the RDB dump; there is no fallback between them (rules and
 * server versions: docs/formats/aof.md). Nothing is called empty because a file is small or missing by name: "no keys"
 * is proved from the bytes that the server would read, or it is not said.
 */
#ifndef RCF_START_H
#define RCF_START_H

#include "tools/evidence/evidence.h"

enum start_source { START_NOTHING, START_DUMP, START_AOF, START_REFUSES, START_UNKNOWN };
enum start_keys { START_NO_KEYS, START_KEYS, START_CANNOT_TELL };

/* One reason, with the place in a file that shows it (file SIZE_MAX: about what is absent). */
struct start_reason {
    const char *text;
    size_t file;
    struct place place;
    bool against; /* speaks against "no keys" */
};

struct start {
    enum start_source source;
    enum start_keys keys;
    uint64_t provable_keys; /* records that would certainly be loaded */
    uint64_t held_keys;     /* key records in the files that it would read, whether it gets to load them or not; of an
                             * AOF those that are certainly there after its last command */
    uint64_t ignored_keys;  /* keys in files that would not be loaded, and that the start or the next save overwrites */
    bool ignored_may;       /* such a file may hold keys, and neither that nor the opposite can be proved */
    uint64_t functions;     /* function libraries that would be loaded */
    bool functions_may;     /* there may be others */
    bool other_db;          /* keys in a database other than 0 */
    const char *verdict;    /* one sentence, without its full stop */
    const size_t *loaded;   /* files that would be loaded, in load order */
    size_t loaded_count;
    bool assumed; /* the evidence left open what the server does: several readings were compared */
    const struct start_reason *reasons;
    size_t reason_count;
    enum save_points save_points;
    const char *save_why;
    bool appendonly, appendonly_known;
};

/* "nothing", "dump", "aof", "refuses", "unknown"; "no-keys", "keys", "cannot-tell". */
const char *start_source_word(enum start_source source);
const char *start_keys_word(enum start_keys keys);

/* Judges one instance. Append-only files are read a second time. Everything in `arena`; NULL without memory. */
struct start *start_of(const struct evidence *evidence, size_t instance, struct arena *arena);

#endif
