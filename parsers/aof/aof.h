/* Append-only files: an optional RDB preamble, then commands in RESP, with "#TS:" annotations between them.
 *
 * Grammar and what servers tolerate: docs/formats/aof.md.
 */
#ifndef RCF_AOF_H
#define RCF_AOF_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/parse.h"
#include "parsers/rdb/rdb.h"

struct aof;

enum aof_kind { AOF_RDB, AOF_COMMAND, AOF_ANNOTATION };

enum { AOF_ARGUMENTS = 8, AOF_ARGUMENT_KEPT = 512 };

struct aof_item {
    enum aof_kind kind;
    struct place place;
    struct rdb_item rdb;                   /* AOF_RDB: an item of the preamble */
    uint64_t argument_count;               /* AOF_COMMAND: as claimed and found, the command's name included */
    size_t kept;                           /* how many of the first AOF_ARGUMENTS stand in `arguments` */
    struct bytes arguments[AOF_ARGUMENTS]; /* at most AOF_ARGUMENT_KEPT bytes of each */
    uint64_t argument_lengths[AOF_ARGUMENTS];
    struct bytes text; /* AOF_ANNOTATION: the line without '#' and line end */
};

enum aof_stop {
    AOF_STOP_NONE,
    AOF_STOP_TRUNCATED, /* the file ends inside a command: aof-load-truncated decides */
    AOF_STOP_FORMAT,    /* not a command: no server goes on */
    AOF_STOP_RDB,       /* the preamble is damaged: aof_rdb_stop() says how */
    AOF_STOP_READ,
    AOF_STOP_MEMORY,
};

/* A reader over `source`, which stays the caller's and must outlive it; constant memory. NULL without memory. */
struct aof *aof_open(struct source *source);

/* The next step; see parsers/parse.h. Damage steps are those of the preamble (codes: enum rdb_defect). */
enum parse_step aof_next(struct aof *reader, struct aof_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *aof_damage(const struct aof *reader);

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
