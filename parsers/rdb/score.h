/* Scores of sorted sets: binary doubles, or text in old dumps and in packed encodings. */
#ifndef RCF_SCORE_H
#define RCF_SCORE_H

#include <stdbool.h>

#include "parsers/parse.h"

/* A double from its text as servers accept it: decimal or scientific notation, "inf", "-inf", "nan"; the whole text must be the number.
 * The nearest double, as strtod() in the C locale gives it, but independent of the locale and quick for the short
 * decimals that most scores are. False for anything else; NaN is a double here. */
bool score_parse(struct bytes text, double *score);

#endif
