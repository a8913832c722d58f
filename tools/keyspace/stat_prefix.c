#include "tools/keyspace/stat_prefix.h"

#include <string.h>

enum {
    HEX_WORD = 8,
    LOOKED_AT = 256, /* bytes of a name */
};

enum { CUT = 1, SOFT_CUT = 2, DIGIT = 4, HEX = 8, OPEN = 16, CLOSE = 32, BRACE = OPEN | CLOSE };

static const uint8_t classes[256] = {
    [':'] = CUT, ['/'] = CUT, ['.'] = CUT, ['|'] = CUT, ['-'] = SOFT_CUT, ['_'] = SOFT_CUT, ['{'] = OPEN, ['}'] = CLOSE,
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT, ['5'] = DIGIT, ['6'] = DIGIT,
    ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['a'] = HEX, ['b'] = HEX, ['c'] = HEX, ['d'] = HEX, ['e'] = HEX, ['f'] = HEX,
    ['A'] = HEX, ['B'] = HEX, ['C'] = HEX, ['D'] = HEX, ['E'] = HEX, ['F'] = HEX,
};

/* A prefix on its way into its room, which has space for one byte more than a prefix may have. */
struct prefix_writing {
    uint8_t *room;
    size_t len;
};

/* Writes a run of words and separators; false when it does not fit. */
static bool put_words(struct prefix_writing *writing, struct bytes run)
{
    uint8_t *room = writing->room, before = 0, all = DIGIT | HEX, any = 0;
    size_t len = writing->len, word = len, stored = 0;
    for (size_t i = 0; i < run.len && len < PREFIX_LONGEST; i++) {
        uint8_t class = classes[run.at[i]];
        bool ends = class & (CUT | SOFT_CUT | BRACE);
        if (ends && all && any & DIGIT && stored >= HEX_WORD) {
            len = word;
            room[len++] = '*';
        }
        if (!(class & DIGIT))
            room[len++] = run.at[i];
        else if (!(before & DIGIT))
            room[len++] = '*';
        before = class;
        any = ends ? 0 : any | class;
        all = ends ? DIGIT | HEX : class & (DIGIT | HEX) ? all : 0;
        stored = ends ? 0 : stored + 1;
        word = ends ? len : word;
        if (i + 1 == run.len) {
            writing->len = len;
            return len <= PREFIX_LONGEST;
        }
    }
    return false;
}

/* Bytes of the first word with what separates it from the next; 0 when there is no separator. */
static size_t first_word(struct bytes run, uint8_t cuts)
{
    cuts |= OPEN;
    for (size_t i = 0; i < run.len; i++) {
        uint8_t class = classes[run.at[i]] & cuts;
        if (!class)
            continue;
        if (class != OPEN)
            return i + 1;
        const uint8_t *close = memchr(run.at + i, '}', run.len - i);
        cuts &= (uint8_t)~OPEN; /* a tag that is not closed is none, and no later one is looked for */
        if (!close)
            continue;
        size_t behind = (size_t)(close - run.at) + 1;
        bool cut = behind < run.len && classes[run.at[behind]] & (CUT | SOFT_CUT);
        return behind + cut;
    }
    return 0;
}

/* Gives in `settled` how many bytes of the name decide the prefix whatever follows; 0 when all of it does. */
static size_t write_prefix(struct bytes name, unsigned depth, uint8_t room[PREFIX_ROOM], size_t *settled)
{
    static const uint8_t kinds[] = {CUT, SOFT_CUT};
    struct prefix_writing writing = {.room = room};
    if (name.len > LOOKED_AT)
        name.len = LOOKED_AT;
    *settled = 0;
    for (size_t kind = 0; kind < sizeof(kinds) && !writing.len; kind++) {
        struct bytes rest = name;
        unsigned word = 0;
        for (; word < depth; word++) {
            size_t len = first_word(rest, kinds[kind]);
            if (!len || !put_words(&writing, (struct bytes){rest.at, len}))
                break;
            rest.at += len;
            rest.len -= len;
        }
        if (word == depth && kinds[kind] == CUT)
            *settled = (size_t)(rest.at - name.at);
    }
    return writing.len;
}

struct bytes prefix_of(struct bytes name, unsigned depth, uint8_t room[PREFIX_ROOM])
{
    size_t settled;
    return (struct bytes){room, write_prefix(name, depth, room, &settled)};
}

/* A tag that ends a settled part takes a separator behind it, so a part that ends with a brace is not kept. */
struct bytes prefix_next(struct prefix_memory *memory, struct bytes name, unsigned depth)
{
    if (memory->settled && name.len > memory->settled && memcmp(name.at, memory->start, memory->settled) == 0)
        return (struct bytes){memory->room, memory->len};
    memory->len = write_prefix(name, depth, memory->room, &memory->settled);
    if (memory->settled > PREFIX_LONGEST || (memory->settled && name.at[memory->settled - 1] == '}'))
        memory->settled = 0;
    if (memory->settled)
        memcpy(memory->start, name.at, memory->settled);
    return (struct bytes){memory->room, memory->len};
}
