#include "parsers/capture/shards.h"

#include <stdlib.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "parsers/capture/window.h"

enum place_in_shard { OUTSIDE, IN_SLOTS, IN_NODES };

struct shards_reader {
    struct window window;
    enum place_in_shard where;
    size_t shards;
    struct slot_range ranges[SLOT_COUNT]; /* of the shard */
    size_t range_count;
    bool has_start;
    uint64_t start; /* of the range that is being read */
    struct shards_item node; /* that is being read */
    bool has_node;
    bool said; /* its damage was */
    struct damage damage;
};

struct shards_reader *shards_open(struct bytes text)
{
    struct shards_reader *reader = calloc(1, sizeof(*reader));
    if (reader && !window_open(&reader->window, text)) {
        free(reader);
        reader = NULL;
    }
    return reader;
}

static enum parse_step damaged(struct shards_reader *reader, enum capture_defect code, struct place place,
                               const char *found)
{
    reader->damage = (struct damage){place, code, capture_expected(code), found, place.offset + place.length};
    return PARSE_DAMAGE;
}

/* ------------------------------------------------------------------ slots */

/* False after a damage step has been made. A shard has no more ranges than slots. */
static bool take_slot(struct shards_reader *reader)
{
    const struct reply_item *item = window_at(&reader->window, 0);
    struct place place = item->place;
    uint64_t slot;
    bool nothing = window_is_nothing(&reader->window, 0);
    bool number = reply_number(item, &slot) && slot < SLOT_COUNT;
    window_pass(&reader->window, 1);
    if (nothing)
        return true;
    if (number && !reader->has_start) {
        reader->has_start = true;
        reader->start = slot;
        return true;
    }
    bool range = number && reader->start <= slot && reader->range_count < SLOT_COUNT;
    reader->has_start = false;
    if (range)
        reader->ranges[reader->range_count++] = (struct slot_range){(uint16_t)reader->start, (uint16_t)slot};
    else
        damaged(reader, CAPTURE_RANGE, place, "something else");
    return range;
}

static void begin_shard(struct shards_reader *reader)
{
    reader->where = IN_SLOTS;
    reader->range_count = 0;
    reader->has_start = false;
    reader->shards++;
    window_pass(&reader->window, 1);
}

/* ------------------------------------------------------------------ nodes */

static void take_role(struct shards_item *node, struct bytes value)
{
    if (text_is(value, "master") || text_is(value, "primary"))
        node->role = SHARDS_PRIMARY;
    else if (text_is(value, "replica") || text_is(value, "slave"))
        node->role = SHARDS_REPLICA;
}

static void take_health(struct shards_item *node, struct bytes value)
{
    static const struct {
        const char *word;
        enum shards_health health;
    } words[] = {{"online", SHARDS_ONLINE}, {"loading", SHARDS_LOADING}, {"fail", SHARDS_FAIL}, {"failed", SHARDS_FAIL}};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (text_is(value, words[i].word))
            node->health = words[i].health;
}

