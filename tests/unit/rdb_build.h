/* Dumps made by hand, byte by byte, for tests. Everything is appended; running out of memory fails the test. */
#ifndef RCF_RDB_BUILD_H
#define RCF_RDB_BUILD_H

#include <stddef.h>
#include <stdint.h>

struct rdb_build {
    uint8_t *at;
    size_t len, cap;
};

/* Begins with a magic such as "REDIS0011" or "VALKEY080". */
struct rdb_build rdb_build_begin(const char *magic);
void rdb_build_free(struct rdb_build *build);

void rdb_build_bytes(struct rdb_build *build, const void *at, size_t len);
void rdb_build_u8(struct rdb_build *build, unsigned byte);

/* `width` bytes, least significant first. */
void rdb_build_le(struct rdb_build *build, uint64_t value, size_t width);

/* A length in its shortest form. */
void rdb_build_length(struct rdb_build *build, uint64_t value);

/* A string as it is, with its length before it. */
void rdb_build_string(struct rdb_build *build, const char *text);

/* A string of `len` times `fill`. */
void rdb_build_run(struct rdb_build *build, char fill, size_t len);

void rdb_build_aux(struct rdb_build *build, const char *name, const char *value);
void rdb_build_select(struct rdb_build *build, uint64_t db);
void rdb_build_resize(struct rdb_build *build, uint64_t keys, uint64_t expires);
void rdb_build_expire_ms(struct rdb_build *build, int64_t ms);

/* Type byte and key; the value is to follow. */
void rdb_build_key(struct rdb_build *build, unsigned type, const char *name);
void rdb_build_string_key(struct rdb_build *build, const char *name, const char *value);

/* EOF and the checksum of what was appended so far. */
void rdb_build_end(struct rdb_build *build);

#endif
