/* Which server program, by product and version: what rules its files follow and how it would treat them. */
#ifndef RCF_SERVER_H
#define RCF_SERVER_H

#include <stdbool.h>

#include "parsers/parse.h"

enum product { PRODUCT_UNKNOWN, PRODUCT_REDIS, PRODUCT_VALKEY };

struct server {
    enum product product;
    unsigned major, minor, patch;
};

/* The generations whose rules differ, oldest first within a product. */
enum generation {
#define GENERATION(id, product, major, minor, name) GENERATION_##id,
#include "tools/evidence/generations.def"
#undef GENERATION
    GENERATIONS
};

/* A version such as "7.0.15" or "8.0.1-rc1"; a part that is not there is 0, what follows is ignored. False, and
 * `server` untouched, when there is no number at the start. */
bool server_parse(enum product product, struct bytes text, struct server *server);

/* The newest generation that is not newer than the server; GENERATIONS when the product is unknown or the server is
 * older than all of them (and so knows no cluster). */
enum generation server_generation(struct server server);

/* "Redis 7.0", "Valkey 8.1"; "unknown server" for GENERATIONS. */
const char *generation_name(enum generation generation);

/* PRODUCT_UNKNOWN for GENERATIONS. */
enum product generation_product(enum generation generation);

/* Negative, 0 or positive as the server's version is below, equal to or above major.minor.patch. The product is not
 * looked at: Valkey's numbers start where Redis 7.2 ended. */
int server_compare(struct server server, unsigned major, unsigned minor, unsigned patch);

/* "Redis 4.0.1" or "unknown server" into `text`, which holds at least 40 bytes; returns it. */
const char *server_name(struct server server, char text[40]);

#endif
