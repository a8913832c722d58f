#include "tools/render/keys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/lzf.h"
#include "tools/render/escape.h"
#include "tools/render/row_mould.h"
#include "tools/render/value_json.h"

/* The value stands between `offset` and `elements`: what follows it is known after it only. */
enum { KEY_FILE, KEY_DB, KEY_KEY, KEY_TYPE, KEY_ENCODING, KEY_SLOT, KEY_EXPIRES, KEY_IDLE, KEY_FREQ, KEY_OFFSET,
       KEY_ELEMENTS, KEY_BYTES, KEY_COLUMNS };

static const struct column columns[KEY_COLUMNS] = {
    [KEY_FILE] = {"file", COLUMN_BYTES, NULL, 0, 0, "as named; only when several are"},
    [KEY_DB] = {"db", COLUMN_COUNT, NULL, 0, 0, "database"},
    [KEY_KEY] = {"key", COLUMN_BYTES, NULL, 60, 0, "its name; in text cut to 60 columns, with ... at the end"},
    [KEY_TYPE] = {"type", COLUMN_TEXT, NULL, 0, 0, "string, list, set, zset, hash, stream, module, array, json, ..."},
    [KEY_ENCODING] = {"encoding", COLUMN_TEXT, NULL, 0, 0, "form in which the dump stores it"},
    [KEY_SLOT] = {"slot", COLUMN_COUNT, NULL, 0, 0, "hash slot, 0 to 16383"},
    [KEY_EXPIRES] = {"expires", COLUMN_TIME, NULL, 0, 0, "when it expires; absent: never"},
    [KEY_IDLE] = {"idle", COLUMN_U64, NULL, 0, 0, "seconds without access before the dump, where it says so"},
    [KEY_FREQ] = {"freq", COLUMN_COUNT, NULL, 0, 0, "logarithmic frequency counter, where the dump has it"},
    [KEY_OFFSET] = {"offset", COLUMN_U64, NULL, 0, 0, "of the record, its expiry included, in the decoded content"},
    [KEY_ELEMENTS] = {"elements", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "items, members, fields; 1 for a string"},
    [KEY_BYTES] = {"bytes", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "of the serialised value"},
};

const struct record_type keys_file_record = {"rcf-rdb-keys", 1, "keys", columns, KEY_COLUMNS};
const struct record_type keys_record = {"rcf-rdb-keys", 1, "keys", columns + 1, KEY_COLUMNS - 1};

enum {
    PIECE = 1024 * 1024, /* more of a value, or of rows with values, is not kept when it can be written */
    FOUND_TEXT = 192,
    PLAIN_LONGEST = UINT16_MAX, /* bytes of a value in struct rdb_plain */
    SHAPES = 64, /* for types below 32, with and without expiry, none displaces another, */
    SHAPE_WAYS = 2 /* nor does a string that is an integer one that is not */
};

struct damages {
    uint64_t count;
    struct place place; /* of the first */
    char expected[FOUND_TEXT], found[FOUND_TEXT];
};

/* A row of text, kept because the widths of columns are known to one thread only. */
struct kept {
    struct cell cells[KEY_COLUMNS];
    size_t name; /* where the bytes of the key begin */
};

/* What rows have in common: all but the cells that are different in nearly every row. */
struct shape {
    uint32_t db;
    unsigned marks; /* which of expiry, idle and freq there are */
    const char *type_name, *encoding;
    struct row_mould *row;  /* with values: up to the value */
    struct row_mould *tail; /* with values: what follows a sound one */
};

struct batch {
    struct keys_output *output;
    struct batch *next; /* among those that rest */
    struct out *out;    /* rows; for text, the names of keys */
    struct kept *kept;
    size_t kept_count, kept_cap;
    bool begun;
    uint64_t from, to; /* what it has read of the dump */
    struct cell cells[KEY_COLUMNS];
    struct shape shapes[SHAPES][SHAPE_WAYS];
    unsigned file; /* to which the shapes belong */
    uint8_t text[PLAIN_LONGEST + LZF_ROOM]; /* a value that was compressed */
    struct damages damages;
};

