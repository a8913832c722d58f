#include "parsers/aof/commands.h"

static const struct aof_command commands[] = {
#define AOF_COMMAND(id, name, arity, redis, valkey, writes, first, last, step, keys) \
    {AOF_COMMAND_##id, name, arity, redis, valkey, writes, first, last, step, AOF_KEYS_##keys},
#include "parsers/aof/commands.def"
#undef AOF_COMMAND
};

/* As strcmp() of the word in lower case and the name. */
static int compare_name(struct bytes word, const char *name)
{
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.at[i] >= 'A' && word.at[i] <= 'Z' ? (uint8_t)(word.at[i] + 32) : word.at[i];
        if (c != (uint8_t)name[i] || !name[i])
            return c < (uint8_t)name[i] ? -1 : 1;
    }
    return name[word.len] ? -1 : 0;
}

const struct aof_command *aof_command_named(struct bytes name)
{
    size_t low = 0, high = AOF_COMMANDS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_name(name, commands[middle].name);
        if (order == 0)
            return &commands[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct aof_command *aof_command_of(enum aof_command_id id)
{
    return &commands[id];
}

bool aof_command_is_key(const struct aof_command *command, uint64_t index, uint64_t count)
{
    if (command->first <= 0 || index < (uint64_t)command->first || index >= count)
        return false;
    uint64_t last = command->last < 0 ? count - (uint64_t)-command->last : (uint64_t)command->last;
    return index <= last && (index - (uint64_t)command->first) % (uint64_t)command->step == 0;
}

bool aof_command_lacks_words(const struct aof_command *command, uint64_t count)
{
    return count < (uint64_t)(command->arity < 0 ? -command->arity : command->arity);
}
