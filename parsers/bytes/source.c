#include "parsers/bytes/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parsers/bytes/decode.h"

enum {
    BLOCK = 256 * 1024, /* one read: a system call is cheap beside it, and it is hashed while still in the cache */
    HEAD = 64,          /* seen before the coding is decided */
    SLURP_FIRST = 64 * 1024,
};

/* Bytes that stand ready in a buffer of BLOCK bytes (or, for evidence in memory, in place). */
struct window {
    uint8_t *block;
    struct bytes ready;
};

struct slurp {
    struct slurp *next;
    uint8_t bytes[];
};

struct source {
    int fd; /* -1 for evidence in memory, or when it could not be opened */
    bool owns_fd;
    bool is_open;
    bool is_file;   /* opened by path: all of it is read, so its size is known */
    bool has_state; /* `before` is the state of a regular file */
    bool atime_kept;
    struct stat before;

    EVP_MD_CTX *hash; /* NULL for SOURCE_UNHASHED */
    uint64_t taken;   /* bytes read and hashed */
    bool ended;     /* no more bytes to take */

    struct window raw;
    enum source_coding coding;
    struct decoder *decoder; /* NULL for SOURCE_PLAIN */
    bool in_member;
    struct window decoded; /* unused for SOURCE_PLAIN */
    uint64_t decoded_count;

    struct slurp *slurps;
    bool finished;
    struct source_facts facts;
    char why[160]; /* the first fault; empty when there is none */
};

static const uint8_t nothing[1];

__attribute__((format(printf, 2, 3))) static void fault(struct source *source, const char *format, ...)
{
    if (source->why[0])
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(source->why, sizeof(source->why), format, list);
    va_end(list);
}

/* strerror() speaks the user's language; reports must not. */
static void fault_errno(struct source *source, int error)
{
    const char *words = strerrordesc_np(error);
    fault(source, "%s", words ? words : "unknown error");
}

static void hash_more(struct source *source, const uint8_t *at, size_t len)
{
    source->taken += len;
    if (source->hash && !EVP_DigestUpdate(source->hash, at, len))
        fault(source, "SHA-256 failed");
}

/* The one place where evidence is read from a descriptor. 0 at the end or at a fault. */
static size_t take(struct source *source, uint8_t *to, size_t cap)
{
    while (!source->ended) {
        ssize_t n = read(source->fd, to, cap);
        if (n > 0) {
            hash_more(source, to, (size_t)n);
            return (size_t)n;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && !source->is_file) {
            poll(&(struct pollfd){.fd = source->fd, .events = POLLIN}, 1, -1);
            continue;
        }
        if (n < 0)
            fault_errno(source, errno);
        source->ended = true;
    }
    return 0;
}

/* Moves what stands ready to the front of the block and gives the room behind it. */
static size_t window_room(struct window *window, uint8_t **room)
{
    if (window->ready.len && window->ready.at != window->block)
        memmove(window->block, window->ready.at, window->ready.len);
    window->ready.at = window->block;
    *room = window->block + window->ready.len;
    return BLOCK - window->ready.len;
}

static bool raw_more(struct source *source)
{
    uint8_t *room;
    if (source->ended)
        return false;
    size_t cap = window_room(&source->raw, &room);
    size_t n = take(source, room, cap);
    source->raw.ready.len += n;
    return n > 0;
}

/* True when another member begins here. Anything else that is left is a fault. */
static bool member_begins(struct source *source)
{
    while (source->raw.ready.len < DECODE_MAGIC && raw_more(source))
        continue;
    struct bytes ready = source->raw.ready;
    if (source->why[0] || !ready.len)
        return false;
    if (decode_begins(source->coding, ready))
        return true;
    const char *name = source_coding_name(source->coding);
    fault(source, "%s: what follows the last member at byte %" PRIu64 " is not %s", name, source->taken - ready.len,
          name);
    return false;
}

/* At least one decoded byte into `out`; 0 at the end or at a fault. */
static size_t decode(struct source *source, uint8_t *out, size_t cap)
{
    struct bytes *in = &source->raw.ready;
    size_t made = 0;
    while (!made && !source->why[0]) {
        if (!source->in_member && !member_begins(source))
            return 0;
        source->in_member = true;
        if (!in->len && !raw_more(source) && source->why[0])
            return 0;
        size_t before = in->len;
        enum decode_step step = decoder_step(source->decoder, in, out, cap, &made);
        if (step == DECODE_MEMBER_END)
            source->in_member = false;
        else if (step == DECODE_FAULT)
            fault(source, "%s: %s before byte %" PRIu64, source_coding_name(source->coding),
                  decoder_why(source->decoder), source->taken - in->len);
        else if (!made && in->len == before)
            fault(source, "%s: cut off at byte %" PRIu64, source_coding_name(source->coding), source->taken);
    }
    source->decoded_count += made;
    return made;
}

static bool decoded_more(struct source *source)
{
    uint8_t *room;
    size_t cap = window_room(&source->decoded, &room);
    size_t n = decode(source, room, cap);
    source->decoded.ready.len += n;
    return n > 0;
}

