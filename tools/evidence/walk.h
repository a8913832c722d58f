/* Finding the files of a case: directories are walked, files are taken as they are named.
 *
 * Everything below a named directory is opened step by step, relative to the directory above it and without following
 * symbolic links, so a link cannot lead the reading out of the case, not even one that appears meanwhile. What is not
 * read is listed with the reason: links, FIFOs, sockets, devices, unreadable directories, what lies beyond the caps.
 */
#ifndef RCF_WALK_H
#define RCF_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/bytes/source.h"
#include "parsers/memory/arena.h"

enum {
    WALK_DEPTH = 32,       /* directories below a named one */
    WALK_FILES = 1000000,  /* in all */
};

struct walked {
    const char *shown;  /* below a single named directory: relative to it; else as named */
    const char *where;  /* to open it: as named, from the working directory */
    size_t named;       /* how many bytes of `where` the user named */
    const char *unread; /* why it is not read, or NULL */
    bool skipped;       /* `unread` by rule: a symbolic link, FIFO, socket or device */
};

struct walk {
    struct walked *files; /* by `shown`, in byte order */
    size_t count;
    bool atime_kept; /* false: the access time of a directory may have moved */
};

/* Lists the files of `paths`, "-" being standard input. A file that a named directory already holds is listed once.
 * False without memory. What it gives is allocated from `arena`. */
bool walk_paths(struct arena *arena, char *const *paths, size_t count, struct walk *walk);

/* Opens a listed file. A source that yields nothing and says why when that fails; NULL without memory. */
struct source *walk_open(const char *where, size_t named);

/* The same once more, not hashed. NULL for what cannot be opened, and for standard input. */
struct source *walk_open_again(const char *where, size_t named);

/* Reads `len` bytes at `offset` of a listed file as they lie on disk. False when there are fewer, and for all that is
 * no regular file now. */
bool walk_read(const char *where, size_t named, uint64_t offset, void *bytes, size_t len);

/* Size and modification time of a listed file as it is now, in the units of struct source_facts. */
bool walk_state(const char *where, size_t named, uint64_t *size, int64_t *mtime_ms);

#endif
