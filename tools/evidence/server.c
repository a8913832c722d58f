#include "tools/evidence/server.h"

#include <stdio.h>

enum { VERSION_NUMBER_MAX = 999999999 };

static const struct {
    enum product product;
    unsigned major, minor;
    const char *name;
} generations[GENERATIONS] = {
#define GENERATION(id, product, major, minor, name) {product, major, minor, name},
#include "tools/evidence/generations.def"
#undef GENERATION
};

/* Reads digits at `*at` and moves past them; too large a number stays at the maximum. */
static bool number(struct bytes text, size_t *at, unsigned *value)
{
    size_t start = *at;
    unsigned sum = 0;
    for (; *at < text.len && text.at[*at] >= '0' && text.at[*at] <= '9'; (*at)++)
        sum = sum > VERSION_NUMBER_MAX / 10 ? VERSION_NUMBER_MAX : sum * 10 + (unsigned)(text.at[*at] - '0');
    *value = sum;
    return *at > start;
}

bool server_parse(enum product product, struct bytes text, struct server *server)
{
    unsigned parts[3] = {0};
    size_t at = 0;
    if (!number(text, &at, &parts[0]))
        return false;
    for (size_t i = 1; i < 3 && at < text.len && text.at[at] == '.'; i++) {
        at++;
        if (!number(text, &at, &parts[i]))
            break;
    }
    *server = (struct server){product, parts[0], parts[1], parts[2]};
    return true;
}

enum generation server_generation(struct server server)
{
    enum generation newest = GENERATIONS;
    for (unsigned i = 0; i < GENERATIONS; i++)
        if (generations[i].product == server.product &&
            server_compare(server, generations[i].major, generations[i].minor, 0) >= 0)
            newest = (enum generation)i;
    return newest;
}

const char *generation_name(enum generation generation)
{
    return generation < GENERATIONS ? generations[generation].name : "unknown server";
}

enum product generation_product(enum generation generation)
{
    return generation < GENERATIONS ? generations[generation].product : PRODUCT_UNKNOWN;
}

static int compare(unsigned a, unsigned b)
{
    return (a > b) - (a < b);
}

int server_compare(struct server server, unsigned major, unsigned minor, unsigned patch)
{
    if (server.major != major)
        return compare(server.major, major);
    if (server.minor != minor)
        return compare(server.minor, minor);
    return compare(server.patch, patch);
}

const char *server_name(struct server server, char text[40])
{
    static const char *const products[] = {[PRODUCT_REDIS] = "Redis", [PRODUCT_VALKEY] = "Valkey"};
    if (server.product == PRODUCT_UNKNOWN)
        snprintf(text, 40, "unknown server");
    else
        snprintf(text, 40, "%s %u.%u.%u", products[server.product], server.major, server.minor, server.patch);
    return text;
}
