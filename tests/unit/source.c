#include "parsers/bytes/source.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <lz4frame.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { LARGE = 1500 * 1000 }; /* several blocks of every coding and of the reader, and a rest */

static char directory[64];
static int folder;

static void make_directory(void)
{
    snprintf(directory, sizeof(directory), "%s/rcf-source-XXXXXX", P_tmpdir);
    cr_assert_not_null(mkdtemp(directory));
    folder = open(directory, O_RDONLY | O_DIRECTORY);
    cr_assert_geq(folder, 0);
}

static void remove_directory(void)
{
    static const char *const names[] = {"file", "link", "fifo", "inner", "socket"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (unlinkat(folder, names[i], 0) < 0)
            unlinkat(folder, names[i], AT_REMOVEDIR);
    close(folder);
    rmdir(directory);
}

TestSuite(source, .init = make_directory, .fini = remove_directory, .timeout = 60);

static void write_file(struct bytes content, int how)
{
    int fd = openat(folder, "file", O_WRONLY | O_CREAT | O_CLOEXEC | how, 0644);
    cr_assert_geq(fd, 0);
    for (size_t done = 0; done < content.len;) {
        ssize_t n = write(fd, content.at + done, content.len - done);
        cr_assert_gt(n, 0);
        done += (size_t)n;
    }
    close(fd);
}

static struct source *open_file(struct bytes content)
{
    write_file(content, O_TRUNC);
    struct source *source = source_open(folder, "file", 0);
    cr_assert_not_null(source);
    return source;
}

static struct bytes bytes_of(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* LARGE bytes: stretches that compress well and stretches that do not, in turns. Freed by the caller. */
static uint8_t *make_content(void)
{
    uint8_t *content = malloc(LARGE);
    uint32_t state = 2463534242;
    cr_assert_not_null(content);
    for (size_t i = 0; i < LARGE; i++) {
        uint8_t byte = (uint8_t)next_random(&state);
        content[i] = i / 20000 % 2 ? byte : (uint8_t)('a' + byte % 4);
    }
    return content;
}

static size_t pack_gzip(void *to, size_t cap, const void *from, size_t len)
{
    z_stream stream = {0};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = to;
    stream.avail_out = (uInt)cap;
    uint8_t *copy = malloc(len + 1); /* zlib takes its input without const */
    if (len)
        memcpy(copy, from, len);
    stream.next_in = copy;
    stream.avail_in = (uInt)len;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    free(copy);
    return cap - stream.avail_out;
}

static size_t pack_lz4(void *to, size_t cap, const void *from, size_t len)
{
    LZ4F_preferences_t how = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    size_t n = LZ4F_compressFrame(to, cap, from, len, &how);
    cr_assert(!LZ4F_isError(n));
    return n;
}

static size_t pack_zstd(void *to, size_t cap, const void *from, size_t len)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(context, to, cap, from, len);
    cr_assert(!ZSTD_isError(n));
    ZSTD_freeCCtx(context);
    return n;
}

static const struct packer {
    enum source_coding coding;
    size_t (*pack)(void *to, size_t cap, const void *from, size_t len);
} packers[] = {{SOURCE_GZIP, pack_gzip}, {SOURCE_LZ4, pack_lz4}, {SOURCE_ZSTD, pack_zstd}};

enum { PACKERS = sizeof(packers) / sizeof(packers[0]) };

/* Appends a packed member to `packed`, which holds `at` bytes and has room for `cap`. */
static size_t append(const struct packer *packer, uint8_t *packed, size_t at, size_t cap, const void *from, size_t len)
{
    return at + packer->pack(packed + at, cap - at, from, len);
}

static void expect_hash(const struct source_facts *facts, struct bytes content)
{
    unsigned char sha256[32];
    cr_assert(EVP_Digest(content.at, content.len, sha256, NULL, EVP_sha256(), NULL));
    cr_assert_arr_eq(facts->sha256, sha256, 32);
}

/* Reads all that is left in pieces of `step` bytes; gives its length. */
static size_t read_all(struct source *source, uint8_t *to, size_t cap, size_t step)
{
    size_t len = 0, n;
    while (len < cap && (n = source_read(source, to + len, step < cap - len ? step : cap - len)) > 0)
        len += n;
    return len;
}

Test(source, plain_file_and_its_facts)
{
    uint8_t *content = make_content();
    struct bytes stored = {content, LARGE};
    struct source_facts facts;
    struct stat stat;
    uint8_t *copy = malloc(LARGE + 1);
    struct source *source = open_file(stored);
    cr_assert_eq(read_all(source, copy, LARGE + 1, LARGE + 1), LARGE);
    cr_assert_null(source_why(source));
    cr_assert(source_finish(source, &facts));
    cr_assert_arr_eq(copy, content, LARGE);
    cr_assert_eq(facts.size, LARGE);
    cr_assert_eq(facts.decoded, LARGE);
    cr_assert_eq(facts.coding, SOURCE_PLAIN);
    cr_assert(facts.complete && !facts.changed && facts.atime_kept);
    expect_hash(&facts, stored);
    cr_assert_eq(fstatat(folder, "file", &stat, 0), 0);
    cr_assert_eq(facts.mtime_ms, (int64_t)stat.st_mtim.tv_sec * 1000 + stat.st_mtim.tv_nsec / 1000000);
    source_close(source);
    free(copy);
    free(content);
}

Test(source, finish_reads_what_was_left_and_repeats_itself)
{
    uint8_t *content = make_content();
    struct bytes stored = {content, LARGE};
    struct source_facts facts, again;
    struct source *source = open_file(stored);
    cr_assert_eq(source_peek(source, 10).len, 10);
    cr_assert(source_finish(source, &facts));
    cr_assert_eq(facts.decoded, LARGE);
    expect_hash(&facts, stored);
    cr_assert(source_finish(source, &again));
    cr_assert_arr_eq(again.sha256, facts.sha256, 32);
    cr_assert_eq(source_peek(source, 1).len, 0);
    source_close(source);
    free(content);
}

Test(source, empty_file)
{
    struct source_facts facts;
    struct bytes all;
    char byte;
    struct source *source = open_file(bytes_of(""));
    cr_assert_eq(source_peek(source, 5).len, 0);
    cr_assert_eq(source_read(source, &byte, 1), 0);
    cr_assert(source_slurp(source, 10, &all));
    cr_assert_eq(all.len, 0);
    cr_assert_eq(all.at[0], 0);
    cr_assert(source_finish(source, &facts));
    cr_assert(facts.complete && !facts.changed);
    expect_hash(&facts, bytes_of(""));
    source_close(source);
}

Test(source, decodes_every_coding_and_concatenated_members)
{
    static const size_t sizes[] = {0, 1, 100, 131072, LARGE};
    uint8_t *content = make_content();
    uint8_t *packed = malloc(3 * LARGE), *copy = malloc(3 * LARGE);
    for (size_t p = 0; p < PACKERS; p++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct source_facts facts;
            size_t len = append(&packers[p], packed, 0, 3 * LARGE, content, sizes[i]);
            len = append(&packers[p], packed, len, 3 * LARGE, "", 0);
            len = append(&packers[p], packed, len, 3 * LARGE, "tail", 4);
            struct source *source = i % 2 ? source_memory(packed, len) : open_file((struct bytes){packed, len});
            cr_assert_eq(read_all(source, copy, 3 * LARGE, i % 2 ? 1000 : 3 * LARGE), sizes[i] + 4);
            cr_assert(source_finish(source, &facts), "%s", source_why(source));
            cr_assert_arr_eq(copy, content, sizes[i]);
            cr_assert_arr_eq(copy + sizes[i], "tail", 4);
            cr_assert_eq(facts.coding, packers[p].coding);
            cr_assert_eq(facts.size, len);
            cr_assert_eq(facts.decoded, sizes[i] + 4);
            expect_hash(&facts, (struct bytes){packed, len});
            source_close(source);
        }
    }
    free(copy);
    free(packed);
    free(content);
}

