/* What is wrong with elements and what they say about each other. What looks wrong but is written by servers is not
 * damage: docs/formats/rdb.md. */
#include <inttypes.h>

#include "parsers/rdb/hyperloglog.h"
#include "parsers/rdb/rdb_private.h"

/* The largest expiry of a field in Redis (EB_EXPIRE_TIME_MAX of ebuckets.h). */
static const int64_t EXPIRY_MOST = (INT64_C(1) << 48) - 1;

enum {
    BINARY_SCORES = 5, /* type of sorted sets that servers write from the highest score to the lowest, */
    DESCENDING_FROM = 9 /* in every release, from this version on */
};

enum trait {
    COLLECTION = 1,
    NAMED = 2,    /* its elements have names, of which none may occur twice */
    DISTINCT = 4, /* they cannot: the order of an intset shows it, and names of templates were looked at */
    COUNTED = 8,  /* its elements are not all in one blob */
    EXPIRING = 16 /* Dragonfly lets them expire, all of them if need be */
};

static unsigned traits_of(const struct rdb_row *row)
{
    static const uint8_t of_datatype[RDB_DATATYPES] = {[RDB_LIST] = COLLECTION,
                                                       [RDB_SET] = COLLECTION | NAMED,
                                                       [RDB_ZSET] = COLLECTION | NAMED,
                                                       [RDB_HASH] = COLLECTION | NAMED,
                                                       [RDB_ARRAY] = NAMED};
    static const uint8_t of_letter[128] = {['I'] = DISTINCT, ['k'] = DISTINCT, ['h'] = DISTINCT,
                                           ['n'] = DISTINCT, ['#'] = COUNTED,  ['E'] = EXPIRING};
    unsigned traits = of_datatype[row->datatype];
    for (const char *at = traits ? row->layout : ""; *at; at++)
        traits |= of_letter[(uint8_t)*at];
    return traits;
}

bool rdb_scores_descend(const struct rdb *reader, const struct rdb_row *row)
{
    return row->byte == BINARY_SCORES && reader->version >= DESCENDING_FROM &&
           (reader->dialect == RDB_REDIS || reader->dialect == RDB_VALKEY);
}

void rdb_check_begin(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    unsigned traits = traits_of(value->row);
    value->unique = (traits & (NAMED | DISTINCT)) == NAMED;
    value->may_be_empty = !(traits & COLLECTION) || traits & EXPIRING;
    if (value->unique)
        rdb_words_begin(value->words, !(traits & COUNTED));
    value->descends = rdb_scores_descend(reader, value->row);
    value->has_before = value->has_floor = false;
    value->expiry_least = INT64_MAX;
    value->expiry_before = INT64_MIN;
}

static void report(struct rdb *reader, enum rdb_defect defect, const char *expected, const char *found)
{
    const struct rdb_value *value = &reader->value;
    if (value->in_blob)
        rdb_blob_report(reader, defect, &value->blob, value->entry, expected, "element %" PRIu64 ": %s",
                        value->elements + 1, found);
    else
        rdb_value_report(reader, defect, rdb_element_place(reader), expected, "element %" PRIu64 ": %s",
                         value->elements + 1, found);
}

void rdb_check_twin(struct rdb *reader, struct place place, uint64_t first, uint64_t again)
{
    rdb_value_report(reader, RDB_DUPLICATE_ELEMENT, place, "a member or field once",
                     "element %" PRIu64 " again as element %" PRIu64, first + 1, again + 1);
}

int rdb_name_order(const struct rdb_scalar *a, const struct rdb_scalar *b)
{
    char room_a[RDB_SCALAR_ROOM], room_b[RDB_SCALAR_ROOM];
    struct bytes left = rdb_scalar_text(a, room_a), right = rdb_scalar_text(b, room_b);
    size_t least = left.len < right.len ? left.len : right.len;
    int order = least ? memcmp(left.at, right.at, least) : 0;
    return order ? order : (left.len > right.len) - (left.len < right.len);
}

