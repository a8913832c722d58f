/* Tests:     each dump of the case by itself.
 * Relies on: what its reader found.
 * Reports:   dump-checksum-mismatch, dump-truncated, dump-corrupt, dump-inconsistent, dump-checksum-disabled,
 *            dump-unsupported, keys-in-nonzero-db. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"

static const struct instance *owner_of(struct findings *findings, size_t file)
{
    size_t number = findings->evidence->files[file].instance;
    return number == SIZE_MAX ? NULL : &findings->evidence->instances[number];
}

static struct finding *about_file(struct findings *findings, enum finding_id id, size_t file)
{
    const struct instance *instance = owner_of(findings, file);
    struct finding *f = findings_add(findings, id, CERTAINTY_PROVED);
    if (f && instance) {
        f->node = instance->name;
        f->host = instance->host;
        f->node_id = instance->node == NO_NODE ? NULL : view_store_id(findings->evidence->store, instance->node);
    }
    return f;
}

static struct place place_at(const struct evidence_file *file, uint64_t offset)
{
    uint64_t size = file->facts.decoded, from = offset < size ? offset : size ? size - 1 : 0;
    uint64_t length = size - from < 16 ? size - from : 16;
    return (struct place){from, length, 0};
}

/* Not with a name that no text can hold. */
static const char *in_key(struct findings *findings, struct bytes key)
{
    if (!key.len || memchr(key.at, 0, key.len))
        return "";
    const char *text = arena_format(findings->arena, ", in key %.*s", (int)key.len, (const char *)key.at);
    return text ? text : "";
}

static void check_stop(struct findings *findings, size_t number)
{
    static const struct {
        enum rdb_stop stop;
        enum finding_id id;
        const char *rule, *settles;
    } stops[] = {
        {RDB_STOP_TRUNCATED, FINDING_DUMP_TRUNCATED, "the file ends before the opcode that ends a dump", "a whole copy of the file"},
        {RDB_STOP_CORRUPT, FINDING_DUMP_CORRUPT, "bytes that no server writes", "a copy of the file that reads to its end"},
        {RDB_STOP_NOT_RDB, FINDING_DUMP_CORRUPT, "the magic bytes of a dump are missing", "a copy of the file with its first bytes"},
        {RDB_STOP_UNSUPPORTED, FINDING_DUMP_UNSUPPORTED, "an unknown version, type or opcode cannot be stepped over safely",
         "the server version that wrote it"},
    };
    const struct evidence_file *file = &findings->evidence->files[number];
    for (size_t s = 0; s < sizeof(stops) / sizeof(stops[0]); s++) {
        if (file->dump->stop != stops[s].stop)
            continue;
        struct finding *f = about_file(findings, stops[s].id, number);
        if (!f)
            return;
        f->summary = arena_format(findings->arena, "%s, offset %" PRIu64 ": %s%s.", file->path,
                                  file->dump->stopped_at, file->dump->why ? file->dump->why : "reading stopped",
                                  in_key(findings, file->dump->stopped_key));
        f->rule = stops[s].rule;
        f->settles = stops[s].settles;
        finding_shows(findings, f, number, place_at(file, file->dump->stopped_at));
    }
}

/* Read to its end all the same; where it was not, the stop says more. */
static void check_newer(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct dump_defect *defect = file->dump->defects, *end = defect + file->dump->defect_count;
    while (defect < end && defect->code != RDB_NEWER_VERSION)
        defect++;
    if (defect == end || file->dump->stop == RDB_STOP_UNSUPPORTED)
        return;
    struct finding *f = about_file(findings, FINDING_DUMP_UNSUPPORTED, number);
    if (!f)
        return;
    f->summary = arena_format(findings->arena, "%s: %s; read as far as its types and opcodes are known.", file->path, defect->found);
    f->rule = "a version that is newer than every one that is known";
    f->settles = "the server version that wrote it";
    finding_shows(findings, f, number, defect->place);
}

/* The defects of one severity as one finding. */
static void check_defects(struct findings *findings, size_t number, bool severe)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    struct finding *f = NULL;
    size_t count = 0;
    for (size_t d = 0; d < file->dump->defect_count; d++) {
        const struct dump_defect *defect = &file->dump->defects[d];
        if (defect->code == RDB_BAD_CHECKSUM || defect->code == RDB_NEWER_VERSION ||
            defect->code == RDB_UNREAD_BYTES || rdb_defect_is_corruption(defect->code) != severe)
            continue;
        if (!f) {
            f = about_file(findings, severe ? FINDING_DUMP_CORRUPT : FINDING_DUMP_INCONSISTENT, number);
            if (!f)
                return;
            f->summary = arena_format(findings->arena, "%s, offset %llu: expected %s, found %s.", file->path,
                                      (unsigned long long)defect->place.offset, defect->expected, defect->found);
            f->rule = severe ? "a value or record contradicts its own format" : "facts outside of values contradict each other";
            f->settles = "a copy of the file without the contradiction";
        }
        count++;
        finding_shows(findings, f, number, place_at(file, defect->place.offset));
    }
    if (count > 1)
        f->detail = arena_format(findings->arena, "%zu places like this; rcf-rdb-check lists them", count);
}

