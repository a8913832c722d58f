/* What a transfer as text (FTP's ASCII mode, an editor, a clipboard, a decoder of characters) makes of a file that is
 * none. Known by rule from the bytes that are missing afterwards, and where nothing was lost undone again, so that a
 * checksum can prove it.
 */
#ifndef RCF_TRANSFER_H
#define RCF_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/parse.h"

enum transfer {
    TRANSFER_NONE,
    TRANSFER_CRLF,     /* a carriage return before each line feed */
    TRANSFER_UTF8,     /* each byte from 0x80 on written as a character of UTF-8 */
    TRANSFER_REPLACED, /* bytes that are no UTF-8 replaced by U+FFFD */
    TRANSFER_SEVEN,    /* no byte from 0x80 on */
    TRANSFER_NO_CR,    /* no carriage return */
    TRANSFERS
};

enum { TRANSFER_SAMPLE = 1024 * 1024 }; /* bytes that are enough to judge by */

/* What may have happened to a dump that begins with these bytes. What can be undone is certain once that is proved, or
 * when `*certain`: dumps of text have line feeds of either kind. */
enum transfer transfer_of(struct bytes sample, bool *certain);

/* How it is told: what shows it, and what can be done. Static. */
const char *transfer_sign(enum transfer transfer);
const char *transfer_remedy(enum transfer transfer);

/* Undoes TRANSFER_CRLF or TRANSFER_UTF8 piece by piece, without keeping what comes out. */
struct transfer_undo {
    enum transfer transfer;
    uint64_t undone; /* characters that were turned back */
    bool broken;     /* something stands there that such a transfer does not leave */
    uint8_t waiting; /* the first byte of a character; 0 for none */
    uint64_t crc;
    size_t len;
    uint8_t out[4096];
};

void transfer_undo_start(struct transfer_undo *undo, enum transfer transfer);
void transfer_undo(struct transfer_undo *undo, struct bytes bytes);

/* Behind the last piece: whether the last 8 bytes of what came out are the CRC-64 of those before. */
bool transfer_undo_proves(struct transfer_undo *undo);

#endif
