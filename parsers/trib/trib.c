#include "parsers/trib/trib.h"

#include <stdlib.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"

enum { MOST_FAULTS = 4 }; /* of one node: its head, its slots, their number, its primary */

struct trib {
    struct capture_lines lines;
    struct capture_line line; /* read ahead: the first one that does not belong to the latest node */
    bool has_line;
    bool checked; /* a check has begun */
    bool creates; /* and before it, nodes were planned */
    bool lists;   /* "Source nodes:" and "Destination node:" of a reshard */
    struct trib_item node;
    bool has_node; /* lines of it may follow */
    bool complete; /* it is to be given */
    struct damage faults[MOST_FAULTS];
    size_t fault_count, fault_next;
    struct damage damage;
    struct slot_range ranges[SLOT_COUNT];
    size_t range_count;
};

struct trib *trib_open(struct bytes text)
{
    struct trib *reader = calloc(1, sizeof(*reader));
    if (reader)
        reader->lines = capture_lines_over(text);
    return reader;
}

static void fault(struct trib *reader, enum capture_defect code, struct place place, const char *found)
{
    if (reader->fault_count < MOST_FAULTS)
        reader->faults[reader->fault_count++] =
            (struct damage){place, code, capture_expected(code), found, place.offset + place.length};
}

/* ------------------------------------------------------------------ words */

static bool read_address(struct bytes text, struct trib_address *address)
{
    struct bytes port;
    uint64_t number;
    if (!text_split_last(text, ':', &address->ip, &port) || !text_u64(port, &number) || number > UINT16_MAX)
        return false;
    if (text_starts(address->ip, "[") && text_ends(address->ip, "]"))
        address->ip = (struct bytes){address->ip.at + 1, address->ip.len - 2};
    address->port = (uint16_t)number;
    return true;
}

/* The address at the front of a text, which ends at a blank, a bracket, or the colon before a reason. */
static bool front_address(struct bytes text, struct trib_address *address)
{
    size_t len = 0;
    while (len < text.len && text.at[len] != ' ' && text.at[len] != ')' && text.at[len] != ',')
        len++;
    struct bytes word = {text.at, len};
    while (text_ends(word, ":") || text_ends(word, "."))
        word.len--;
    return read_address(word, address);
}

/* "0-5460,10923", "[0-5460],[10923]", "1,2." */
static bool read_slots(struct trib *reader, struct bytes text, uint64_t *count)
{
    struct bytes part, rest = text, low, high;
    uint64_t first, last;
    *count = 0;
    reader->range_count = 0;
    while (rest.len) {
        text_split(rest, ',', &part, &rest);
        part = text_trim(part);
        if (text_starts(part, "["))
            part = text_from(part, 1);
        while (text_ends(part, "]") || text_ends(part, "."))
            part.len--;
        bool range = text_split(part, '-', &low, &high);
        if (!text_u64(low, &first) || !text_u64(range ? high : low, &last) || first > last || last >= SLOT_COUNT ||
            reader->range_count == SLOT_COUNT)
            return false;
        *count += last - first + 1;
        reader->ranges[reader->range_count++] = (struct slot_range){(uint16_t)first, (uint16_t)last};
    }
    return true;
}

static unsigned flag_of(struct bytes word)
{
    static const struct {
        const char *word;
        unsigned flag;
    } flags[] = {
        {"master", NODE_PRIMARY}, {"primary", NODE_PRIMARY}, {"slave", NODE_REPLICA},     {"replica", NODE_REPLICA},
        {"fail?", NODE_PFAIL},    {"fail", NODE_FAIL},       {"noaddr", NODE_NOADDR},     {"handshake", NODE_HANDSHAKE},
        {"nofailover", NODE_NOFAILOVER},
    };
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if (text_is(word, flags[i].word))
            return flags[i].flag;
    return 0;
}

/* ------------------------------------------------------------------ a node */

