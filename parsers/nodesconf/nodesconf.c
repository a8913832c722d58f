/* nodes.conf, read line by line.
 *
 *   line    id address flags primary ping pong config-epoch link [slot | first-last | [slot->-id] | [slot-<-id]]...
 *   vars    vars currentEpoch N lastVoteEpoch N        one in a file; written last, loaded anywhere
 *
 *   address by generation stands in nodesconf_address.c, slots in nodesconf_slots.c, words and quotes in
 *   nodesconf_words.c, padding and captures in nodesconf_lines.c. The whole format: docs/formats/nodes-conf.md.
 *
 * There is no checksum. A changed byte that still spells an id, a port or a slot is a fact like any other; only other
 * views of the same cluster can contradict it.
 *
 * A line is read whole before its first step is given: its defects first, in the order of its words, then its item.
 */
#include <stdlib.h>

#include "parsers/nodesconf/nodesconf_private.h"

enum { LINE_MAX_BYTES = 2098175 }; /* fgets into 1024 + 16384 * 128 bytes, in every generation */

static const struct flag_word {
    const char *word;
    unsigned flag;
} flag_words[] = {
    {"master", NODE_PRIMARY},         {"slave", NODE_REPLICA},          {"myself", NODE_MYSELF},
    {"fail", NODE_FAIL},              {"fail?", NODE_PFAIL},            {"handshake", NODE_HANDSHAKE},
    {"noaddr", NODE_NOADDR},          {"nofailover", NODE_NOFAILOVER},  {"noflags", NODE_NOFLAGS},
    {"primary", NODE_PRIMARY},        {"replica", NODE_REPLICA},
};

unsigned nodesconf_flag(struct bytes word)
{
    for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
        if (text_is_nocase(word, flag_words[i].word))
            return flag_words[i].flag;
    return 0;
}

void *nodesconf_room(struct nodesconf *reader, void *array, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return array;
    size_t wanted = *cap ? *cap * 2 : 64;
    if (wanted < count)
        wanted = count;
    void *moved = wanted <= SIZE_MAX / size ? realloc(array, wanted * size) : NULL;
    if (moved)
        *cap = wanted;
    else
        reader->why = "no memory";
    return moved;
}

void nodesconf_defect(struct nodesconf *reader, enum nodesconf_defect code, struct word where, const char *found)
{
    if (reader->defect_count) {
        struct defect *latest = &reader->defects[reader->defect_count - 1];
        size_t end = latest->from + latest->length;
        if (latest->code == code && latest->found == found && where.from <= end + 1) {
            latest->length = where.from + where.length - latest->from;
            return;
        }
    }
    struct defect *defects = nodesconf_room(reader, reader->defects, &reader->defect_cap, reader->defect_count + 1,
                                            sizeof(*defects));
    if (!defects)
        return;
    reader->defects = defects;
    defects[reader->defect_count++] = (struct defect){code, where.from, where.length, found};
}

static void line_defect(struct nodesconf *reader, enum nodesconf_defect code, size_t from, size_t length,
                        const char *found)
{
    nodesconf_defect(reader, code, (struct word){.from = from, .length = length}, found);
}

static bool is_id_like(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!((id.at[i] >= '0' && id.at[i] <= '9') || ((id.at[i] | 0x20) >= 'a' && (id.at[i] | 0x20) <= 'z')))
            return false;
    return id.len == 40;
}

static void read_id(struct nodesconf *reader, struct word word)
{
    reader->item.node.id = word.text;
    if (word.text.len != 40)
        nodesconf_defect(reader, NODESCONF_ID_LENGTH, word, word.text.len < 40 ? "a shorter word" : "a longer word");
    else if (!text_is_node_id(word.text))
        nodesconf_defect(reader, NODESCONF_ID, word, "other characters");
}

static void read_flags(struct nodesconf *reader, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    node->flags_text = word.text;
    struct cursor cursor = cursor_over(word.text);
    do {
        struct bytes text = cursor_until(&cursor, ',');
        struct word part = word_part(word, cursor_offset(&cursor) - text.len, text);
        unsigned flag = nodesconf_flag(text);
        node->flags |= flag;
        if (!flag)
            nodesconf_defect(reader, NODESCONF_FLAG_UNKNOWN, part, text.len ? "another word" : "an empty flag");
        else if (flag == NODE_HANDSHAKE && !reader->lines.capture)
            nodesconf_defect(reader, NODESCONF_HANDSHAKE_SAVED, part, "handshake");
    } while (cursor_take(&cursor, 1).len);
}

