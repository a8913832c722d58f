/* `include` directives of configurations, followed inside the case: by name, never by the path they state. */
#ifndef RCF_INCLUDES_H
#define RCF_INCLUDES_H

#include "tools/evidence/evidence.h"

/* Gives every configuration that includes others their settings too. False without memory. */
bool includes_join(struct evidence *evidence, struct arena *scratch);

#endif
