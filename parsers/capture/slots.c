#include "parsers/capture/slots.h"

#include <stdlib.h>

#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "parsers/capture/window.h"

struct slots_reader {
    struct window window;
    bool any_id;
    bool has_range;
    bool range_served;
    struct slot_range range;
    struct place range_at;
    struct slots_item pending; /* a node whose damage is said first */
    bool is_pending;
    struct damage damage;
};

struct slots_reader *slots_open(struct bytes text)
{
    struct slots_reader *reader = calloc(1, sizeof(*reader));
    if (reader && !window_open(&reader->window, text)) {
        free(reader);
        reader = NULL;
    }
    return reader;
}

static bool is_id(const struct reply_item *item)
{
    return item && (item->kind == REPLY_LINE || item->kind == REPLY_STRING) && text_is_node_id(item->text);
}

static bool is_metadata(const struct reply_item *item)
{
    static const char *const names[] = {"ip", "hostname", "availability-zone"};
    for (size_t i = 0; item && i < sizeof(names) / sizeof(*names); i++)
        if (text_is(item->text, names[i]))
            return true;
    return false;
}

static enum parse_step damaged(struct slots_reader *reader, enum capture_defect code, struct place place,
                               const char *found)
{
    reader->damage = (struct damage){place, code, capture_expected(code), found, place.offset + place.length};
    return PARSE_DAMAGE;
}

/* True for a range that is one; false after a damage step has been made. */
static bool take_range(struct slots_reader *reader, uint64_t first, uint64_t last)
{
    struct place place = window_at(&reader->window, 0)->place;
    window_pass(&reader->window, 2);
    reader->has_range = first <= last && last < SLOT_COUNT;
    reader->range_at = place;
    reader->range_served = false;
    if (reader->has_range)
        reader->range = (struct slot_range){(uint16_t)first, (uint16_t)last};
    else
        damaged(reader, CAPTURE_RANGE, place, "other numbers");
    return reader->has_range;
}

/* A name is given where the server announces names; then the address stands in the metadata. */
static void take_metadata(struct slots_reader *reader, struct slots_item *node)
{
    while (is_metadata(window_at(&reader->window, 0)) && window_at(&reader->window, 1)) {
        const struct reply_item *name = window_at(&reader->window, 0), *value = window_at(&reader->window, 1);
        if (text_is(name->text, "hostname"))
            node->hostname = value->text;
        if (text_is(name->text, "ip")) {
            if (node->ip.len && !node->hostname.len)
                node->hostname = node->ip;
            node->ip = value->text;
        }
        window_pass(&reader->window, 2);
    }
}

static enum parse_step take_node(struct slots_reader *reader, uint64_t port, struct slots_item *item)
{
    const struct reply_item *address = window_at(&reader->window, 0);
    struct slots_item node = {
        .range = reader->range,
        .first = !reader->range_served,
        .ip = address->kind == REPLY_NIL || text_is(address->text, "?") ? text_from(address->text, address->text.len)
                                                                        : address->text,
        .port = (uint16_t)port,
        .place = address->place,
    };
    struct place from = address->place;
    bool id_damaged = false;
    window_pass(&reader->window, 2);
    reader->range_served = true;
    const struct reply_item *id = window_at(&reader->window, 0);
    uint64_t number;
    if (is_id(id)) {
        node.id = id->text;
        node.place.length = id->place.offset + id->place.length - from.offset;
        reader->any_id = true;
        window_pass(&reader->window, 1);
    } else if (reader->any_id || (id && !reply_number(id, &number) && !window_is_nothing(&reader->window, 0) &&
                                  !window_number(&reader->window, 1, UINT16_MAX, &number))) {
        damaged(reader, CAPTURE_ID, id ? id->place : from, id ? "something else" : "the end");
        id_damaged = true;
        if (id && !reply_number(id, &number) && !window_number(&reader->window, 1, UINT16_MAX, &number))
            window_pass(&reader->window, 1);
    }
    take_metadata(reader, &node);
    if (!id_damaged) {
        *item = node;
        return PARSE_ITEM;
    }
    reader->pending = node;
    reader->is_pending = true;
    return PARSE_DAMAGE;
}

enum parse_step slots_next(struct slots_reader *reader, struct slots_item *item)
{
    uint64_t first, last;
    if (reader->is_pending) {
        *item = reader->pending;
        reader->is_pending = false;
        return PARSE_ITEM;
    }
    for (;;) {
        window_fill(&reader->window);
        const struct reply_item *next = window_at(&reader->window, 0);
        if (!next && reader->window.damaged) {
            reader->window.damaged = false;
            reader->damage = *reply_damage(reader->window.reply);
            return PARSE_DAMAGE;
        }
        if (!next) {
            bool cut = reader->has_range && !reader->range_served;
            reader->has_range = false;
            return cut ? damaged(reader, CAPTURE_CUT, reader->range_at, "the end, behind a range without a node")
                       : PARSE_END;
        }
        /* An unknown address is an empty line too; then a port and an id follow. */
        bool unknown = window_is_nothing(&reader->window, 0) && reader->has_range && window_number(&reader->window, 1, UINT16_MAX, &last) &&
                       is_id(window_at(&reader->window, 2));
        if (window_is_nothing(&reader->window, 0) && !unknown) {
            window_pass(&reader->window, 1);
            continue;
        }
        if (!unknown && reply_number(next, &first) && window_number(&reader->window, 1, UINT64_MAX, &last)) {
            if (!take_range(reader, first, last))
                return PARSE_DAMAGE;
            continue;
        }
        if (reader->has_range && window_number(&reader->window, 1, UINT16_MAX, &last)) {
            return take_node(reader, last, item);
        }
        struct place place = next->place;
        window_pass(&reader->window, 1);
        return damaged(reader, CAPTURE_VALUE, place, "something else");
    }
}

const struct damage *slots_damage(const struct slots_reader *reader)
{
    return &reader->damage;
}

void slots_close(struct slots_reader *reader)
{
    if (reader)
        window_close(&reader->window);
    free(reader);
}

unsigned slots_likeness(struct bytes head)
{
    struct slots_reader *reader = slots_open(head);
    struct slots_item item;
    enum parse_step step = reader ? slots_next(reader, &item) : PARSE_END;
    bool alike = step == PARSE_ITEM && item.port && (item.id.len || item.ip.len);
    /* A range and no more, where the form shows that it is one. */
    alike |= step == PARSE_DAMAGE && slots_damage(reader)->code == CAPTURE_CUT &&
             reply_form(reader->window.reply) == REPLY_NUMBERED;
    slots_close(reader);
    return alike ? 92 : 0;
}
