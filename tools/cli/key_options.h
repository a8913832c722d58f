/* The options by which commands that read dumps take a part of the keys: the same words in each of them.
 *
 *     static const struct cli_option options[] = {KEY_OPTION_ROWS, {...}, {0}};
 *
 *     static const char *take(void *config, int id, const char *value)
 *     {
 *         return key_options_take(&((struct config *)config)->selection, id, value);
 *     }
 */
#ifndef RCF_KEY_OPTIONS_H
#define RCF_KEY_OPTIONS_H

#include "tools/cli/cli.h"
#include "tools/keyspace/selection.h"

/* Numbers from 1000 on, so that a command can have ids of its own. */
enum key_option {
    KEY_OPTION_MATCH = 1000,
    KEY_OPTION_TYPE,
    KEY_OPTION_SLOT,
    KEY_OPTION_DB,
    KEY_OPTION_EXPIRES,
    KEY_OPTION_LEAST,
    KEY_OPTION_MOST
};

/* The words of --type, NULL-terminated: the names of the types. */
extern const char *const key_option_types[];

#define KEY_OPTION_ROWS                                                                                                \
    {0, "match", "GLOB", "only keys whose name fits, as in SCAN: * ? [a-z] [^a-z] \\x; may be repeated", CLI_TAKE,     \
     .id = KEY_OPTION_MATCH},                                                                                          \
    {0, "type", "TYPE", "only keys of this type; may be repeated", CLI_TAKE, .words = key_option_types,                \
     .id = KEY_OPTION_TYPE},                                                                                           \
    {0, "slot", "SLOTS", "only keys in these hash slots: 5, 0-5460, 1,3,10-20", CLI_TAKE, .id = KEY_OPTION_SLOT},      \
    {0, "db", "DBS", "only keys in these databases: 0, 1-15", CLI_TAKE, .id = KEY_OPTION_DB},                          \
    {0, "expires", "WHEN", "only keys that expire: never, ever, before:TIME, after:TIME", CLI_TAKE,                    \
     .id = KEY_OPTION_EXPIRES},                                                                                        \
    {0, "min-size", "BYTES", "only keys whose serialised value has at least so many bytes", CLI_TAKE,                  \
     .id = KEY_OPTION_LEAST},                                                                                          \
    {0, "max-size", "BYTES", "only keys whose serialised value has at most so many bytes", CLI_TAKE,                   \
     .id = KEY_OPTION_MOST}

/* What stands in --help about them: paragraphs for `notes`. */
#define KEY_OPTION_NOTES                                                                                               \
    "Options that choose keys add up; what one of them lists are alternatives. TIME is a date, or a date and a\n"      \
    "time: 2026-11-22T14:52, in UTC when it names no zone. BYTES may end in K, M or G (of 1024)."

/* Adds what an option says to the selection. NULL, or what was expected instead. The value must outlive the selection.
 */
const char *key_options_take(struct selection *selection, int id, const char *value);

#endif
