#include "tools/evidence/identify.h"

#include <string.h>

#include "parsers/aof/aof.h"
#include "parsers/bytes/cursor.h"
#include "parsers/bytes/vcs.h"
#include "parsers/conf/conf.h"
#include "parsers/log/log.h"
#include "parsers/nodesconf/nodesconf.h"
#include "tools/evidence/names.h"

enum {
    ENOUGH = 50,  /* a lower score recognises nothing */
    CERTAIN = 90, /* no other recogniser need be asked */
    TAR_MAGIC_AT = 257, /* POSIX.1-2017, pax, "ustar Interchange Format" */
};

static const char captured_stream[] = "captured replication stream: no server loads it as its dump";

static bool digits(struct bytes word, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        if (i >= word.len || word.at[i] < '0' || word.at[i] > '9')
            return false;
    return true;
}

/* "REDIS0011", "VALKEY080"; "VCS", "VKCS": a dump that Valkey 9.2 compressed as a whole, in a way that is not known. */
static bool has_rdb_magic(struct bytes head)
{
    struct vcs_header container;
    return (text_starts(head, "REDIS") && digits(head, 5, 4)) || (text_starts(head, "VALKEY") && digits(head, 6, 3)) ||
           vcs_header_read(head, &container);
}

bool identify_is_stream(struct bytes head)
{
    struct bytes line, dump;
    if (!text_starts(head, "$") || !text_split(head, '\n', &line, &dump))
        return false;
    uint64_t length;
    line = text_trim(text_from(line, 1));
    return (text_starts(line, "EOF:") || text_u64(line, &length)) && has_rdb_magic(dump);
}

/* The value of an aux field that is written as an 8-bit integer: name, 0xc0, value. */
static bool aux_is_set(struct bytes head, const char *name)
{
    size_t at;
    if (!text_find(head, name, &at))
        return false;
    struct bytes value = text_from(head, at + strlen(name));
    return value.len > 1 && value.at[0] == 0xc0 && value.at[1] == 1;
}

static unsigned score_rdb(struct bytes head, struct bytes stem)
{
    (void)stem;
    return has_rdb_magic(head) || identify_is_stream(head) ? 90 : 0;
}

/* A file that begins with a dump is an AOF when the dump says that commands follow (aof-preamble, Redis 4.0 to 6.2), or
 * when it is called one. The base file of a multi-part AOF (aof-base, 7.0) is a dump and nothing else. */
static unsigned score_aof(struct bytes head, struct bytes stem)
{
    if (has_rdb_magic(head))
        return text_ends(stem, ".aof") || aux_is_set(head, "aof-preamble") ? 95 : 0;
    return identify_is_stream(head) ? 0 : aof_likeness(head);
}

static unsigned score_archive(struct bytes head, struct bytes stem)
{
    (void)stem;
    return text_starts(head, "PK\3\4") || text_starts(head, "PK\5\6") ||
                   text_starts(text_from(head, TAR_MAGIC_AT), "ustar")
               ? 100
               : 0;
}

static unsigned score_nodes(struct bytes head, struct bytes stem)
{
    (void)stem;
    unsigned likeness = nodesconf_likeness(head);
    return likeness && likeness < ENOUGH ? ENOUGH : likeness; /* damaged, or among other lines, but nothing else */
}

static unsigned score_manifest(struct bytes head, struct bytes stem)
{
    (void)stem;
    return manifest_likeness(head);
}

static unsigned score_conf(struct bytes head, struct bytes stem)
{
    (void)stem;
    return conf_likeness(head);
}

/* A log may hold a crash report, with all of INFO in it; what begins as a log is one. */
static unsigned score_log(struct bytes head, struct bytes stem)
{
    struct bytes first, rest;
    (void)stem;
    text_split(head, '\n', &first, &rest);
    return log_likeness(first) == 100 ? 95 : log_likeness(head);
}

/* The quick ones first: a certain answer ends the search. */
static const struct {
    enum evidence_kind kind;
    unsigned (*score)(struct bytes head, struct bytes stem);
} recognisers[] = {
    {EVIDENCE_ARCHIVE, score_archive}, {EVIDENCE_AOF, score_aof},
    {EVIDENCE_RDB, score_rdb},         {EVIDENCE_NODESCONF, score_nodes},
    {EVIDENCE_LOG, score_log},         {EVIDENCE_AOF_MANIFEST, score_manifest},
    {EVIDENCE_CONF, score_conf},
};