static void read_primary(struct nodesconf *reader, struct word word)
{
    if (text_is(word.text, "-"))
        return;
    reader->item.node.primary = word.text;
    if (!text_is_node_id(word.text))
        nodesconf_defect(reader, NODESCONF_PRIMARY, word, "something else");
}

static void read_number(struct nodesconf *reader, struct word word, uint64_t max, uint64_t *number)
{
    uint64_t value;
    if (text_u64(word.text, &value) && value <= max)
        *number = value;
    else
        nodesconf_defect(reader, NODESCONF_NUMBER, word, "something else");
}

static void read_ping(struct nodesconf *reader, struct word word)
{
    uint64_t value = 0;
    read_number(reader, word, INT64_MAX, &value);
    reader->item.node.ping_ms = (int64_t)value;
}

static void read_pong(struct nodesconf *reader, struct word word)
{
    uint64_t value = 0;
    read_number(reader, word, INT64_MAX, &value);
    reader->item.node.pong_ms = (int64_t)value;
}

static void read_epoch(struct nodesconf *reader, struct word word)
{
    read_number(reader, word, UINT64_MAX, &reader->item.node.config_epoch);
}

static void read_link(struct nodesconf *reader, struct word word)
{
    if (text_is(word.text, "connected"))
        reader->item.node.link = LINK_CONNECTED;
    else if (text_is(word.text, "disconnected"))
        reader->item.node.link = LINK_DISCONNECTED;
    else
        nodesconf_defect(reader, NODESCONF_LINK, word, "another word");
}

static void (*const node_fields[])(struct nodesconf *reader, struct word word) = {
    read_id, nodesconf_address, read_flags, read_primary, read_ping, read_pong, read_epoch, read_link,
};

/* `word` is the line's first, `words` has the others. */
static void read_node(struct nodesconf *reader, struct words *words, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    const struct bytes none = {reader->line.text.at, 0};
    size_t fields = sizeof(node_fields) / sizeof(node_fields[0]), field = 0;
    bool more = true;
    node->ip = node->hostname = node->shard_id = node->nodename = node->flags_text = node->primary = none;
    while (more && field < fields) {
        node_fields[field++](reader, word);
        more = nodesconf_word(words, &word);
    }
    if (field < fields)
        line_defect(reader, NODESCONF_FEW_FIELDS, 0, reader->line.text.len, "fewer");
    for (; more; more = nodesconf_word(words, &word))
        nodesconf_slot(reader, word);
    node->ranges = reader->ranges;
    node->open = reader->open;
    reader->item.kind = NODESCONF_NODE;
    reader->item_ready = is_id_like(node->id) || (reader->endpoint_read && node->flags);
}

static void read_vars(struct nodesconf *reader, struct words *words)
{
    struct nodesconf_vars *vars = &reader->item.vars;
    const struct {
        const char *name;
        bool *has;
        uint64_t *value;
    } known[] = {
        {"currentEpoch", &vars->has_current, &vars->current_epoch},
        {"lastVoteEpoch", &vars->has_last_vote, &vars->last_vote_epoch},
    };
    struct word name, value;
    while (nodesconf_word(words, &name)) {
        size_t i = 0;
        uint64_t number;
        if (!nodesconf_word(words, &value)) {
            nodesconf_defect(reader, NODESCONF_VARS_ODD, name, "a name without a value");
            break;
        }
        while (i < 2 && !text_is_nocase(name.text, known[i].name))
            i++;
        if (i == 2) {
            nodesconf_defect(reader, NODESCONF_VARS_UNKNOWN, name, "another name");
        } else if (text_u64(value.text, &number)) {
            *known[i].has = true;
            *known[i].value = number;
        } else {
            nodesconf_defect(reader, NODESCONF_VARS_NUMBER, value, "something else");
        }
    }
    reader->item.kind = NODESCONF_VARS;
    reader->item_ready = true;
}

