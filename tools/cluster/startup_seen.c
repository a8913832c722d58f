/* The file as the loader sees it. Lines are C strings there: one that begins with NUL is skipped whole, another ends at
 * its first NUL; and the last line needs no line feed. A text in that form, with every byte at its old offset, is read
 * again, so that all further conditions are found in what a server would read. */
#include <string.h>

#include "parsers/bytes/cursor.h"
#include "tools/cluster/startup_private.h"

static bool has_defect(const struct view *view, enum nodesconf_defect code)
{
    for (size_t i = 0; i < view->defect_count; i++)
        if (view->defects[i].code == code)
            return true;
    return false;
}

static size_t run_of_nul(struct bytes text)
{
    size_t length = 0;
    while (length < text.len && !text.at[length])
        length++;
    return length;
}

static bool is_padding(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] && text.at[i] != '\n')
            return false;
    return true;
}

/* Notes what NUL bytes do to a line, and makes `copy`, which is the line in the new text, what is left of it. */
static void look_at_line(struct startup_work *work, struct bytes line, struct bytes rest, struct place place,
                         uint8_t *copy)
{
    const uint8_t *nul = line.len ? memchr(line.at, 0, line.len) : NULL;
    if (!nul)
        return;
    size_t at = (size_t)(nul - line.at);
    place.length = at ? 1 : run_of_nul(line);
    place.offset += at;
    bool tail = !at && is_padding(rest);
    enum startup_condition condition = at ? STARTUP_NUL_WITHIN : tail ? STARTUP_NUL_TAIL : STARTUP_NUL_LINE;
    if (!(tail && work->kept[condition]))
        startup_note(work, place.offset, (struct startup_fact){condition, place, NULL, NULL, 0});
    memset(copy + at, at ? ' ' : 0, line.len - at);
}

static uint8_t *look_at_lines(struct startup_work *work, struct bytes text)
{
    uint8_t *copy = arena_array(work->scratch, text.len + 1, 1);
    if (!copy)
        return NULL;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\n';
    struct cursor lines = cursor_over(text);
    struct bytes line;
    bool ended;
    for (uint32_t number = 1;; number++) {
        size_t offset = cursor_offset(&lines);
        if (!cursor_line(&lines, &line, &ended))
            return copy;
        look_at_line(work, line, text_from(text, offset), (struct place){offset, 0, number}, copy + offset);
    }
}

/* Without the text, the defects alone say what they can. */
static void note_defects(struct startup_work *work, bool nuls)
{
    for (size_t i = 0; i < work->view->defect_count; i++) {
        const struct view_defect *defect = &work->view->defects[i];
        struct startup_fact fact = {STARTUP_LINE_UNENDED, defect->place, defect->expected, defect->found, 0};
        if (defect->code == NODESCONF_LINE_NUL && nuls)
            fact.condition = STARTUP_NUL_LINE;
        else if (defect->code != NODESCONF_LINE_UNENDED)
            continue;
        startup_note(work, defect->place.offset, fact);
    }
}

bool startup_look(struct startup_work *work, const struct view_store *store, struct bytes text)
{
    bool nuls = has_defect(work->view, NODESCONF_LINE_NUL);
    work->seen = work->view;
    work->store = store;
    work->text = text;
    note_defects(work, nuls && !text.len);
    if (!text.len || !(nuls || has_defect(work->view, NODESCONF_LINE_UNENDED)))
        return true;
    uint8_t *copy = look_at_lines(work, text);
    struct view_store *own = view_store_new(work->scratch);
    if (!copy || !own)
        return false;
    work->text = (struct bytes){copy, text.len + (copy[text.len - 1] != '\n')};
    work->store = own;
    work->seen = view_read(own, work->text, false, work->view->file);
    return work->seen;
}