/* Names that servers give by default, for files whose content is damaged beyond recognition. */
static const struct {
    const char *prefix, *ending;
    enum evidence_kind kind;
} given_names[] = {
    {"", ".rdb", EVIDENCE_RDB},
    {"", ".aof", EVIDENCE_AOF},
    {"", ".aof.manifest", EVIDENCE_AOF_MANIFEST},
    {"nodes", ".conf", EVIDENCE_NODESCONF},
    {"redis", ".conf", EVIDENCE_CONF},
    {"valkey", ".conf", EVIDENCE_CONF},
};

static enum evidence_kind kind_by_name(struct bytes stem)
{
    for (size_t i = 0; i < sizeof(given_names) / sizeof(*given_names); i++)
        if (text_starts(stem, given_names[i].prefix) && text_ends(stem, given_names[i].ending))
            return given_names[i].kind;
    return EVIDENCE_UNKNOWN;
}

static enum evidence_kind kind_by_content(struct bytes head, struct bytes stem)
{
    unsigned best;
    enum evidence_kind kind = identify_output(head, &best);
    for (size_t i = 0; i < sizeof(recognisers) / sizeof(*recognisers) && best < CERTAIN; i++) {
        unsigned score = recognisers[i].score(head, stem);
        if (score > best) {
            best = score;
            kind = recognisers[i].kind;
        }
    }
    if (kind == EVIDENCE_CONF && conf_is_sentinel(head))
        kind = EVIDENCE_SENTINEL_CONF;
    return best >= ENOUGH ? kind : EVIDENCE_UNKNOWN;
}

struct identity identify(struct bytes head, struct bytes stem)
{
    struct identity identity = {.kind = head.len ? kind_by_content(head, stem) : EVIDENCE_EMPTY};
    struct bytes target;
    if (identity.kind == EVIDENCE_UNKNOWN) {
        identity.kind = kind_by_name(stem);
        identity.by_name = identity.kind != EVIDENCE_UNKNOWN;
        identity.note = identity.by_name ? "known by its name only: the content does not show what it is" : NULL;
    }
    if (names_is_unfinished_data(stem)) {
        identity.temporary = true;
        identity.note = "temporary file of a dead fork";
    } else if (names_is_unfinished_nodesconf(stem, &target)) {
        identity.temporary = true;
        identity.note = "temporary file of an interrupted save";
    } else if (identity.kind == EVIDENCE_RDB && identify_is_stream(head)) {
        identity.temporary = true;
        identity.note = captured_stream;
    }
    return identity;
}

/* A line that begins with the word vars. */
static bool has_vars(struct bytes text)
{
    struct cursor in = cursor_over(text);
    struct bytes line, word;
    bool ended;
    while (cursor_line(&in, &line, &ended)) {
        struct cursor words = cursor_over(line);
        if (cursor_word(&words, &word) && text_is_nocase(text_trim(word), "vars"))
            return true;
    }
    return false;
}

/* Flags and fields of a text that holds node lines. */
struct signs {
    bool padding; /* NUL bytes, or several empty lines at the end, as Redis up to 7.0 overwrites an old file */
    bool aux;     /* fields that clients are not shown */
    bool live;    /* flags that are not saved: a handshake, a suspicion */
    bool cut;     /* the last line has no end */
};

static struct signs signs_of(struct bytes text)
{
    struct signs signs = {.padding = text_ends(text, "\n\n\n") || (text.len && memchr(text.at, 0, text.len))};
    struct cursor in = cursor_over(text);
    struct bytes line, word;
    bool ended = true;
    size_t at;
    while (cursor_line(&in, &line, &ended)) {
        struct cursor words = cursor_over(line);
        if (!cursor_word(&words, &word) || !cursor_word(&words, &word))
            continue;
        signs.aux |= text_find(word, ",shard-id=", &at) || text_find(word, ",tls-port=", &at);
        if (cursor_word(&words, &word))
            signs.live |= text_find(word, "handshake", &at) || text_find(word, "fail?", &at);
    }
    signs.cut = !ended;
    return signs;
}

/* "06-restarted.cluster-nodes-7002.txt", but not "nodes-7002.conf" or "nodes.conf.bak". */
static bool is_called_capture(struct bytes stem)
{
    size_t at;
    return text_find(stem, "cluster", &at) && text_find(stem, "nodes", &at) && !text_find(stem, ".conf", &at);
}

/* The name, which costs nothing, is asked before the text. */
enum evidence_kind identify_nodes(struct bytes text, struct bytes stem)
{
    size_t at;
    if (text_find(stem, ".conf", &at) || has_vars(text))
        return EVIDENCE_NODESCONF;
    struct signs signs = signs_of(text);
    if (signs.padding || signs.aux)
        return EVIDENCE_NODESCONF;
    if (is_called_capture(stem) || signs.live)
        return EVIDENCE_CLUSTER_NODES;
    return signs.cut ? EVIDENCE_NODESCONF : EVIDENCE_CLUSTER_NODES;
}
