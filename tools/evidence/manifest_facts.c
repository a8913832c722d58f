#include "tools/evidence/journal.h"

static bool add_line(struct arena *arena, struct manifest_facts *facts, struct manifest_line **lines, size_t *cap,
                     const struct manifest_item *item)
{
    struct manifest_line *place = arena_grow(arena, *lines, facts->count, cap, sizeof(*place));
    const char *name = arena_copy(arena, item->name.at, item->name.len);
    if (!place || !name)
        return false;
    facts->lines = *lines = place;
    place[facts->count++] = (struct manifest_line){name, item->seq, item->type, item->place};
    return true;
}

struct manifest_facts *manifest_read(struct arena *arena, struct bytes text, size_t file)
{
    struct manifest_facts *facts = arena_alloc(arena, sizeof(*facts));
    struct manifest *reader = manifest_open(text);
    struct manifest_line *lines = NULL;
    struct manifest_item item;
    size_t cap = 0;
    enum parse_step step = PARSE_STOP;
    if (facts)
        facts->file = file;
    while (facts && reader && ((step = manifest_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        if (step == PARSE_ITEM) {
            add_line(arena, facts, &lines, &cap, &item);
        } else if (!facts->error) {
            facts->error = arena_string(arena, manifest_damage(reader)->found);
            facts->error_place = manifest_damage(reader)->place;
        }
    }
    manifest_close(reader);
    return step == PARSE_END && !arena_failed(arena) ? facts : NULL;
}
