#include "tests/unit/rdb_build.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct rdb_build rdb_build_begin(const char *magic)
{
    struct rdb_build build = {0};
    rdb_build_bytes(&build, magic, strlen(magic));
    return build;
}

void rdb_build_free(struct rdb_build *build)
{
    free(build->at);
    *build = (struct rdb_build){0};
}

void rdb_build_bytes(struct rdb_build *build, const void *at, size_t len)
{
    if (!len)
        return;
    if (build->len + len > build->cap) {
        build->cap = 2 * (build->len + len);
        build->at = realloc(build->at, build->cap);
        cr_assert(build->at);
    }
    memcpy(build->at + build->len, at, len);
    build->len += len;
}

void rdb_build_u8(struct rdb_build *build, unsigned byte)
{
    rdb_build_bytes(build, &(uint8_t){(uint8_t)byte}, 1);
}

void rdb_build_le(struct rdb_build *build, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        rdb_build_u8(build, value >> (8 * i) & 0xff);
}

static void big_endian(struct rdb_build *build, uint64_t value, size_t width)
{
    for (size_t i = width; i > 0; i--)
        rdb_build_u8(build, value >> (8 * (i - 1)) & 0xff);
}

void rdb_build_length(struct rdb_build *build, uint64_t value)
{
    if (value < 64) {
        rdb_build_u8(build, (unsigned)value);
    } else if (value < 16384) {
        big_endian(build, 0x4000 | value, 2);
    } else if (value <= UINT32_MAX) {
        rdb_build_u8(build, 0x80);
        big_endian(build, value, 4);
    } else {
        rdb_build_u8(build, 0x81);
        big_endian(build, value, 8);
    }
}

void rdb_build_string(struct rdb_build *build, const char *text)
{
    rdb_build_length(build, strlen(text));
    rdb_build_bytes(build, text, strlen(text));
}

void rdb_build_run(struct rdb_build *build, char fill, size_t len)
{
    rdb_build_length(build, len);
    for (size_t i = 0; i < len; i++)
        rdb_build_bytes(build, &fill, 1);
}

void rdb_build_aux(struct rdb_build *build, const char *name, const char *value)
{
    rdb_build_u8(build, 250);
    rdb_build_string(build, name);
    rdb_build_string(build, value);
}

void rdb_build_select(struct rdb_build *build, uint64_t db)
{
    rdb_build_u8(build, 254);
    rdb_build_length(build, db);
}

void rdb_build_resize(struct rdb_build *build, uint64_t keys, uint64_t expires)
{
    rdb_build_u8(build, 251);
    rdb_build_length(build, keys);
    rdb_build_length(build, expires);
}

void rdb_build_expire_ms(struct rdb_build *build, int64_t ms)
{
    rdb_build_u8(build, 252);
    rdb_build_le(build, (uint64_t)ms, 8);
}

void rdb_build_key(struct rdb_build *build, unsigned type, const char *name)
{
    rdb_build_u8(build, type);
    rdb_build_string(build, name);
}

void rdb_build_string_key(struct rdb_build *build, const char *name, const char *value)
{
    rdb_build_key(build, 0, name);
    rdb_build_string(build, value);
}

/* Bit by bit and on its own, so that tests do not compare a library with itself. */
static uint64_t crc64_jones(const uint8_t *at, size_t len)
{
    uint64_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT64_C(0x95ac9329ac4bc9b5) : 0);
    }
    return crc;
}

void rdb_build_end(struct rdb_build *build)
{
    rdb_build_u8(build, 255);
    rdb_build_le(build, crc64_jones(build->at, build->len), 8);
}
