/* The compressions that source.c sees through: a table of codings, one member of a stream at a time.
 *
 * Private to parsers/bytes. gzip: RFC 1952; LZ4 frames: the LZ4 Frame Format, v1.6; zstd: RFC 8878. A stream is one or
 * more members (gzip members, LZ4 or zstd frames) that follow each other without a gap.
 */
#ifndef RCF_DECODE_H
#define RCF_DECODE_H

#include "parsers/bytes/source.h"

struct decoder;

enum {
    DECODE_MAGIC = 8,         /* no magic is longer, nor the header of a container */
    DECODE_ROOM = 128 * 1024, /* with this much room, a zstd block never waits inside the decoder */
};

enum decode_step {
    DECODE_MORE,       /* give more input, or more room */
    DECODE_MEMBER_END, /* the member is whole; the next step begins another */
    DECODE_FAULT,      /* decoder_why() says what is wrong with the stream */
};

/* The coding of evidence that begins with `head`. Skippable frames in front, as pzstd writes them, are passed over;
 * SOURCE_PLAIN when no magic is found. */
enum source_coding decode_recognise(struct bytes head);

/* A member of this coding can begin with these bytes, of which DECODE_MAGIC are looked at. */
bool decode_begins(enum source_coding coding, struct bytes in);

/* A decoder at the start of a member, or NULL when there is no memory. Not for SOURCE_PLAIN. */
struct decoder *decoder_new(enum source_coding coding);

/* Takes from the front of `in`, puts up to `cap` bytes into `out`, and says in `made` how many. LZ4 and zstd are fed
 * one block at a time, so that damage in a block costs none of the bytes before it. No progress with no input left
 * means that the member is cut off. */
enum decode_step decoder_step(struct decoder *decoder, struct bytes *in, uint8_t *out, size_t cap, size_t *made);

/* The library's words for the fault; static. */
const char *decoder_why(const struct decoder *decoder);

/* Ends the decoder. NULL is allowed. */
void decoder_free(struct decoder *decoder);

#endif