struct keys_output {
    struct out *out;
    const struct selection *selection;
    unsigned flags;
    const char *path;
    unsigned file; /* its number */
    struct rows *rows;
    struct table *table;      /* text, instead of rows */
    const struct row_form *form;
    size_t first;             /* column of the record type */
    _Atomic uint64_t written; /* the dump up to here is in the output */
    struct damages damages;
    pthread_mutex_t lock; /* of `resting` */
    struct batch *resting; /* ended batches, whose memory is used again */
};

/* Batches */

static void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    out_close(batch->out);
    free(batch->kept);
    for (size_t i = 0; i < SHAPES * SHAPE_WAYS; i++) {
        row_mould_free(batch->shapes[i / SHAPE_WAYS][i % SHAPE_WAYS].row);
        row_mould_free(batch->shapes[i / SHAPE_WAYS][i % SHAPE_WAYS].tail);
    }
    free(batch);
}

static struct batch *batch_new(struct keys_output *output)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->output = output;
    batch->out = out_open_memory();
    if (batch->out)
        return batch;
    free(batch);
    return NULL;
}

static void begin_file(struct batch *batch)
{
    const struct keys_output *output = batch->output;
    if (batch->file == output->file)
        return;
    batch->file = output->file;
    batch->cells[KEY_FILE] = (struct cell){.present = true, .bytes = escape_string(output->path)};
    for (size_t i = 0; i < SHAPES * SHAPE_WAYS; i++)
        batch->shapes[i / SHAPE_WAYS][i % SHAPE_WAYS].type_name = NULL;
}

static void *begin(void *context)
{
    struct keys_output *output = context;
    pthread_mutex_lock(&output->lock);
    struct batch *batch = output->resting;
    if (batch)
        output->resting = batch->next;
    pthread_mutex_unlock(&output->lock);
    if (!batch)
        batch = batch_new(output);
    if (batch)
        begin_file(batch);
    return batch;
}

static void rest(struct keys_output *output, struct batch *batch)
{
    out_empty(batch->out);
    batch->kept_count = 0;
    batch->begun = false;
    batch->damages.count = 0;
    pthread_mutex_lock(&output->lock);
    batch->next = output->resting;
    output->resting = batch;
    pthread_mutex_unlock(&output->lock);
}

/* Rows */

/* What keys of one shape have in common: these cells, and which of the others are there. */
static void fill_shared(struct cell *cells, const struct rdb_key *key)
{
    const char *type = key->datatype == RDB_OTHER ? key->type_name : rdb_datatype_name(key->datatype);
    cells[KEY_DB] = (struct cell){.present = true, .count = key->db};
    cells[KEY_TYPE] = (struct cell){.present = true, .bytes = escape_string(type)};
    cells[KEY_ENCODING] = (struct cell){.present = true, .bytes = escape_string(key->encoding)};
    cells[KEY_EXPIRES].present = key->has_expiry;
    cells[KEY_IDLE].present = key->has_idle;
    cells[KEY_FREQ].present = key->has_freq;
    cells[KEY_KEY].present = cells[KEY_SLOT].present = cells[KEY_OFFSET].present = cells[KEY_ELEMENTS].present =
        cells[KEY_BYTES].present = true;
}

/* What stands in the others. */
static void fill_own(struct cell *cells, const struct rdb_item *item, unsigned slot)
{
    const struct rdb_key *key = &item->key;
    cells[KEY_KEY].bytes = key->name;
    cells[KEY_SLOT].count = slot;
    cells[KEY_EXPIRES].ms = key->expire_ms;
    cells[KEY_IDLE].u64 = key->idle_s;
    cells[KEY_FREQ].count = key->freq;
    cells[KEY_OFFSET].u64 = item->place.offset;
    cells[KEY_ELEMENTS].u64 = key->elements;
    cells[KEY_BYTES].u64 = key->value_length;
}

