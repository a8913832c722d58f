/* Bytes as hexadecimal digits. */
#ifndef RCF_HEX_H
#define RCF_HEX_H

#include "parsers/parse.h"

/* Characters that `n` bytes need, with the NUL. */
#define HEX_SIZE(n) (2 * (n) + 1)

/* Writes two lowercase digits for each byte, and a NUL: HEX_SIZE(bytes.len) characters to `to`. Gives `to`. */
char *hex_encode(char *to, struct bytes bytes);

#endif
