#include "tools/evidence/dump.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#define STORY "fixtures/story-redis-4.0.1/06-stale-restarted/hosts/"

static struct arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena_free(arena);
}

static struct dump *read_fixture(const char *path)
{
    struct source *source = source_open(AT_FDCWD, path, 0);
    struct dump *dump = dump_read(arena, source, 3);
    cr_assert_not_null(dump, "%s", path);
    source_close(source);
    return dump;
}

static struct dump *read_memory(const void *at, size_t len)
{
    struct source *source = source_memory(at, len);
    struct dump *dump = dump_read(arena, source, 3);
    cr_assert_not_null(dump);
    source_close(source);
    return dump;
}

Test(dump, reads_a_dump_of_version_4, .init = start, .fini = stop)
{
    struct dump *dump = read_fixture(STORY "127.0.0.6/7000/dump_7000.rdb");
    cr_expect_eq(dump->file, 3);
    cr_expect_eq(dump->version, 8);
    cr_expect(!dump->valkey_magic && !dump->aof_base);
    cr_expect_str_eq(dump->writer_text, "4.0.1");
    cr_expect_eq(dump->writer.product, PRODUCT_REDIS);
    cr_expect_eq(server_compare(dump->writer, 4, 0, 1), 0);
    cr_expect(dump->has_ctime && dump->ctime_s > 1500000000);
    cr_assert_not_null(dump->repl_id);
    cr_expect_eq(strlen(dump->repl_id), 40);
    cr_expect(dump->has_repl_offset);
    cr_expect(dump->has_checksum && !dump->checksum_disabled);
    cr_expect_eq(dump->stored_checksum, dump->computed_checksum);
    cr_expect_eq(dump->checksum.offset, 31727 - 8);
    cr_expect_eq(dump->checksum.length, 8);
    cr_expect(dump->whole);
    cr_expect_eq(dump->stop, RDB_STOP_NONE);
    cr_expect_null(dump->why);
    cr_assert_eq(dump->db_count, 1);
    cr_expect_eq(dump->dbs[0].db, 0);
    cr_expect_eq(dump->dbs[0].keys, dump->keys);
    uint64_t sum = 0;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        sum += dump->slot_keys[slot];
        bool own = slot <= 5494 || (slot >= 10923 && slot <= 10955);
        cr_expect(own || !dump->slot_keys[slot], "slot %zu", slot);
    }
    cr_expect_eq(sum, dump->keys);
    cr_expect_eq(dump->keys, 1012);
}

Test(dump, reads_a_dump_without_keys, .init = start, .fini = stop)
{
    struct dump *dump = read_fixture(STORY "127.0.0.6/7002/dump_7002.rdb");
    cr_expect(dump->whole);
    cr_expect_eq(dump->keys, 0);
    cr_expect_eq(dump->db_count, 0);
    cr_expect_null(dump->slot_keys);
}

/* Version 3 has no checksum. Db 2, db 0 and db 2 again, with one key that expires. */
static const char several_dbs[] = "REDIS0003"
                                  "\xfe\x02\0\1a\1x"
                                  "\xfe\0\0\1b\1x"
                                  "\xfe\x02\xfc\0\0\0\0\0\1\0\0\0\1c\1x"
                                  "\xff";

Test(dump, adds_up_databases, .init = start, .fini = stop)
{
    struct dump *dump = read_memory(several_dbs, sizeof(several_dbs) - 1);
    cr_assert(dump->whole, "%s", dump->why);
    cr_expect_eq(dump->keys, 3);
    cr_assert_eq(dump->db_count, 2);
    cr_expect_eq(dump->dbs[0].db, 0);
    cr_expect_eq(dump->dbs[0].keys, 1);
    cr_expect_eq(dump->dbs[1].db, 2);
    cr_expect_eq(dump->dbs[1].keys, 2);
    cr_expect_eq(dump->dbs[1].expires, 1);
    cr_expect_eq(dump->dbs[1].first.offset, 11);
    cr_expect(!dump->has_checksum && !dump->checksum_disabled);
    cr_expect_eq(dump->checksum.length, 0);
}