/* The columns from `from` to `to` - 1: those that are different in each row of the shape as holes. */
static void mould_columns(struct batch *batch, struct row_mould *mould, struct out *fixed, size_t from, size_t to)
{
    static const bool own[KEY_COLUMNS] = {
        [KEY_KEY] = true,  [KEY_SLOT] = true,   [KEY_EXPIRES] = true,  [KEY_IDLE] = true,
        [KEY_FREQ] = true, [KEY_OFFSET] = true, [KEY_ELEMENTS] = true, [KEY_BYTES] = true,
    };
    const struct keys_output *output = batch->output;
    for (size_t i = from; i < to; i++) {
        if (own[i] && batch->cells[i].present)
            row_mould_hole(mould, i - output->first);
        else
            row_piece(output->form, fixed, batch->cells + output->first, i - output->first, i - output->first + 1);
    }
}

/* False without memory. */
static bool make_moulds(struct batch *batch, struct shape *shape)
{
    const struct keys_output *output = batch->output;
    const bool values = output->flags & KEYS_VALUES;
    if (!shape->row)
        shape->row = row_mould_new(output->form);
    if (!shape->tail && values)
        shape->tail = row_mould_new(output->form);
    if (!shape->row || (values && !shape->tail))
        return false;
    struct out *fixed = row_mould_begin(shape->row);
    mould_columns(batch, shape->row, fixed, output->first, values ? KEY_ELEMENTS : KEY_COLUMNS);
    if (!values) {
        row_end(output->form, fixed);
        return row_mould_end(shape->row);
    }
    row_key(output->form, fixed, "value");
    fixed = row_mould_begin(shape->tail);
    mould_columns(batch, shape->tail, fixed, KEY_ELEMENTS, KEY_COLUMNS);
    row_key(output->form, fixed, "sound");
    out_text(fixed, "true");
    row_end(output->form, fixed);
    return row_mould_end(shape->row) && row_mould_end(shape->tail);
}

static inline bool has_shape(const struct shape *shape, const struct rdb_key *key, unsigned marks)
{
    return shape->type_name == key->type_name && shape->encoding == key->encoding && shape->db == key->db &&
           shape->marks == marks;
}

/* The shape of a key whose own cells are filled, which is not the first of the two ways, but then is. NULL, and the
 * batch failed, without memory. */
static const struct shape *find_shape(struct batch *batch, struct shape ways[SHAPE_WAYS], const struct rdb_key *key,
                                      unsigned marks)
{
    struct shape first = ways[1];
    ways[1] = ways[0];
    ways[0] = first;
    if (has_shape(ways, key, marks))
        return ways;
    *ways = (struct shape){key->db, marks, key->type_name, key->encoding, first.row, first.tail};
    fill_shared(batch->cells, key);
    if (make_moulds(batch, ways))
        return ways;
    ways->type_name = NULL;
    out_fail(batch->out, ENOMEM);
    return NULL;
}

static inline const struct shape *shape_of(struct batch *batch, const struct rdb_key *key)
{
    unsigned marks = key->has_expiry | (unsigned)key->has_idle << 1 | (unsigned)key->has_freq << 2;
    struct shape *ways = batch->shapes[(2 * (size_t)key->type + key->has_expiry) % SHAPES];
    return has_shape(ways, key, marks) ? ways : find_shape(batch, ways, key, marks);
}

