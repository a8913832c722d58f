/* One clock for all hosts.
 *
 * A host has two clocks that matter: its log clock, local time of a zone that is rarely known and perhaps wrong, and its
 * epoch clock, in which pongs, dumps and AOF annotations are dated. How far each is from the clock of the answer is found
 * from what both sides of an event have written (pairs.h) and from what a host dates by both clocks (anchors.h). What the
 * host itself wrote is never changed: raw times stay beside the corrected ones. How it works: docs/timeline.md.
 */
#ifndef RCF_CLOCKS_H
#define RCF_CLOCKS_H

#include "tools/history/history.h"

/* How the zone of a log clock is known. */
enum zone_basis {
    ZONE_UNKNOWN, /* taken as UTC, or what the pairs make of it */
    ZONE_GIVEN,   /* by --tz, or by the manifest of the collection */
    ZONE_STATED,  /* by the lines themselves */
    ZONE_INFERRED /* the log clock agrees with the epoch clocks at a whole number of quarters of an hour */
};

/* How the offset of a log clock is known. */
enum offset_basis {
    OFFSET_UNKNOWN,   /* nothing ties this clock to others: 0 was taken */
    OFFSET_REFERENCE, /* the others are measured against it */
    OFFSET_PAIRS,     /* events that it and other hosts have both written */
    OFFSET_ANCHORS,   /* what the host dates by both of its clocks */
    OFFSET_EPOCHS,    /* nothing but the order of config epochs bounds it */
};

struct host_clock {
    const char *host;
    bool zoned;          /* of lines that state their zone; a host may have both kinds */
    size_t lines;        /* occurrences dated by it */
    enum zone_basis zone;
    enum offset_basis basis;
    int64_t zone_ms;     /* of `offset_ms`, what the zone that was given accounts for */
    int64_t offset_ms;   /* in all: the log clock shows so much more than the reference; at its newest line */
    int64_t error_ms;    /* half width; INT64_MAX when nobody knows */
    size_t pairs;        /* that agree on it */
    size_t others;       /* pairs with the neighbour it was measured by that say something else */
    size_t anchors;      /* dumps that are dated by both clocks, and agree */
    int64_t epoch_offset_ms; /* its epoch clock against the others'; 0 unless anchors and pairs contradict each other */
    const char *against;     /* the host that it was measured by, or NULL */
};

/* The clocks of the history's log occurrences; corrects all moments. The occurrences' order is not changed. False without
 * memory. */
bool clocks_set(struct history *history);

/* "reference", "paired events", ... */
const char *offset_basis_text(enum offset_basis basis);
const char *zone_basis_text(enum zone_basis basis);

#endif
