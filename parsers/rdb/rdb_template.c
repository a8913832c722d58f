#include "parsers/rdb/rdb_template.h"

#include <inttypes.h>
#include <stdlib.h>

#include "parsers/memory/arena.h"
#include "parsers/rdb/rdb_string.h"
#include "parsers/rdb/rdb_value_private.h"

enum { FIRST_BUCKETS = 64 };

struct rdb_templates {
    struct arena *arena;
    const struct rdb_template **buckets; /* by id; a power of two of them, at most half of them in use */
    size_t cap, used;
    struct arena *own_arena; /* of what follows; anew for each hash */
    struct rdb_template own;
    const struct rdb_template *current;
};

static bool no_memory(struct rdb *reader)
{
    return rdb_fail(reader, RDB_STOP_MEMORY, rdb_window_offset(&reader->window), "out of memory");
}

/* Those of the reader, made when they are needed first. NULL, and the reader has stopped, without memory. */
static struct rdb_templates *templates_of(struct rdb *reader)
{
    if (!reader->value.templates)
        reader->value.templates = calloc(1, sizeof(struct rdb_templates));
    struct rdb_templates *templates = reader->value.templates;
    if (templates && !templates->arena)
        templates->arena = arena_new();
    if (templates && templates->arena)
        return templates;
    no_memory(reader);
    return NULL;
}

void rdb_templates_free(struct rdb_templates *templates)
{
    if (!templates)
        return;
    arena_free(templates->arena);
    arena_free(templates->own_arena);
    free(templates->buckets);
    free(templates);
}

/* The bucket of an id, or the empty one where it belongs. */
static size_t bucket_of(const struct rdb_templates *templates, uint64_t id)
{
    size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
    while (templates->buckets[at & (templates->cap - 1)] && templates->buckets[at & (templates->cap - 1)]->id != id)
        at++;
    return at & (templates->cap - 1);
}

const struct rdb_template *rdb_template_find(const struct rdb *reader, uint64_t id)
{
    const struct rdb_templates *templates = reader->value.templates;
    return templates && templates->cap ? templates->buckets[bucket_of(templates, id)] : NULL;
}

const struct rdb_template *rdb_template_current(const struct rdb *reader)
{
    return reader->value.templates ? reader->value.templates->current : NULL;
}

static bool make_room(struct rdb_templates *templates)
{
    if (2 * (templates->used + 1) <= templates->cap)
        return true;
    const struct rdb_template **old = templates->buckets;
    size_t old_cap = templates->cap, cap = old_cap ? 2 * old_cap : FIRST_BUCKETS;
    const struct rdb_template **buckets = calloc(cap, sizeof(*buckets));
    if (!buckets)
        return false;
    templates->buckets = buckets;
    templates->cap = cap;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            buckets[bucket_of(templates, old[i]->id)] = old[i];
    free(old);
    return true;
}

/* Names as they come, in an arena. */
struct names {
    struct arena *arena;
    struct bytes *at;
    size_t used, cap;
    struct place disorder; /* of the first that is not behind the one before */
    bool disordered;
};

/* Servers keep the names of a template by length, and by their bytes where that is the same. */
static bool behind(struct bytes name, struct bytes before)
{
    if (name.len != before.len)
        return name.len > before.len;
    return memcmp(name.at, before.at, name.len) > 0;
}

static bool add_name(struct names *names, struct bytes name, struct place place)
{
    if (names->used == names->cap) {
        struct bytes *larger = arena_grow(names->arena, names->at, names->used, &names->cap, sizeof(*larger));
        if (!larger)
            return false;
        names->at = larger;
    }
    char *copy = arena_copy(names->arena, name.at, name.len);
    if (!copy)
        return false;
    names->at[names->used] = (struct bytes){(const uint8_t *)copy, name.len};
    if (names->used && !names->disordered && !behind(names->at[names->used], names->at[names->used - 1])) {
        names->disordered = true;
        names->disorder = place;
    }
    names->used++;
    return true;
}

static bool read_names(struct rdb *reader, uint64_t count, struct names *names)
{
    for (uint64_t i = 0; i < count; i++) {
        struct place place = {.offset = rdb_window_offset(&reader->window)};
        if (!rdb_string(reader, RDB_VALUE))
            return false;
        place.length = rdb_window_offset(&reader->window) - place.offset;
        if (!add_name(names, reader->window.runs[RDB_VALUE].bytes, place))
            return no_memory(reader);
    }
    return true;
}

