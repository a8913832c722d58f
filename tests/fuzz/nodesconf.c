/* Any bytes as nodes.conf and as a capture of CLUSTER NODES, and the promise that a cut only takes facts away. */
#include <stdlib.h>

#include "parsers/nodesconf/nodesconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    size_t nodes, vars, unended;
};

static struct tally read_all(struct nodesconf *reader, struct bytes text)
{
    struct tally tally = {0, 0, 0};
    struct nodesconf_item item;
    enum parse_step step;
    if (!reader)
        return tally;
    while ((step = nodesconf_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        const struct damage *damage = nodesconf_damage(reader);
        struct place place = step == PARSE_ITEM ? item.place : damage->place;
        if (place.offset > text.len || place.length > text.len - place.offset)
            abort();
        tally.unended += step == PARSE_DAMAGE && damage->code == NODESCONF_LINE_UNENDED;
        tally.nodes += step == PARSE_ITEM && item.kind == NODESCONF_NODE;
        tally.vars += step == PARSE_ITEM && item.kind == NODESCONF_VARS;
        if (step == PARSE_ITEM && item.kind == NODESCONF_NODE)
            for (size_t i = 0; i < item.node.range_count; i++)
                if (item.node.ranges[i].first > item.node.ranges[i].last || item.node.ranges[i].last > 16383)
                    abort();
    }
    nodesconf_close(reader);
    return tally;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {data, size}, half = {data, size / 2};
    struct tally whole = read_all(nodesconf_open(text), text);
    struct tally part = read_all(nodesconf_open(half), half);
    if (part.nodes > whole.nodes || part.vars > whole.vars || whole.unended > 1 || part.unended > 1)
        abort();
    read_all(nodesconf_open_capture(text), text);
    nodesconf_origin(text);
    if (nodesconf_likeness(text) > 100)
        abort();
    return 0;
}
