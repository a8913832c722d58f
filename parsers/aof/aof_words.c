#include "parsers/aof/aof_private.h"
#include "parsers/aof/leading_number.h"
#include "parsers/bytes/text.h"

enum { MOST_DIGITS = 18 };

/* The mark, digits, CR and LF. */
static inline enum aof_look look_header(struct cursor *in, uint8_t mark, uint64_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    uint8_t c = cursor_u8(in);
    if (c == mark) {
        c = cursor_u8(in);
        bool zero = c == '0';
        for (; c >= '0' && c <= '9' && digits < MOST_DIGITS; c = cursor_u8(in), digits++)
            value = value * 10 + (c - '0');
        if (c == '\r' && digits && !(zero && digits > 1) && cursor_u8(in) == '\n') {
            *number = value;
            return AOF_LOOK_WHOLE;
        }
    }
    return cursor_ok(in) ? AOF_LOOK_ODD : AOF_LOOK_CUT;
}

bool aof_is_plain_header(struct bytes line, uint8_t mark)
{
    struct cursor in = cursor_over(line);
    uint64_t number;
    return look_header(&in, mark, &number) == AOF_LOOK_WHOLE && !cursor_left(&in);
}

/* An argument: its header, its bytes, CR and LF. */
static inline enum aof_look look_word(struct cursor *in, struct bytes *word)
{
    uint64_t len;
    enum aof_look look = look_header(in, '$', &len);
    if (look != AOF_LOOK_WHOLE)
        return look;
    if (len > cursor_left(in))
        return AOF_LOOK_CUT;
    *word = cursor_take(in, (size_t)len);
    uint16_t end = cursor_be16(in);
    return !cursor_ok(in) ? AOF_LOOK_CUT : end == 0x0D0A ? AOF_LOOK_WHOLE : AOF_LOOK_ODD;
}

enum aof_look aof_look(const struct cursor *window, struct aof_item *item)
{
    struct cursor in = cursor_over((struct bytes){window->at, cursor_left(window)});
    uint64_t count;
    enum aof_look look = look_header(&in, '*', &count);
    if (look != AOF_LOOK_WHOLE)
        return look;
    if (!count || count > INT32_MAX)
        return AOF_LOOK_ODD;
    size_t head = cursor_offset(&in);
    struct bytes word;
    for (uint64_t i = 0; i < count; i++) {
        look = look_word(&in, &word);
        if (look != AOF_LOOK_WHOLE)
            return look;
        if (i < AOF_ARGUMENTS) {
            item->arguments[i] = word;
            item->argument_lengths[i] = word.len;
        }
    }
    item->kind = AOF_COMMAND;
    item->place.length = cursor_offset(&in);
    item->place.line = 0;
    item->argument_count = count;
    item->kept = count < AOF_ARGUMENTS ? (size_t)count : AOF_ARGUMENTS;
    item->words = (struct bytes){in.start + head, cursor_offset(&in) - head};
    return AOF_LOOK_WHOLE;
}

struct aof_words aof_words_of(const struct aof_item *item)
{
    return (struct aof_words){.item = item, .in = cursor_over(item->words)};
}

bool aof_word_next(struct aof_words *words, struct bytes *word, bool *whole)
{
    const struct aof_item *item = words->item;
    size_t index = (size_t)words->index;
    *whole = true;
    if (words->index >= item->argument_count)
        return false;
    words->index++;
    if (index < item->kept) {
        *word = item->arguments[index];
        *whole = word->len == item->argument_lengths[index];
        return true;
    }
    /* The first time behind those that are kept. */
    for (size_t i = 0; index == item->kept && i < item->kept; i++)
        look_word(&words->in, word);
    if (look_word(&words->in, word) == AOF_LOOK_WHOLE)
        return true;
    words->index--;
    return false;
}

struct aof_key_walk aof_keys_of(const struct aof_item *item)
{
    return (struct aof_key_walk){.words = aof_words_of(item), .unread = !item->command};
}

static uint64_t step_of(const struct aof_command *command)
{
    return command->step > 0 ? (uint64_t)command->step : 1;
}

/* What a word says about the places of keys behind it. */
static void heed(struct aof_key_walk *walk, uint64_t index, struct bytes word)
{
    const struct aof_command *command = walk->words.item->command;
    uint64_t count = walk->words.item->argument_count, left = count - index - 1;
    bool numbered = (command->keys == AOF_KEYS_NUMBERED_1 && index == 1) ||
                    (command->keys == AOF_KEYS_NUMBERED_2 && index == 2);
    if (numbered) {
        int64_t number = leading_number(word);
        walk->from = index + 1;
        walk->to = number < 0 || (uint64_t)number > left ? count : index + 1 + (uint64_t)number * step_of(command);
    } else if (command->keys == AOF_KEYS_STREAMS && text_is_nocase(word, "streams") && !walk->from) {
        walk->from = index + 1;
        walk->to = index + 1 + left / 2;
    } else if (command->keys == AOF_KEYS_STORE) {
        walk->store = text_is_nocase(word, "store") || text_is_nocase(word, "storedist");
    } else if (command->keys == AOF_KEYS_MIGRATE && index == 3 && word.len) {
        walk->from = walk->to = count;
    } else if (command->keys == AOF_KEYS_MIGRATE && !walk->from && index > 3 && text_is_nocase(word, "keys")) {
        walk->from = index + 1;
        walk->to = count;
    }
}

static bool is_key(const struct aof_key_walk *walk, uint64_t index, struct bytes word)
{
    const struct aof_command *command = walk->words.item->command;
    return walk->store || aof_command_is_key(command, index, walk->words.item->argument_count) ||
           (command->keys == AOF_KEYS_MIGRATE && index == 3 && word.len) ||
           (walk->from && index >= walk->from && index < walk->to && (index - walk->from) % step_of(command) == 0);
}

bool aof_key_next(struct aof_key_walk *walk, struct bytes *key, bool *whole)
{
    const struct aof_item *item = walk->words.item;
    if (!item->command)
        return false;
    for (;;) {
        uint64_t index = walk->words.index;
        if (item->command->keys == AOF_KEYS_PLAIN && item->command->last >= 0 && index > (uint64_t)item->command->last)
            return false;
        if (!aof_word_next(&walk->words, key, whole)) {
            walk->unread |= index < item->argument_count;
            return false;
        }
        bool is = is_key(walk, index, *key);
        heed(walk, index, *key);
        if (is)
            return true;
    }
}
