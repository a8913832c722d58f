/* Private to parsers/rdb: the parts that rdb.c drives. */
#ifndef RCF_RDB_PRIVATE_H
#define RCF_RDB_PRIVATE_H

#include "parsers/rdb/rdb.h"
#include "parsers/rdb/rdb_value_private.h"
#include "parsers/rdb/rdb_window.h"

/* Who wrote the dump: decided by the magic, refined by aux fields. One type byte or opcode may mean different things to
 * them. */
enum rdb_dialect {
    RDB_REDIS = 1,
    RDB_VALKEY = 2,
    RDB_KEYDB = 4,
    RDB_DRAGONFLY = 8,
    RDB_ANY = RDB_REDIS | RDB_VALKEY | RDB_KEYDB | RDB_DRAGONFLY,
};

/* What the reader does on a byte that begins a record. */
enum rdb_role {
    RDB_ROLE_KEY,
    RDB_ROLE_EOF,
    RDB_ROLE_SELECT_DB,
    RDB_ROLE_EXPIRE_SECONDS,
    RDB_ROLE_EXPIRE_MS,
    RDB_ROLE_IDLE,
    RDB_ROLE_FREQ,
    RDB_ROLE_PREFIX, /* belongs to the key that follows; stepped over */
    RDB_ROLE_RESIZE_DB,
    RDB_ROLE_AUX,
    RDB_ROLE_MODULE_AUX,
    RDB_ROLE_FUNCTION_PRE_GA,
    RDB_ROLE_FUNCTION,
    RDB_ROLE_SLOT_INFO,
    RDB_ROLE_SLOT_IMPORT,
    RDB_ROLE_SKIP, /* an item of its own; stepped over */
    RDB_ROLE_MASK,     /* Dragonfly's flags of the key that follows */
    RDB_ROLE_UPDATE,   /* Valkey: a command */
    RDB_ROLE_BLOB,     /* Dragonfly: records compressed together, up to ... */
    RDB_ROLE_BLOB_END,
    RDB_ROLES,
};

/* One row of rdb_types.def or rdb_opcodes.def. A layout is a program: rdb_program.h. */
struct rdb_row {
    const char *name;
    const char *layout;
    const char *encoding; /* of types */
    enum rdb_datatype datatype;
    uint16_t since;
    uint8_t byte;
    uint8_t dialects;
    uint8_t role;
};

enum { RDB_BYTES = 256, RDB_DAMAGES = RDB_VALUE_DAMAGES + 8, RDB_FOUND_TEXT = 144, RDB_WHY_TEXT = 256 };

/* The header of a replication capture, which stands before the magic. */
enum { RDB_MARK = 40 };
struct rdb_capture {
    bool marked;   /* "$EOF:" and a mark, which ends the capture */
    bool measured; /* "$" and the length of the dump */
    uint8_t mark[RDB_MARK];
    uint64_t length;
    uint64_t start; /* offset of the magic */
};

enum rdb_state { RDB_AT_MAGIC, RDB_AT_RECORD, RDB_AFTER_EOF, RDB_AT_END };

struct rdb {
    struct rdb_window window;
    unsigned flags;
    enum rdb_state state;
    enum rdb_dialect dialect;
    uint32_t version;
    const struct rdb_row *rows[RDB_BYTES]; /* what a byte means in this dialect and version */
    uint8_t shapes[RDB_BYTES];             /* the same for rdb_cut.c */
    bool shapes_known;
    bool part; /* the window is over a part of the dump (rdb_part.h) */
    bool end_expected;
    bool mute; /* nobody reads what is wrong, only that it is: words are left out */
    bool end_doubting; /* rdb_doubt_end(): an end that nothing confirms stops the reader ... */
    bool end_doubted;  /* ... which it has, with `waiting` as its item */
    bool end_believed; /* all the same: rdb_believe_end() */
    struct rdb_capture capture;
    bool disputed;             /* magic and aux fields name different servers: no byte with two meanings is read */
    struct rdb_bundle *bundle; /* NULL outside of compressed blobs: the window is then over what one expands to */

    uint32_t db;
    uint64_t keys, expires; /* seen so far */
    struct rdb_claim db_claim, slot_claim;
    bool claims_unsure; /* slots are being imported, or the server counts in its own way */

    uint64_t last_key; /* offset of the last key's record that was read or stepped over; 0 when none was */
    bool has_prefix; /* opcodes of the key to come have been read */
    uint64_t prefix_offset;
    bool has_expiry, has_idle, has_freq;
    uint8_t freq;
    uint64_t idle_s;
    int64_t expire_ms;