/* Sorted sets are kept by score, then by the bytes of the member. */
static void check_scored(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    const struct rdb_element *element = &value->element;
    double score = element->score, before = value->score_before;
    if (score != score)
        report(reader, RDB_BAD_SCORE, "a score", "NaN");
    if (!value->in_blob && !value->descends)
        return;
    if (value->has_before) {
        int order = (before > score) - (before < score);
        if (!order && before == score) {
            if (!value->in_blob)
                rdb_element_before(reader, &value->name_before);
            order = rdb_name_order(&value->name_before, &element->name);
        }
        if (value->descends ? order < 0 : order > 0)
            report(reader, RDB_BAD_ORDER, "members by score and name", "belongs before the one before it");
    }
    value->has_before = true;
    value->score_before = score;
    value->name_before = element->name;
}

static void check_expiry(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    const struct rdb_element *element = &value->element;
    int64_t at = element->has_expiry ? element->expire_ms : INT64_MAX;
    if (element->has_expiry && (at < 0 || (reader->dialect == RDB_REDIS && at > EXPIRY_MOST)))
        report(reader, RDB_BAD_FIELD_EXPIRY, "an expiry that servers can hold", "one beyond");
    if (value->in_blob && at < value->expiry_before)
        report(reader, RDB_BAD_FIELD_EXPIRY, "fields by expiry, those without at the end",
               "belongs before the one before it");
    value->expiry_before = at;
    if (at < value->expiry_least)
        value->expiry_least = at;
}

static void check_unique(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    const struct rdb_element *element = &value->element;
    struct rdb_scalar index = {.integer = true, .number = (int64_t)element->index};
    uint64_t twin;
    bool array = value->row->datatype == RDB_ARRAY;
    if (rdb_words_add(value->words, array ? &index : &element->name, &twin))
        rdb_check_twin(reader, element->place, twin, value->elements);
}

static void check_hyperloglog(struct rdb *reader)
{
    const struct rdb_value *value = &reader->value;
    const struct rdb_element *element = &value->element;
    struct bytes text = element->value.text;
    uint64_t at;
    if (element->value.integer || !hyperloglog_begins(text))
        return;
    const char *fault = hyperloglog_fault(text, &at);
    if (!fault)
        return;
    struct place place = element->place, inside = {0};
    if (!value->compressed)
        inside.offset = place.offset + place.length - text.len;
    struct rdb_blob blob = {place.offset, place.length, inside.offset};
    rdb_blob_report(reader, RDB_BAD_HYPERLOGLOG, &blob, (struct place){.offset = at}, "a sound HyperLogLog", "%s",
                    fault);
}

void rdb_check_element(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    switch (value->row->datatype) {
    case RDB_STRING:
        check_hyperloglog(reader);
        return;
    case RDB_ZSET:
        check_scored(reader);
        break;
    case RDB_SET:
    case RDB_HASH:
        if (value->element.has_expiry || value->group == 3)
            check_expiry(reader);
        break;
    default:
        break;
    }
    if (value->unique)
        check_unique(reader);
}

static void check_floor(struct rdb *reader, struct place whole)
{
    const struct rdb_value *value = &reader->value;
    if (!value->has_floor)
        return;
    if (value->expiry_floor < 0 || value->expiry_floor > EXPIRY_MOST)
        rdb_value_report(reader, RDB_BAD_FIELD_EXPIRY, whole, "a least expiry that servers can hold", "one beyond");
    /* It may be earlier: a server does not look for the new one when a field goes. */
    else if (value->expiry_floor > value->expiry_least)
        rdb_value_report(reader, RDB_BAD_FIELD_EXPIRY, whole, "no field that expires before the least expiry stated",
                         "%" PRId64 ", stated %" PRId64, value->expiry_least, value->expiry_floor);
}

bool rdb_check_end(struct rdb *reader)
{
    struct rdb_value *value = &reader->value;
    struct place whole = {value->from, rdb_window_offset(&reader->window) - value->from, 0};
    uint64_t first, again;
    while (value->unique && rdb_words_twins(value->words, &first, &again))
        rdb_check_twin(reader, whole, first, again);
    if (value->unique && rdb_words_failed(value->words))
        return rdb_fail(reader, RDB_STOP_MEMORY, value->from, "out of memory");
    check_floor(reader, whole);
    if (!value->elements && !value->damaged && !value->may_be_empty)
        rdb_value_report(reader, RDB_EMPTY_VALUE, whole, "an element", "none");
    return true;
}