/* The name is the only thing in the cells that does not outlive the item. */
static void keep_row(struct batch *batch, const struct rdb_key *key)
{
    fill_shared(batch->cells, key);
    if (batch->kept_count == batch->kept_cap) {
        size_t cap = batch->kept_cap ? 2 * batch->kept_cap : 256;
        struct kept *larger = realloc(batch->kept, cap * sizeof(*larger));
        if (!larger) {
            out_fail(batch->out, ENOMEM);
            return;
        }
        batch->kept = larger;
        batch->kept_cap = cap;
    }
    struct kept *kept = &batch->kept[batch->kept_count++];
    memcpy(kept->cells, batch->cells, sizeof(kept->cells));
    kept->name = out_held(batch->out).len;
    out_bytes(batch->out, batch->cells[KEY_KEY].bytes.at, batch->cells[KEY_KEY].bytes.len);
}

static void write_kept(struct keys_output *output, struct batch *batch)
{
    const uint8_t *names = out_held(batch->out).at;
    for (size_t i = 0; i < batch->kept_count; i++) {
        batch->kept[i].cells[KEY_KEY].bytes.at = names + batch->kept[i].name;
        table_cells(output->table, batch->kept[i].cells + output->first);
    }
}

/* Values */

static void note_damage(struct damages *damages, const struct damage *damage)
{
    if (damages->count++ > 0)
        return;
    damages->place = damage->place;
    const char *const texts[] = {damage->expected, damage->found};
    char *const places[] = {damages->expected, damages->found};
    for (size_t i = 0; i < 2; i++) {
        size_t len = texts[i] ? strnlen(texts[i], FOUND_TEXT - 1) : 0;
        memcpy(places[i], texts[i] ? texts[i] : "", len);
        places[i][len] = '\0';
    }
}

/* Whether the size of a value decides already when so much of it has been read: the key is taken, refused, or
 * it is too early to say. */
enum fate { TAKEN, REFUSED, OPEN };

static enum fate fate_at(const struct selection *selection, uint64_t read)
{
    if (selection->has_most)
        return read > selection->most ? REFUSED : OPEN;
    return selection->has_least && read < selection->least ? OPEN : TAKEN;
}

/* Writes what a batch holds before its turn to be merged has come, when all before it has been written: then it is
 * the one that is merged next, and nobody else writes. */
static void write_ahead(struct batch *batch)
{
    struct keys_output *output = batch->output;
    if (atomic_load(&output->written) != batch->from)
        return;
    rows_add(output->rows, out_held(batch->out));
    out_empty(batch->out);
}

/* The row of a key with its value, which is read meanwhile. */
static void write_with_value(struct batch *batch, struct rdb *reader, const struct rdb_item *item)
{
    struct keys_output *output = batch->output;
    const struct row_form *form = output->form;
    const struct cell *cells = batch->cells + output->first;
    const struct shape *shape = shape_of(batch, &item->key);
    struct value_json writer;
    const struct rdb_element *element;
    size_t start = out_held(batch->out).len;
    uint64_t damages = batch->damages.count;
    enum fate fate = fate_at(output->selection, 0);

    if (!shape)
        return;
    row_mould_write(shape->row, batch->out, cells);
    value_json_begin(&writer, batch->out, item->key.datatype);
    enum parse_step step;
    while ((step = rdb_value_next(reader, &element)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            note_damage(&batch->damages, rdb_damage(reader));
            continue;
        }
        value_json_element(&writer, element);
        if (out_held(batch->out).len < PIECE)
            continue;
        uint64_t end = element->place.offset + element->place.length;
        fate = fate_at(output->selection, end > item->key.value_offset ? end - item->key.value_offset : 0);
        if (fate == REFUSED)
            break;
        if (fate == TAKEN)
            write_ahead(batch);
    }
    const struct rdb_key *key = rdb_value_key(reader);
    if (fate == OPEN && step == PARSE_END)
        fate = selection_takes_size(output->selection, key->value_length) ? TAKEN : REFUSED;
    if (fate == REFUSED) {
        out_cut(batch->out, start);
        return;
    }
    value_json_end(&writer);
    batch->cells[KEY_ELEMENTS].u64 = key->elements;
    batch->cells[KEY_BYTES].u64 = key->value_length;
    if (step == PARSE_END && batch->damages.count == damages) {
        row_mould_write(shape->tail, batch->out, cells);
        return;
    }
    fill_shared(batch->cells, key);
    if (step != PARSE_END)
        batch->cells[KEY_ELEMENTS].present = batch->cells[KEY_BYTES].present = false;
    row_piece(form, batch->out, cells, KEY_ELEMENTS - output->first, KEY_COLUMNS - output->first);
    row_key(form, batch->out, "sound");
    out_text(batch->out, "false");
    row_end(form, batch->out);
}

