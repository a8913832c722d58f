/* Append-only files: an optional RDB preamble, then commands in RESP, with "#TS:" annotations between them.
 *
 * Grammar and what servers tolerate: docs/formats/aof.md.
 */
#ifndef RCF_AOF_H
#define RCF_AOF_H

#include <stdbool.h>

#include "parsers/aof/commands.h"
#include "parsers/bytes/cursor.h"
#include "parsers/bytes/source.h"
#include "parsers/parse.h"
#include "parsers/rdb/rdb.h"

struct aof;

enum aof_kind { AOF_RDB, AOF_COMMAND, AOF_ANNOTATION };

enum {
    AOF_ARGUMENTS = 8,
    AOF_ARGUMENT_KEPT = 512,
    AOF_WHOLE = 16 * 1024 * 1024, /* commands up to this are given with all their arguments */
};

struct aof_item {
    enum aof_kind kind;
    struct place place;
    struct rdb_item rdb;                   /* AOF_RDB: an item of the preamble */
    const struct aof_command *command;     /* AOF_COMMAND: by its name; NULL when no server known here has it */
    uint64_t argument_count;               /* as claimed and found, the command's name included */
    size_t kept;                           /* how many of the first AOF_ARGUMENTS stand in `arguments` */
    struct bytes arguments[AOF_ARGUMENTS]; /* whole where `words` are, else at most AOF_ARGUMENT_KEPT bytes of each */
    uint64_t argument_lengths[AOF_ARGUMENTS];
    struct bytes words; /* the arguments as they stand in the file, for aof_words; empty for a command of more than
                         * AOF_WHOLE bytes, and for one with damage */
    struct bytes text;  /* AOF_ANNOTATION: the line without '#' and line end */
};

/* What servers read and none of them writes; their check tools call it an error. Either can be the trace of a byte that
 * was changed. */
enum aof_defect { AOF_ODD_HEADER, AOF_ODD_ARGUMENT_END };

enum aof_stop {
    AOF_STOP_NONE,
    AOF_STOP_TRUNCATED, /* the file ends inside a command: aof-load-truncated decides */
    AOF_STOP_FORMAT,    /* not a command: no server goes on */
    AOF_STOP_RDB,       /* the preamble is damaged: aof_rdb_stop() says how */
    AOF_STOP_READ,
    AOF_STOP_MEMORY,
};

/* A reader over `source`, which stays the caller's and must outlive it; `flags` are those of rdb_open() for a preamble.
 * Memory: 256 KiB, and up to 32 MiB while a command of that size is read. NULL without memory. */
struct aof *aof_open(struct source *source, unsigned flags);

/* The same for a source that stands at `offset` of the file, behind any preamble. */
struct aof *aof_open_tail(struct source *source, uint64_t offset);

/* The next step; see parsers/parse.h. Damage of a command (enum aof_defect) comes before its item. What the item points
 * to is borrowed until the next call. */
enum parse_step aof_next(struct aof *reader, struct aof_item *item);

/* The damage of the latest PARSE_DAMAGE step, and the key in whose record of a preamble it stands; borrowed until the
 * next call. */
const struct damage *aof_damage(const struct aof *reader);
struct bytes aof_damage_key(const struct aof *reader);

/* The latest step was in the preamble: its damage has a code of enum rdb_defect. */
bool aof_in_preamble(const struct aof *reader);

/* Why reading stopped, in words, or NULL. */
const char *aof_why(const struct aof *reader);
enum aof_stop aof_stop(const struct aof *reader);

/* How the preamble ended, when aof_stop() is AOF_STOP_RDB. */
enum rdb_stop aof_rdb_stop(const struct aof *reader);

/* After PARSE_STOP the offset of what could not be read: of the line that is not as the format has it, of the end of
 * a truncated file, of the place in a preamble. Else that of the next byte. */
uint64_t aof_offset(const struct aof *reader);

/* The offset after the last complete command or the preamble; annotations do not count. MULTI is a command as any
 * other here, while servers take a transaction as one. */
uint64_t aof_complete_to(const struct aof *reader);

/* Ends the reader, not the source. NULL is allowed. */
void aof_close(struct aof *reader);

/* How much the head of a file looks like an AOF, 0 to 100. A dump scores only if it says that it was written as the
 * preamble or base of one (aux aof-preamble or aof-base). */
unsigned aof_likeness(struct bytes head);

/* The words of a command, one after the other, the name first; all of them for an item with `words`, else those that are
 * kept. A word is `whole` when none of its bytes are missing. */
struct aof_words {
    const struct aof_item *item;
    struct cursor in;
    uint64_t index; /* of the word that comes next */
};
struct aof_words aof_words_of(const struct aof_item *item);
bool aof_word_next(struct aof_words *words, struct bytes *word, bool *whole);

/* The words of a command that are keys, as far as its name tells. After the last, `unread` says that others could not be
 * looked at: the command is not known, or too large. A key that is not `whole` is given in part. */
struct aof_key_walk {
    struct aof_words words;
    uint64_t numbered_left, numbered_gap; /* behind a number of keys */
    uint64_t from, to; /* words that are all keys */
    bool store;        /* the next word is a key */
    bool unread;
};
struct aof_key_walk aof_keys_of(const struct aof_item *item);
bool aof_key_next(struct aof_key_walk *walk, struct bytes *key, bool *whole);

/* Where commands begin again: the first offset at or behind that of `source` at which a command stands as servers write
 * them, of a known name and with enough words, and behind it another such command, an annotation or the end. `offset`
 * is where the source stands, and becomes that place. False when there is none, or at a fault of the source. Bytes that
 * look so inside a value are found as well: where values hold commands, it is a guess. */
bool aof_resume(struct source *source, uint64_t *offset);

/* The manifest of a multi-part AOF (Redis 7.0+, Valkey): "file NAME seq N type b|h|i" a line. */
struct manifest;

struct manifest_item {
    struct place place;
    struct bytes name;
    int64_t seq;
    char type; /* 'b' base, 'h' history, 'i' incremental */
    bool has_start_offset, has_end_offset; /* Redis 8.0+ */
    int64_t start_offset, end_offset;
};

enum manifest_defect {
    MANIFEST_EMPTY,
    MANIFEST_LONG_LINE, /* also a line without LF or with a NUL: servers tell it by a missing LF in what they read */
    MANIFEST_FORMAT,
    MANIFEST_PATH,
    MANIFEST_DUPLICATE_BASE, /* the line's item follows */
    MANIFEST_NON_MONOTONIC,  /* the line's item follows */
    MANIFEST_UNKNOWN_TYPE,
};

/* A reader over the whole text, which stays the caller's and must outlive it. NULL without memory. */
struct manifest *manifest_open(struct bytes text);

/* The next step; see parsers/parse.h. Each defect stops a server; the reader reports it as damage (codes: enum
 * manifest_defect) with the server's own message as `found` and reads on with the next line. Never PARSE_STOP. */
enum parse_step manifest_next(struct manifest *reader, struct manifest_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *manifest_damage(const struct manifest *reader);

/* Why reading stopped: always NULL, for this reader does not stop. */
const char *manifest_why(const struct manifest *reader);

/* Ends the reader. NULL is allowed. */
void manifest_close(struct manifest *reader);

/* How much the head of a text looks like a manifest, 0 to 100. */
unsigned manifest_likeness(struct bytes head);

#endif