/* "M: ID ADDRESS" */
static bool begin_node(struct trib *reader)
{
    struct bytes text = reader->line.text, id, address;
    bool primary = text_starts(text, "M: ");
    if (!primary && !text_starts(text, "S: "))
        return false;
    reader->node = (struct trib_item){
        .kind = TRIB_NODE,
        .planned = reader->creates && !reader->checked,
        .listed = reader->checked && !reader->lists,
        .flags = primary ? NODE_PRIMARY : NODE_REPLICA,
        .place = reader->line.place,
    };
    reader->range_count = 0;
    reader->has_node = true;
    struct cursor words = cursor_over(text_from(text, 3));
    cursor_word(&words, &id);
    cursor_word(&words, &address);
    reader->node.id = id;
    if (!text_is_node_id(id))
        fault(reader, CAPTURE_ID, reader->line.place, "something else");
    else if (!read_address(address, &reader->node.address))
        fault(reader, CAPTURE_ADDRESS, reader->line.place, "something else");
    else if (!reader->line.ended)
        fault(reader, CAPTURE_CUT, reader->line.place, "a last line without its end");
    return true;
}

/* "slots:0-5460,10923 (5462 slots) master" */
static void node_slots(struct trib *reader, struct bytes rest)
{
    struct bytes slots, claim, flags, word;
    uint64_t count = 0, claimed;
    text_split(rest, '(', &slots, &claim);
    if (!read_slots(reader, text_trim(slots), &count))
        fault(reader, CAPTURE_RANGE, reader->line.place, "something else");
    text_split(claim, ')', &claim, &flags);
    text_split(claim, ' ', &claim, &word);
    if (!text_u64(claim, &claimed))
        fault(reader, CAPTURE_COUNT, reader->line.place, "no number");
    else if (claimed != count)
        fault(reader, CAPTURE_COUNT, reader->line.place, "another number");
    for (flags = text_trim(flags); flags.len;) {
        text_split(flags, ',', &word, &flags);
        reader->node.flags |= flag_of(word);
    }
}

/* A line that belongs to the node before it. */
static bool continue_node(struct trib *reader)
{
    static const char slots[] = "slots:", replicates[] = "replicates ";
    struct bytes text = reader->line.text;
    size_t at;
    if (text_starts(text, slots)) {
        node_slots(reader, text_from(text, sizeof(slots) - 1));
    } else if (text_starts(text, replicates)) {
        reader->node.primary = text_from(text, sizeof(replicates) - 1);
        if (!text_is_node_id(reader->node.primary)) {
            fault(reader, CAPTURE_ID, reader->line.place, "something else");
            reader->node.primary.len = 0;
        }
    } else if (!text_find(text, " additional replica(s)", &at)) {
        return false;
    }
    if (!reader->line.ended && !reader->fault_count)
        fault(reader, CAPTURE_CUT, reader->line.place, "a last line without its end");
    return true;
}

/* ------------------------------------------------------------------ other lines */

static const struct {
    enum trib_kind kind;
    unsigned what;
    const char *begin;
} known[] = {
#define TRIB_LINE(kind, what, begin) {TRIB_##kind, what, begin},
#include "parsers/trib/trib_lines.def"
#undef TRIB_LINE
};

/* "ADDRESS (ID8...) -> 3 keys | 5461 slots | 1 slaves." */
static bool read_count(struct bytes text, struct trib_item *item)
{
    struct bytes word;
    struct cursor words = cursor_over(text);
    uint64_t *const numbers[] = {&item->keys, &item->slots, &item->replicas};
    size_t at;
    if (!text_find(text, "...) -> ", &at) || !cursor_word(&words, &word) || !read_address(word, &item->address) ||
        !cursor_word(&words, &word) || !text_starts(word, "(") || !text_ends(word, "...)"))
        return false;
    item->id = (struct bytes){word.at + 1, word.len - 5};
    cursor_word(&words, &word); /* the arrow */
    for (size_t i = 0; i < 3; i++) {
        if (!cursor_word(&words, &word) || !text_u64(word, numbers[i]))
            return false;
        cursor_word(&words, &word);
        cursor_word(&words, &word);
    }
    item->kind = TRIB_COUNT;
    return true;
}

/* "[WARNING] Node ADDRESS has slots in migrating state 1,2." - redis-trib.rb puts the slots in brackets. */
static bool read_open(struct trib *reader, struct bytes text, struct trib_item *item)
{
    static const char node[] = "[WARNING] Node ", has[] = " has slots in ", state[] = " state ";
    size_t at, behind;
    uint64_t count;
    if (!text_starts(text, node) || !text_find(text, has, &at) || !text_find(text, state, &behind) || behind < at)
        return false;
    struct bytes address = {text.at + sizeof(node) - 1, at - (sizeof(node) - 1)};
    struct bytes mark = text_from(text, at + sizeof(has) - 1), slots = text_from(text, behind + sizeof(state) - 1);
    if (text_starts(slots, "("))
        slots = text_from(slots, 1);
    while (text_ends(slots, ".") || text_ends(slots, ")"))
        slots.len--;
    if (!read_address(address, &item->address) || !read_slots(reader, slots, &count) || count != reader->range_count)
        return false; /* the tools list slots, never ranges */
    item->kind = TRIB_OPEN;
    item->mark = text_starts(mark, "importing") ? SLOT_IMPORTING : SLOT_MIGRATING;
    item->ranges = reader->ranges;
    item->range_count = reader->range_count;
    return true;
}