static void write_row(struct batch *batch, const struct rdb_item *item)
{
    const struct shape *shape = shape_of(batch, &item->key);
    if (shape)
        row_mould_write(shape->row, batch->out, batch->cells + batch->output->first);
}

/* The job */

static void note_read(struct batch *batch, struct place place)
{
    if (!batch->begun)
        batch->from = place.offset;
    batch->begun = true;
    batch->to = place.offset + place.length;
}

static bool take_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    struct batch *batch = context;
    struct keys_output *output = batch->output;
    bool values = output->flags & KEYS_VALUES;
    note_read(batch, item->place);
    if (item->kind != RDB_KEY)
        return true;

    const struct rdb_key *key = &item->key;
    unsigned slot = keyslot(key->name);
    if (!selection_takes_key(output->selection, key, slot) ||
        (!values && !selection_takes_size(output->selection, key->value_length)))
        return true;
    fill_own(batch->cells, item, slot);
    if (values)
        write_with_value(batch, reader, item);
    else if (output->table)
        keep_row(batch, key);
    else
        write_row(batch, item);
    return !out_error(batch->out);
}

/* The value of a plain key. False when it does not expand, which the reader has proved already. */
static bool plain_value(struct batch *batch, const struct rdb_plain_key *key, struct rdb_scalar *word)
{
    struct bytes stored = {key->value, key->stored};
    *word = (struct rdb_scalar){.integer = key->form == RDB_PLAIN_INTEGER, .text = stored};
    if (key->form == RDB_PLAIN_PACKED) {
        word->text = (struct bytes){batch->text, key->size};
        return lzf_expand_roomy(stored, batch->text, key->size);
    }
    if (word->integer) {
        struct cursor cursor = cursor_over(stored);
        uint64_t sign = UINT64_C(1) << (8 * stored.len - 1), raw = cursor_le(&cursor, stored.len);
        word->number = (int64_t)((raw ^ sign) - sign);
    }
    return true;
}

static bool write_plain_value(struct batch *batch, const struct shape *shape, const struct rdb_plain_key *key)
{
    struct rdb_scalar word;
    if (!plain_value(batch, key, &word)) {
        out_fail(batch->out, EINVAL);
        return false;
    }
    value_json_string(batch->out, &word);
    row_mould_write(shape->tail, batch->out, batch->cells + batch->output->first);
    return true;
}

static inline void fill_plain(struct cell *cells, const struct rdb_plain *run, const struct rdb_plain_key *key,
                              unsigned slot)
{
    cells[KEY_KEY].bytes = rdb_plain_name(key);
    cells[KEY_SLOT].count = slot;
    cells[KEY_EXPIRES].ms = key->expire_ms;
    cells[KEY_OFFSET].u64 = run->offset + key->from;
    cells[KEY_ELEMENTS].u64 = 1;
    cells[KEY_BYTES].u64 = (uint64_t)(key->value - key->name) + key->stored - key->name_length;
}

/* Rows of plain keys. What take_item() looks up for each key is looked up for each of their shapes, where the selection
 * does not ask for more. */
