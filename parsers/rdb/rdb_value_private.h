/* Private to parsers/rdb: the walk over the elements of one value.
 *
 * The reader of keys drives it: rdb_value_begin() behind the key, then either rdb_value_run(), which walks over all
 * elements as reader->flags say, or rdb_value_next() (value.h) step by step and rdb_value_rest() for what the caller
 * left. All of them read through reader->window and stop like everything else with rdb_fail().
 */
#ifndef RCF_RDB_VALUE_PRIVATE_H
#define RCF_RDB_VALUE_PRIVATE_H

#include "parsers/rdb/rdb_program.h"
#include "parsers/rdb/rdb_quick.h"
#include "parsers/rdb/rdb_template.h"
#include "parsers/rdb/rdb_words.h"
#include "parsers/rdb/value.h"

struct rdb;
struct rdb_row;
struct rdb_stream; /* rdb_stream.h: the walk over a stream */

enum {
    RDB_VALUE_DAMAGES = 32, /* told of one value; what is beyond is counted */
    RDB_SCORE_NAN = 253,    /* lengths of a score as text that are scores themselves */
    RDB_SCORE_PLUS,
    RDB_SCORE_MINUS,
};

enum rdb_value_state { RDB_VALUE_NONE, RDB_VALUE_OPEN, RDB_VALUE_DONE };

/* A string in the value, compressed or not: where it stands and where its bytes are. */
struct rdb_blob {
    uint64_t offset; /* of the string, its length included */
    uint64_t length; /* of all of it */
    uint64_t inside; /* offset of its first byte as it is; 0 when it is compressed */
};

/* Where the value of the current key is being read. All of it is the walk's own. */
struct rdb_value {
    enum rdb_value_state state;
    const struct rdb_row *row;
    struct rdb_program program;
    struct rdb_key key; /* complete at the end; its name is borrowed from the run RDB_NAME */
    uint64_t from;      /* offset of the value */

    bool checks;       /* tell what is wrong */
    bool wants_values; /* somebody looks at names and values, not only at what is wrong with them */
    bool digests;
    bool unique;   /* names of elements must differ */
    bool may_be_empty;
    bool descends; /* a sorted set from the highest score on */
    bool damaged;                  /* something is missing, so that it is no wonder when counts do not fit */
    uint64_t elements;             /* given or known to be there */
    uint64_t strings, string_bytes; /* that the reader has seen: as in rdb_key */
    unsigned told;                 /* damages */
    uint64_t untold;               /* beyond RDB_VALUE_DAMAGES */

    /* The element that is being put together, outside of blobs. */
    struct rdb_element element;
    bool pending; /* a part of it has been read */
    bool broken;  /* a part of it could not be decoded */
    bool waits;   /* it is complete, and is given behind its damages */
    bool in_module;
    bool compressed; /* its value was */
    uint64_t element_from; /* offset */
    uint64_t container; /* of a list's node */
    unsigned parity;    /* which of the two runs for names has its name; the other has that of the element before */

    /* The blob that is being read. */
    bool in_blob;
    uint8_t group;  /* entries that make an element */
    bool templated; /* values of a template's fields */
    struct packed packed;
    struct rdb_blob blob;
    struct place entry; /* of the last entry, in the blob */
    uint64_t blob_elements;

    bool has_before; /* sorted sets: the element before */
    double score_before;
    struct rdb_scalar name_before;
    bool has_floor; /* hashes: the least expiry, as stated */
    int64_t expiry_floor, expiry_least, expiry_before;

    const struct rdb_template *template;
    uint64_t field; /* of the template, the next */

    struct rdb_templates *templates; /* of the dump */
    struct rdb_quick quick;
    struct rdb_words *words;
    struct rdb_stream *stream; /* NULL before the first */
    struct rdb_digest *digest;
};

/* Frees what the walk holds. */
void rdb_value_close(struct rdb *reader);

/* Behind the name of a key, whose row has a layout: walks over all elements as reader->flags say. Fills elements,
 * strings, string_bytes, digest, value_length and name of `key`, and queues damages as rdb_report() does. False when
 * the reader has stopped. */
