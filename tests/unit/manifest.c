#include "parsers/aof/aof.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/trials.h"

#define TEXT(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* All steps as text: "line: type seq name" and "line! message"; only those that end before `upto`. Freed by the
 * caller. */
static char *transcript(struct bytes text, size_t upto)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    struct manifest *reader = manifest_open(text);
    struct manifest_item item;
    enum parse_step step;
    cr_assert(reader);
    while ((step = manifest_next(reader, &item)) != PARSE_END) {
        const struct damage *damage = manifest_damage(reader);
        cr_assert(step == PARSE_ITEM || step == PARSE_DAMAGE);
        struct place place = step == PARSE_ITEM ? item.place : damage->place;
        cr_assert(place.offset + place.length <= text.len && place.line > 0);
        if (place.offset + place.length >= upto)
            continue;
        if (step == PARSE_DAMAGE) {
            cr_assert(damage->expected && damage->resumed <= text.len);
            fprintf(stream, "%u! %s\n", place.line, damage->found);
            continue;
        }
        fprintf(stream, "%u: %c %" PRId64 " ", place.line, item.type, item.seq);
        fwrite(item.name.at, 1, item.name.len, stream);
        if (item.has_start_offset)
            fprintf(stream, " from %" PRId64, item.start_offset);
        if (item.has_end_offset)
            fprintf(stream, " to %" PRId64, item.end_offset);
        fputc('\n', stream);
    }
    cr_assert_null(manifest_why(reader));
    manifest_close(reader);
    fclose(stream);
    return out;
}

static void reads_as(struct bytes text, const char *expected)
{
    char *steps = transcript(text, SIZE_MAX);
    cr_assert_str_eq(steps, expected);
    free(steps);
}

#define READS_AS(text, expected) reads_as(TEXT(text), expected)

static const char long_line[] = "The AOF manifest file contains too long line";

Test(manifest, what_servers_write)
{
    READS_AS("file appendonly.aof.2.base.rdb seq 2 type b\n"
             "file appendonly.aof.1.base.rdb seq 1 type h\n"
             "file appendonly.aof.2.incr.aof seq 2 type i\n",
             "1: b 2 appendonly.aof.2.base.rdb\n2: h 1 appendonly.aof.1.base.rdb\n3: i 2 appendonly.aof.2.incr.aof\n");
}

Test(manifest, what_servers_accept)
{
    READS_AS("#c\ntype base FILE 'a b' Seq +1x\r\n", "2: b 1 a b\n");
    READS_AS("file \"a\\x00b\" seq 1 type \"b\"\n", "1: b 1 a\n");
    READS_AS(" \tfile a seq 1 type b # c\n", "1: b 1 a\n");
    READS_AS("file a seq -3 type h\nfile a seq -3 type b\n", "1: h -3 a\n2: b -3 a\n");
    READS_AS("file a file b seq 1 seq 2 type h type b\n", "1: b 2 b\n");
    READS_AS("file a seq 99999999999999999999 type b\n", "1: b 9223372036854775807 a\n");
    READS_AS("file a seq 1 type i\nfile b seq 7 type i\nfile c seq 7 type h\n", "1: i 1 a\n2: i 7 b\n3: h 7 c\n");
    READS_AS("# only a comment", "");
    READS_AS("file \"\" seq 1 type b\n", "1: b 1 \n");
}

Test(manifest, offsets_of_redis_8)
{
    READS_AS("file a seq 1 type i startoffset 0 endoffset 50\nfile b seq 2 type i startoffset 50\n",
             "1: i 1 a from 0 to 50\n2: i 2 b from 50\n");
}

