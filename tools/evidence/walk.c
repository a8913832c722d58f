#include "tools/evidence/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory being walked. Its names are sorted before anything is opened. */
struct folder {
    int fd;
    dev_t device;
    ino_t inode;
    const char *shown, *where;
    char **names;
    size_t count, next;
};

struct found {
    struct walked file;
    dev_t device;
    ino_t inode;
    size_t argument; /* number of the named path that led here */
    bool inside;     /* of a named directory */
};

struct walking {
    struct arena *arena, *scratch;
    struct found *found;
    size_t count, cap;
    bool atime_kept;
    size_t argument, named;
    struct folder stack[WALK_DEPTH + 1];
    size_t depth;
};

/* Not strerror(), which speaks the user's language. */
static const char *error_text(int error)
{
    const char *words = strerrordesc_np(error);
    return words ? words : "unknown error";
}

static const char *skipped_kind(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *reason;
    } kinds[] = {
        {S_IFLNK, "symbolic link, not followed"}, {S_IFIFO, "FIFO, not read"},
        {S_IFSOCK, "socket, not read"},           {S_IFCHR, "character device, not read"},
        {S_IFBLK, "block device, not read"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if ((mode & S_IFMT) == kinds[i].type)
            return kinds[i].reason;
    return NULL;
}

static struct found *add(struct walking *walking, const char *shown, const char *where, const char *unread)
{
    struct found *found =
        arena_grow(walking->scratch, walking->found, walking->count, &walking->cap, sizeof(*walking->found));
    if (!found)
        return NULL;
    walking->found = found;
    found += walking->count++;
    *found = (struct found){
        .file = {.shown = shown, .where = where, .named = walking->named, .unread = unread},
        .argument = walking->argument,
        .inside = walking->depth > 0,
    };
    return found;
}

static const char *below(struct arena *arena, const char *folder, const char *name)
{
    size_t len = strlen(folder);
    if (!len)
        return arena_string(arena, name);
    return arena_format(arena, folder[len - 1] == '/' ? "%s%s" : "%s/%s", folder, name);
}

/* Opens a directory without moving its access time where that is allowed; -1 with errno. */
static int open_folder(struct walking *walking, int at, const char *name, bool follow)
{
    int how = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW);
    int fd = openat(at, name, how | O_NOATIME);
    if (fd < 0 && errno == EPERM) {
        fd = openat(at, name, how);
        walking->atime_kept &= fd < 0;
    }
    return fd;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a directory, sorted. False without memory; `*error` is an errno value when reading broke off. */
static bool read_names(struct walking *walking, struct folder *folder, int *error)
{
    size_t cap = 0;
    *error = 0;
    int fd = fcntl(folder->fd, F_DUPFD_CLOEXEC, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        *error = errno;
        if (fd >= 0)
            close(fd);
        return true;
    }
    bool memory = true;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (!entry) {
            *error = errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (folder->count + walking->count > WALK_FILES)
            break; /* said by the walk, which comes to the same cap */
        char **names = arena_grow(walking->scratch, folder->names, folder->count, &cap, sizeof(*names));
        char *name = arena_string(walking->scratch, entry->d_name);
        memory = names && name;
        if (!memory)
            break;
        folder->names = names;
        names[folder->count++] = name;
    }
    closedir(directory);
    if (folder->count)
        qsort(folder->names, folder->count, sizeof(*folder->names), by_name);
    return memory;
}

/* A bind mount can put a directory below itself. */
static bool is_loop(const struct walking *walking, const struct stat *state)
{
    for (size_t i = 0; i < walking->depth; i++)
        if (walking->stack[i].device == state->st_dev && walking->stack[i].inode == state->st_ino)
            return true;
    return false;
}

/* Puts a directory on the stack, or lists it with the reason why not. False without memory. */
static bool enter(struct walking *walking, int at, const char *name, bool follow, const char *shown, const char *where)
{
    struct stat state;
    if (walking->depth > WALK_DEPTH)
        return add(walking, shown, where, "directory more than 32 levels down, not read");
    int fd = open_folder(walking, at, name, follow);
    if (fd < 0 || fstat(fd, &state) < 0) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return add(walking, shown, where, arena_format(walking->arena, "directory: %s", error_text(error)));
    }
    if (is_loop(walking, &state)) {
        close(fd);
        return add(walking, shown, where, "directory that holds itself, not read again");
    }
    struct folder *folder = &walking->stack[walking->depth++];
    *folder = (struct folder){.fd = fd, .device = state.st_dev, .inode = state.st_ino, .shown = shown, .where = where};
    int error;
    if (!read_names(walking, folder, &error))
        return false;
    return !error || add(walking, shown, where, arena_format(walking->arena, "directory: %s", error_text(error)));
}

