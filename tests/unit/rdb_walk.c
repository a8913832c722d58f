#include "tests/unit/rdb_walk.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep_text(char to[RDB_WALK_TEXT], struct bytes from)
{
    size_t len = from.len < RDB_WALK_TEXT - 1 ? from.len : RDB_WALK_TEXT - 1;
    if (len)
        memcpy(to, from.at, len);
    to[len] = 0;
}

static void keep_item(struct rdb_walk *walk, const struct rdb_item *item)
{
    walk->keys += item->kind == RDB_KEY;
    if (walk->items < RDB_WALK_ITEMS) {
        walk->kinds[walk->items] = item->kind;
        walk->item[walk->items] = *item;
        if (item->kind == RDB_KEY) {
            keep_text(walk->text[walk->items][2], item->key.name);
        } else {
            keep_text(walk->text[walk->items][0], item->name);
            keep_text(walk->text[walk->items][1], item->value);
        }
    }
    walk->items++;
}

struct rdb_walk rdb_walk_source(struct source *source, unsigned flags, size_t window)
{
    struct rdb_walk walk = {0};
    struct rdb *reader = rdb_open_sized(source, flags, window);
    cr_assert(reader);
    rdb_expect_end(reader);
    struct rdb_item item;
    for (;;) {
        walk.last = rdb_next(reader, &item);
        if (walk.last == PARSE_ITEM) {
            keep_item(&walk, &item);
        } else if (walk.last == PARSE_DAMAGE) {
            const struct damage *damage = rdb_damage(reader);
            cr_assert(damage && damage->expected && damage->found && *damage->found);
            if (walk.damages < RDB_WALK_DAMAGES) {
                walk.codes[walk.damages] = damage->code;
                walk.places[walk.damages] = damage->place;
            }
            walk.damages++;
        } else {
            break;
        }
    }
    cr_assert_eq(rdb_next(reader, &item), walk.last, "the last step repeats");
    walk.stop = rdb_stop(reader);
    walk.offset = rdb_offset(reader);
    cr_assert_eq(!rdb_why(reader), walk.last == PARSE_END);
    if (walk.last == PARSE_STOP) {
        walk.stopped_at = item;
        keep_text(walk.stopped_key, item.key.name);
        snprintf(walk.why, sizeof(walk.why), "%s", rdb_why(reader));
    }
    rdb_close(reader);
    source_close(source);
    return walk;
}

struct rdb_walk rdb_walk_bytes(const void *at, size_t len, size_t window)
{
    return rdb_walk_source(source_memory(at, len), 0, window);
}

struct rdb_walk rdb_walk_build(const struct rdb_build *build)
{
    return rdb_walk_bytes(build->at, build->len, 4096);
}

struct rdb_walk rdb_walk_finish(struct rdb_build *build)
{
    rdb_build_end(build);
    struct rdb_walk walk = rdb_walk_build(build);
    rdb_build_free(build);
    return walk;
}

bool rdb_walk_sound(const struct rdb_walk *walk)
{
    return walk->last == PARSE_END && !walk->damages && walk->items >= 2 && walk->kinds[0] == RDB_HEADER &&
           walk->kinds[walk->items - 1] == RDB_EOF;
}

bool rdb_walk_only(const struct rdb_walk *walk, enum rdb_defect defect)
{
    return walk->last == PARSE_END && walk->damages == 1 && walk->codes[0] == defect;
}

void rdb_walk_suffer(const struct rdb_build *whole, size_t silent)
{
    uint8_t *bytes = malloc(whole->len);
    cr_assert(bytes);
    for (size_t len = 0; len < whole->len; len++) {
        memcpy(bytes, whole->at, len);
        struct rdb_walk walk = rdb_walk_bytes(bytes, len, RDB_WINDOW_LEAST);
        cr_assert(walk.last == PARSE_STOP || walk.damages, "cut at %zu of %zu", len, whole->len);
    }
    for (size_t bit = 0; bit < whole->len * 8; bit++) {
        memcpy(bytes, whole->at, whole->len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct rdb_walk walk = rdb_walk_bytes(bytes, whole->len, RDB_WINDOW_LEAST);
        if (walk.last == PARSE_STOP || walk.damages)
            continue;
        cr_assert(silent, "bit %zu of byte %zu", bit % 8, bit / 8);
        silent--;
    }
    free(bytes);
}
