#include "tools/evidence/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "parsers/bytes/text.h"

enum { LEAST_PORT = 1024 };

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static struct bytes of_string(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

static struct bytes without_coding(struct bytes name)
{
    static const char *const endings[] = {".gz", ".lz4", ".zst"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
        if (text_ends(name, endings[i]) && name.len > strlen(endings[i]))
            return (struct bytes){name.at, name.len - strlen(endings[i])};
    return name;
}

struct path_parts names_split(const char *path)
{
    struct path_parts parts;
    struct bytes whole = of_string(path);
    if (!text_split_last(whole, '/', &parts.folder, &parts.name)) {
        parts.folder = (struct bytes){whole.at, 0};
        parts.name = whole;
    }
    parts.stem = without_coding(parts.name);
    return parts;
}

struct bytes names_last(struct bytes folder)
{
    struct bytes above, last;
    return text_split_last(folder, '/', &above, &last) ? last : folder;
}

struct bytes names_parent(struct bytes folder)
{
    struct bytes above, last;
    return text_split_last(folder, '/', &above, &last) ? above : (struct bytes){folder.at, 0};
}

bool names_is_port(struct bytes word, uint16_t *port)
{
    uint64_t value;
    if (word.len < 4 || word.len > 5 || !text_u64(word, &value) || value < LEAST_PORT || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

bool names_is_ip(struct bytes word)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (!word.len || word.len >= sizeof(text))
        return false;
    memcpy(text, word.at, word.len);
    text[word.len] = 0;
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

bool names_is_address(struct bytes word, struct bytes *ip, uint16_t *port)
{
    static const char marks[] = "_:-";
    struct bytes tail;
    for (size_t i = 0; marks[i]; i++)
        if (text_split_last(word, (uint8_t)marks[i], ip, &tail) && names_is_ip(*ip) && names_is_port(tail, port))
            return true;
    return false;
}

static bool in_quad(uint8_t c)
{
    return is_digit(c) || c == '.';
}

bool names_find_ip(struct bytes name, struct bytes *ip)
{
    for (size_t i = 0; i < name.len; i++) {
        size_t end = i;
        while (end < name.len && in_quad(name.at[end]))
            end++;
        struct bytes run = {name.at + i, end - i};
        while (run.len && run.at[run.len - 1] == '.')
            run.len--;
        if (run.len >= 7 && names_is_ip(run)) {
            *ip = run;
            return true;
        }
        i = end;
    }
    return false;
}

/* Nothing but endings of letters, each behind a dot. */
static bool only_endings(struct bytes rest)
{
    for (size_t i = 0; i < rest.len; i++) {
        uint8_t c = (uint8_t)(rest.at[i] | 0x20);
        if (i == 0 ? rest.at[i] != '.' : rest.at[i] != '.' && !(c >= 'a' && c <= 'z'))
            return false;
    }
    return true;
}

/* 2026-11-22, 2026_11, 2026.11.22: a year of this or the last century with two digits behind it. */
static bool is_date(struct bytes name, size_t at, size_t end)
{
    bool year = end - at == 4 && (text_starts(text_from(name, at), "19") || text_starts(text_from(name, at), "20"));
    return year && end + 2 < name.len && strchr("-_.", name.at[end]) && is_digit(name.at[end + 1]) &&
           is_digit(name.at[end + 2]) && (end + 3 == name.len || !is_digit(name.at[end + 3]));
}

bool names_next_port(struct bytes name, size_t *at, uint16_t *port, bool *firm)
{
    struct bytes ip = {name.at, 0};
    names_find_ip(name, &ip);
    for (size_t i = *at; i < name.len;) {
        size_t end = i;
        while (end < name.len && is_digit(name.at[end]))
            end++;
        bool inside_ip = name.at + i >= ip.at && name.at + i < ip.at + ip.len;
        struct bytes digits = {name.at + i, end - i};
        *at = end;
        if (!inside_ip && !is_date(name, i, end) && names_is_port(digits, port)) {
            struct bytes rest = text_from(name, end);
            *firm = rest.len && only_endings(rest);
            return true;
        }
        i = end > i ? end : i + 1;
    }
    *at = name.len;
    return false;
}

bool names_is_unfinished_nodesconf(struct bytes stem, struct bytes *target)
{
    struct bytes head, pid, ms;
    uint64_t number;
    if (!text_split_last(stem, '-', &head, &ms) || !text_split_last(head, '-', &head, &pid) ||
        !text_u64(pid, &number) || !text_u64(ms, &number) || !text_ends(head, ".tmp"))
        return false;
    *target = (struct bytes){head.at, head.len - strlen(".tmp")};
    return target->len > 0;
}

bool names_is_unfinished_data(struct bytes stem)
{
    static const char *const endings[] = {".rdb", ".aof", ".manifest", ".incr"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++)
        if (text_starts(stem, "temp-") && text_ends(stem, endings[i]))
            return true;
    return false;
}

static bool is_set_aside(struct bytes word)
{
    struct bytes head, digits;
    if (!text_split_last(word, '-', &head, &digits) || digits.len != 16 ||
        (!text_ends(head, ".rcf-keep") && !text_ends(head, ".rcf-removed")))
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (!is_digit(digits.at[i]) && (digits.at[i] < 'a' || digits.at[i] > 'f'))
            return false;
    return true;
}

bool names_is_set_aside(const struct path_parts *parts)
{
    bool aside = is_set_aside(parts->stem);
    for (struct bytes folder = parts->folder; folder.len && !aside; folder = names_parent(folder))
        aside = is_set_aside(names_last(folder));
    return aside;
}

bool names_begins(struct bytes stem, struct bytes name)
{
    return stem.len >= name.len && memcmp(stem.at, name.at, name.len) == 0;
}

bool names_extends(struct bytes stem, struct bytes name)
{
    return names_begins(stem, name) && (stem.len == name.len || stem.at[name.len] == '.' || stem.at[name.len] == '-');
}

int names_compare(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool names_is_below(struct bytes folder, struct bytes above)
{
    return above.len == 0 || (folder.len >= above.len && memcmp(folder.at, above.at, above.len) == 0 &&
                              (folder.len == above.len || folder.at[above.len] == '/'));
}