Test(dump, says_why_it_stopped, .init = start, .fini = stop)
{
    struct dump *dump = read_memory(several_dbs, sizeof(several_dbs) - 2);
    cr_expect_eq(dump->stop, RDB_STOP_TRUNCATED);
    cr_expect_not_null(dump->why);
    cr_expect(!dump->whole);
    cr_expect_eq(dump->keys, 3);

    dump = read_memory("hello", 5);
    cr_expect_eq(dump->stop, RDB_STOP_NOT_RDB);
    cr_expect(!dump->whole);

    dump = read_memory("REDIS0008\x4d\1a\1x\xff", 14);
    cr_expect(dump->stop == RDB_STOP_UNSUPPORTED || dump->stop == RDB_STOP_CORRUPT);
    cr_expect(!dump->whole);
}

Test(dump, tells_corruption_from_inconsistency, .init = start, .fini = stop)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum rdb_defect code;
        bool whole;
    } cases[] = {
        {"REDIS0008\xfb\5\0\0\1a\1x\xff\0\0\0\0\0\0\0\0", 26, RDB_BAD_COUNT, true},
        {"REDIS0008\0\1a\1x\xff\0\0\0\0\0\0\0\0more", 27, RDB_TRAILING_BYTES, true},
        {"REDIS0008\0\1a\1x\xff\1\2\3\4\5\6\7\x08", 23, RDB_BAD_CHECKSUM, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct dump *dump = read_memory(cases[i].bytes, cases[i].len);
        cr_assert_eq(dump->stop, RDB_STOP_NONE, "case %zu: %s", i, dump->why);
        cr_assert_eq(dump->defect_count, 1, "case %zu: %zu", i, dump->defect_count);
        cr_expect_eq(dump->defects[0].code, cases[i].code);
        cr_expect_eq(dump->whole, cases[i].whole, "case %zu", i);
        cr_expect_eq(rdb_defect_is_corruption(cases[i].code), !cases[i].whole);
        cr_expect_eq(dump->checksum_disabled, cases[i].whole);
    }
}

static bool count_keys(void *context, const struct rdb_item *item)
{
    unsigned *left = context;
    cr_expect_eq(item->kind, RDB_KEY);
    return --*left > 0;
}

Test(dump, walks_keys)
{
    const char *why;
    unsigned left = 4;
    struct source *source = source_memory(several_dbs, sizeof(several_dbs) - 1);
    cr_expect(dump_walk(source, true, count_keys, &left, &why));
    cr_expect_null(why);
    cr_expect_eq(left, 1);
    source_close(source);

    left = 2;
    source = source_memory(several_dbs, sizeof(several_dbs) - 1);
    cr_expect(!dump_walk(source, false, count_keys, &left, &why), "the visitor stopped");
    cr_expect_null(why);
    source_close(source);

    left = 9;
    source = source_memory(several_dbs, sizeof(several_dbs) - 3);
    cr_expect(!dump_walk(source, false, count_keys, &left, &why));
    cr_expect_str_eq(why, "the file ends inside the dump");
    source_close(source);
}

/* ------------------------------------------------------------------ duplicate keys */

struct twice {
    const char *at;
    size_t len;
};

static struct source *open_again(void *context)
{
    const struct twice *twice = context;
    return source_memory(twice->at, twice->len);
}

/* Version 3: no checksum. The name "b" twice in db 0 (records at 16 and 32), and once in db 1. */
static const char duplicate_dump[] = "REDIS0003\xfe\0\0\1a\1x"
                                     "\0\1b\1x"
                                     "\0\1c\1x"
                                     "\0\2bb\1x"
                                     "\0\1b\1y"
                                     "\xfe\1\0\1b\1x"
                                     "\xff";

