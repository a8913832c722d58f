#include <errno.h>
#include <stdlib.h>

#include "tools/render/escape.h"
#include "tools/render/keydiff_output_private.h"

enum { SHOWN = 50 }; /* keys of a kind in text */

enum { HOW, DB, KEY, SLOT, TYPE_A, TYPE_B, BYTES_A, BYTES_B, EXPIRY_A, EXPIRY_B, FILE_A, OFFSET_A, LENGTH_A, FILE_B,
       OFFSET_B, LENGTH_B, COLUMNS };

static const struct column columns[COLUMNS] = {
    [HOW] = {"how", COLUMN_TEXT, .help = "only-a, only-b, type, value, or expiry when nothing else differs"},
    [DB] = {"db", COLUMN_COUNT, .help = "database"},
    [KEY] = {"key", COLUMN_BYTES, .width = 60, .help = "its name"},
    [SLOT] = {"slot", COLUMN_COUNT, .help = "its hash slot"},
    [TYPE_A] = {"type_a", COLUMN_TEXT, .help = "type and encoding in A"},
    [TYPE_B] = {"type_b", COLUMN_TEXT, .help = "the same in B"},
    [BYTES_A] = {"bytes_a", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "serialised value in A"},
    [BYTES_B] = {"bytes_b", COLUMN_U64, .flags = COLUMN_GROUPED, .help = "the same in B"},
    [EXPIRY_A] = {"expiry_a", COLUMN_TIME, .help = "when it expires in A; absent when never"},
    [EXPIRY_B] = {"expiry_b", COLUMN_TIME, .help = "the same in B"},
    [FILE_A] = {"file_a", COLUMN_BYTES, .flags = COLUMN_MACHINE, .help = "dump of A that holds it"},
    [OFFSET_A] = {"offset_a", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "of its record there, in the content"},
    [LENGTH_A] = {"length_a", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "of its record"},
    [FILE_B] = {"file_b", COLUMN_BYTES, .flags = COLUMN_MACHINE, .help = "first dump of B that holds it"},
    [OFFSET_B] = {"offset_b", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "the same in B"},
    [LENGTH_B] = {"length_b", COLUMN_U64, .flags = COLUMN_MACHINE, .help = "the same in B"},
};

const struct record_type keydiff_record = {"rcf-rdb-diff", 1, "keys", columns, COLUMNS};

struct keydiff_writing {
    struct out *out;
    const struct keydiff *diff;
    struct table *table;
    struct json json; /* around the table, in JSON */
    enum format format;
    bool whole;
    uint64_t shown, of_kind[COMPARE_HOWS];
};

bool keydiff_counts(const struct keydiff *diff, enum compare_how how)
{
    switch (how) {
    case COMPARE_ONLY_A:
        return !diff->ignore_only_a;
    case COMPARE_ONLY_B:
        return !diff->ignore_only_b;
    case COMPARE_EXPIRY:
        return !diff->ignore_expiry;
    case COMPARE_TYPE:
    case COMPARE_VALUE:
        return true;
    case COMPARE_EQUAL:
    case COMPARE_HOWS:
        break;
    }
    return false;
}

uint64_t keydiff_differences(const struct keydiff *diff)
{
    uint64_t count = 0;
    for (int how = 0; how < COMPARE_HOWS; how++)
        if (keydiff_counts(diff, (enum compare_how)how))
            count += diff->counts.keys[how];
    return count;
}

/* ------------------------------------------------------------------ JSON around the keys */

static void write_counts(struct json *json, const struct keydiff *diff)
{
    static const struct {
        const char *key;
        enum compare_how how;
    } members[] = {
        {"equal", COMPARE_EQUAL}, {"only_a", COMPARE_ONLY_A}, {"only_b", COMPARE_ONLY_B},
        {"type", COMPARE_TYPE},   {"value", COMPARE_VALUE},   {"expiry", COMPARE_EXPIRY},
    };
    json_object(json, "counts");
    json_u64(json, "keys_a", diff->counts.read[COMPARE_A]);
    json_u64(json, "keys_b", diff->counts.read[COMPARE_B]);
    json_u64(json, "repeated_a", diff->counts.repeated[COMPARE_A]);
    json_u64(json, "repeated_b", diff->counts.repeated[COMPARE_B]);
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        if (members[i].how == COMPARE_EQUAL || keydiff_counts(diff, members[i].how))
            json_u64(json, members[i].key, diff->counts.keys[members[i].how]);
        else
            json_null(json, members[i].key);
    }
    json_end(json);
}

