/* Step 1: which files make up the case, what each of them is, and to which instance it belongs.
 *
 * Files are recognised by content, never by name alone; names, folders, ports and node ids group them into instances.
 * Everything found is in `files`, also what could not be read, recognised or attributed: nothing is dropped in silence.
 */
#ifndef RCF_EVIDENCE_H
#define RCF_EVIDENCE_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/memory/arena.h"
#include "tools/evidence/collection.h"
#include "tools/evidence/dump.h"
#include "tools/evidence/journal.h"
#include "tools/evidence/logbook.h"
#include "tools/evidence/server.h"
#include "tools/evidence/settings.h"
#include "tools/evidence/status.h"
#include "tools/evidence/view.h"

enum { NO_FILE = -1 };

enum evidence_kind {
#define EVIDENCE_KIND(id, name, meaning) EVIDENCE_##id,
#include "tools/evidence/kinds.def"
#undef EVIDENCE_KIND
    EVIDENCE_KINDS
};

struct evidence_file {
    const char *path;  /* shown: relative to the CASE directory, or as the user named it */
    const char *where; /* to open it again: as given, from the working directory */
    size_t named;      /* how many bytes of `where` the user named: no part after them may be a symbolic link */
    enum evidence_kind kind;
    struct source_facts facts;
    char sha256[65];    /* of the bytes on disk, as read; "" when it could not be opened */
    const char *unread; /* why it was not read to its end, or NULL */
    bool skipped;       /* `unread` by rule and no failure: a symbolic link, FIFO, socket or device */
    bool changed;       /* while it was read */
    bool temporary;     /* left by an interrupted save, fork or rewrite, set aside by a plan's script, or captured from a
                         * replication stream: evidence, but never what a server loads */
    const char *note;   /* "temporary file of a dead fork", ... or NULL */
    size_t instance;    /* number, or SIZE_MAX */
    const char *attributed;   /* the rule by which it belongs to its instance, or NULL */
    const char *unattributed; /* why it belongs to no instance, or NULL */

    /* What was read, by kind; the others are NULL. */
    struct view *view;
    struct dump *dump;
    struct settings *settings;
    struct journal *journal;
    struct manifest_facts *manifest;
    struct logbook *logbook;
    struct collection *collection;
    struct status *status;
};

/* One server process as its files show it. Numbers refer to evidence.files. */
struct instance {
    const char *name; /* "ip:port" of its own view, else the best the files say; unique in the case */
    const char *host; /* what is lost together; see evidence.host_basis */
    const char *ip;   /* "" when unknown */
    uint16_t port;    /* 0 when unknown */
    const char *folder; /* shown path of the folder that holds its files */
    uint32_t node;    /* its own id, by its newest view, else by its log; NO_NODE */
    struct server server;
    const char *server_basis; /* "log", "dump", "nodes.conf grammar (4.0 or newer)"; NULL when unknown */
    const struct view *view;  /* the newest, or NULL */
    const struct view **history; /* the older ones, newest first */
    size_t history_count;
    const struct view **partial; /* views that leave facts out (view->limits) beside one that does not, newest first */
    size_t partial_count;
    const struct status **statuses; /* captures of INFO and CLUSTER INFO, newest first where that can be told */
    size_t status_count;
    const struct settings *settings; /* or NULL */
    const struct dump *dump;  /* what the server would find as its dump, or NULL */
    const struct dump **other_dumps; /* temporary files, backups, dumps under other names */
    size_t other_dump_count;
    const struct manifest_facts *manifest; /* or NULL */
    const struct journal **journals;       /* AOF files, in load order where a manifest gives it */
    size_t journal_count;
    const struct logbook **logbooks; /* oldest first where that can be told */
    size_t logbook_count;
};

/* A row of the table of --hosts: an ip or ip:port, the host that it lives on, and the zone of that, "" when not said. */
struct host_row {
    const char *address, *host, *zone;
};

struct evidence {
    struct arena *arena;
    struct view_store *store;
    struct evidence_file *files; /* sorted by path */
    size_t file_count;
    struct instance *instances; /* sorted by address */
    size_t instance_count;
    const struct host_row *host_rows; /* of --hosts, by address; see tools/evidence/hosts.h */
    size_t host_row_count;
    const char *host_basis; /* "--hosts", "host folders of the case", "IP addresses", or several: "..., else ..." */
    const char *problem; /* why the case as a whole could not be read, or NULL */
    bool unreadable; /* at least one file could not be read to its end, or changed meanwhile; skipped ones aside */
    bool atime_kept; /* false: the access time of a file or folder may have moved, O_NOATIME being refused */
};

struct evidence_options {
    const char *hosts; /* CSV file address,host[,zone], or NULL */
    bool facts_only;   /* recognise and hash only: nothing is loaded, no instances */
    void (*progress)(void *context, size_t done, size_t total);
    void *context;
};

/* Reads a case from directories and files; "-" is standard input. Each file is read once, from its first byte to its
 * last, and what is loaded, recognised and hashed are the same bytes. Never NULL except without memory; see `problem`
 * and `unreadable`. No paths are an empty case. `options` may be NULL. The caller ends it with evidence_close(). */
struct evidence *evidence_open(char *const *paths, size_t count, const struct evidence_options *options);
void evidence_close(struct evidence *evidence);

/* `length` bytes at `offset` of a file's decoded content, read again from the file, at most `cap`; allocated from
 * `arena`. An empty run when they cannot be read or the file's size or modification time has changed. */
struct bytes evidence_excerpt(const struct evidence *evidence, size_t file, uint64_t offset, uint64_t length,
                              size_t cap, struct arena *arena);

/* Opens a file of the case again, for a second pass; a source without bytes for standard input. NULL without memory.
 * The caller closes it. */
struct source *evidence_reopen(const struct evidence *evidence, size_t file);

/* The instance a user names: ip:port, a node id or a unique prefix of it of 8 characters or more, or the instance's
 * name. SIZE_MAX when there is none or more than one; `why` says which. */
size_t evidence_instance(const struct evidence *evidence, const char *name, const char **why);

/* "nodes.conf", "RDB dump", ... */
const char *evidence_kind_name(enum evidence_kind kind);
const char *evidence_kind_meaning(enum evidence_kind kind);

#endif
