/* What the readers of captured replies share: their defects, and lines without what a terminal adds.
 *
 * A capture is what redis-cli, valkey-cli or a raw connection has shown to somebody who kept it. How each form looks:
 * docs/formats/captures.md.
 */
#ifndef RCF_CAPTURE_H
#define RCF_CAPTURE_H

#include <stdbool.h>

#include "parsers/bytes/cursor.h"

enum capture_defect {
#define CAPTURE_DEFECT(id, expected) CAPTURE_##id,
#include "parsers/capture/capture_defects.def"
#undef CAPTURE_DEFECT
    CAPTURE_DEFECTS
};

/* "40 hexadecimal digits", ... */
const char *capture_expected(enum capture_defect defect);

/* The lines of a capture. Skipped: empty lines where asked for, prompts with the command behind them, the header of a
 * RESP string and its "txt:". Taken away: CR, blanks and colours (ESC [ ... letter) at both ends of a line. Where the
 * whole text is one quoted string, "\n" and "\r\n" end its lines. */
struct capture_lines {
    struct cursor cursor;
    uint32_t number;
    bool quoted;
    bool begun;
};

struct capture_line {
    struct bytes text;  /* trimmed */
    struct place place; /* of the trimmed text */
    bool ended;         /* its line feed was there */
};

struct capture_lines capture_lines_over(struct bytes text);

/* The next line, also an empty one. False when none is left. */
bool capture_line_next(struct capture_lines *lines, struct capture_line *line);

/* "127.0.0.1:7000> cluster info", "redis 127.0.0.1:7000> ", "not connected> ": what a terminal shows before a reply. */
bool capture_is_prompt(struct bytes line);

/* The line without blanks, CR and colours at both ends. */
struct bytes capture_trim(struct bytes line);

#endif
