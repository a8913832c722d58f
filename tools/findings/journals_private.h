/* Shared by the checks of append-only files and of their manifests. */
#ifndef RCF_JOURNALS_PRIVATE_H
#define RCF_JOURNALS_PRIVATE_H

#include "tools/findings/findings.h"

/* A proved finding about the instance that a file belongs to. NULL without memory. */
struct finding *journals_about(struct findings *findings, enum finding_id id, size_t file);

void check_manifest(struct findings *findings, size_t number);

/* An AOF file that no manifest beside it names, though it is called as a server calls parts of a set. */
void check_unlisted(struct findings *findings, size_t number);

/* Whether the manifest that names this file names others that are loaded after it; false too for a file that none names.
 */
bool manifest_has_later(const struct evidence *evidence, size_t number);

#endif