static void report_names(struct rdb *reader, const struct names *names, struct place whole)
{
    if (!names->used)
        rdb_report(reader, RDB_BAD_TEMPLATE, whole, "at least one field in a template", "none");
    if (names->disordered)
        rdb_report(reader, RDB_BAD_TEMPLATE, names->disorder, "names of a template by length and bytes, none twice",
                   "another order");
}

bool rdb_template_define(struct rdb *reader)
{
    struct rdb_templates *templates = templates_of(reader);
    if (!templates)
        return false;
    uint64_t id, count;
    struct place whole = {.offset = rdb_window_offset(&reader->window)};
    struct names names = {.arena = templates->arena};
    if (!rdb_length(reader, &id) || !rdb_number(reader, RDB_ABSURD, "a count of", &count) ||
        !read_names(reader, count, &names))
        return false;
    whole.length = rdb_window_offset(&reader->window) - whole.offset;
    report_names(reader, &names, whole);
    if (rdb_template_find(reader, id)) {
        rdb_report(reader, RDB_BAD_TEMPLATE, whole, "templates with ids of their own", "id %" PRIu64 " again", id);
        return true;
    }
    struct rdb_template *template = arena_alloc(templates->arena, sizeof(*template));
    if (!template || !make_room(templates))
        return no_memory(reader);
    *template = (struct rdb_template){id, names.used, names.at};
    templates->buckets[bucket_of(templates, id)] = template;
    templates->used++;
    return true;
}

bool rdb_template_refer(struct rdb *reader, struct rdb_program *program)
{
    uint64_t id, offset = rdb_window_offset(&reader->window);
    if (!rdb_length(reader, &id))
        return false;
    const struct rdb_template *template = rdb_template_find(reader, id);
    if (!template)
        return rdb_fail(reader, RDB_STOP_CORRUPT, offset, "a hash of template %" PRIu64 ", which is not in the dump",
                        id);
    reader->value.templates->current = template;
    program->count = template->count;
    return true;
}

/* The names in a listpack. What is wrong with it is told; what can be read of it counts. */
static bool packed_names(struct rdb *reader, struct names *names)
{
    uint64_t offset = rdb_window_offset(&reader->window);
    if (!rdb_string(reader, RDB_VALUE))
        return false;
    struct place place = {.offset = offset, .length = rdb_window_offset(&reader->window) - offset};
    struct packed packed;
    struct packed_entry entry;
    enum parse_step step;
    packed_open(&packed, PACKED_LISTPACK, reader->window.runs[RDB_VALUE].bytes);
    while ((step = packed_next(&packed, &entry)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        char room[RDB_SCALAR_ROOM];
        if (step == PARSE_DAMAGE)
            rdb_report(reader, RDB_BAD_TEMPLATE, place, "a sound listpack of names", "%s",
                       packed_damage(&packed)->found);
        else if (!add_name(names, rdb_scalar_text(&entry.word, room), place))
            return no_memory(reader);
    }
    if (step == PARSE_STOP)
        return rdb_fail(reader, RDB_STOP_CORRUPT, offset, "a template whose names cannot be read");
    return true;
}

bool rdb_template_own(struct rdb *reader, struct rdb_program *program)
{
    struct rdb_templates *templates = templates_of(reader);
    if (!templates)
        return false;
    arena_free(templates->own_arena);
    templates->own_arena = arena_new();
    if (!templates->own_arena)
        return no_memory(reader);
    uint64_t form, count;
    struct place whole = {.offset = rdb_window_offset(&reader->window)};
    struct names names = {.arena = templates->own_arena};
    if (!rdb_number(reader, 1, "form of a template", &form))
        return false;
    bool listed = form && rdb_number(reader, RDB_ABSURD, "a count of", &count) && read_names(reader, count, &names);
    if (!listed && (form || !packed_names(reader, &names)))
        return false;
    whole.length = rdb_window_offset(&reader->window) - whole.offset;
    report_names(reader, &names, whole);
    templates->own = (struct rdb_template){0, names.used, names.at};
    templates->current = &templates->own;
    program->count = names.used;
    return true;
}