/* The next name of the innermost directory. False without memory. */
static bool step(struct walking *walking, struct folder *folder)
{
    const char *name = folder->names[folder->next++];
    const char *shown = below(walking->arena, folder->shown, name);
    const char *where = below(walking->arena, folder->where, name);
    struct stat state;
    if (!shown || !where)
        return false;
    if (fstatat(folder->fd, name, &state, AT_SYMLINK_NOFOLLOW) < 0)
        return add(walking, shown, where, error_text(errno));
    if (S_ISDIR(state.st_mode))
        return enter(walking, folder->fd, name, false, shown, where);
    struct found *found = add(walking, shown, where, skipped_kind(state.st_mode));
    if (!found)
        return false;
    found->file.skipped = found->file.unread;
    found->device = state.st_dev;
    found->inode = state.st_ino;
    return true;
}

/* Walks what enter() put on the stack, depth first. False without memory. */
static bool walk_down(struct walking *walking)
{
    bool memory = true;
    while (walking->depth) {
        struct folder *folder = &walking->stack[walking->depth - 1];
        if (!memory || folder->next == folder->count) {
            close(folder->fd);
            walking->depth--;
        } else if (walking->count >= WALK_FILES) {
            memory = add(walking, folder->shown, folder->where, "more than 1,000,000 files: the rest is not read");
            folder->next = folder->count;
        } else {
            memory = step(walking, folder);
        }
    }
    return memory;
}

/* One path of the command line. False without memory. */
static bool walk_argument(struct walking *walking, const char *path, bool alone)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    const char *where = arena_copy(walking->arena, path, len);
    struct stat state;
    if (!where)
        return false;
    walking->named = len;
    bool exists = strcmp(where, "-") != 0 && fstatat(AT_FDCWD, where, &state, 0) == 0;
    if (exists && S_ISDIR(state.st_mode))
        return enter(walking, AT_FDCWD, where, true, alone ? "" : where, where) && walk_down(walking);
    struct found *found = add(walking, where, where, NULL);
    if (found && exists) {
        found->device = state.st_dev;
        found->inode = state.st_ino;
    }
    return found;
}

static int by_identity(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    if (left->argument != right->argument)
        return left->argument < right->argument ? -1 : 1;
    return strcmp(left->file.shown, right->file.shown);
}

static int by_shown(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    int order = strcmp(left->file.shown, right->file.shown);
    return order ? order : (left->argument > right->argument) - (left->argument < right->argument);
}

/* Leaves out what was reached through two named paths of which one is a directory. Two links to one file below the same
 * directory are two files of the case, and a file that is named twice was meant twice. */
static void drop_twins(struct walking *walking)
{
    size_t kept = 0;
    if (!walking->count)
        return;
    qsort(walking->found, walking->count, sizeof(*walking->found), by_identity);
    for (size_t i = 0; i < walking->count; i++) {
        const struct found *now = &walking->found[i], *before = kept ? &walking->found[kept - 1] : NULL;
        bool twin = before && now->inode && now->device == before->device && now->inode == before->inode &&
                    now->argument != before->argument && (now->inside || before->inside);
        if (!twin)
            walking->found[kept++] = *now;
    }
    walking->count = kept;
    qsort(walking->found, walking->count, sizeof(*walking->found), by_shown);
}

bool walk_paths(struct arena *arena, char *const *paths, size_t count, struct walk *walk)
{
    struct walking *walking = calloc(1, sizeof(*walking));
    bool memory = walking && (walking->scratch = arena_new());
    *walk = (struct walk){.atime_kept = true};
    if (memory) {
        walking->arena = arena;
        walking->atime_kept = true;
    }
    for (size_t i = 0; memory && i < count; i++) {
        walking->argument = i;
        memory = walk_argument(walking, paths[i], count == 1);
    }
    if (memory) {
        drop_twins(walking);
        walk->atime_kept = walking->atime_kept;
        walk->files = arena_array(arena, walking->count, sizeof(*walk->files));
        memory = walk->files;
    }
    for (size_t i = 0; memory && i < walking->count; i++)
        walk->files[walk->count++] = walking->found[i].file;
    while (walking && walking->depth)
        close(walking->stack[--walking->depth].fd);
    if (walking)
        arena_free(walking->scratch);
    free(walking);
    return memory && !arena_failed(arena);
}

