#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/crc64.h"
#include "parsers/bytes/transfer.h"

enum { SIZE = 20000 };

/* Bytes in which each value is frequent, behind a magic and in front of their checksum. */
static size_t make_dump(uint8_t *dump)
{
    uint32_t state = 1;
    memcpy(dump, "REDIS0011\xfa", 10);
    for (size_t i = 10; i < SIZE - 8; i++) {
        state = state * 1664525 + 1013904223;
        dump[i] = (uint8_t)(state >> 24);
    }
    uint64_t sum = crc64(0, (struct bytes){dump, SIZE - 8});
    for (size_t i = 0; i < 8; i++)
        dump[SIZE - 8 + i] = (uint8_t)(sum >> 8 * i);
    return SIZE;
}

static size_t transferred(enum transfer transfer, const uint8_t *dump, size_t size, uint8_t *out)
{
    size_t len = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = dump[i];
        if (transfer == TRANSFER_CRLF && byte == '\n')
            out[len++] = '\r';
        if (transfer == TRANSFER_UTF8 && byte >= 0x80) {
            out[len++] = (uint8_t)(0xc0 | byte >> 6);
            byte = (uint8_t)(0x80 | (byte & 0x3f));
        }
        if (transfer == TRANSFER_REPLACED && byte >= 0x80) {
            out[len++] = 0xef;
            out[len++] = 0xbf;
            byte = 0xbd;
        }
        if (transfer == TRANSFER_SEVEN)
            byte &= 0x7f;
        if (transfer != TRANSFER_NO_CR || byte != '\r')
            out[len++] = byte;
    }
    return len;
}

static bool proves(enum transfer transfer, const uint8_t *bytes, size_t len, size_t piece)
{
    struct transfer_undo undo;
    transfer_undo_start(&undo, transfer);
    for (size_t from = 0; from < len; from += piece)
        transfer_undo(&undo, (struct bytes){bytes + from, len - from < piece ? len - from : piece});
    return transfer_undo_proves(&undo);
}

Test(transfer, is_recognised_and_proved)
{
    static uint8_t dump[SIZE], out[3 * SIZE];
    bool certain;
    size_t size = make_dump(dump);
    cr_expect(eq(int, transfer_of((struct bytes){dump, size}, &certain), TRANSFER_NONE));
    for (int transfer = TRANSFER_CRLF; transfer < TRANSFERS; transfer++) {
        size_t len = transferred((enum transfer)transfer, dump, size, out);
        cr_expect(eq(int, transfer_of((struct bytes){out, len}, &certain), transfer));
        cr_expect(certain);
        cr_expect(transfer_sign((enum transfer)transfer) && transfer_remedy((enum transfer)transfer));
        if (transfer != TRANSFER_CRLF && transfer != TRANSFER_UTF8)
            continue;
        for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1)
            cr_expect(proves((enum transfer)transfer, out, len, piece), "in pieces of %zu", piece);
        out[len / 2] ^= 1;
        cr_expect(not(proves((enum transfer)transfer, out, len, len)), "with another defect");
    }
}

Test(transfer, is_not_claimed_for_text)
{
    static const char text[] = "REDIS0011\xfa GET / HTTP/1.1\r\nHost: here\r\n\r\nGET / HTTP/1.1\r\nHost: here\r\n\r\n"
                               "GET / HTTP/1.1\r\nHost: here\r\n\r\nGET / HTTP/1.1\r\nHost: here\r\n\r\n";
    bool certain;
    cr_expect(eq(int, transfer_of((struct bytes){(const uint8_t *)text, sizeof(text) - 1}, &certain), TRANSFER_CRLF));
    cr_expect(not(certain), "line feeds of text");
    cr_expect(eq(int, transfer_of((struct bytes){(const uint8_t *)text, 20}, &certain), TRANSFER_NONE));
    cr_expect(eq(int, transfer_of((struct bytes){0}, &certain), TRANSFER_NONE));
    cr_expect(not(proves(TRANSFER_CRLF, (const uint8_t *)"\r\n", 2, 1)));
    cr_expect(not(proves(TRANSFER_UTF8, (const uint8_t *)"\xc3", 1, 1)));
}