/* "Moving slot 5 from ADDRESS to ADDRESS: ": the address is where it goes. */
static bool read_move(struct trib *reader, struct bytes text, struct trib_item *item)
{
    static const char moving[] = "Moving slot ";
    struct bytes slot, from, to;
    size_t at;
    uint64_t count;
    if (!text_starts(text, moving) || !text_split(text_from(text, sizeof(moving) - 1), ' ', &slot, &from) ||
        !text_find(from, " to ", &at))
        return false;
    to = text_from(from, at + 4);
    if (!read_slots(reader, slot, &count) || !front_address(to, &item->address))
        return false;
    item->kind = TRIB_MOVE;
    item->ranges = reader->ranges;
    item->range_count = reader->range_count;
    return true;
}

static bool read_known(struct trib *reader, struct bytes text, struct trib_item *item)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (!text_starts(text, known[i].begin))
            continue;
        struct bytes rest = text_from(text, strlen(known[i].begin));
        size_t at;
        item->kind = known[i].kind;
        if (item->kind == TRIB_ACTION) {
            item->action = (enum trib_action)known[i].what;
            reader->creates |= item->action == TRIB_CREATE;
            reader->lists = item->action == TRIB_RESHARD;
            /* The tool asks the cluster, not the node that is to be added or removed. */
            if (text_find(rest, " to cluster ", &at))
                rest = text_from(rest, at + strlen(" to cluster "));
            else if (text_find(rest, " from cluster ", &at))
                rest = text_from(rest, at + strlen(" from cluster "));
        }
        if (item->kind == TRIB_VERDICT)
            item->verdict = (enum trib_verdict)known[i].what;
        else if (!front_address(rest, &item->address))
            item->address = (struct trib_address){.port = 0};
        if (item->kind == TRIB_CHECK) {
            reader->checked = true;
            reader->lists = false;
        }
        return true;
    }
    static const char node[] = "[ERR] Node ";
    size_t at;
    if (text_starts(text, node) && text_find(text, " is not empty", &at)) {
        item->kind = TRIB_VERDICT;
        item->verdict = TRIB_NOT_EMPTY;
        return front_address(text_from(text, sizeof(node) - 1), &item->address);
    }
    return false;
}

/* The node that has been read to its end: its damage first. */
static bool give_node(struct trib *reader, struct trib_item *item, enum parse_step *step)
{
    if (reader->fault_next < reader->fault_count) {
        reader->damage = reader->faults[reader->fault_next++];
        *step = PARSE_DAMAGE;
        return true;
    }
    reader->fault_count = reader->fault_next = 0;
    reader->complete = false;
    *item = reader->node;
    item->ranges = reader->ranges;
    item->range_count = reader->range_count;
    *step = PARSE_ITEM;
    return text_is_node_id(item->id) && item->address.port;
}

enum parse_step trib_next(struct trib *reader, struct trib_item *item)
{
    enum parse_step step;
    for (;;) {
        if (reader->complete && give_node(reader, item, &step))
            return step;
        if (!reader->has_line)
            reader->has_line = capture_line_next(&reader->lines, &reader->line);
        if (reader->has_node) {
            bool belongs = reader->has_line && continue_node(reader);
            reader->has_line &= !belongs;
            reader->has_node = belongs;
            reader->complete = !belongs;
            continue;
        }
        if (!reader->has_line)
            return PARSE_END;
        reader->has_line = false;
        if (begin_node(reader))
            continue;
        struct bytes text = reader->line.text;
        *item = (struct trib_item){.place = reader->line.place};
        if (read_count(text, item) || read_open(reader, text, item) || read_move(reader, text, item) ||
            read_known(reader, text, item))
            return PARSE_ITEM;
    }
}

const struct damage *trib_damage(const struct trib *reader)
{
    return &reader->damage;
}

void trib_close(struct trib *reader)
{
    free(reader);
}
