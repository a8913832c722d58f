/* Packed encodings, LZF, scores and HyperLogLog from hostile bytes: no crash, what is said about places holds, and two
 * ways to the same answer agree. The first byte chooses the form. */
#include <stdlib.h>

#include "parsers/bytes/lzf.h"
#include "parsers/rdb/hyperloglog.h"
#include "parsers/rdb/packed.h"
#include "parsers/rdb/score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static unsigned touch(struct bytes bytes)
{
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.len; i++)
        sum += bytes.at[i];
    return sum;
}

static void check_place(struct place place, size_t size)
{
    require(place.offset <= size && place.length <= size - place.offset);
}

static unsigned check_packed(enum packed_form form, struct bytes blob)
{
    struct packed packed;
    struct packed_entry entry;
    enum parse_step step;
    unsigned sum = 0;
    size_t entries = 0, damages = 0;
    uint64_t end = 0, stated;
    packed_open(&packed, form, blob);
    while ((step = packed_next(&packed, &entry)) == PARSE_ITEM || step == PARSE_DAMAGE) {
        if (step == PARSE_DAMAGE) {
            damages++;
            check_place(packed_damage(&packed)->place, blob.len);
            continue;
        }
        double score;
        char room[RDB_SCALAR_ROOM];
        check_place(entry.place, blob.len);
        require(entry.place.length && entry.place.offset >= end);
        end = entry.place.offset + entry.place.length;
        require(!entry.word.integer || !entry.word.text.len);
        require(!entry.word.integer || score_parse(rdb_scalar_text(&entry.word, room), &score));
        sum += touch(entry.word.text);
        entries++;
    }
    if (step == PARSE_STOP)
        check_place(packed_damage(&packed)->place, blob.len);
    else if (!damages && packed_stated(form, blob, &stated))
        require(stated == entries);
    return sum;
}

static unsigned check_lzf(struct bytes packed)
{
    static uint8_t whole[4096], head[sizeof(whole)];
    size_t len = lzf_head(packed, whole, sizeof(whole));
    unsigned sum = touch((struct bytes){whole, len});
    bool expands = lzf_expand(packed, head, len);
    require(expands == lzf_verify(packed, len));
    for (size_t i = 0; expands && i < len; i++)
        require(head[i] == whole[i]);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    double score;
    uint64_t at = 0;
    unsigned sum = check_packed(data[0] % PACKED_FORMS, rest) + check_lzf(rest) + score_parse(rest, &score);
    if (hyperloglog_fault(rest, &at))
        require(at <= rest.len);
    volatile unsigned sink = sum;
    (void)sink;
    return 0;
}
