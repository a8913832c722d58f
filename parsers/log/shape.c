#include "parsers/log/shape.h"

#include "parsers/bytes/cursor.h"

enum { PID_DIGITS = 10 };

/* What stands behind "PID:R": 0 a digit, A a letter, + a sign, L the level, other characters themselves. */
static const char *const forms[LOG_SHAPES] = {
    " 00 AAA 0000 00:00:00.000 L ",
    " 00 AAA 00:00:00.000 L ",
    " 0000-00-00T00:00:00.000+00:00 L ",
    " 0000000000000 L ",
};

/* Bits that all characters of a class have: 0x30 to 0x39 are digits, letters are from 0x40 on, signs and levels from
 * 0x20 on. Others have them too; a shape is no proof. */
static void add_column(struct log_shape *shape, size_t column, char form)
{
    uint8_t mask = 0xFF, wanted = (uint8_t)form;
    if (form == '0') {
        mask = 0xF0;
        wanted = 0x30;
    } else if (form == 'A') {
        mask = wanted = 0x40;
    } else if (form == 'L' || form == '+') {
        mask = 0xF0;
        wanted = 0x20;
    }
    if (form == 'L')
        shape->level = column;
    if (form == '.')
        shape->fraction = column + 1;
    shape->mask[column / 8] |= (uint64_t)mask << column % 8 * 8;
    shape->wanted[column / 8] |= (uint64_t)wanted << column % 8 * 8;
}

struct log_shapes log_shapes_make(void)
{
    struct log_shapes shapes = {.latest = 0};
    for (size_t i = 0; i < LOG_SHAPES; i++) {
        struct log_shape *shape = &shapes.all[i];
        for (; forms[i][shape->len]; shape->len++)
            add_column(shape, shape->len, forms[i][shape->len]);
        shape->yearless = memcmp(forms[i], " 00 AAA 00:", 11) == 0;
    }
    return shapes;
}

static bool fits(const struct log_shape *shape, struct cursor in)
{
    uint64_t differs = 0;
    for (size_t i = 0; i * 8 < shape->len; i++)
        differs |= (cursor_le64(&in) & shape->mask[i]) ^ shape->wanted[i];
    return !differs && cursor_ok(&in);
}

bool log_shape_find(struct log_shapes *shapes, struct bytes line, struct log_shaped *shaped)
{
    struct cursor in = cursor_over(line);
    size_t pid = 0;
    while (pid < PID_DIGITS && pid < line.len && line.at[pid] >= '0' && line.at[pid] <= '9')
        pid++;
    cursor_take(&in, pid);
    if (!pid || cursor_u8(&in) != ':')
        return false;
    shaped->role = (char)cursor_u8(&in);
    for (size_t tried = 0, i = shapes->latest; tried < LOG_SHAPES; tried++, i = (i + 1) % LOG_SHAPES) {
        const struct log_shape *shape = &shapes->all[i];
        if (!fits(shape, in))
            continue;
        shapes->latest = i;
        shaped->process = cursor_offset(&in);
        shaped->message = shaped->process + shape->len;
        shaped->level = (char)line.at[shaped->process + shape->level];
        shaped->fraction = shape->fraction ? shaped->process + shape->fraction : 0;
        shaped->date = shape->yearless ? shaped->process + 1 : 0;
        return true;
    }
    return false;
}