Test(source, a_stream_cut_anywhere_is_said)
{
    uint8_t packed[512];
    for (size_t p = 0; p < PACKERS; p++) {
        size_t len = append(&packers[p], packed, 0, sizeof(packed), "one two three one two three", 27);
        for (size_t cut = 4; cut < len; cut++) {
            struct source_facts facts;
            char copy[64];
            struct source *source = source_memory(packed, cut);
            size_t n = read_all(source, (uint8_t *)copy, sizeof(copy), 3);
            cr_assert_leq(n, 27);
            cr_assert_eq(memcmp(copy, "one two three one two three", n), 0);
            cr_assert_not_null(source_why(source));
            cr_assert_not_null(strstr(source_why(source), "cut off"), "%s", source_why(source));
            cr_assert(!source_finish(source, &facts));
            cr_assert(!facts.complete);
            expect_hash(&facts, (struct bytes){packed, cut});
            source_close(source);
        }
    }
}

Test(source, damage_costs_nothing_that_stands_before_it)
{
    enum { HARM = LARGE * 3 / 4, LZ4_BLOCK = 64 * 1024, ZSTD_BLOCK = 128 * 1024 };
    static const size_t block[] = {1, LZ4_BLOCK, ZSTD_BLOCK};
    uint8_t *content = malloc(LARGE), *packed = malloc(2 * LARGE), *copy = malloc(LARGE);
    uint32_t state = 1;
    for (size_t i = 0; i < LARGE; i++)
        content[i] = (uint8_t)next_random(&state); /* stays as long as it is, so that offsets correspond */
    for (size_t p = 0; p < PACKERS; p++) {
        struct source_facts facts;
        size_t len = packers[p].pack(packed, 2 * LARGE, content, LARGE);
        struct source *source = open_file((struct bytes){packed, HARM});
        size_t n = read_all(source, copy, LARGE, LARGE);
        cr_assert_geq(n + block[p] + 1024, HARM, "%s: %zu", source_coding_name(packers[p].coding), n);
        cr_assert_arr_eq(copy, content, n);
        cr_assert(!source_finish(source, &facts));
        cr_assert_eq(facts.decoded, n);
        source_close(source);

        packed[len - 1] ^= 1; /* gzip: the length; the others: the checksum */
        source = source_memory(packed, len);
        cr_assert_eq(read_all(source, copy, LARGE, LARGE), LARGE);
        cr_assert_arr_eq(copy, content, LARGE);
        cr_assert(!source_finish(source, &facts));
        cr_assert_eq(strstr(source_why(source), source_coding_name(packers[p].coding)), source_why(source));
        expect_hash(&facts, (struct bytes){packed, len});
        source_close(source);
    }
    free(copy);
    free(packed);
    free(content);
}

