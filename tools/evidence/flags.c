#include "tools/evidence/flags.h"

#include <stdio.h>

char *flags_text(unsigned flags, bool ours, struct arena *arena)
{
    static const struct {
        unsigned flag;
        const char *word, *ours;
    } words[] = {
        {NODE_PRIMARY, "master", "primary"},       {NODE_REPLICA, "slave", "replica"},
        {NODE_PFAIL, "fail?", "fail?"},            {NODE_FAIL, "fail", "fail"},
        {NODE_HANDSHAKE, "handshake", "handshake"}, {NODE_NOADDR, "noaddr", "noaddr"},
        {NODE_NOFAILOVER, "nofailover", "nofailover"}, {NODE_NOFLAGS, "noflags", "noflags"},
    };
    char text[96] = "";
    size_t len = 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (flags & words[i].flag)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "", ours ? words[i].ours : words[i].word);
    return arena_copy(arena, text, len);
}
