/* What the files of the nodes.conf reader share: lines, words of a line, and the reader that collects a line's facts.
 *
 *   nodesconf_lines.c    text -> lines and padding; what a capture has around its lines; recognition
 *   nodesconf_words.c    line -> words, quoted or plain
 *   nodesconf_address.c  the second word: endpoint, hostname, aux fields
 *   nodesconf_slots.c    the ninth word and after: ranges and open slots
 *   nodesconf.c          the reader: steps, the other fields, the vars line
 */
#ifndef RCF_NODESCONF_PRIVATE_H
#define RCF_NODESCONF_PRIVATE_H

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/keyslot.h"
#include "parsers/bytes/text.h"
#include "parsers/nodesconf/nodesconf.h"

enum line_kind { LINES_OVER, LINES_FEEDS, LINES_NULS, LINES_TEXT };

struct line {
    struct bytes text; /* without its end; for padding the run itself */
    uint64_t offset;
    uint32_t number;
    bool ended;
};

struct lines {
    struct cursor cursor;
    uint32_t number;
    bool capture;
    bool dressed; /* a prompt, a RESP header or quotes stood around the lines */
    bool escaped; /* lines end with a backslash and an n */
    bool cut;     /* a capture that ends before its header or quote allows */
};

struct lines nodesconf_lines(struct bytes text, bool capture);

/* The next line or run of padding. Text never starts with LF or NUL. */
enum line_kind nodesconf_line(struct lines *lines, struct line *line);

/* A word as it reads, and where in the line it stands as it is written. */
struct word {
    struct bytes text;
    size_t from, length;
};

struct words {
    struct cursor cursor;
    uint8_t *scratch; /* where quoted words are decoded; NULL when words are plain */
    size_t used;
};

/* Part of a plain word; a quoted one does not show where its parts stand, so the part gets the place of the whole. */
static inline struct word word_part(struct word word, size_t from, struct bytes text)
{
    bool plain = word.length == word.text.len;
    return (struct word){text, word.from + (plain ? from : 0), plain ? text.len : word.length};
}

bool nodesconf_word(struct words *words, struct word *word);

/* Does the line tokenize as servers do it? `scratch` holds at least line.len bytes. */
bool nodesconf_words_balanced(struct bytes line, uint8_t *scratch);

struct defect {
    enum nodesconf_defect code;
    size_t from, length; /* in the line */
    const char *found;
};

struct nodesconf {
    struct lines lines;
    struct lines behind_peek; /* where reading goes on behind the line that was peeked at */
    struct line line;
    struct nodesconf_item item;
    bool item_ready;
    bool endpoint_read; /* the address had an ip:port */
    bool end_said;      /* the end of a cut capture was reported */
    const char *why;
    struct damage damage;
    struct defect *defects;
    size_t defect_count, defect_next, defect_cap;
    struct open_slot *open;
    size_t open_cap;
    uint8_t *scratch;
    size_t scratch_cap;
    bool taken_valid;                    /* `taken` has the slots of the ranges so far */
    uint64_t taken[SLOT_COUNT / 64];     /* bit s % 64 of element s / 64: slot s */
    struct slot_range ranges[SLOT_COUNT]; /* no slot twice, so never more */
};

/* Notes damage of the line that is being read, to be given before its item. */
void nodesconf_defect(struct nodesconf *reader, enum nodesconf_defect code, struct word where, const char *found);

/* Makes room for `count` elements of `size` bytes at `array`; NULL, and the reader stops, without memory. */
void *nodesconf_room(struct nodesconf *reader, void *array, size_t *cap, size_t count, size_t size);

void nodesconf_address(struct nodesconf *reader, struct word word);
void nodesconf_slot(struct nodesconf *reader, struct word word);

/* The bit of a flag word, 0 when unknown. */
unsigned nodesconf_flag(struct bytes word);

#endif
