/* Lines and padding of nodes.conf text, what a capture has around its lines, and what kind of text it is at all.
 *
 * Servers up to Redis 7.0 overwrite the file in place and fill the rest of its old length with LF, a file system may
 * leave NUL bytes where data never arrived: both come in runs, and a run is one step. The loader skips a line that
 * begins with NUL up to its LF; what stands behind the NUL bytes is still evidence, so here it is a line of its own.
 */
#include "parsers/nodesconf/nodesconf_private.h"

static struct bytes rest_of(const struct lines *lines)
{
    return (struct bytes){lines->cursor.at, cursor_left(&lines->cursor)};
}

/* Shortens the text to its first `len` bytes after the current position. */
static void keep(struct lines *lines, size_t len)
{
    size_t passed = cursor_offset(&lines->cursor);
    lines->cursor = cursor_over((struct bytes){lines->cursor.start, passed + len});
    cursor_take(&lines->cursor, passed);
}

/* "127.0.0.1:7000> cluster nodes", "$ redis-cli -p 7000 cluster nodes" */
static bool is_prompt(struct bytes line)
{
    static const char command[] = "cluster nodes";
    line = text_trim(line);
    return line.len >= sizeof(command) - 1 &&
           text_is_nocase(text_from(line, line.len - (sizeof(command) - 1)), command);
}

static void skip_prompts(struct lines *lines)
{
    struct bytes line;
    bool ended;
    for (struct cursor ahead = lines->cursor; cursor_line(&ahead, &line, &ended) && is_prompt(line);) {
        lines->cursor = ahead;
        lines->number++;
        lines->dressed = true;
    }
}

/* "$1234\r\n" before a bulk string, "=1234\r\ntxt:" before a verbatim string. */
static void skip_resp_header(struct lines *lines)
{
    struct cursor ahead = lines->cursor;
    struct bytes line;
    bool ended;
    uint64_t claim;
    if (!cursor_line(&ahead, &line, &ended) || !(text_starts(line, "$") || text_starts(line, "=")) ||
        !text_u64(text_trim(text_from(line, 1)), &claim))
        return;
    lines->cursor = ahead;
    lines->number++;
    lines->dressed = true;
    lines->cut = cursor_left(&ahead) < claim;
}

static void skip_quote(struct lines *lines)
{
    if (!text_starts(rest_of(lines), "\""))
        return;
    cursor_take(&lines->cursor, 1);
    lines->dressed = true;
    struct bytes rest = rest_of(lines), inside, behind;
    size_t feed = rest.len, escape = rest.len;
    text_find(rest, "\n", &feed);
    text_find(rest, "\\n", &escape);
    lines->escaped = escape < feed;
    if (text_split_last(rest, '"', &inside, &behind))
        keep(lines, inside.len);
    else
        lines->cut = true;
}

struct lines nodesconf_lines(struct bytes text, bool capture)
{
    static const uint8_t nothing[1];
    if (!text.len)
        text.at = nothing;
    struct lines lines = {.cursor = cursor_over(text), .number = 1, .capture = capture};
    if (!capture)
        return lines;
    skip_prompts(&lines);
    skip_resp_header(&lines);
    if (text_starts(rest_of(&lines), "txt:")) {
        cursor_take(&lines.cursor, 4);
        lines.dressed = true;
    }
    skip_quote(&lines);
    return lines;
}

static bool take_line(struct lines *lines, struct line *line)
{
    static const char escape[] = "\\n";
    if (!lines->escaped)
        return cursor_line(&lines->cursor, &line->text, &line->ended);
    size_t at = cursor_left(&lines->cursor);
    if (!at)
        return false;
    line->ended = text_find(rest_of(lines), escape, &at);
    line->text = cursor_take(&lines->cursor, at);
    if (line->ended)
        cursor_take(&lines->cursor, sizeof(escape) - 1);
    return true;
}

/* How many of the next bytes are `byte` or `other`. */
static size_t run_length(const struct lines *lines, uint8_t byte, uint8_t other)
{
    struct bytes rest = rest_of(lines);
    size_t n = 0;
    while (n < rest.len && (rest.at[n] == byte || rest.at[n] == other))
        n++;
    return n;
}

static size_t count_feeds(struct bytes run)
{
    size_t feeds = 0;
    for (size_t i = 0; i < run.len; i++)
        feeds += run.at[i] == '\n';
    return feeds;
}

