/* Conditions of words and lines. Most are the reader's defects; some of these have consequences that depend on the
 * word, so the word is looked at again. */
#include <string.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/keyslot.h"
#include "tools/cluster/startup_private.h"

enum { FLAGS_FIELD = 2, EPOCH_FIELD = 6, LINK_FIELD = 7 }; /* words of a node line, from 0 */

bool startup_is_id(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!((word.at[i] >= '0' && word.at[i] <= '9') || (word.at[i] >= 'a' && word.at[i] <= 'z')))
            return false;
    return word.len == 40;
}

/* Each of these takes the bytes of a defect's place and gives the condition, or STARTUP_CONDITIONS for none. Without
 * the bytes it gives the condition with the mildest consequences. */

static enum startup_condition of_id(const struct startup_work *work, const struct view_defect *defect)
{
    struct bytes word = startup_bytes(work, defect->place);
    return !word.len || startup_is_id(word) ? STARTUP_ID_LETTERS : STARTUP_ID_CHARACTERS;
}

/* The reader has one defect for both; its words tell them apart (parsers/nodesconf/nodesconf_address.c). */
static enum startup_condition of_address(const struct startup_work *work, const struct view_defect *defect)
{
    (void)work;
    return strcmp(defect->found, "no colon") == 0 ? STARTUP_ENDPOINT : STARTUP_ADDRESS_BYTES;
}

/* An id with letters beyond f is accepted; whether it has a line is a question across lines. */
static enum startup_condition of_primary(const struct startup_work *work, const struct view_defect *defect)
{
    struct bytes word = startup_bytes(work, defect->place);
    if (!word.len || startup_is_id(word))
        return STARTUP_CONDITIONS;
    return text_starts(word, "-") ? STARTUP_PRIMARY_DASH : STARTUP_PRIMARY_WORD;
}

static size_t count_words(struct bytes text)
{
    struct cursor cursor = cursor_over(text);
    struct bytes word;
    size_t count = 0;
    while (cursor_word(&cursor, &word))
        count++;
    return count;
}

/* Adjacent words with the same damage are one defect, so it may begin before the epoch and end behind it. */
static enum startup_condition of_number(const struct startup_work *work, const struct view_defect *defect)
{
    struct bytes words = startup_bytes(work, defect->place);
    uint64_t from = defect->place.offset;
    if (!words.len)
        return STARTUP_TIME;
    while (from > 0 && work->text.at[from - 1] != '\n')
        from--;
    size_t before = count_words((struct bytes){work->text.at + from, (size_t)(defect->place.offset - from)});
    return before <= EPOCH_FIELD && before + count_words(words) > EPOCH_FIELD ? STARTUP_CONFIG_EPOCH : STARTUP_TIME;
}

/* The loader looks for '-', passes over two bytes for the direction, and takes what stands before ']' for the peer. */
static enum startup_condition of_open_slot(const struct startup_work *work, const struct view_defect *defect)
{
    struct bytes word = startup_bytes(work, defect->place), number, rest, peer, behind;
    if (!word.len)
        return STARTUP_OPEN_NUMBER;
    if (!text_split(word, '-', &number, &rest))
        return STARTUP_OPEN_DASH;
    bool closed = text_split(text_from(rest, 2), ']', &peer, &behind);
    return closed && startup_is_id(peer) ? STARTUP_OPEN_NUMBER : STARTUP_OPEN_PEER;
}

static const struct defect_rule {
    enum startup_condition condition; /* STARTUP_CONDITIONS: `which` knows, or startup_seen.c has noted it */
    enum startup_condition (*which)(const struct startup_work *work, const struct view_defect *defect);
} defect_rules[NODESCONF_DEFECTS] = {
    [NODESCONF_LINE_UNENDED] = {STARTUP_CONDITIONS, NULL},
    [NODESCONF_LINE_TOO_LONG] = {STARTUP_LINE_TOO_LONG, NULL},
    [NODESCONF_LINE_BLANKS] = {STARTUP_LINE_BLANKS, NULL},
    [NODESCONF_LINE_CR] = {STARTUP_LINE_CR, NULL},
    [NODESCONF_LINE_NUL] = {STARTUP_CONDITIONS, NULL},
    [NODESCONF_QUOTES] = {STARTUP_QUOTES, NULL},
    [NODESCONF_FEW_FIELDS] = {STARTUP_FEW_FIELDS, NULL},
    [NODESCONF_ID] = {STARTUP_CONDITIONS, of_id},
    [NODESCONF_ID_LENGTH] = {STARTUP_ID_LENGTH, NULL},
    [NODESCONF_ADDRESS] = {STARTUP_CONDITIONS, of_address},
    [NODESCONF_PORT] = {STARTUP_PORT, NULL},
    [NODESCONF_AUX] = {STARTUP_AUX_FORM, NULL},
    [NODESCONF_AUX_UNKNOWN] = {STARTUP_AUX_UNKNOWN, NULL},
    [NODESCONF_AUX_VALUE] = {STARTUP_AUX_VALUE, NULL},
    [NODESCONF_FLAG_UNKNOWN] = {STARTUP_FLAG_UNKNOWN, NULL},
    [NODESCONF_HANDSHAKE_SAVED] = {STARTUP_HANDSHAKE, NULL},
    [NODESCONF_PRIMARY] = {STARTUP_CONDITIONS, of_primary},
    [NODESCONF_NUMBER] = {STARTUP_CONDITIONS, of_number},
    [NODESCONF_LINK] = {STARTUP_LINK, NULL},
    [NODESCONF_SLOT] = {STARTUP_SLOT_WORD, NULL},
    [NODESCONF_SLOT_RANGE_ORDER] = {STARTUP_SLOT_ORDER, NULL},
    [NODESCONF_SLOT_BOUND] = {STARTUP_SLOT_BOUND, NULL},
    [NODESCONF_OPEN_SLOT] = {STARTUP_CONDITIONS, of_open_slot},
    [NODESCONF_VARS_ODD] = {STARTUP_VARS_ODD, NULL},
    [NODESCONF_VARS_UNKNOWN] = {STARTUP_VARS_UNKNOWN, NULL},
    [NODESCONF_VARS_NUMBER] = {STARTUP_VARS_NUMBER, NULL},
};

