/* Evidence as a stream of bytes: opened read-only, decompressed by content, hashed while it is read.
 *
 * A file is opened with O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK|O_NOCTTY, first with O_NOATIME; when that is not
 * permitted it is opened without, and source_facts.atime_kept is false. Only regular files are accepted. gzip, LZ4
 * frames, zstd and Valkey's container for dumps (vcs.h) are recognised by their magic bytes and decoded, concatenated
 * members too; sizes and hashes in source_facts are those of the file as it lies on disk. What stands before a fault in a compressed stream is given;
 * bytes after the last member that begin no other are a fault too, except after a container, where they are given on. The state of the file before and after reading is
 * compared: a file that changed meanwhile is reported, never silently accepted. A source that nobody wants the hash of
 * is opened with SOURCE_UNHASHED: hashing costs more than all other reading.
 *
 * A source is read by one thread at a time. Memory is constant, except for source_slurp().
 */
#ifndef RCF_SOURCE_H
#define RCF_SOURCE_H

#include <stdbool.h>

#include "parsers/parse.h"

struct source;

enum source_coding { SOURCE_PLAIN, SOURCE_GZIP, SOURCE_LZ4, SOURCE_ZSTD, SOURCE_VCS };

enum source_flags {
    SOURCE_FOLLOW = 1,   /* a symbolic link named by the user may be followed */
    SOURCE_UNHASHED = 2, /* no SHA-256; what of a plain file was not read need not be read at its end */
};

enum { SOURCE_PEEK_MAX = 64 * 1024 };

struct source_facts {
    uint64_t size;            /* bytes on disk when it was opened, or bytes read for a descriptor or memory */
    uint64_t decoded;         /* bytes after decompression */
    unsigned char sha256[32]; /* of the bytes on disk, as read; zeros when it could not be opened, or not `hashed` */
    bool hashed;
    enum source_coding coding;
    bool atime_kept;  /* false: the access time may have moved */
    bool changed;     /* size, times or identity differed after reading, or the bytes read are not the size */
    bool complete;    /* read to the end without a fault */
    int64_t mtime_ms; /* of the file, since 1970 in UTC; 0 for a pipe or memory */
};

/* Opens `path` relative to the directory `dirfd` (AT_FDCWD for the working directory). Never NULL except without
 * memory: a file that cannot be opened gives a source that yields nothing and whose source_why() says so. The caller
 * owns the source and ends it with source_close(). */
struct source *source_open(int dirfd, const char *path, unsigned flags);

/* A source over an open descriptor (a pipe, standard input), from where it stands. The descriptor stays the caller's.
 * When it is a regular file, changes of its state are noticed, and its access time may move. NULL as above. */
struct source *source_descriptor(int fd);

/* The same with SOURCE_UNHASHED as the only flag that means something. */
struct source *source_descriptor_with(int fd, unsigned flags);

/* A source over `len` bytes that stay the caller's and must outlive it. Decompresses as a file would.
 * NULL as above. */
struct source *source_memory(const void *at, size_t len);

/* Up to `want` (at most SOURCE_PEEK_MAX) decoded bytes from the current position, not consumed; fewer only at the end
 * of the evidence or at a fault. Borrowed until the next call. */
struct bytes source_peek(struct source *source, size_t want);

/* Decoded bytes into `buffer`, at least one and at most `cap`; 0 at the end or at a fault, which source_why() tells
 * apart. A `cap` of 128 KiB or more is read into without a copy between. */
size_t source_read(struct source *source, void *buffer, size_t cap);

/* Decoded bytes from the current position to the end, where that is known without reading them: for plain regular
 * files, as long as they were when they were opened, and for plain memory. A length in the evidence that is larger is
 * no length. */
bool source_left(const struct source *source, uint64_t *left);

/* Passes over `count` decoded bytes: at once in a plain regular file that is not hashed, else by reading them. False
 * when the evidence has fewer and that is seen: what a file has not is seen when it is read. */
bool source_skip(struct source *source, uint64_t count);

/* Bytes of a plain regular file that stand `ahead` bytes behind the current position, exactly `len` of them, without
 * moving it; several threads may do so at the same time while nothing else is done with the source. Only for sources
 * that are not hashed. False where the source is another, at a fault, and where the file has fewer; source_why() does
 * not learn of it. */
bool source_read_ahead(const struct source *source, uint64_t ahead, void *buffer, size_t len);

/* Everything from the current position to the end, up to `limit` bytes, NUL-terminated, owned by the source and
 * valid until source_close(). False when there is more than `limit` (source_why() stays NULL, and the rest can still be
 * read), no memory, or a fault; what was read is given. */
bool source_slurp(struct source *source, size_t limit, struct bytes *out);

/* The first fault in words ("No such file or directory", "gzip: incorrect data check before byte 1234"), or NULL; owned
 * by the source. English in every locale. Offsets are those of the file on disk. Known as soon as the fault is met,
 * which may be before the caller has read the good bytes in front of it. */
const char *source_why(const struct source *source);

/* Reads what is left, so that the hash covers the whole file (what is plain and not hashed is not read), compares the
 * file with its state at the start, and gives the facts. False on any fault and for a file that changed, with the
 * facts as far as they are known and a cause from source_why(). A second call gives the same facts. */
bool source_finish(struct source *source, struct source_facts *facts);

/* Ends the source. NULL is allowed. */
void source_close(struct source *source);

/* "plain", "gzip", "lz4", "zstd", "vcs". */
const char *source_coding_name(enum source_coding coding);

#endif
