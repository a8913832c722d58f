/* The configuration of an instance as its redis.conf states it: the last word of each directive that matters here, with
 * its place, and what it means for a given server version. Secrets are never kept: a directive outside the known-safe
 * list has its name and its length only. */
#ifndef RCF_SETTINGS_H
#define RCF_SETTINGS_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/memory/arena.h"
#include "tools/evidence/server.h"

struct setting {
    const char *name;         /* lower case, the current name of an alias ("replicaof" for "slaveof") */
    const char *const *words; /* NULL when the value is not kept or there is none */
    size_t word_count;
    size_t value_length; /* bytes of all words, for what is not kept */
    size_t file;
    struct place place;
};

/* What became of a command's name. */
enum settings_rename { COMMAND_AS_IS, COMMAND_RENAMED, COMMAND_DISABLED };

struct settings_command {
    const char *name; /* lower case; NULL when it is not one of the known commands */
    enum settings_rename change;
    struct place place;
    size_t file;
};

struct settings {
    size_t file; /* of the main configuration */
    const struct setting *all; /* in effect order: includes in place, every occurrence */
    size_t count;
    const char *const *missing_includes; /* include targets that are not in the case; all until settings_join() */
    size_t missing_include_count;
    const struct settings_command *renamed; /* every rename-command; new names are not kept, they serve as secrets */
    size_t renamed_count;
    bool sentinel;
    size_t damaged_lines; /* that a server refuses: quotes without end, a byte order mark, NUL */
    struct place first_damage;
};

/* Reads one configuration text, which is not needed afterwards. `include` directives stay settings; settings_join()
 * resolves them. NULL without memory only. */
struct settings *settings_read(struct arena *arena, struct bytes text, size_t file);

/* The configuration with what it includes, in effect order: each `include` is followed by the settings of its target,
 * as servers read them in place. `resolve` gives the settings of a target (as written) or NULL when the case has none;
 * these become missing_includes, as does what is nested too deep or makes the whole too large. NULL without memory. */
struct settings *settings_join(struct arena *arena, const struct settings *main,
                               const struct settings *(*resolve)(void *context, const char *target), void *context);

/* The last occurrence of a directive, or NULL. */
const struct setting *settings_find(const struct settings *settings, const char *name);

/* The first word of the last occurrence, or `otherwise`. NULL settings have no directives, here and below. */
const char *settings_text(const struct settings *settings, const char *name, const char *otherwise);

/* The address that a configuration gives other nodes, or listens on: no wildcard, no loopback name; "" when there is none. */
const char *settings_address(const struct settings *settings);

/* A yes/no directive. */
bool settings_yes(const struct settings *settings, const char *name, bool otherwise);

/* The first word of the last occurrence, or the value that is compiled into the server; NULL when neither is known: the
 * directive has no default here, the server does not know it, or the server is unknown and versions differ. */
const char *settings_value(const struct settings *settings, const char *name, struct server server);

/* What rename-command did to a command, by its lower-case name. A renamed or disabled command that an AOF holds under
 * its own name is refused or means another one: with any rename no AOF proves anything. */
enum settings_rename settings_renamed(const struct settings *settings, const char *command);

enum save_points { SAVE_POINTS_UNKNOWN, SAVE_POINTS_NONE, SAVE_POINTS_SOME };

/* Effective save points by version (NULL settings: unknown). `why` gets a sentence in static memory, `decisive` the
 * deciding setting or NULL. For an unknown server the versions must agree. The command line, which may add save points,
 * is not seen. Table: docs/formats/conf.md. */
enum save_points settings_save_points(const struct settings *settings, struct server server, const char **why,
                                      const struct setting **decisive);

#endif