    bool lost; /* a string of this record could not be decoded, so it is no item */
    struct damage damages[RDB_DAMAGES];
    char found[RDB_DAMAGES][RDB_FOUND_TEXT];
    size_t damage_count, damage_next;
    struct bytes damage_key; /* of the record that they are in; empty outside of keys */
    bool item_waits; /* behind the damages of its record */
    struct rdb_item waiting;
    struct rdb_value value;

    enum rdb_stop stop;
    uint64_t stop_offset;
    char why[RDB_WHY_TEXT];
};

/* The same as rdb_open() with a window of `size` bytes (at least RDB_WINDOW_LEAST), for tests of its borders. */
struct rdb *rdb_open_sized(struct source *source, unsigned flags, size_t size);

/* rdb_record.c */

enum rdb_outcome {
    RDB_RECORD_ITEM,
    RDB_RECORD_MORE, /* it belongs to the next */
    RDB_RECORD_LOST, /* damage only */
    RDB_RECORD_STOP,
};

/* Opcodes of a key that is to come, and the loss of them because another opcode follows. */
void rdb_prefix_begin(struct rdb *reader, const struct rdb_item *item);
void rdb_prefix_drop(struct rdb *reader, const struct rdb_item *item);

/* Reads one record. A key fills only item->kind, place and key, which is all that is told of it. */
enum rdb_outcome rdb_record(struct rdb *reader, struct rdb_item *item);

/* The end of the dump that was doubted first, from behind its opcode. */
enum rdb_outcome rdb_record_end(struct rdb *reader, struct rdb_item *item);

/* rdb_plain.c: past a string in which nothing can be wrong: most values of most dumps. False, with nothing read, for any
 * other. */
bool rdb_plain_value(struct rdb *reader);

/* rdb_cut.c: what a reader knows besides the bytes; a reader that is told of it stands at a record. */
void rdb_carry_from(const struct rdb *reader, struct rdb_carry *carry);
void rdb_carry_to(struct rdb *reader, const struct rdb_carry *carry);

/* rdb_dialect.c */

/* Fills reader->rows for its dialect and version. */
void rdb_dialect_apply(struct rdb *reader);

/* Refines the dialect by an aux field, which stands at `place`; says so when it names another server than the magic. */
void rdb_dialect_aux(struct rdb *reader, struct bytes name, struct place place);

/* Stops because of a byte that has no row here, in words that fit what is known of it. */
bool rdb_dialect_refuse(struct rdb *reader, uint8_t byte, uint64_t offset);

/* rdb_envelope.c: false means that the reader has stopped. */

/* The header of a capture, if there is one, magic and version. */
bool rdb_envelope_begin(struct rdb *reader, struct rdb_item *item);

/* After the dump: the end of a capture; what follows is counted when nothing may. */
bool rdb_envelope_end(struct rdb *reader, struct rdb_item *item);

/* rdb_opcode.c: opcodes of one server that no layout describes. Each finds the reader behind the opcode. */
enum rdb_outcome rdb_opcode_mask(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item);
enum rdb_outcome rdb_opcode_update(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item);

/* rdb_bundle.c: records that Dragonfly compressed together. They are read like others; all that is said of them has the
 * place of the blob in the file. */
enum rdb_outcome rdb_bundle_begin(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item);
enum rdb_outcome rdb_bundle_end(struct rdb *reader, const struct rdb_row *row, struct rdb_item *item);

/* The place of the blob that is read, for what stands in it; else `place` as it is. What rdb_report(), rdb_fail() and
 * rdb_record() say has passed through here. */
struct place rdb_bundle_place(const struct rdb *reader, struct place place);

/* Leaves a blob that was not read to its end. */
void rdb_bundle_drop(struct rdb *reader);

/* rdb_fault.c: both return false, so that a failing step is one line. */

bool rdb_fail(struct rdb *reader, enum rdb_stop stop, uint64_t offset, const char *format, ...)
    __attribute__((cold, format(printf, 4, 5)));

/* The window could not give what was needed: the evidence ended, the source failed or memory ran out. */
bool rdb_ran_out(struct rdb *reader) __attribute__((cold));

/* Queues damage with its end as the place where reading goes on, once per record for each text in `expected`, which is
 * static. Gives the entry, or NULL when there was one already. */
struct damage *rdb_report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                          const char *format, ...) __attribute__((cold, format(printf, 5, 6)));

/* rdb_step.c: false means that the reader has stopped. */

bool rdb_length(struct rdb *reader, uint64_t *value);

/* The same for a count that fits into `limit`; `what` names it. */
bool rdb_number(struct rdb *reader, uint64_t limit, const char *what, uint64_t *value);

/* Decodes a string into a run: integers as decimal text, LZF expanded. Sets reader->lost when it does not expand. */
bool rdb_string(struct rdb *reader, enum rdb_run_of run);

/* Walks over bytes as `layout` says. */
bool rdb_step(struct rdb *reader, const char *layout);

#endif
