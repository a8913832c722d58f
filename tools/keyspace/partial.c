#include "tools/keyspace/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READABLE = 0644 };

static bool fail(char why[PARTIAL_WHY], const char *what)
{
    snprintf(why, PARTIAL_WHY, "%s: %s", what, strerror(errno));
    return false;
}

/* What exists may be evidence, unless it begins as a partial does. */
static bool may_be_replaced(const char *path, char why[PARTIAL_WHY])
{
    static const char start[] = "{\n  \"schema\": \"" PARTIAL_SCHEMA "\"";
    char found[sizeof(start)] = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT || fail(why, "it exists and cannot be read");
    ssize_t got = read(fd, found, sizeof(start) - 1);
    close(fd);
    if (got == (ssize_t)sizeof(start) - 1 && memcmp(found, start, sizeof(start) - 1) == 0)
        return true;
    snprintf(why, PARTIAL_WHY, "it exists and is no " PARTIAL_SCHEMA "; it was left as it is");
    return false;
}

static bool write_whole(int fd, struct bytes text)
{
    while (text.len) {
        ssize_t put = write(fd, text.at, text.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        text.at += put;
        text.len -= (size_t)put;
    }
    return true;
}

bool partial_save(const char *path, struct bytes text, char why[PARTIAL_WHY])
{
    char *temporary = NULL;
    if (!may_be_replaced(path, why))
        return false;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        snprintf(why, PARTIAL_WHY, "out of memory");
        return false;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool ok = fd >= 0 || fail(why, "no file can be made beside it");
    if (ok && !(write_whole(fd, text) && fchmod(fd, READABLE) == 0 && fsync(fd) == 0))
        ok = fail(why, "writing it");
    if (fd >= 0 && close(fd) != 0 && ok)
        ok = fail(why, "writing it");
    if (ok && rename(temporary, path) != 0)
        ok = fail(why, "renaming it");
    if (!ok && fd >= 0)
        unlink(temporary);
    free(temporary);
    return ok;
}
