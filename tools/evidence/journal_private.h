/* Shared by the journal*.c files: a replay in progress. */
#ifndef RCF_JOURNAL_PRIVATE_H
#define RCF_JOURNAL_PRIVATE_H

#include "tools/evidence/journal.h"

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
    uint64_t valid_to;           /* behind the last command; 0 before the first, as servers have it after a dump, too */
    uint64_t valid_before_multi;
    struct journal_use *uses;    /* by number of the command */
    uint8_t *slots;              /* as in struct journal */
};

/* What a command does to the state. */
void journal_apply(struct replay *replay, const struct aof_item *item);

bool journal_may_make_keys(const struct aof_command *command);

/* A transaction without its EXEC, at the end of the file. */
void journal_end_transaction(struct replay *replay);

/* One item of the dump at the head of a file. */
void journal_apply_dump_item(struct replay *replay, const struct rdb_item *item);

/* What is told of a command beside its effect: tools/evidence/journal_facts.c. False without memory. */
bool journal_note_command(struct replay *replay, const struct aof_item *item);
void journal_note_annotation(struct replay *replay, const struct aof_item *item);
void journal_note_odd(struct replay *replay, const struct damage *damage);
bool journal_note_end(struct replay *replay);

/* Whether the payload of a RESTORE, or FUNCTION RESTORE, is one that servers take: `why` is static. True where that is
 * not known. */
bool journal_payload_is_sound(struct bytes payload, bool functions, const char **why);

bool journal_argument_is(const struct aof_item *item, size_t number, const char *word);
bool journal_server_is(const struct replay *replay, unsigned major, unsigned minor, unsigned patch);


#endif
