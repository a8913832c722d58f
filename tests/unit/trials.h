/* Two trials that every reader of text has to stand: being cut at every length, and single changed bytes. */
#ifndef RCF_TRIALS_H
#define RCF_TRIALS_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/parse.h"

/* What a reader makes of a text, a line a step, allocated; `ended` SIZE_MAX: with everything, else the facts only that a cut at
 * that length may show. */
typedef char *transcript_fn(struct bytes text, size_t ended);

/* The steps of each cut are a prefix of the steps of the whole. */
static inline void trial_cuts(struct bytes whole, transcript_fn *transcript)
{
    char *expected = transcript(whole, SIZE_MAX);
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *cut = malloc(len ? len : 1); /* of exact size, so that a sanitizer sees each byte too many */
        memcpy(cut, whole.at, len);
        char *steps = transcript((struct bytes){cut, len}, len);
        cr_assert(strncmp(expected, steps, strlen(steps)) == 0, "cut at %zu", len);
        free(steps);
        free(cut);
    }
    free(expected);
}

/* Each byte changed in four ways is survived. */
static inline void trial_flips(struct bytes whole, transcript_fn *transcript)
{
    static const uint8_t masks[] = {0x01, 0x10, 0x80, 0xFF};
    uint8_t *text = malloc(whole.len ? whole.len : 1);
    for (size_t i = 0; i < whole.len * sizeof(masks); i++) {
        memcpy(text, whole.at, whole.len);
        text[i / sizeof(masks)] ^= masks[i % sizeof(masks)];
        free(transcript((struct bytes){text, whole.len}, SIZE_MAX));
    }
    free(text);
}

#endif
