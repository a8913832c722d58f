#include "parsers/capture/shards.h"
#include "parsers/capture/slots.h"
#include "tools/evidence/identify.h"

/* Lines that only one kind of output has. `anywhere`: in a line, else at its beginning. When several rows match, the
 * earliest decides: an add-node run contains a check, a check contains an info. */
struct pattern {
    enum evidence_kind kind;
    const char *text;
    bool anywhere;
};

/* Up to Redis 4.0 the lines come from redis-trib.rb, later from redis-cli or valkey-cli --cluster, in equal words. */
static const struct pattern patterns[] = {
    {EVIDENCE_TOOL_CREATE, ">>> Creating cluster", false},
    {EVIDENCE_TOOL_CREATE, ">>> Performing hash slots allocation on ", false},
    {EVIDENCE_TOOL_ADD_NODE, ">>> Adding node ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Removing node ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Rebalancing across ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Importing data from ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Calling ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Fixing ", false},
    {EVIDENCE_TOOL_OTHER, ">>> Reconfiguring node timeout ", false},
    {EVIDENCE_TOOL_OTHER, "Resharding plan:", true},
    {EVIDENCE_TOOL_OTHER, "Ready to move ", false},
    {EVIDENCE_TOOL_CHECK, ">>> Performing Cluster Check ", false},
    {EVIDENCE_CLUSTER_INFO, "cluster_state:", false},
    {EVIDENCE_CLUSTER_INFO, "cluster_known_nodes:", false},
    {EVIDENCE_INFO, "redis_version:", false},
    {EVIDENCE_INFO, "valkey_version:", false},
    {EVIDENCE_INFO, "# Replication", false},
    {EVIDENCE_INFO, "# Keyspace", false},
    {EVIDENCE_INFO, "# Persistence", false},
    {EVIDENCE_INFO, "# Clients", false},
    {EVIDENCE_INFO, "role:master", false},
    {EVIDENCE_INFO, "role:slave", false},
};

enum { LINES = 400 };

static bool is_hex(struct bytes word, size_t count)
{
    if (word.len != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!((word.at[i] >= '0' && word.at[i] <= '9') || ((word.at[i] | 0x20) >= 'a' && (word.at[i] | 0x20) <= 'f')))
            return false;
    return true;
}

/* "10.211.55.6:7000 (d542d12e...) -> 0 keys | 5461 slots | 1 slaves." */
static bool is_info_line(struct bytes line)
{
    size_t at;
    return text_find(line, "...) -> ", &at) && text_find(line, " keys | ", &at) && text_find(line, " slots | ", &at);
}

/* "HASH  NAME", "HASH *NAME", with a backslash in front when the name holds one (GNU coreutils), "SHA256 (NAME) = HASH"
 * (BSD). */
static bool is_hash_line(struct bytes line)
{
    struct bytes hash, name, word;
    if (text_starts(line, "SHA256 (") && text_split_last(line, ' ', &name, &hash))
        return is_hex(text_trim(hash), 64);
    if (text_starts(line, "\\"))
        line = text_from(line, 1);
    struct cursor words = cursor_over(line);
    return cursor_word(&words, &hash) && is_hex(hash, 64) && cursor_word(&words, &word);
}

/* "user NAME on ~* +@all", as ACL SAVE writes one a line. */
static bool is_acl_line(struct bytes line)
{
    struct cursor words = cursor_over(line);
    struct bytes word;
    if (!cursor_word(&words, &word) || !text_is(word, "user") || !cursor_word(&words, &word))
        return false;
    while (cursor_word(&words, &word))
        if (text_is(word, "on") || text_is(word, "off") || text_is(word, "nopass") || text_starts(word, "+@"))
            return true;
    return false;
}

/* What the lines of a text add up to. */
struct tally {
    size_t lines; /* not empty, not a '#' comment */
    size_t hashes, acl, info;
    size_t first_pattern;
    bool hosts; /* the header row of a host table */
};

static void tally_line(struct tally *tally, struct bytes line)
{
    size_t at;
    for (size_t i = 0; i < tally->first_pattern; i++)
        if (patterns[i].anywhere ? text_find(line, patterns[i].text, &at) : text_starts(line, patterns[i].text))
            tally->first_pattern = i;
    if (text_starts(line, "#"))
        return;
    if (!tally->lines)
        tally->hosts = text_is_nocase(line, "address,host") || text_is_nocase(line, "address,host,zone");
    tally->lines++;
    tally->hashes += is_hash_line(line);
    tally->acl += is_acl_line(line);
    tally->info += is_info_line(line);
}

enum evidence_kind identify_output(struct bytes head, unsigned *score)
{
    enum { COUNT = sizeof(patterns) / sizeof(*patterns), CERTAIN = 92, LIKELY = 85 };
    struct tally tally = {.first_pattern = COUNT};
    struct capture_lines lines = capture_lines_over(head);
    struct capture_line line;
    for (size_t i = 0; i < LINES && capture_line_next(&lines, &line); i++)
        if (line.text.len)
            tally_line(&tally, line.text);
    const struct {
        enum evidence_kind kind;
        bool holds;
        unsigned score;
    } rules[] = {
        {EVIDENCE_COLLECTION, tally.hashes && tally.hashes * 10 >= tally.lines * 9, CERTAIN},
        {EVIDENCE_HOSTS, tally.hosts, CERTAIN},
        {EVIDENCE_ACL, tally.acl && tally.acl == tally.lines, 100},
        {EVIDENCE_CLUSTER_SHARDS, shards_likeness(head) >= CERTAIN, CERTAIN},
        {EVIDENCE_CLUSTER_SLOTS, slots_likeness(head) >= CERTAIN, CERTAIN},
        {tally.first_pattern < COUNT ? patterns[tally.first_pattern].kind : EVIDENCE_UNKNOWN,
         tally.first_pattern < COUNT, LIKELY},
        {EVIDENCE_TOOL_INFO, tally.info > 0, LIKELY},
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (rules[i].holds) {
            *score = rules[i].score;
            return rules[i].kind;
        }
    *score = 0;
    return EVIDENCE_UNKNOWN;
}