Test(manifest, format_errors)
{
    static const char *const lines[] = {
        "\n",
        " # c\n",
        "file a seq 1 type\n",
        "file a seq 1\n",
        "file a seq 1 type b x\n",
        "file a seq 0 type b\n",
        "file a seq x type b\n",
        "file a seq 1 type \"\"\n",
        "file a seq 1 type \"\\x00b\"\n",
        "file \"a seq 1 type b\n",
        "name a seq 1 type b\n",
        "file a turn 1 type b\n",
        "file a seq 1 kind b\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        reads_as((struct bytes){(const uint8_t *)lines[i], strlen(lines[i])}, "1! Invalid AOF manifest file format\n");
}

Test(manifest, other_errors)
{
    READS_AS("", "1! Found an empty AOF manifest\n");
    READS_AS("file ./a seq 1 type b\n", "1! File can't be a path, just a filename\n");
    READS_AS("file a\\b seq 1 type b\nfile x seq 1 type b\n", "1! File can't be a path, just a filename\n2: b 1 x\n");
    READS_AS("file a/b file c seq 1 type b\n", "1! File can't be a path, just a filename\n");
    READS_AS("file a seq 1 type B\n", "1! Unknown AOF file type\n");
    READS_AS("file a seq 1 type b\nfile b seq 2 type b\nfile c seq 3 type b\n",
             "1: b 1 a\n2! Found duplicate base file information\n2: b 2 b\n"
             "3! Found duplicate base file information\n3: b 3 c\n");
    READS_AS("file a seq 2 type i\nfile b seq 2 type i\nfile c seq 3 type i\n",
             "1: i 2 a\n2! Found a non-monotonic sequence number\n2: i 2 b\n3: i 3 c\n");
    READS_AS("file a seq -1 type i\n", "1! Found a non-monotonic sequence number\n1: i -1 a\n");
}

Test(manifest, lines_without_end_or_with_nul)
{
    READS_AS("file a seq 1 type b", "1! The AOF manifest file contains too long line\n");
    READS_AS("file a seq 1 type b\0\n#\n", "1! The AOF manifest file contains too long line\n");
    READS_AS("#\0\nfile a seq 1 type b\n", "2: b 1 a\n");
}

Test(manifest, line_lengths)
{
    for (size_t len = 1022; len < 1027; len++) {
        char text[2048], expected[64];
        memset(text, ' ', sizeof(text));
        memcpy(text, "file a seq 1 type b", 19);
        text[len] = '\n';
        memcpy(text + len + 1, "file c seq 1 type i\n", 20);
        snprintf(expected, sizeof(expected), len <= 1023 ? "1: b 1 a\n2: i 1 c\n" : "1! %s\n2: i 1 c\n", long_line);
        reads_as((struct bytes){(uint8_t *)text, len + 21}, expected);
    }
}

/* A server takes what its buffer cuts off a comment for the next line. */
Test(manifest, long_comments)
{
    char text[4096];
    memset(text, ' ', sizeof(text));
    text[0] = '#';
    text[1023] = '\n';
    reads_as((struct bytes){(uint8_t *)text, 1024}, "");
    text[1023] = ' ';
    text[1030] = '\n';
    reads_as((struct bytes){(uint8_t *)text, 1031}, "1! Invalid AOF manifest file format\n");
    text[1024] = '#';
    reads_as((struct bytes){(uint8_t *)text, 1031}, "");
}

static const char sample[] = "# made by hand\nfile a.1.base.rdb seq 1 type b\n"
                             "file 'a 1.incr' seq 1 type i endoffset 7\r\n\nfile x/y seq 2 type i\n"
                             "file b seq 1 type b\n"
                             "seq 3 type i file \"\\x41\"\n";

Test(manifest, cuts_are_prefixes)
{
    trial_cuts(TEXT(sample), transcript);
}

Test(manifest, flipped_bytes_are_survived)
{
    trial_flips(TEXT(sample), transcript);
}

Test(manifest, likeness)
{
    cr_assert_geq(manifest_likeness(TEXT("# c\nfile a seq 1 type b\nfile b seq 1 type i\n")), 90);
    cr_assert_geq(manifest_likeness(TEXT("file a seq 1 type b")), 50);
    cr_assert_geq(manifest_likeness(TEXT("file a seq 1 type b\nfile a seq 1 ty")), 50);
    cr_assert_eq(manifest_likeness(TEXT("")), 0);
    cr_assert_eq(manifest_likeness(TEXT("port 7000\nsave 900 1 300 10 60 1\n")), 0);
    cr_assert_eq(manifest_likeness(TEXT("file names are listed here\n")), 0);
}

Test(manifest, real_manifest)
{
    struct bytes text;
#define INSTANCE "fixtures/incidents-redis-7.0.15/instances/hosts/127.0.13.6/7101/"
    struct source *source = source_open(AT_FDCWD, INSTANCE "appendonlydir/appendonly.aof.manifest", 0);
    cr_assert(source_slurp(source, 4096, &text));
    reads_as(text, "1: b 1 appendonly.aof.1.base.rdb\n2: i 1 appendonly.aof.1.incr.aof\n");
    source_close(source);
}
