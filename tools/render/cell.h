/* One cell of a record: its declared column, what stands in it, and its machine forms.
 *
 *            text                     CSV                JSON
 *   TEXT     printable form           printable form     string
 *   BYTES    printable form           printable form     string, and KEY_base64 when not UTF-8
 *   COUNT    1,021 if GROUPED         1021               number
 *   U64      1,021 if GROUPED         1021               "1021"
 *   TIME     2026-11-22T14:52:25.199Z (in all of them)
 *   BOOL     yes, no                  true, false        true, false
 *   LIST     words, blanks between    the same           array of strings
 */
#ifndef RCF_CELL_H
#define RCF_CELL_H

#include <stdbool.h>

#include "tools/render/json.h"
#include "tools/render/out.h"

enum column_type { COLUMN_TEXT, COLUMN_BYTES, COLUMN_COUNT, COLUMN_U64, COLUMN_TIME, COLUMN_BOOL, COLUMN_LIST };

enum column_flag {
    COLUMN_GROUPED = 1, /* thousands separators in text: for counts and sizes, not for ports and epochs */
    COLUMN_MACHINE = 2, /* in CSV and JSON only: too wide or too dull for a screen */
    COLUMN_RIGHT = 4    /* right-aligned in text although it is not a number */
};

struct column {
    const char *key; /* in JSON and in the CSV header: a-z 0-9 _ */
    enum column_type type;
    const char *heading; /* in text; NULL takes the key */
    unsigned width;      /* TEXT and BYTES cells are cut to this many columns of text; 0 never cuts */
    unsigned flags;      /* of enum column_flag */
    const char *help;    /* one sentence without a full stop */
};

/* What stands in a column of a row: the member that its type names. */
struct cell {
    bool present;
    union {
        struct bytes bytes; /* COLUMN_TEXT, COLUMN_BYTES */
        int64_t count;
        uint64_t u64;
        int64_t ms;
        bool yes;
        struct {
            const struct bytes *words;
            size_t count;
        } list;
    };
};

/* The cell as a member of the innermost object. */
void cell_json(struct json *json, const struct column *column, const struct cell *cell);

/* The cell as CSV, without a comma. `alone`: its row has no other, and an absent cell must not leave an empty line.
 * `scratch` is an output in memory, for the function's own use. */
void cell_csv(struct out *out, struct out *scratch, const struct column *column, const struct cell *cell, bool alone);

/* The words of a COLUMN_LIST in their printable form, a blank between. */
void cell_words(struct out *out, const struct cell *cell);

#endif