Test(source, bytes_behind_the_last_member_are_said)
{
    static const struct bytes garbage[] = {{(const uint8_t *)"x", 1}, {(const uint8_t *)"garbage", 7},
                                           {(const uint8_t *)"\0\0\0\0\0\0\0\0", 8}};
    uint8_t packed[512];
    for (size_t p = 0; p < PACKERS; p++) {
        for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
            struct source_facts facts;
            struct bytes all;
            char where[32];
            size_t len = append(&packers[p], packed, 0, sizeof(packed), "content", 7);
            snprintf(where, sizeof(where), "at byte %zu ", len);
            memcpy(packed + len, garbage[i].at, garbage[i].len);
            len += garbage[i].len;
            struct source *source = source_memory(packed, len);
            cr_assert(!source_slurp(source, 100, &all));
            cr_assert_eq(all.len, 7);
            cr_assert_arr_eq(all.at, "content", 8);
            cr_assert_not_null(strstr(source_why(source), where), "%s", source_why(source));
            cr_assert(!source_finish(source, &facts));
            expect_hash(&facts, (struct bytes){packed, len});
            source_close(source);
        }
    }
}

Test(source, skippable_frames)
{
    static const uint8_t frame[] = {0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5};
    uint8_t packed[512];
    struct bytes all;
    for (size_t p = 0; p < PACKERS; p++) {
        memcpy(packed, frame, sizeof(frame));
        size_t len = append(&packers[p], packed, sizeof(frame), sizeof(packed), "content", 7);
        memcpy(packed + len, frame, sizeof(frame));
        len += sizeof(frame);
        struct source *source = source_memory(packed, len);
        if (packers[p].coding == SOURCE_GZIP) {
            cr_assert(!source_slurp(source, 100, &all));
        } else {
            cr_assert(source_slurp(source, 100, &all), "%s", source_why(source));
            cr_assert_eq(all.len, 7);
            cr_assert_arr_eq(all.at, "content", 7);
        }
        source_close(source);
    }
}

