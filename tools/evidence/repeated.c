#include "tools/evidence/repeated.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

/* Fills the buffer as far as the evidence goes. */
static size_t fill(struct source *source, uint8_t *buffer)
{
    size_t have = 0;
    for (size_t got; have < PIECE && (got = source_read(source, buffer + have, PIECE - have)); have += got)
        continue;
    return have;
}

static bool begins_with(struct source *part, struct source *whole, uint8_t *buffers)
{
    for (size_t want = PIECE; want == PIECE;) {
        want = fill(part, buffers);
        if (fill(whole, buffers + PIECE) < want || memcmp(buffers, buffers + PIECE, want) != 0)
            return false;
    }
    return !source_why(part);
}

bool repeated_in(const struct evidence *evidence, size_t part, size_t whole)
{
    const struct evidence_file *small = &evidence->files[part], *large = &evidence->files[whole];
    if (part == whole || small->unread || large->unread || !small->facts.decoded || small->facts.decoded > large->facts.decoded)
        return false;
    if (small->sha256[0] && strcmp(small->sha256, large->sha256) == 0)
        return true;
    struct source *a = evidence_reopen(evidence, part), *b = evidence_reopen(evidence, whole);
    uint8_t *buffers = malloc(2 * (size_t)PIECE);
    bool same = a && b && buffers && begins_with(a, b, buffers);
    free(buffers);
    source_close(a);
    source_close(b);
    return same;
}
