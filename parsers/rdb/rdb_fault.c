/* How a reader says that bytes are damaged or that it cannot go on. */
#include <stdarg.h>
#include <stdio.h>

#include "parsers/rdb/rdb_private.h"

bool rdb_fail(struct rdb *reader, enum rdb_stop stop, uint64_t offset, const char *format, ...)
{
    va_list args;
    if (reader->mute) {
        reader->stop = stop;
        reader->stop_offset = offset;
        return false;
    }
    va_start(args, format);
    vsnprintf(reader->why, sizeof(reader->why), format, args);
    va_end(args);
    size_t used = strlen(reader->why);
    if (reader->bundle)
        snprintf(reader->why + used, sizeof(reader->why) - used, ", inside of what is compressed there");
    reader->stop = stop;
    reader->stop_offset = rdb_bundle_place(reader, (struct place){.offset = offset}).offset;
    return false;
}

bool rdb_ran_out(struct rdb *reader)
{
    struct rdb_window *window = &reader->window;
    uint64_t end = rdb_window_offset(window) + cursor_left(&window->cursor), unread = rdb_window_unread(window);
    const char *fault = window->source ? source_why(window->source) : NULL;
    if (window->no_memory)
        return rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(window), "out of memory");
    if (fault)
        return rdb_fail(reader, RDB_STOP_READ, end, "%s", fault);
    if (reader->bundle)
        return rdb_fail(reader, RDB_STOP_CORRUPT, end, "a compressed blob that ends inside a record");
    if (unread != UINT64_MAX)
        end += unread;
    return rdb_fail(reader, RDB_STOP_TRUNCATED, end, "the evidence ends inside the dump");
}

struct damage *rdb_report(struct rdb *reader, enum rdb_defect defect, struct place place, const char *expected,
                          const char *format, ...)
{
    for (size_t i = 0; i < reader->damage_count; i++)
        if (reader->damages[i].expected == expected)
            return NULL;
    if (reader->damage_count == RDB_DAMAGES)
        return NULL;
    char *found = reader->found[reader->damage_count];
    va_list args;
    va_start(args, format);
    if (!reader->mute)
        vsnprintf(found, RDB_FOUND_TEXT, format, args);
    va_end(args);
    struct damage *damage = &reader->damages[reader->damage_count++];
    place = rdb_bundle_place(reader, place);
    *damage = (struct damage){
        .place = place,
        .code = defect,
        .expected = expected,
        .found = found,
        .resumed = place.offset + place.length,
    };
    return damage;
}

static const struct {
    const char *name;
    bool corrupt;
} defects[RDB_DEFECTS] = {
#define RDB_DEFECT(code, word, severe) [code] = {word, severe},
#include "parsers/rdb/rdb_defects.def"
#undef RDB_DEFECT
};

const char *rdb_defect_name(enum rdb_defect defect)
{
    return defects[defect].name;
}

bool rdb_defect_is_corruption(enum rdb_defect defect)
{
    return defects[defect].corrupt;
}

struct bytes rdb_damage_key(const struct rdb *reader)
{
    return reader->damage_key;
}
