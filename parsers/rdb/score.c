#include "parsers/rdb/score.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"

enum {
    DIGITS_HELD = 19, /* decimal digits that always fit into 64 bits */
    TENS_EXACT = 22,  /* the greatest power of ten that a double holds exactly */
    FIVES_EXACT = 27, /* the greatest power of five that 64 bits hold */
    EXPONENT_CAP = 1 << 20, /* far beyond any double, far below overflow */
    LONGEST = 400,    /* bytes of a text; servers write 25 at most */
};

/* digits * 10^exponent, as the text has it. */
struct decimal {
    bool negative;
    bool whole; /* all digits are in it */
    uint64_t digits;
    int exponent;
};

static bool is_digit(struct bytes text, size_t at)
{
    return at < text.len && text.at[at] >= '0' && text.at[at] <= '9';
}

/* Adds the digits from `at`; gives the offset behind them. */
static size_t take_digits(struct bytes text, size_t at, struct decimal *decimal, size_t *held)
{
    for (; is_digit(text, at); at++) {
        if (*held == DIGITS_HELD) {
            decimal->whole = false;
            continue;
        }
        decimal->digits = decimal->digits * 10 + (text.at[at] - (unsigned)'0');
        *held += decimal->digits > 0;
    }
    return at;
}

/* The grammar of a decimal: sign, digits with a point among them or not, exponent. */
static bool take_decimal(struct bytes text, struct decimal *decimal)
{
    size_t held = 0, at = text.len && (text.at[0] == '-' || text.at[0] == '+');
    *decimal = (struct decimal){.negative = at && text.at[0] == '-', .whole = true};
    size_t from = at;
    at = take_digits(text, at, decimal, &held);
    size_t seen = at - from;
    if (at < text.len && text.at[at] == '.') {
        size_t point = at + 1;
        at = take_digits(text, point, decimal, &held);
        seen += at - point;
        if (decimal->whole)
            decimal->exponent = -(int)(at - point);
    }
    if (!seen)
        return false;
    if (at < text.len && (text.at[at] == 'e' || text.at[at] == 'E')) {
        at++;
        bool signed_one = at < text.len && (text.at[at] == '-' || text.at[at] == '+');
        bool down = signed_one && text.at[at] == '-';
        at += signed_one;
        if (!is_digit(text, at))
            return false;
        int exponent = 0;
        for (; is_digit(text, at); at++)
            if (exponent < EXPONENT_CAP)
                exponent = exponent * 10 + (text.at[at] - '0');
        decimal->exponent += down ? -exponent : exponent;
    }
    return at == text.len;
}

static const double tens[TENS_EXACT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static uint64_t power_of_five(unsigned exponent)
{
    uint64_t power = 1;
    for (uint64_t base = 5; exponent; exponent >>= 1, base *= base)
        if (exponent & 1)
            power *= base;
    return power;
}

/* quotient * 2^exponent, rounded to the nearest double, in the middle to the even one. `more`: something less than one
 * of the quotient was cut off; it then has at least two bits more than a double. */
static double rounded(uint64_t quotient, bool more, int exponent)
{
    int spare = 64 - __builtin_clzll(quotient) - DBL_MANT_DIG;
    if (spare <= 0)
        return ldexp((double)quotient, exponent);
    uint64_t half = 1ull << (spare - 1), rest = quotient & (2 * half - 1);
    uint64_t mantissa = quotient >> spare;
    if (rest > half || (rest == half && (more || mantissa & 1)))
        mantissa++;
    return ldexp((double)mantissa, exponent + spare);
}

/* 10^n is 5^n * 2^n, and of 5^n up to 64 bits product and quotient are exact in 128. All results are normal doubles. */
static double scaled(uint64_t digits, int exponent)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t five = power_of_five((unsigned)abs(exponent));
    wide number = (wide)digits * five;
    if (exponent < 0) {
        /* Shifted so far that the quotient has 63 or 64 bits. */
        int up = __builtin_clzll(digits) + 63 - __builtin_clzll(five);
        number = (wide)digits << up;
        return rounded((uint64_t)(number / five), number % five != 0, exponent - up);
    }
    uint64_t high = (uint64_t)(number >> 64);
    if (!high)
        return rounded((uint64_t)number, false, exponent);
    int down = 64 - __builtin_clzll(high);
    return rounded((uint64_t)(number >> down), (number & (((wide)1 << down) - 1)) != 0, exponent + down);
}

/* The rare rest: more digits, or far exponents. The text is a decimal of LONGEST bytes at most. */
static bool by_library(struct bytes text, double *score)
{
    char copy[LONGEST + 1];
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return false;
    *score = strtod_l(copy, NULL, c);
    freelocale(c);
    return true;
}

static bool named(struct bytes text, double *score)
{
    static const struct {
        const char *text;
        double value;
    } names[] = {
        {"inf", INFINITY}, {"+inf", INFINITY}, {"-inf", -INFINITY}, {"nan", NAN}, {"-nan", NAN},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!text_is(text, names[i].text))
            continue;
        *score = names[i].value;
        return true;
    }
    return false;
}

/* Of few digits from `at` on; gives the offset behind them. */
static inline size_t add_digits(struct bytes text, size_t at, uint64_t *digits)
{
    unsigned digit;
    while (at < text.len && (digit = text.at[at] - (unsigned)'0') <= 9) {
        *digits = *digits * 10 + digit;
        at++;
    }
    return at;
}

bool score_parse_short(struct bytes text, double *score)
{
    enum { SHORT = 16 }; /* bytes: fewer digits, which a double holds exactly */
    size_t sign = text.len && text.at[0] == '-';
    uint64_t digits = 0;
    if (text.len > SHORT || text.len < sign + 2)
        return false;
    size_t point = add_digits(text, sign, &digits), end = point + 1;
    if (point == text.len || text.at[point] != '.')
        return false;
    end = add_digits(text, end, &digits);
    if (end < text.len)
        return false;
    double size = (double)digits / tens[text.len - point - 1];
    *score = sign ? -size : size;
    return true;
}

static __attribute__((noinline)) bool parse_any(struct bytes text, double *score)
{
    struct decimal decimal;
    if (text.len > LONGEST)
        return false;
    if (!take_decimal(text, &decimal))
        return named(text, score);
    int exponent = decimal.exponent;
    if (!decimal.digits)
        *score = 0;
    else if (!decimal.whole || abs(exponent) > FIVES_EXACT)
        return by_library(text, score);
    else if (decimal.digits >> DBL_MANT_DIG || abs(exponent) > TENS_EXACT)
        *score = scaled(decimal.digits, exponent);
    else /* Both are exact doubles, so that one operation rounds once. */
        *score = exponent < 0 ? (double)decimal.digits / tens[-exponent] : (double)decimal.digits * tens[exponent];
    if (decimal.negative)
        *score = -*score;
    return true;
}

bool score_parse(struct bytes text, double *score)
{
    return score_parse_short(text, score) || parse_any(text, score);
}
