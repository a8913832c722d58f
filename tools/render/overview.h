/* The case and its clusters at a glance: the offline counterpart of `redis-trib.rb check` and `info`. */
#ifndef RCF_OVERVIEW_H
#define RCF_OVERVIEW_H

#include "tools/cluster/cluster.h"
#include "tools/render/json.h"
#include "tools/render/out.h"

/* What the case consists of, each cluster with its primaries, replicas and outsiders, and what could not be read. */
void overview_text(struct out *out, const struct evidence *evidence, const struct clusters *clusters, struct arena *arena,
                   bool verbose);

/* Members "case", "clusters" and "unread" of the current object. */
void overview_json(struct json *json, const struct evidence *evidence, const struct clusters *clusters, struct arena *arena);

#endif