static bool take_plain(void *context, const struct rdb_plain *run)
{
    struct batch *batch = context;
    const struct keys_output *output = batch->output;
    const bool values = output->flags & KEYS_VALUES, narrow = output->selection->narrow;
    struct shape shapes[2][2] = {{{0}}}; /* by expiry and integer; copies: one moves when another comes */
    struct place last = rdb_plain_place(run, &run->keys[run->count - 1]);
    note_read(batch, (struct place){.offset = run->offset, .length = last.offset + last.length - run->offset});
    for (size_t i = 0; i < run->count; i++) {
        const struct rdb_plain_key *key = &run->keys[i];
        struct shape *shape = &shapes[key->has_expiry][key->form == RDB_PLAIN_INTEGER];
        unsigned slot = keyslot(rdb_plain_name(key));
        if (narrow || !shape->row) {
            struct rdb_item item;
            rdb_plain_item(run, key, &item);
            if (narrow && !selection_takes(output->selection, &item.key, slot))
                continue;
            const struct shape *found = shape_of(batch, &item.key);
            if (!found)
                return false;
            *shape = *found;
        }
        fill_plain(batch->cells, run, key, slot);
        row_mould_write(shape->row, batch->out, batch->cells + output->first);
        if (values && !write_plain_value(batch, shape, key))
            return false;
    }
    if (out_held(batch->out).len >= PIECE)
        write_ahead(batch);
    return !out_error(batch->out);
}

static bool merge(void *context, void *merged)
{
    struct keys_output *output = context;
    struct batch *batch = merged;
    if (output->table)
        write_kept(output, batch);
    else
        rows_add(output->rows, out_held(batch->out));
    if (output->damages.count == 0)
        output->damages = batch->damages;
    else
        output->damages.count += batch->damages.count;
    if (batch->begun)
        atomic_store(&output->written, batch->to);
    rest(output, batch);
    return !out_error(output->out);
}

static void drop(void *context, void *dropped)
{
    struct keys_output *output = context;
    struct batch *batch = dropped;
    if (out_error(batch->out))
        out_fail(output->out, out_error(batch->out));
    rest(output, batch);
}

void keys_output_file(struct keys_output *output, const char *path, struct scan_job *job)
{
    output->path = path;
    output->file++;
    output->damages.count = 0;
    atomic_store(&output->written, 0);
    *job = (struct scan_job){
        .flags = output->flags & KEYS_VALUES ? RDB_VALUES : RDB_COUNT_ELEMENTS,
        .context = output,
        .begin = begin,
        .item = take_item,
        .merge = merge,
        .drop = drop,
        .plain = output->table ? NULL : take_plain,
    };
}

uint64_t keys_output_damages(const struct keys_output *output, struct place *place, const char **expected,
                             const char **found)
{
    *place = output->damages.place;
    *expected = output->damages.expected;
    *found = output->damages.found;
    return output->damages.count;
}

struct keys_output *keys_output_open(struct out *out, enum format format, const struct selection *selection,
                                     unsigned flags)
{
    struct keys_output *output = calloc(1, sizeof(*output));
    if (!output || pthread_mutex_init(&output->lock, NULL) != 0) {
        free(output);
        out_fail(out, ENOMEM);
        return NULL;
    }
    const struct record_type *type = flags & KEYS_FILES ? &keys_file_record : &keys_record;
    output->out = out;
    output->selection = selection;
    output->flags = flags;
    output->first = flags & KEYS_FILES ? KEY_FILE : KEY_DB;
    if (format == FORMAT_TEXT)
        output->table = table_open(out, type, format);
    else
        output->rows = rows_open(out, type, format);
    if (output->rows)
        output->form = rows_form(output->rows);
    if (output->table || output->rows)
        return output;
    keys_output_close(output);
    return NULL;
}

void keys_output_close(struct keys_output *output)
{
    if (!output)
        return;
    table_close(output->table);
    rows_close(output->rows);
    while (output->resting) {
        struct batch *batch = output->resting;
        output->resting = batch->next;
        batch_free(batch);
    }
    pthread_mutex_destroy(&output->lock);
    free(output);
}
