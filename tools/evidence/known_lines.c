#include "tools/evidence/known_lines.h"

#include <string.h>
#include <xxhash.h>

struct known_line {
    struct statement said;
    size_t before, behind; /* how many of `bytes` */
    uint8_t bytes[];
};

static uint64_t hash_of(struct bytes before, struct bytes behind)
{
    return XXH3_64bits_withSeed(behind.at, behind.len, XXH3_64bits(before.at, before.len));
}

const struct statement *known_lines_find(const struct known_lines *known, struct bytes before, struct bytes behind)
{
    uint64_t hash = hash_of(before, behind);
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&known->numbering, hash, &at, &number)) {
        const struct known_line *line = known->all[number];
        if (line->before == before.len && line->behind == behind.len &&
            memcmp(line->bytes, before.at, before.len) == 0 &&
            memcmp(line->bytes + line->before, behind.at, behind.len) == 0)
            return &line->said;
    }
    return NULL;
}

bool known_lines_add(struct known_lines *known, struct arena *arena, struct bytes before, struct bytes behind,
                     const struct statement *said)
{
    size_t size = sizeof(struct known_line) + before.len + behind.len;
    if (size > KNOWN_LINES_SIZE - known->size)
        return true;
    struct known_line **all = arena_grow(arena, known->all, known->count, &known->cap, sizeof(struct known_line *));
    struct known_line *line = arena_alloc(arena, size);
    if (!all || !line)
        return false;
    *line = (struct known_line){.said = *said, .before = before.len, .behind = behind.len};
    memcpy(line->bytes, before.at, before.len);
    memcpy(line->bytes + before.len, behind.at, behind.len);
    known->all = all;
    all[known->count] = line;
    if (!numbering_add(&known->numbering, arena, hash_of(before, behind), (uint32_t)known->count))
        return false;
    known->count++;
    known->size += size;
    return true;
}