Test(dump, finds_keys_that_come_twice, .init = start, .fini = stop)
{
    struct twice twice = {duplicate_dump, sizeof(duplicate_dump) - 1};
    static const size_t blocks[] = {0, 16, 20, 31};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
        struct dump_how how = {.duplicates = true,
                               .memory = 8 << 20,
                               .reopen = open_again,
                               .context = &twice,
                               .threads = 2,
                               .block = blocks[i]};
        struct source *source = open_again(&twice);
        struct dump *dump = dump_read_how(arena, source, 3, &how);
        source_close(source);
        cr_assert_not_null(dump);
        cr_assert_eq(dump->defect_total, 1);
        cr_assert_eq(dump->defect_count, 1);
        const struct dump_defect *defect = &dump->defects[0];
        cr_expect_eq(defect->code, RDB_DUPLICATE_KEY);
        cr_expect_eq(defect->place.offset, 32);
        cr_expect_eq(defect->place.length, 5);
        cr_expect_str_eq(defect->found, "the same name in the record at offset 16");
        cr_expect(defect->key.len == 1 && *defect->key.at == 'b' && defect->type == 0);
        cr_expect(dump->duplicates_checked && !dump->duplicates_limited && !dump->whole);
        cr_expect_eq(dump->keys, 6);
    }
}

Test(dump, says_what_duplicates_rest_on, .init = start, .fini = stop)
{
    struct twice twice = {duplicate_dump, sizeof(duplicate_dump) - 1};
    struct source *source = open_again(&twice);
    struct dump *dump = dump_read_how(arena, source, 3, &(struct dump_how){.duplicates = true, .memory = 8 << 20});
    source_close(source);
    cr_assert_eq(dump->defect_count, 1);
    cr_expect_not_null(strstr(dump->defects[0].found, "64-bit hash"));
    cr_expect_eq(dump->defects[0].place.offset, twice.len, "known at the end");

    source = open_again(&twice);
    dump = dump_read_how(arena, source, 3, &(struct dump_how){.duplicates = true, .memory = 1});
    source_close(source);
    cr_expect_eq(dump->defect_count, 0);
    cr_expect(dump->duplicates_checked && dump->duplicates_limited);
    cr_expect_eq(dump->duplicates_unchecked_from, 0);

    dump = read_memory(twice.at, twice.len);
    cr_expect(!dump->duplicates_checked && dump->whole, "nobody asked");
}

Test(dump, names_the_key_of_a_defect, .init = start, .fini = stop)
{
    /* A set of two whose second string has a length in a longer form than it needs. */
    static const char bytes[] = "REDIS0003\xfe\0\2\1k\2\1a\x40\1b\xff";
    struct dump *dump = read_memory(bytes, sizeof(bytes) - 1);
    cr_assert_eq(dump->defect_count, 1);
    const struct dump_defect *defect = &dump->defects[0];
    cr_expect_eq(defect->code, RDB_BAD_LENGTH);
    cr_expect(defect->key.len == 1 && *defect->key.at == 'k' && defect->type == 2);
}

Test(dump, facts_about_the_cluster, .init = start, .fini = stop)
{
    static const char bytes[] = "VALKEY080"
                                "\xfa\x13" "cluster-slot-states" "\x05" "93<a,"
                                "\xfa\x08" "used-mem\xc2\0\0\x10\0"
                                "\xfa\x0e" "repl-stream-db\xc0\0"
                                "\xf3\3job\2\0\1\5\5\xff\0\0\0\0\0\0\0\0";
    struct dump *dump = read_memory(bytes, sizeof(bytes) - 1);
    cr_assert_eq(dump->stop, RDB_STOP_NONE, "%s", dump->why);
    cr_expect_str_eq(dump->open_slots, "93<a,");
    cr_expect(dump->has_used_mem && dump->used_mem == 1 << 20);
    cr_expect(dump->has_repl_db && dump->repl_db == 0);
    cr_assert_eq(dump->import_count, 1);
    cr_expect_str_eq(dump->imports[0].job, "job");
    cr_expect_str_eq(dump->imports[0].slots, "0-1 5-5");
}

Test(dump, an_expiry_before_1970_is_odd, .init = start, .fini = stop)
{
    static const char bytes[] = "REDIS0003\xfe\0\xfc\xff\xff\xff\xff\xff\xff\xff\xff\0\1k\1v\xff";
    struct dump *dump = read_memory(bytes, sizeof(bytes) - 1);
    cr_assert_eq(dump->defect_count, 1);
    cr_expect_eq(dump->defects[0].code, RDB_ODD_EXPIRY);
    cr_expect(dump->defects[0].place.offset == 11 && dump->defects[0].place.length == 9);
    cr_expect(dump->whole && dump->keys == 1);
}
