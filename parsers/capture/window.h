/* A reply seen three values at a time: what one means shows in those behind it. Private to the readers of replies. */
#ifndef RCF_CAPTURE_WINDOW_H
#define RCF_CAPTURE_WINDOW_H

#include "parsers/capture/reply.h"

enum { WINDOW_VALUES = 3 };

struct window {
    struct reply *reply;
    struct reply_item ahead[WINDOW_VALUES];
    size_t count;
    bool damaged; /* the values ahead end at damage that is still to be said */
    bool ended;
};

/* False without memory. */
bool window_open(struct window *window, struct bytes text);
void window_close(struct window *window);

/* Reads on until the window is full, or up to damage or the end. */
void window_fill(struct window *window);

/* Goes past `n` values, and fills the window. */
void window_pass(struct window *window, size_t n);

/* Value `i` of those ahead, or NULL. */
const struct reply_item *window_at(const struct window *window, size_t i);

/* Value `i` is a number of at most `most`. */
bool window_number(const struct window *window, size_t i, uint64_t most, uint64_t *value);

/* Value `i` is this text. */
bool window_is(const struct window *window, size_t i, const char *text);

/* Value `i` stands for an empty array: it says so, or is an empty line. */
bool window_is_nothing(const struct window *window, size_t i);

#endif
