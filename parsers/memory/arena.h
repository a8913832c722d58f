/* Memory that is freed together.
 *
 * An arena owns everything allocated from it; one arena_free() ends it all. Running out of memory is an answer
 * (NULL), never an abort, and once an allocation has failed arena_failed() stays true, so a caller may check at the
 * end of a piece of work instead of at each call.
 */
#ifndef RCF_ARENA_H
#define RCF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new, empty arena, or NULL when there is no memory. The caller owns it. */
struct arena *arena_new(void);

/* Ends the arena and all that was allocated from it. NULL is allowed. */
void arena_free(struct arena *arena);

/* `size` zeroed bytes, aligned for any type, or NULL. A size of 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* `count` zeroed elements of `size` bytes, or NULL, also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `len` bytes at `at`, or NULL. */
char *arena_copy(struct arena *arena, const void *at, size_t len);

/* A NUL-terminated copy of a string, or NULL; NULL for NULL. */
char *arena_string(struct arena *arena, const char *text);

/* printf into the arena, or NULL. */
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A larger place for an array that grows: `*cap` elements of `size` bytes at `array`, of which `count` are used, become
 * at least `count + 1`; returns the (moved) array and updates `*cap`, or NULL. The old place stays until the end. */
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *cap, size_t size);

/* True once any allocation from the arena has failed. */
bool arena_failed(const struct arena *arena);

/* Bytes taken from the system so far. */
size_t arena_size(const struct arena *arena);

#endif
