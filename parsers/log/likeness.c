#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/log/log.h"
#include "parsers/log/prefix.h"
#include "parsers/log/words.h"
#include "parsers/log/wrapper.h"

/* Behind a wrapper there may be no prefix: a server that writes to syslog leaves it out. Then its words count. */
static bool is_servers(struct log_wrappers *wrappers, struct log_words **words, struct bytes line)
{
    struct log_prefix prefix;
    struct log_wrapping wrapping;
    struct log_values values;
    size_t before;
    if (log_prefix_read(line, &prefix))
        return true;
    if (!log_unwrap(wrappers, line, &wrapping))
        return false;
    if (log_prefix_read(wrapping.text, &prefix) || log_prefix_find(wrapping.text, &prefix, &before))
        return true;
    if (!*words)
        *words = log_words_new();
    return wrapping.received.known && *words && log_words_find(*words, wrapping.text, &values) != LOG_NO_WORDING;
}

unsigned log_likeness(struct bytes head)
{
    struct cursor in = cursor_over(head);
    struct log_wrappers wrappers = {.latest = 0};
    struct log_words *words = NULL;
    struct bytes text;
    bool ended;
    unsigned servers = 0, lines = 0;
    while (cursor_line(&in, &text, &ended)) {
        text.len -= text_ends(text, "\r");
        bool is = is_servers(&wrappers, &words, text);
        servers += is;
        lines += is || (ended && text_trim(text).len);
    }
    log_wrappers_end(&wrappers);
    log_words_free(words);
    return servers ? 50 + 50 * servers / lines : 0;
}
