#include "parsers/bytes/crc64.h"

#include <isa-l/crc64.h>

/* Polynomials over GF(2) have the coefficient of x^0 in the uppermost bit, as the reflected checksum has. */
static const uint64_t ONE = UINT64_C(1) << 63;
static const uint64_t JONES = UINT64_C(0x95ac9329ac4bc9b5); /* ad93d23594c935a9 reflected; x^64 is left out */

uint64_t crc64(uint64_t crc, struct bytes bytes)
{
    /* ISA-L complements what goes in and what comes out. */
    return bytes.len ? ~crc64_jones_refl(~crc, bytes.at, bytes.len) : crc;
}

/* The product modulo the polynomial of the checksum. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (; b; b <<= 1) {
        if (b & ONE)
            product ^= a;
        a = a >> 1 ^ (a & 1 ? JONES : 0); /* times x */
    }
    return product;
}

uint64_t crc64_join(uint64_t first, uint64_t second, uint64_t second_length)
{
    /* Zeros behind the first run move its checksum by x^8 for each byte; the rest is added. */
    uint64_t power = ONE >> 8, shift = ONE;
    for (; second_length; second_length >>= 1) {
        if (second_length & 1)
            shift = multiply(shift, power);
        power = multiply(power, power);
    }
    return multiply(first, shift) ^ second;
}
