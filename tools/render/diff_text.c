#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/render/diff_output.h"
#include "tools/render/escape.h"

/* What is shown of long lists unless all of it is wanted. */
enum { GROUPS_SHOWN = 20, LINES_SHOWN = 40, NAMES_SHOWN = 4, RANGES_SHOWN = 8, ID_SHOWN = 8 };

struct writing {
    struct out *out;
    const struct evidence *evidence;
    const struct diff *diff;
    bool whole;
    size_t name_width; /* of the subjects' names */
};

static void write_plain(struct writing *w, const char *text)
{
    escape_printable(w->out, escape_string(text));
}

/* "127.0.0.6:7000 and 5 more", or all of them when they are few. */
static void write_views(struct writing *w, const struct diff_group *group, size_t most)
{
    size_t shown = w->whole || group->count <= most ? group->count : 1;
    for (size_t i = 0; i < shown; i++) {
        out_text(w->out, i ? ", " : "");
        write_plain(w, w->diff->operands[group->views[i]].name);
    }
    if (shown < group->count) {
        out_text(w->out, " and ");
        out_grouped(w->out, group->count - shown);
        out_text(w->out, " more");
    }
}

/* ------------------------------------------------------------------ values in words */

static void write_id(struct writing *w, uint32_t node)
{
    struct bytes id = escape_string(view_store_id(w->diff->store, node));
    if (!w->whole && id.len > ID_SHOWN)
        id.len = ID_SHOWN;
    escape_printable(w->out, id);
}

/* A node as its address in the view of the same group, since ids are hard to read. */
static void write_node(struct writing *w, size_t group, uint32_t node)
{
    const struct view *view = w->diff->operands[w->diff->groups[group].views[0]].view;
    const struct sighting *sighting = view_find(view, node);
    if (sighting && *sighting->entry->ip) {
        write_plain(w, sighting->entry->ip);
        out_format(w->out, ":%u", sighting->entry->port ? sighting->entry->port : sighting->entry->tls_port);
    } else {
        write_id(w, node);
    }
}

static void write_ranges(struct writing *w, const bool *slots)
{
    size_t ranges = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        unsigned last = slot;
        if (!slots[slot])
            continue;
        while (last + 1 < SLOT_COUNT && slots[last + 1])
            last++;
        if (ranges++ < RANGES_SHOWN || w->whole)
            out_format(w->out, slot == last ? " %u" : " %u-%u", slot, last);
        slot = last;
    }
    if (ranges > RANGES_SHOWN && !w->whole)
        out_format(w->out, " and %zu more ranges", ranges - RANGES_SHOWN);
}

static void mark_slots(const struct entry *entry, bool *slots)
{
    for (uint32_t r = 0; entry && r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++)
            slots[slot] = true;
}

/* "300 more: 0-299; 33 fewer: 10923-10955". */
static void write_slot_changes(struct writing *w, const struct entry *now, const struct entry *before)
{
    bool has[2][SLOT_COUNT] = {{false}}, change[SLOT_COUNT];
    const char *separator = "";
    mark_slots(now, has[0]);
    mark_slots(before, has[1]);
    for (int fewer = 0; fewer < 2; fewer++) {
        size_t count = 0;
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
            change[slot] = has[fewer][slot] && !has[!fewer][slot];
            count += change[slot];
        }
        if (!count)
            continue;
        out_text(w->out, separator);
        out_grouped(w->out, count);
        out_text(w->out, fewer ? " fewer:" : " more:");
        write_ranges(w, change);
        separator = "; ";
    }
}

static void write_role(struct writing *w, size_t group, const struct entry *entry)
{
    if (entry->flags & NODE_REPLICA) {
        out_text(w->out, "replica of ");
        if (entry->primary == NO_NODE)
            out_text(w->out, "nobody");
        else
            write_node(w, group, entry->primary);
    } else if (entry->flags & NODE_PRIMARY) {
        out_format(w->out, "primary with epoch %llu", (unsigned long long)entry->config_epoch);
    } else {
        out_text(w->out, "no role");
    }
}