Test(source, short_and_unlike_beginnings_are_plain)
{
    static const struct bytes heads[] = {
        {(const uint8_t *)"\x1f\x8b", 2},     {(const uint8_t *)"\x1f\x8b\x07....", 7},
        {(const uint8_t *)"\x28\xb5\x2f", 3}, {(const uint8_t *)"\x04\x22\x4d\x19..", 6},
        {(const uint8_t *)"REDIS0011", 9},    {(const uint8_t *)"P*M", 3},
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct source_facts facts;
        struct source *source = source_memory(heads[i].at, heads[i].len);
        cr_assert(source_finish(source, &facts));
        cr_assert_eq(facts.coding, SOURCE_PLAIN);
        cr_assert_eq(facts.decoded, heads[i].len);
        source_close(source);
    }
}

/* Peeks and reads of all sizes, in plain and decoded evidence, see the same bytes. */
Test(source, peek_and_read_across_blocks)
{
    uint8_t *content = make_content(), *packed = malloc(2 * LARGE), *copy = malloc(LARGE);
    for (size_t p = 0; p <= PACKERS; p++) {
        struct bytes stored = {content, LARGE};
        if (p < PACKERS)
            stored = (struct bytes){packed, packers[p].pack(packed, 2 * LARGE, content, LARGE)};
        struct source *source = open_file(stored);
        uint32_t state = (uint32_t)p + 1;
        size_t at = 0;
        while (at < LARGE) {
            size_t want = next_random(&state) % (SOURCE_PEEK_MAX + 5000);
            size_t most = want < SOURCE_PEEK_MAX ? want : SOURCE_PEEK_MAX;
            struct bytes seen = source_peek(source, want);
            cr_assert_eq(seen.len, most < LARGE - at ? most : LARGE - at);
            cr_assert_eq(memcmp(seen.at, content + at, seen.len), 0);
            size_t n = source_read(source, copy, 1 + next_random(&state) % 200000);
            cr_assert_gt(n, 0);
            cr_assert_eq(memcmp(copy, content + at, n), 0);
            at += n;
        }
        cr_assert_eq(source_peek(source, 1).len, 0);
        cr_assert_null(source_why(source));
        source_close(source);
    }
    free(copy);
    free(packed);
    free(content);
}

Test(source, slurp_keeps_to_its_limit)
{
    uint8_t *content = make_content();
    struct bytes stored = {content, LARGE};
    static const size_t limits[] = {LARGE - 1, LARGE, LARGE + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct bytes all, rest;
        struct source *source = open_file(stored);
        cr_assert_eq(source_slurp(source, limits[i], &all), limits[i] >= LARGE);
        cr_assert_eq(all.len, limits[i] < LARGE ? limits[i] : LARGE);
        cr_assert_eq(all.at[all.len], 0);
        cr_assert_null(source_why(source));
        cr_assert(source_slurp(source, 10, &rest));
        cr_assert_eq(rest.len, LARGE - all.len);
        cr_assert_eq(memcmp(all.at, content, all.len), 0, "the first stays valid");
        source_close(source);
    }
    struct bytes none;
    struct source *source = source_memory("abc", 3);
    cr_assert(!source_slurp(source, 0, &none));
    cr_assert_eq(none.len, 0);
    source_close(source);
    free(content);
}

