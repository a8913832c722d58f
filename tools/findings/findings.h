/* Step 3: what is wrong, by whose testimony, by which rule, and what would refute it.
 *
 * A check looks at the model and reports; it never formats for a screen. Every finding has at least the place of one
 * fact in the evidence.
 */
#ifndef RCF_FINDINGS_H
#define RCF_FINDINGS_H

#include "tools/history/history.h"

enum finding_id {
#define FINDING(id, word, severity, title) FINDING_##id,
#include "tools/findings/catalogue.def"
#undef FINDING
    FINDING_IDS
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };
enum certainty { CERTAINTY_PROBABLE, CERTAINTY_PROVED };

/* A place in a file that shows what a finding states. */
struct exhibit {
    size_t file;
    struct place place;
};

struct finding {
    enum finding_id id;
    enum severity severity;
    enum certainty certainty;
    size_t cluster;      /* number in clusters.all, or SIZE_MAX */
    const char *node;    /* ip:port, or NULL */
    const char *node_id; /* or NULL */
    const char *host;    /* or NULL */
    const char *slots;   /* ranges as text, or NULL */
    bool has_keys;
    uint64_t keys;
    const char *summary; /* one sentence: what is the case */
    const char *rule;    /* one sentence: which rule decided */
    const char *settles; /* what would refute or prove it */
    const char *detail;  /* more lines for a reader, or NULL */
    struct exhibit *exhibits;
    size_t exhibit_count, exhibit_cap;
    const char *goal;    /* the plan about its node that answers it ("rejoin"), or NULL; see also plan_repairs() */
};

struct findings {
    const struct evidence *evidence;
    const struct clusters *clusters;
    const struct history *history; /* or NULL: then nothing is judged by it */
    struct arena *arena;
    struct finding *all; /* errors first, then by catalogue, node and slots */
    size_t count, cap;
};

/* Runs every check; those of the history only where there is one: a rehearsed plan has none. Everything lives in `arena`. NULL
 * without memory. */
struct findings *findings_of(const struct evidence *evidence, const struct clusters *clusters, const struct history *history,
                             struct arena *arena);

/* A new finding with the catalogue's severity; texts are set by the caller. It stays where it is until the next one is
 * added. NULL without memory. */
struct finding *findings_add(struct findings *findings, enum finding_id id, enum certainty certainty);

/* Names the node of a cluster as the subject. */
void finding_about(struct findings *findings, struct finding *finding, const struct cluster *cluster, uint32_t node);

/* Names an instance of the case as the subject, whether it is a node of a cluster or not. */
void finding_about_instance(struct findings *findings, struct finding *finding, size_t instance);

/* Adds the place of a fact; for a claim, the line of its sighting. Long lists are cut at 64. */
void finding_shows(struct findings *findings, struct finding *finding, size_t file, struct place place);
void finding_shows_claim(struct findings *findings, struct finding *finding, const struct claim *claim);

/* The place of a line of a view; of its vars line, which says how far it had come, or else of its first line. */
void finding_shows_line(struct findings *findings, struct finding *finding, const struct view *view,
                        const struct sighting *sighting);
void finding_shows_vars(struct findings *findings, struct finding *finding, const struct view *view);

/* "stale-self-membership"; and back, or FINDING_IDS. */
const char *finding_word(enum finding_id id);
enum finding_id finding_by_word(const char *word);
const char *finding_title(enum finding_id id);
enum severity finding_severity(enum finding_id id);
const char *severity_word(enum severity severity);
const char *certainty_word(enum certainty certainty);

#endif
