/* CRC-64 (Jones), the checksum of RDB dumps (crc64.c of Redis): polynomial ad93d23594c935a9, reflected, start and end 0.
 * The nine bytes "123456789" have e9c6d914c4b8d9ca. */
#ifndef RCF_CRC64_H
#define RCF_CRC64_H

#include "parsers/parse.h"

/* The checksum of what `crc` is the checksum of (0 for nothing) and these bytes behind it. */
uint64_t crc64(uint64_t crc, struct bytes bytes);

/* The checksum of two runs of bytes, the second of which has `second_length`, from their own: so that several threads
 * may sum up one file. */
uint64_t crc64_join(uint64_t first, uint64_t second, uint64_t second_length);

#endif