static void check_checksum(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct dump *dump = file->dump;
    if (dump->stop != RDB_STOP_NONE)
        return;
    if (dump->has_checksum && dump->stored_checksum != dump->computed_checksum) {
        struct finding *f = about_file(findings, FINDING_DUMP_CHECKSUM_MISMATCH, number);
        if (!f)
            return;
        f->summary = arena_format(findings->arena, "%s: stored %016llx, computed %016llx.", file->path,
                                  (unsigned long long)dump->stored_checksum, (unsigned long long)dump->computed_checksum);
        f->rule = "CRC64 over every byte from the magic to the end opcode";
        f->settles = "a copy of the file whose checksum matches";
        finding_shows(findings, f, number, dump->checksum);
    } else if (dump->checksum_disabled) {
        struct finding *f = about_file(findings, FINDING_DUMP_CHECKSUM_DISABLED, number);
        if (!f)
            return;
        f->summary = arena_format(findings->arena, "%s was written without a checksum: damage inside values can go unseen.", file->path);
        f->rule = "a stored checksum of 0 means that none was computed";
        f->settles = "a dump written with rdbchecksum yes";
        finding_shows(findings, f, number, dump->checksum);
    }
}

static void check_databases(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct instance *instance = owner_of(findings, number);
    bool clustered = instance && (instance->view || (instance->settings && settings_yes(instance->settings, "cluster-enabled", false)));
    if (!clustered || (instance->server.product == PRODUCT_VALKEY && server_compare(instance->server, 9, 0, 0) >= 0))
        return;
    uint64_t keys = 0;
    struct finding *f = NULL;
    for (size_t d = 0; d < file->dump->db_count; d++) {
        const struct dump_db *db = &file->dump->dbs[d];
        if (db->db == 0 || !db->keys)
            continue;
        if (!f && !(f = about_file(findings, FINDING_KEYS_IN_NONZERO_DB, number)))
            return;
        keys += db->keys;
        struct place place = db->first;
        if (place.length > 160)
            place.length = 160;
        finding_shows(findings, f, number, place);
    }
    if (!f)
        return;
    f->has_keys = true;
    f->keys = keys;
    f->summary = arena_format(findings->arena, "%s holds %llu key%s outside database 0: the server refuses to start with it in cluster mode.",
                              file->path, (unsigned long long)keys, keys == 1 ? "" : "s");
    f->rule = "cluster mode knows database 0 only (Valkey 9 excepted)";
    f->settles = "the instance running without cluster mode";
}

/* A file of 0 bytes under a dump's name: what a full disk leaves. Every server refuses to start with it. */
static void check_empty(struct findings *findings, size_t number)
{
    const struct evidence_file *file = &findings->evidence->files[number];
    const struct instance *instance = owner_of(findings, number);
    const char *name = strrchr(file->path, '/'), *configured = NULL;
    size_t len;
    name = name ? name + 1 : file->path;
    len = strlen(name);
    if (instance && instance->settings)
        configured = settings_text(instance->settings, "dbfilename", NULL);
    if (!(len > 4 && strcmp(name + len - 4, ".rdb") == 0) && !(configured && strcmp(configured, name) == 0))
        return;
    struct finding *f = about_file(findings, FINDING_DUMP_TRUNCATED, number);
    if (!f)
        return;
    f->summary = arena_format(findings->arena, "%s: a dump of 0 bytes: no server starts with it.", file->path);
    f->rule = "a dump begins with its magic bytes";
    f->settles = "a whole copy of the file; an empty file is what a full disk leaves";
    finding_shows(findings, f, number, (struct place){0, 0, 0});
}

void check_dumps(struct findings *findings)
{
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct evidence_file *file = &findings->evidence->files[n];
        if (file->kind == EVIDENCE_EMPTY && !file->temporary)
            check_empty(findings, n);
        /* A temporary file is what a dead fork left: it is expected to be cut. A captured stream is not. */
        if (!file->dump || (file->temporary && !file->dump->captured))
            continue;
        check_stop(findings, n);
        check_newer(findings, n);
        check_defects(findings, n, true);
        check_defects(findings, n, false);
        check_checksum(findings, n);
        if (!file->temporary)
            check_databases(findings, n);
    }
}
