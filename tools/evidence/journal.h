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

/* How often something stands in the file, and where first. */
struct journal_mark {
    uint64_t count;
    struct place first;
    const char *what; /* of the first: a word in static memory, or NULL */
};

struct journal_use {
    const struct aof_command *command;
    uint64_t count;
    struct place first;
};

/* Behind what stops a server: whole commands that no server comes to, found by aof_resume(). */
struct journal_rest {
    uint64_t at;       /* where commands begin again; 0 when they do not */
    uint64_t commands; /* from there on, as far as reading goes */
    uint64_t gaps;     /* times that reading stopped again and commands were found behind it */
    uint64_t skipped;  /* bytes in all gaps, the first included, that are no whole command */
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
    struct place multi;    /* of that MULTI */
    enum aof_stop stop;
    const char *why;
    uint64_t stopped_at;
    uint64_t complete_to;
    uint64_t valid_to;     /* to where a server cuts a file that ends inside a command: 0 where no command precedes it,
                            * also behind a dump; the last whole command before an open MULTI where no command is cut */
    struct journal_rest rest;

    const struct journal_use *uses; /* by name */
    size_t use_count;
    uint64_t transactions;               /* MULTI with EXEC */
    struct journal_mark unnamed;         /* commands that no server known here has; `what` is not NULL when the first is
                                          * named as those of modules are */
    struct journal_mark short_of_words;  /* with too few arguments, which servers do not look at; `what` is its name */
    struct journal_mark subcommands;     /* FUNCTION, SCRIPT, XGROUP with none that is known; `what` is its name */
    struct journal_mark odd;             /* enum aof_defect */
    struct damage first_odd;
    struct journal_mark annotations;
    struct journal_mark nested;          /* MULTI within a transaction, or EXEC without one */
    struct journal_mark other_dbs;       /* SELECT of another database than 0 */
    uint64_t restores;                   /* RESTORE, FUNCTION RESTORE: payloads looked at */
    struct journal_mark unsound_payload; /* which servers refuse, and load without that key; `what` says why */
    bool has_time;                       /* "#TS:" annotations, in Unix seconds */
    int64_t first_time_s, last_time_s;
    struct place first_time, last_time;
    struct journal_mark time_back;       /* a "#TS:" below the one before it */
    const uint8_t *slots; /* SLOT_COUNT / 8 bytes: slots of the keys that commands may have made since the last flush of
                           * all; the lowest bit first. The preamble's are preamble->slot_keys */
    bool slots_unread;    /* there are others: of scripts, unknown commands, keys too long to be read */
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

/* Replaying it changes no database. */
bool journal_only_reads(const struct aof_command *command);

/* Looks for commands behind what stopped the reading, in further sources of the same file, which `reopen` gives one
 * after the other and which are closed here. */
void journal_find_rest(struct journal *journal, struct source *(*reopen)(void *context), void *context);

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
