#include "tools/evidence/dump_duplicates.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evidence/dump_scan.h"

enum { MOST_ALIKE = 1000 }; /* names with one fingerprint; more of them were made up to keep us busy */

static const char expected[] = "a name that no other key of the database has";

/* A key whose fingerprint another has. */
struct suspect {
    struct suspect *before; /* with the same fingerprint */
    uint32_t db;
    int type;
    struct bytes name;
    struct place place;
};

/* Suspects of a batch in the order of the file. */
struct suspects {
    struct arena *arena;
    const struct second_pass *pass;
    struct suspect_key *keys;
    size_t count, cap;
    uint64_t seen; /* keys, suspects or not */
};

struct suspect_key {
    struct suspect suspect;
    size_t candidate;
    uint64_t number; /* of the key in the batch */
};

struct second_pass {
    struct duplicates *duplicates;
    struct dump_builder *builder;
    const struct distinct *distinct;
    const uint64_t *candidates; /* what was kept of their fingerprints, ascending */
    size_t candidate_count;
    struct suspect **seen; /* by candidate */
    struct arena *arena;   /* of the suspects */
    uint64_t keys;         /* in batches that were merged */
};

/* Where the fingerprint stands among the candidates, or their number. */
static size_t find(const struct second_pass *pass, uint64_t print)
{
    size_t first = 0, behind = pass->candidate_count;
    while (first < behind) {
        size_t middle = first + (behind - first) / 2;
        if (pass->candidates[middle] < print)
            first = middle + 1;
        else
            behind = middle;
    }
    return first < pass->candidate_count && pass->candidates[first] == print ? first : pass->candidate_count;
}

static void *begin(void *context)
{
    struct suspects *suspects = calloc(1, sizeof(*suspects));
    if (suspects)
        suspects->pass = context;
    return suspects;
}

static void drop(void *context, void *batch)
{
    (void)context;
    struct suspects *suspects = batch;
    arena_free(suspects->arena);
    free(suspects);
}

static bool take_item(void *batch, struct rdb *reader, const struct rdb_item *item)
{
    (void)reader;
    struct suspects *suspects = batch;
    if (item->kind != RDB_KEY)
        return true;
    uint64_t number = suspects->seen++;
    uint64_t print = distinct_key(item->key.db, item->key.name);
    size_t candidate = find(suspects->pass, distinct_kept(suspects->pass->distinct, print));
    if (candidate == suspects->pass->candidate_count)
        return true;
    if (!suspects->arena)
        suspects->arena = arena_new();
    struct suspect_key *keys = suspects->arena ? arena_grow(suspects->arena, suspects->keys, suspects->count,
                                                            &suspects->cap, sizeof(*keys))
                                               : NULL;
    char *name = keys ? arena_copy(suspects->arena, item->key.name.at, item->key.name.len) : NULL;
    if (!name)
        return false;
    suspects->keys = keys;
    keys[suspects->count++] = (struct suspect_key){
        .suspect = {.db = item->key.db,
                    .type = item->key.type,
                    .name = {(const uint8_t *)name, item->key.name.len},
                    .place = item->place},
        .candidate = candidate,
        .number = number,
    };
    return true;
}

static bool take_damage(void *batch, const struct damage *damage, struct bytes key)
{
    (void)batch;
    (void)damage;
    (void)key;
    return true; /* the first pass told it */
}

static bool tell(const struct second_pass *pass, const struct suspect *earlier, const struct suspect *later)
{
    char found[96];
    snprintf(found, sizeof(found), "the same name in the record at offset %" PRIu64, earlier->place.offset);
    struct damage damage = {
        .place = later->place,
        .code = RDB_DUPLICATE_KEY,
        .expected = expected,
        .found = found,
        .resumed = later->place.offset + later->place.length,
    };
    return dump_builder_damage(pass->builder, &damage, later->name, later->type);
}