static uint16_t port_of(struct bytes value)
{
    uint64_t port;
    return text_u64(value, &port) && port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* Names that are not known are those of newer servers: passed over with their value. */
static void take_field(struct shards_item *node, struct bytes name, struct bytes value)
{
    const struct {
        const char *name;
        struct bytes *text;
    } texts[] = {{"ip", &node->ip}, {"endpoint", &node->endpoint}, {"hostname", &node->hostname}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (text_is(name, texts[i].name))
            *texts[i].text = value;
    if (text_is(name, "port"))
        node->port = port_of(value);
    else if (text_is(name, "tls-port"))
        node->tls_port = port_of(value);
    else if (text_is(name, "role"))
        take_role(node, value);
    else if (text_is(name, "health"))
        take_health(node, value);
    else if (text_is(name, "replication-offset"))
        node->has_offset = text_u64(value, &node->offset);
}

/* The shard's own id: another shard or the end follows, and no more of a node. */
static bool is_shard_id(const struct shards_reader *reader)
{
    return window_at(&reader->window, 1) && (window_is(&reader->window, 2, "slots") || (!window_at(&reader->window, 2) && reader->shards > 1));
}

static void begin_node(struct shards_reader *reader)
{
    const struct reply_item *id = window_at(&reader->window, 1);
    reader->node = (struct shards_item){.shard = reader->shards - 1, .place = window_at(&reader->window, 0)->place};
    if (id) {
        reader->node.id = id->text;
        reader->node.place = id->place;
    }
    reader->has_node = true;
    reader->said = false;
    window_pass(&reader->window, 2);
}

/* What speaks against the node that has been read. */
static bool fault_of(const struct shards_item *node, enum capture_defect *code)
{
    if (!text_is_node_id(node->id))
        *code = CAPTURE_ID;
    else if (!node->port && !node->tls_port)
        *code = CAPTURE_PORT;
    else if (node->role == SHARDS_ROLE_UNKNOWN)
        *code = CAPTURE_ROLE;
    else if (node->health == SHARDS_HEALTH_UNKNOWN)
        *code = CAPTURE_HEALTH;
    else
        return false;
    return true;
}

/* Gives the node that has been read, its damage first. */
static enum parse_step end_node(struct shards_reader *reader, struct shards_item *item)
{
    enum capture_defect code;
    if (!reader->said && fault_of(&reader->node, &code)) {
        reader->said = true;
        reader->has_node = text_is_node_id(reader->node.id);
        return damaged(reader, code, reader->node.place, window_at(&reader->window, 0) ? "something else" : "something else, or the end");
    }
    *item = reader->node;
    item->ranges = reader->ranges;
    item->range_count = reader->range_count;
    reader->has_node = false;
    return PARSE_ITEM;
}

enum parse_step shards_next(struct shards_reader *reader, struct shards_item *item)
{
    for (;;) {
        window_fill(&reader->window);
        const struct reply_item *next = window_at(&reader->window, 0);
        bool over = !next || window_is(&reader->window, 0, "slots") || (reader->where == IN_NODES && window_is(&reader->window, 0, "id"));
        if (reader->has_node && over)
            return end_node(reader, item);
        if (!next && reader->window.damaged) {
            reader->window.damaged = false;
            reader->damage = *reply_damage(reader->window.reply);
            return PARSE_DAMAGE;
        }
        if (!next && reader->where == IN_SLOTS) {
            reader->where = OUTSIDE;
            return damaged(reader, CAPTURE_CUT, (struct place){0}, "the end, before the nodes of a shard");
        }
        if (!next)
            return PARSE_END;
        if (window_is(&reader->window, 0, "slots")) {
            begin_shard(reader);
        } else if (reader->where == IN_SLOTS && window_is(&reader->window, 0, "nodes")) {
            reader->where = IN_NODES;
            window_pass(&reader->window, 1);
        } else if (reader->where == IN_SLOTS) {
            if (!take_slot(reader))
                return PARSE_DAMAGE;
        } else if (reader->where == IN_NODES && window_is(&reader->window, 0, "id") && is_shard_id(reader)) {
            window_pass(&reader->window, 2);
        } else if (reader->where == IN_NODES && window_is(&reader->window, 0, "id")) {
            begin_node(reader);
        } else if (reader->has_node && window_at(&reader->window, 1)) {
            take_field(&reader->node, next->text, window_at(&reader->window, 1)->text);
            window_pass(&reader->window, 2);
        } else {
            struct place place = next->place;
            bool empty = !next->text.len;
            window_pass(&reader->window, 1);
            if (!empty)
                return damaged(reader, CAPTURE_VALUE, place, "something else");
        }
    }
}

const struct damage *shards_damage(const struct shards_reader *reader)
{
    return &reader->damage;
}

void shards_close(struct shards_reader *reader)
{
    if (reader)
        window_close(&reader->window);
    free(reader);
}

unsigned shards_likeness(struct bytes head)
{
    struct reply *reply = reply_open(head);
    struct reply_item item;
    bool slots = false, numbers = false, nodes = false, more = reply != NULL;
    while (more && !nodes) {
        more = reply_next(reply, &item) == PARSE_ITEM;
        uint64_t number;
        if (more && !slots && item.text.len)
            more = slots = text_is(item.text, "slots");
        else if (more && text_is(item.text, "nodes"))
            nodes = true;
        else if (more && item.text.len)
            numbers = more = reply_number(&item, &number);
    }
    bool alike = nodes || (slots && numbers && reply_form(reply) == REPLY_NUMBERED); /* cut, but shown as one */
    reply_close(reply);
    return alike ? 92 : 0;
}