/* Goes down to the directory of a file, through directories only. The descriptor of the last one reached; `*rest` is
 * what is left of the path: a name, or more when a step failed. */
static int go_down(const char *where, size_t named, const char **rest)
{
    char prefix[PATH_MAX];
    *rest = where;
    if (named >= sizeof(prefix))
        return -1;
    memcpy(prefix, where, named);
    prefix[named] = 0;
    int fd = open(prefix, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (const char *name = where + named; fd >= 0;) {
        while (*name == '/')
            name++;
        *rest = name;
        const char *slash = strchr(name, '/');
        if (!slash || slash - name > NAME_MAX)
            break;
        char component[NAME_MAX + 1];
        memcpy(component, name, (size_t)(slash - name));
        component[slash - name] = 0;
        int next = openat(fd, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            break;
        close(fd);
        fd = next;
        name = slash;
    }
    return fd;
}

static struct source *open_file(const char *where, size_t named, unsigned flags)
{
    if (!where[named])
        return source_open(AT_FDCWD, where, SOURCE_FOLLOW | flags);
    const char *rest;
    int fd = go_down(where, named, &rest);
    /* Where a directory on the way is gone or has become something else, opening it as a directory gives the reason and
     * never content. */
    char gone[NAME_MAX + 3];
    if (strchr(rest, '/')) {
        snprintf(gone, sizeof(gone), "%.*s/.", (int)strcspn(rest, "/"), rest);
        rest = gone;
    }
    struct source *source = source_open(fd, rest, flags);
    if (fd >= 0)
        close(fd);
    return source;
}

struct source *walk_open(const char *where, size_t named)
{
    return strcmp(where, "-") == 0 ? source_descriptor(STDIN_FILENO) : open_file(where, named, 0);
}

struct source *walk_open_again(const char *where, size_t named)
{
    struct source *source = strcmp(where, "-") == 0 ? NULL : open_file(where, named, SOURCE_UNHASHED);
    if (source && !source_why(source))
        return source;
    source_close(source);
    return NULL;
}

/* As source_open() does it. */
static int open_regular(int dirfd, const char *name, int flags)
{
    struct stat state;
    int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags;
    int fd = openat(dirfd, name, how | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(dirfd, name, how);
    if (fd >= 0 && (fstat(fd, &state) != 0 || !S_ISREG(state.st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool walk_read(const char *where, size_t named, uint64_t offset, void *bytes, size_t len)
{
    const char *rest = where;
    size_t got = 0;
    ssize_t n = 1;
    if (strcmp(where, "-") == 0 || offset > INT64_MAX - len)
        return false;
    int above = where[named] ? go_down(where, named, &rest) : AT_FDCWD;
    bool arrived = above == AT_FDCWD || (above >= 0 && !strchr(rest, '/'));
    int fd = arrived ? open_regular(above, rest, above == AT_FDCWD ? 0 : O_NOFOLLOW) : -1;
    for (; fd >= 0 && got < len && n > 0; got += n > 0 ? (size_t)n : 0)
        n = pread(fd, (char *)bytes + got, len - got, (off_t)(offset + got));
    if (fd >= 0)
        close(fd);
    if (above >= 0)
        close(above);
    return fd >= 0 && got == len;
}

bool walk_state(const char *where, size_t named, uint64_t *size, int64_t *mtime_ms)
{
    struct stat state;
    const char *rest = where;
    if (strcmp(where, "-") == 0)
        return false;
    int fd = where[named] ? go_down(where, named, &rest) : AT_FDCWD;
    bool arrived = fd == AT_FDCWD || (fd >= 0 && !strchr(rest, '/'));
    bool found = arrived && fstatat(fd, rest, &state, fd == AT_FDCWD ? 0 : AT_SYMLINK_NOFOLLOW) == 0;
    if (fd >= 0)
        close(fd);
    if (found) {
        *size = (uint64_t)state.st_size;
        *mtime_ms = (int64_t)state.st_mtim.tv_sec * 1000 + state.st_mtim.tv_nsec / 1000000;
    }
    return found;
}
