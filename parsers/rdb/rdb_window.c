#include "parsers/rdb/rdb_window.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/crc64.h"

enum {
    FIRST_GROWTH = 64 * 1024 /* first step of a run that outgrows the window */
};

bool rdb_window_open_lent(struct rdb_window *window, struct source *source, size_t cap, struct rdb_lender lender)
{
    *window = (struct rdb_window){.source = source, .cap = cap, .lender = lender};
    if (source)
        window->buffer = lender.another ? lender.another(lender.context) : malloc(cap + RDB_PART_ROOM);
    if (source && !window->buffer)
        return false;
    window->cursor = cursor_over((struct bytes){window->buffer, 0});
    return true;
}

bool rdb_window_open(struct rdb_window *window, struct source *source, size_t cap)
{
    return rdb_window_open_lent(window, source, cap, (struct rdb_lender){0});
}

void rdb_window_over(struct rdb_window *window, struct bytes bytes, uint64_t offset)
{
    window->cursor = cursor_over(bytes);
    window->base = offset;
    window->cap = bytes.len;
    window->ended = window->unsummed = true;
}

void rdb_window_restart(struct rdb_window *window, struct source *source, uint64_t offset, uint64_t checksum)
{
    window->source = source;
    window->cursor = cursor_over((struct bytes){window->buffer, 0});
    window->base = offset;
    window->summed = 0;
    window->crc = checksum;
    window->ended = window->fenced = window->no_memory = false;
}

void rdb_window_close(struct rdb_window *window)
{
    for (size_t i = 0; i < RDB_RUNS; i++) {
        free(window->runs[i].own);
        free(window->runs[i].text);
    }
    if (!window->lender.another)
        free(window->buffer);
}

/* The bytes from `from` (counted from the start of the window) up to the cursor. */
static struct bytes walked(const struct rdb_window *window, size_t from)
{
    struct cursor cursor = cursor_over((struct bytes){window->cursor.start, cursor_offset(&window->cursor)});
    cursor_take(&cursor, from);
    return cursor_take(&cursor, cursor_left(&cursor));
}

uint64_t rdb_window_checksum(struct rdb_window *window)
{
    struct bytes news = walked(window, window->summed);
    if (window->unsummed)
        return 0;
    window->crc = crc64(window->crc, news);
    window->summed += news.len;
    return window->crc;
}

void rdb_window_checksum_begin(struct rdb_window *window)
{
    window->summed = cursor_offset(&window->cursor);
    window->crc = 0;
}

static bool room(uint8_t **at, size_t *cap, size_t size)
{
    if (size <= *cap)
        return true;
    uint8_t *larger = realloc(*at, size);
    if (!larger)
        return false;
    *at = larger;
    *cap = size;
    return true;
}

bool rdb_run_room(struct rdb_run *run, size_t size)
{
    return room(&run->text, &run->text_cap, size);
}

static bool keep(struct rdb_run *run)
{
    if (!room(&run->own, &run->own_cap, run->bytes.len ? run->bytes.len : 1))
        return false;
    memcpy(run->own, run->bytes.at, run->bytes.len);
    run->bytes.at = run->own;
    run->borrowed = false;
    return true;
}

/* Everything up to the cursor may be dropped afterwards. */
static bool settle(struct rdb_window *window)
{
    rdb_window_checksum(window);
    for (size_t i = 0; i < RDB_RUNS; i++)
        if (window->runs[i].borrowed && !keep(&window->runs[i])) {
            window->no_memory = true;
            return false;
        }
    return true;
}

bool rdb_window_fill(struct rdb_window *window, size_t want)
{
    size_t left = cursor_left(&window->cursor);
    if (left >= want)
        return true;
    if (window->ended || window->fenced || want > window->cap || !settle(window))
        return false;
    if (window->lent) {
        uint8_t *other = window->lender.another(window->lender.context);
        if (!other) {
            window->no_memory = true;
            return false;
        }
        window->buffer = other;
        window->lent = false;
    }
    memmove(window->buffer, window->cursor.at, left);
    window->base = rdb_window_offset(window);
    window->summed = 0;
    while (left < window->cap) {
        size_t got = source_read(window->source, window->buffer + left, window->cap - left);
        left += got;
        if (!got) {
            window->ended = true;
            break;
        }
    }
    window->cursor = cursor_over((struct bytes){window->buffer, left});
    return left >= want;
}

/* Fewer bytes are left than are asked for: known at once where the size of the evidence is. */
static bool beyond_end(const struct rdb_window *window, uint64_t n)
{
    return n > cursor_left(&window->cursor) && n - cursor_left(&window->cursor) > rdb_window_unread(window);
}

uint64_t rdb_window_unread(const struct rdb_window *window)
{
    uint64_t left = 0;
    if (window->ended)
        return 0;
    return window->source && source_left(window->source, &left) ? left : UINT64_MAX;
}

bool rdb_window_skip_far(struct rdb_window *window, uint64_t n)
{
    if (beyond_end(window, n))
        return false;
    while (n > cursor_left(&window->cursor)) {
        n -= cursor_left(&window->cursor);
        cursor_take(&window->cursor, cursor_left(&window->cursor));
        if (!rdb_window_fill(window, 1))
            return false;
    }
    cursor_take(&window->cursor, (size_t)n);
    return true;
}

/* A run that does not fit into the window is gathered piece by piece. */
static bool gather(struct rdb_window *window, uint64_t n, struct rdb_run *run)
{
    size_t have = 0;
    while (have < n) {
        if (!rdb_window_need(window, 1))
            return false;
        uint64_t lack = n - have;
        size_t piece = cursor_left(&window->cursor) < lack ? cursor_left(&window->cursor) : (size_t)lack;
        size_t want = have + piece;
        if (want > run->own_cap && want < FIRST_GROWTH)
            want = FIRST_GROWTH;
        else if (want > run->own_cap && want < 2 * run->own_cap)
            want = 2 * run->own_cap;
        if (!room(&run->own, &run->own_cap, want)) {
            window->no_memory = true;
            return false;
        }
        struct bytes part = cursor_take(&window->cursor, piece);
        memcpy(run->own + have, part.at, part.len);
        have += part.len;
    }
    run->bytes = (struct bytes){run->own, have};
    run->borrowed = false;
    return true;
}

bool rdb_window_take(struct rdb_window *window, uint64_t n, struct rdb_run *run)
{
    if (beyond_end(window, n))
        return false;
    if (n > window->cap)
        return gather(window, n, run);
    if (!rdb_window_need(window, (size_t)n))
        return false;
    run->bytes = cursor_take(&window->cursor, (size_t)n);
    run->borrowed = true;
    return true;
}
