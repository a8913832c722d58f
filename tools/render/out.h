/* Where output goes: a buffer in front of a file descriptor, or memory.
 *
 * The first failure is sticky: later writes do nothing, and out_error() keeps the cause. So writers write without
 * looking back, and whoever owns the output asks once at the end; a command does that in cli_finish().
 */
#ifndef RCF_OUT_H
#define RCF_OUT_H

#include <stdarg.h>
#include <stdbool.h>

#include "parsers/parse.h"

struct out;

/* An output in front of a descriptor, which stays the caller's, or NULL without memory. The caller owns the output. */
struct out *out_open(int fd);

/* An output that keeps everything in memory, or NULL without memory. The caller owns it. */
struct out *out_open_memory(void);

/* Ends the output. What is buffered is lost unless out_flush() came before. NULL is allowed. */
void out_close(struct out *out);

void out_bytes(struct out *out, const void *at, size_t len);
void out_byte(struct out *out, char byte);
void out_text(struct out *out, const char *text);
void out_repeat(struct out *out, char byte, size_t times);
void out_format(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_vformat(struct out *out, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* For writers that know how much comes at most: room for `most` bytes to be written in place, and how many of them were
 * written. What out_room() gives is valid until the next call; NULL after a failure, or for an output in front of a
 * descriptor when `most` is more than its buffer (64 KiB). */
uint8_t *out_room(struct out *out, size_t most);
void out_wrote(struct out *out, size_t len);

/* A decimal number, faster than out_format(). */
void out_u64(struct out *out, uint64_t value);
void out_i64(struct out *out, int64_t value);

/* A number with thousands separators: 3,000. */
void out_grouped(struct out *out, uint64_t value);

/* A number and what it counts: "1 key", "3,000 keys", "0 keys". */
void out_count(struct out *out, uint64_t value, const char *one, const char *many);

/* Hands the buffer to the descriptor. False once anything has failed. Nothing to do for memory. */
bool out_flush(struct out *out);

/* From now on nothing reaches the descriptor: the answer to -q. Failures from outside still count. */
void out_silence(struct out *out);

/* Makes an output fail from outside, with an errno value: a writer above it ran out of memory. The first cause stays.
 */
void out_fail(struct out *out, int error);

/* The errno value of the first failure, or 0. A command that streams asks now and then, to stop when nobody reads. */
int out_error(const struct out *out);

/* What an output in memory holds so far. Borrowed until the next write to it. */
struct bytes out_held(const struct out *out);

/* Empties an output in memory, for reuse. */
void out_empty(struct out *out);

/* Takes back what an output in memory holds beyond the first `len` bytes. */
void out_cut(struct out *out, size_t len);

/* Calls `notice(context)` before bytes reach the descriptor, so that a progress line can leave the screen first. */
void out_on_flush(struct out *out, void (*notice)(void *context), void *context);

/* Styles of text on a terminal. They are written only after out_colour(out, true), so writers need not ask. */
enum out_style { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_RED, OUT_YELLOW, OUT_GREEN, OUT_CYAN };

void out_colour(struct out *out, bool colour);

/* Starts a style; OUT_PLAIN ends all. */
void out_style(struct out *out, enum out_style style);

/* One text in one style. */
void out_styled(struct out *out, enum out_style style, const char *text);

#endif