/* The line up to its last blank within what servers read of it, so that no word is half. */
static struct bytes readable_part(struct bytes line)
{
    struct bytes head, tail;
    line.len = LINE_MAX_BYTES;
    return text_split_last(line, ' ', &head, &tail) ? head : (struct bytes){line.at, 0};
}

static bool holds(struct bytes text, uint8_t byte, size_t *at)
{
    struct cursor cursor = cursor_over(text);
    *at = cursor_until(&cursor, byte).len;
    return cursor_left(&cursor) > 0;
}

/* Prepares the words of a line; false without memory. */
static bool split_words(struct nodesconf *reader, struct bytes text, struct words *words)
{
    static const uint8_t odd[] = {'"', '\'', '\t', '\r', '\v', '\f'};
    bool plain = true;
    size_t at;
    *words = (struct words){.cursor = cursor_over(text)};
    for (size_t i = 0; i < sizeof(odd) && plain; i++)
        plain = !holds(text, odd[i], &at);
    if (plain)
        return true;
    uint8_t *scratch = nodesconf_room(reader, reader->scratch, &reader->scratch_cap, text.len, 1);
    if (!scratch)
        return false;
    reader->scratch = scratch;
    if (nodesconf_words_balanced(text, scratch))
        words->scratch = scratch;
    else
        line_defect(reader, NODESCONF_QUOTES, 0, text.len, "a quote without its end, or a word that goes on behind it");
    return true;
}

/* Carriage returns and NUL bytes, which no server writes. Gives the line without a trailing CR. */
static struct bytes strip_foreign(struct nodesconf *reader, struct bytes text)
{
    size_t at;
    if (holds(text, '\0', &at))
        line_defect(reader, NODESCONF_LINE_NUL, at, 1, "NUL within a line");
    if (!reader->lines.capture && holds(text, '\r', &at))
        line_defect(reader, NODESCONF_LINE_CR, at, 1, "a carriage return");
    if (text_ends(text, "\r"))
        text.len--;
    return text;
}

/* Finds the times of a line whose words are plain; false when they are not the numbers that read_ping() takes. */
static bool take_apart(struct bytes line, struct nodesconf_ahead *ahead)
{
    enum { PING = 4 };
    struct words words = {.cursor = cursor_over(line)};
    struct word ping, pong;
    uint64_t ping_ms, pong_ms;
    for (size_t field = 0; field <= PING; field++)
        if (!nodesconf_word(&words, &ping))
            return false;
    if (!nodesconf_word(&words, &pong) || !text_u64(ping.text, &ping_ms) || ping_ms > INT64_MAX ||
        !text_u64(pong.text, &pong_ms) || pong_ms > INT64_MAX)
        return false;
    ahead->before = (struct bytes){line.at, ping.from};
    ahead->behind = text_from(line, pong.from + pong.length);
    ahead->ping_ms = (int64_t)ping_ms;
    ahead->pong_ms = (int64_t)pong_ms;
    return true;
}

/* `plain`: all of the line was split at spaces, and nothing was taken off it. */
static void show_frame(struct nodesconf *reader, bool plain)
{
    struct nodesconf_ahead ahead;
    if (plain && reader->item_ready && reader->line.ended && !reader->defect_count &&
        take_apart(reader->line.text, &ahead)) {
        reader->item.before = ahead.before;
        reader->item.behind = ahead.behind;
    }
}

static void read_text(struct nodesconf *reader)
{
    struct bytes text = reader->line.text;
    struct words words;
    struct word first;
    if (!reader->line.ended && (!reader->lines.capture || reader->lines.cut)) {
        line_defect(reader, NODESCONF_LINE_UNENDED, 0, text.len,
                    text.at[text.len - 1] ? "the end of the evidence" : "NUL bytes up to the end of the evidence");
        reader->end_said = true;
        return;
    }
    if (text.len >= LINE_MAX_BYTES) {
        line_defect(reader, NODESCONF_LINE_TOO_LONG, 0, text.len, "a longer one");
        text = readable_part(text);
    }
    text = strip_foreign(reader, text);
    if (!split_words(reader, text, &words))
        return;
    if (!nodesconf_word(&words, &first)) {
        line_defect(reader, NODESCONF_LINE_BLANKS, 0, text.len, "blanks only");
    } else if (text_is_nocase(first.text, "vars")) {
        read_vars(reader, &words);
    } else {
        read_node(reader, &words, first);
        show_frame(reader, !words.scratch && text.len == reader->line.text.len);
    }
}

