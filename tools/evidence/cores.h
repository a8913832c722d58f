/* How many threads are of use. */
#ifndef RCF_CORES_H
#define RCF_CORES_H

#include <stddef.h>

/* The processors that this process may use, at least 1: what taskset or a container allows, not what the machine
 * has. */
size_t cores_allowed(void);

#endif
