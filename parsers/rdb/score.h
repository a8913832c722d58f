/* Scores of sorted sets: binary doubles, or text in old dumps and in packed encodings. */
#ifndef RCF_SCORE_H
#define RCF_SCORE_H

#include <stdbool.h>

#include "parsers/parse.h"

/* A double from its text as servers write it: decimal or scientific notation, "inf", "-inf", "nan"; the whole text
 * must be the number. The nearest double, as strtod() in the C locale gives it, but independent of the locale and quick
 * for what "%.17g" gives. False for anything else, hexadecimal and texts of more than 400 bytes included; NaN is a
 * double here. */
bool score_parse(struct bytes text, double *score);

/* The same for what most texts are, a few digits with a point among them. False says nothing of any other. */
bool score_parse_short(struct bytes text, double *score);

#endif