static void note_defect(struct startup_work *work, const struct view_defect *defect)
{
    const struct defect_rule *rule = &defect_rules[defect->code];
    enum startup_condition condition = rule->which ? rule->which(work, defect) : rule->condition;
    if (condition != STARTUP_CONDITIONS)
        startup_note(work, defect->place.offset,
                     (struct startup_fact){condition, defect->place, defect->expected, defect->found, 0});
}

/* In the order in which every server writes them. */
static const char *const flag_words[] = {"myself", "master", "slave",  "fail?",
                                         "fail",   "handshake", "noaddr", "nofailover"};

enum { FLAG_WORDS = sizeof(flag_words) / sizeof(flag_words[0]) };

/* How one flag deviates from what may follow the flag at `*after - 1`. An unknown flag is a defect, and noted as that.
 */
static enum startup_condition form_of_flag(struct bytes flag, size_t *after)
{
    if (text_is_nocase(flag, "primary") || text_is_nocase(flag, "replica"))
        return STARTUP_ROLE_WORD;
    for (size_t i = 0; i < FLAG_WORDS; i++) {
        if (!text_is_nocase(flag, flag_words[i]))
            continue;
        bool formed = text_is(flag, flag_words[i]) && i >= *after;
        *after = i + 1;
        return formed ? STARTUP_CONDITIONS : STARTUP_FLAG_FORM;
    }
    return STARTUP_CONDITIONS;
}

static void note_flags(struct startup_work *work, struct bytes flags, struct startup_fact fact)
{
    struct bytes flag;
    bool noted[2] = {false, false};
    size_t after = 0;
    for (bool more = true; more;) {
        more = text_split(flags, ',', &flag, &flags);
        fact.condition = form_of_flag(flag, &after);
        bool *before = &noted[fact.condition == STARTUP_ROLE_WORD];
        if (fact.condition != STARTUP_CONDITIONS && !*before) {
            *before = true;
            startup_note(work, fact.place.offset, fact);
        }
    }
}

/* Servers write ascending ranges with a gap between, and a single slot as one number. A word that is no range is a
 * defect, and noted as that. */
static bool is_formed(struct bytes word, uint64_t *next)
{
    struct bytes from, to;
    uint64_t first, last;
    bool range = text_split(text_trim(word), '-', &from, &to);
    if (!text_u64(from, &first) || !text_u64(range ? to : from, &last) || last >= SLOT_COUNT)
        return true;
    bool formed = first >= *next && (!range || first < last);
    *next = last + 2;
    return formed;
}

/* Flags and slots of a line that mean what they should but look as no server writes them. */
static void note_form(struct startup_work *work, const struct sighting *sighting)
{
    struct cursor words = cursor_over(startup_bytes(work, startup_line(sighting)));
    struct bytes word;
    uint64_t next = 0;
    for (unsigned field = 0; cursor_word(&words, &word); field++) {
        uint64_t at = sighting->offset + cursor_offset(&words) - word.len;
        struct startup_fact fact = {STARTUP_SLOT_FORM, {at, word.len, sighting->line}, NULL, NULL, 0};
        if (field == FLAGS_FIELD)
            note_flags(work, word, fact);
        if (field > LINK_FIELD && !text_starts(word, "[") && !is_formed(word, &next)) {
            startup_note(work, at, fact);
            return;
        }
    }
}

static void note_padding(struct startup_work *work)
{
    size_t at = 0, length = 0;
    uint32_t line = 1;
    if (!text_starts(work->text, "\n")) {
        if (!text_find(work->text, "\n\n", &at))
            return;
        at++;
    }
    for (size_t i = 0; i < at; i++)
        line += work->text.at[i] == '\n';
    while (at + length < work->text.len && work->text.at[at + length] == '\n')
        length++;
    startup_note(work, at, (struct startup_fact){STARTUP_PADDING, {at, length, line}, NULL, NULL, 0});
}

void startup_words(struct startup_work *work)
{
    const struct view *seen = work->seen;
    for (size_t i = 0; i < seen->defect_count; i++)
        note_defect(work, &seen->defects[i]);
    for (size_t i = 0; i < seen->count; i++)
        note_form(work, &seen->sightings[i]);
    if (work->view->padding)
        note_padding(work);
}
