#include <stdlib.h>

#include "parsers/aof/aof_private.h"
#include "parsers/bytes/text.h"

/* A command that does not end in so many bytes is taken for one by its head. */
enum { LOOK_AHEAD = 1024 * 1024, READ_AT_ONCE = 256 * 1024 };

/* At least `*N CRLF $L CRLF name`, of a known command with enough words. */
static bool has_known_name(const struct cursor *at)
{
    struct cursor in = cursor_over((struct bytes){at->at, cursor_left(at)});
    struct bytes count, length, name;
    bool ended;
    uint64_t words, bytes;
    if (!cursor_line(&in, &count, &ended) || !ended || !cursor_line(&in, &length, &ended) || !ended)
        return false;
    if (!text_starts(count, "*") || !text_starts(length, "$") || !text_ends(count, "\r") || !text_ends(length, "\r"))
        return false;
    count = text_trim(text_from(count, 1));
    length = text_trim(text_from(length, 1));
    if (!text_u64(count, &words) || !text_u64(length, &bytes) || bytes > cursor_left(&in))
        return false;
    name = cursor_take(&in, (size_t)bytes);
    const struct aof_command *command = aof_command_named(name);
    return command && !aof_command_lacks_words(command, words);
}

/* What may stand behind a command. */
static bool goes_on(struct cursor at, bool over)
{
    struct aof_item next;
    if (!cursor_left(&at))
        return over;
    enum aof_look look = aof_look(&at, &next);
    if (look == AOF_LOOK_CUT)
        return true;
    return (look == AOF_LOOK_WHOLE && has_known_name(&at)) || *at.at == '#';
}

/* `over`: the evidence ends where the window does. */
static bool begins(struct cursor at, bool over)
{
    struct aof_item item;
    if (!has_known_name(&at))
        return false;
    enum aof_look look = aof_look(&at, &item);
    if (look != AOF_LOOK_WHOLE)
        return look == AOF_LOOK_CUT && !over;
    cursor_take(&at, item.place.length);
    return goes_on(at, over);
}

/* Drops what is behind the cursor and fills the block. */
static bool refill(struct source *source, uint8_t *block, struct cursor *window)
{
    size_t left = cursor_left(window);
    memmove(block, window->at, left);
    bool over = false;
    while (left < LOOK_AHEAD + READ_AT_ONCE && !over) {
        size_t got = source_read(source, block + left, LOOK_AHEAD + READ_AT_ONCE - left);
        left += got;
        over = !got;
    }
    *window = cursor_over((struct bytes){block, left});
    return over;
}

bool aof_resume(struct source *source, uint64_t *offset)
{
    uint8_t *block = malloc(LOOK_AHEAD + READ_AT_ONCE);
    if (!block)
        return false;
    struct cursor window = cursor_over((struct bytes){block, 0});
    bool found = false, over = false;
    while (!found && !(over && !cursor_left(&window))) {
        if (!over && cursor_left(&window) <= LOOK_AHEAD) {
            *offset += cursor_offset(&window);
            over = refill(source, block, &window);
            continue;
        }
        cursor_until(&window, '*');
        if (!over && cursor_left(&window) <= LOOK_AHEAD)
            continue;
        found = cursor_left(&window) && begins(window, over);
        if (!found)
            cursor_take(&window, cursor_left(&window) > 0);
    }
    *offset += cursor_offset(&window);
    free(block);
    return found;
}