bool rdb_value_run(struct rdb *reader, const struct rdb_row *row, struct rdb_key *key);

/* The same place, for a caller who pulls elements with rdb_value_next(): `key` is copied; rdb_value_key() gives it with
 * what the walk finds out. False without memory: the reader has stopped. */
bool rdb_value_begin(struct rdb *reader, const struct rdb_row *row, const struct rdb_key *key);

/* What that caller has left is read without a look inside; damage that was not told is gone. False when the reader has
 * stopped. */
bool rdb_value_rest(struct rdb *reader);

/* Queues damage inside the value; unlike rdb_report() as often as it occurs, up to RDB_VALUE_DAMAGES. Nothing where
 * nobody checks. `expected` is static. */
void rdb_value_report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                      const char *format, ...) __attribute__((cold, format(printf, 5, 6)));

/* The place in the file of `place`, which counts from the start of the bytes of `blob`: those bytes, or the whole
 * string where it is compressed. */
struct place rdb_blob_place(const struct rdb_blob *blob, struct place place);

/* The same as rdb_value_report() for a place in a blob: where it is compressed, `found` ends with the byte. */
void rdb_blob_report(struct rdb *reader, enum rdb_defect defect, const struct rdb_blob *blob, struct place place,
                     const char *expected, const char *format, ...) __attribute__((cold, format(printf, 6, 7)));

/* rdb_value_packed.c */

/* Opens the blob behind a letter of a layout, which the reader has reached. False when the reader has stopped. */
bool rdb_blob_open(struct rdb *reader, char letter);

/* PARSE_ITEM with the next element in value->element, where somebody wants it; PARSE_DAMAGE behind the last: then the
 * blob is closed. */
enum parse_step rdb_blob_next(struct rdb *reader);

/* How many elements the header of the blob behind a letter states, added to value->elements, and past it. Where the
 * header does not say, they are counted. */
bool rdb_blob_count(struct rdb *reader, char letter);

/* rdb_value_check.c: what is wrong with the current element, and with all of them together. */
void rdb_check_begin(struct rdb *reader);
void rdb_check_element(struct rdb *reader);
void rdb_check_twin(struct rdb *reader, struct place place, uint64_t first, uint64_t again);
bool rdb_check_end(struct rdb *reader); /* false when the reader has stopped */

/* Below 0, 0 or above: by the bytes of the texts. */
int rdb_name_order(const struct rdb_scalar *a, const struct rdb_scalar *b);

/* The dump has sorted sets of this type from the highest score on. */
bool rdb_scores_descend(const struct rdb *reader, const struct rdb_row *row);

/* Where the current element stands. */
struct place rdb_element_place(const struct rdb *reader);

/* rdb_value_parts.c */

/* Reads what a letter of a layout stands for into value->element. False when the reader has stopped. */
bool rdb_element_part(struct rdb *reader, char letter);

/* The same for the next value of a module; value->in_module ends behind the last. */
bool rdb_module_value(struct rdb *reader);

/* Words that were read before the window moved are borrowed anew. */
void rdb_element_refresh(struct rdb *reader);

/* The same for the name of the element before, which stays until the next but one. */
void rdb_element_before(struct rdb *reader, struct rdb_scalar *name);

/* rdb_step.c */

/* Walks over what one letter of a layout stands for. */
bool rdb_step_letter(struct rdb *reader, struct rdb_program *program, char letter);

/* Runs a program to its end. */
bool rdb_step_rest(struct rdb *reader, struct rdb_program *program);

/* What follows an opcode in a module's value, or a tag in an array: a letter that stands for one thing;
 * RDB_PROGRAM_END behind the last value of a module, RDB_PROGRAM_STOP when the reader has stopped. */
char rdb_module_payload(struct rdb *reader);
char rdb_array_payload(struct rdb *reader);

/* Past the values of a module, which are counted in value->elements. */
bool rdb_module_count(struct rdb *reader);

/* Container of a list's node: 1 or 2. */
bool rdb_container(struct rdb *reader, uint64_t *container);

#endif
