#include "parsers/memory/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK = 16 * 1024, LARGEST_BLOCK = 4 * 1024 * 1024 };

struct block {
    struct block *next;
    size_t cap;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *head; /* the block that allocations come from */
    size_t total;
    bool failed;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->head, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static void *fail(struct arena *arena)
{
    arena->failed = true;
    return NULL;
}

static bool add_block(struct arena *arena, size_t size)
{
    size_t cap = arena->head ? arena->head->cap * 2 : FIRST_BLOCK;
    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (cap < size)
        cap = size;
    struct block *block = calloc(1, sizeof(*block) + cap);
    if (!block)
        return false;
    block->cap = cap;
    arena->total += sizeof(*block) + cap;
    /* A block made for one large piece goes behind the head, so that the head's rest stays in use. */
    if (arena->head && cap == size && size > LARGEST_BLOCK / 4) {
        block->next = arena->head->next;
        block->used = cap;
        arena->head->next = block;
    } else {
        block->next = arena->head;
        arena->head = block;
    }
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2 - align)
        return fail(arena);
    size = size ? (size + align - 1) / align * align : align;
    struct block *block = arena->head;
    if (!block || block->cap - block->used < size) {
        if (!add_block(arena, size))
            return fail(arena);
        if (arena->head == block) /* went behind the head */
            return block->next->bytes;
        block = arena->head;
    }
    void *at = block->bytes + block->used;
    block->used += size;
    return at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return fail(arena);
    return arena_alloc(arena, count * size);
}

char *arena_copy(struct arena *arena, const void *at, size_t len)
{
    if (len == SIZE_MAX)
        return fail(arena);
    char *copy = arena_alloc(arena, len + 1);
    if (copy && len)
        memcpy(copy, at, len);
    return copy;
}

char *arena_string(struct arena *arena, const char *text)
{
    return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = len < 0 ? fail(arena) : arena_alloc(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    size_t larger = *cap ? *cap * 2 : 8;
    if (larger <= *cap)
        return fail(arena);
    void *moved = arena_array(arena, larger, size);
    if (!moved)
        return NULL;
    if (count)
        memcpy(moved, array, count * size);
    *cap = larger;
    return moved;
}

bool arena_failed(const struct arena *arena)
{
    return arena->failed;
}

size_t arena_size(const struct arena *arena)
{
    return arena->total;
}