enum line_kind nodesconf_line(struct lines *lines, struct line *line)
{
    *line = (struct line){.offset = cursor_offset(&lines->cursor), .number = lines->number};
    size_t feeds = run_length(lines, '\n', lines->capture ? '\r' : '\n');
    if (feeds) {
        line->text = cursor_take(&lines->cursor, feeds);
        line->ended = true;
        lines->number += (uint32_t)count_feeds(line->text);
        return LINES_FEEDS;
    }
    size_t nuls = run_length(lines, 0, 0);
    if (nuls) {
        line->text = cursor_take(&lines->cursor, nuls);
        return LINES_NULS;
    }
    if (!take_line(lines, line))
        return LINES_OVER;
    lines->number += line->ended;
    return LINES_TEXT;
}

enum nodesconf_origin nodesconf_origin(struct bytes text)
{
    struct lines lines = nodesconf_lines(text, true);
    struct line line;
    struct bytes word;
    size_t at;
    bool capture = lines.dressed;
    for (enum line_kind kind; (kind = nodesconf_line(&lines, &line)) != LINES_OVER;) {
        if (kind == LINES_NULS)
            return NODESCONF_FILE;
        struct cursor words = cursor_over(line.text);
        if (kind != LINES_TEXT || !cursor_word(&words, &word))
            continue;
        if (text_is_nocase(word, "vars") || text_find(line.text, ",shard-id=", &at))
            return NODESCONF_FILE;
        if (cursor_word(&words, &word) && cursor_word(&words, &word) && text_find(word, "handshake", &at))
            capture = true;
        if (text_ends(line.text, "\r"))
            capture = true;
    }
    return capture ? NODESCONF_CAPTURE : NODESCONF_UNCLEAR;
}

enum { WORDS_SEEN = 8, LINES_SEEN = 256, SCORE_VARS = 95 };

static bool all_flags_known(struct bytes flags)
{
    struct bytes flag;
    for (bool more = true; more;) {
        more = text_split(flags, ',', &flag, &flags);
        if (!nodesconf_flag(flag))
            return false;
    }
    return true;
}

static bool is_link(struct bytes word)
{
    return text_is(word, "connected") || text_is(word, "disconnected");
}

/* An endpoint is told from other words by a port behind its last colon. */
static bool is_endpoint(struct bytes word)
{
    struct bytes endpoint, rest, ip, port;
    uint64_t number;
    text_split(word, ',', &endpoint, &rest);
    text_split_last(endpoint, '@', &endpoint, &rest);
    return text_split_last(endpoint, ':', &ip, &port) && text_u64(port, &number) && number <= UINT16_MAX;
}

/* How many of the four signs of a node line there are: id, endpoint, flags, and the numbers with the link state
 * behind them, which count twice. Without its first words a line is still known by the last. */
static unsigned signs(struct bytes text)
{
    struct cursor cursor = cursor_over(text);
    struct bytes words[WORDS_SEEN] = {{NULL, 0}};
    size_t count = 0;
    while (count < WORDS_SEEN && cursor_word(&cursor, &words[count]))
        count++;
    unsigned found = 0;
    found += count > 0 && text_is_node_id(words[0]);
    found += count > 1 && is_endpoint(words[1]);
    found += count > 2 && all_flags_known(words[2]);
    uint64_t number;
    size_t numbers = 0;
    for (size_t i = 0; i < count; i++) {
        if (numbers >= 3 && is_link(text_trim(words[i])))
            return found + 2;
        numbers = text_u64(words[i], &number) ? numbers + 1 : 0;
    }
    return found;
}

static bool is_vars(struct bytes text)
{
    struct cursor cursor = cursor_over(text);
    struct bytes word;
    return cursor_word(&cursor, &word) && text_is_nocase(word, "vars") && cursor_word(&cursor, &word) &&
           (text_is_nocase(word, "currentEpoch") || text_is_nocase(word, "lastVoteEpoch"));
}

/* Lines that look like node lines against those that do not. A first and a last line that say nothing are not held
 * against the text: either may be torn. */
unsigned nodesconf_likeness(struct bytes head)
{
    struct lines lines = nodesconf_lines(head, true);
    struct line line;
    unsigned good = 0, vars = 0, bad = 0, torn = 0;
    enum line_kind kind;
    for (unsigned seen = 0; seen < LINES_SEEN && (kind = nodesconf_line(&lines, &line)) != LINES_OVER; seen++) {
        if (kind != LINES_TEXT)
            continue;
        if (signs(line.text) >= 2)
            good++;
        else if (is_vars(line.text))
            vars++;
        else if (line.number == 1 || !line.ended)
            torn++;
        else
            bad++;
    }
    if (!good)
        return vars && !bad && !torn ? SCORE_VARS : 0;
    unsigned score = 100 * (good + vars) / (good + vars + bad);
    return score < 25 ? 0 : score;
}