/* All that a view says of a node which others do not list. */
static void write_portrait(struct writing *w, size_t group, const struct entry *entry)
{
    static const struct {
        unsigned flag;
        const char *words;
    } states[] = {
        {NODE_PFAIL, ", possibly failing (fail?)"}, {NODE_FAIL, ", failed (fail)"},  {NODE_HANDSHAKE, ", in handshake"},
        {NODE_NOADDR, ", without address (noaddr)"}, {NODE_NOFLAGS, " (noflags)"},
    };
    write_role(w, group, entry);
    if (entry->range_count) {
        bool slots[SLOT_COUNT] = {false};
        mark_slots(entry, slots);
        out_text(w->out, ", slots");
        write_ranges(w, slots);
    } else if (entry->flags & NODE_PRIMARY) {
        out_text(w->out, ", no slots");
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (entry->flags & states[i].flag)
            out_text(w->out, states[i].words);
}

/* Of two addresses only as much as tells them apart: ip:port, the bus port, the hostname. */
static void write_addresses(struct writing *w, const struct diff_value *value, const struct diff_value *before)
{
    const struct diff_value *both[] = {value, before};
    const char *until = strcmp(value->entry->hostname, before->entry->hostname) != 0 ? "" : ",";
    if (*until && value->entry->bus_port == before->entry->bus_port)
        until = "@,";
    for (int i = 0; i < 2; i++) {
        struct bytes text = escape_string(both[i]->text);
        text.len = strcspn(both[i]->text, until);
        out_text(w->out, i ? " instead of " : "");
        escape_printable(w->out, text);
    }
}

static void write_change(struct writing *w, const struct difference *difference, size_t group,
                         const struct diff_value *value)
{
    const struct diff_value *before = &difference->values[0];
    switch (difference->aspect) {
    case DIFF_MEMBER:
        if (value->entry && before->entry)
            write_plain(w, value->text);
        else if (value->entry)
            write_portrait(w, group, value->entry);
        else
            write_portrait(w, 0, before->entry);
        return;
    case DIFF_ADDRESS:
        write_addresses(w, value, before);
        return;
    case DIFF_SLOTS:
        write_slot_changes(w, value->entry, before->entry);
        return;
    case DIFF_ROLE:
    case DIFF_PRIMARY:
        write_role(w, group, value->entry);
        out_text(w->out, " instead of ");
        write_role(w, 0, before->entry);
        return;
    default:
        write_plain(w, value->text);
        out_text(w->out, " instead of ");
        write_plain(w, before->text);
        return;
    }
}

/* ------------------------------------------------------------------ lines */

static void write_place(struct writing *w, uint32_t operand, uint32_t node)
{
    const struct view *view = w->diff->operands[operand].view;
    const struct sighting *sighting = view_find(view, node);
    write_plain(w, w->evidence->files[view->file].path);
    if (sighting)
        out_format(w->out, ":%u", sighting->line);
    else
        out_text(w->out, " (no line)");
}

static void write_places(struct writing *w, const struct difference *difference, const uint32_t *groups, size_t count)
{
    const struct diff_group *baseline = &w->diff->groups[0];
    const char *separator = "      at ";
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < w->diff->groups[groups[g]].count; i++) {
            out_text(w->out, separator);
            write_place(w, w->diff->groups[groups[g]].views[i], difference->node);
            separator = ", ";
        }
    out_text(w->out, "; against ");
    write_place(w, baseline->views[0], difference->node);
    if (baseline->count > 1) {
        out_text(w->out, " and ");
        out_count(w->out, baseline->count - 1, "more view", "more views");
    }
    out_byte(w->out, '\n');
}

/* The only view of the group is the node's own. */
static bool is_own(const struct writing *w, const struct diff_group *group, uint32_t node)
{
    const struct sighting *own = view_own(w->diff->operands[group->views[0]].view);
    return group->count == 1 && own && own->entry->node == node;
}

static void write_line(struct writing *w, uint32_t number, const struct deviation *deviation, bool shared)
{
    static const enum out_style styles[] = {['+'] = OUT_GREEN, ['-'] = OUT_RED, ['~'] = OUT_YELLOW};
    const struct difference *difference = &w->diff->differences[deviation->difference];
    const struct diff_value *value = &difference->values[deviation->value];
    const struct diff_group *group = &w->diff->groups[number];
    bool member = difference->aspect == DIFF_MEMBER;
    char sign = member && !value->entry ? '-' : member && !difference->values[0].entry ? '+' : '~';
    out_text(w->out, "  ");
    out_style(w->out, styles[(unsigned char)sign]);
    out_byte(w->out, sign);
    out_style(w->out, OUT_PLAIN);
    out_format(w->out, " %-8s ", diff_aspect_word(difference->aspect));
    write_id(w, difference->node);
    out_byte(w->out, ' ');
    write_plain(w, difference->name);
    size_t width = escape_width(escape_string(difference->name));
    out_repeat(w->out, ' ', width < w->name_width ? w->name_width - width : 0);
    out_text(w->out, is_own(w, group, difference->node) ? " (itself)  " : "  ");
    write_change(w, difference, number, value);
    out_byte(w->out, '\n');
    if (w->whole && shared)
        write_places(w, difference, value->groups, value->group_count);
    else if (w->whole)
        write_places(w, difference, &number, 1);
}

