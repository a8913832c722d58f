/* Which instances are lost together. */
#ifndef RCF_HOSTS_H
#define RCF_HOSTS_H

#include "tools/evidence/evidence.h"

/* Sets `host` of each instance and evidence.host_basis: by the table in `file` where one is given, else by the host
 * folders of the case, else by IP address. An instance that the table does not name goes by what follows, and the basis
 * says so. False without memory; a table that cannot be read is evidence.problem. */
bool hosts_assign(struct evidence *evidence, const char *file, struct arena *scratch);

/* The host that the table of --hosts names for an address, by ip:port, else by ip; NULL when it names none. */
const char *hosts_named(const struct evidence *evidence, const char *ip, uint16_t port);

/* The zone that the same row names, or NULL. */
const char *hosts_zone(const struct evidence *evidence, const char *ip, uint16_t port);

#endif
