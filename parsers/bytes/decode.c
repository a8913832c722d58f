#define ZLIB_CONST
#include "parsers/bytes/decode.h"

#include <limits.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/bytes/vcs.h"

struct decoder {
    const struct coding *coding;
    const char *why;
    size_t appetite; /* LZ4 and zstd: input up to the end of the current block and the next block's header */
    struct {
        uint8_t bytes[VCS_HEADER_MOST];
        size_t len;
        bool over; /* the frame has ended */
    } container;
    union {
        z_stream gzip;
        LZ4F_dctx *lz4;
        ZSTD_DStream *zstd;
    };
};

struct coding {
    const char *name;
    uint8_t magic[DECODE_MAGIC];
    size_t magic_len;
    bool skippable; /* skippable frames may stand between members */
    bool (*begins)(struct bytes in); /* asked besides the magic, or NULL */
    bool (*open)(struct decoder *decoder);
    enum decode_step (*step)(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made);
    void (*close)(struct decoder *decoder);
};

enum { GZIP_ONLY = 16 }; /* added to the window bits: inflate demands a gzip header and checks its trailer */

static bool gzip_open(struct decoder *decoder)
{
    return inflateInit2(&decoder->gzip, MAX_WBITS + GZIP_ONLY) == Z_OK;
}

static enum decode_step gzip_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made)
{
    z_stream *gzip = &decoder->gzip;
    uInt given = in->len < UINT_MAX ? (uInt)in->len : UINT_MAX;
    uInt room = cap < UINT_MAX ? (uInt)cap : UINT_MAX;
    gzip->next_in = in->at;
    gzip->avail_in = given;
    gzip->next_out = out;
    gzip->avail_out = room;
    int status = inflate(gzip, Z_NO_FLUSH);
    in->at += given - gzip->avail_in;
    in->len -= given - gzip->avail_in;
    *made = room - gzip->avail_out;
    if (status == Z_STREAM_END) {
        inflateReset(gzip);
        return DECODE_MEMBER_END;
    }
    if (status == Z_OK || status == Z_BUF_ERROR)
        return DECODE_MORE;
    decoder->why = gzip->msg ? gzip->msg : zError(status);
    return DECODE_FAULT;
}

static void gzip_close(struct decoder *decoder)
{
    inflateEnd(&decoder->gzip);
}

static bool lz4_open(struct decoder *decoder)
{
    decoder->appetite = LZ4F_HEADER_SIZE_MIN;
    return !LZ4F_isError(LZ4F_createDecompressionContext(&decoder->lz4, LZ4F_VERSION));
}

static enum decode_step lz4_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made)
{
    size_t used = in->len < decoder->appetite ? in->len : decoder->appetite;
    size_t n = cap;
    size_t next = LZ4F_decompress(decoder->lz4, out, &n, in->at, &used, NULL);
    if (LZ4F_isError(next)) {
        decoder->why = LZ4F_getErrorName(next);
        return DECODE_FAULT;
    }
    in->at += used;
    in->len -= used;
    *made = n;
    decoder->appetite = next ? next : LZ4F_HEADER_SIZE_MIN;
    return next ? DECODE_MORE : DECODE_MEMBER_END;
}

static void lz4_close(struct decoder *decoder)
{
    LZ4F_freeDecompressionContext(decoder->lz4);
}

/* Valkey's container: a header, then one frame. Servers ignore what stands behind it; here it is given on as it is, so
 * that it is not hidden from the reader of the dump, for whom it stands behind the end. */
static enum decode_step vcs_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made)
{
    struct vcs_header header;
    while (!vcs_header_read((struct bytes){decoder->container.bytes, decoder->container.len}, &header)) {
        if (!in->len)
            return DECODE_MORE;
        if (decoder->container.len == VCS_HEADER_MOST) {
            decoder->why = "no header of the container";
            return DECODE_FAULT;
        }
        decoder->container.bytes[decoder->container.len++] = *in->at;
        *in = text_from(*in, 1);
    }
    if (decoder->container.over) {
        *made = in->len < cap ? in->len : cap;
        if (*made)
            memcpy(out, in->at, *made);
        *in = text_from(*in, *made);
        return *made ? DECODE_MORE : DECODE_MEMBER_END;
    }
    enum decode_step step = lz4_step(decoder, in, out, cap, made);
    decoder->container.over = step == DECODE_MEMBER_END;
    return step == DECODE_FAULT ? step : DECODE_MORE;
}

