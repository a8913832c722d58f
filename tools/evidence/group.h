/* Which files belong together: hints are taken from each file, then an ordered set of rules joins files into groups,
 * and a group that shows a server process becomes an instance.
 *
 * A file joins at most one group. Where two rules could disagree, the earlier one has decided; what no rule decides
 * stays unattributed, with the reason.
 */
#ifndef RCF_GROUP_H
#define RCF_GROUP_H

#include "tools/evidence/evidence.h"
#include "tools/evidence/names.h"

/* What a file can contribute to an instance. */
enum role {
    ROLE_NONE,    /* nothing: it speaks of the whole cluster, or of none */
    ROLE_CONF,    /* a server's main configuration */
    ROLE_VIEW,    /* its nodes.conf */
    ROLE_CAPTURE, /* a captured reply that shows who gave it: collected anywhere, so only its own line counts */
    ROLE_LOG,
    ROLE_DATA,  /* dump, append-only file, manifest */
    ROLE_OTHER, /* belongs to an instance but says little about it */
};

/* What one file says about the instance it belongs to. */
struct hint {
    enum role role;
    struct path_parts parts;
    struct bytes scope;   /* the IP address or host folder above or in its name: files of different scopes never join */
    uint16_t said;        /* port in the content */
    uint16_t named;       /* port in the name */
    uint16_t placed;      /* port that a folder is called by */
    uint16_t port;        /* the one that counts for this role */
    uint32_t node;        /* own id of a view or capture, last id of a log */
    const char *ip;       /* of the own line, "" when unknown */
    size_t parent;        /* union-find; a root's `group` holds for all */
    const char *rule;     /* by which it joined, or NULL */
    const char *obstacle; /* why it did not, or NULL */
};

/* What the files of a group add up to; kept at the root. */
struct group {
    size_t files;
    size_t conf;         /* its main configuration, or SIZE_MAX */
    size_t view;         /* a nodes.conf, or SIZE_MAX */
    size_t log;          /* a log, or SIZE_MAX */
    bool capture;        /* a capture is among them */
    bool status;         /* a capture of INFO or CLUSTER INFO is among them */
    bool dump;           /* a dump that is no temporary file */
    uint16_t port;       /* 0 when unknown */
    uint16_t said;       /* of the own line */
    uint32_t node;       /* of the own line, else of the log; NO_NODE */
    const char *ip;      /* of the own line, "" when unknown */
    struct bytes scope;  /* empty when unknown */
    struct bytes folder; /* above all its files, captures aside */
    bool placed;         /* it has a file that is no capture: `folder` counts */
};

struct grouping {
    struct evidence *evidence;
    struct arena *arena; /* for what is not kept */
    struct hint *hints;
    struct group *groups;
    size_t count;
    bool any_owned_view; /* some view of the case shows whose it is */
    bool failed;         /* no memory */
};

/* Fills `hints` and one group a file. */
bool group_hints(struct grouping *grouping);

/* Applies the rules. */
void group_join(struct grouping *grouping);

/* The root of a file's group. */
size_t group_root(struct grouping *grouping, size_t file);

/* Makes evidence.instances of the groups, and says of each other file why it belongs to none. */
bool group_instances(struct grouping *grouping);

/* Orders folders so that what lies below one follows it directly. */
int group_folder_compare(struct bytes a, struct bytes b);

/* What holds when two groups are joined anyway. */
enum join {
    JOIN_STRICT = 0,
    JOIN_ANY_PORT = 1,  /* a stated link is stronger than ports that differ */
    JOIN_ANY_CONF = 2,  /* two configurations may be copies of one */
    JOIN_ANY_SCOPE = 4, /* the place does not count */
};

/* Nothing that is known of two groups speaks against one server process. */
bool group_fits(struct grouping *grouping, size_t a, size_t b, unsigned flags);

/* Makes two groups one, by a rule that is said of the files that had none. False when group_fits() is false. */
bool group_merge(struct grouping *grouping, size_t a, size_t b, unsigned flags, const char *rule);

/* The rules, in this order; see group_join(). */
void rule_folder(struct grouping *grouping);     /* group_folder.c */
void rule_conf(struct grouping *grouping);       /* group_named.c */
void rule_manifest(struct grouping *grouping);   /* group_named.c */
void rule_unfinished(struct grouping *grouping); /* group_named.c */
void rule_node(struct grouping *grouping);       /* group_node.c */
void rule_port(struct grouping *grouping);       /* group_port.c */
void rule_called(struct grouping *grouping);     /* group_folder.c */
void rule_around(struct grouping *grouping);     /* group_folder.c */

#endif
