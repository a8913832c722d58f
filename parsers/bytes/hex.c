#include "parsers/bytes/hex.h"

char *hex_encode(char *to, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *at = to;
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = digits[bytes.at[i] >> 4];
        *at++ = digits[bytes.at[i] & 15];
    }
    *at = '\0';
    return to;
}
