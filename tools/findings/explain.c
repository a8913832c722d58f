#include "tools/findings/explain.h"

#include <string.h>

/* Made from docs/findings.md by the Makefile: one string literal a line. */
static const char document[] =
#include "docs/findings.inc"
    ;

struct bytes explain_finding(enum finding_id id)
{
    const char *word = finding_word(id);
    size_t len = strlen(word);
    for (const char *at = strstr(document, "\n## "); at; at = strstr(at + 1, "\n## ")) {
        const char *heading = at + 4;
        if (strncmp(heading, word, len) != 0 || heading[len] != '\n')
            continue;
        const char *end = strstr(heading, "\n## ");
        return (struct bytes){(const uint8_t *)heading, end ? (size_t)(end + 1 - heading) : strlen(heading)};
    }
    return (struct bytes){(const uint8_t *)document, 0};
}
