/* Private to parsers/rdb: a window of constant size that moves over a source once, from front to back.
 *
 * The walk reads through `cursor`, which ends where the window ends; a read that needs more asks for it with
 * rdb_window_need() first. The checksum is computed beside the walk, over whole windows as they pass. What the walk
 * wants to keep while the window moves on stands in one of two runs.
 */
#ifndef RCF_RDB_WINDOW_H
#define RCF_RDB_WINDOW_H

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/source.h"
#include "parsers/rdb/rdb_part.h"

/* Bytes that stay valid while the window moves: borrowed from it at first, copied when it has to move. */
struct rdb_run {
    struct bytes bytes;
    bool borrowed;
    uint8_t *own; /* the copy, or what never fitted into the window */
    size_t own_cap;
    uint8_t *text; /* for what is decoded from the run */
    size_t text_cap;
};

enum rdb_run_of { RDB_NAME, RDB_VALUE, RDB_FIELD, RDB_FIELD_BEFORE, RDB_RUNS };

struct rdb_window {
    struct cursor cursor; /* over what has been read from the source and not been dropped yet */
    struct source *source;
    uint8_t *buffer;
    size_t cap;
    uint64_t base;  /* offset of cursor.start in the evidence */
    size_t summed;  /* bytes from cursor.start on that are in `crc` */
    uint64_t crc;
    bool unsummed;  /* nobody asks for the checksum */
    bool ended;     /* the source gives no more */
    bool fenced;    /* the source may not be asked for more now */
    bool lent;      /* what stands in the buffer must stay as it is: the next move takes another */
    struct rdb_lender lender; /* owns the buffers when it is there */
    bool no_memory; /* a run could not be kept */
    struct rdb_run runs[RDB_RUNS];
};

enum { RDB_WINDOW_LEAST = 16 }; /* the longest run that rdb_window_need() is asked for without a look at the size */

/* False without memory. `cap` is at least RDB_WINDOW_LEAST. Without a source the window is for rdb_window_over(); with a
 * lender its buffers have room for `cap` and RDB_PART_ROOM bytes. */
bool rdb_window_open(struct rdb_window *window, struct source *source, size_t cap);
bool rdb_window_open_lent(struct rdb_window *window, struct source *source, size_t cap, struct rdb_lender lender);
void rdb_window_close(struct rdb_window *window);

/* The same over bytes in memory that begin at `offset` of the evidence; they must outlive it and have RDB_PART_ROOM
 * readable bytes behind them. Nothing is summed. An open window may be moved to other bytes in the same way. */
void rdb_window_over(struct rdb_window *window, struct bytes bytes, uint64_t offset);

/* The window goes on at `offset` of the evidence, where `source` stands now, with the checksum of what stands before. */
void rdb_window_restart(struct rdb_window *window, struct source *source, uint64_t offset, uint64_t checksum);

/* Moves the window so that `want` bytes (at most its size) stand in the cursor. False when the evidence has fewer
 * left, the source failed, or a run could not be kept (`no_memory`). */
bool rdb_window_fill(struct rdb_window *window, size_t want);

/* Bytes that the source has behind the window; UINT64_MAX where only reading tells. */
uint64_t rdb_window_unread(const struct rdb_window *window);

/* The same as rdb_window_skip() for what is not in the window. */
bool rdb_window_skip_far(struct rdb_window *window, uint64_t n);

/* `n` bytes into a run, however many; memory grows with what was read, not with what was asked for. */
bool rdb_window_take(struct rdb_window *window, uint64_t n, struct rdb_run *run);

/* CRC-64 (Jones) of everything up to the cursor. */
uint64_t rdb_window_checksum(struct rdb_window *window);

/* The checksum begins anew at the cursor. */
void rdb_window_checksum_begin(struct rdb_window *window);

/* Room for `size` bytes at run->text. False without memory. */
bool rdb_run_room(struct rdb_run *run, size_t size);

static inline bool rdb_window_need(struct rdb_window *window, size_t n)
{
    return cursor_left(&window->cursor) >= n || rdb_window_fill(window, n);
}

static inline bool rdb_window_skip(struct rdb_window *window, uint64_t n)
{
    if (n > cursor_left(&window->cursor))
        return rdb_window_skip_far(window, n);
    cursor_take(&window->cursor, (size_t)n);
    return true;
}

static inline uint64_t rdb_window_offset(const struct rdb_window *window)
{
    return window->base + cursor_offset(&window->cursor);
}

#endif
