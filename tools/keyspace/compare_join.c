/* Both sides brought together, part by part: the keys of A in a table that is made for the moment, those of B in the
 * order in which they came. */
#include <stdlib.h>
#include <string.h>

#include "tools/keyspace/compare_private.h"

static struct key_entry *entry_at(const struct join *join, uint64_t number)
{
    return &join->chunks[number / KEY_CHUNK]->entries[number % KEY_CHUNK];
}

static bool add_chunk(struct join *join, struct key_chunk *chunk)
{
    if (join->chunk_count == join->chunk_cap) {
        size_t cap = join->chunk_cap ? join->chunk_cap * 2 : 256;
        struct key_chunk **chunks = realloc(join->chunks, cap * sizeof(*chunks));
        if (!chunks)
            return false;
        join->chunks = chunks;
        join->chunk_cap = cap;
    }
    join->chunks[join->chunk_count++] = chunk;
    return true;
}

/* An empty table for the part, with room for `more` entries. */
static bool prepare(struct join *join, const struct key_part *part, uint64_t more)
{
    size_t size = 256;
    if (part->count + more >= UINT32_MAX)
        return false;
    while (size < (part->count + more) * 2)
        size *= 2;
    if (size > join->cell_cap) {
        free(join->cells);
        join->cells = malloc(size * sizeof(*join->cells));
        join->cell_cap = join->cells ? size : 0;
    }
    if (!join->cells)
        return false;
    memset(join->cells, 0, size * sizeof(*join->cells));
    join->mask = size - 1;
    join->chunk_count = 0;
    for (struct key_chunk *chunk = part->first; chunk; chunk = chunk->next)
        if (!add_chunk(join, chunk))
            return false;
    return true;
}

static void put(struct join *join, uint64_t name, uint64_t number)
{
    size_t i = name & join->mask;
    while (join->cells[i])
        i = (i + 1) & join->mask;
    join->cells[i] = (name >> 32) << 32 | (number + 1);
}

/* The next entry of this name from cell `*at` on, which begins at the name's low bits; NULL after the last. */
static struct key_entry *next(const struct join *join, const struct key_entry *key, size_t *at)
{
    for (uint64_t cell; (cell = join->cells[*at & join->mask]); ) {
        ++*at;
        if (cell >> 32 != key->name >> 32)
            continue;
        struct key_entry *entry = entry_at(join, (uint32_t)cell - 1);
        if (key_entry_same_name(entry, key))
            return entry;
    }
    return NULL;
}

static void set_state(struct key_entry *entry, unsigned state)
{
    key_entry_set_mark(entry, (unsigned char)((key_entry_mark(entry) & ~(unsigned)MARK_STATE) | state));
}

/* ------------------------------------------------------------------ side A */

/* A name that came before counts as another key only with another value, and only as often as there are dumps that
 * may hold it: one dump with a key many times costs no more than a sound one. */
static bool is_repeated(struct compare *compare, const struct key_entry *key)
{
    uint64_t versions = 0;
    size_t at = key->name & compare->join.mask;
    for (const struct key_entry *entry; (entry = next(&compare->join, key, &at)); versions++)
        if (versions + 1 >= compare->dumps[COMPARE_A] ||
            (key_entry_same_value(entry, key) && entry->expiry == key->expiry))
            return true;
    compare->versions += versions > 0;
    return false;
}

static void settle(struct compare *compare, unsigned number)
{
    const struct key_part *part = &compare->kept[number];
    uint64_t i = 0;
    for (; i < compare->settled[number]; i++) {
        const struct key_entry *entry = entry_at(&compare->join, i);
        if (state_of(entry) != MARK_REPEATED)
            put(&compare->join, entry->name, i);
    }
    for (; i < part->count; i++) {
        struct key_entry *entry = entry_at(&compare->join, i);
        if (is_repeated(compare, entry)) {
            set_state(entry, MARK_REPEATED);
            compare->counts.repeated[COMPARE_A]++;
        } else {
            put(&compare->join, entry->name, i);
            compare->counts.keys[COMPARE_ONLY_A]++;
        }
    }
}

/* ------------------------------------------------------------------ side B */

static enum compare_how how_of(const struct key_entry *a, const struct key_entry *b)
{
    bool same_type = ((key_entry_mark(a) ^ key_entry_mark(b)) & MARK_TYPE) == 0;
    return !same_type                      ? COMPARE_TYPE
           : !key_entry_same_value(a, b)   ? COMPARE_VALUE
           : a->expiry != b->expiry        ? COMPARE_EXPIRY
                                           : COMPARE_EQUAL;
}

/* One key of A beside one of B that has its name. Equal once is equal; otherwise the first difference stays. */
static void judge(struct compare *compare, struct key_entry *a, const struct key_entry *b)
{
    unsigned was = state_of(a);
    enum compare_how how = how_of(a, b);
    if (was == COMPARE_EQUAL || was == COMPARE_ONLY_B || (was != COMPARE_ONLY_A && how != COMPARE_EQUAL))
        return;
    compare->counts.keys[was]--;
    compare->counts.keys[how]++;
    set_state(a, how);
}

static bool take(struct compare *compare, struct key_part *kept, const struct key_entry *key)
{
    struct join *join = &compare->join;
    bool known = false, repeated = false;
    size_t at = key->name & join->mask;
    for (struct key_entry *entry; (entry = next(join, key, &at)); known = true) {
        repeated |= state_of(entry) != COMPARE_ONLY_A;
        judge(compare, entry, key);
    }
    compare->counts.repeated[COMPARE_B] += repeated;
    if (known || compare->options.ignore_only_b)
        return true;
    struct key_entry *entry = key_part_add(kept, &compare->pool, key);
    if (!entry || (kept->count % KEY_CHUNK == 1 && !add_chunk(join, kept->last)))
        return false;
    set_state(entry, COMPARE_ONLY_B);
    put(join, entry->name, kept->count - 1);
    compare->kept_count++;
    compare->counts.keys[COMPARE_ONLY_B]++;
    return true;
}

static bool join_part(struct compare *compare, unsigned number)
{
    struct key_part *kept = &compare->kept[number], *waiting = &compare->waiting[number];
    if (!waiting->count && compare->settled[number] == kept->count)
        return true;
    if (!prepare(&compare->join, kept, waiting->count))
        return false;
    settle(compare, number);
    uint64_t left = waiting->count;
    for (const struct key_chunk *chunk = waiting->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < KEY_CHUNK && left; i++, left--)
            if (!take(compare, kept, &chunk->entries[i]))
                return false;
    compare->settled[number] = kept->count;
    key_part_clear(waiting, &compare->pool);
    return true;
}

bool compare_join(struct compare *compare)
{
    for (unsigned number = 0; number < KEY_PARTS; number++)
        if (!join_part(compare, number))
            return false;
    compare->waiting_count = 0;
    return true;
}