static void read_padding(struct nodesconf *reader)
{
    reader->item.kind = NODESCONF_PADDING;
    reader->item.padding = reader->line.text.len;
    reader->item_ready = true;
}

/* A capture whose header or quote promises more, cut exactly behind a line. */
static bool read_end(struct nodesconf *reader)
{
    if (!reader->lines.cut || reader->end_said)
        return false;
    reader->end_said = true;
    line_defect(reader, NODESCONF_LINE_UNENDED, 0, 0, "the end of the evidence");
    return true;
}

/* Reads the next line or run of padding; false at the end. */
static bool read_line(struct nodesconf *reader)
{
    enum line_kind kind = nodesconf_line(&reader->lines, &reader->line);
    reader->defect_count = reader->defect_next = 0;
    reader->endpoint_read = reader->taken_valid = false;
    reader->item = (struct nodesconf_item){
        .place = {reader->line.offset, reader->line.text.len, reader->line.number},
        .ended = reader->line.ended,
    };
    if (kind == LINES_OVER)
        return read_end(reader);
    if (kind == LINES_TEXT) {
        read_text(reader);
        return true;
    }
    if (kind == LINES_NULS)
        line_defect(reader, NODESCONF_LINE_NUL, 0, reader->line.text.len, "a run of NUL");
    read_padding(reader);
    return true;
}

static void give_damage(struct nodesconf *reader)
{
    static const char *const expected[] = {
#define NODESCONF_DEFECT(id, text) text,
#include "parsers/nodesconf/nodesconf_defects.def"
#undef NODESCONF_DEFECT
    };
    const struct defect *defect = &reader->defects[reader->defect_next++];
    uint64_t offset = reader->line.offset + defect->from;
    reader->damage = (struct damage){
        .place = {offset, defect->length, reader->line.number},
        .code = defect->code,
        .expected = expected[defect->code],
        .found = defect->found,
        .resumed = offset + defect->length,
    };
}

static struct nodesconf *open_reader(struct bytes text, bool capture)
{
    struct nodesconf *reader = calloc(1, sizeof(*reader));
    if (reader)
        reader->lines = nodesconf_lines(text, capture);
    return reader;
}

struct nodesconf *nodesconf_open(struct bytes text)
{
    return open_reader(text, false);
}

struct nodesconf *nodesconf_open_capture(struct bytes text)
{
    return open_reader(text, true);
}

enum parse_step nodesconf_next(struct nodesconf *reader, struct nodesconf_item *item)
{
    for (;;) {
        if (reader->why)
            return PARSE_STOP;
        if (reader->defect_next < reader->defect_count) {
            give_damage(reader);
            return PARSE_DAMAGE;
        }
        if (reader->item_ready) {
            reader->item_ready = false;
            *item = reader->item;
            return PARSE_ITEM;
        }
        if (!read_line(reader))
            return PARSE_END;
    }
}

bool nodesconf_peek(struct nodesconf *reader, struct nodesconf_ahead *ahead)
{
    struct line line;
    if (reader->why || reader->item_ready || reader->defect_next < reader->defect_count)
        return false;
    reader->behind_peek = reader->lines;
    if (nodesconf_line(&reader->behind_peek, &line) != LINES_TEXT || !line.ended || line.text.len >= LINE_MAX_BYTES)
        return false;
    ahead->place = (struct place){line.offset, line.text.len, line.number};
    return take_apart(line.text, ahead);
}

void nodesconf_pass(struct nodesconf *reader)
{
    reader->lines = reader->behind_peek;
}

const struct damage *nodesconf_damage(const struct nodesconf *reader)
{
    return &reader->damage;
}

const char *nodesconf_why(const struct nodesconf *reader)
{
    return reader->why;
}

void nodesconf_close(struct nodesconf *reader)
{
    if (!reader)
        return;
    free(reader->defects);
    free(reader->open);
    free(reader->scratch);
    free(reader);
}
