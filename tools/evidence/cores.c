#include "tools/evidence/cores.h"

#include <sched.h>

size_t cores_allowed(void)
{
    cpu_set_t allowed;
    int count = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    return count < 1 ? 1 : (size_t)count;
}