static void expect_refused(const char *name, unsigned flags, const char *words)
{
    struct source_facts facts;
    struct bytes all;
    char byte;
    static const unsigned char zeros[32];
    struct source *source = source_open(folder, name, flags);
    cr_assert_not_null(source);
    cr_assert_not_null(source_why(source));
    cr_assert_not_null(strstr(source_why(source), words), "%s", source_why(source));
    cr_assert_eq(source_peek(source, 1).len, 0);
    cr_assert_eq(source_read(source, &byte, 1), 0);
    cr_assert(!source_slurp(source, 10, &all));
    cr_assert_eq(all.len, 0);
    cr_assert(!source_finish(source, &facts));
    cr_assert(!facts.complete && !facts.changed);
    cr_assert_arr_eq(facts.sha256, zeros, 32);
    source_close(source);
}

Test(source, only_regular_files, .timeout = 5)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(mkfifoat(folder, "fifo", 0600), 0);
    cr_assert_eq(mkdirat(folder, "inner", 0700), 0);
    expect_refused("fifo", 0, "a FIFO");
    expect_refused("inner", 0, "a directory");
    expect_refused("socket", 0, "No such device or address");
    expect_refused("absent", 0, "No such file or directory");
    expect_refused("/dev/null", 0, "a character device");
    close(fd);
}

Test(source, symbolic_links_are_followed_only_on_request)
{
    struct bytes all;
    write_file(bytes_of("content"), 0);
    cr_assert_eq(symlinkat("file", folder, "link"), 0);
    expect_refused("link", 0, "symbolic link");
    struct source *source = source_open(folder, "link", SOURCE_FOLLOW);
    cr_assert(source_slurp(source, 100, &all));
    cr_assert_eq(all.len, 7);
    source_close(source);
}

static struct timespec old_times(void)
{
    /* Years old and before the content's time: with relatime, any ordinary read would move it. */
    struct timespec times[2] = {{.tv_sec = 1000000000, .tv_nsec = 5}, {.tv_sec = 1100000000}};
    struct stat stat;
    cr_assert_eq(utimensat(folder, "file", times, 0), 0);
    cr_assert_eq(fstatat(folder, "file", &stat, 0), 0);
    return stat.st_atim;
}

Test(source, access_time_is_kept)
{
    struct source_facts facts;
    struct stat stat;
    write_file(bytes_of("content"), 0);
    struct timespec before = old_times();
    struct source *source = source_open(folder, "file", 0);
    cr_assert(source_finish(source, &facts));
    cr_assert(facts.atime_kept);
    cr_assert_eq(facts.mtime_ms, 1100000000000);
    source_close(source);
    cr_assert_eq(fstatat(folder, "file", &stat, 0), 0);
    cr_assert_eq(stat.st_atim.tv_sec, before.tv_sec);
    cr_assert_eq(stat.st_atim.tv_nsec, before.tv_nsec);
}

Test(source, another_owners_file_is_read_and_said)
{
    struct source_facts facts;
    if (geteuid() != 0)
        return; /* only root can make a file that belongs to another */
    write_file(bytes_of("content"), 0);
    cr_assert_eq(fchmod(folder, 0755), 0);
    cr_assert_eq(seteuid(65534), 0);
    struct source *source = source_open(folder, "file", 0);
    cr_assert(source_finish(source, &facts), "%s", source_why(source));
    cr_assert(!facts.atime_kept);
    source_close(source);
    cr_assert_eq(seteuid(0), 0);
}