/* All groups but the baseline hold this one value: it is the baseline that stands alone. */
static bool is_shared(const struct writing *w, const struct deviation *deviation)
{
    const struct difference *difference = &w->diff->differences[deviation->difference];
    return w->diff->group_count > 2 && difference->values[deviation->value].group_count == w->diff->group_count - 1;
}

/* Where the role differs too, the line about it tells the primary. */
static bool is_told(const struct writing *w, const struct diff_group *group, size_t number)
{
    const struct difference *all = w->diff->differences;
    const struct difference *difference = &all[group->deviations[number].difference];
    if (difference->aspect != DIFF_PRIMARY || number == 0)
        return false;
    const struct difference *before = &all[group->deviations[number - 1].difference];
    return before->aspect == DIFF_ROLE && before->node == difference->node;
}

static void write_lines(struct writing *w, uint32_t number, bool shared)
{
    const struct diff_group *group = &w->diff->groups[number];
    size_t lines = 0;
    w->name_width = 0;
    for (size_t i = 0; i < group->deviation_count; i++) {
        size_t width = escape_width(escape_string(w->diff->differences[group->deviations[i].difference].name));
        if (is_shared(w, &group->deviations[i]) == shared && width > w->name_width && width <= 40)
            w->name_width = width;
    }
    for (size_t i = 0; i < group->deviation_count; i++) {
        if (is_shared(w, &group->deviations[i]) != shared || is_told(w, group, i))
            continue;
        if (lines++ < LINES_SHOWN || w->whole)
            write_line(w, number, &group->deviations[i], shared);
    }
    if (lines > LINES_SHOWN && !w->whole) {
        out_text(w->out, "  ... and ");
        out_count(w->out, lines - LINES_SHOWN, "more difference", "more differences");
        out_text(w->out, " (-v shows all)\n");
    }
}

/* What is compared and the same, so that nobody has to look for it. */
static void write_agreement(struct writing *w, const struct diff_group *group)
{
    bool differs[DIFF_ASPECTS] = {false};
    size_t unlisted = 0;
    for (size_t i = 0; i < group->deviation_count; i++) {
        const struct difference *difference = &w->diff->differences[group->deviations[i].difference];
        const struct diff_value *value = &difference->values[group->deviations[i].value];
        differs[difference->aspect] = true;
        unlisted += difference->aspect == DIFF_MEMBER && !value->entry;
    }
    size_t both = w->diff->groups[0].nodes - unlisted, same = 0;
    if (!both)
        return;
    for (int aspect = DIFF_ADDRESS; aspect < DIFF_ASPECTS; aspect++) {
        if (differs[aspect])
            continue;
        out_text(w->out, same++ ? ", " : "  = ");
        out_text(w->out, diff_aspect_title((enum diff_aspect)aspect));
    }
    if (!same)
        return;
    out_text(w->out, " of the ");
    out_count(w->out, both, "node", "nodes");
    out_text(w->out, " that both list\n");
}

/* ------------------------------------------------------------------ the whole */

/* A view of the group that leaves nothing out, if it has one. */
static const struct view *whole_view(const struct writing *w, const struct diff_group *group)
{
    const struct view *best = w->diff->operands[group->views[0]].view;
    for (size_t i = 1; best->limits && i < group->count; i++)
        if (!w->diff->operands[group->views[i]].view->limits)
            best = w->diff->operands[group->views[i]].view;
    return best;
}

