/* RDB dumps from hostile bytes: no crash, and what is said about places holds.
 *
 * The first byte chooses what is asked of values (three bits), the size of the window (two), and how many elements of
 * each value are pulled, 0 for all (three). */
#include <stdlib.h>

#include "parsers/rdb/rdb_private.h"
#include "parsers/rdb/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Touches every byte that the reader gave, so that a sanitizer sees what it may not give. */
static unsigned touch(struct bytes bytes)
{
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.len; i++)
        sum += bytes.at[i];
    return sum;
}

static void check_item(const struct rdb_item *item, size_t size, unsigned *sum)
{
    require(item->place.offset <= size && item->place.length <= size - item->place.offset);
    if (item->kind == RDB_KEY) {
        const struct rdb_key *key = &item->key;
        require(key->type_name != NULL);
        require(key->value_offset + key->value_length == item->place.offset + item->place.length);
        *sum += touch(key->name);
    } else {
        *sum += touch(item->name) + touch(item->value);
    }
}

static void check_damage(const struct rdb *reader)
{
    const struct damage *damage = rdb_damage(reader);
    require(damage && damage->expected && damage->found && *damage->found);
    require(damage->code < RDB_DEFECTS && rdb_defect_name((enum rdb_defect)damage->code));
}

/* Up to `most` elements of the value, which may be all of them or not. */
static void pull(struct rdb *reader, unsigned most, unsigned *sum)
{
    const struct rdb_element *element;
    enum parse_step step = PARSE_ITEM;
    for (unsigned n = 0; (!most || n < most) && (step == PARSE_ITEM || step == PARSE_DAMAGE); n++) {
        step = rdb_value_next(reader, &element);
        if (step == PARSE_DAMAGE)
            check_damage(reader);
        if (step != PARSE_ITEM)
            continue;
        require(element->place.offset <= element->place.offset + element->place.length);
        unsigned kind = element->kind;
        if (kind == RDB_ELEMENT_MEMBER || kind == RDB_ELEMENT_SCORED || kind == RDB_ELEMENT_FIELD ||
            kind == RDB_ELEMENT_ENTRY_FIELD || kind == RDB_ELEMENT_GROUP || kind == RDB_ELEMENT_CONSUMER ||
            kind == RDB_ELEMENT_PRODUCER || kind == RDB_ELEMENT_PRODUCED || kind == RDB_ELEMENT_MODULE)
            *sum += element->name.integer ? 1 : touch(element->name.text);
        if (kind == RDB_ELEMENT_STRING || kind == RDB_ELEMENT_ITEM || kind == RDB_ELEMENT_FIELD ||
            kind == RDB_ELEMENT_ENTRY_FIELD || kind == RDB_ELEMENT_OPAQUE ||
            ((kind == RDB_ELEMENT_SLOT || kind == RDB_ELEMENT_MODULE_VALUE) && !element->is_float))
            *sum += element->value.integer ? 1 : touch(element->value.text);
    }
    require(step != PARSE_STOP || rdb_stop(reader) != RDB_STOP_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    static const size_t windows[] = {RDB_WINDOW_LEAST, 61, 4096, 65536};
    static const unsigned asked[] = {0,          RDB_CHECK_VALUES, RDB_DIGEST_VALUES, RDB_COUNT_ELEMENTS,
                                     RDB_VALUES, RDB_VALUES,       RDB_CHECK_VALUES,  RDB_VALUES};
    unsigned choice = *data++, flags = asked[choice & 7];
    size--;
    struct source *source = source_memory(data, size);
    struct rdb *reader = rdb_open_sized(source, flags, windows[choice >> 3 & 3]);
    if (!reader)
        return 0;
    rdb_expect_end(reader);

    struct rdb_item item;
    enum parse_step step;
    unsigned sum = 0;
    /* A compressed source may be longer than what it comes from. */
    size_t most = size;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            check_damage(reader);
            continue;
        }
        most = rdb_offset(reader) > most ? (size_t)rdb_offset(reader) : most;
        check_item(&item, most, &sum);
        if (flags & RDB_VALUES && item.kind == RDB_KEY)
            pull(reader, choice >> 5, &sum);
    }
    require((step == PARSE_STOP) == (rdb_stop(reader) != RDB_STOP_NONE));
    require((step == PARSE_STOP) == (rdb_why(reader) != NULL));
    volatile unsigned sink = sum;
    (void)sink;
    rdb_close(reader);
    source_close(source);
    return 0;
}
