/* RDB dumps from hostile bytes: no crash, and what is said about places holds.
 *
 * The first byte chooses the size of the window and whether values are digested. */
#include <stdlib.h>

#include "parsers/rdb/rdb_private.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    static const size_t windows[] = {RDB_WINDOW_LEAST, 61, 4096, 65536};
    unsigned choice = *data++;
    size--;
    struct source *source = source_memory(data, size);
    struct rdb *reader = rdb_open_sized(source, choice & RDB_DIGEST_VALUES, windows[choice >> 1 & 3]);
    if (!reader)
        return 0;
    rdb_expect_end(reader);

    struct rdb_item item;
    enum parse_step step;
    unsigned sum = 0;
    /* A compressed source may be longer than what it comes from. */
    size_t most = size;
    while ((step = rdb_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        const struct damage *damage = rdb_damage(reader);
        if (step == PARSE_ITEM) {
            most = rdb_offset(reader) > most ? (size_t)rdb_offset(reader) : most;
            check_item(&item, most, &sum);
        } else {
            require(damage && damage->expected && damage->found && *damage->found);
        }
    }
    require((step == PARSE_STOP) == (rdb_stop(reader) != RDB_STOP_NONE));
    require((step == PARSE_STOP) == (rdb_why(reader) != NULL));
    volatile unsigned sink = sum;
    (void)sink;
    rdb_close(reader);
    source_close(source);
    return 0;
}
