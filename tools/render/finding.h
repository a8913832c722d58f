/* Findings for people and for programs. */
#ifndef RCF_RENDER_FINDING_H
#define RCF_RENDER_FINDING_H

#include "tools/findings/findings.h"
#include "tools/render/json.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

/* What a baseline says about a finding. */
enum novelty { NOVELTY_NONE, NOVELTY_NEW, NOVELTY_UNCHANGED, NOVELTY_GONE };

/* A paragraph: severity, word, subject, certainty; the summary; why, seen in, settles, do. `verbose` lists every place.
 * `case_path` stands in the command of "do". */
void finding_text(struct out *out, const struct findings *findings, const struct finding *finding, enum novelty novelty,
                  const char *case_path, bool verbose);

/* The command that makes a plan for all findings of which `repair` has a remedy; nothing when there is no such error or
 * warning. */
void finding_repair_text(struct out *out, const struct findings *findings, const char *case_path);

/* The record that jsonl gives a line and json an element of an array (key NULL). */
void finding_json(struct json *json, const char *key, const struct findings *findings, const struct finding *finding,
                  enum novelty novelty);

/* The columns of CSV, one row a finding. */
extern const struct record_type finding_record;
void finding_row(struct table *table, const struct findings *findings, const struct finding *finding, enum novelty novelty);

/* "new", "gone", "unchanged", or NULL for NOVELTY_NONE. */
const char *novelty_word(enum novelty novelty);

#endif