static void write_summary(struct writing *w)
{
    const struct diff_group *first = &w->diff->groups[0];
    size_t others = w->diff->operand_count - first->count;
    out_count(w->out, w->diff->operand_count, "view", "views");
    if (others == 0) {
        out_text(w->out, " agree: ");
    } else if (first->count > 1) {
        out_text(w->out, ": ");
        out_grouped(w->out, first->count);
        out_text(w->out, " agree with each other (");
        write_views(w, first, 1);
        out_text(w->out, "), ");
        out_grouped(w->out, others);
        out_text(w->out, others == 1 ? " differs" : " differ");
        if (w->diff->group_count > 2)
            out_format(w->out, " in %zu ways", w->diff->group_count - 1);
        out_text(w->out, ". The majority: ");
    } else {
        out_text(w->out, w->diff->operand_count == 2 ? " differ. Against " : ", no two of which agree. Against ");
        write_views(w, first, 1);
        out_text(w->out, ", which has the highest epoch, then the newest pong: ");
    }
    const struct view *view = whole_view(w, first);
    bool slots[SLOT_COUNT] = {false};
    size_t primaries = 0, covered = 0;
    for (size_t s = 0; s < view->count; s++) {
        primaries += (view->sightings[s].entry->flags & NODE_PRIMARY) != 0;
        mark_slots(view->sightings[s].entry, slots);
    }
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        covered += slots[slot];
    out_count(w->out, first->nodes, "node", "nodes");
    out_text(w->out, ", ");
    out_count(w->out, primaries, "primary", "primaries");
    out_format(w->out, ", %zu of %u slots", covered, (unsigned)SLOT_COUNT);
    if (!(view->limits & VIEW_NO_EPOCHS))
        out_format(w->out, ", epoch %llu", (unsigned long long)first->epoch);
    out_text(w->out, ".\n");
}

/* A server's memory is newer than its file: gossip adds nodes without saving it (Redis 5.0.10, 6.0.5, Valkey). */
static void write_unsaved(struct writing *w)
{
    for (size_t f = 0; f < w->diff->operand_count; f++) {
        const struct view *file = w->diff->operands[f].view;
        const struct sighting *own = file->source == VIEW_NODESCONF ? view_own(file) : NULL;
        for (size_t c = 0; own && c < w->diff->operand_count; c++) {
            const struct view *memory = w->diff->operands[c].view;
            const struct sighting *self = memory->source == VIEW_CLUSTER_NODES ? view_own(memory) : NULL;
            size_t unsaved = 0;
            for (size_t s = 0; self && self->entry->node == own->entry->node && s < memory->count; s++)
                unsaved += !view_find(file, memory->sightings[s].entry->node);
            if (!unsaved || memory->newest_pong_ms < file->newest_pong_ms)
                continue;
            out_text(w->out, "\nno error by itself: ");
            write_plain(w, w->diff->operands[c].name);
            out_text(w->out, " shows the memory of the server that saved ");
            write_plain(w, w->diff->operands[f].name);
            out_text(w->out, "; ");
            out_count(w->out, unsaved, "node that it knows is", "nodes that it knows are");
            out_text(w->out, " written at its next save\n");
        }
    }
}

static void write_shared(struct writing *w)
{
    const struct diff_group *group = &w->diff->groups[1];
    size_t shared = 0;
    for (size_t i = 0; i < group->deviation_count; i++)
        shared += is_shared(w, &group->deviations[i]);
    if (!shared)
        return;
    out_byte(w->out, '\n');
    out_style(w->out, OUT_BOLD);
    out_text(w->out, "all ");
    out_grouped(w->out, w->diff->operand_count - w->diff->groups[0].count);
    out_text(w->out, " others");
    out_style(w->out, OUT_PLAIN);
    out_byte(w->out, '\n');
    write_lines(w, 1, true);
}

void diff_write_text(struct out *out, const struct evidence *evidence, const struct diff *diff, bool whole)
{
    struct writing w = {.out = out, .evidence = evidence, .diff = diff, .whole = whole};
    write_summary(&w);
    if (diff->group_count > 1)
        write_shared(&w);
    size_t shown = whole || diff->group_count <= GROUPS_SHOWN + 1 ? diff->group_count : GROUPS_SHOWN + 1;
    for (uint32_t g = 1; g < shown; g++) {
        out_byte(out, '\n');
        out_style(out, OUT_BOLD);
        write_views(&w, &diff->groups[g], NAMES_SHOWN);
        out_style(out, OUT_PLAIN);
        out_byte(out, '\n');
        write_lines(&w, g, false);
        write_agreement(&w, &diff->groups[g]);
    }
    if (shown < diff->group_count) {
        out_text(out, "\n... and ");
        out_count(out, diff->group_count - shown, "more view or group of views", "more views or groups of views");
        out_text(out, " (-v shows all)\n");
    }
    write_unsaved(&w);
}