static void grow(void)
{
    write_file(bytes_of("more"), O_APPEND);
}

static void cut(void)
{
    write_file(bytes_of(""), O_TRUNC);
}

/* As long as before and with the old time of change: only the inode's own time tells. */
static void overwrite(void)
{
    struct stat stat;
    cr_assert_eq(fstatat(folder, "file", &stat, 0), 0);
    usleep(20000); /* the kernel's clock for inodes may tick as rarely as every 10 ms */
    write_file(bytes_of("XXXX"), 0);
    cr_assert_eq(utimensat(folder, "file", (struct timespec[]){stat.st_atim, stat.st_mtim}, 0), 0);
}

Test(source, changes_while_reading_are_noticed)
{
    static void (*const changes[])(void) = {grow, cut, overwrite};
    uint8_t *content = make_content();
    struct bytes stored = {content, LARGE};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct source_facts facts;
        struct source *source = open_file(stored);
        cr_assert_eq(source_peek(source, 1).len, 1);
        changes[i]();
        cr_assert(!source_finish(source, &facts));
        cr_assert(facts.changed && facts.complete);
        cr_assert_eq(facts.size, LARGE);
        cr_assert_str_eq(source_why(source), "changed while it was read");
        source_close(source);
    }
    free(content);
}

Test(source, descriptors)
{
    struct source_facts facts;
    uint8_t packed[512];
    struct bytes all;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    size_t len = pack_gzip(packed, sizeof(packed), "through a pipe", 14);
    cr_assert_eq(write(ends[1], packed, len), (ssize_t)len);
    close(ends[1]);
    struct source *source = source_descriptor(ends[0]);
    cr_assert(source_slurp(source, 100, &all));
    cr_assert_eq(all.len, 14);
    cr_assert(source_finish(source, &facts));
    cr_assert_eq(facts.size, len);
    cr_assert_eq(facts.mtime_ms, 0);
    cr_assert(facts.atime_kept);
    expect_hash(&facts, (struct bytes){packed, len});
    source_close(source);
    cr_assert_eq(close(ends[0]), 0, "stays the caller's");

    write_file(bytes_of("0123456789"), 0);
    int fd = openat(folder, "file", O_RDONLY);
    cr_assert_eq(lseek(fd, 4, SEEK_SET), 4);
    source = source_descriptor(fd);
    cr_assert(source_finish(source, &facts));
    cr_assert_eq(facts.size, 6);
    cr_assert(!facts.atime_kept && !facts.changed);
    expect_hash(&facts, bytes_of("456789"));
    source_close(source);
    close(fd);

    source = source_descriptor(folder);
    cr_assert(!source_finish(source, &facts));
    cr_assert_str_eq(source_why(source), "Is a directory");
    source_close(source);
    source = source_descriptor(-1);
    cr_assert_str_eq(source_why(source), "Bad file descriptor");
    source_close(source);
}

Test(source, a_pipe_that_gives_a_byte_at_a_time)
{
    uint8_t packed[512];
    for (size_t p = 0; p < PACKERS; p++) {
        struct bytes all;
        int pair[2];
        /* This kind of socket keeps what was written apart: each byte is a read of its own. */
        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        size_t len = append(&packers[p], packed, 0, sizeof(packed), "one", 3);
        len = append(&packers[p], packed, len, sizeof(packed), "two", 3);
        for (size_t i = 0; i < len; i++)
            cr_assert_eq(write(pair[1], packed + i, 1), 1);
        close(pair[1]);
        struct source *source = source_descriptor(pair[0]);
        cr_assert(source_slurp(source, 100, &all), "%s", source_why(source));
        cr_assert_eq(all.len, 6);
        cr_assert_arr_eq(all.at, "onetwo", 6);
        source_close(source);
        close(pair[0]);
    }
}