static bool vcs_begins(struct bytes in)
{
    struct vcs_header header;
    size_t at;
    return vcs_header_read(in, &header) && !vcs_why_not(&header, &at);
}

static bool zstd_open(struct decoder *decoder)
{
    decoder->zstd = ZSTD_createDStream();
    if (!decoder->zstd)
        return false;
    decoder->appetite = ZSTD_initDStream(decoder->zstd);
    return !ZSTD_isError(decoder->appetite);
}

static enum decode_step zstd_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made)
{
    ZSTD_inBuffer from = {in->at, in->len < decoder->appetite ? in->len : decoder->appetite, 0};
    ZSTD_outBuffer to = {out, cap, 0};
    size_t next = ZSTD_decompressStream(decoder->zstd, &to, &from);
    if (ZSTD_isError(next)) {
        decoder->why = ZSTD_getErrorName(next);
        return DECODE_FAULT;
    }
    in->at += from.pos;
    in->len -= from.pos;
    *made = to.pos;
    decoder->appetite = next ? next : ZSTD_initDStream(decoder->zstd);
    return next ? DECODE_MORE : DECODE_MEMBER_END;
}

static void zstd_close(struct decoder *decoder)
{
    ZSTD_freeDStream(decoder->zstd);
}

/* The third byte of gzip's magic is the only method there is, deflate. */
static const struct coding codings[] = {
    [SOURCE_PLAIN] = {"plain", {0}, 0, false, NULL, NULL, NULL, NULL},
    [SOURCE_GZIP] = {"gzip", {0x1f, 0x8b, 0x08}, 3, false, NULL, gzip_open, gzip_step, gzip_close},
    [SOURCE_LZ4] = {"lz4", {0x04, 0x22, 0x4d, 0x18}, 4, true, NULL, lz4_open, lz4_step, lz4_close},
    [SOURCE_ZSTD] = {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, true, NULL, zstd_open, zstd_step, zstd_close},
    [SOURCE_VCS] = {"vcs", {'V'}, 1, false, vcs_begins, lz4_open, vcs_step, lz4_close},
};

enum { CODINGS = sizeof(codings) / sizeof(codings[0]) };

const char *source_coding_name(enum source_coding coding)
{
    return (size_t)coding < CODINGS ? codings[coding].name : "unknown";
}

/* Sixteen magic numbers, 184D2A50 to 184D2A5F, are shared by LZ4 and zstd for frames without content: RFC 8878, 3.1.2.
 * A length follows. */
static bool skippable_magic(uint32_t magic)
{
    return (magic & 0xfffffff0) == 0x184d2a50;
}

static bool has_magic(const struct coding *coding, struct bytes in)
{
    return coding->magic_len && in.len >= coding->magic_len && memcmp(in.at, coding->magic, coding->magic_len) == 0 &&
           (!coding->begins || coding->begins(in));
}

bool decode_begins(enum source_coding coding, struct bytes in)
{
    struct cursor cursor = cursor_over(in);
    if (has_magic(&codings[coding], in))
        return true;
    return codings[coding].skippable && skippable_magic(cursor_le32(&cursor)) && cursor_ok(&cursor);
}

enum source_coding decode_recognise(struct bytes head)
{
    struct cursor cursor = cursor_over(head);
    bool skipped = false;
    for (;;) {
        struct bytes rest = {cursor.at, cursor_left(&cursor)};
        for (size_t i = 0; i < CODINGS; i++)
            if (has_magic(&codings[i], rest) && (!skipped || codings[i].skippable))
                return (enum source_coding)i;
        if (!skippable_magic(cursor_le32(&cursor)))
            break;
        skipped = true;
        cursor_take(&cursor, cursor_le32(&cursor));
    }
    /* Nothing but skippable frames as far as can be seen: only pzstd is known to begin a file with one. */
    return skipped ? SOURCE_ZSTD : SOURCE_PLAIN;
}

struct decoder *decoder_new(enum source_coding coding)
{
    struct decoder *decoder = calloc(1, sizeof(*decoder));
    if (!decoder)
        return NULL;
    decoder->coding = &codings[coding];
    if (!decoder->coding->open(decoder)) {
        decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

enum decode_step decoder_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made)
{
    *made = 0;
    return decoder->coding->step(decoder, in, out, cap, made);
}

const char *decoder_why(const struct decoder *decoder)
{
    return decoder->why;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    decoder->coding->close(decoder);
    free(decoder);
}
