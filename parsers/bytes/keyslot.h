/* The hash slot of a key: CRC16/XMODEM of its hash tag, or of the whole key when it has none, modulo 16384. The tag is
 * what stands between the first '{' and the first '}' behind it, when that is not empty (Redis Cluster specification,
 * "Key distribution model" and "Hash tags"). */
#ifndef RCF_KEYSLOT_H
#define RCF_KEYSLOT_H

#include "parsers/parse.h"

enum { SLOT_COUNT = 16384 };

/* 0 to 16383. */
unsigned keyslot(struct bytes key);

/* The same of many keys, and quicker. */
void keyslot_each(const struct bytes *keys, size_t count, uint16_t *slots);

/* The same, by what every processor can do. */
unsigned keyslot_by_tables(struct bytes key);

#endif
