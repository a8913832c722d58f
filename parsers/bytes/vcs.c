#include "parsers/bytes/vcs.h"

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum { VERSION = 1, CODEC_LZ4 = 1, LAST_KIND = 1 };

bool vcs_header_read(struct bytes head, struct vcs_header *header)
{
    *header = (struct vcs_header){.letters = text_starts(head, "VKCS") ? 4 : text_starts(head, "VCS") ? 3 : 0};
    if (!header->letters)
        return false;
    struct cursor cursor = cursor_over(text_from(head, header->letters));
    header->version = cursor_u8(&cursor);
    header->codec = cursor_u8(&cursor);
    header->flags = cursor_u8(&cursor);
    header->kind = cursor_u8(&cursor);
    header->length = header->letters + cursor_offset(&cursor);
    return cursor_ok(&cursor);
}

const char *vcs_why_not(const struct vcs_header *header, size_t *at)
{
    const struct {
        bool holds;
        const char *why;
    } rules[] = {
        {header->version == VERSION, "of another version than 1"},
        {header->codec == CODEC_LZ4, "with a codec that is not LZ4"},
        {!header->flags, "with a reserved flag"},
        {header->kind <= LAST_KIND, "with another kind of stream than a dump"},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        *at = header->letters + i;
        if (!rules[i].holds)
            return rules[i].why;
    }
    *at = 0;
    return NULL;
}
