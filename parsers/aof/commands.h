/* What is known of commands by their names: which versions have them, how many words they take, which words are keys. */
#ifndef RCF_AOF_COMMANDS_H
#define RCF_AOF_COMMANDS_H

#include <stdbool.h>

#include "parsers/parse.h"

enum { AOF_NEVER = 0xFFFF };

enum aof_command_id {
#define AOF_COMMAND(id, name, arity, redis, valkey, writes, first, last, step, keys) AOF_COMMAND_##id,
#include "parsers/aof/commands.def"
#undef AOF_COMMAND
    AOF_COMMANDS
};

enum aof_keys { AOF_KEYS_PLAIN, AOF_KEYS_NUMBERED_1, AOF_KEYS_NUMBERED_2, AOF_KEYS_STORE, AOF_KEYS_STREAMS, AOF_KEYS_MIGRATE };

struct aof_command {
    enum aof_command_id id;
    const char *name; /* lower case */
    int arity;        /* words, the name included; negative: at least so many */
    unsigned redis, valkey; /* since which version, major * 100 + minor; AOF_NEVER: not at all */
    bool writes;
    int first, last, step;
    enum aof_keys keys;
};

/* The command of this name in any case, or NULL: a module's, a renamed one, one of a later version, or none. */
const struct aof_command *aof_command_named(struct bytes name);

/* By its number, below AOF_COMMANDS. */
const struct aof_command *aof_command_of(enum aof_command_id id);

/* Whether word `index` of a command of `count` words is certainly a key by its place alone, which is all there is for
 * AOF_KEYS_PLAIN; see aof_key_next() for the rest. */
bool aof_command_is_key(const struct aof_command *command, uint64_t index, uint64_t count);

/* Fewer words than the command needs. Servers do not check that while they load, and may crash. */
bool aof_command_lacks_words(const struct aof_command *command, uint64_t count);

#endif