static bool same_key(const struct suspect *a, const struct suspect *b)
{
    return a->db == b->db && a->name.len == b->name.len && memcmp(a->name.at, b->name.at, a->name.len) == 0;
}

/* This key and those behind it are not compared. */
static void stop_at(struct second_pass *pass, uint64_t number)
{
    if (number < pass->duplicates->compared)
        pass->duplicates->compared = number;
}

/* Compares by name with the keys before it; a name is remembered where it stands first. */
static bool compare(struct second_pass *pass, const struct suspect_key *key)
{
    struct suspect *earlier = pass->seen[key->candidate];
    size_t alike = 0;
    while (earlier && !same_key(earlier, &key->suspect)) {
        earlier = earlier->before;
        alike++;
    }
    if (earlier)
        return tell(pass, earlier, &key->suspect);
    if (alike == MOST_ALIKE || arena_size(pass->arena) > pass->duplicates->how->memory) {
        stop_at(pass, pass->keys + key->number);
        return true;
    }
    struct suspect *kept = arena_alloc(pass->arena, sizeof(*kept));
    char *name = kept ? arena_copy(pass->arena, key->suspect.name.at, key->suspect.name.len) : NULL;
    if (!name)
        return false;
    *kept = key->suspect;
    kept->name.at = (const uint8_t *)name;
    kept->before = pass->seen[key->candidate];
    pass->seen[key->candidate] = kept;
    return true;
}

static bool merge(void *context, void *batch)
{
    struct second_pass *pass = context;
    const struct suspects *suspects = batch;
    bool ok = true;
    for (size_t i = 0; ok && i < suspects->count; i++) {
        if (pass->keys + suspects->keys[i].number < pass->duplicates->compared)
            ok = compare(pass, &suspects->keys[i]);
    }
    pass->keys += suspects->seen;
    drop(context, batch);
    return ok;
}

/* Without a second pass nothing is known but that two fingerprints are the same. */
static bool tell_by_hash(const struct duplicates *duplicates, size_t candidate_count, struct dump_builder *builder)
{
    struct damage damage = {
        .place = {.offset = duplicates->end},
        .code = RDB_DUPLICATE_KEY,
        .expected = expected,
        .found = "two keys with one 64-bit hash; their places are not known, as what is read cannot be read again",
        .resumed = duplicates->end,
    };
    bool ok = true;
    for (size_t i = 0; ok && i < candidate_count; i++)
        ok = dump_builder_damage(builder, &damage, (struct bytes){0}, -1);
    return ok;
}

static bool second_pass(struct second_pass *pass)
{
    const struct dump_how *how = pass->duplicates->how;
    struct source *source = how->reopen ? how->reopen(how->context) : NULL;
    if (!source)
        return tell_by_hash(pass->duplicates, pass->candidate_count, pass->builder);
    const struct scan_job job = {0, pass, begin, take_item, take_damage, merge, drop};
    const struct scan_options options = {
        .threads = how->threads,
        .reopen = how->salvage ? how->reopen : NULL,
        .reopen_context = how->context,
    };
    struct scan_end end;
    pass->arena = arena_new();
    pass->seen = calloc(pass->candidate_count, sizeof(*pass->seen));
    bool ok = pass->arena && pass->seen && dump_scan(source, &options, &job, &end);
    free(pass->seen);
    arena_free(pass->arena);
    source_close(source);
    return ok;
}

bool dump_duplicates(struct duplicates *duplicates, struct distinct *distinct, struct dump_builder *builder)
{
    uint64_t *candidates;
    size_t count;
    bool ok = distinct_repeated(distinct, dump_scan_threads(duplicates->how->threads), &candidates, &count);
    struct second_pass pass = {.duplicates = duplicates,
                               .builder = builder,
                               .distinct = distinct,
                               .candidates = candidates,
                               .candidate_count = count};
    if (ok && count)
        ok = second_pass(&pass);
    free(candidates);
    return ok;
}
