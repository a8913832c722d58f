#include "parsers/memory/arena.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

static struct arena *arena;

static void start(void)
{
    arena = arena_new();
    cr_assert_not_null(arena);
}

static void stop(void)
{
    arena_free(arena);
}

TestSuite(arena, .init = start, .fini = stop);

/* Pieces around the sizes of the blocks: zeroed, aligned, and none overlaps another. */
Test(arena, pieces_are_zeroed_aligned_and_apart)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 16384, 16385, 2000000, 5000000, 3, 1048577, 4194304, 7};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
    unsigned char *pieces[3 * COUNT];
    for (size_t i = 0; i < 3 * COUNT; i++) {
        size_t size = sizes[i % COUNT];
        pieces[i] = arena_alloc(arena, size);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < size; j++)
            if (pieces[i][j])
                cr_assert_fail("byte %zu of piece %zu is not zero", j, i);
        memset(pieces[i], (int)i + 1, size);
    }
    for (size_t i = 0; i < 3 * COUNT; i++)
        for (size_t j = 0; j < sizes[i % COUNT]; j++)
            if (pieces[i][j] != i + 1)
                cr_assert_fail("byte %zu of piece %zu was overwritten", j, i);
    cr_assert(!arena_failed(arena));
    cr_assert_geq(arena_size(arena), 3 * (2000000 + 5000000 + 4194304));
}

Test(arena, small_pieces_share_blocks)
{
    for (size_t i = 0; i < 100000; i++)
        cr_assert_not_null(arena_alloc(arena, 16));
    cr_assert_lt(arena_size(arena), 4 * 1600000);
}

Test(arena, texts)
{
    char *copy = arena_copy(arena, "a\0b", 3);
    cr_assert_arr_eq(copy, "a\0b", 4);
    cr_assert_str_eq(arena_copy(arena, NULL, 0), "");
    cr_assert_str_eq(arena_string(arena, "text"), "text");
    cr_assert_null(arena_string(arena, NULL));
    cr_assert_str_eq(arena_format(arena, "%s-%d", "slot", 5), "slot-5");
    cr_assert_eq(strlen(arena_format(arena, "%*d", 70000, 1)), 70000);
    cr_assert(!arena_failed(arena));
}

Test(arena, arrays_grow)
{
    size_t cap = 0;
    uint32_t *array = NULL;
    for (size_t i = 0; i < 10000; i++) {
        array = arena_grow(arena, array, i, &cap, sizeof(*array));
        cr_assert_not_null(array);
        cr_assert_gt(cap, i);
        array[i] = (uint32_t)i;
    }
    for (size_t i = 0; i < 10000; i++)
        cr_assert_eq(array[i], i);
}

Test(arena, sizes_that_cannot_be_are_refused)
{
    cr_assert_null(arena_array(arena, SIZE_MAX / 2, 3));
    cr_assert(arena_failed(arena));
    cr_assert_null(arena_alloc(arena, SIZE_MAX));
    cr_assert_null(arena_copy(arena, "", SIZE_MAX));
    cr_assert_not_null(arena_alloc(arena, 1), "the arena stays usable");
    cr_assert(arena_failed(arena), "and remembers");
}

Test(arena, an_array_whose_size_overflows_does_not_grow)
{
    size_t cap = SIZE_MAX / 2 + 1;
    int first = 0;
    cr_assert_null(arena_grow(arena, &first, cap, &cap, sizeof(first)));
    cr_assert(arena_failed(arena));
    cr_assert_eq(cap, SIZE_MAX / 2 + 1);
}

Test(arena, null_may_be_freed)
{
    arena_free(NULL);
}
