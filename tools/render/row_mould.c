/* Rows most of whose cells are always the same. */
#include "tools/render/row_mould.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/render/put.h"
#include "tools/render/row_private.h"
#include "tools/render/time.h"

enum {
    SHORT_TEXT = 512, /* a longer one is not written in place */
    CELL_ROOM = SHORT_TEXT + TIME_SIZE + PUT_SLACK /* enough for any cell that is */
};

/* What is written of a cell; the quotes around it belong to the text. */
enum hole_kind { HOLE_SLOW, HOLE_CSV_TEXT, HOLE_JSON_TEXT, HOLE_COUNT, HOLE_U64, HOLE_TIME, HOLE_BOOL };

/* A cell, and what stands before it since the one before. */
struct hole {
    uint16_t len;    /* of the text before it */
    uint16_t lead;   /* of it, the part that belongs to the cell */
    uint8_t kind;    /* enum hole_kind */
    uint8_t quote;   /* bytes of the text behind it that do: 0 or 1 */
    uint16_t column;
};

enum { TEXT_MOST = UINT16_MAX };

struct row_mould {
    const struct row_form *form;
    struct out *text; /* all that is the same, and slack */
    struct out *scratch;
    size_t room;   /* for a row of short cells */
    size_t from;   /* of the text: behind the last hole */
    size_t behind; /* the text from there on */
    size_t count;
    struct hole holes[]; /* as many as the type has columns */
};

/* A text of CSV that needs neither quotes nor an apostrophe because of its first and last character. */
static inline bool has_plain_ends(struct bytes text)
{
    static const bool special[256] = {
        ['='] = true, ['+'] = true, ['-'] = true, ['@'] = true, ['\''] = true, [' '] = true,
    };
    return text.len > 0 && !special[text.at[0]] && text.at[text.len - 1] != ' ';
}

/* A cell written in place, where there is room for CELL_ROOM bytes. NULL when it is longer, or needs an escape: then
 * nothing counts as written. */
static inline uint8_t *put_cell(uint8_t *at, enum hole_kind kind, const struct cell *cell)
{
    switch (kind) {
    case HOLE_SLOW: return NULL;
    case HOLE_CSV_TEXT:
        return cell->bytes.len <= SHORT_TEXT && has_plain_ends(cell->bytes) ? put_plain(at, cell->bytes, "\\,\"")
                                                                            : NULL;
    case HOLE_JSON_TEXT: return cell->bytes.len <= SHORT_TEXT ? put_plain(at, cell->bytes, "\\\"\"") : NULL;
    case HOLE_COUNT: return put_i64(at, cell->count);
    case HOLE_U64: return put_u64(at, cell->u64);
    case HOLE_TIME: return (uint8_t *)time_put((char *)at, cell->ms);
    case HOLE_BOOL: return cell->yes ? put(at, "true", 4) : put(at, "false", 5);
    }
    return NULL;
}

static enum hole_kind kind_of(const struct row_form *form, size_t column)
{
    const bool csv = form->format == FORMAT_CSV;
    if (form->type->count == 1) /* a row that may be empty */
        return HOLE_SLOW;
    switch (form->type->columns[column].type) {
    case COLUMN_TEXT:
    case COLUMN_BYTES: return csv ? HOLE_CSV_TEXT : HOLE_JSON_TEXT;
    case COLUMN_COUNT: return HOLE_COUNT;
    case COLUMN_U64: return HOLE_U64;
    case COLUMN_TIME: return HOLE_TIME;
    case COLUMN_BOOL: return HOLE_BOOL;
    case COLUMN_LIST: return HOLE_SLOW;
    }
    return HOLE_SLOW;
}

static bool is_quoted(const struct row_form *form, enum hole_kind kind)
{
    return form->format != FORMAT_CSV && (kind == HOLE_JSON_TEXT || kind == HOLE_U64 || kind == HOLE_TIME);
}

struct row_mould *row_mould_new(const struct row_form *form)
{
    struct row_mould *mould = calloc(1, sizeof(*mould) + form->type->count * sizeof(mould->holes[0]));
    if (!mould)
        return NULL;
    mould->form = form;
    mould->text = out_open_memory();
    mould->scratch = out_open_memory();
    if (mould->text && mould->scratch)
        return mould;
    row_mould_free(mould);
    return NULL;
}

void row_mould_free(struct row_mould *mould)
{
    if (!mould)
        return;
    out_close(mould->text);
    out_close(mould->scratch);
    free(mould);
}

struct out *row_mould_begin(struct row_mould *mould)
{
    out_empty(mould->text);
    mould->from = mould->count = 0;
    return mould->text;
}

void row_mould_hole(struct row_mould *mould, size_t column)
{
    const struct row_form *form = mould->form;
    struct bytes lead = form->leads[column];
    enum hole_kind kind = kind_of(form, column);
    bool quoted = is_quoted(form, kind);
    if (column == 0)
        out_bytes(mould->text, form->begin.at, form->begin.len);
    out_bytes(mould->text, lead.at, lead.len);
    out_text(mould->text, quoted ? "\"" : "");
    size_t len = out_held(mould->text).len - mould->from;
    if (len > TEXT_MOST || mould->count == form->type->count) {
        out_fail(mould->text, EINVAL);
        return;
    }
    mould->holes[mould->count++] = (struct hole){
        .len = (uint16_t)len,
        .lead = (uint16_t)(lead.len + quoted),
        .kind = (uint8_t)kind,
        .quote = quoted,
        .column = (uint16_t)column,
    };
    mould->from += len;
    out_text(mould->text, quoted ? "\"" : "");
}

bool row_mould_end(struct row_mould *mould)
{
    size_t len = out_held(mould->text).len;
    mould->behind = len - mould->from;
    mould->room = len + mould->count * CELL_ROOM + PUT_SLACK;
    out_repeat(mould->text, ' ', PUT_SLACK);
    return !out_error(mould->text);
}

/* A cell that cannot be written in place, behind `at` of the room. Its writer writes what belongs to it, too, so that
 * is taken back. Gives room for the rest of the row; NULL, and the output failed, without memory. */
static uint8_t *write_slowly(const struct row_mould *mould, struct out *out, const struct hole *hole,
                             const struct cell *cells, size_t written)
{
    out_wrote(out, written - hole->lead);
    row_cell(mould->form, out, mould->scratch, hole->column, &cells[hole->column]);
    return out_room(out, mould->room);
}

void row_mould_write(const struct row_mould *mould, struct out *out, const struct cell *cells)
{
    const struct hole *end = mould->holes + mould->count;
    const uint8_t *text = out_held(mould->text).at;
    uint8_t *room = out_room(out, mould->room), *at = room;
    size_t quote = 0; /* bytes of the text that are written already */
    if (!room)
        return;
    for (const struct hole *hole = mould->holes; hole < end; hole++) {
        at = put_padded(at, (struct bytes){text + quote, hole->len - quote});
        text += hole->len;
        quote = 0;
        uint8_t *next = put_cell(at, (enum hole_kind)hole->kind, &cells[hole->column]);
        if (!next) {
            next = room = write_slowly(mould, out, hole, cells, (size_t)(at - room));
            quote = hole->quote;
            if (!room)
                return;
        }
        at = next;
    }
    at = put_padded(at, (struct bytes){text + quote, mould->behind - quote});
    out_wrote(out, (size_t)(at - room));
}
