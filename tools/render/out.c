#include "tools/render/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROOM_OF_FILE = 64 * 1024,
    ROOM_OF_MEMORY = 256 /* to begin with */
};

struct out {
    uint8_t *buffer;
    size_t used;
    size_t room;
    int fd; /* -1: memory */
    int error;
    bool colour;
    bool silent;
    void (*notice)(void *context);
    void *context;
};

static struct out *out_new(int fd, size_t room)
{
    struct out *out = calloc(1, sizeof *out);
    if (!out)
        return NULL;
    out->fd = fd;
    out->room = room;
    out->buffer = malloc(out->room);
    if (!out->buffer) {
        free(out);
        return NULL;
    }
    return out;
}

struct out *out_open(int fd)
{
    return out_new(fd, ROOM_OF_FILE);
}

struct out *out_open_memory(void)
{
    return out_new(-1, ROOM_OF_MEMORY);
}

void out_close(struct out *out)
{
    if (!out)
        return;
    free(out->buffer);
    free(out);
}

void out_silence(struct out *out)
{
    out->silent = true;
}

void out_fail(struct out *out, int error)
{
    if (!out->error)
        out->error = error;
}

int out_error(const struct out *out)
{
    return out->error;
}

static void out_send(struct out *out, const uint8_t *at, size_t len)
{
    while (len > 0 && !out->error && !out->silent) {
        ssize_t sent = write(out->fd, at, len);
        if (sent >= 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (errno != EINTR) {
            out_fail(out, errno);
        }
    }
}

bool out_flush(struct out *out)
{
    if (out->fd >= 0 && out->used > 0) {
        if (out->notice)
            out->notice(out->context);
        out_send(out, out->buffer, out->used);
        out->used = 0;
    }
    return !out->error;
}

/* Room for `len` more bytes, by sending or by growing. False when they do not fit and have to be sent past the buffer,
 * or after a failure. */
static bool out_make_room(struct out *out, size_t len)
{
    if (out->error)
        return false;
    if (len <= out->room - out->used)
        return true;
    if (out->fd >= 0)
        return out_flush(out) && len <= out->room;

    size_t room = out->room;
    while (room - out->used < len && room <= SIZE_MAX / 2)
        room *= 2;
    uint8_t *larger = room - out->used < len ? NULL : realloc(out->buffer, room);
    if (!larger) {
        out_fail(out, ENOMEM);
        return false;
    }
    out->buffer = larger;
    out->room = room;
    return true;
}

void out_bytes(struct out *out, const void *at, size_t len)
{
    if (len == 0)
        return;
    if (out_make_room(out, len)) {
        memcpy(out->buffer + out->used, at, len);
        out->used += len;
    } else if (out->fd >= 0) {
        out_send(out, at, len);
    }
}

void out_byte(struct out *out, char byte)
{
    if ((out->used < out->room && !out->error) || out_make_room(out, 1))
        out->buffer[out->used++] = (uint8_t)byte;
}

uint8_t *out_room(struct out *out, size_t most)
{
    return out_make_room(out, most) ? out->buffer + out->used : NULL;
}

void out_wrote(struct out *out, size_t len)
{
    out->used += len;
}

void out_text(struct out *out, const char *text)
{
    out_bytes(out, text, strlen(text));
}

void out_repeat(struct out *out, char byte, size_t times)
{
    for (size_t i = 0; i < times; i++)
        out_byte(out, byte);
}

void out_vformat(struct out *out, const char *format, va_list arguments)
{
    char text[512];
    va_list again;
    va_copy(again, arguments);
    int len = vsnprintf(text, sizeof text, format, arguments);
    if (len < 0) {
        out_fail(out, errno);
    } else if ((size_t)len < sizeof text) {
        out_bytes(out, text, (size_t)len);
    } else {
        char *longer = malloc((size_t)len + 1);
        if (longer && vsnprintf(longer, (size_t)len + 1, format, again) == len)
            out_bytes(out, longer, (size_t)len);
        else
            out_fail(out, ENOMEM);
        free(longer);
    }
    va_end(again);
}

void out_format(struct out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    out_vformat(out, format, arguments);
    va_end(arguments);
}

/* Digits from the right, with a comma before every third of them when `grouped`. */
static void out_digits(struct out *out, uint64_t value, bool grouped)
{
    char digits[sizeof "18,446,744,073,709,551,615"];
    size_t at = sizeof digits;
    unsigned written = 0;
    do {
        if (grouped && written > 0 && written % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
        written++;
    } while (value > 0);
    out_bytes(out, digits + at, sizeof digits - at);
}

void out_u64(struct out *out, uint64_t value)
{
    out_digits(out, value, false);
}

void out_i64(struct out *out, int64_t value)
{
    if (value < 0)
        out_byte(out, '-');
    out_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void out_grouped(struct out *out, uint64_t value)
{
    out_digits(out, value, true);
}

void out_count(struct out *out, uint64_t value, const char *one, const char *many)
{
    out_grouped(out, value);
    out_byte(out, ' ');
    out_text(out, value == 1 ? one : many);
}

struct bytes out_held(const struct out *out)
{
    return (struct bytes){out->buffer, out->used};
}

void out_empty(struct out *out)
{
    out->used = 0;
}

void out_cut(struct out *out, size_t len)
{
    if (len < out->used)
        out->used = len;
}

void out_on_flush(struct out *out, void (*notice)(void *context), void *context)
{
    out->notice = notice;
    out->context = context;
}

void out_colour(struct out *out, bool colour)
{
    out->colour = colour;
}

void out_style(struct out *out, enum out_style style)
{
    static const char *const sequence[] = {
        [OUT_PLAIN] = "\033[0m",   [OUT_BOLD] = "\033[1m",   [OUT_DIM] = "\033[2m",  [OUT_RED] = "\033[31m",
        [OUT_YELLOW] = "\033[33m", [OUT_GREEN] = "\033[32m", [OUT_CYAN] = "\033[36m",
    };
    if (out->colour)
        out_text(out, sequence[style]);
}

void out_styled(struct out *out, enum out_style style, const char *text)
{
    out_style(out, style);
    out_text(out, text);
    out_style(out, OUT_PLAIN);
}
