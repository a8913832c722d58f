#include "tools/cli/key_options.h"

#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"

const char *const key_option_types[] = {"string", "list",  "set",  "zset",  "hash", "stream",
                                        "module", "array", "json", "other", NULL};

/* "1,3,10-20", each range given to `add`. */
static bool take_ranges(struct selection *selection, const char *value,
                        bool (*add)(struct selection *selection, uint64_t first, uint64_t last))
{
    struct bytes rest = escape_string(value), range;
    bool more = true;
    while (more) {
        more = text_split(rest, ',', &range, &rest);
        struct bytes from, to;
        uint64_t first, last;
        if (!text_split(range, '-', &from, &to))
            to = from;
        if (!text_u64(from, &first) || !text_u64(to, &last) || !add(selection, first, last))
            return false;
    }
    return true;
}

static bool take_type(struct selection *selection, const char *value)
{
    for (unsigned type = 0; type < RDB_DATATYPES; type++) {
        if (strcmp(value, rdb_datatype_name((enum rdb_datatype)type)) == 0) {
            selection_add_type(selection, (enum rdb_datatype)type);
            return true;
        }
    }
    return false;
}

static bool take_expiry(struct selection *selection, const char *value)
{
    static const struct {
        const char *word;
        enum selection_expiry expiry;
        bool has_time;
    } words[] = {
        {"never", SELECTION_EXPIRY_NONE, false},
        {"ever", SELECTION_EXPIRY_SOME, false},
        {"before:", SELECTION_EXPIRY_BEFORE, true},
        {"after:", SELECTION_EXPIRY_AFTER, true},
    };
    struct bytes text = escape_string(value);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        int64_t ms = 0;
        if (words[i].has_time ? text_starts(text, words[i].word) : text_is(text, words[i].word)) {
            if (words[i].has_time && !time_read(text_from(text, strlen(words[i].word)), &ms))
                return false;
            selection_set_expiry(selection, words[i].expiry, ms);
            return true;
        }
    }
    return false;
}

/* "100", "64K", "1M", "2G". */
static bool take_size(struct selection *selection, const char *value,
                      void (*set)(struct selection *selection, uint64_t bytes))
{
    static const char units[] = "KMG";
    struct bytes text = escape_string(value);
    const char *unit = text.len ? memchr(units, text.at[text.len - 1], sizeof(units) - 1) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    uint64_t bytes;
    text.len -= unit != NULL;
    if (!text_u64(text, &bytes) || bytes > UINT64_MAX >> shift)
        return false;
    set(selection, bytes << shift);
    return true;
}

const char *key_options_take(struct selection *selection, int id, const char *value)
{
    switch ((enum key_option)id) {
    case KEY_OPTION_MATCH:
        return selection_add_pattern(selection, escape_string(value)) ? NULL : "at most 64 patterns";
    case KEY_OPTION_TYPE:
        return take_type(selection, value) ? NULL : "a type";
    case KEY_OPTION_SLOT:
        return take_ranges(selection, value, selection_add_slots) ? NULL : "slots up to 16383, such as 5 or 0-99,200";
    case KEY_OPTION_DB:
        return take_ranges(selection, value, selection_add_dbs) ? NULL : "databases, such as 0 or 1-15,20";
    case KEY_OPTION_EXPIRES:
        return take_expiry(selection, value) ? NULL : "never, ever, before:TIME or after:TIME (2026-11-22T14:52)";
    case KEY_OPTION_LEAST:
        return take_size(selection, value, selection_set_least) ? NULL : "a number of bytes, such as 100 or 64K";
    case KEY_OPTION_MOST:
        return take_size(selection, value, selection_set_most) ? NULL : "a number of bytes, such as 100 or 64K";
    }
    return "an option of keys";
}
