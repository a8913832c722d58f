/* A counter has a header of 16 bytes: "HYLL", encoding, 3 unused, 8 with the last result. Then 16,384 registers of 6
 * bits (dense), or opcodes for runs of equal ones (sparse):
 *
 *     00xxxxxx           x + 1 registers of zero
 *     01xxxxxx yyyyyyyy  xy + 1 registers of zero, 14 bits
 *     1vvvvvxx           x + 1 registers of v + 1
 */
#include "parsers/rdb/hyperloglog.h"

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

enum {
    REGISTERS = 16384,
    HEADER = 16,
    ENCODING_AT = 4,
    DENSE = 0,
    SPARSE = 1,
    DENSE_SIZE = HEADER + REGISTERS * 6 / 8,
};

bool hyperloglog_begins(struct bytes value)
{
    if (value.len < HEADER || !text_starts(value, "HYLL"))
        return false;
    uint8_t encoding = value.at[ENCODING_AT];
    return encoding == SPARSE || (encoding == DENSE && value.len == DENSE_SIZE);
}

const char *hyperloglog_fault(struct bytes value, uint64_t *at)
{
    if (!hyperloglog_begins(value) || value.at[ENCODING_AT] == DENSE)
        return NULL;
    struct cursor cursor = cursor_over(value);
    cursor_take(&cursor, HEADER);
    uint32_t registers = 0;
    while (cursor_left(&cursor)) {
        *at = cursor_offset(&cursor);
        uint8_t opcode = cursor_u8(&cursor);
        if (opcode & 0x80)
            registers += (opcode & 3u) + 1;
        else if (opcode & 0x40)
            registers += ((opcode & 63u) << 8 | cursor_u8(&cursor)) + 1;
        else
            registers += opcode + 1u;
        if (!cursor_ok(&cursor))
            return "an opcode that is cut off";
        if (registers > REGISTERS)
            return "more than 16384 registers";
    }
    *at = cursor_offset(&cursor);
    return registers == REGISTERS ? NULL : "less than 16384 registers";
}