Test(source, memory_without_bytes_and_null)
{
    struct source_facts facts;
    struct source *source = source_memory(NULL, 0);
    cr_assert(source_finish(source, &facts));
    expect_hash(&facts, bytes_of(""));
    source_close(source);
    source_close(NULL);
}

Test(source, codings_have_names)
{
    cr_assert_str_eq(source_coding_name(SOURCE_PLAIN), "plain");
    cr_assert_str_eq(source_coding_name(SOURCE_GZIP), "gzip");
    cr_assert_str_eq(source_coding_name(SOURCE_LZ4), "lz4");
    cr_assert_str_eq(source_coding_name(SOURCE_ZSTD), "zstd");
    cr_assert_str_eq(source_coding_name(SOURCE_VCS), "vcs");
    cr_assert_str_eq(source_coding_name((enum source_coding)99), "unknown");
}

/* ------------------------------------------------------------------ sources that are not hashed */

Test(source, unhashed_plain_files)
{
    uint8_t *content = make_content(), *copy = malloc(LARGE);
    struct bytes stored = {content, LARGE};
    write_file(stored, O_TRUNC);
    struct source *source = source_open(folder, "file", SOURCE_UNHASHED);
    struct source_facts facts;
    uint64_t left;
    cr_assert(source_left(source, &left));
    cr_assert_eq(left, LARGE);
    cr_assert_eq(source_read(source, copy, 1000), 1000);
    cr_assert(source_left(source, &left));
    cr_assert_eq(left, LARGE - 1000);
    cr_assert(source_read_ahead(source, 5, copy + 1000, 7000), "counted from the position");
    cr_assert_arr_eq(copy + 1000, content + 1005, 7000);
    cr_assert(source_read_ahead(source, LARGE - 1000 - 9, copy, 9));
    cr_assert_arr_eq(copy, content + LARGE - 9, 9);
    cr_assert(!source_read_ahead(source, LARGE - 1000 - 9, copy, 10), "the file has one fewer");
    cr_assert_eq(source_read(source, copy, 1), 1);
    cr_assert_eq(copy[0], content[1000], "the position has not moved");
    cr_assert(source_finish(source, &facts));
    cr_assert(!facts.hashed && facts.complete && !facts.changed);
    cr_assert(facts.size == LARGE && facts.decoded == LARGE);
    static const unsigned char zeros[32];
    cr_assert_arr_eq(facts.sha256, zeros, 32);
    source_close(source);

    source = source_open(folder, "file", 0);
    cr_assert(!source_read_ahead(source, 0, copy, 1), "what is hashed is read once, in order");
    cr_assert(source_finish(source, &facts));
    cr_assert(facts.hashed);
    source_close(source);
    free(copy);
    free(content);
}

Test(source, unhashed_files_that_change)
{
    struct source_facts facts;
    write_file(bytes_of("first"), O_TRUNC);
    struct source *source = source_open(folder, "file", SOURCE_UNHASHED);
    write_file(bytes_of("more"), O_APPEND);
    cr_assert(!source_finish(source, &facts));
    cr_assert(facts.changed);
    source_close(source);
}

Test(source, what_is_left_is_not_always_known)
{
    uint8_t *packed = malloc(4096);
    uint64_t left;
    struct source *source = source_memory("plain", 5);
    cr_assert(source_left(source, &left));
    cr_assert_eq(left, 5);
    source_close(source);

    size_t len = packers[0].pack(packed, 4096, (const uint8_t *)"content", 7);
    source = source_memory(packed, len);
    cr_assert(!source_left(source, &left));
    source_close(source);

    source = open_file((struct bytes){packed, len});
    cr_assert(!source_left(source, &left));
    source_close(source);

    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    source = source_descriptor_with(ends[0], SOURCE_UNHASHED);
    cr_assert(!source_left(source, &left));
    struct source_facts facts;
    cr_assert(source_finish(source, &facts));
    cr_assert(!facts.hashed && facts.size == 3, "what is not a file is read to its end");
    source_close(source);
    close(ends[0]);
    free(packed);
}
