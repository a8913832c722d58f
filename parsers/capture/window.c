#include "parsers/capture/window.h"

#include "parsers/bytes/text.h"

bool window_open(struct window *window, struct bytes text)
{
    *window = (struct window){.reply = reply_open(text)};
    return window->reply;
}

void window_close(struct window *window)
{
    reply_close(window->reply);
}

void window_fill(struct window *window)
{
    while (window->count < WINDOW_VALUES && !window->ended && !window->damaged) {
        enum parse_step step = reply_next(window->reply, &window->ahead[window->count]);
        window->count += step == PARSE_ITEM;
        window->damaged = step == PARSE_DAMAGE;
        window->ended = step == PARSE_END;
    }
}

void window_pass(struct window *window, size_t n)
{
    n = n < window->count ? n : window->count;
    for (size_t i = n; i < window->count; i++)
        window->ahead[i - n] = window->ahead[i];
    window->count -= n;
    window_fill(window);
}

const struct reply_item *window_at(const struct window *window, size_t i)
{
    return i < window->count ? &window->ahead[i] : NULL;
}

bool window_number(const struct window *window, size_t i, uint64_t most, uint64_t *value)
{
    const struct reply_item *item = window_at(window, i);
    return item && reply_number(item, value) && *value <= most;
}

bool window_is(const struct window *window, size_t i, const char *text)
{
    const struct reply_item *item = window_at(window, i);
    return item && (item->kind == REPLY_LINE || item->kind == REPLY_STRING) && text_is(item->text, text);
}

bool window_is_nothing(const struct window *window, size_t i)
{
    const struct reply_item *item = window_at(window, i);
    return item && (item->kind == REPLY_EMPTY || (item->kind == REPLY_LINE && !item->text.len));
}