/* What the caller sees, and how there is more of it: plain evidence is given from the block it was read into. */
static struct bytes *ready_for(struct source *source)
{
    return source->decoder ? &source->decoded.ready : &source->raw.ready;
}

static bool more(struct source *source)
{
    return source->decoder ? decoded_more(source) : raw_more(source);
}

static struct source *source_new(unsigned flags)
{
    struct source *source = calloc(1, sizeof(*source));
    if (!source)
        return NULL;
    source->fd = -1;
    source->ended = true;
    source->atime_kept = true;
    source->raw.ready.at = nothing;
    source->decoded.ready.at = nothing;
    if (flags & SOURCE_UNHASHED)
        return source;
    /* Else the first hash reads openssl.cnf, or what OPENSSL_CONF names, and loads what is asked for there. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    source->hash = EVP_MD_CTX_new();
    if (!source->hash || !EVP_DigestInit_ex(source->hash, EVP_sha256(), NULL)) {
        source_close(source);
        return NULL;
    }
    return source;
}

/* Decides the coding. Takes the source and gives it back, or ends it when there is no memory. */
static struct source *recognise(struct source *source)
{
    while (source->raw.ready.len < HEAD && raw_more(source))
        continue;
    source->coding = decode_recognise(source->raw.ready);
    if (source->coding == SOURCE_PLAIN)
        return source;
    source->decoder = decoder_new(source->coding);
    source->decoded.block = malloc(BLOCK);
    if (source->decoder && source->decoded.block)
        return source;
    source_close(source);
    return NULL;
}

static struct source *begin_reading(struct source *source)
{
    source->raw.block = malloc(BLOCK);
    if (!source->raw.block) {
        source_close(source);
        return NULL;
    }
    source->is_open = true;
    source->ended = false;
    return recognise(source);
}

static const char *kind_of(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *name;
    } kinds[] = {
        {S_IFDIR, "a directory"}, {S_IFIFO, "a FIFO"}, {S_IFCHR, "a character device"},
        {S_IFBLK, "a block device"}, {S_IFSOCK, "a socket"}, {S_IFLNK, "a symbolic link"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if ((mode & S_IFMT) == kinds[i].type)
            return kinds[i].name;
    return "of unknown type";
}

struct source *source_open(int dirfd, const char *path, unsigned flags)
{
    struct source *source = source_new(flags);
    if (!source)
        return NULL;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOATIME is refused to all but owner and root. */
    int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (flags & SOURCE_FOLLOW ? 0 : O_NOFOLLOW);
    source->fd = openat(dirfd, path, how | O_NOATIME);
    if (source->fd < 0 && errno == EPERM) {
        source->atime_kept = false;
        source->fd = openat(dirfd, path, how);
    }
    if (source->fd < 0) {
        if (errno == ELOOP && !(flags & SOURCE_FOLLOW))
            fault(source, "a symbolic link, which is not followed");
        else
            fault_errno(source, errno);
        return source;
    }
    source->owns_fd = true;
    if (fstat(source->fd, &source->before) < 0) {
        fault_errno(source, errno);
        return source;
    }
    if (!S_ISREG(source->before.st_mode)) {
        fault(source, "not a regular file but %s", kind_of(source->before.st_mode));
        return source;
    }
    source->is_file = true;
    source->has_state = true;
    return begin_reading(source);
}

struct source *source_descriptor(int fd)
{
    return source_descriptor_with(fd, 0);
}

struct source *source_descriptor_with(int fd, unsigned flags)
{
    struct source *source = source_new(flags);
    if (!source)
        return NULL;
    source->fd = fd;
    if (fstat(fd, &source->before) < 0) {
        fault_errno(source, errno);
        return source;
    }
    source->has_state = S_ISREG(source->before.st_mode);
    source->atime_kept = !source->has_state;
    return begin_reading(source);
}

struct source *source_memory(const void *at, size_t len)
{
    struct source *source = source_new(0);
    if (!source)
        return NULL;
    source->is_open = true;
    if (!len)
        return source;
    source->raw.ready = (struct bytes){at, len};
    hash_more(source, at, len);
    return recognise(source);
}

struct bytes source_peek(struct source *source, size_t want)
{
    struct bytes *ready = ready_for(source);
    if (want > SOURCE_PEEK_MAX)
        want = SOURCE_PEEK_MAX;
    while (ready->len < want && more(source))
        continue;
    return (struct bytes){ready->at, ready->len < want ? ready->len : want};
}

size_t source_read(struct source *source, void *buffer, size_t cap)
{
    struct bytes *ready = ready_for(source);
    if (!cap)
        return 0;
    if (!ready->len && cap >= DECODE_ROOM) {
        size_t n = cap < BLOCK ? cap : BLOCK;
        return source->decoder ? decode(source, buffer, n) : take(source, buffer, n);
    }
    if (!ready->len && !more(source))
        return 0;
    size_t n = ready->len < cap ? ready->len : cap;
    memcpy(buffer, ready->at, n);
    ready->at += n;
    ready->len -= n;
    return n;
}

bool source_left(const struct source *source, uint64_t *left)
{
    *left = source->raw.ready.len;
    if (source->coding != SOURCE_PLAIN || !source->is_open)
        return false;
    if (source->fd < 0)
        return true;
    uint64_t size = source->is_file ? (uint64_t)source->before.st_size : 0;
    *left += size > source->taken ? size - source->taken : 0;
    return source->is_file;
}

bool source_skip(struct source *source, uint64_t count)
{
    while (count) {
        struct bytes *ready = ready_for(source);
        bool seeks = source->is_file && source->coding == SOURCE_PLAIN && !source->hash && count <= INT64_MAX / 2;
        if (!ready->len && seeks && lseek(source->fd, (off_t)count, SEEK_CUR) >= 0) {
            source->taken += count;
            return true;
        }
        if (!ready->len && !more(source))
            return false;
        size_t n = ready->len < count ? ready->len : (size_t)count;
        ready->at += n;
        ready->len -= n;
        count -= n;
    }
    return true;
}

bool source_read_ahead(const struct source *source, uint64_t ahead, void *buffer, size_t len)
{
    if (!source->is_file || source->coding != SOURCE_PLAIN || source->hash || ahead > INT64_MAX / 2)
        return false;
    uint64_t offset = ahead + source->taken - source->raw.ready.len;
    uint8_t *to = buffer;
    while (len) {
        ssize_t n = pread(source->fd, to, len, (off_t)offset);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        if (n < 0)
            continue;
        to += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
    return true;
}

bool source_slurp(struct source *source, size_t limit, struct bytes *out)
{
    struct slurp *slurp = NULL;
    size_t cap = 0, len = 0;
    *out = (struct bytes){nothing, 0};
    if (limit > SIZE_MAX / 2)
        limit = SIZE_MAX / 2;
    do {
        if (len == cap) {
            size_t larger = cap ? cap * 2 : SLURP_FIRST;
            if (larger > limit)
                larger = limit;
            struct slurp *moved = realloc(slurp, sizeof(*slurp) + larger + 1);
            if (!moved) {
                fault(source, "no memory for more than %zu bytes", len);
                break;
            }
            slurp = moved;
            cap = larger;
        }
        size_t n = source_read(source, slurp->bytes + len, cap - len);
        if (!n)
            break;
        len += n;
    } while (len < limit);
    if (!slurp)
        return false;
    slurp->bytes[len] = 0;
    slurp->next = source->slurps;
    source->slurps = slurp;
    *out = (struct bytes){slurp->bytes, len};
    return !source_peek(source, 1).len && !source->why[0];
}

const char *source_why(const struct source *source)
{
    return source->why[0] ? source->why : NULL;
}

static int64_t milliseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

static bool file_changed(const struct source *source)
{
    struct stat after;
    if (!source->has_state)
        return false;
    if (fstat(source->fd, &after) < 0 || !same_state(&source->before, &after))
        return true;
    return source->is_file && source->ended && !source->why[0] && source->taken != (uint64_t)source->before.st_size;
}

/* Reads to the end of the decoded bytes, then, past a fault in them, to the end of the file. */
static void drain(struct source *source)
{
    struct bytes *ready = ready_for(source);
    do
        ready->len = 0;
    while (more(source));
    do
        source->raw.ready.len = 0;
    while (raw_more(source));
}

static void find_facts(struct source *source)
{
    struct source_facts *facts = &source->facts;
    bool spare = !source->hash && source->is_file && !source->decoder; /* what was not read does not matter */
    if (!spare)
        drain(source);
    facts->size = source->is_file ? (uint64_t)source->before.st_size : source->taken;
    facts->decoded = source->decoder ? source->decoded_count : spare ? facts->size : source->taken;
    facts->hashed = source->hash && source->is_open;
    facts->coding = source->coding;
    facts->atime_kept = source->atime_kept;
    facts->mtime_ms = source->has_state ? milliseconds(source->before.st_mtim) : 0;
    if (facts->hashed && !EVP_DigestFinal_ex(source->hash, facts->sha256, NULL))
        fault(source, "SHA-256 failed");
    facts->complete = !source->why[0];
    facts->changed = file_changed(source);
    if (facts->changed)
        fault(source, "changed while it was read");
}

bool source_finish(struct source *source, struct source_facts *facts)
{
    if (!source->finished)
        find_facts(source);
    source->finished = true;
    *facts = source->facts;
    return !source->why[0];
}

void source_close(struct source *source)
{
    if (!source)
        return;
    if (source->owns_fd)
        close(source->fd);
    for (struct slurp *slurp = source->slurps, *next; slurp; slurp = next) {
        next = slurp->next;
        free(slurp);
    }
    EVP_MD_CTX_free(source->hash);
    decoder_free(source->decoder);
    free(source->raw.block);
    free(source->decoded.block);
    free(source);
}