static void write_files(struct json *json, const struct keydiff *diff)
{
    json_array(json, "files");
    for (size_t f = 0; f < diff->file_count; f++) {
        const struct keydiff_file *file = &diff->files[f];
        const struct scan_end *scan = &file->end.scan;
        json_object(json, NULL);
        json_text(json, "side", file->side == COMPARE_A ? "a" : "b");
        json_bytes(json, "file", escape_string(file->path));
        json_u64(json, "keys", file->end.keys);
        json_bool(json, "whole", file->end.whole);
        json_u64(json, "corrupt", file->end.corrupt);
        json_u64(json, "losses", scan->losses);
        json_u64(json, "lost_bytes", scan->lost_bytes);
        if (scan->losses || scan->stop != RDB_STOP_NONE)
            json_bytes(json, "why", escape_string(scan->losses ? scan->first_why : scan->why));
        else
            json_null(json, "why");
        json_end(json);
    }
    json_end(json);
}

static struct table *open_document(struct keydiff_writing *writing)
{
    const struct keydiff *diff = writing->diff;
    struct json *json = &writing->json;
    writing->json = json_on(writing->out, JSON_INDENTED);
    json_object(json, NULL);
    json_text(json, "schema", keydiff_record.schema);
    json_number(json, "version", keydiff_record.version);
    json_text(json, "answer", diff->partial ? "cannot-tell" : keydiff_differences(diff) ? "different" : "equal");
    write_counts(json, diff);
    write_files(json, diff);
    json_bool(json, "listed", diff->listed);
    return table_open_in(json, &keydiff_record);
}

/* ------------------------------------------------------------------ keys */

struct keydiff_writing *keydiff_output_open(struct out *out, enum format format, const struct keydiff *diff,
                                            bool whole)
{
    struct keydiff_writing *writing = calloc(1, sizeof(*writing));
    if (!writing) {
        out_fail(out, ENOMEM);
        return NULL;
    }
    *writing = (struct keydiff_writing){.out = out, .diff = diff, .format = format, .whole = whole};
    if (format == FORMAT_TEXT)
        keydiff_write_summary(out, diff);
    writing->table = format == FORMAT_JSON ? open_document(writing) : table_open(out, &keydiff_record, format);
    return writing;
}

static void write_stored(struct keydiff_writing *writing, const struct compare_stored *stored, bool b)
{
    struct table *table = writing->table;
    if (!stored)
        return;
    table_text(table, b ? TYPE_B : TYPE_A, stored->type_name);
    table_u64(table, b ? BYTES_B : BYTES_A, stored->bytes);
    if (stored->has_expiry)
        table_time(table, b ? EXPIRY_B : EXPIRY_A, stored->expire_ms);
    table_text(table, b ? FILE_B : FILE_A, writing->diff->files[stored->file].path);
    table_u64(table, b ? OFFSET_B : OFFSET_A, stored->place.offset);
    table_u64(table, b ? LENGTH_B : LENGTH_A, stored->place.length);
}

bool keydiff_output_key(struct keydiff_writing *writing, const struct compare_key *key)
{
    struct table *table = writing->table;
    if (!keydiff_counts(writing->diff, key->how))
        return true;
    if (writing->format == FORMAT_TEXT && !writing->whole && writing->of_kind[key->how]++ >= SHOWN)
        return true;
    table_text(table, HOW, compare_how_word(key->how));
    table_count(table, DB, key->db);
    table_bytes(table, KEY, key->name);
    table_count(table, SLOT, key->slot);
    write_stored(writing, key->a, false);
    write_stored(writing, key->b, true);
    table_row(table);
    writing->shown++;
    return out_error(writing->out) == 0;
}

void keydiff_output_close(struct keydiff_writing *writing)
{
    if (!writing)
        return;
    table_close(writing->table);
    if (writing->format == FORMAT_JSON)
        json_end(&writing->json);
    uint64_t differences = keydiff_differences(writing->diff);
    if (writing->format == FORMAT_TEXT && writing->diff->listed && writing->shown < differences)
        keydiff_write_more(writing->out, differences - writing->shown);
    free(writing);
}
