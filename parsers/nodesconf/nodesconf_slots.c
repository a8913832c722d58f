/* What follows the link state of a node line: slots N, ranges A-B, and open slots [N->-id], [N-<-id].
 *
 * Servers write ascending ranges, so a range above the latest one is new as it stands. Only when a line breaks that
 * order are the slots so far entered into a bit map, and a range then adds what is new of it.
 */
#include "parsers/nodesconf/nodesconf_private.h"

enum { SLOT_MAX = SLOT_COUNT - 1 };

static void add_range(struct nodesconf_node *node, struct slot_range *ranges, uint16_t first, uint16_t last)
{
    ranges[node->range_count++] = (struct slot_range){first, last};
}

static bool is_taken(const struct nodesconf *reader, unsigned slot)
{
    return reader->taken[slot / 64] >> slot % 64 & 1;
}

static void take_range(struct nodesconf *reader, unsigned first, unsigned last)
{
    for (unsigned slot = first; slot <= last; slot++)
        reader->taken[slot / 64] |= UINT64_C(1) << slot % 64;
}

/* Adds the runs of `first` to `last` that the line has not named yet. */
static void add_new_of(struct nodesconf *reader, unsigned first, unsigned last)
{
    struct nodesconf_node *node = &reader->item.node;
    if (!reader->taken_valid) {
        memset(reader->taken, 0, sizeof(reader->taken));
        for (size_t i = 0; i < node->range_count; i++)
            take_range(reader, reader->ranges[i].first, reader->ranges[i].last);
        reader->taken_valid = true;
    }
    for (unsigned slot = first; slot <= last;) {
        if (slot % 64 == 0 && reader->taken[slot / 64] == UINT64_MAX) {
            slot += 64;
        } else if (is_taken(reader, slot)) {
            slot++;
        } else {
            unsigned end = slot;
            while (end < last && !is_taken(reader, end + 1))
                end++;
            take_range(reader, slot, end);
            add_range(node, reader->ranges, (uint16_t)slot, (uint16_t)end);
            slot = end + 1;
        }
    }
}

static void read_range(struct nodesconf *reader, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    struct bytes from, to;
    uint64_t first, last;
    if (!text_split(word.text, '-', &from, &to))
        to = from;
    if (!text_u64(from, &first) || !text_u64(to, &last)) {
        nodesconf_defect(reader, NODESCONF_SLOT, word, "something else");
        return;
    }
    if (first > SLOT_MAX || last > SLOT_MAX) {
        nodesconf_defect(reader, NODESCONF_SLOT_BOUND, word, "a greater number");
        return;
    }
    if (first > last) {
        nodesconf_defect(reader, NODESCONF_SLOT_RANGE_ORDER, word, "the greater slot first");
        return;
    }
    bool ascending = !node->range_count || first > reader->ranges[node->range_count - 1].last;
    if (ascending && !reader->taken_valid)
        add_range(node, reader->ranges, (uint16_t)first, (uint16_t)last);
    else
        add_new_of(reader, (unsigned)first, (unsigned)last);
}

static void read_open(struct nodesconf *reader, struct word word)
{
    struct nodesconf_node *node = &reader->item.node;
    struct bytes number, rest;
    uint64_t slot;
    bool migrating = false;
    if (!text_split(text_from(word.text, 1), '-', &number, &rest) || !text_u64(number, &slot) ||
        !((migrating = text_starts(rest, ">-")) || text_starts(rest, "<-"))) {
        nodesconf_defect(reader, NODESCONF_OPEN_SLOT, word, "something else in brackets");
        return;
    }
    if (slot > SLOT_MAX) {
        nodesconf_defect(reader, NODESCONF_SLOT_BOUND, word, "a greater number");
        return;
    }
    bool closed = text_ends(rest, "]");
    struct bytes peer = text_from(rest, 2);
    peer.len -= closed && peer.len;
    if (!closed)
        nodesconf_defect(reader, NODESCONF_OPEN_SLOT, word, "no closing bracket");
    else if (!text_is_node_id(peer))
        nodesconf_defect(reader, NODESCONF_OPEN_SLOT, word, "a peer that is not a node id");
    struct open_slot *open =
        nodesconf_room(reader, reader->open, &reader->open_cap, node->open_count + 1, sizeof(*open));
    if (!open)
        return;
    reader->open = open;
    open[node->open_count++] = (struct open_slot){(uint16_t)slot, migrating ? SLOT_MIGRATING : SLOT_IMPORTING, peer};
}

void nodesconf_slot(struct nodesconf *reader, struct word word)
{
    if (text_starts(word.text, "["))
        read_open(reader, word);
    else
        read_range(reader, word);
}
