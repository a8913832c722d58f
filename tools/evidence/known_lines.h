/* Node lines that were read before, found again by their bytes.
 *
 * In thousands of views of one cluster nearly every line stands in nearly every file, only its times differ. A line is
 * known when all its other bytes, compared one by one, are those of a plain line that was read; then what it says needs
 * no reading. All lines come from readers opened in one way: see nodesconf_peek().
 */
#ifndef RCF_KNOWN_LINES_H
#define RCF_KNOWN_LINES_H

#include "tools/evidence/numbering.h"
#include "tools/evidence/view.h"

/* What a line says about a node, its times and place aside. */
struct statement {
    const struct entry *entry;
    uint8_t link; /* enum nodesconf_link */
    bool myself, has_bus_port, has_hostname, has_aux, has_client_address, has_client_port;
};

struct known_line;

/* Zeroed memory knows no line. */
struct known_lines {
    struct known_line **all;
    size_t count, cap;
    size_t size; /* bytes taken for lines */
    struct numbering numbering;
};

/* Evidence may consist of lines that never come again: when so much is taken, no more are kept. */
enum { KNOWN_LINES_SIZE = 64 * 1024 * 1024 };

/* What the line with these bytes around its times says; NULL when it is not known. */
const struct statement *known_lines_find(const struct known_lines *known, struct bytes before, struct bytes behind);

/* Keeps a line that known_lines_find() does not know, copied to `arena`. False without memory. */
bool known_lines_add(struct known_lines *known, struct arena *arena, struct bytes before, struct bytes behind,
                     const struct statement *said);

/* The lines that were read into a store; see view_store_new(). */
struct known_lines *view_store_lines(struct view_store *store);

#endif
