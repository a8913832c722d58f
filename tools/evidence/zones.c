#include "tools/evidence/zones.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "parsers/bytes/source.h"
#include "parsers/bytes/text.h"

static const char folder[] = "/usr/share/zoneinfo/";

/* A name as tzdata has them, and no way out of its folder. */
static bool is_zone_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    return *name && *name != '/' && strlen(name) < 128 && strspn(name, allowed) == strlen(name);
}

static struct log_zone *read_zone(const char *name)
{
    char path[sizeof(folder) + 128];
    struct log_zone *zone = log_zone_parse((struct bytes){(const uint8_t *)name, strlen(name)});
    if (zone || !is_zone_name(name))
        return zone;
    snprintf(path, sizeof(path), "%s%s", folder, name);
    struct source *source = source_open(AT_FDCWD, path, SOURCE_FOLLOW | SOURCE_UNHASHED);
    struct bytes content;
    if (source && source_slurp(source, LOG_ZONE_FILE_MAX, &content))
        zone = log_zone_read(content);
    source_close(source);
    return zone;
}

bool zones_add(struct zones *zones, const char *text)
{
    const char *mark = strchr(text, '=');
    struct log_zone *zone = zones->count < ZONES_MAX && mark != text ? read_zone(mark ? mark + 1 : text) : NULL;
    if (!zone)
        return false;
    zones->all[zones->count++] = (struct named_zone){mark ? text : NULL, mark ? (size_t)(mark - text) : 0, zone};
    return true;
}

static bool has_folder(const char *path, const struct named_zone *named)
{
    for (size_t len; *path; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len == named->host_len && memcmp(path, named->host, len) == 0)
            return true;
    }
    return false;
}

const struct log_zone *zones_of(const struct zones *zones, const char *path)
{
    const struct log_zone *zone = NULL;
    for (size_t i = 0; i < zones->count; i++) {
        if (!zones->all[i].host)
            zone = zones->all[i].zone;
        else if (has_folder(path, &zones->all[i]))
            return zones->all[i].zone;
    }
    return zone;
}

void zones_free(struct zones *zones)
{
    for (size_t i = 0; i < zones->count; i++)
        log_zone_free(zones->all[i].zone);
    zones->count = 0;
}
