/* What an append-only file holds, as far as "provably no keys" needs: the state of each database after a replay. */
#ifndef RCF_JOURNAL_H
#define RCF_JOURNAL_H

#include "parsers/aof/aof.h"
#include "parsers/memory/arena.h"
#include "tools/evidence/dump.h"

struct journal_db {
    uint32_t db;
    bool may_hold_keys;
    struct place first; /* the command or record after the last emptying one that may have made a key */
    const char *command; /* its name in static memory, or "RDB" */
};

/* One AOF file (single, base or incremental), its commands read under their own names: where a configuration renames
 * commands, a journal proves nothing. */
struct journal {
    size_t file;
    const struct dump *preamble; /* NULL when there is none */
    uint64_t commands;
    const struct journal_db *dbs; /* those that may hold keys after the file was replayed on an empty server */
    size_t db_count;
    bool empties_all; /* a whole-server flush was seen: what was loaded before this file is gone */
    uint32_t keeps;   /* bit N: what database N held before this file may still be there, in it or (SWAPDB) in another;
                       * JOURNAL_OTHERS for databases from JOURNAL_DBS on */
    bool all_unknown; /* a command whose effect cannot be bounded: any database may hold keys */
    struct place unknown;
    const char *unknown_command; /* in static memory; what is not a known name is not quoted, it may be a secret */
    uint64_t function_commands; /* FUNCTION LOAD and RESTORE after the last FUNCTION FLUSH; DELETE is not subtracted */
    bool open_transaction; /* the file ends inside MULTI: its commands were revoked (from 4.0.12) or stand (before) */
    enum aof_stop stop;
    const char *why;
    uint64_t complete_to;
};

/* Databases are told apart up to this number, the default of `databases`. Whether a SELECT beyond it succeeded is not
 * known offline, so what follows one may have made keys anywhere. */
enum { JOURNAL_DBS = 16 };

#define JOURNAL_OTHERS (UINT32_C(1) << JOURNAL_DBS)

/* Reads one AOF to its end. `cluster`: SELECT other than 0 has no effect (before Valkey 9). `server`: decides MULTI
 * (queued from 4.0.12) and the arguments of FLUSHALL; where it is unknown, that of the preamble, else what is worse is
 * assumed. NULL without memory only. */
struct journal *journal_read(struct arena *arena, struct source *source, size_t file, bool cluster,
                             struct server server);

struct manifest_line {
    const char *name;
    int64_t seq;
    char type;
    struct place place;
};

struct manifest_facts {
    size_t file;
    const struct manifest_line *lines;
    size_t count;
    const char *error; /* the server's message when it would refuse, or NULL */
    struct place error_place;
};

/* Reads the manifest of a multi-part AOF. Texts are copied. NULL without memory only. */
struct manifest_facts *manifest_read(struct arena *arena, struct bytes text, size_t file);

#endif
